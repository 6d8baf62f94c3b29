"""``wsse=`` of ``zeep.Client``: secures what zeep sends, and lets it see of an answer what was verified.

zeep parses an answer, calls ``verify`` with the tree, and goes on with that very tree: so the tree is serialised,
judged from its octets like any message, and emptied and filled again with what was verified. zeep asks nobody about an
answer without content (HTTP 201, 202) and about attachments, which ``zeep_transport`` refuses, and asks nobody at all
with ``Settings(raw_response=True)``.
"""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar, cast

from lxml import etree
from lxml.etree import _Element

from wsguard.client.answers import Answers
from wsguard.client.refusals import AnswerRefused
from wsguard.client.sending import Sent, secure_request
from wsguard.client.verifying import verify_answer
from wsguard.interfaces import Clock
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing

HeadersT = TypeVar("HeadersT")
SecuringSource = Securing | Callable[[], Securing]
"""How requests are secured; or what says so for each request, where credentials change."""


class _Waiting(NamedTuple):
    """A request that was secured, and whose answer was not seen yet."""

    owner: "ZeepSecurity"
    sent: Sent


_waiting: Final[ContextVar[_Waiting | None]] = ContextVar("wsguard.client", default=None)
"""Of this thread or task: zeep secures, sends and verifies in one go."""


def _now() -> datetime:
    return datetime.now(UTC)


class ZeepSecurity:
    """For ``zeep.Client(wsdl, wsse=...)``. One object serves all threads and tasks, and several clients.

    Each answer is held against the request that was sent last in the same thread or task, and each request is good for
    one answer.
    """

    def __init__(
        self, securing: SecuringSource, answers: Answers, *, clock: Clock = _now, limits: Limits | None = None
    ) -> None:
        """
        Args:
            securing: how requests are secured.
            answers: what answers must have.
            clock: the time, aware.
            limits: bounds on a request; ``response_bytes`` is that of its octets.

        Raises:
            ValueError: confirmation is demanded of signatures that are sent encrypted.
        """
        self.securing: Final = securing
        """How requests are secured."""
        self._clock: Final = clock
        self._limits: Final = limits or Limits()
        self.answers: Final = answers
        """What answers must have."""
        if isinstance(securing, Securing):
            _demand_confirmable(securing, answers)

    def apply(self, envelope: _Element, headers: HeadersT) -> tuple[_Element, HeadersT]:
        """What zeep calls with a request.

        Args:
            envelope: the request; it stays as it is.
            headers: those of HTTP; they stay as they are.

        Returns:
            the secured request, whose digests stay true however zeep serialises it, and ``headers``.

        Raises:
            NotSecurable: it cannot be secured; nothing is sent.
        """
        plan = self.securing if isinstance(self.securing, Securing) else self.securing()
        _demand_confirmable(plan, self.answers)
        _waiting.set(None)
        secured = secure_request(_octets(envelope), plan, self._clock(), self._limits)
        _waiting.set(_Waiting(self, secured.sent))
        return secured.root, headers

    def verify(self, envelope: _Element) -> _Element:
        """What zeep calls with an answer.

        Args:
            envelope: the answer as it was parsed. What was verified takes the place of what is in it, also where the
                answer is refused: then that is nothing.

        Returns:
            the same.

        Raises:
            UnverifiedFault: it is a SOAP fault that nobody vouches for.
            AnswerRefused: it is not what was demanded, or no request of ours waits for it here.
        """
        octets = _octets(envelope)
        _empty(envelope)
        waiting = _waiting.get()
        _waiting.set(None)
        if waiting is None or waiting.owner is not self:
            seen = "no request that waits for one in this thread or task"
            raise AnswerRefused("confirmation.mismatch", expected="the answer to a request of ours", seen=seen)
        verified = verify_answer(octets, self.answers, waiting.sent, self._clock())
        _fill(envelope, verified.octets)
        return envelope


def _demand_confirmable(plan: Securing, answers: Answers) -> None:
    if answers.signature_confirmation and plan.encrypt_for is not None and "Signature" in plan.encrypted_parts:
        raise ValueError(
            "signature_confirmation is demanded, but encrypted_parts names Signature, so nobody here knows it"
        )


def _octets(envelope: _Element) -> bytes:
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=False, with_tail=False)


def _empty(envelope: _Element) -> None:
    envelope.attrib.clear()
    envelope.text = None
    del envelope[:]


def _fill(envelope: _Element, octets: bytes) -> None:
    verified = _parsed(octets)
    envelope.attrib.update(verified.attrib)
    # Made anew, not moved: of what lxml moves it takes out each declaration whose namespace has another prefix above,
    # and a prefix that only values use would mean what somebody bound it to on the Envelope.
    made = {verified: envelope}
    for element in verified.iterdescendants():
        parent = made[cast(_Element, element.getparent())]
        copy = etree.SubElement(parent, element.tag, dict(element.attrib), element.nsmap)
        copy.text, copy.tail = element.text, element.tail
        made[element] = copy


def _parsed(octets: bytes) -> _Element:
    return etree.fromstring(octets, etree.XMLParser(resolve_entities=False, no_network=True))
