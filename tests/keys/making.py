"""Keys and certificates that the tests of this package make, and what they do with files of them."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from wsguard.keys import KeyFileError, load_key
from wsguard.policy.surroundings import KeyFile

PASSWORD = "correct horse"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2036, 1, 1, tzinfo=datetime.UTC)

AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def certify(key: AnyKey, subject: str, issuer_key: AnyKey, issuer: str) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer_name=name(issuer),
        subject_name=name(subject),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=START,
        not_valid_after=END,
    )
    return builder.sign(issuer_key, hashes.SHA256())


class Pki:
    """A root, an intermediate authority and a server."""

    def __init__(self) -> None:
        self.root_key, self.middle_key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
        )
        self.key = rsa.generate_private_key(65537, 2048)
        self.root = certify(self.root_key, "root", self.root_key, "root")
        self.middle = certify(self.middle_key, "middle", self.root_key, "root")
        self.leaf = certify(self.key, "server", self.middle_key, "middle")

    def pem_key(self, encryption: KeySerializationEncryption | None = None) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())

    def p12(self, password: str | None = PASSWORD, friendly: bytes = b"server") -> bytes:
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return pkcs12.serialize_key_and_certificates(
            friendly, self.key, self.leaf, [self.root, self.middle], encryption
        )

    def crl(self) -> x509.CertificateRevocationList:
        builder = x509.CertificateRevocationListBuilder(name("root"), START, END)
        return builder.sign(self.root_key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def write(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path


def locked(password: str = PASSWORD) -> BestAvailableEncryption:
    return BestAvailableEncryption(password.encode())


def key_file(directory: Path, octets: bytes, password: str | None = None, alias: str = "") -> KeyFile:
    """A file of ``octets`` with its password in another one."""
    secret = None if password is None else write(directory / "password.txt", password.encode())
    return KeyFile(file=write(directory / "key.file", octets), password_file=secret, alias=alias)


def refusal(source: KeyFile) -> str:
    with pytest.raises(KeyFileError) as caught:
        load_key(source)
    return str(caught.value)
