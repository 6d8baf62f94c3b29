"""Encrypted messages that are refused, by what is wrong with them after their key was asked for."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES

import wsguard
from bench.causes import BODY, Cause, Group, echo
from tests.encrypting import Encryption, b64, encrypt, encrypt_blocks, to_id
from tests.messages import NOW, timestamp
from tests.pki import authority, rsa_key
from tests.signing import Signing, binary_token, sign, unsigned
from wsguard.audit.memory import MemoryAudit
from wsguard.middleware import Guard

NOT_XML: Final = BODY.replace("</e:Echo>", "</e:Ecno>")
ANOTHER: Final = BODY.replace("0123456789", "9876543210", 1)
ELSEWHERE: Final = BODY.replace("e:Echo", "e:Away")
BARE_TEXT: Final = BODY.replace("<", "(")

ROOT: Final = authority("root")
SERVER: Final = ROOT.leaf("server", key=rsa_key(0))
CLIENT: Final = ROOT.leaf("client", key=rsa_key(1))
BLOCK: Final = 256
"""Octets of an RSA block under these keys."""


def groups(directory: Path) -> tuple[Group, ...]:
    """The groups of encrypted messages; ``directory`` is for files."""
    audit = MemoryAudit(capacity=1)
    guard = _guard(directory, audit)
    return tuple(
        Group(title, guard, audit, causes)
        for title, causes in {
            "A signed message: aes128-gcm, rsa-oaep-mgf1p": _signed_gcm(),
            "A message that nobody signed: aes128-gcm, rsa-oaep-mgf1p": _unsigned_gcm(),
            "A signed message: aes128-cbc, rsa-oaep-mgf1p": _signed_cbc(),
            "A signed message: aes128-cbc, rsa-1_5": _old(),
        }.items()
    )


def _guard(directory: Path, audit: MemoryAudit) -> Guard:
    key, ca = directory / "server.pem", directory / "ca.pem"
    key.write_bytes(SERVER.key_pem + SERVER.pem)
    ca.write_bytes(ROOT.pem)
    policy = {
        "username_token": {"use": "forbidden"},
        "signature": {"use": "required"},
        "encryption": {"use": "required"},
        "algorithms": {
            "signature": ["rsa-sha256", "hmac-sha256"],
            "encryption": ["aes128-gcm", "aes128-cbc"],
            "key_transport": ["rsa-oaep-mgf1p", "rsa-1_5"],
        },
        "trust": {"ca_files": [ca]},
        "keys": {"decrypt": [{"file": key}]},
        "replay": {"url": "memory://"},
        "services": {"Elsewhere": {"operations": ["{urn:echo}Away"], "paths": ["/elsewhere"]}},
    }
    return wsguard.guard(echo, wsguard.Policy.model_validate(policy), clock=lambda: NOW, audit=audit)


# --- Messages ---------------------------------------------------------------------------------------------------------


def _signed(value: str | None = None) -> str:
    """A message that is signed over its Body, with a place for the EncryptedKey; ``value``: its SignatureValue."""
    signing = Signing.by(CLIENT, value=value)
    return sign(_draft("@SIG-1@"), signing).decode()


def _draft(*signature: str) -> str:
    return unsigned("@EK-1@", binary_token(CLIENT.certificate), *signature, timestamp(), body=BODY)


def _of_anybody(encryption: Encryption) -> bytes:
    """A message that is signed under its own key, by a value that does not fit."""
    signing = Signing(key=encryption.session, method="hmac-sha256", key_info=_inside(to_id("EK-1")))
    return _sealed(sign(_draft("@SIG-1@"), replace(signing, value=b64(os.urandom(32)))).decode(), encryption)


def _inside(key_info: str) -> str:
    return key_info[key_info.index(">") + 1 : key_info.rindex("<")]


def _sealed(text: str, encryption: Encryption) -> bytes:
    """The message with its Body's content, or another, encrypted."""
    assert len(encryption.plaintext) == len(BODY), "plaintexts are of one length"
    return text.replace(BODY, encryption.data_xml()).replace("@EK-1@", encryption.key_xml()).encode()


def _for_server(plaintext: str = BODY, **changes: str) -> Encryption:
    return Encryption.for_(SERVER, plaintext=plaintext.encode(), **changes).fixed()


def _changed(encryption: Encryption) -> Encryption:
    """The same data with one bit of their tag changed."""
    cipher = bytearray(encrypt(encryption.algorithm, encryption.session, encryption.plaintext))
    cipher[-4] ^= 1
    return replace(encryption, cipher=bytes(cipher))


def _unpadded(encryption: Encryption) -> Encryption:
    """The data with 0 for the length of their padding."""
    octets = encryption.plaintext + bytes(16 - len(encryption.plaintext) % 16)
    return replace(encryption, cipher=encrypt_blocks(AES(encryption.session), octets))


def _with_key(encryption: Encryption, session: bytes) -> Encryption:
    """The same data with another key in the EncryptedKey."""
    cipher = encrypt(encryption.algorithm, encryption.session, encryption.plaintext)
    return replace(encryption, session=session, cipher=cipher)


def _with_block(encryption: Encryption, first: bytes) -> Encryption:
    """The same with what is no padded key, but random octets behind ``first``, as a block of RSA."""
    assert isinstance(SERVER.key, rsa.RSAPrivateKey)
    public = SERVER.key.public_key().public_numbers()
    block = int.from_bytes(first + os.urandom(BLOCK - len(first)), "big")
    return replace(encryption, key_cipher=pow(block, public.e, public.n).to_bytes(BLOCK, "big"))


# --- Causes -----------------------------------------------------------------------------------------------------------


def _signed_gcm() -> tuple[Cause, ...]:
    text, forged = _signed(), _signed(b64(os.urandom(BLOCK)))
    failed, sealed = "encryption.failed", partial(_sealed, text)
    return (
        Cause("the data were changed: the tag does not fit", failed, lambda: sealed(_changed(_for_server()))),
        Cause("the key is another one", failed, lambda: sealed(_with_key(_for_server(), os.urandom(16)))),
        Cause("the key is of another length", failed, lambda: sealed(_with_key(_for_server(), os.urandom(24)))),
        Cause("no OAEP: the first octet is not 0", failed, lambda: sealed(_with_block(_for_server(), b"\x01"))),
        Cause("no OAEP: the first octet is 0", failed, lambda: sealed(_with_block(_for_server(), b"\x00"))),
        Cause("the plaintext is not well-formed", failed, lambda: sealed(_for_server(NOT_XML))),
        Cause("the plaintext is not what was signed", "signature.digest", lambda: sealed(_for_server(ANOTHER))),
        Cause("SignatureValue does not fit", "signature.value", lambda: _sealed(forged, _for_server())),
        Cause("HMAC under the encrypted key does not fit", "signature.value", lambda: _of_anybody(_for_server())),
    )


def _unsigned_gcm() -> tuple[Cause, ...]:
    failed, sealed = "encryption.failed", partial(_sealed, _draft())
    return (
        Cause("the data were changed: the tag does not fit", failed, lambda: sealed(_changed(_for_server()))),
        Cause("the plaintext is not well-formed", failed, lambda: sealed(_for_server(NOT_XML))),
        Cause("the plaintext holds no operation", "envelope.structure", lambda: sealed(_for_server(BARE_TEXT))),
        Cause("the operation is not on this path", "operation.unknown", lambda: sealed(_for_server(ELSEWHERE))),
        Cause("the signature is missing", "signature.missing", lambda: sealed(_for_server())),
    )


def _signed_cbc() -> tuple[Cause, ...]:
    failed, sealed, cbc = "encryption.failed", partial(_sealed, _signed()), partial(_for_server, algorithm="aes128-cbc")
    return (
        Cause("the padding does not fit", failed, lambda: sealed(_unpadded(cbc()))),
        Cause("the padding fits, the plaintext is not well-formed", failed, lambda: sealed(cbc(NOT_XML))),
        Cause("the plaintext is not what was signed", "signature.digest", lambda: sealed(cbc(ANOTHER))),
        Cause("the key is another one", failed, lambda: sealed(_with_key(cbc(), os.urandom(16)))),
        Cause("the key is of another length", failed, lambda: sealed(_with_key(cbc(), os.urandom(24)))),
        Cause("no OAEP: the first octet is not 0", failed, lambda: sealed(_with_block(cbc(), b"\x01"))),
    )


def _old() -> tuple[Cause, ...]:
    failed, sealed = "encryption.failed", partial(_sealed, _signed())
    old = partial(_for_server, algorithm="aes128-cbc", method="rsa-1_5")
    return (
        Cause("a good block with another key", failed, lambda: sealed(_with_key(old(), os.urandom(16)))),
        Cause("a good block, the padding of the data does not fit", failed, lambda: sealed(_unpadded(old()))),
        Cause("a good block with a key of another length", failed, lambda: sealed(_with_key(old(), os.urandom(24)))),
        Cause("a bad block: it does not begin with 0, 2", failed, lambda: sealed(_with_block(old(), b"\x01"))),
        Cause("a bad block: nothing ends the padding", failed, lambda: sealed(_with_block(old(), _ENDLESS))),
        Cause("a good block, the plaintext is not well-formed", failed, lambda: sealed(old(NOT_XML))),
    )


_ENDLESS: Final = b"\x00\x02" + b"\x5a" * (BLOCK - 2)
