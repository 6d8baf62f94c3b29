"""Everything that can be wrong with an encrypted message, and the check that knows it."""

from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.algorithms import AES

from tests.encrypting import Encryption, encrypt, encrypt_blocks, transport
from tests.guard_encryption.sealing import (
    draft,
    encrypted_body,
    for_server,
    signed_then_encrypted,
    stranger,
)
from tests.messages import PAYLOAD, Token, timestamp
from tests.signature.signatures import ALICE, STRANGER
from tests.signing import Signing

CANARY: Final = "kanarienvogel"
"""Stands in every plaintext, and may be told nobody."""
SECRET: Final = PAYLOAD.replace("hello", CANARY)
KEY: Final = bytes(range(16))


def flipped(octets: bytes, at: int = -1) -> bytes:
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


def one(**changes: Any) -> Encryption:
    return for_server(**{"session": KEY, **changes})


def with_key(**changes: Any) -> Callable[[str], bytes]:
    """With an EncryptedKey that is not what it should be."""
    return lambda soap: encrypted_body(one(**changes), body=SECRET, soap=soap)


def with_data(cipher: bytes, **changes: Any) -> Callable[[str], bytes]:
    return lambda soap: encrypted_body(one(cipher=cipher, **changes), body=SECRET, soap=soap)


def saying(plaintext: str | bytes, **changes: Any) -> Callable[[str], bytes]:
    octets = plaintext if isinstance(plaintext, bytes) else plaintext.encode()

    def make(soap: str) -> bytes:
        encryption = one(plaintext=octets, **changes)
        return draft(encryption.key_xml(), timestamp(), body=encryption.data_xml(), soap=soap).encode()

    return make


def transported(session: bytes) -> bytes:
    return transport("rsa-oaep-mgf1p", for_server().key, session)


GCM: Final = encrypt("aes128-gcm", KEY, SECRET.encode())
CBC: Final = encrypt("aes128-cbc", KEY, SECRET.encode())
BLOCK: Final = CANARY.encode().ljust(15, b"x")

CAUSES: Final[dict[str, tuple[str, Callable[[str], bytes]]]] = {
    "a key for somebody else, named as ours": (
        "encryption.failed", with_key(key_cipher=transport("rsa-oaep-mgf1p", stranger().key, KEY))
    ),
    "another key": ("encryption.failed", with_key(key_cipher=transported(bytes(16)))),
    "a flipped octet of the key": ("encryption.failed", with_key(key_cipher=flipped(transported(KEY)))),
    "the first octet of the key": ("encryption.failed", with_key(key_cipher=flipped(transported(KEY), 0))),
    "half of the key": ("encryption.failed", with_key(key_cipher=transported(KEY)[:128])),
    "no key at all": ("encryption.failed", with_key(key_cipher=b"")),
    "a key that is too short": ("encryption.failed", with_key(key_cipher=transported(KEY[:8]))),
    "a key that is too long": ("encryption.failed", with_key(key_cipher=transported(KEY * 2))),
    "an empty key": ("encryption.failed", with_key(key_cipher=transported(b""))),
    "another hash of OAEP": (
        "encryption.failed", with_key(digest="sha256", key_cipher=transported(KEY))
    ),
    "rsa-1_5 where OAEP was said": (
        "encryption.failed", with_key(key_cipher=transport("rsa-1_5", for_server().key, KEY))
    ),
    "OAEP where rsa-1_5 was said": ("encryption.failed", with_key(method="rsa-1_5", key_cipher=transported(KEY))),
    "a flipped tag": ("encryption.failed", with_data(flipped(GCM))),
    "a flipped octet of the data": ("encryption.failed", with_data(flipped(GCM, 20))),
    "no room for a tag": ("encryption.failed", with_data(GCM[:20])),
    "no data": ("encryption.failed", with_data(b"")),
    "CBC, no whole blocks": ("encryption.failed", with_data(CBC[:-1], algorithm="aes128-cbc")),
    "CBC, no block": ("encryption.failed", with_data(CBC[:16], algorithm="aes128-cbc")),
    "CBC, padding of nothing": (
        "encryption.failed", with_data(encrypt_blocks(AES(KEY), BLOCK + b"\0"), algorithm="aes128-cbc")
    ),
    "CBC, padding of too much": (
        "encryption.failed", with_data(encrypt_blocks(AES(KEY), BLOCK + b"\x11"), algorithm="aes128-cbc")
    ),
    "CBC, good padding of nonsense": (
        "encryption.failed", with_data(encrypt_blocks(AES(KEY), b"<" + BLOCK[1:] + b"\1"), algorithm="aes128-cbc")
    ),
    "not UTF-8": ("encryption.failed", saying(b"\xff\xfe" + SECRET.encode())),
    "UTF-16": ("encryption.failed", saying(SECRET.encode("utf-16"))),
    "not well-formed": ("encryption.failed", saying(f"<{CANARY}")),
    "not well-formed either": ("encryption.failed", saying(f"<e>{CANARY}</f>")),
    "an undeclared prefix": ("encryption.failed", saying(f"<{CANARY}:e/>")),
    "a document type": ("encryption.failed", saying(f"<!DOCTYPE e [<!ENTITY a '{CANARY}'>]>{SECRET}")),
    "an entity": ("encryption.failed", saying(SECRET.replace(CANARY, f"&{CANARY};"))),
    "unbalanced": ("encryption.failed", saying(f"</S:Body><S:Body>{SECRET}")),
    "too deep": ("encryption.failed", saying("<a>" * 100 + CANARY + "</a>" * 100)),
    "far too deep": ("encryption.failed", saying("<a>" * 300 + CANARY + "</a>" * 300)),
    "two elements for one": ("encryption.failed", saying(SECRET * 2, kind="Element")),
    "text for an element": ("encryption.failed", saying(CANARY, kind="Element")),
    "an Id twice": ("encryption.failed", saying(SECRET.replace("<e:text>", '<e:text id="TS-1">'))),
    "text in the Body": ("envelope.structure", saying(CANARY + SECRET)),
    "two operations": ("envelope.structure", saying(SECRET * 2)),
    "nothing": ("envelope.structure", saying("")),
    "an operation of another path": ("operation.unknown", saying(SECRET.replace("urn:echo", "urn:elsewhere"))),
    "no namespace": ("operation.unknown", saying(f"<Echo>{CANARY}</Echo>")),
    "a reference that leads out": ("envelope.structure", saying(SECRET.replace("<e:text>", '<e:text href="#TS-1">'))),
    "another operation than the action": ("envelope.soap_action", saying(SECRET.replace("urn:echo", "urn:bank"))),
    "encrypted again, for nobody": ("encryption.key", saying(one(data_key_info="", id="ED-2").data_xml())),
    "encrypted again, without end": (
        "encryption.algorithm", saying(one(id="ED-2", algorithm="urn:none", cipher=b"").data_xml())
    ),
    "a service that demands a signature": ("signature.missing", saying(SECRET.replace("urn:echo", "urn:signed"))),
    "a signature of a stranger": (
        "certificate.untrusted",
        lambda soap: signed_then_encrypted(one(), Signing.by(STRANGER), soap=soap, body=SECRET),
    ),
    "a signature over something else": (
        "signature.digest",
        lambda soap: signed_then_encrypted(one(), soap=soap, body=SECRET).replace(b"2026-11-21T12:00:00", b"2026-11-21T12:00:01"),  # noqa: E501
    ),
    "a signature of nobody": (
        "signature.value",
        lambda soap: signed_then_encrypted(one(), Signing.by(ALICE, value="AAAA"), soap=soap, body=SECRET),
    ),
    "a wrong password": (
        "username_token.authentication",
        lambda soap: encrypted_body(one(), Token(password="guessed").xml(), soap=soap, body=SECRET),
    ),
    "an old Timestamp": (
        "timestamp.expired",
        lambda soap: encrypted_body(one(), soap=soap, body=SECRET).replace(b"2026-11-21", b"2026-11-20"),
    ),
}  # fmt: skip
"""Name -> the check that knows the truth, and a message in a version of SOAP."""
