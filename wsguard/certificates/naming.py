"""Distinguished names as texts (RFC 4514, and what RFC 2253, RFC 1779, Java, .NET and OpenSSL make of it), held loosely
against names in certificates.

The comparison only selects a certificate, so it forgives: case, white space, the spelling of attribute types, and the
direction in which the parts are listed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography import x509

LONGEST_NAME: Final = 2048
"""Characters of a text that is looked at; real names have fewer than 300."""

NameKey = tuple[tuple[tuple[str, str], ...], ...]
"""A name in the form that is compared: parts of (type, folded value)."""

_OIDS: Final = MappingProxyType(
    {
        "CN": "2.5.4.3", "COMMONNAME": "2.5.4.3",
        "SN": "2.5.4.4", "SURNAME": "2.5.4.4",
        "SERIALNUMBER": "2.5.4.5",
        "C": "2.5.4.6", "COUNTRYNAME": "2.5.4.6",
        "L": "2.5.4.7", "LOCALITYNAME": "2.5.4.7",
        "ST": "2.5.4.8", "S": "2.5.4.8", "SP": "2.5.4.8", "STATEORPROVINCENAME": "2.5.4.8",
        "STREET": "2.5.4.9", "STREETADDRESS": "2.5.4.9",
        "O": "2.5.4.10", "ORGANIZATIONNAME": "2.5.4.10",
        "OU": "2.5.4.11", "ORGANIZATIONALUNITNAME": "2.5.4.11",
        "T": "2.5.4.12", "TITLE": "2.5.4.12",
        "DESCRIPTION": "2.5.4.13",
        "BUSINESSCATEGORY": "2.5.4.15",
        "POSTALCODE": "2.5.4.17",
        "NAME": "2.5.4.41",
        "G": "2.5.4.42", "GN": "2.5.4.42", "GIVENNAME": "2.5.4.42",
        "I": "2.5.4.43", "INITIALS": "2.5.4.43",
        "GENERATION": "2.5.4.44", "GENERATIONQUALIFIER": "2.5.4.44",
        "DNQ": "2.5.4.46", "DNQUALIFIER": "2.5.4.46",
        "PSEUDONYM": "2.5.4.65",
        "ORGANIZATIONIDENTIFIER": "2.5.4.97",
        "UID": "0.9.2342.19200300.100.1.1", "USERID": "0.9.2342.19200300.100.1.1",
        "DC": "0.9.2342.19200300.100.1.25", "DOMAINCOMPONENT": "0.9.2342.19200300.100.1.25",
        "E": "1.2.840.113549.1.9.1", "EMAIL": "1.2.840.113549.1.9.1", "EMAILADDRESS": "1.2.840.113549.1.9.1",
        "UNSTRUCTUREDNAME": "1.2.840.113549.1.9.2",
    }
)  # fmt: skip
"""Keywords of RFC 4519, RFC 1779, Java, .NET and OpenSSL, in capitals."""

_CHARSETS: Final = MappingProxyType(
    {12: "utf-8", 18: "ascii", 19: "ascii", 20: "latin-1", 22: "ascii", 26: "ascii", 28: "utf-32-be", 30: "utf-16-be"}
)
"""Tags of ASN.1's character strings (ITU-T X.680 §8.6)."""

_TYPE: Final = re.compile(r"\s*(?:OID\.)?(\d+(?:\.\d+)+|[A-Z][A-Z0-9-]*)\s*=\s*", re.IGNORECASE | re.ASCII)
_VALUE: Final = re.compile(
    r"""\#(?P<hex>(?:[0-9A-F]{2})+)\s*(?=[,;+]|\Z)      # the value in BER
    |   "(?P<quoted>(?:[^"\\]|\\.|"")*)"\s*(?=[,;+]|\Z) # RFC 1779; .NET doubles quotes inside
    |   (?P<plain>(?:[^,;+\\]|\\.)*)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_PIECE: Final = re.compile(r'\\([0-9A-F]{2})|\\(.)|""|([^\\"]+|")', re.IGNORECASE | re.DOTALL)


def names_equal(text: str, name: x509.Name) -> bool:
    """Whether ``text`` may be how somebody writes ``name``; False for what is no name or is longer than 2,048."""
    return name_key(text) == key_of(name)


@lru_cache(maxsize=256)
def name_key(text: str) -> NameKey | None:
    """The name in ``text`` as it is compared; None where there is none, or the text is longer than 2,048."""
    if len(text) > LONGEST_NAME:
        return None
    try:
        return _either_way(_parts(text))
    except ValueError:
        return None


def key_of(name: x509.Name) -> NameKey:
    """The name of a certificate as it is compared with a text."""
    return _either_way(parts_of(name))


def parts_of(name: x509.Name) -> NameKey:
    """The parts of a certificate's name in their order, each folded: those of equal names are equal."""
    return tuple(tuple(sorted((entry.oid.dotted_string, _fold(entry.value)) for entry in rdn)) for rdn in name.rdns)


def _either_way(parts: Iterable[Iterable[tuple[str, str]]]) -> NameKey:
    """LDAP's texts start with the last part, X.500's with the first."""
    key = tuple(tuple(sorted(part)) for part in parts)
    return min(key, key[::-1])


def _fold(value: str | bytes) -> str:
    """RFC 5280 §7.1, roughly: case and white space mean nothing."""
    if isinstance(value, bytes):
        return f"#{value.hex()}"
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _parts(text: str) -> list[list[tuple[str, str]]]:
    parts: list[list[tuple[str, str]]] = []
    for joined, oid, value in _attributes(text):
        if joined:
            parts[-1].append((oid, value))
        else:
            parts.append([(oid, value)])
    return parts


def _attributes(text: str) -> Iterator[tuple[bool, str, str]]:
    """Each attribute: whether it belongs to the part of the one before, its type, its folded value.

    Raises:
        ValueError: that is no name.
    """
    at, separator = 0, ","
    while separator:
        kind = _TYPE.match(text, at)
        if kind is None:
            raise ValueError("no attribute type")
        value = _VALUE.match(text, kind.end())
        if value is None:
            raise ValueError("no value")
        yield separator == "+", _oid(kind[1]), _fold(_value(value))
        at, separator = value.end() + 1, text[value.end() : value.end() + 1]


def _oid(keyword: str) -> str:
    if keyword[0].isdigit():
        return keyword
    oid = _OIDS.get(keyword.upper())
    if oid is None:
        raise ValueError("a keyword that nobody uses")
    return oid


def _value(found: re.Match[str]) -> str | bytes:
    if found["hex"] is not None:
        return _from_ber(bytes.fromhex(found["hex"]))
    return _unescaped(found["plain"] if found["quoted"] is None else found["quoted"], found["quoted"] is not None)


def _unescaped(raw: str, quoted: bool) -> str:
    """RFC 4514 §3: pairs of hexadecimal digits are octets of UTF-8."""
    octets = bytearray()
    for piece in _PIECE.finditer(raw):
        if piece[1] is not None:
            octets += bytes.fromhex(piece[1])
        elif piece[0] == '""':
            octets += b'"' if quoted else b'""'
        else:
            octets += (piece[3] if piece[2] is None else piece[2]).encode()
    return octets.decode()


def _from_ber(octets: bytes) -> str | bytes:
    """A character string's text; the content of anything else. Lengths up to 127 and of one or two octets."""
    size = octets[1] & 0x7F if len(octets) > 1 and octets[1] & 0x80 else 0
    charset = _CHARSETS.get(octets[0])
    content = octets[2 + size :]
    return content if charset is None else content.decode(charset)
