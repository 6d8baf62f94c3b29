"""G: one message that is two: those who name its charset contradict each other, or it does not keep to it."""

from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token

CHARSETS: Final = Chapter("G", "token")

TWO_READINGS: Final = "charset confusion: FACTS P1, CVE-2022-39299 and others"
PLAIN: Final = "text/xml"


def typed(octets: bytes, content_type: str = PLAIN) -> Sent:
    """Octets under a Content-Type of the case's own."""
    return Sent(octets=octets, environ={"CONTENT_TYPE": content_type})


def declared(name: str, codec: str = "ascii") -> bytes:
    """An honest message that declares a charset, and is in a codec."""
    return f'<?xml version="1.0" encoding="{name}"?>{with_token(user()).decode()}'.encode(codec)


NAMES: Final = (
    *("utf-7", "utf-32", "utf-16le", "utf-16be", "cesu-8", "scsu", "bocu-1", "utf-1", "utf-5", "gb18030", "gbk"),
    *("hz-gb-2312", "iso-2022-jp", "iso-2022-kr", "shift_jis", "big5", "euc-jp", "cp037", "ibm1047", "windows-1252"),
    *("iso-8859-15", "iso-8859-8-e", "x-user-defined", "replacement", "unicode-1-1-utf-7"),
)
"""Charsets that are registered, or that some program knows."""
CODECS: Final = (
    "unicode_escape",
    "raw_unicode_escape",
    "idna",
    "punycode",
    "rot13",
    "zlib",
    "hex",
    "utf_8_sig",
    "mbcs",
)
"""What Python knows beside them."""


@CHARSETS.each_refused("envelope.encoding", {name: name for name in (*NAMES, *CODECS)}, source=TWO_READINGS)
def http_says(name: str) -> Built:
    return typed(with_token(user()), f"text/xml; charset={name}")


@CHARSETS.each_refused(
    "envelope.encoding",
    {
        name: name
        for name in ("utf-7", "UTF-7", "utf-32", "utf-16le", "cp037", "gb18030", "shift_jis", "unicode_escape")
    },
    source=TWO_READINGS,
)
def the_declaration_says(name: str) -> Built:
    return typed(declared(name))


CONTENT_TYPES: Final[dict[str, str]] = {
    "two charsets": "text/xml; charset=utf-8; charset=utf-7",
    "a charset in capitals": "text/xml; CHARSET=UTF-7",
    "a charset behind nothing": "text/xml;; charset=utf-7",
    "a charset with an escape": 'text/xml; charset="utf\\-7"',
    "a charset of RFC 2231": "text/xml; charset*=utf-7''utf-7",
    "a charset in pieces": "text/xml; charset*0=utf; charset*1=-7",
    "a charset and more": 'text/xml; charset="utf-8, utf-7"',
    "a charset that is empty": 'text/xml; charset=""',
    "a charset in quotes of another kind": "text/xml; charset='utf-8'",
    "a charset of a megabyte": f"text/xml; charset={'u' * 1_000_000}",
}


@CHARSETS.each_refused("envelope.encoding", CONTENT_TYPES, source=TWO_READINGS)
def the_content_type_has(content_type: str) -> Built:
    return typed(with_token(user()), content_type)


@CHARSETS.refused("envelope.encoding", source=TWO_READINGS, elsewhere=False)
def a_server_hands_on_a_charset_with_a_nul() -> Built:
    return typed(with_token(user()), 'text/xml; charset="utf-8\0"')


CONTRADICTIONS: Final[dict[str, Callable[[], Sent]]] = {
    "utf-8 in HTTP, utf-16 by its mark": lambda: typed(declared("utf-16", "utf-16"), "text/xml; charset=utf-8"),
    "utf-16 in HTTP, utf-8 by its mark": lambda: typed(
        with_token(user()).decode().encode("utf-8-sig"), "text/xml; charset=utf-16"
    ),
    "utf-8 in HTTP, Latin-1 declared": lambda: typed(declared("iso-8859-1"), "text/xml; charset=utf-8"),
    "Latin-1 in HTTP, utf-8 declared": lambda: typed(declared("utf-8"), "text/xml; charset=iso-8859-1"),
    "ASCII in HTTP, utf-8 by its mark": lambda: typed(
        with_token(user()).decode().encode("utf-8-sig"), "text/xml; charset=us-ascii"
    ),
    "utf-8 by its mark, Latin-1 declared": lambda: typed(declared("iso-8859-1", "utf-8-sig")),
    "utf-16 by its mark, utf-8 declared": lambda: typed(declared("utf-8", "utf-16")),
    "utf-16 by its mark, utf-7 declared": lambda: typed(declared("utf-7", "utf-16")),
    "utf-16 in HTTP, without mark": lambda: typed(
        with_token(user()).decode().encode("utf-16-le"), "text/xml; charset=utf-16"
    ),
    "utf-16 declared in ASCII": lambda: typed(declared("utf-16")),
}


@CHARSETS.each_refused("envelope.encoding", CONTRADICTIONS, source=TWO_READINGS)
def a_message_is(make: Callable[[], Sent]) -> Built:
    return make()


BROKEN: Final[dict[str, bytes]] = {
    "an overlong angle bracket": b"\xc0\xbc",
    "an overlong NUL": b"\xc0\x80",
    "an overlong slash of three octets": b"\xe0\x80\xaf",
    "an overlong letter of four octets": b"\xf0\x80\x81\xa1",
    "five octets": b"\xf8\x88\x80\x80\x80",
    "a half of a pair": b"\xed\xa0\x80",
    "a pair in halves": b"\xed\xa0\xbd\xed\xb8\x80",
    "a character beyond Unicode": b"\xf4\x90\x80\x80",
    "an octet that continues nothing": b"\x80",
    "an octet that is never continued": b"\xc3<",
    "an octet of Latin-1": b"\xe9",
    "an octet that is none": b"\xff",
}


@CHARSETS.each_refused("envelope.encoding", BROKEN, source="overlong UTF-8, RFC 3629 §10; CWE-176")
def the_utf_8_has(octets: bytes) -> Built:
    return with_token(user()).replace(b"hello", octets)


@CHARSETS.refused("envelope.encoding")
def ascii_is_said_and_utf_8_comes() -> Built:
    return typed(with_token(user()).replace(b"hello", "é".encode()), "text/xml; charset=us-ascii")


@CHARSETS.each_refused("envelope.encoding", {"an octet": b"<", "a half of a pair": b"\x3d\xd8"})
def utf_16_ends_in(octets: bytes) -> Built:
    return typed(with_token(user()).decode().encode("utf-16") + octets)


UNNAMED: Final = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-32", "utf-7")


@CHARSETS.each_refused("envelope.malformed", {codec: codec for codec in UNNAMED}, source=TWO_READINGS)
def nothing_says_that_it_is(codec: str) -> Built:
    octets = with_token(user()).decode().encode(codec)
    return typed(octets.replace(b"<", b"+ADw-").replace(b">", b"+AD4-") if codec == "utf-7" else octets)


@CHARSETS.each_refused("envelope.encoding", {codec: codec for codec in ("cp037", "cp500", "cp1140")})
def it_is_in_the_ebcdic_of(codec: str) -> Built:
    return typed(declared(codec, codec))


MARKS: Final[dict[str, Callable[[str], bytes]]] = {
    "twice": lambda text: ("\ufeff\ufeff" + text).encode(),
    "behind the declaration": lambda text: ('<?xml version="1.0"?>\ufeff' + text).encode(),
    "behind a blank": lambda text: (" \ufeff" + text).encode(),
    "twice in utf-16": lambda text: ("\ufeff" + text).encode("utf-16"),
    "of the other order": lambda text: ("\ufffe" + text).encode("utf-16"),
}


@CHARSETS.each_refused("envelope.malformed", MARKS, source="libxml2 skips a byte order mark wherever a document begins")
def a_byte_order_mark_stands(make: Callable[[str], bytes]) -> Built:
    return typed(make(with_token(user()).decode()))


@CHARSETS.refused("envelope.malformed", source="+ADw- is an angle bracket in UTF-7")
def an_element_is_hidden_in_utf_7() -> Built:
    hidden = b"+ADw-/e:text+AD4-"
    return typed(with_token(user()).replace(b"</e:text>", hidden))


EVERY: Final = (*CHARSETS,)
