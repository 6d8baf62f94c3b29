"""What no guard in Python does without: ``python -m bench.floor``. What it prints is read in bench/README.md.

Beside the engine it times what C does for it anyway, each by the shortest way that the libraries have: parsing what
came, canonical forms and digests of what is signed, RSA, AES, one statement of SQLite, writing what is handed on.
"""

import argparse
import hashlib
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from os import urandom
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from bench import machine
from bench.calling import quiet
from bench.orders import message
from bench.profiles import CLIENT, SERVER, Profile, profiles
from bench.speed import SIZES
from bench.timing import Prepare, Times, interleaved
from wsguard.names import DS, TIMESTAMP

ENGINE: Final = "the engine"
Part = Callable[[], object]

_SCHEMA: Final = "CREATE TABLE seen (key BLOB NOT NULL PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID"
_OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - XML Encryption's default
_SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
_SESSION_KEY: Final = bytes(16)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.floor", description="What no guard does without.")
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="of each part (200)")
    asked = parser.parse_args(arguments)
    if asked.rounds < 2:
        parser.error("--rounds is at least 2")
    sys.stdout.write(machine.line())
    with quiet(), TemporaryDirectory() as directory, profiles(Path(directory)) as made, _seen(Path(directory)) as seen:
        for size in SIZES:
            for profile in made:
                sys.stdout.write("\n".join(_table(profile, size, measure(profile, size, seen, asked.rounds))))


def measure(profile: Profile, size: int, seen: sqlite3.Connection, rounds: int) -> Mapping[str, Times]:
    """The engine, and each part of its floor on a message of the same kind, interleaved."""
    plain = message(size)
    rows: dict[str, Prepare] = {ENGINE: lambda: partial(profile.judge, profile.message(plain))}
    for name, part in _parts(profile, plain, seen).items():
        rows[name] = partial(_the_same, part)
    return interleaved(rows, rounds, Random(0))  # noqa: S311 - the order of rows is no secret


def _the_same(part: Part) -> Part:
    return part


@contextmanager
def _seen(directory: Path) -> Iterator[sqlite3.Connection]:
    """A store of nonces, as fast as SQLite has one."""
    with closing(sqlite3.connect(directory / "seen.db", isolation_level=None)) as connection:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", _SCHEMA):
            connection.execute(statement)
        yield connection


def _parts(profile: Profile, plain: bytes, seen: sqlite3.Connection) -> dict[str, Part]:
    octets = profile.message(plain)
    sealed, signed = profile.plan.encrypt_for is not None, profile.plan.sign is not None
    parts: dict[str, Part] = {"parse what came": partial(etree.fromstring, octets)}
    if sealed:
        parts |= _opening(plain)
    if signed:
        parts |= _verification(octets, plain)
    parts["one statement of SQLite"] = lambda: seen.execute("INSERT INTO seen VALUES (?, 0)", (urandom(32),))
    parts["write what is handed on"] = partial(etree.tostring, etree.fromstring(plain), encoding="UTF-8")
    return parts


def _opening(plain: bytes) -> dict[str, Part]:
    """RSA and AES, and the parse of what came out: nobody parses ciphertext."""
    private = cast(Any, SERVER.key)
    wrapped = private.public_key().encrypt(_SESSION_KEY, _OAEP)
    cipher, nonce = AESGCM(_SESSION_KEY), bytes(12)
    data = cipher.encrypt(nonce, plain, None)
    return {
        "unwrap the key, RSA-2048": lambda: private.decrypt(wrapped, _OAEP),
        "decrypt, AES-GCM": lambda: cipher.decrypt(nonce, data, None),
        "parse what was opened": partial(etree.fromstring, plain),
    }


def _verification(octets: bytes, plain: bytes) -> dict[str, Part]:
    """Canonical forms and digests of SignedInfo, Timestamp and Body, and one verification of RSA."""
    header, body = etree.fromstring(octets)[0], etree.fromstring(plain)[-1]
    signed = (next(header.iter(_SIGNED_INFO)), next(header.iter(TIMESTAMP)), body)
    private = cast(Any, CLIENT.key)
    scheme = padding.PKCS1v15(), hashes.SHA256()
    said = etree.tostring(signed[0], method="c14n", exclusive=True)
    value, public = private.sign(said, *scheme), private.public_key()

    def digest() -> None:
        for element in signed:
            hashlib.sha256(etree.tostring(element, method="c14n", exclusive=True)).digest()

    return {
        "canonical forms and digests": digest,
        "verify the value, RSA-2048": lambda: public.verify(value, said, *scheme),
    }


def _table(profile: Profile, size: int, times: Mapping[str, Times]) -> Iterator[str]:
    floor = sum(taken.median for name, taken in times.items() if name != ENGINE)
    yield f"\n| {profile.name}, {size // 1000} KB | µs |\n|---|---|"
    for name, taken in times.items():
        if name != ENGINE:
            yield f"| {name} | {taken.median:.0f} |"
    yield f"| **the floor** | {floor:.0f} |"
    yield f"| {ENGINE} | {times[ENGINE].median:.0f} |"
    yield f"| left, in Python | {times[ENGINE].median - floor:.0f} |\n"


if __name__ == "__main__":
    main()
