"""Authorities, certificates and revocation lists, made at test time and bent where a test says so.

root = authority("root")
alice = root.leaf("alice")
bob = root.authority("issuing").leaf("bob", key=rsa_key(), not_after=START + YEAR)
crl = root.crl(alice)
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypedDict, Unpack

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where validity starts, unless said otherwise."""
END = datetime(2036, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""Inside it."""
DAY = timedelta(days=1)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
AnyKey = Key | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey
Extension = tuple[x509.ExtensionType, bool]
"""With whether it is critical."""


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """A new key, on P-256 unless said otherwise."""
    return ec.generate_private_key(curve or ec.SECP256R1())


@lru_cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of this number: made once, for they take long."""
    return rsa.generate_private_key(65537, bits)


def name(common_name: str, **others: str) -> x509.Name:
    """A name; ``others`` by the names of ``NameOID`` in lower case, before the common name."""
    given = [x509.NameAttribute(getattr(NameOID, key.upper()), value) for key, value in others.items()]
    return x509.Name([*given, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def key_usage(*usages: str) -> x509.KeyUsage:
    """``key_usage("digital_signature")``."""
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    assert set(usages) <= set(every)
    return x509.KeyUsage(**{one: one in usages for one in every})


class Options(TypedDict, total=False):
    """How a certificate differs from an ordinary one."""

    key: AnyKey
    """Of the subject; a new one on P-256."""
    serial: int
    not_before: datetime
    not_after: datetime
    ca: bool | None
    """basicConstraints; None: none at all."""
    path_length: int | None
    usage: tuple[str, ...] | None
    """keyUsage; None: none at all."""
    ski: bool | bytes
    """subjectKeyIdentifier: the usual one, none, or this."""
    aki: bool
    """authorityKeyIdentifier."""
    extensions: Iterable[Extension]
    """More of them."""
    hash: hashes.HashAlgorithm


@dataclass(frozen=True)
class Issued:
    """A key with its certificate, and who issued it."""

    key: Key = field(repr=False)
    certificate: x509.Certificate
    issuer: "Issued | None" = field(default=None, repr=False)
    """None: itself."""

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificate, those above it, and the root."""
        return (self.certificate, *(self.issuer.chain if self.issuer else ()))

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo in DER."""
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def leaf(self, subject: str | x509.Name = "client", **options: Unpack[Options]) -> "Issued":
        """A certificate that this one signs, whether it may or not: an end entity's, for signing."""
        return _issue(subject, self, {"ca": False, "usage": ("digital_signature",), **options})

    def authority(self, subject: str | x509.Name = "issuing", **options: Unpack[Options]) -> "Issued":
        """The same for an authority."""
        return _issue(subject, self, {**_AUTHORITY, **options})

    def crl(
        self,
        *revoked: "Issued | int",
        since: datetime = START,
        until: datetime = END,
        extensions: Iterable[Extension] = (),
        entry_extensions: Iterable[Extension] = (),
    ) -> x509.CertificateRevocationList:
        """A revocation list that this one signs."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, since, until)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        for one in revoked:
            serial = one if isinstance(one, int) else one.certificate.serial_number
            entry = x509.RevokedCertificateBuilder(serial, since)
            for extension, critical in entry_extensions:
                entry = entry.add_extension(extension, critical)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256())


_AUTHORITY: Options = {"ca": True, "usage": ("key_cert_sign", "crl_sign")}


def authority(subject: str | x509.Name = "root", **options: Unpack[Options]) -> Issued:
    """An authority that signed itself."""
    return _issue(subject, None, {**_AUTHORITY, **options})


def self_signed(subject: str | x509.Name = "client", **options: Unpack[Options]) -> Issued:
    """An end entity that signed itself."""
    return _issue(subject, None, {"ca": False, "usage": ("digital_signature",), **options})


def _issue(subject: str | x509.Name, issuer: Issued | None, options: Options) -> Issued:
    key = options.get("key") or ec_key()
    subject = name(subject) if isinstance(subject, str) else subject
    builder = x509.CertificateBuilder(
        issuer_name=issuer.certificate.subject if issuer else subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=options.get("serial") or x509.random_serial_number(),
        not_valid_before=options.get("not_before", START),
        not_valid_after=options.get("not_after", END),
    )
    for extension, critical in _extensions(key, issuer, options):
        builder = builder.add_extension(extension, critical)
    signer = issuer.key if issuer else key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else options.get("hash", hashes.SHA256())
    # Keys of kinds that are refused are issued too, and used by nobody.
    return Issued(key, builder.sign(signer, algorithm), issuer)  # type: ignore[arg-type]


def _extensions(key: AnyKey, issuer: Issued | None, options: Options) -> Iterable[Extension]:
    ca, usage, ski = options.get("ca"), options.get("usage"), options.get("ski", True)
    if ca is not None:
        yield x509.BasicConstraints(ca, options.get("path_length")), ca
    if usage is not None:
        yield key_usage(*usage), True
    if ski is True:
        yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    elif ski:
        yield x509.SubjectKeyIdentifier(ski), False
    if issuer is not None and options.get("aki", True):
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False
    yield from options.get("extensions", ())


def weakly_signed(leaf: Issued, algorithm: "hashes.SHA1 | hashes.MD5") -> x509.Certificate:
    """The same certificate signed with RSA and SHA-1 or MD5, which ``cryptography`` itself no longer makes."""
    assert leaf.issuer is not None
    assert isinstance(leaf.issuer.key, rsa.RSAPrivateKey)
    strong = bytes.fromhex("2a864886f70d01010b")
    weak = strong[:-1] + (b"\x05" if isinstance(algorithm, hashes.SHA1) else b"\x04")
    tbs = leaf.certificate.tbs_certificate_bytes.replace(strong, weak)
    octets = leaf.der.replace(strong, weak)
    signature = leaf.issuer.key.sign(tbs, padding.PKCS1v15(), algorithm)
    return x509.load_der_x509_certificate(octets[: -len(signature)] + signature)
