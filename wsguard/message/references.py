"""SOAP-encoded references (``href="#id"``, SOAP 1.1 §5): resolved by applications after the guard has looked.

spyne follows them over the whole document, copies attributes, moves children, and fails on a target that is not there.
So a reference is let through only where following it can change nothing but the inside of the Body, and cannot grow.
"""

from functools import partial

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


def _followed(body: _Element, aimed: dict[_Element, _Element]) -> dict[_Element, list[_Element]]:
    """Target, or the Body itself -> the targets that the references in it lead to, found in one walk.

    Raises:
        MessageFault: ``envelope.structure``, a reference or its target is outside the Body.
    """
    targets = set(aimed.values())
    followed: dict[_Element, list[_Element]] = {body: []}
    around = [body]
    sources_inside = 0
    for event, element in etree.iterwalk(body, events=("start", "end")):
        if element is body:
            continue
        if event == "end":
            if element is around[-1]:
                around.pop()
            continue
        if element in targets:
            around.append(element)
            followed[element] = []
        if element in aimed:
            sources_inside += 1
            for holder in around:
                followed[holder].append(aimed[element])
    if sources_inside < len(aimed) or len(followed) <= len(targets):
        raise _structure(expected="references from and to inside the Body", seen="one that leads elsewhere")
    return followed


class _Expansion:
    """What following every reference would yield, found without following them."""

    def __init__(self, followed: dict[_Element, list[_Element]], limits: Limits) -> None:
        self._followed = followed
        self._limits = limits
        self._measured: dict[_Element, tuple[int, int]] = {}

    def check(self, body: _Element) -> None:
        total = sum(self._measure(target, 1)[0] for target in self._followed.get(body, ()))
        if total > self._limits.body_bytes:
            raise _structure(expected=f"references that yield at most {self._limits.body_bytes} bytes", seen="more")

    def _measure(self, target: _Element, depth: int) -> tuple[int, int]:
        """The bytes that ``target`` yields, and the length of the longest chain of references from it."""
        if depth > self._limits.depth:
            raise _chain(target)
        if target not in self._measured:
            below = [self._measure(further, depth + 1) for further in self._followed.get(target, ())]
            size = len(etree.tostring(target, with_tail=False)) + sum(size for size, _ in below)
            length = 1 + max((length for _, length in below), default=0)
            if length > self._limits.depth:
                raise _chain(target)
            self._measured[target] = size, length
        return self._measured[target]


def _chain(target: _Element) -> MessageFault:
    return _structure(expected="references without cycles and long chains", seen=target.get("id", ""))
