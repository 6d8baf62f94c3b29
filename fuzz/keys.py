"""Keys and certificates of the targets. Those that stand in messages are the same in every process."""

import atexit
from datetime import timedelta
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pki import END, START, Issued, Key, key_usage, name, rsa_key


def _key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def issued(subject: str, number: int, issuer: Issued | None = None, key: Key | None = None) -> Issued:
    """A certificate with the serial number ``number`` that is always the same; without an issuer, an authority's."""
    key = key or _key(number)
    signer = key if issuer is None else issuer.key
    builder = x509.CertificateBuilder(
        issuer_name=name(subject) if issuer is None else issuer.certificate.subject,
        subject_name=name(subject),
        public_key=key.public_key(),
        serial_number=number,
        not_valid_before=START,
        not_valid_after=END,
    )
    usage = ("key_cert_sign", "crl_sign") if issuer is None else ("digital_signature",)
    builder = builder.add_extension(x509.BasicConstraints(issuer is None, None), issuer is None)
    builder = builder.add_extension(key_usage(*usage), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    if issuer is not None:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(authority, False)
    return Issued(key, builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True), issuer)


ROOT: Final = issued("Root", 1)
ALICE: Final = issued("Alice", 2, ROOT)
"""Who signs."""
MALLORY: Final = issued("Mallory", 3, ROOT)
"""Somebody else who is trusted, and signs nothing."""
STRANGER: Final = issued("Alice", 2, issued("Root", 1, key=_key(4)), _key(5))
"""Somebody whose authority has the name of ours."""


@cache
def server() -> Issued:
    """Whom messages are encrypted for. Its key is a new one in each process, and stands in no message."""
    return issued("Server", 6, ROOT, rsa_key(6))


@cache
def directory() -> Path:
    """Where the files of configurations are; removed when the process ends in an orderly way."""
    made = Path(mkdtemp(prefix="wsguard-fuzz-"))
    atexit.register(rmtree, made, ignore_errors=True)
    return made


def file(name: str, octets: bytes) -> Path:
    """A file of these octets."""
    path = directory() / name
    path.write_bytes(octets)
    return path


def crl(*revoked: Issued) -> bytes:
    """A revocation list of the root in DER, the same in every process but for its signature."""
    return ROOT.crl(*revoked, until=END + timedelta(days=1)).public_bytes(Encoding.DER)
