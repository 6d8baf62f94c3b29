"""Which parts of a message a signature covers, and which were encrypted.

By the identity and place of elements, never by Id or name alone: a signed Body is the Envelope's own; a signed
Timestamp or token stands in our Security header; a signed header block is a child of the Header. Whatever else carries
the same name or Id covers nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml.etree import _Element

from wsguard.message.envelope import Envelope
from wsguard.message.lexical import has_text, name_of
from wsguard.names import (
    BINARY_SECURITY_TOKEN,
    DS,
    SECURITY,
    SECURITY_TOKEN_REFERENCE,
    SIGNATURE,
    TIMESTAMP,
    USERNAME_TOKEN,
)

_IN_SECURITY: Final = {
    "Timestamp": TIMESTAMP,
    "UsernameToken": USERNAME_TOKEN,
    "BinarySecurityToken": BINARY_SECURITY_TOKEN,
    "Signature": SIGNATURE,
}


_TOKENS: Final = frozenset(_IN_SECURITY.values())


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one message that a policy can demand to be signed or encrypted, by their names in the policy."""

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
            if block.tag == SECURITY:
                continue
            if (name := name_of(block)) in elements:
                elements[name].append(block)
            else:
                elements[name] = [block]
        return cls(elements)

    def inside_of(self, opened: Collection[_Element], whole: Collection[_Element]) -> frozenset[str]:
        """The parts of which every element is one of ``opened``, or in one, or holds one of ``whole`` and nothing else.

        Args:
            opened: elements that were encrypted, or whose content was.
            whole: those of them that were encrypted with their names and attributes.
        """
        if not opened:
            return frozenset()
        holding = {element.getparent() for element in whole if _is_alone(element)}
        return frozenset(
            name
            for name, elements in self.elements.items()
            if all(
                element in opened
                or element in holding
                or any(ancestor in opened for ancestor in element.iterancestors())
                for element in elements
            )
        )

    def covered_by(self, covered: Collection[_Element]) -> frozenset[str]:
        """The parts of which every element is in ``covered``."""
        if not covered:
            return frozenset()
        return frozenset(
            name for name, elements in self.elements.items() if all(element in covered for element in elements)
        )

    def not_covered_by(self, covered: Collection[_Element], required: Sequence[str]) -> tuple[str, ...]:
        """Those of ``required`` that are not here, or not in ``covered`` altogether."""
        have = self.covered_by(covered)
        return tuple(part for part in required if part not in have)


def misplaced(covered: Collection[_Element], envelope: Envelope) -> _Element | None:
    """One of ``covered`` that stands where nobody looks at it; None where each is where it means something.

    A signature fits wherever its elements stand. One that was put aside, in a wrapper that nobody signed or in a header
    for somebody else, would be signed, and gone: an old Timestamp would leave its place to a fresh one.
    """
    return next((element for element in covered if not _has_a_place(element, envelope)), None)


def _has_a_place(element: _Element, envelope: Envelope) -> bool:
    parent = element.getparent()
    if element.tag in _TOKENS:
        return parent is not None and parent is envelope.security
    for ancestor in (element, *element.iterancestors()):
        above = ancestor.getparent()
        if ancestor is envelope.body:
            return True
        if above is envelope.security and above is not None:
            return ancestor is element or (ancestor.tag == SIGNATURE and _is_of_a_signature(element))
    return parent is not None and parent is envelope.header


def _is_of_a_signature(element: _Element) -> bool:
    return element.tag == SECURITY_TOKEN_REFERENCE or name_of(element).startswith(f"{{{DS}}}")


def _is_alone(element: _Element) -> bool:
    parent = element.getparent()
    return parent is not None and len(parent) == 1 and not has_text(parent)
