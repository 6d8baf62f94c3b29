"""The private keys of a PKCS#12 file with several: ``cryptography`` finds the first one only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from wsguard.keys.octets import Element, Malformed, element

_SET: Final = 0x31
_OCTET_STRING: Final = 0x04
_BMP_STRING: Final = 0x1E
_EXPLICIT_0: Final = 0xA0

_DATA: Final = bytes.fromhex("06092a864886f70d010701")
"""OBJECT IDENTIFIER 1.2.840.113549.1.7.1 in DER: data (RFC 5652 §4)."""
_KEY_BAG: Final = bytes.fromhex("060b2a864886f70d010c0a0101")
"""OBJECT IDENTIFIER 1.2.840.113549.1.12.10.1.1 in DER (RFC 7292 §4.2.1)."""
_SHROUDED_KEY_BAG: Final = bytes.fromhex("060b2a864886f70d010c0a0102")
"""OBJECT IDENTIFIER 1.2.840.113549.1.12.10.1.2 in DER (RFC 7292 §4.2.2)."""
_FRIENDLY_NAME: Final = bytes.fromhex("06092a864886f70d010914")
"""OBJECT IDENTIFIER 1.2.840.113549.1.9.20 in DER (RFC 2985 §5.5.1)."""


@dataclass(frozen=True, slots=True)
class KeyBag:
    """A private key of a PKCS#12 file."""

    alias: str
    """friendlyName; empty where it has none."""
    octets: bytes = field(repr=False)
    """PrivateKeyInfo or EncryptedPrivateKeyInfo in DER."""
    encrypted: bool


def key_bags(octets: bytes) -> tuple[KeyBag, ...]:
    """The keys of a PFX whose MAC was verified, in its order.

    Those only that are encrypted one by one, or not at all, as keytool, OpenSSL and Windows write them: none out of
    encrypted contents, and none of a file in BER that is not DER.
    """
    try:
        return tuple(_bags(octets))
    except Malformed:
        return ()


def _bags(octets: bytes) -> Iterator[KeyBag]:
    for content in _data(element(octets).inner(least=2)[1]).inner(least=0):
        if content.inner()[0].whole == _DATA:
            for bag in _data(content).inner(least=0):
                yield from _key_bag(*bag.inner(least=2))


def _data(content_info: Element) -> Element:
    """The one value in the octets of a ContentInfo that is data (RFC 5652 §3)."""
    return content_info.inner(least=2)[1].inner(_EXPLICIT_0)[0].inner(_OCTET_STRING)[0]


def _key_bag(kind: Element, value: Element, *attributes: Element) -> Iterator[KeyBag]:
    """SafeBag (RFC 7292 §4.2)."""
    if kind.whole in (_KEY_BAG, _SHROUDED_KEY_BAG):
        octets = value.inner(_EXPLICIT_0)[0].whole
        yield KeyBag(_friendly_name(attributes), octets, kind.whole == _SHROUDED_KEY_BAG)


def _friendly_name(attributes: tuple[Element, ...]) -> str:
    for attribute in attributes[0].inner(_SET, least=0) if attributes else ():
        kind, values = attribute.inner(least=2)[:2]
        if kind.whole == _FRIENDLY_NAME:
            name = values.inner(_SET)[0]
            return name.content.decode("utf-16-be", "replace") if name.tag == _BMP_STRING else ""
    return ""
