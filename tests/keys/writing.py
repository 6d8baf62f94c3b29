"""JKS keystores as nobody's keytool writes them: of whatever entries, with a digest that fits."""

import hashlib
import os
from collections.abc import Sequence
from itertools import count, takewhile

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

PASSWORD = "changeit"
SUN = bytes.fromhex("060a2b060104012a02110101")
"""OBJECT IDENTIFIER 1.3.6.1.4.1.42.2.17.1.1."""


def keystore(*entries: bytes, version: int = 2, entry_count: int | None = None) -> bytes:
    head = b"\xfe\xed\xfe\xed" + u4(version) + u4(len(entries) if entry_count is None else entry_count)
    return sealed(head + b"".join(entries))


def sealed(content: bytes) -> bytes:
    """``content`` with the digest over it."""
    salt = PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite"
    return content + hashlib.sha1(salt + content).digest()


def resealed(octets: bytes) -> bytes:
    """A keystore with another digest, since it was changed."""
    return sealed(octets[:-20])


def trusted(alias: bytes, certificate: bytes, kind: bytes = b"X.509") -> bytes:
    return u4(2) + text(alias) + bytes(8) + text(kind) + u4(len(certificate)) + certificate


def private(alias: bytes, protected: bytes, certificates: Sequence[bytes] = (), chain: int | None = None) -> bytes:
    chain = len(certificates) if chain is None else chain
    stored = b"".join(text(b"X.509") + u4(len(octets)) + octets for octets in certificates)
    return u4(1) + text(alias) + bytes(8) + u4(len(protected)) + protected + u4(chain) + stored


def protected(key: bytes, algorithm: bytes = SUN, password: str = PASSWORD) -> bytes:
    """EncryptedPrivateKeyInfo around PrivateKeyInfo."""
    secret, stream = password.encode("utf-16-be"), [os.urandom(20)]
    for _ in takewhile(lambda made: made * 20 < len(key), count()):
        stream.append(hashlib.sha1(secret + stream[-1]).digest())
    hidden = bytes(a ^ b for a, b in zip(key, b"".join(stream[1:]), strict=False))
    data = stream[0] + hidden + hashlib.sha1(secret + key).digest()
    return der(0x30, der(0x30, algorithm + b"\x05\x00") + der(0x04, data))


def der(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def encoded(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def text(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def u4(number: int) -> bytes:
    return number.to_bytes(4, "big")
