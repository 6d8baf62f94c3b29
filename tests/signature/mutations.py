"""What random tests of signatures share: documents to sign, changes on their way, and what the application sees."""

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from xml.sax.saxutils import escape

from hypothesis import strategies as st
from lxml import etree
from lxml.etree import _Element

from tests.messages import DS, WSSE, WSU
from tests.signing import canonical
from wsguard.names import XSI

TYPE: Final = f"{{{XSI}}}type"


class Forgetful:
    """A replay store that has never seen anything, so that one guard judges many tries."""

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        return True

    def close(self) -> None:
        return


# --- Documents --------------------------------------------------------------------------------------------------------

Scope = Mapping[str, str]
"""Prefix -> namespace, where an element stands."""

PREFIXES: Final = ("", "a", "b", "ü", "ds", "unused")
_NAMESPACES: Final = ("urn:a", "urn:b", "urn:a:b", "http://example.org/?x=1&amp;y=%20", DS)
_CHARACTERS: Final = st.sampled_from("ab \n\t&<>\"'\u00a0\u0301\u2028\ufffd\U0001f600\U0010fffd]")
_TEXTS: Final = st.one_of(
    st.text(_CHARACTERS, max_size=6).map(escape),
    st.sampled_from(["\r\n", "\r", "&#13;&#10;", "  leading", "&#x1F600;", "&quot;&apos;", " \n\t ", "&#xA0;"]),
    st.text(_CHARACTERS, max_size=6).map(lambda text: f"<![CDATA[{text.replace(']', '')}]]>"),
    st.sampled_from(["<!-- a comment -->", "<!---->"]),
)
_VALUES: Final = st.text(_CHARACTERS, max_size=6).map(lambda text: escape(text, {'"': "&quot;", "\r": "&#13;"}))


@st.composite
def declarations(draw: st.DrawFn) -> Scope:
    """What an element declares: some of ``PREFIXES``, used or not, declared before or not."""
    chosen = draw(st.dictionaries(st.sampled_from(PREFIXES), st.sampled_from(_NAMESPACES), max_size=3))
    if draw(st.integers(0, 7)) == 0:
        chosen[""] = ""
    return chosen


def written(declared: Scope) -> str:
    """Declarations as they stand in a start tag."""
    return "".join(f' xmlns{":" if prefix else ""}{prefix}="{name}"' for prefix, name in declared.items())


@st.composite
def _attributes(draw: st.DrawFn, scope: Scope) -> str:
    given: dict[tuple[str, str], str] = {}
    for _ in range(draw(st.integers(0, 3))):
        prefix = draw(st.sampled_from([prefix for prefix in scope if prefix] + [""]))
        name = draw(st.sampled_from(("x", "y", "Body", "é")))
        label = f"{prefix}:{name}" if prefix else name
        given.setdefault((scope[prefix] if prefix else "", name), f'{label}="{draw(_VALUES)}"')
    for name, value in (("lang", "de"), ("space", "preserve"), ("lang", "")):
        if draw(st.integers(0, 5)) == 0:
            given.setdefault(("xml", name), f'xml:{name}="{value}"')
    return "".join(f" {one}" for one in given.values())


@st.composite
def elements(draw: st.DrawFn, scope: Scope, depth: int = 3) -> str:
    """An element that is well formed where ``scope`` is in force."""
    declared = draw(declarations())
    scope = {**scope, **declared}
    prefix = draw(st.sampled_from(sorted(scope)))
    name = draw(st.sampled_from(("x", "Body", "Timestamp", "é", "a.b-c")))
    label = f"{prefix}:{name}" if prefix else name
    start = f"<{label}{written(declared)}{draw(_attributes(scope))}"
    parts = [draw(_TEXTS) for _ in range(draw(st.integers(0, 2)))]
    if depth:
        parts += [draw(elements(scope, depth - 1)) for _ in range(draw(st.integers(0, 2)))]
    content = "".join(draw(st.permutations(parts)))
    return f"{start}>{content}</{label}>" if content else f"{start}/>"


@dataclass(frozen=True)
class Document:
    """What is put into an envelope by ``tests.signing.signed``."""

    body: str
    header: str
    """A block with the Id ``block``."""
    body_attributes: str
    envelope_attributes: str

    def envelope(self) -> dict[str, Any]:
        """For ``signed`` and ``unsigned``."""
        return dict(vars(self))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Legal envelopes of every kind, with the operation ``{urn:echo}Echo``."""
    around, on_body, on_block = draw(declarations()), draw(declarations()), draw(declarations())
    around = {prefix: name for prefix, name in around.items() if prefix != "ds"}  # tests.signing declares it
    outer = {"": "", "ds": DS, **around}
    inner = {**outer, **on_body, "e": "urn:echo"}
    content = "".join(draw(st.lists(st.one_of(elements(inner), _TEXTS), max_size=3)))
    block = draw(elements({**outer, **on_block, "h": "urn:h"}, 1))
    xml = st.sampled_from(("", ' xml:lang="en"', ' xml:space="preserve"', ' xml:lang="en" xml:space="default"'))
    return Document(
        body=f'<e:Echo xmlns:e="urn:echo"{draw(xml)}>{content}</e:Echo>',
        header=f'<h:Block wsu:Id="block" xmlns:h="urn:h"{written(on_block)}>{block}</h:Block>',
        body_attributes=f'wsu:Id="body"{written(on_body)}{draw(xml)}',
        envelope_attributes=f"{written(around)}{draw(xml)}",
    )


# --- Changes ----------------------------------------------------------------------------------------------------------

Plan = list[tuple[str, int, int, int]]
"""Names of ``CHANGES``, each with two elements and a number."""
_IDS: Final = (f"{{{WSU}}}Id", "Id", "ID", "id", "{urn:other}Id")
_TAGS: Final = ("{urn:evil}Evil", f"{{{WSSE}}}Security", f"{{{DS}}}Object", "plain")


def changed(octets: bytes, plan: Plan) -> bytes:
    """An envelope after the changes of ``plan``; numbers choose everything, so that a failure shrinks."""
    root = etree.fromstring(octets)
    for name, one, other, number in plan:
        CHANGES[name](_chosen(root, one), _chosen(root, other), number)
    return etree.tostring(root, encoding="utf-8")


def _chosen(root: _Element, number: int) -> _Element:
    """Every second one is at the top of the tree, where attacks are made."""
    every = [one for one in root.iter("*") if number % 2 == 0 or len(list(one.iterancestors())) <= 3]
    return every[number // 2 % len(every)]


def _move(one: _Element, other: _Element, place: int) -> None:
    if one is not other and one not in other.iterancestors():
        one.tail = None
        other.insert(place % (len(other) + 1), one)


def _duplicate(one: _Element, other: _Element, place: int) -> None:
    copied = deepcopy(one)
    copied.tail = None
    if place % 2:
        for element in copied.iter("*"):
            for name in _IDS:
                element.attrib.pop(name, None)
    other.insert(place // 2 % (len(other) + 1), copied)


def _wrap(one: _Element, other: _Element, number: int) -> None:
    parent = one.getparent()
    if parent is not None:
        wrapper = etree.Element(str(other.tag) if number % 2 else _TAGS[number // 2 % len(_TAGS)])
        parent.replace(one, wrapper)
        wrapper.append(one)


def _rename(one: _Element, other: _Element, number: int) -> None:
    one.tag = other.tag if number % 2 else _TAGS[number // 2 % len(_TAGS)]


def _identify(one: _Element, other: _Element, number: int) -> None:
    """Give one the Id of the other, and the other a new one or none."""
    found = [(name, other.get(name)) for name in _IDS if other.get(name)]
    value = next((value for _, value in found), None) or "fresh"
    one.set(_IDS[number % len(_IDS)], value)
    for name, _ in found if other is not one else ():
        if number % 3:
            other.set(name, "moved")
        else:
            del other.attrib[name]


def _refer(one: _Element, other: _Element, number: int) -> None:
    """Let every reference to the one lead to the other."""
    (old, new) = (next((e.get(name) for name in _IDS if e.get(name)), f"none{number}") for e in (one, other))
    for element in one.getroottree().iter("*"):
        if element.get("URI") == f"#{old}":
            element.set("URI", f"#{new}")


def _swap(one: _Element, other: _Element, number: int) -> None:
    first, second = one.getparent(), other.getparent()
    if one is other or first is None or second is None or one in other.iterancestors() or other in one.iterancestors():
        return
    place = etree.Element("place")
    first.replace(one, place)
    second.replace(other, one)
    first.replace(place, other)


def _delete(one: _Element, other: _Element, number: int) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


CHANGES: Final[Mapping[str, Callable[[_Element, _Element, int], None]]] = {
    "move": _move, "duplicate": _duplicate, "wrap": _wrap, "rename": _rename, "identify": _identify,
    "refer": _refer, "swap": _swap, "delete": _delete,
}  # fmt: skip

NUMBERS: Final = st.integers(0, 200)
PLANS: Final = st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4)
"""One to four changes after each other."""


# --- What the application sees ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What a handed-off envelope says."""

    outside: object
    """Names and attributes of the Envelope and what is in it."""
    blocks: Counter[bytes]
    body: bytes
    types: list[tuple[str | None, str]]
    """In the Body."""


def seen(handed: bytes) -> Seen:
    """What the application reads in it; the order of header blocks says nothing."""
    root = etree.fromstring(handed)
    outside = [(str(element.tag), dict(element.attrib)) for element in (root, *root[:-1])]
    blocks = Counter(canonical(block) for header in root[:-1] for block in header)
    return Seen(outside, blocks, canonical(root[-1]), types(root[-1]))


def types(root: _Element) -> list[tuple[str | None, str]]:
    """Namespace and local name of every xsi:type, in order."""
    typed = [(element, element.get(TYPE, "").strip().rpartition(":")) for element in root.iter("*")]
    return [(element.nsmap.get(prefix or None), name) for element, (prefix, _, name) in typed if name]
