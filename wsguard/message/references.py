"""SOAP-encoded references (``href="#id"``, SOAP 1.1 §5): resolved by applications after the guard has looked.

spyne follows them over the whole document, copies attributes, moves children, and fails on a target that is not there.
So a reference is let through only where following it can change nothing but the inside of the Body, and cannot grow.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.faults import MessageFault
from wsguard.message.lexical import XML_WHITE_SPACE
from wsguard.message.parse import Tree
from wsguard.policy.surroundings import Limits

_structure = partial(MessageFault, "envelope.structure")


def check_references(tree: Tree, body: _Element, limits: Limits, *, every_href: bool) -> None:
    """Demand that each reference and its target stand inside the Body, without cycles and within ``limits``.

    Args:
        tree: the parsed message.
        body: its Body.
        limits: ``depth`` bounds a chain of references, ``body_bytes`` what following all of them may yield.
        every_href: the application takes every href for a reference, not only ``#id`` and values that name an id.

    Raises:
        MessageFault: ``envelope.structure``.
    """
    targets = {element.get("id", ""): element for element in tree.ids.values() if element.get("id")}
    if not tree.hrefs or not (targets or any(map(_refers, tree.hrefs))):
        return
    aimed: dict[_Element, _Element] = {}
    for source in tree.hrefs:
        # spyne's way to read it: white space stays, every "#" goes.
        target = targets.get(source.get("href", "").replace("#", ""))
        if target is not None:
            aimed[source] = target
        elif every_href or _refers(source):
            raise _structure(expected="a reference to an id in the Body", seen=source.get("href", ""))
    _Expansion(_followed(body, aimed), limits).check(body)


def _refers(source: _Element) -> bool:
    """Whether an href is a reference inside the document for somebody who collapses white space in it."""
    return source.get("href", "").strip(XML_WHITE_SPACE).startswith("#")


@dataclass(slots=True)
class _Place:
    """The Body, or an element in it that is referred to."""

    size: int = 0
    """Characters of text and attributes in it, and a few for each element."""
    references: list[_Element] = field(default_factory=list)
    """What the references in it lead to, those in an inner place left out."""
    inner: list[_Element] = field(default_factory=list)
    """The places directly in it."""


_ELEMENT_SIZE: Final = 16
"""Counted for an element or an attribute, whatever its name: an expansion holds names once."""


def _followed(body: _Element, aimed: dict[_Element, _Element]) -> dict[_Element, _Place]:
    """The Body and every element that is referred to, found in one walk.

    Raises:
        MessageFault: ``envelope.structure``, a reference or its target is outside the Body.
    """
    targets = set(aimed.values())
    places = {body: _Place()}
    around = [(body, 0)]
    size = sources_inside = 0
    for event, element in etree.iterwalk(body, events=("start", "end")):
        if element is body:
            continue
        holder, began_at = around[-1]
        if event == "end":
            if element is holder:
                places[element].size = size - began_at
                around.pop()
            size += len(element.tail or "")
            continue
        if element in targets:
            places[holder].inner.append(element)
            places[element] = _Place()
            around.append((element, size))
        if element in aimed:
            sources_inside += 1
            places[around[-1][0]].references.append(aimed[element])
        values = element.attrib.values()
        size += len(element.text or "") + sum(map(len, values)) + _ELEMENT_SIZE * (1 + len(values))
    if sources_inside < len(aimed) or len(places) <= len(targets):
        raise _structure(expected="references from and to inside the Body", seen="one that leads elsewhere")
    return places


class _Expansion:
    """What following every reference would yield, found without following them."""

    def __init__(self, places: dict[_Element, _Place], limits: Limits) -> None:
        self._places = places
        self._limits = limits
        self._measured: dict[_Element, tuple[int, int]] = {}

    def check(self, body: _Element) -> None:
        self._measure(body, 1)

    def _measure(self, place: _Element, depth: int) -> tuple[int, int]:
        """What following the references in ``place`` adds to it, and the longest chain of references from it."""
        if depth > 2 * self._limits.depth:
            raise _chain(place)
        if place not in self._measured:
            found = self._places[place]
            added = chain = 0
            for inner in found.inner:
                more, further = self._measure(inner, depth + 1)
                added, chain = added + more, max(chain, further)
            for target in found.references:
                more, further = self._measure(target, depth + 1)
                added, chain = added + more + self._places[target].size, max(chain, further + 1)
                self._check(place, added, chain)
            self._check(place, added, chain)
            self._measured[place] = added, chain
        return self._measured[place]

    def _check(self, place: _Element, added: int, chain: int) -> None:
        if chain > self._limits.depth:
            raise _chain(place)
        if added > self._limits.body_bytes:
            raise _structure(expected=f"references that yield at most {self._limits.body_bytes} bytes", seen="more")


def _chain(place: _Element) -> MessageFault:
    return _structure(expected="references without cycles and long chains", seen=place.get("id", ""))
