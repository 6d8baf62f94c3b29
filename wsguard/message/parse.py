"""The one way from octets to a tree: hardened, bounded, and indexed by Id.

No document type, no entities, no network, no processing instructions; comments are dropped before anything looks, so
that no text can be cut in two (``adm<!-- -->in``). Bounds are those of ``[limits]``, checked as early as they can be.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, cast

from lxml import etree
from lxml.etree import _Element

from wsguard.faults import MessageFault
from wsguard.message.charset import to_utf8
from wsguard.message.cost import ID, check_cost, exceeded
from wsguard.message.interning import ThreadParser
from wsguard.message.lexical import XML_WHITE_SPACE, local_name, name_of
from wsguard.names import ENCRYPTED_DATA, ENCRYPTED_KEY, KEY_INFO
from wsguard.policy.surroundings import Limits

_malformed = partial(MessageFault, "envelope.malformed")
_structure = partial(MessageFault, "envelope.structure")

ID_NAMES: Final = frozenset({"Id", "ID", "id"})
"""Local names of attributes that some library takes for an Id, in whatever namespace they are."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed document and what one walk over it found."""

    root: _Element
    ids: dict[str, _Element]
    """Every value of an Id attribute, and the one element that has it."""
    hrefs: Sequence[_Element]
    """The elements with an unqualified, non-empty href."""


parsers: Final = ThreadParser()
"""Those of everything that comes from others."""


def parse(octets: bytes, http_charset: str | None, charsets: tuple[str, ...], limits: Limits) -> Tree:
    """Parse a message within its limits.

    Args:
        octets: the request body, inflated.
        http_charset: ``charset`` of Content-Type, if any.
        charsets: what ``http.charsets`` allows.
        limits: bounds of ``[limits]``.

    Raises:
        MessageFault: ``limits.*``, ``envelope.encoding``, ``envelope.doctype``, ``envelope.malformed``,
            ``envelope.structure`` (a processing instruction), ``envelope.duplicate_id``.
    """
    if len(octets) > limits.body_bytes:
        raise exceeded("body_bytes", limits.body_bytes, f"{len(octets)} bytes")
    document = to_utf8(octets, http_charset, charsets)
    _check_prolog(document)
    spare = check_cost(document, limits)
    root = _tree(document, limits)
    if root.getroottree().docinfo.internalDTD is not None:
        raise MessageFault("envelope.doctype", expected="no document type", seen="one that only libxml2 saw")
    if root.getnext() is not None or next(root.iter(etree.PI, etree.Entity), None) is not None:
        raise _structure(expected="no processing instruction (SOAP 1.1 §3)", seen="one")
    if _LONG_VALUE.search(document) or _LONG_PREFIX.search(document):
        _check_namespace_names(root, limits, spare)
    if document.count(b"xmlns") > limits.namespaces:
        _check_namespaces(root, limits)
    return _index(root, document, limits, spare)


_BLANK: Final = re.compile(rb"[ \t\r\n]*")


def _check_prolog(document: bytes) -> None:
    """Refuse a document type before any parser sees it, and processing instructions with it."""
    at = _BLANK.match(document).end()  # type: ignore[union-attr]  # it matches everywhere
    while document.startswith(b"<!--", at):
        end = document.find(b"-->", at + 4)
        if end < 0:
            raise _malformed(expected="a comment that ends", seen="the end of the message")
        at = _BLANK.match(document, end + 3).end()  # type: ignore[union-attr]
    if document.startswith(b"<!", at):
        raise MessageFault("envelope.doctype", expected="no document type", seen="one")
    if document.startswith(b"<?", at):
        raise _structure(expected="no processing instruction (SOAP 1.1 §3)", seen="one before the Envelope")


def _tree(document: bytes, limits: Limits) -> _Element:
    try:
        return parsers.parse(document)
    except etree.XMLSyntaxError as error:
        if "Excessive depth" in str(error.msg):
            raise exceeded("depth", limits.depth, "more than libxml2 takes") from None
        raise _malformed(expected="well-formed XML", seen=_kind_and_place(error)) from None
    except (etree.LxmlError, ValueError, LookupError, MemoryError, RecursionError) as error:
        raise _malformed(expected="well-formed XML", seen=type(error).__name__) from None


def _kind_and_place(error: etree.XMLSyntaxError) -> str:
    """What is wrong and where, without libxml2's message: it quotes the text, which may be a password's."""
    last = error.error_log.last_error
    return f"{last.type_name if last else 'an error'}, line {error.lineno}, column {error.offset}"


LONGEST_NAMESPACE: Final = 1024
"""Characters of a namespace name: lxml writes it out anew for each name in it, so 1 MB of it fills the memory."""
SHORT_NAMESPACE: Final = 128
"""Characters of one that a message may use as often as it has names: the longest of WS-* has 92."""

_LONG_VALUE: Final = re.compile(rb"""=[ \t\r\n]*(?:"[^"<]{129}|'[^'<]{129})""")


LONGEST_PREFIX: Final = 128
"""Characters of a prefix: canonicalization compares each with each, and long ones that begin alike take seconds."""

_LONG_PREFIX: Final = re.compile(rb"xmlns:[^=\s>]{129}")


def _check_namespace_names(root: _Element, limits: Limits, spare: int) -> None:
    longest = 0
    for _, declared in etree.iterwalk(root, events=("start-ns",)):
        if declared is not None and len(declared[0] or "") > LONGEST_PREFIX:
            raise _malformed(expected=f"prefixes of at most {LONGEST_PREFIX} characters", seen="a longer one")
        if declared is not None and len(declared[1]) > LONGEST_NAMESPACE:
            raise _malformed(expected=f"namespace names of at most {LONGEST_NAMESPACE} characters", seen="a longer one")
        longest = max(longest, len(declared[1])) if declared is not None else longest
    if longest > SHORT_NAMESPACE and _TIMES_WRITTEN * longest * cast(float, _in_long_namespaces(root)) > spare:
        raise exceeded("memory_bytes", limits.memory_bytes, "more names in long namespaces")


_TIMES_WRITTEN: Final = 3
"""Exclusive canonicalization may declare a namespace at each element that uses it, and has what it writes twice."""

_in_long_namespaces: Final = etree.XPath(
    f"count(//*[string-length(namespace-uri()) > {SHORT_NAMESPACE}])"
    f" + count(//@*[string-length(namespace-uri()) > {SHORT_NAMESPACE}])"
)


def _check_namespaces(root: _Element, limits: Limits) -> None:
    """Count the prefixes in scope at each element that declares one."""
    scope: Counter[str] = Counter()
    declared: list[str] = []
    for event, what in etree.iterwalk(root, events=("start-ns", "end-ns")):
        if event == "start-ns":
            prefix = what[0] or ""  # type: ignore[index]  # a pair with this event
            declared.append(prefix)
            scope[prefix] += 1
            if len(scope) > limits.namespaces:
                raise exceeded("namespaces", limits.namespaces, "more in scope at one element")
        else:
            prefix = declared.pop()
            scope[prefix] -= 1
            if not scope[prefix]:
                del scope[prefix]


# What libxml2 finds by itself needs no element in Python. A name that is part of the list is looked at again below.
_named_like_ids: Final = etree.XPath("//*/@*[contains('Id ID id', local-name())]")
_count_like_ids: Final = etree.XPath("count(//*/@*[contains('Id ID id', local-name())])")
_count_elements: Final = etree.XPath("count(//*)")
_hrefs: Final = etree.XPath("//*[@href != '']")
_count_hrefs: Final = etree.XPath("count(//*[@href != ''])")


@lru_cache(maxsize=8)
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


@lru_cache(maxsize=8)
def _more_attributes_than(count: int) -> etree.XPath:
    return etree.XPath(f"boolean(//*[@*[{count + 1}]])")


def _index(root: _Element, document: bytes, limits: Limits, spare: int) -> Tree:
    """The Ids and references of a document, which has not too many of them and is not too deep.

    Args:
        root: of the document.
        document: its octets.
        limits: of a message.
        spare: bytes that may be spent on Ids and references.
    """
    if cast(float, _count_elements(root)) > limits.elements:
        raise exceeded("elements", limits.elements, "more elements")
    if _deeper_than(limits.depth)(root):
        raise exceeded("depth", limits.depth, "deeper elements")
    attributes = document.count(b"=")
    if attributes > limits.attributes_per_element and _more_attributes_than(limits.attributes_per_element)(root):
        raise exceeded("attributes_per_element", limits.attributes_per_element, "more attributes at one element")
    referring = b"href" in document
    if attributes * ID > spare:
        found = cast(float, _count_like_ids(root)) + (cast(float, _count_hrefs(root)) if referring else 0)
        if found * ID > spare:
            raise exceeded("memory_bytes", limits.memory_bytes, "more Ids and references")
    embedded = frozenset(filter(_is_embedded, root.iter(ENCRYPTED_KEY))) if b"EncryptedKey" in document else frozenset()
    hrefs = cast(list[_Element], _hrefs(root)) if referring else []
    return Tree(root, _ids(root, embedded), hrefs)


def _ids(root: _Element, embedded: Collection[_Element]) -> dict[str, _Element]:
    ids: dict[str, _Element] = {}
    for attribute in cast(list["etree._ElementUnicodeResult"], _named_like_ids(root)):
        element, name = attribute.getparent(), str(attribute.attrname)
        if element is None or local_name(name) not in ID_NAMES or (name == "Id" and element in embedded):
            continue
        value = str(attribute).strip(XML_WHITE_SPACE)
        if ids.setdefault(value, element) is not element:
            seen = f"{value!r} again on {name_of(element)}"
            raise MessageFault("envelope.duplicate_id", expected="each Id once", seen=seen)
    return ids


def _is_embedded(key: _Element) -> bool:
    """Whether a key stands in the KeyInfo of the data it is for: found by its place, and never by its Id.

    WSS4J sends the same EncryptedKey, with the same Id, in the Security header too.
    """
    parent = key.getparent()
    data = None if parent is None or parent.tag != KEY_INFO else parent.getparent()
    return data is not None and data.tag == ENCRYPTED_DATA
