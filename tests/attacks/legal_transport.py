"""Legal: charsets, HTTP headers and compression as clients and proxies send them."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Final

from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import PAYLOAD, SOAP12
from tests.signature.signatures import honest

HTTP: Final = Chapter("legal", "token")
SIGNED: Final = Chapter("legal", "signed")

UMLAUTS: Final = PAYLOAD.replace("hello", "grüße")
_IN_SOAP12: Final = {"CONTENT_TYPE": "application/soap+xml; charset=utf-8"}


def declared(encoding: str, text: str, quote: str = '"', more: str = "") -> str:
    """``text`` behind an XML declaration."""
    return f"<?xml version={quote}1.0{quote} encoding={quote}{encoding}{quote}{more}?>\n{text}"


_CHARSETS: Final[dict[str, tuple[str, Callable[[str], bytes]]]] = {
    "UTF-8, declared": ("utf-8", lambda text: declared("UTF-8", text).encode()),
    "UTF-8 with a byte order mark": ("utf-8", lambda text: text.encode("utf-8-sig")),
    "UTF-8 with both": ("UTF-8", lambda text: declared("utf-8", text).encode("utf-8-sig")),
    "UTF-8, declared in apostrophes and standalone": (
        "utf-8", lambda text: declared("utf-8", text, "'", " standalone='yes'").encode()
    ),
    "UTF-16": ("utf-16", lambda text: declared("utf-16", text).encode("utf-16")),
    "UTF-16, not declared": ("utf-16", lambda text: text.encode("utf-16")),
    "UTF-16, big end first": ("utf-16", lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
    "ISO-8859-1": ("iso-8859-1", lambda text: declared("ISO-8859-1", text).encode("latin-1")),
    "US-ASCII": ("us-ascii", lambda text: declared("us-ascii", text).encode("ascii", "xmlcharrefreplace")),
}  # fmt: skip


@HTTP.each_accepted(_CHARSETS, handed=UMLAUTS, source="RFC 7303; seen from PHP and WSS4J")
def a_message_in(charset: tuple[str, Callable[[str], bytes]]) -> Built:
    name, encode = charset
    octets = encode(with_token(user(), body=UMLAUTS).decode())
    return Sent(octets=octets, environ={"CONTENT_TYPE": f"text/xml; charset={name}"})


@SIGNED.each_accepted(_CHARSETS, handed=UMLAUTS, source="Canonical XML is UTF-8, whatever a message comes in")
def a_signed_message_in(charset: tuple[str, Callable[[str], bytes]]) -> Built:
    name, encode = charset
    return Sent(octets=encode(honest(body=UMLAUTS)), environ={"CONTENT_TYPE": f"text/xml; charset={name}"})


@HTTP.each_accepted(
    {
        "no charset": {"CONTENT_TYPE": "text/xml"},
        "a quoted charset": {"CONTENT_TYPE": 'text/xml;charset="UTF-8"'},
        "capitals": {"CONTENT_TYPE": "TEXT/XML; CHARSET=UTF-8"},
        "an action": {"CONTENT_TYPE": 'text/xml; charset=utf-8; action="urn:echo/Echo"'},
        "no SOAPAction": {"HTTP_SOAPACTION": None},
        "an empty SOAPAction": {"HTTP_SOAPACTION": ""},
        "an empty SOAPAction in quotes": {"HTTP_SOAPACTION": '""'},
        "a quoted SOAPAction": {"HTTP_SOAPACTION": '"urn:echo/Echo"'},
        "an unquoted SOAPAction": {"HTTP_SOAPACTION": "urn:echo/Echo"},
        "a SOAPAction with a number sign": {"HTTP_SOAPACTION": '"urn:echo#Echo"'},
        "a SOAPAction that nobody knows": {"HTTP_SOAPACTION": '"http://tempuri.org/IService/Send"'},
        "no encoding, by name": {"HTTP_CONTENT_ENCODING": "identity"},
        "a query": {"QUERY_STRING": "version=2&lang=de"},
        "another path": {"PATH_INFO": "/services/Echo.svc"},
        "the shortest path": {"PATH_INFO": "/"},
        "an Expect": {"HTTP_EXPECT": "100-continue"},
    },
    source="SOAP 1.1 §6.1; seen from PHP, Perl, .NET and node-soap",
)
def http_with(environ: Any) -> Built:
    return Sent(octets=with_token(user()), environ=environ)


@HTTP.accepted(source="chunked: no Content-Length, and the server says where the body ends", elsewhere=False)
def a_chunked_message() -> Built:
    environ = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    return Sent(octets=with_token(user()), environ=environ)


@HTTP.each_accepted(
    {
        "with its action": _IN_SOAP12 | {"CONTENT_TYPE": 'application/soap+xml; charset=utf-8; action="urn:echo/Echo"'},
        "without": _IN_SOAP12,
        "without charset": {"CONTENT_TYPE": "application/soap+xml"},
    },
    source="SOAP 1.2 part 2 §7, RFC 3902",
)
def soap_1_2(environ: dict[str, Any]) -> Built:
    return Sent(octets=with_token(user(), soap=SOAP12), environ=environ)


@SIGNED.accepted(source="SOAP 1.2 part 2 §7")
def a_signed_message_of_soap_1_2() -> Built:
    return Sent(octets=honest(soap=SOAP12).encode(), environ=_IN_SOAP12)


@SIGNED.each_accepted(
    {"gzip": "gzip", "deflate": "deflate"},
    site="every",
    source="seen from PHP and node-soap",
)
def a_body_that_is_compressed_by(name: str) -> Built:
    pack = gzip.compress if name == "gzip" else zlib.compress
    return Sent(octets=pack(honest().encode()), environ={"HTTP_CONTENT_ENCODING": name})


@HTTP.each_accepted(
    {"a line feed": "\n", "CRLF": "\r\n", "a tab": "\t", "a comment": "<!-- sent by a template -->"},
)
def behind_the_envelope(end: str) -> Built:
    return with_token(user()) + end.encode()


@HTTP.accepted(handed="<e:text>" + "x" * 1_000_000)
def a_body_of_a_megabyte() -> Built:
    return with_token(user(), body=PAYLOAD.replace("hello", "x" * 1_000_000))


EVERY: Final = (*HTTP, *SIGNED)
