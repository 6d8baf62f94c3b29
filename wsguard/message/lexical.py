"""Reading hostile leaves: text, dates and base64, each in one strict spelling, and children that may stand once."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Final, Protocol

from lxml.etree import _Element

from wsguard.faults import Fault
from wsguard.names import BASE64_BINARY

XML_WHITE_SPACE: Final = " \t\r\n"


class Refusal(Protocol):
    """Makes the fault of a checker: usually ``functools.partial(FaultClass, "family.malformed")``."""

    def __call__(self, *, expected: str, seen: str) -> Fault: ...


def name_of(element: _Element) -> str:
    """The element's ``{namespace}name``."""
    return str(element.tag)


def at_most_one(parent: _Element, tag: str, refuse: Refusal) -> _Element | None:
    """The child with this tag, or None.

    Raises:
        Fault: made by ``refuse``, when there are several.
    """
    found = list(parent.iterchildren(tag))
    if len(found) > 1:
        raise refuse(expected=f"one {local_name(tag)}", seen=f"{len(found)} of them")
    return found[0] if found else None


def exactly_one(parent: _Element, tag: str, refuse: Refusal) -> _Element:
    """The child with this tag.

    Raises:
        Fault: made by ``refuse``, when there is none or there are several.
    """
    found = at_most_one(parent, tag, refuse)
    if found is None:
        raise refuse(expected=f"one {local_name(tag)}", seen="none")
    return found


def local_name(tag: str) -> str:
    """The part of ``{namespace}name`` behind the brace."""
    return tag.rpartition("}")[2]


def only_children(parent: _Element, tags: frozenset[str], refuse: Refusal) -> None:
    """Demand that ``parent`` holds elements with these tags and white space, nothing else.

    Raises:
        Fault: made by ``refuse``, for any other child or text.
    """
    text = parent.text
    for child in parent:
        if child.tag not in tags:
            raise refuse(expected=" or ".join(sorted(map(local_name, tags))), seen=name_of(child))
        text = text or child.tail
    # One look at the first text is enough where there is none, as nearly always.
    if text and has_text(parent):
        raise refuse(expected=f"no text in {local_name(name_of(parent))}", seen="text")


def has_text(parent: _Element) -> bool:
    """Whether anything but white space stands between the children of ``parent``."""
    text = parent.text
    if text and text.strip(XML_WHITE_SPACE):
        return True
    for child in parent:
        tail = child.tail
        if tail and tail.strip(XML_WHITE_SPACE):
            return True
    return False


def only_attributes(element: _Element, names: frozenset[str], refuse: Refusal) -> None:
    """Demand that ``element`` has attributes with these names and no others.

    Raises:
        Fault: made by ``refuse``, for any other attribute.
    """
    for name in element.keys():  # noqa: SIM118 - an element iterates over its children
        if name not in names:
            raise refuse(expected=f"{local_name(name_of(element))} without this attribute", seen=str(name))


def leaf_text(element: _Element, refuse: Refusal) -> str:
    """The text of an element without children, exactly as sent.

    Raises:
        Fault: made by ``refuse``, when there are children.
    """
    if len(element):
        raise refuse(expected=f"text only in {local_name(name_of(element))}", seen="an element")
    return element.text or ""


# XML Schema part 2 §3.2.7, with four-digit years and a zone (BSP 1.1 R3217 ff.: UTC); 40 characters hold nanoseconds.
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,12})?(?:Z|[+-]([0-9]{2}):([0-5][0-9]))"
)
_LONGEST_DATE_TIME: Final = 40


def parse_date_time(text: str, refuse: Refusal) -> datetime:
    """The instant that an xsd:dateTime with a zone names, in UTC, cut to microseconds.

    Leap seconds and 24:00:00 are refused: WSS 1.1 §10 tells senders not to make the one, and nobody makes the other.

    Raises:
        Fault: made by ``refuse``, for any other spelling or a day that does not exist.
    """
    match = _DATE_TIME.fullmatch(text) if len(text) <= _LONGEST_DATE_TIME else None
    if match is None:
        raise refuse(expected="xsd:dateTime with a zone, for example 2026-11-21T08:30:00Z", seen=text)
    try:
        if match.groups(default="00") > ("14", "00"):
            raise ValueError("a zone lies at most 14 hours from UTC")
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise refuse(expected="a date and time that exist", seen=f"{text}: {error}") from None


_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_WHITE_SPACE: Final = XML_WHITE_SPACE.encode()


def decode_base64(text: str, what: str, refuse: Refusal) -> bytes:
    """The bytes of an xsd:base64Binary; XML white space in it is ignored (XML Schema part 2 §3.2.16).

    Several texts may name the same bytes: compare and store what this returns, never the text.

    Raises:
        Fault: made by ``refuse``, for any other character or wrong padding; the text itself is never quoted.
    """
    try:
        compact = text.encode("ascii").translate(None, _WHITE_SPACE)
        if len(compact) % 4 or not _BASE64.fullmatch(compact):
            raise ValueError("not in the alphabet, or wrong padding")
        return base64.b64decode(compact, validate=True)
    except (ValueError, binascii.Error):
        raise refuse(expected=f"base64 in {what}", seen=f"{len(text)} characters that are not") from None


LONGEST_BINARY: Final = 131_072
"""Characters of a token, key or value in base64: twice what the decoder of certificates takes."""


def binary(element: _Element, attributes: frozenset[str], refuse: Refusal) -> bytes:
    """The octets of an element that holds base64, and has attributes with these names at most.

    Raises:
        Fault: made by ``refuse``, for other attributes, another EncodingType, or anything but base64.
    """
    what = local_name(name_of(element))
    only_attributes(element, attributes, refuse)
    encoding = element.get("EncodingType", BASE64_BINARY)
    if encoding != BASE64_BINARY:
        raise refuse(expected=f"{what} in #Base64Binary", seen=encoding)
    text = leaf_text(element, refuse)
    if len(text) > LONGEST_BINARY:
        raise refuse(expected=f"at most {LONGEST_BINARY} characters in {what}", seen=f"{len(text)}")
    return decode_base64(text, what, refuse)


def bounded_text(element: _Element, longest: int, refuse: Refusal) -> str:
    """The text of a leaf without white space around it: at least one character and at most ``longest``.

    Raises:
        Fault: made by ``refuse``.
    """
    text = leaf_text(element, refuse).strip(XML_WHITE_SPACE)
    if not 1 <= len(text) <= longest:
        what = local_name(name_of(element))
        raise refuse(expected=f"1 to {longest} characters in {what}", seen=f"{len(text)} characters")
    return text
