"""From octets to UTF-8: HTTP, byte order mark and XML declaration must name one charset, and every octet keep to it."""

import re
from functools import partial
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
    try:
        text = octets[len(mark) if charset == "utf-8" else 0 :].decode(_PYTHON_CODECS[charset])
    except UnicodeDecodeError as error:
        raise _encoding(expected=f"octets of {charset}", seen=f"octet {error.start} is none") from None
    declared = _declared(text[:_LONGEST_DECLARATION], allowed)
    if not {marked, said, declared} <= {charset, None}:
        seen = f"Content-Type {said}, byte order mark {marked}, XML declaration {declared}"
        raise _encoding(expected="one charset", seen=seen)
    document = _without_declaration(text)
    if document.startswith("\ufeff"):
        raise MessageFault("envelope.malformed", expected="one byte order mark at most, first of all", seen="another")
    return document.encode("utf-8")


def _known(name: str, where: str, allowed: tuple[str, ...]) -> str:
    charset = _SPELLINGS.get(name.strip().lower())
    if charset not in allowed:
        raise _encoding(expected=f"one of {', '.join(allowed)} in {where}", seen=name)
    return charset


def _declared(start: str, allowed: tuple[str, ...]) -> str | None:
    match = _DECLARATION.match(start)
    name = match and (match[1] or match[2])
    return _known(name, "the XML declaration", allowed) if name else None


def _without_declaration(text: str) -> str:
    if not re.match(r"<\?xml[ \t\r\n?]", text):
        return text
    match = _DECLARATION.match(text[:_LONGEST_DECLARATION])
    if match is None:
        raise MessageFault("envelope.malformed", expected="an XML 1.0 declaration", seen="another, or none that ends")
    return text[match.end() :]
