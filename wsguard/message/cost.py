"""What a message will cost in memory, told from its octets before a parser makes a tree of them.

A tree takes far more than its text: four octets, ``<a/>``, become a node of 128. So what the text holds is counted, at
first roughly and at little cost, and exactly only where the rough count is above a limit.
"""

import re
from functools import partial
from typing import Final

from wsguard.faults import MessageFault
from wsguard.policy.surroundings import Limits

# libxml2 2.14 on 64 bits, with what malloc adds: xmlNode 120; xmlAttr 104 and the xmlNode of its value, or xmlNs 48 and
# its two strings; xmlID 56, its string and its place in a table.
_NODE: Final = 128
_ATTRIBUTE: Final = 256
_XML_ID: Final = 192

ID: Final = 256
"""Bytes for the value of an Id, its element in Python, and its place in a dict; as many for a reference."""

_READ: Final = 2
"""Times its length that a message takes: as it came, and as text in the tree."""
_WRITTEN: Final = 1.125
"""Times its length that the hand-off takes: a BytesIO grows by an eighth."""
_ESCAPED: Final = 4
"""Times the length of a long text that writing it takes besides: escaped, in libxml2's buffer, and in Python."""
_MOST_TIMES: Final = 128
"""Times its length that a message can take at most: ``<a/>"`` takes 84, and ``<a Id=""/>`` with its Id 60."""
_LEAST_TIMES: Final = 8
"""Times ``limits.body_bytes`` that there is always room for: a message of nothing but text needs no limit raised."""


def check_cost(document: bytes, limits: Limits) -> int:
    """Refuse what has too many elements, or would take too much memory.

    Args:
        document: in UTF-8; no processing instruction or document type stands before the first element.
        limits: ``elements``, ``memory_bytes`` and ``body_bytes``.

    Returns:
        how many bytes are left below ``limits.memory_bytes``.

    Raises:
        MessageFault: ``limits.elements``, ``limits.memory_bytes``; ``envelope.malformed``, a comment or CDATA section
            that does not end; ``envelope.structure``, a processing instruction.
    """
    bound = max(limits.memory_bytes, _LEAST_TIMES * limits.body_bytes)
    if _MOST_TIMES * len(document) <= bound and document.count(b"<") <= limits.elements:
        return bound - _MOST_TIMES * len(document) // 2
    left = bound - _tree_of(document, document.count(b"=")) - _text_of(document, len(document), 0)
    if left >= 0 and document.count(b"<") <= limits.elements:
        return left
    markup = _without_literal_text(document)
    elements = markup.count(b"<") - markup.count(b"</")
    if elements > limits.elements:
        raise exceeded("elements", limits.elements, f"{elements} elements")
    if left < 0:
        attributes = _attributes(markup)
        left = bound - _tree_of(markup, attributes) - _text_of(document, _in_long_texts(document), attributes)
    if left < 0:
        raise exceeded("memory_bytes", bound, f"what takes about {bound - left}")
    return left


def exceeded(limit: str, bound: int, seen: str) -> MessageFault:
    """The refusal of what is above a limit of ``[limits]``."""
    return MessageFault(f"limits.{limit}", expected=f"at most {bound}", seen=seen, setting=f"limits.{limit}")


def _text_of(document: bytes, long: int, attributes: int) -> int:
    """Bytes of the message and of the hand-off, of which ``long`` are in long texts.

    In the hand-off a quotation mark is written as six octets, and what stood in a CDATA section as up to five.
    """
    grown = 5 * max(0, document.count(b'"') - 2 * attributes)
    if b"<!" in document:
        grown += 3 * (document.count(b"<") + document.count(b">")) + 4 * document.count(b"&")
    else:
        grown += 3 * max(0, document.count(b">") - document.count(b"<"))
    return int(_READ * len(document) + _WRITTEN * (len(document) + grown) + _ESCAPED * (long + grown if long else 0))


_LONG: Final = re.compile(rb"<[^<]{4096,}+")


def _in_long_texts(document: bytes) -> int:
    """Octets in texts and attributes of 4 KB and more; all, where comments and CDATA sections may join short ones."""
    if b"<!" in document:
        return len(document)
    return sum(found.end() - found.start() for found in _LONG.finditer(document))


def _tree_of(markup: bytes, attributes: int) -> int:
    """Bytes of the nodes; at most, where comments and CDATA sections count as tags."""
    tags = markup.count(b"<")
    elements, texts = tags - markup.count(b"</"), tags - markup.count(b"><")
    return _NODE * (elements + texts) + _ATTRIBUTE * attributes + _XML_ID * markup.count(b"xml:id")


# Possessive, so that each octet is looked at twice at most; "<" stands in no value (XML 1.0 §2.3, production 10).
_WITH_ATTRIBUTES: Final = re.compile(rb"""<[^/!?<>"'][^<>"']*+(?:(?:"[^"<]*+"|'[^'<]*+')[^<>"']*+)++>""")
_VALUE: Final = re.compile(rb""""[^"]*"|'[^']*'""")


def _attributes(markup: bytes) -> int:
    """How many attributes and namespace declarations there are, exactly in well-formed XML."""
    tags = _WITH_ATTRIBUTES.finditer(markup)
    return sum(1 for tag in tags for _ in _VALUE.finditer(markup, tag.start(), tag.end()))


_LITERAL: Final = re.compile(rb"<[!?]")
_structure = partial(MessageFault, "envelope.structure")


def _without_literal_text(document: bytes) -> bytes:
    """Leave out comments and CDATA sections, in which a "<" opens nothing."""
    kept, at = bytearray(), 0
    with memoryview(document) as octets:
        while match := _LITERAL.search(document, at):
            start = match.start()
            if match[0] == b"<?":
                raise _structure(expected="no processing instruction (SOAP 1.1 §3)", seen="one")
            closing = b"-->" if document.startswith(b"<!--", start) else b"]]>"
            end = document.find(closing, start + 4)
            if end < 0:
                expected = "a comment or CDATA section that ends"
                raise MessageFault("envelope.malformed", expected=expected, seen="the end of the message")
            kept += octets[at:start]
            at = end + 3
        kept += octets[at:]
    return bytes(kept)
