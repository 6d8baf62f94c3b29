"""Keys that are made of tokens, in one message: each is used before it is known whether its user made the message."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from lxml.etree import _Element

from wsguard.explanation import Explanation
from wsguard.faults import SecurityTokenUnavailable
from wsguard.interfaces import Attempt, KeyedTokenProcessor, TokenProcessor, UserKey
from wsguard.message.lexical import name_of
from wsguard.signature import Signer


class TokenKeys:
    """Makes the keys of one message's tokens, and knows which of them nothing was signed with. Mutable."""

    def __init__(
        self, processors: Mapping[str, TokenProcessor[Any]], attempt: Attempt, explanation: Explanation
    ) -> None:
        """
        Args:
            processors: tag -> what reads such a token.
            attempt: under whose demands they are read.
            explanation: is told of every check.
        """
        self._processors: Final = processors
        self._attempt: Final = attempt
        self._explanation: Final = explanation
        self._used: Final[list[tuple[KeyedTokenProcessor[Any], Any, UserKey]]] = []

    def of(self, element: _Element) -> UserKey:
        """The key of the token ``element``.

        Raises:
            SecurityFault: ``certificate.unavailable``, no keys are made of such tokens; what reading the token and
                ``KeyedTokenProcessor.key`` raise.
            StoreUnavailable: likewise.
        """
        processor = self._processors.get(name_of(element))
        if processor is None or not isinstance(processor, KeyedTokenProcessor):
            raise SecurityTokenUnavailable(
                "certificate.unavailable", expected="a token that a key is made of", seen=name_of(element)
            )
        token = processor.read(element, self._attempt.demands, self._attempt.now, self._explanation)
        key = processor.key(token, self._attempt)
        self._used.append((processor, token, key))
        return key

    def prove(self, signers: Collection[Signer]) -> None:
        """Take note of whose signatures were verified: who signed knows the key."""
        users = {one.user for one in signers if isinstance(one, UserKey)}
        self._used[:] = [one for one in self._used if one[2].user not in users]

    def count(self) -> None:
        """Of a message that is refused: count a failure for each key that was used and not proven, once.

        Raises:
            StoreUnavailable: one was not counted.
        """
        while self._used:
            processor, token, _ = self._used.pop()
            processor.not_proven(token, self._attempt)
