"""From octets to UTF-8: HTTP, byte order mark and XML declaration must name one charset, and every octet keep to it."""

import codecs
import re
from functools import partial
from io import BytesIO
from typing import Final

from wsguard.faults import MessageFault

_encoding = partial(MessageFault, "envelope.encoding")

_SPELLINGS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8",
    "utf-16": "utf-16", "utf16": "utf-16",
    "us-ascii": "us-ascii", "ascii": "us-ascii",
    "iso-8859-1": "iso-8859-1", "iso8859-1": "iso-8859-1", "latin-1": "iso-8859-1", "latin1": "iso-8859-1",
}  # fmt: skip
"""The names by which a charset of ``http.charsets`` is called."""

_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PYTHON_CODECS: Final = {"utf-8": "utf-8", "utf-16": "utf-16", "us-ascii": "ascii", "iso-8859-1": "latin-1"}

# XML 1.0 §2.8, production 23; 200 characters hold any declaration that is not meant to annoy.
_DECLARATION: Final = re.compile(
    r"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')"""
    r"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][A-Za-z0-9._-]*)"|'([A-Za-z][A-Za-z0-9._-]*)'))?"""
    r"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>"""
)
_LONGEST_DECLARATION: Final = 200


def to_utf8(octets: bytes, http_charset: str | None, allowed: tuple[str, ...]) -> bytes:
    """The document in UTF-8, without byte order mark and XML declaration.

    Args:
        octets: the message as received.
        http_charset: ``charset`` of Content-Type, if any.
        allowed: names out of ``http.charsets``.

    Raises:
        MessageFault: ``envelope.encoding``, when the three disagree, name another charset, or an octet breaks it;
            ``envelope.malformed``, for an XML declaration that is none, or of another version than 1.0.
    """
    mark, marked = next(((m, charset) for m, charset in _BYTE_ORDER_MARKS if octets.startswith(m)), (b"", None))
    said = _known(http_charset, "Content-Type", allowed) if http_charset is not None else None
    declared = _declared(octets[:_LONGEST_DECLARATION].decode("latin-1"), allowed) if marked is None else None
    charset = marked or said or declared or "utf-8"
    if charset == "utf-16" and marked is None:
        raise _encoding(expected="a byte order mark on utf-16", seen="none")
    if charset not in allowed:
        raise _encoding(expected=f"one of {', '.join(allowed)}", seen=charset)
    document = _in_utf8(octets, len(mark), charset)
    declared = _declared(document[:_LONGEST_DECLARATION].decode("latin-1"), allowed)
    if not {marked, said, declared} <= {charset, None}:
        seen = f"Content-Type {said}, byte order mark {marked}, XML declaration {declared}"
        raise _encoding(expected="one charset", seen=seen)
    document = _without_declaration(document)
    if document.startswith(codecs.BOM_UTF8):
        raise MessageFault("envelope.malformed", expected="one byte order mark at most, first of all", seen="another")
    return document


_PIECE: Final = 65_536
"""Octets that are decoded at a time: of a whole message Python makes four octets a character for a single emoji."""


def _in_utf8(octets: bytes, start: int, charset: str) -> bytes:
    """What follows ``start``, in UTF-8; no copy, where it is that.

    Raises:
        MessageFault: ``envelope.encoding``.
    """
    if charset != "utf-16" and octets.isascii():
        return octets
    decoder = codecs.getincrementaldecoder(_PYTHON_CODECS[charset])()
    same = charset == "utf-8"
    converted = BytesIO()
    with memoryview(octets) as view:
        # The decoder of UTF-16 takes the byte order mark itself.
        for at in range(start if charset == "utf-8" else 0, len(octets), _PIECE):
            waiting = len(decoder.getstate()[0])
            try:
                text = decoder.decode(view[at : at + _PIECE], final=at + _PIECE >= len(octets))
            except UnicodeDecodeError as error:
                seen = f"octet {at - waiting + error.start} is none"
                raise _encoding(expected=f"octets of {charset}", seen=seen) from None
            if not same:
                converted.write(text.encode())
    if not same:
        return converted.getvalue()
    return octets[start:] if start else octets


def _known(name: str, where: str, allowed: tuple[str, ...]) -> str:
    charset = _SPELLINGS.get(name.strip().lower())
    if charset not in allowed:
        raise _encoding(expected=f"one of {', '.join(allowed)} in {where}", seen=name)
    return charset


def _declared(start: str, allowed: tuple[str, ...]) -> str | None:
    match = _DECLARATION.match(start)
    name = match and (match[1] or match[2])
    return _known(name, "the XML declaration", allowed) if name else None


def _without_declaration(document: bytes) -> bytes:
    if not re.match(rb"<\?xml[ \t\r\n?]", document):
        return document
    match = _DECLARATION.match(document[:_LONGEST_DECLARATION].decode("latin-1"))
    if match is None:
        raise MessageFault("envelope.malformed", expected="an XML 1.0 declaration", seen="another, or none that ends")
    return document[match.end() :]
