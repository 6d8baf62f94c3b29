"""A private key and its certificates: whether they belong together, and whether the key is one that is taken."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsguard.keys.errors import FOREIGN, KeyFileError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""The kinds of key that XML Signature and XML Encryption have identifiers for here."""

SMALLEST_RSA_BITS: Final = 2048
"""NIST SP 800-131A revision 2, §3: smaller moduli are disallowed for making signatures."""

MOST_CERTIFICATES: Final = 1000
"""Beside a private key: system-wide bundles have some 150."""
LONGEST_CHAIN: Final = 8
"""As in a message: each link is a signature to verify, under the key of every certificate that is left."""

_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and what vouches for it."""

    private_key: PrivateKey = field(repr=False)
    certificate: x509.Certificate | None
    """The certificate of this key; None where the file has no certificate at all."""
    chain: tuple[x509.Certificate, ...] = ()
    """The certificates above it that the file has, nearest first."""


def out_of_date(certificate: x509.Certificate, now: datetime) -> str:
    """Why ``certificate`` is not valid at ``now``, which is aware; empty where it is."""
    if now < certificate.not_valid_before_utc:
        return f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    if now > certificate.not_valid_after_utc:
        return f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return ""


def pair(path: Path, key: object, certificates: Iterable[x509.Certificate]) -> KeyPair:
    """``key`` with its own one of ``certificates`` and those above that one.

    Raises:
        KeyFileError: the key is of a kind that is not taken, or there are certificates and none is the key's, or too
            many of them.
    """
    private = _supported(path, key)
    certificates = list(certificates)
    if len(certificates) > MOST_CERTIFICATES:
        raise KeyFileError(
            f"{path}: {len(certificates)} certificates beside a private key, more than {MOST_CERTIFICATES}"
        )
    if not certificates:
        return KeyPair(private, None)
    own = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = next((entry for entry in certificates if _public_key(entry) == own), None)
    if leaf is None:
        raise KeyFileError(f"{path}: none of its certificates belongs to its private key")
    return KeyPair(private, leaf, _chain(path, leaf, certificates))


def demand_strength(path: Path, key: PrivateKey, min_rsa_bits: int) -> None:
    """Let pass an EC key, and an RSA key of at least ``min_rsa_bits``.

    Raises:
        KeyFileError: the RSA key is shorter.
    """
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < min_rsa_bits:
        raise KeyFileError(f"{path}: the RSA key is weak: {key.key_size} bits, at least {min_rsa_bits} needed")


def _supported(path: Path, key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if not isinstance(key.curve, _CURVES):
            raise KeyFileError(f"{path}: EC keys on {key.curve.name} are not supported; P-256, P-384 and P-521 are")
        return key
    kind = type(key).__name__.removesuffix("PrivateKey")
    raise KeyFileError(f"{path}: {kind} keys are not supported; RSA and EC keys are")


def _public_key(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except FOREIGN:
        return None


def _chain(
    path: Path, leaf: x509.Certificate, certificates: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    chain: list[x509.Certificate] = []
    left = [entry for entry in certificates if entry != leaf]
    while above := next((entry for entry in left if _issued((chain or [leaf])[-1], entry)), None):
        chain.append(above)
        if len(chain) > LONGEST_CHAIN:
            raise KeyFileError(f"{path}: more than {LONGEST_CHAIN} certificates above each other")
        left = [entry for entry in left if entry != above]
    return tuple(chain)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*FOREIGN, InvalidSignature):
        return False
    return True
