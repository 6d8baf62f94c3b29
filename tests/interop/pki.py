"""A throw-away PKI for one run: authorities, clients in their good and bad kinds, and a revocation list, as files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

PASSWORD: Final = "interop"
SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)
UNTIL: Final = datetime(2049, 12, 31, tzinfo=UTC)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Identity:
    """A certificate, its key, and its issuers up to the root."""

    def __init__(
        self,
        subject: x509.Name,
        issuer: "Identity | None" = None,
        *,
        key: PrivateKey | None = None,
        authority: bool = False,
        until: datetime = UNTIL,
    ) -> None:
        """Valid since ``SINCE``; without ``issuer`` its own."""
        self.key: Final[PrivateKey] = key or rsa.generate_private_key(65537, 2048)
        signer = issuer or self
        named = signer.certificate.subject if issuer else subject
        builder = x509.CertificateBuilder(named, subject, self.key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(SINCE).not_valid_after(until)
        for extension, critical in _extensions(self.key, signer.key, authority):
            builder = builder.add_extension(extension, critical)
        self.certificate: Final[x509.Certificate] = builder.sign(signer.key, hashes.SHA256())
        self.issuers: Final[tuple[x509.Certificate, ...]] = (issuer.certificate, *issuer.issuers) if issuer else ()

    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        """The key, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def p12(self, alias: str) -> bytes:
        """Certificate, key and issuers in PKCS#12 under ``PASSWORD``, as Java 8 and later read it."""
        protection = (
            serialization.PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2048)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())
            .build(PASSWORD.encode())
        )
        issuers = list(self.issuers)
        return pkcs12.serialize_key_and_certificates(alias.encode(), self.key, self.certificate, issuers, protection)


def _extensions(key: PrivateKey, issuer: PrivateKey, authority: bool) -> list[tuple[x509.ExtensionType, bool]]:
    usage = x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority and isinstance(key, rsa.RSAPrivateKey),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    return [
        (x509.BasicConstraints(ca=authority, path_length=None), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False),
    ]


def name(common_name: str, *others: x509.NameAttribute[str]) -> x509.Name:
    """A distinguished name whose most specific part is ``common_name``."""
    return x509.Name([*others, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


ODD: Final = (
    x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
    x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Größe, "Söhne" + Co; <#1>'),
    x509.NameAttribute(NameOID.EMAIL_ADDRESS, "pki@example.org"),
    x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, " a space before"),
)
"""Parts of a name that its spellings must escape (RFC 4514 §2.4), and one whose type has no short name there."""


class Pki:
    """The files: ``NAME.pem``, ``NAME.key``, ``NAME.pair`` of both, ``NAME.p12`` for each identity, and ``ca.crl``."""

    def __init__(self, directory: Path) -> None:
        self._directory: Final = directory
        ca = Identity(name("Interop CA", ODD[0]), authority=True)
        between = Identity(name("Interop intermediate CA"), ca, authority=True)
        odd = Identity(name("Odd CA", *ODD), authority=True)
        foreign = Identity(name("Interop CA", ODD[0]), authority=True)
        revoked = Identity(name("revoked"), ca)
        for alias, identity in {
            "ca": ca,
            "between": between,
            "odd-ca": odd,
            "client": Identity(name("client"), ca),
            "ec": Identity(name("ec"), ca, key=ec.generate_private_key(ec.SECP256R1())),
            "chained": Identity(name("chained"), between),
            "odd": Identity(name("odd"), odd),
            "foreign": Identity(name("client"), foreign),
            "expired": Identity(name("expired"), ca, until=SINCE + timedelta(days=365)),
            "revoked": revoked,
            "server": Identity(name("server"), ca),
            "odd-server": Identity(name("odd server"), odd),
        }.items():
            self._write(alias, "pem", identity.pem())
            self._write(alias, "key", identity.key_pem())
            self._write(alias, "pair", identity.key_pem() + identity.pem())
            self._write(alias, "p12", identity.p12(alias))
        self._write("ca", "crl", _revoking(ca, revoked))

    def file(self, alias: str, kind: str) -> str:
        """The path of a file."""
        return str(self._directory / f"{alias}.{kind}")

    def _write(self, alias: str, kind: str, octets: bytes) -> None:
        (self._directory / f"{alias}.{kind}").write_bytes(octets)


def _revoking(issuer: Identity, revoked: Identity) -> bytes:
    entry = x509.RevokedCertificateBuilder(revoked.certificate.serial_number, SINCE + timedelta(days=1)).build()
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, SINCE, UNTIL)
    listing = builder.add_revoked_certificate(entry).sign(issuer.key, hashes.SHA256())
    return listing.public_bytes(serialization.Encoding.PEM)
