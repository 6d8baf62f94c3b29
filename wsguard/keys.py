"""Private keys, certificates, revocation lists and shared keys, read from the files that the configuration names.

Read once, when the guard is made. Files are told apart by content, never by name: keytool writes PKCS#12 under the name
``.jks``. A file that cannot be used is a ``KeyFileError`` whose text says what is wrong with it and never quotes what
is in it.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, pkcs12

from wsguard.policy.surroundings import KeyFile, SharedKey

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""The kinds of key that XML Signature and XML Encryption have identifiers for here."""

SMALLEST_RSA_BITS: Final = 2048
"""NIST SP 800-131A revision 2, §3: smaller moduli are disallowed for making signatures."""

SMALLEST_SHARED_KEY: Final = 16
"""Bytes. NIST SP 800-131A revision 2, §10, asks 112 bits of an HMAC key; 128 is the shortest AES key."""

_JAVA_MAGIC: Final = {b"\xfe\xed\xfe\xed": "JKS", b"\xce\xce\xce\xce": "JCEKS"}
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_PRIVATE_KEYS: Final = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_CRLS: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_FOREIGN: Final = (ValueError, TypeError, UnsupportedAlgorithm)
"""What ``cryptography`` raises for a file that it cannot read."""


class KeyFileError(ValueError):
    """A key file of the configuration cannot be used. The text is for the operator and holds no secret."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and what vouches for it."""

    private_key: PrivateKey = field(repr=False)
    certificate: x509.Certificate | None
    """The certificate of this key; None where the file has no certificate at all."""
    chain: tuple[x509.Certificate, ...] = ()
    """The certificates above it that the file has, nearest first."""


def load_key(source: KeyFile, *, min_rsa_bits: int = SMALLEST_RSA_BITS) -> KeyPair:
    """The private key in ``source``, with its certificate and chain where the file has them.

    Args:
        source: a PEM file (one private key, any certificates) or a PKCS#12 file.
        min_rsa_bits: smallest RSA modulus, in bits, that is not called weak.

    Raises:
        KeyFileError: the file or its password cannot be read, the password is wrong, missing or not needed, there is no
            private key or more than one in it, no certificate in it is the key's, the key is weak, or it is neither
            RSA nor EC on P-256, P-384 or P-521.
    """
    octets = _read(source.file)
    password = _password(source)
    if kind := _JAVA_MAGIC.get(octets[:4]):
        raise KeyFileError(_java_keystore(source.file, kind))
    if b"-----BEGIN " in octets:
        pair = _from_pem(source, octets, password)
    elif _is_pkcs12(octets):
        pair = _from_pkcs12(source, octets, password)
    else:
        raise KeyFileError(f"{source.file}: neither PEM nor PKCS#12")
    _demand_strength(source.file, pair.private_key, min_rsa_bits)
    return pair


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """All certificates in ``path``, in its order: PEM with one or several, or DER with one.

    Raises:
        KeyFileError: the file cannot be read, has no certificate, or one in it is damaged.
    """
    octets = _read(path)
    if kind := _JAVA_MAGIC.get(octets[:4]):
        raise KeyFileError(_java_keystore(path, kind))
    if b"-----BEGIN " not in octets:
        return (_der_certificate(path, octets),)
    return _pem_certificates(path, octets) or _none(path, "certificate")


def load_crls(path: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """All revocation lists in ``path``, in its order: PEM with one or several, or DER with one.

    Raises:
        KeyFileError: the file cannot be read, has no revocation list, or one in it is damaged.
    """
    octets = _read(path)
    try:
        if b"-----BEGIN " not in octets:
            return (x509.load_der_x509_crl(octets),)
        lists = tuple(x509.load_pem_x509_crl(match[0]) for match in _CRLS.finditer(octets))
    except _FOREIGN as error:
        raise KeyFileError(f"{path}: not a revocation list that can be read, in PEM or DER") from error
    return lists or _none(path, "revocation list")


def load_shared_key(source: SharedKey) -> bytes:
    """The symmetric key that ``source`` names, decoded from base64.

    Raises:
        KeyFileError: the variable or file cannot be read, is not base64, or holds fewer than 16 bytes.
    """
    where = f"environment variable {source.key_env}" if source.key_env else str(source.key_file)
    text = _variable(source.key_env, "key_env") if source.key_file is None else _one_line(source.key_file)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # The decoder's own error is cut off: it may quote what it read.
        raise KeyFileError(f"{where}: the shared key {source.name!r} is not base64") from None
    if len(key) < SMALLEST_SHARED_KEY:
        raise KeyFileError(
            f"{where}: the shared key {source.name!r} is weak: {len(key)} bytes, at least {SMALLEST_SHARED_KEY} needed"
        )
    return key


# --- Files and passwords ----------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error


def _one_line(path: Path) -> bytes:
    return _read(path).removesuffix(b"\n").removesuffix(b"\r")


def _variable(name: str, setting: str) -> bytes:
    value = os.environ.get(name)
    if value is None:
        raise KeyFileError(f"there is no environment variable {name} ({setting})")
    return os.fsencode(value)


def _password(source: KeyFile) -> bytes | None:
    if source.password_file is not None:
        return _one_line(source.password_file)
    return _variable(source.password_env, "password_env") if source.password_env else None


def _refused_password(path: Path, password: bytes | None) -> str:
    if password is None:
        return f"{path}: no password was given, and the key needs one: set password_env or password_file"
    return f"{path}: wrong password, or the file is damaged"


def _none(path: Path, what: str) -> tuple[()]:
    raise KeyFileError(f"{path}: no {what} in it")


def _java_keystore(path: Path, kind: str) -> str:
    return (
        f"{path}: a {kind} keystore; this version reads PEM and PKCS#12. Convert it: "
        f"keytool -importkeystore -srckeystore {path.name} -destkeystore new.p12 -deststoretype PKCS12"
    )


# --- PEM --------------------------------------------------------------------------------------------------------------


def _from_pem(source: KeyFile, octets: bytes, password: bytes | None) -> KeyPair:
    if source.alias:
        raise KeyFileError(f"{source.file}: alias is for PKCS#12; entries of a PEM file have no names")
    keys = [match[0] for match in _PRIVATE_KEYS.finditer(octets)]
    if len(keys) != 1:
        count = "several private keys" if keys else "no private key"
        raise KeyFileError(f"{source.file}: {count} in it, exactly one is needed")
    key = _supported(source.file, _pem_key(source.file, keys[0], password))
    return _pair(source.file, key, _pem_certificates(source.file, octets))


def _pem_key(path: Path, octets: bytes, password: bytes | None) -> object:
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in octets or b"Proc-Type: 4,ENCRYPTED" in octets
    if password is not None and not encrypted:
        raise KeyFileError(
            f"{path}: a password is configured, but the key is not encrypted: encrypt it, or take it away"
        )
    try:
        return load_pem_private_key(octets, password)
    except UnsupportedAlgorithm as error:
        raise KeyFileError(f"{path}: a kind of key or encryption that is not supported") from error
    except (ValueError, TypeError) as error:
        reason = _refused_password(path, password) if encrypted else f"{path}: the private key is damaged"
        raise KeyFileError(reason) from error


def _pem_certificates(path: Path, octets: bytes) -> tuple[x509.Certificate, ...]:
    if b"-----BEGIN CERTIFICATE-----" not in octets:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(octets))
    except _FOREIGN as error:
        raise KeyFileError(f"{path}: a certificate in it is damaged") from error


def _der_certificate(path: Path, octets: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(octets)
    except _FOREIGN as error:
        raise KeyFileError(f"{path}: no certificate that can be read, in PEM or DER") from error


# --- PKCS#12 ----------------------------------------------------------------------------------------------------------


def _is_pkcs12(octets: bytes) -> bool:
    """Whether this is a PFX: a SEQUENCE that starts with INTEGER 3 (RFC 7292 §4). BER's open lengths occur."""
    if len(octets) < 2 or octets[0] != 0x30:
        return False
    header = 2 if octets[1] <= 0x80 else 2 + (octets[1] & 0x7F)
    return octets[header : header + 3] == b"\x02\x01\x03"


def _from_pkcs12(source: KeyFile, octets: bytes, password: bytes | None) -> KeyPair:
    try:
        content = pkcs12.load_pkcs12(octets, password)
    except UnsupportedAlgorithm as error:
        raise KeyFileError(f"{source.file}: a kind of key or encryption that is not supported") from error
    except (ValueError, TypeError) as error:
        raise KeyFileError(_refused_password(source.file, password)) from error
    if content.key is None:
        raise KeyFileError(f"{source.file}: no private key in it")
    own = [content.cert] if content.cert else []
    _demand_alias(source, own[0].friendly_name if own else None)
    key = _supported(source.file, content.key)
    return _pair(source.file, key, [entry.certificate for entry in [*own, *content.additional_certs]])


def _demand_alias(source: KeyFile, name: bytes | None) -> None:
    """``cryptography`` reads one entry of a PKCS#12 file. Aliases ignore case, as keytool's do."""
    found = (name or b"").decode("utf-8", "replace")
    if source.alias and source.alias.casefold() != found.casefold():
        raise KeyFileError(
            f"{source.file}: its first entry is not {source.alias!r}; this version reads the first entry only: "
            "put the key into a file of its own"
        )


# --- What was read ----------------------------------------------------------------------------------------------------


def _supported(path: Path, key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if not isinstance(key.curve, _CURVES):
            raise KeyFileError(f"{path}: EC keys on {key.curve.name} are not supported; P-256, P-384 and P-521 are")
        return key
    kind = type(key).__name__.removesuffix("PrivateKey")
    raise KeyFileError(f"{path}: {kind} keys are not supported; RSA and EC keys are")


def _demand_strength(path: Path, key: PrivateKey, min_rsa_bits: int) -> None:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < min_rsa_bits:
        raise KeyFileError(f"{path}: the RSA key is weak: {key.key_size} bits, at least {min_rsa_bits} needed")


def _pair(path: Path, key: PrivateKey, certificates: Iterable[x509.Certificate]) -> KeyPair:
    certificates = list(certificates)
    if not certificates:
        return KeyPair(key, None)
    own = _public(key.public_key())
    leaf = next((entry for entry in certificates if _public_of(entry) == own), None)
    if leaf is None:
        raise KeyFileError(f"{path}: none of its certificates belongs to its private key")
    return KeyPair(key, leaf, _chain(leaf, certificates))


def _public(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public_of(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except _FOREIGN:
        return None


def _chain(leaf: x509.Certificate, certificates: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    chain: list[x509.Certificate] = []
    left = [entry for entry in certificates if entry != leaf]
    while above := next((entry for entry in left if _issued((chain or [leaf])[-1], entry)), None):
        chain.append(above)
        left.remove(above)
    return tuple(chain)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*_FOREIGN, InvalidSignature):
        return False
    return True
