"""A letter, and a file: a private key (``k``), certificates (``c``), revocation lists (``l``), a shared key (``s``).

Invariant: ``KeyFileError`` in one line without the password, or a key with the certificate that is its own; within a
second of processor time.
"""

import base64
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from fuzz import keys
from fuzz.silence import silent
from fuzz.target import Target, demand
from tests.keys.writing import PASSWORD, keystore, private, protected, trusted
from wsguard.keys import KeyFileError, load_certificates, load_crls, load_key, load_shared_key
from wsguard.policy.surroundings import KeyFile, SharedKey

_SECONDS: Final = 1.0
_ALIAS: Final = "server"


@cache
def _password_file() -> Path:
    return keys.file("password.txt", PASSWORD.encode())


def _load_key(path: Path) -> None:
    # With an alias, with a password, and without either.
    found = None
    for alias in ("", _ALIAS):
        for password in (_password_file(), None):
            try:
                found = load_key(KeyFile(file=path, password_file=password, alias=alias))
            except KeyFileError as error:
                _demand_text(error)
                continue
            if found.certificate is not None:
                own = found.private_key.public_key()
                demand(found.certificate.public_key() == own, "the certificate is that of the private key")
    if found is None:
        raise KeyFileError("none of them")


def _load_certificates(path: Path) -> None:
    demand(load_certificates(path), "there is a certificate, or an error")


def _load_crls(path: Path) -> None:
    demand(load_crls(path), "there is a list, or an error")


def _load_shared(path: Path) -> None:
    demand(len(load_shared_key(SharedKey(name="n", key_file=path))) >= 16, "a shared key is long")


_LOADERS: Final[dict[bytes, Callable[[Path], None]]] = {
    b"k": _load_key, b"c": _load_certificates, b"l": _load_crls, b"s": _load_shared,
}  # fmt: skip


def judge(octets: bytes) -> bool:
    """Hold one file against the invariant."""
    load = _LOADERS.get(octets[:1])
    if load is None:
        return False
    path = keys.file("key.file", octets[1:])
    started = time.process_time()
    try:
        with silent():
            load(path)
        taken = True
    except KeyFileError as error:
        _demand_text(error)
        taken = False
    demand(time.process_time() - started < _SECONDS, "a file is read within a second, whatever it asks for")
    return taken


def _demand_text(error: KeyFileError) -> None:
    demand(str(error) and "\n" not in str(error), "an error is one line")
    demand(PASSWORD not in str(error), "and says no password")


def seeds() -> Sequence[bytes]:
    """A file of every format, of a key that is always the same."""
    alice, locked = keys.ALICE, PrivateFormat.PKCS12.encryption_builder().kdf_rounds(8)
    secret = locked.build(PASSWORD.encode())
    der = alice.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    traditional = alice.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    encrypted = alice.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"changeit"))
    certificates = [alice.certificate, keys.ROOT.certificate]
    assert isinstance(alice.key, ec.EllipticCurvePrivateKey)
    stores = [
        pkcs12.serialize_key_and_certificates(b"server", alice.key, certificates[0], certificates[1:], secret),
        pkcs12.serialize_key_and_certificates(b"server", alice.key, certificates[0], [], NoEncryption()),
        keystore(private(b"server", protected(der), [one.der for one in (alice, keys.ROOT)])),
        keystore(trusted(b"ca", keys.ROOT.der), private(b"\xd0\xba", protected(der)), version=2),
    ]
    lists = keys.ROOT.crl(alice)
    return [
        b"k" + alice.key_pem + alice.pem + keys.ROOT.pem,
        b"k" + traditional,
        b"k" + encrypted + alice.pem,
        *(b"k" + store for store in stores),
        b"c" + alice.pem + keys.ROOT.pem,
        b"c" + alice.der,
        *(b"c" + store for store in stores),
        b"c" + pkcs12.serialize_key_and_certificates(None, None, None, certificates, NoEncryption()),
        b"l" + lists.public_bytes(Encoding.PEM),
        b"l" + lists.public_bytes(Encoding.DER),
        b"s" + base64.b64encode(bytes(range(32))) + b"\n",
    ]


TARGET: Final = Target(name="keystores", judge=judge, seeds=seeds, dictionary="der")
