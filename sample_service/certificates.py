"""The club's own authority and keystore, and what the demo signs with: good certificates, and each kind of bad one.

The clients' keys lie beside the service here, so that ``make demo`` and ``make serve`` need nothing else; a real client
keeps its own. The authority's key is not kept at all: the certificates are good for a year, and then the directory is
deleted and made anew.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

CA: Final = "ca.pem"
REVOKED: Final = "revoked.pem"
CLUB: Final = "club"
"""The club itself: what is encrypted is encrypted for it, and it signs its answers."""
ACCOUNTING: Final = "accounting"
"""The accounting system: its messages are charged."""
EXPIRED: Final = "accounting-last-year"
"""The same, with the certificate that it had before."""
STOLEN: Final = "accounting-stolen"
"""A certificate of Accounting that was revoked."""
CANTEEN: Final = "canteen"
"""Another system of the club, with a certificate of the same authority."""
PEGA: Final = "pega"
"""The insurer's case system, which runs on Pega."""
PEGA_OLD: Final = "pega-old"
"""The one that it takes over from: it can do no better than Pega's published example."""
STRANGER: Final = "stranger"
"""Who calls itself Accounting, under an authority of its own."""

_YEAR: Final = timedelta(days=365)
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where a client has its key and its certificate, both in PEM."""

    key: Path = field(repr=False)
    certificate: Path


def key_pair(directory: Path, client: str) -> KeyPair:
    """The files of one of the clients above, in a directory that ``make_certificates`` made."""
    return KeyPair(directory / f"{client}-key.pem", directory / f"{client}.pem")


@dataclass(frozen=True, slots=True)
class Keystore:
    """Where somebody has a PKCS#12 file with key and certificate, the password of it, and the certificate in PEM."""

    file: Path
    password: Path = field(repr=False)
    certificate: Path

    @property
    def source(self) -> dict[str, Path]:
        """As ``[keys]`` of ``wsguard.toml`` and ``wsguard.client`` take it."""
        return {"file": self.file, "password_file": self.password}


def keystore(directory: Path, owner: str) -> Keystore:
    """The files of ``CLUB``, ``PEGA`` or ``PEGA_OLD``, in a directory that ``make_certificates`` made."""
    return Keystore(directory / f"{owner}.p12", directory / f"{owner}.password", directory / f"{owner}.pem")


def make_certificates(directory: Path) -> None:
    """Make ``directory`` with everything in it, unless it is there already.

    In one step: another worker of the same server may be starting, and a certificate of one authority is of no use
    under the other's.
    """
    if directory.exists():
        return
    with tempfile.TemporaryDirectory(dir=directory.parent) as name:
        made = Path(name) / directory.name
        made.mkdir()
        for file, octets in _files(datetime.now(UTC)):
            _write(made / file, octets)
        try:
            made.rename(directory)
        except OSError:
            # The other worker was faster: a directory takes no place of one that has something in it.
            if not directory.exists():
                raise


def _write(file: Path, octets: bytes) -> None:
    mode = 0o600 if file.stem.endswith("-key") or file.suffix in (".p12", ".password") else 0o644
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as written:
        written.write(octets)


def _files(now: datetime) -> Iterator[tuple[str, bytes]]:
    ours, theirs = _authority("Example Club CA", now), _authority("Example Club CA", now)
    yield CA, _pem(ours.certificate)
    stolen = ours.issue(STOLEN, "Accounting", now)
    yield REVOKED, ours.revoke(stolen.certificate, now)
    yield from _pair(ACCOUNTING, ours.issue(ACCOUNTING, "Accounting", now))
    yield from _pair(EXPIRED, ours.issue(ACCOUNTING, "Accounting", now - _YEAR - timedelta(days=1)))
    yield from _pair(STOLEN, stolen)
    yield from _pair(CANTEEN, ours.issue(CANTEEN, "Canteen", now))
    yield from _pair(STRANGER, theirs.issue(ACCOUNTING, "Accounting", now))
    yield from _keystore(CLUB, ours.issue(CLUB, "Service", now), ours.certificate)
    yield from _keystore(PEGA, ours.issue(PEGA, "Claims", now), ours.certificate)
    yield from _keystore(PEGA_OLD, ours.issue(PEGA_OLD, "Claims", now), ours.certificate)


def _pair(client: str, identity: "_Identity") -> Iterator[tuple[str, bytes]]:
    yield f"{client}.pem", _pem(identity.certificate)
    yield f"{client}-key.pem", identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _keystore(owner: str, identity: "_Identity", authority: x509.Certificate) -> Iterator[tuple[str, bytes]]:
    password = secrets.token_urlsafe().encode()
    yield f"{owner}.pem", _pem(identity.certificate)
    yield f"{owner}.password", password + b"\n"
    yield (
        f"{owner}.p12",
        serialize_key_and_certificates(
            owner.encode(), identity.key, identity.certificate, [authority], BestAvailableEncryption(password)
        ),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


# --- What an authority does -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Identity:
    """A key and the certificate for it."""

    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    def issue(self, client: str, unit: str, now: datetime) -> "_Identity":
        """A certificate for signing and for being encrypted for, valid for a year from ``now``."""
        key = _new_key()
        builder = _builder(_name(client, unit), self.certificate.subject, key, now)
        signed = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        signed = signed.add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
        return _Identity(key, signed.sign(self.key, hashes.SHA256()))

    def revoke(self, certificate: x509.Certificate, now: datetime) -> bytes:
        """A list with one certificate in it, in PEM. The next one is due when the authority itself ends."""
        entry = x509.RevokedCertificateBuilder(certificate.serial_number, now - _SKEW).build()
        end = self.certificate.not_valid_after_utc
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, now - _SKEW, end)
        return builder.add_revoked_certificate(entry).sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _authority(common_name: str, now: datetime) -> _Identity:
    key, name = _new_key(), _name(common_name, "")
    # Older than the oldest certificate that it issued.
    builder = _builder(name, name, key, now, since=now - 2 * _YEAR)
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    signed = signed.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return _Identity(key, signed.sign(key, hashes.SHA256()))


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str, unit: str) -> x509.Name:
    names = [(NameOID.ORGANIZATION_NAME, "Example Club"), (NameOID.ORGANIZATIONAL_UNIT_NAME, unit)]
    given = [x509.NameAttribute(oid, value) for oid, value in (*names, (NameOID.COMMON_NAME, common_name)) if value]
    return x509.Name(given)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now: datetime, since: datetime | None = None
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=(since or now) - _SKEW,
        not_valid_after=now + _YEAR,
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
