"""What the tests of this room share: keys, and the walk over a Security header that the engine does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from lxml import etree
from lxml.etree import _Element

from tests.pki import Issued, authority, rsa_key
from wsguard.algorithms import Algorithms
from wsguard.encryption import Decryptor, MessageDecryption, at, path_of
from wsguard.explanation import Explanation
from wsguard.interfaces import DecryptionKey
from wsguard.message.parse import Tree, parse
from wsguard.names import (
    ENCRYPTED_KEY,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    REFERENCE_LIST,
    SECURITY,
)
from wsguard.policy.demands import AlgorithmDemands
from wsguard.policy.surroundings import Limits

SHARED = {"blue": bytes(range(16)), "green": bytes(range(32))}


@cache
def server() -> Issued:
    """The recipient of most messages."""
    return authority("root").leaf("server", key=rsa_key())


@cache
def old_server() -> Issued:
    """Its key from before."""
    return authority("root").leaf("server", key=rsa_key(1))


@cache
def stranger() -> Issued:
    """A recipient whose key is not here."""
    return authority("root").leaf("stranger", key=rsa_key(2))


def ours(*issued: Issued) -> tuple[DecryptionKey, ...]:
    return tuple(DecryptionKey(f"key-{n}.pem", one.key, one.certificate) for n, one in enumerate(issued, start=1))


def algorithms(*names: str) -> Algorithms:
    """Those with these short names; all where none is given."""
    listed = {
        "encryption": tuple(name for name in ENCRYPTION_ALGORITHMS if not names or name in names),
        "key_transport": tuple(name for name in KEY_TRANSPORT_ALGORITHMS if not names or name in names),
    }
    return Algorithms(AlgorithmDemands(**listed), datetime(2026, 11, 21, tzinfo=UTC), spared=False)


@dataclass
class Result:
    """A message after the walk."""

    tree: Tree
    state: MessageDecryption
    explanation: Explanation

    @property
    def body(self) -> _Element:
        return self.tree.root[-1]

    @property
    def security(self) -> _Element:
        found = self.tree.root[0].find(SECURITY)
        assert found is not None
        return found

    def body_text(self) -> str:
        """The Body's first child, as text."""
        return text_of(self.body[0])


def text_of(element: _Element) -> str:
    """Its exclusive canonical form."""
    return etree.tostring(element, method="c14n", exclusive=True).decode()


def begin(
    *keys: Issued | DecryptionKey,
    shared: Mapping[str, bytes] = SHARED,
    limits: Limits | None = None,
    allowed: Iterable[str] = (),
) -> MessageDecryption:
    """What opens one message with these keys."""
    held = [key if isinstance(key, DecryptionKey) else ours(key)[0] for key in keys or (server(),)]
    return Decryptor(held, shared, limits or Limits()).message(algorithms(*allowed), Explanation())


def opened(
    octets: bytes,
    *keys: Issued | DecryptionKey,
    shared: Mapping[str, bytes] = SHARED,
    limits: Limits | None = None,
    allowed: Iterable[str] = (),
    others: bool = False,
) -> Result:
    """Walk the Security header of a message in document order and open everything.

    Args:
        octets: the message.
        keys: of ours; ``server()`` where none is given.
        shared: symmetric ones.
        limits: of the message.
        allowed: algorithms; all where none is given.
        others: turn to EncryptedData in the header too.
    """
    held = [key if isinstance(key, DecryptionKey) else ours(key)[0] for key in keys or (server(),)]
    limits, explanation = limits or Limits(), Explanation()
    state = Decryptor(held, shared, limits).message(algorithms(*allowed), explanation)
    return walk(parse(octets, None, ("utf-8",), limits), state, explanation, others=others)


def walk(tree: Tree, state: MessageDecryption, explanation: Explanation, *, others: bool = False) -> Result:
    """Give every element of the Security header its turn."""
    result = Result(tree, state, explanation)
    place = path_of(result.security)
    for number in range(len(result.security)):
        security = at(result.tree.root, place)
        element = security[number]
        if element.tag in (ENCRYPTED_KEY, REFERENCE_LIST) or (others and "Encrypted" in str(element.tag)):
            result.tree = state.open(element, result.tree, security)
    return result
