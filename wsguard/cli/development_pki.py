"""A certificate authority, a server and a client for development, named so that nobody mistakes them."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

LIFETIME: Final = timedelta(days=397)
"""CA/Browser Forum baseline requirements §6.3.2: the longest life of a server certificate until 2026."""

CLIENT: Final = "wsguard development client"
"""Common name of the client, which the configuration to start from takes signatures of."""

_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class DevelopmentPki:
    """The files of a development authority, one server and one client that signs."""

    ca_certificate: bytes
    """PEM."""
    ca_key: bytes = field(repr=False)
    """PEM, unencrypted."""
    server: bytes = field(repr=False)
    """PKCS#12 with the server's key, its certificate and the authority's."""
    server_password: str = field(repr=False)
    client_certificate: bytes
    """PEM."""
    client_key: bytes = field(repr=False)
    """PEM, unencrypted."""


def make_development_pki(now: datetime) -> DevelopmentPki:
    """A new authority, a server certificate and a client certificate under it, valid for ``LIFETIME`` from ``now``."""
    ca_key, server_key, client_key = _rsa_key(), _rsa_key(), _rsa_key()
    ca_name = _name("wsguard development CA")
    authority = (
        _builder(ca_name, ca_name, ca_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    server = _issued(
        _builder(_name("wsguard development server"), ca_name, server_key, now),
        _key_usage(digital_signature=True, key_encipherment=True),
        ca_key,
    )
    client = _issued(_builder(_name(CLIENT), ca_name, client_key, now), _key_usage(digital_signature=True), ca_key)
    password = secrets.token_urlsafe(24)
    encryption = BestAvailableEncryption(password.encode())
    return DevelopmentPki(
        ca_certificate=authority.public_bytes(Encoding.PEM),
        ca_key=_pem(ca_key),
        server=pkcs12.serialize_key_and_certificates(b"server", server_key, server, [authority], encryption),
        server_password=password,
        client_certificate=client.public_bytes(Encoding.PEM),
        client_key=_pem(client_key),
    )


def _issued(builder: x509.CertificateBuilder, usage: x509.KeyUsage, ca_key: rsa.RSAPrivateKey) -> x509.Certificate:
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _SKEW,
        not_valid_after=now + LIFETIME,
    )
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _key_usage(
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
