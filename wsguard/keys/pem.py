"""PEM (RFC 7468): one private key, any certificates."""

import re
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wsguard.keys.errors import FOREIGN, KeyFileError, refused_password
from wsguard.keys.iterations import demand_few_iterations
from wsguard.keys.pair import KeyPair, pair
from wsguard.policy.surroundings import KeyFile

_PRIVATE_KEYS: Final = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)


def key_in_pem(source: KeyFile, octets: bytes, password: bytes | None) -> KeyPair:
    """The one private key in ``octets``, with its certificates.

    Raises:
        KeyFileError: as ``load_key`` says.
    """
    if source.alias:
        raise KeyFileError(f"{source.file}: alias is for PKCS#12 and JKS; entries of a PEM file have no names")
    keys = [match[0] for match in _PRIVATE_KEYS.finditer(octets)]
    if len(keys) != 1:
        count = "several private keys" if keys else "no private key"
        raise KeyFileError(f"{source.file}: {count} in it, exactly one is needed")
    key = _private_key(source.file, keys[0], password)
    return pair(source.file, key, certificates_in_pem(source.file, octets))


def certificates_in_pem(path: Path, octets: bytes) -> tuple[x509.Certificate, ...]:
    """All certificates in ``octets``, in their order; none is fine.

    Raises:
        KeyFileError: one is damaged.
    """
    if b"-----BEGIN CERTIFICATE-----" not in octets:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(octets))
    except FOREIGN as error:
        raise KeyFileError(f"{path}: a certificate in it is damaged") from error


def _private_key(path: Path, octets: bytes, password: bytes | None) -> object:
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in octets or b"Proc-Type: 4,ENCRYPTED" in octets
    if password is not None and not encrypted:
        raise KeyFileError(
            f"{path}: a password is configured, but the key is not encrypted: encrypt it, or take it away"
        )
    demand_few_iterations(path, octets)
    try:
        return load_pem_private_key(octets, password)
    except UnsupportedAlgorithm as error:
        raise KeyFileError(f"{path}: a kind of key or encryption that is not supported") from error
    except (ValueError, TypeError) as error:
        if encrypted:
            raise refused_password(path, password) from error
        raise KeyFileError(f"{path}: the private key is damaged") from error
