"""Sun's protection of private keys in JKS keystores: ``sun.security.provider.KeyProtector`` of OpenJDK specifies it."""

import hashlib
import hmac
from collections.abc import Iterator
from itertools import islice
from typing import Final

from wsguard.keys.octets import Malformed, element

_SUN: Final = bytes.fromhex("060a2b060104012a02110101")
"""OBJECT IDENTIFIER 1.3.6.1.4.1.42.2.17.1.1 in DER."""
_OCTET_STRING: Final = 0x04
_SALT: Final = 20
_DIGEST: Final = hashlib.sha1(usedforsecurity=False).digest_size


class OtherProtection(ValueError):
    """The key is protected in another way than Sun's."""


class OtherPassword(ValueError):
    """The key is protected with another password, or damaged."""


def unprotected(protected: bytes, password: str) -> bytes:
    """The private key, PrivateKeyInfo (RFC 5958 §2) in DER, that ``protected``, an EncryptedPrivateKeyInfo, hides.

    Raises:
        Malformed: ``protected`` is none.
        OtherProtection: it is one by another algorithm.
        OtherPassword: the digest in it is not that of the key that ``password`` leads to.
    """
    data = _encrypted_data(protected)
    salt, hidden, check = data[:_SALT], data[_SALT:-_DIGEST], data[-_DIGEST:]
    octets = password.encode("utf-16-be")
    stream = b"".join(islice(_digests(octets, salt), -(-len(hidden) // _DIGEST)))
    key = bytes(a ^ b for a, b in zip(hidden, stream, strict=False))
    if not hmac.compare_digest(_sha1(octets + key), check):
        raise OtherPassword
    return key


def _encrypted_data(protected: bytes) -> bytes:
    algorithm, data = element(protected).inner(least=2)[:2]
    if algorithm.inner()[0].whole != _SUN:
        raise OtherProtection
    if data.tag != _OCTET_STRING or len(data.content) <= _SALT + _DIGEST:
        raise Malformed("no protected key")
    return data.content


def _digests(password: bytes, salt: bytes) -> Iterator[bytes]:
    """The key stream: the password is digested with the salt, then with each digest before."""
    digest = salt
    while True:
        digest = _sha1(password + digest)
        yield digest


def _sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()
