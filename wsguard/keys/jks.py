"""The content of a JKS keystore: ``sun.security.provider.JavaKeyStore`` of OpenJDK is all the specification it has."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from wsguard.keys.octets import Malformed, Octets

_PRIVATE_KEY: Final = 1
_TRUSTED: Final = 2
_SMALLEST_ENTRY: Final = 14
"""Octets: tag, length of the alias, date."""
_SMALLEST_CERTIFICATE: Final = 4
_DIGEST: Final = hashlib.sha1(usedforsecurity=False).digest_size
_WHITENER: Final = b"Mighty Aphrodite"


@dataclass(frozen=True, slots=True)
class Entry:
    """A private key with its certificates, or a trusted certificate."""

    alias: str
    certificates: tuple[bytes, ...] = field(repr=False)
    """In DER, the key's own first."""
    protected: bytes | None = field(repr=False)
    """EncryptedPrivateKeyInfo (RFC 5958 §3) in DER; None for a trusted certificate."""


def is_intact(octets: bytes, password: str) -> bool:
    """Whether the digest at the end was made over these octets with this password."""
    content, digest = octets[:-_DIGEST], octets[-_DIGEST:]
    own = hashlib.sha1(password.encode("utf-16-be") + _WHITENER + content, usedforsecurity=False).digest()
    return hmac.compare_digest(own, digest)


def entries_of(octets: bytes) -> tuple[Entry, ...]:
    """The entries of a whole keystore, magic number and digest included. The digest is not looked at.

    Raises:
        Malformed: it is damaged, of another version than 1 and 2, or holds something else than keys and certificates.
    """
    source = Octets(octets[:-_DIGEST])
    source.take(4)
    version = source.number(4)
    if version not in (1, 2):
        raise Malformed("a version that is not known")
    entries = tuple(_entry(source, version) for _ in range(_count(source, _SMALLEST_ENTRY)))
    if source.left:
        raise Malformed("octets after the last entry")
    return entries


def _count(source: Octets, smallest: int) -> int:
    """A count that the octets after it are enough for, so that no other one is worked on."""
    count = source.number(4)
    if count * smallest > source.left:
        raise Malformed("a count that there are too few octets for")
    return count


def _entry(source: Octets, version: int) -> Entry:
    tag = source.number(4)
    alias = _text(source)
    source.take(8)
    if tag == _TRUSTED:
        return Entry(alias, (_certificate(source, version),), None)
    if tag != _PRIVATE_KEY:
        raise Malformed("an entry of a kind that is not known")
    protected = source.take(source.number(4))
    count = _count(source, _SMALLEST_CERTIFICATE)
    return Entry(alias, tuple(_certificate(source, version) for _ in range(count)), protected)


def _certificate(source: Octets, version: int) -> bytes:
    """Version 1 does not say its type, which is X.509."""
    if version == 2 and _text(source) not in ("X.509", "X509"):
        raise Malformed("a certificate that is not X.509")
    return source.take(source.number(4))


def _text(source: Octets) -> str:
    """Modified UTF-8 (``java.io.DataInput``): NUL takes two octets, and what is beyond U+FFFF two surrogates."""
    octets = source.take(source.number(2)).replace(b"\xc0\x80", b"\0")
    try:
        return octets.decode("utf-8", "surrogatepass").encode("utf-16-be", "surrogatepass").decode("utf-16-be")
    except UnicodeError as error:
        raise Malformed("text that is not modified UTF-8") from error
