"""The one way from octets to a tree: hardened, bounded, and indexed by Id.

No document type, no entities, no network, no processing instructions; comments are dropped before anything looks, so
that no text can be cut in two (``adm<!-- -->in``). Bounds are those of ``[limits]``, checked as early as they can be.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from lxml import etree
from lxml.etree import _Element

from wsguard.faults import MessageFault
from wsguard.message.charset import to_utf8
from wsguard.message.cost import ID, check_cost, exceeded
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


class _PerThread(threading.local):
    """One parser a thread: a shared one makes threads wait for each other."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            load_dtd=False,
            dtd_validation=False,
            no_network=True,
            remove_comments=True,
            remove_pis=False,
            huge_tree=False,
        )
        # lxml's canonicalization ignores a prefix that is not in its dictionary of names, of which each thread has one.
        # The empty prefix, which "#default" in a PrefixList is, gets there by an xmlns="" and by nothing else.
        etree.fromstring(b'<a xmlns=""/>', self.parser)


_per_thread = _PerThread()


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
    return _walk(root, limits, spare)


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
        return etree.fromstring(document, _per_thread.parser)
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


def _walk(root: _Element, limits: Limits, spare: int) -> Tree:
    """Go through the elements, one at a time: all of them in Python would take as much memory as the tree.

    Args:
        root: of the document.
        limits: of a message.
        spare: bytes that may be spent on Ids and references.
    """
    ids: dict[str, _Element] = {}
    hrefs: list[_Element] = []
    # Its place tells an embedded key, and its tag is compared by lxml: a tag that Python has seen is kept.
    embedded = frozenset(filter(_is_embedded, root.iter(ENCRYPTED_KEY)))
    most = spare // ID
    for number, element in enumerate(_bounded_in_depth(root, limits), 1):
        if number > limits.elements:
            raise exceeded("elements", limits.elements, "more elements")
        count = len(element.attrib)
        if count > limits.attributes_per_element:
            raise exceeded("attributes_per_element", limits.attributes_per_element, f"{count} attributes")
        if count:
            _index(element, element in embedded, ids, hrefs)
            if len(ids) + len(hrefs) > most:
                raise exceeded("memory_bytes", limits.memory_bytes, "more Ids and references")
    return Tree(root, ids, hrefs)


def _bounded_in_depth(root: _Element, limits: Limits) -> Iterator[_Element]:
    path: list[_Element | None] = [None]
    for element in root.iter():
        parent = element.getparent()
        while path[-1] is not parent:
            path.pop()
        if len(path) > limits.depth:
            raise exceeded("depth", limits.depth, "deeper elements")
        path.append(element)
        yield element


def _index(element: _Element, embedded: bool, ids: dict[str, _Element], hrefs: list[_Element]) -> None:
    # Not items(): that looks each attribute up again from the first, and 150,000 of them take 40 s.
    for name in element.keys():  # noqa: SIM118 - an element iterates over its children
        if embedded and name == "Id":
            continue
        if name == "href" and element.get(name):
            hrefs.append(element)
        if local_name(name) in ID_NAMES:
            value = element.get(name, "").strip(XML_WHITE_SPACE)
            if ids.setdefault(value, element) is not element:
                seen = f"{value!r} again on {name_of(element)}"
                raise MessageFault("envelope.duplicate_id", expected="each Id once", seen=seen)


def _is_embedded(key: _Element) -> bool:
    """Whether a key stands in the KeyInfo of the data it is for: found by its place, and never by its Id.

    WSS4J sends the same EncryptedKey, with the same Id, in the Security header too.
    """
    parent = key.getparent()
    data = None if parent is None or parent.tag != KEY_INFO else parent.getparent()
    return data is not None and data.tag == ENCRYPTED_DATA
