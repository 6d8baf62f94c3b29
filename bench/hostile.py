"""Messages that are built to cost much: what each is made of, near any size, for whoever sends them."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice, product
from string import ascii_letters
from typing import Any, Final

from tests.messages import XENC
from wsguard.names import WSU, XSD, XSI

MOST_ELEMENTS: Final = 49_900
"""A few below ``limits.elements``: what a shape cannot fill with elements, it fills with text."""
LONG: Final = "urn:" + "u" * 1_000
"""A namespace as long as one may be, nearly."""


def nothing(size: int) -> str:
    return ""


def as_it_is(octets: bytes) -> bytes:
    return octets


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One way to make a message costly. Each text is made for a number of octets."""

    name: str
    body: Callable[[int], str] = nothing
    """In the operation."""
    operation: str = ""
    """Attributes of the operation."""
    envelope: str = ""
    """Attributes of the Envelope."""
    beside: Callable[[int], str] = nothing
    """Beside the operation, in the Body."""
    header: Callable[[int], str] = nothing
    """In the Header."""
    security: Callable[[int], str] = nothing
    """In our Security header."""
    encode: Callable[[bytes], bytes] = as_it_is
    """Of the whole message."""
    environ: dict[str, Any] = field(default_factory=dict)

    def operation_of(self, size: int) -> str:
        """The whole content of the Body."""
        return f'<e:Echo xmlns:e="urn:echo" {self.operation}>{self.body(size)}</e:Echo>{self.beside(size)}'


# --- Contents ---------------------------------------------------------------------------------------------------------


def elements(unit: str, count: int = 1) -> Callable[[int], str]:
    """``unit``, of ``count`` elements, as often as it fits, with a number for ``#``; the rest is text."""

    def make(size: int) -> str:
        parts: list[str] = []
        left = size
        for number in range(MOST_ELEMENTS // count):
            part = unit.replace("#", str(number))
            if len(part) > left:
                return "".join(parts)
            parts.append(part)
            left -= len(part)
        return "".join((*parts, f"<z>{'x' * (left - 7)}</z>")) if left > 7 else "".join(parts)

    return make


def text(unit: str) -> Callable[[int], str]:
    """``unit`` as often as it fits."""
    return lambda size: unit * (size // len(unit))


def around(start: str, content: Callable[[int], str], end: str) -> Callable[[int], str]:
    return lambda size: start + content(size) + end


def attributes(number: int, value: str = "") -> str:
    names = (first + second for first, second in product(("", *ascii_letters), ascii_letters))
    return " ".join(f'{name}="{value}"' for name in islice(names, number))


def declarations(number: int, name: str = "urn:u") -> str:
    return " ".join(f'xmlns:n{i}="{name}{i}"' for i in range(number))


def numbered(unit: str) -> Callable[[int], str]:
    """``unit`` with a number for ``#`` and a ``#`` for ``@``, half as often as there may be elements."""
    return lambda size: "".join(
        unit.replace("#", str(i)).replace("@", "#") for i in range(min(size // 40, MOST_ELEMENTS // 2))
    )


def in_utf16(octets: bytes) -> bytes:
    return octets.decode().encode("utf-16")


UTF_16: Final = {"CONTENT_TYPE": "text/xml; charset=utf-16"}
TYPES: Final = f'xmlns:t="{XSI}" xmlns:x="{XSD}"'
SPACES: Final = 'xmlns:n1="urn:n1" xmlns:n2="urn:n2"'
NESTED: Final = "".join(f'<a xmlns:m{i}="urn:m">' for i in range(55)) + "</a>" * 55

# --- Shapes -----------------------------------------------------------------------------------------------------------

IN_THE_BODY: Final = (
    Shape(name="honest elements", body=text("<text>hello world, hello world</text>")),
    Shape(name="empty elements", body=elements("<a/>")),
    Shape(name="numbers", body=elements("<i>1</i>")),
    Shape(name="typed numbers", body=elements('<i t:type="x:int">1</i>'), operation=TYPES),
    Shape(name="types of the application", body=elements('<i t:type="e:T"/>'), operation=TYPES),
    Shape(name="mixed content", body=elements("<a/>x")),
    Shape(name="distinct names", body=elements("<a#/>")),
    Shape(name="long distinct names", body=elements(f"<{'n' * 300}#/>")),
    Shape(name="10 attributes each", body=elements(f"<a {attributes(10)}/>")),
    Shape(name="100 attributes each", body=elements(f"<a {attributes(100)}/>")),
    Shape(name="50 attributes with values each", body=elements(f"<a {attributes(50, 'v')}/>")),
    Shape(name="distinct attributes", body=elements('<a a#="" b#=""/>')),
    Shape(name="an attribute each", body=elements('<a b="1">1</a>')),
    Shape(name="Ids", body=elements('<a Id="i#"/>')),
    Shape(name="xml:ids", body=elements('<a xml:id="i#"/>')),
    Shape(name="wsu:Ids with text", body=elements('<a w:Id="i#">1</a>'), operation=f'xmlns:w="{WSU}"'),
    Shape(name="hrefs", body=elements('<a href="x"/>')),
    Shape(name="references and values", body=numbered('<r href="@v#"/><v id="v#"/>')),
    Shape(name="values beside the operation", body=numbered('<r href="@v#"/>'), beside=numbered('<v id="v#"/>')),
    Shape(name="a namespace each", body=elements('<a xmlns:b="urn:u"/>')),
    Shape(name="a default namespace each", body=elements('<a xmlns="urn:#"/>')),
    Shape(name="50 namespaces each", body=elements(f"<a {declarations(50)}/>")),
    Shape(name="50 long namespaces each", body=elements(f"<a {declarations(50, LONG[:900])}/>")),
    Shape(name="names in a long namespace", body=elements("<l:a#/>"), operation=f'xmlns:l="{LONG}"'),
    Shape(name="attributes in a long namespace", body=elements('<a l:a#=""/>'), operation=f'xmlns:l="{LONG}"'),
    Shape(name="Ids in a long namespace", body=elements('<l:a# Id="i#"/>'), operation=f'xmlns:l="{LONG}"'),
    Shape(name="names under 59 prefixes", body=elements('<n1:a n1:b="" n2:c=""/>'), operation=declarations(59)),
    Shape(name="attributes under two prefixes", body=elements('<a n1:b="" n2:c=""/>'), operation=SPACES),
    Shape(name="types under 55 prefixes", body=elements('<a t:type="n54:x" n3:b=""/>'), operation=f'xmlns:t="{XSI}" {declarations(55)}'),  # noqa: E501
    Shape(name="deep elements", body=elements("<a>" * 55 + "</a>" * 55, 55)),
    Shape(name="deep namespaces", body=elements(NESTED, 55)),
    Shape(name="text", body=text("x")),
    Shape(name="text of >", body=text(">")),
    Shape(name="text beyond Latin-1", body=lambda size: "€" * (size // 3)),
    Shape(name="text with an emoji", body=around("😀", text("x"), "")),
    Shape(name="&amp;", body=text("&amp;")),
    Shape(name="character references", body=text("&#65;")),
    Shape(name="&#13;", body=text("&#13;")),
    Shape(name="elements between &amp;", body=elements("&amp;<a/>")),
    Shape(name="CDATA sections", body=text("<![CDATA[x]]>")),
    Shape(name="a CDATA section of <", body=around("<![CDATA[", text("<"), "]]>")),
    Shape(name="CDATA sections and elements", body=elements("<![CDATA[<]]><a/>")),
    Shape(name="comments", body=text("<!---->")),
    Shape(name="comments between text", body=text("x<!---->")),
    Shape(name="white space", body=text(" \n\t")),
    Shape(name="indented elements", body=elements("\n<a/>")),
    Shape(name="an attribute of quotation marks", body=around("<a b='", text('"'), "'/>")),
    Shape(name="an attribute of &#10;", body=around("<a b='", text("&#10;"), "'/>")),
    Shape(name="UTF-16 elements", body=lambda size: elements("<a/>")(size // 2), encode=in_utf16, environ=UTF_16),
    Shape(name="UTF-16 text", body=lambda size: "x" * (size // 2), encode=in_utf16, environ=UTF_16),
    Shape(name="UTF-16 text beyond Latin-1", body=lambda size: "€" * (size // 2), encode=in_utf16, environ=UTF_16),
    Shape(name="Latin-1 text", body=text("é"), encode=lambda octets: octets.decode().encode("latin-1"), environ={"CONTENT_TYPE": "text/xml; charset=iso-8859-1"}),  # noqa: E501
    Shape(name="gzip of text", body=text("x"), encode=gzip.compress, environ={"HTTP_CONTENT_ENCODING": "gzip"}),
)  # fmt: skip
"""An authenticated client may send them too."""

IN_HEADERS: Final = (
    Shape(name="header blocks", header=elements("<a/>")),
    Shape(name="distinct header blocks", header=elements("<a#/>")),
    Shape(name="header blocks in long namespaces", header=elements(f'<a:b# xmlns:a="{LONG}"/>')),
    Shape(name="header blocks in a long namespace", header=elements("<l:b#/>"), envelope=f'xmlns:l="{LONG}"'),
    Shape(name="header blocks that must be understood", header=elements('<a S:mustUnderstand="1"/>')),
    Shape(name="Security headers of others", header=elements('<wsse:Security S:actor="urn:#"/>')),
    Shape(name="Security headers for us", header=elements("<wsse:Security/>")),
    Shape(name="Actions", header=elements('<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">x</a:Action>')),
    Shape(name="BinarySecurityTokens", security=elements("<wsse:BinarySecurityToken/>")),
    Shape(name="UsernameTokens", security=elements("<wsse:UsernameToken/>")),
    Shape(name="Signatures", security=elements("<ds:Signature/>")),
    Shape(name="ReferenceLists", security=elements(f'<x:ReferenceList xmlns:x="{XENC}"/>')),
    Shape(name="EncryptedData", security=elements(f'<x:EncryptedData xmlns:x="{XENC}"/>')),
    Shape(name="unknown tokens", security=elements("<a/>")),
    Shape(name="DataReferences", security=around(f'<x:ReferenceList xmlns:x="{XENC}">', elements("<x:DataReference/>"), "</x:ReferenceList>")),  # noqa: E501
    Shape(name="white space in base64", security=around("<wsse:BinarySecurityToken>AAAA", text(" "), "</wsse:BinarySecurityToken>")),  # noqa: E501
    Shape(name="a Nonce", security=around("<wsse:UsernameToken><wsse:Username>a</wsse:Username><wsse:Nonce>", text("QUJD"), "</wsse:Nonce></wsse:UsernameToken>")),  # noqa: E501
    Shape(name="a Username", security=around("<wsse:UsernameToken><wsse:Username>", text("a"), "</wsse:Username></wsse:UsernameToken>")),  # noqa: E501
)  # fmt: skip
"""Anybody may send them."""
