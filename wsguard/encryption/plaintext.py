"""Decrypted octets in the place of what was encrypted: one substitution in the text of the message, parsed anew.

Nodes are never moved (FACTS X8), and libxml2 never parses in place (S10). What was decrypted is text of an attacker's
until something proves otherwise, so before it is put in its place it must be balanced by itself: ``</Body><Body>`` and
a comment that swallows what follows are refused. Whether it is within the limits, the parse of the whole says.

Every failure is ``encryption.failed``: a parser that says what is wrong with a plaintext is an oracle too (Jager and
Somorovsky, 2011, §4).
"""

import html
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.encryption.reading import Budget
from wsguard.encryption.refusals import failed
from wsguard.faults import MessageFault
from wsguard.message.cost import check_cost
from wsguard.message.lexical import has_text
from wsguard.message.parse import Tree, parse, parsers
from wsguard.policy.surroundings import Limits

_BYTE_ORDER_MARK: Final = "\ufeff".encode()
_AROUND: Final = "plaintext"
"""One name for all: libxml2 would keep each of many."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something decrypted."""

    element: _Element
    """What it takes the place of."""
    content: bool
    """Any content; else one element, and white space at most around it."""
    octets: bytes = field(repr=False)


def place(tree: Tree, pieces: Sequence[Piece], budget: Budget) -> Tree:
    """The message with every piece in its place: a new tree, within the limits of a message. ``tree`` stays as it is.

    Args:
        tree: the message.
        pieces: at least one; their elements are in ``tree``, are not its root, and none is inside another.
        budget: of the message.

    Raises:
        MessageFault: ``limits.encrypted_data``, it was parsed anew too often.
        FailedCheck: ``encryption.failed``, a piece is not in UTF-8, not balanced by itself, not what it must be, or
            holds a document type or processing instruction; the whole is not well-formed, not within the limits, or has
            an Id twice.
    """
    for piece in pieces:
        _check(piece, budget.limits)
    octets = _substituted(tree.root, pieces)
    budget.take_octets(len(octets))
    return _parsed(octets, budget.limits)


def _parsed(octets: bytes, limits: Limits) -> Tree:
    try:
        return parse(octets, None, ("utf-8",), limits)
    except MessageFault:
        raise failed() from None


def _check(piece: Piece, limits: Limits) -> None:
    """Parse a piece by itself, inside an element of ours, under the namespaces of its place.

    A piece that closes that element is refused, though everybody knows its name: our end tag then has nothing to end,
    and behind a root nothing else may stand that could take it.
    """
    if piece.octets.startswith(_BYTE_ORDER_MARK):
        raise failed()
    start = f"<{_AROUND}{_declarations(piece.element)}>".encode()
    octets = b"".join((start, piece.octets, f"</{_AROUND}>".encode()))
    root = _well_formed(octets, limits)
    if not piece.content and (len(root) != 1 or has_text(root)):
        raise failed()


def _well_formed(octets: bytes, limits: Limits) -> _Element:
    try:
        # Before it becomes a tree: that costs forty times its text (X3).
        check_cost(octets, limits)
        return parsers.parse(octets)
    except (MessageFault, etree.LxmlError, ValueError, LookupError, MemoryError, RecursionError):
        raise failed() from None


def _unguessable() -> str:
    return f"wsguard-{secrets.token_hex(16)}"


def _declarations(element: _Element) -> str:
    """The namespaces in scope where ``element`` stands, without those that it declares itself."""
    parent = element.getparent()
    scope = {} if parent is None else parent.nsmap
    return "".join(
        f' xmlns{f":{prefix}" if prefix else ""}="{html.escape(name)}"'
        for prefix, name in scope.items()
        if prefix != "xml"
    )


def _substituted(root: _Element, pieces: Sequence[Piece]) -> bytes:
    marks = [(_unguessable(), _unguessable()) for _ in pieces]
    with _marked(pieces, marks):
        document = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    spans = sorted(
        (document.index(before.encode()), document.index(after.encode()) + len(after), piece.octets)
        for piece, (before, after) in zip(pieces, marks, strict=True)
    )
    kept, at = [], 0
    for start, end, octets in spans:
        kept += [document[at:start], octets]
        at = end
    return b"".join((*kept, document[at:]))


@contextmanager
def _marked(pieces: Sequence[Piece], marks: Sequence[tuple[str, str]]) -> Iterator[None]:
    """For a while, text before and after each element. Adding text moves no node."""
    saved: list[tuple[_Element, str, str | None]] = []

    def change(holder: _Element, where: str, text: str) -> None:
        saved.append((holder, where, getattr(holder, where)))
        setattr(holder, where, text)

    try:
        for piece, (before, after) in zip(pieces, marks, strict=True):
            holder, where = _before(piece.element)
            change(holder, where, (getattr(holder, where) or "") + before)
            change(piece.element, "tail", after + (piece.element.tail or ""))
        yield
    finally:
        for holder, where, text in reversed(saved):
            setattr(holder, where, text)


def _before(element: _Element) -> tuple[_Element, str]:
    """Where the text right before ``element`` is kept."""
    previous = element.getprevious()
    if previous is not None:
        return previous, "tail"
    parent = element.getparent()
    if parent is None:
        raise ValueError("the root has no place to be put in")
    return parent, "text"
