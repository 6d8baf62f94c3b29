"""Which parts of a message one signature covers: by the identity and place of elements, never by Id or name alone.

A signed Body is the Envelope's own; a signed Timestamp or token stands in our Security header; a signed header block is
a child of the Header. Whatever else carries the same name or Id covers nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml.etree import _Element

from wsguard.message.envelope import Envelope
from wsguard.message.lexical import name_of
from wsguard.names import BINARY_SECURITY_TOKEN, SECURITY, TIMESTAMP, USERNAME_TOKEN

_IN_SECURITY: Final = {
    "Timestamp": TIMESTAMP,
    "UsernameToken": USERNAME_TOKEN,
    "BinarySecurityToken": BINARY_SECURITY_TOKEN,
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one message that a policy can demand to be signed, by their names in the policy."""

    elements: Mapping[str, Sequence[_Element]] = field(repr=False)
    """Name -> every element that is this part."""

    @classmethod
    def of(cls, envelope: Envelope, security: Mapping[str, Sequence[_Element]]) -> "Parts":
        """The parts of ``envelope``.

        Args:
            envelope: the message.
            security: the children of our Security header by tag.
        """
        elements: dict[str, list[_Element]] = {"Body": [envelope.body]}
        for name, tag in _IN_SECURITY.items():
            if security.get(tag):
                elements[name] = list(security[tag])
        for block in () if envelope.header is None else envelope.header:
            if block.tag != SECURITY:
                elements.setdefault(name_of(block), []).append(block)
        return cls(elements)

    def covered_by(self, covered: Collection[_Element]) -> frozenset[str]:
        """The parts of which every element is in ``covered``."""
        return frozenset(
            name for name, elements in self.elements.items() if all(element in covered for element in elements)
        )

    def not_covered_by(self, covered: Collection[_Element], required: Sequence[str]) -> tuple[str, ...]:
        """Those of ``required`` that are not here, or not in ``covered`` altogether."""
        have = self.covered_by(covered)
        return tuple(part for part in required if part not in have)
