"""Text in the place of elements: one substitution in the text of the message.

Nodes are never moved or removed (FACTS X8), and what comes in their place is never parsed.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lxml import etree
from lxml.etree import _Element


@dataclass(frozen=True, slots=True)
class Substitute:
    """What comes in the place of something."""

    element: _Element
    content: bool
    """It takes the place of all that is in the element; else of the element, which is not the first of its parent."""
    octets: bytes = field(repr=False)
    """Markup in UTF-8."""


def substituted(root: _Element, substitutes: Sequence[Substitute]) -> bytes:
    """The document of ``root`` in UTF-8 without XML declaration, with every substitute in its place.

    Args:
        root: of the message; its tree stays as it is.
        substitutes: none of them for something inside of another.
    """
    marks = [(_unguessable(), _unguessable()) for _ in substitutes]
    with _marked(substitutes, marks):
        document = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    spans = sorted(
        (document.index(before), document.index(after) + len(after), one.octets)
        for one, (before, after) in zip(substitutes, marks, strict=True)
    )
    kept, place = [], 0
    for start, end, octets in spans:
        kept += [document[place:start], octets]
        place = end
    return b"".join((*kept, document[place:]))


def _unguessable() -> bytes:
    return f"wsguard-{secrets.token_hex(16)}".encode()


@contextmanager
def _marked(substitutes: Sequence[Substitute], marks: Sequence[tuple[bytes, bytes]]) -> Iterator[None]:
    """For a while, text before and after what is replaced. Adding text moves no node."""
    saved: list[tuple[_Element, str, str | None]] = []

    def change(holder: _Element, where: str, before: bytes, after: bytes) -> None:
        text: str | None = getattr(holder, where)
        saved.append((holder, where, text))
        setattr(holder, where, f"{before.decode()}{text or ''}{after.decode()}")

    try:
        for one, (before, after) in zip(substitutes, marks, strict=True):
            change(*_beginning(one), *((before, b"") if one.content else (b"", before)))
            change(*_end(one), *((b"", after) if one.content else (after, b"")))
        yield
    finally:
        for holder, where, text in reversed(saved):
            setattr(holder, where, text)


def _beginning(one: Substitute) -> tuple[_Element, str]:
    """Where the text is kept that begins the content, or that stands right before the element."""
    if one.content:
        return one.element, "text"
    previous = one.element.getprevious()
    assert previous is not None  # as Substitute demands
    return previous, "tail"


def _end(one: Substitute) -> tuple[_Element, str]:
    """Where the text is kept that ends the content, or that stands right behind the element."""
    if one.content:
        return (one.element[-1], "tail") if len(one.element) else (one.element, "text")
    return one.element, "tail"
