"""Random changes to real messages, each the same whenever its number is asked for.

Most of what is done to a message is what an attacker would do: elements are moved aside, doubled, wrapped, renamed and
given the Ids of others, at the top of the tree more than below.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Final

from lxml import etree
from lxml.etree import _Element

from tests.messages import DS, SOAP11, SOAP12, WSSE, WSU, XENC
from tests.signature.mutations import CHANGES

MOST_CHANGES: Final = 4
_IDS: Final = (f"{{{WSU}}}Id", "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_NAMESPACES: Final = (SOAP11, SOAP12, WSSE, WSU, DS, XENC, "urn:evil", "")
_VALUES: Final = ("", "#", "#nothing", "1", "0", "true", "urn:evil", "http://127.0.0.1:9/")


def _text_of(one: _Element, number: int) -> str:
    """The element's text, or some where it has none."""
    return one.text or ("evil", " ", "0")[number % 3]


def _change_text(one: _Element, other: _Element, number: int) -> None:
    text = _text_of(one, number)
    at = number % len(text)
    one.text = (text[:at] + "x" + text[at + 1 :], other.text or "", text * 2)[number % 3]


def _truncate(one: _Element, other: _Element, number: int) -> None:
    """Cut off children from somewhere on, or half of the text."""
    if len(one):
        del one[number % len(one) :]
    elif one.text:
        one.text = one.text[: number % len(one.text)]


def _renamespace(one: _Element, other: _Element, number: int) -> None:
    namespace = _NAMESPACES[number % len(_NAMESPACES)]
    for element in one.iter("*") if number % 2 else (one,):
        name = etree.QName(element).localname
        element.tag = f"{{{namespace}}}{name}" if namespace else name


def _change_attribute(one: _Element, other: _Element, number: int) -> None:
    names = sorted(map(str, one.attrib))
    if names:
        name = names[number % len(names)]
        value = one.get(name, "")
        made = (*_VALUES, f" {value} ", value.upper(), value.removeprefix("#"), f"{value}x")
        one.set(name, made[number // 7 % len(made)])


def _copy_attributes(one: _Element, other: _Element, number: int) -> None:
    for name, value in other.attrib.items():
        one.set(name, value)


def _drop_attribute(one: _Element, other: _Element, number: int) -> None:
    names = sorted(map(str, one.attrib))
    if names:
        del one.attrib[names[number % len(names)]]


def _displace(one: _Element, other: _Element, number: int) -> None:
    """The classic of wrapping: something that looks like the element in its place, and the element elsewhere."""
    parent = one.getparent()
    if parent is None or other is one or one in other.iterancestors():
        return
    copied = deepcopy(one)
    for element in copied.iter("*"):
        if number % 5 and not len(element) and element.text and not element.text.isspace():
            element.text = "evil"
        for name in _IDS if number % 2 else ():
            element.attrib.pop(name, None)
    one.tail = copied.tail = None
    parent.replace(one, copied)
    # In what takes its place, in the header, or anywhere.
    root = parent.getroottree().getroot()
    place = (copied, root[0], other)[number // 2 % 3]
    place.insert(number % (len(place) + 1), one)


_MORE: Final[Mapping[str, Callable[[_Element, _Element, int], None]]] = {
    "text": _change_text,
    "truncate": _truncate,
    "renamespace": _renamespace,
    "attribute": _change_attribute,
    "copy attributes": _copy_attributes,
    "drop attribute": _drop_attribute,
    "displace": _displace,
}
OPERATIONS: Final[Mapping[str, Callable[[_Element, _Element, int], None]]] = {**CHANGES, **_MORE}
"""Name -> what it does to an element, with another one and a number."""
_WEIGHTS: Final = [5 if name == "displace" else 1 for name in sorted(OPERATIONS)]


# --- In the text ------------------------------------------------------------------------------------------------------

_DECLARATION: Final = re.compile(r' xmlns(?::[^=\s]+)?="([^"]*)"')


def _rebind(text: str, number: int) -> str:
    """Bind a prefix to another namespace that is declared somewhere."""
    found = list(_DECLARATION.finditer(text))
    if not found:
        return text
    one, other = found[number % len(found)], found[number // 3 % len(found)]
    return text[: one.start(1)] + other[1] + text[one.end(1) :]


def _comment(text: str, number: int) -> str:
    """Put a comment between two characters of a text."""
    ends = [match.end() for match in re.finditer(r">[^<\s]", text)]
    at = ends[number % len(ends)] if ends else 0
    return text[:at] + "<!-- x -->" + text[at:] if at else text


def _cut(text: str, number: int) -> str:
    """End the message in the middle."""
    return text[: len(text) * (number % 100) // 100]


_IN_TEXT: Final[Mapping[str, Callable[[str, int], str]]] = {"rebind": _rebind, "comment": _comment, "cut": _cut}


# --- Mutants ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """A message after some changes."""

    octets: bytes
    """In UTF-8, without XML declaration."""
    plan: tuple[str, ...]
    """What was done."""


def mutant(octets: bytes, number: int, name: str = "") -> Mutant:
    """The mutant of this number; numbers and ``name`` are all that chance depends on."""
    random = Random(f"{name}/{number}")
    root = etree.fromstring(octets, etree.XMLParser(remove_comments=True, resolve_entities=False))
    plan = random.choices(
        sorted(OPERATIONS), _WEIGHTS, k=min(random.randint(1, MOST_CHANGES), random.randint(1, MOST_CHANGES))
    )
    for operation in plan:
        OPERATIONS[operation](_chosen(root, random), _chosen(root, random), random.randrange(1000))
    text = etree.tostring(root, encoding="utf-8").decode()
    if random.random() < 0.15:
        plan.append(random.choice(sorted(_IN_TEXT)))
        text = _IN_TEXT[plan[-1]](text, random.randrange(10_000))
    return Mutant(text.encode(), tuple(plan))


def _chosen(root: _Element, random: Random) -> _Element:
    """A third has an Id, which is what signatures and keys refer to; a third is at the top of the tree."""
    every = list(root.iter("*"))
    named = [one for one in every if any(name in one.attrib for name in _IDS)]
    top = [root, *root, *root.iterfind("*/*"), *root.iterfind("*/*/*")]
    chosen: _Element = random.choice(random.choice((named or top, top, every)))
    return chosen
