"""How a message names the certificate of a key (X.509 Token Profile 1.1 §3.2; XML Signature §4.5).

A reference only selects: trust and SignatureValue decide. So names are compared loosely and everything else exactly.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsguard.certificates.decoding import malformed
from wsguard.certificates.foreign import FOREIGN
from wsguard.certificates.naming import names_equal


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReference:
    """What a ds:KeyInfo says of one certificate. Everything that is given must fit the same one."""

    form: str
    """For people: ``DirectReference``, ``IssuerSerial``, ``SKIKeyIdentifier``, ``Thumbprint``, ``X509KeyIdentifier``,
    ``X509Data``, ``KeyValue``; several are joined by " and "."""
    presented: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    """Certificates that the message carries here: the one meant first, then those that may lie above it."""
    issuer: str = ""
    """Distinguished name of the issuer as sent; with ``serial``."""
    serial: int | None = None
    subject: str = ""
    """Distinguished name of the subject as sent."""
    key_identifier: bytes = b""
    """subjectKeyIdentifier."""
    thumbprint: bytes = b""
    """SHA-1 of the certificate in DER."""
    public_key: bytes = field(default=b"", repr=False)
    """SubjectPublicKeyInfo in DER, made of a ds:KeyValue: names a pinned certificate only."""


def fits(reference: CertificateReference, certificate: x509.Certificate) -> bool:
    """Whether ``certificate`` is one that everything in ``reference`` but ``presented`` may mean.

    Args:
        reference: one that gives nothing fits every certificate.
        certificate: any.

    Raises:
        InvalidSecurityToken: ``certificate.malformed``, a field that is asked for cannot be read.
    """
    try:
        return _fits(reference, certificate)
    except FOREIGN:
        raise malformed("a certificate whose every field can be read", "one with a field that cannot") from None


def _fits(reference: CertificateReference, certificate: x509.Certificate) -> bool:
    if reference.serial is not None and reference.serial != certificate.serial_number:
        return False
    if reference.thumbprint and reference.thumbprint != thumbprint_of(certificate):
        return False
    if reference.key_identifier and reference.key_identifier != key_identifier_of(certificate):
        return False
    if reference.public_key and reference.public_key != public_key_of(certificate):
        return False
    if reference.issuer and not names_equal(reference.issuer, certificate.issuer):
        return False
    return not reference.subject or names_equal(reference.subject, certificate.subject)


_KEPT: Final = 256
"""Certificates whose DER is kept: asking the library for it costs more than what is done with it."""


@lru_cache(maxsize=_KEPT)
def octets_of(certificate: x509.Certificate) -> bytes:
    """The certificate in DER."""
    return certificate.public_bytes(Encoding.DER)


def thumbprint_of(certificate: x509.Certificate) -> bytes:
    """SHA-1 of the certificate in DER, which is what WSS 1.1 §7.3 calls its thumbprint."""
    return hashlib.sha1(octets_of(certificate), usedforsecurity=False).digest()


def identity_of(certificate: x509.Certificate) -> str:
    """SHA-256 of what the authority signed, in hexadecimal.

    The signature beside it can be written in several ways, each of them valid, without anybody's key.
    """
    return hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest()


def public_key_of(certificate: x509.Certificate) -> bytes:
    """Its SubjectPublicKeyInfo in DER: the same octets for the same key, however the certificate writes it."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_identifier_of(certificate: x509.Certificate) -> bytes:
    """Its subjectKeyIdentifier; where it has none, RFC 5280 §4.2.1.2 (1): SHA-1 of the key's BIT STRING."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
