"""J: EncryptedKeys whose blocks are bent to learn the plaintext of another from the answer."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.attacks.cases import Built, Chapter
from tests.attacks.ciphertext import KEY, tells_nothing
from tests.encrypting import transport
from tests.guard_encryption.sealing import (
    encrypted_body,
    for_server,
    server,
)

DEFAULTS: Final = Chapter("J", "opened")
OLD: Final = Chapter("J", "old")

BLEICHENBACHER: Final = (
    "Bleichenbacher 1998; Jager, Schinzel and Somorovsky 2012, Bleichenbacher's attack strikes again"
)
MANGER: Final = "Manger 2001, A chosen ciphertext attack on RSA-OAEP as standardized in PKCS #1 v2.0"


def raw(block: bytes) -> bytes:
    """The server's public key over 256 octets of the attacker's own."""
    key = server().key
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.public_key().public_numbers()
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(256, "big")


def modulus() -> int:
    """The server's."""
    key = server().key
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key().public_numbers().n


def pkcs1(start: bytes = b"\0\2", padding: int = 237, end: bytes = b"\0", session: bytes = KEY) -> bytes:
    """A block as PKCS #1 §7.2.1 has it, or one that is not."""
    return raw((start + b"\xaa" * padding + end + session).ljust(256, b"\xbb"))


@OLD.each_refused(
    "encryption.failed",
    {
        "a first octet that is not zero": lambda: pkcs1(b"\1\2"),
        "block type 1": lambda: pkcs1(b"\0\1"),
        "block type 0": lambda: pkcs1(b"\0\0"),
        "no end of the padding": lambda: pkcs1(end=b"\xaa"),
        "padding of seven octets": lambda: pkcs1(padding=7),
        "no padding": lambda: pkcs1(padding=0),
        "no key": lambda: pkcs1(padding=253, session=b""),
        "a key of 15 octets": lambda: pkcs1(padding=238, session=KEY[:15]),
        "a key of 17 octets": lambda: pkcs1(padding=236, session=KEY + b"\0"),
        "a key of 32 octets": lambda: pkcs1(padding=221, session=KEY * 2),
        "another key": lambda: pkcs1(session=bytes(16)),
        "zero": lambda: bytes(256),
        "one": lambda: bytes(255) + b"\1",
        "the modulus": lambda: modulus().to_bytes(256, "big"),
        "more than the modulus": lambda: b"\xff" * 256,
        "one octet too many": lambda: b"\0" + pkcs1(),
        "one octet too few": lambda: pkcs1()[1:],
        "multiplied by two": lambda: _multiplied(2),
    },
    source=BLEICHENBACHER,
    also=tells_nothing,
)
def rsa_1_5_over_a_block_with(make: Callable[[], bytes]) -> Built:
    return encrypted_body(for_server(method="rsa-1_5", session=KEY, key_cipher=make()))


def _multiplied(factor: int) -> bytes:
    """A captured ciphertext times ``factor`` to the public exponent: the block times ``factor``."""
    captured = int.from_bytes(transport("rsa-1_5", server().key, KEY), "big")
    return (captured * pow(factor, 65537, modulus()) % modulus()).to_bytes(256, "big")


def oaep(first: int = 0, label: bytes = b"", separator: bytes = b"\1") -> bytes:
    """A block as PKCS #1 §7.1.1 has it, with SHA-1, or one that is not."""
    padded = hashlib.sha1(label).digest() + bytes(198) + separator + KEY
    seed = b"s" * 20
    masked = _xor(padded, _mgf1(seed, 235))
    return raw(bytes([first]) + _xor(seed, _mgf1(masked, 20)) + masked)


def _mgf1(seed: bytes, length: int) -> bytes:
    return b"".join(hashlib.sha1(seed + n.to_bytes(4, "big")).digest() for n in range(length // 20 + 1))[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


@DEFAULTS.each_refused(
    "encryption.failed",
    {
        "a first octet that is not zero": lambda: oaep(first=1),
        "the hash of another label": lambda: oaep(label=b"x"),
        "no end of the padding": lambda: oaep(separator=b"\0"),
        "another end of the padding": lambda: oaep(separator=b"\2"),
        "zero": lambda: bytes(256),
        "the modulus": lambda: modulus().to_bytes(256, "big"),
        "nothing": lambda: b"",
    },
    source=MANGER,
    also=tells_nothing,
)
def oaep_over_a_block_with(make: Callable[[], bytes]) -> Built:
    return encrypted_body(for_server(session=KEY, key_cipher=make()))


def _sent(method: str, **used: str) -> bytes:
    return transport(method, server().key, KEY, **used)  # type: ignore[arg-type]


@OLD.each_refused(
    "encryption.failed",
    {
        "OAEP, and is rsa-1_5": {"key_cipher": lambda: _sent("rsa-1_5")},
        "rsa-1_5, and is OAEP": {"method": "rsa-1_5", "key_cipher": lambda: _sent("rsa-oaep")},
        "SHA-256, and is SHA-1": {"method": "rsa-oaep", "digest": "sha256", "key_cipher": lambda: _sent("rsa-oaep")},
        "a mask of SHA-256, and is SHA-1": {
            "method": "rsa-oaep", "mask": "sha256", "key_cipher": lambda: _sent("rsa-oaep")
        },
        "a mask of SHA-1, and is SHA-256": {
            "method": "rsa-oaep", "mask": "sha1", "key_cipher": lambda: _sent("rsa-oaep", mask="sha256")
        },
        "with a label, and has none": {"label": b"x", "key_cipher": lambda: _sent("rsa-oaep")},
        "with no label, and has one": {"key_cipher": lambda: transport("rsa-oaep", server().key, KEY, label=b"x")},
    },
    source=BLEICHENBACHER,
    also=tells_nothing,
)  # fmt: skip
def the_key_is_said_to_be_under(changes: Any) -> Built:
    made = {name: value() if callable(value) else value for name, value in changes.items()}
    return encrypted_body(for_server(session=KEY, **made))


EVERY: Final = (*DEFAULTS, *OLD)
