"""wsc:DerivedKeyToken (WS-SecureConversation 1.3 §7, and of February 2005): how one key is made of another."""

import re
from dataclasses import dataclass, field
from typing import Final

from lxml.etree import _Element

from wsguard.encryption.derivation import p_sha1
from wsguard.encryption.refusals import malformed, unknown
from wsguard.message.lexical import (
    at_most_one,
    binary,
    bounded_text,
    exactly_one,
    only_attributes,
    only_children,
)
from wsguard.names import IDS, SECURITY_TOKEN_REFERENCE

_DEFAULT_LABEL: Final = "WS-SecureConversation" * 2
"""§7: the client's label and the service's, joined; both have this default."""
_DEFAULT_LENGTH: Final = 32
_SHORTEST: Final = 16
"""Octets of a derived key, as of a shared one: the sender says how many, and anybody can guess one of one octet."""
_FARTHEST: Final = 4096
"""Octets of the stream that a message may make us compute: 64 keys of 64 octets."""
_LONGEST_SEED: Final = 1024
"""Octets of a nonce, characters of a label: 16 and 42 are usual."""
_NUMBER: Final = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A wsc:DerivedKeyToken of the right shape."""

    reference: _Element
    """The wsse:SecurityTokenReference to the key that it is derived from."""
    offset: int
    length: int
    seed: bytes = field(repr=False)

    def of(self, secret: bytes) -> bytes:
        """The key that is derived from ``secret``: ``length`` octets."""
        return p_sha1(secret, self.seed, self.offset, self.length)


def read_derived_key(element: _Element) -> DerivedKey:
    """Read a wsc:DerivedKeyToken strictly.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        UnsupportedAlgorithm: ``encryption.algorithm``, it is not derived by P_SHA1.
    """
    namespace = str(element.tag).partition("}")[0][1:]
    offset_tag, generation_tag, length_tag, label_tag, nonce_tag = (
        f"{{{namespace}}}{name}" for name in ("Offset", "Generation", "Length", "Label", "Nonce")
    )
    only_attributes(element, IDS | {"Algorithm"}, malformed)
    if (identifier := element.get("Algorithm", f"{namespace}/dk/p_sha1")) != f"{namespace}/dk/p_sha1":
        raise unknown("P_SHA1", identifier)
    children = {SECURITY_TOKEN_REFERENCE, offset_tag, generation_tag, length_tag, label_tag, nonce_tag}
    only_children(element, frozenset(children), malformed)
    length = _number(element, length_tag, _DEFAULT_LENGTH)
    if element.find(offset_tag) is not None and element.find(generation_tag) is not None:
        raise malformed(expected="Offset or Generation", seen="both")
    offset = _number(element, offset_tag, 0) + length * _number(element, generation_tag, 0)
    if length < _SHORTEST or offset + length > _FARTHEST:
        raise malformed(
            expected=f"a key of {_SHORTEST} octets or more, within {_FARTHEST}", seen=f"{length} octets from {offset}"
        )
    label = at_most_one(element, label_tag, malformed)
    text = _DEFAULT_LABEL if label is None else bounded_text(label, _LONGEST_SEED, malformed)
    nonce = binary(exactly_one(element, nonce_tag, malformed), frozenset({"EncodingType"}), malformed)
    if not 1 <= len(nonce) <= _LONGEST_SEED:
        raise malformed(expected=f"a Nonce of 1 to {_LONGEST_SEED} octets", seen=f"{len(nonce)}")
    reference = exactly_one(element, SECURITY_TOKEN_REFERENCE, malformed)
    return DerivedKey(reference, offset, length, text.encode() + nonce)


def _number(element: _Element, tag: str, default: int) -> int:
    child = at_most_one(element, tag, malformed)
    if child is None:
        return default
    only_attributes(child, frozenset(), malformed)
    text = bounded_text(child, 16, malformed)
    if not _NUMBER.fullmatch(text):
        raise malformed(expected="a number of at most six digits", seen=text)
    return int(text)
