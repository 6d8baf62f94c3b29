"""Octets and passwords out of files and the environment, and which format a file has."""

import os
from pathlib import Path
from typing import Final, Literal

from wsguard.keys.errors import KeyFileError
from wsguard.policy.surroundings import KeyFile

Format = Literal["PEM", "PKCS#12", "JKS", "JCEKS"]

_MAGIC: Final[dict[bytes, Format]] = {b"\xfe\xed\xfe\xed": "JKS", b"\xce\xce\xce\xce": "JCEKS"}


LARGEST: Final = 67_108_864
"""Octets of a file: room for a revocation list of a million entries."""


def read(path: Path) -> bytes:
    """All octets of ``path``.

    Raises:
        KeyFileError: it cannot be read, or is larger than ``LARGEST``.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error
    if len(octets) > LARGEST:
        raise KeyFileError(f"{path}: larger than {LARGEST} octets")
    return octets


def one_line(path: Path) -> bytes:
    """All octets of ``path`` without one newline at the end.

    Raises:
        KeyFileError: it cannot be read.
    """
    return read(path).removesuffix(b"\n").removesuffix(b"\r")


def variable(name: str, setting: str) -> bytes:
    """The environment variable ``name``, which ``setting`` asks for.

    Raises:
        KeyFileError: there is none.
    """
    value = os.environ.get(name)
    if value is None:
        raise KeyFileError(f"there is no environment variable {name} ({setting})")
    return os.fsencode(value)


def password_of(source: KeyFile) -> bytes | None:
    """The password of ``source``; None where none is configured.

    Raises:
        KeyFileError: its variable or file cannot be read.
    """
    if source.password_file is not None:
        return one_line(source.password_file)
    return variable(source.password_env, "password_env") if source.password_env else None


def format_of(octets: bytes) -> Format | None:
    """What the content says; None for everything else, such as one certificate in DER."""
    if octets[:4] in _MAGIC:
        return _MAGIC[octets[:4]]
    if b"-----BEGIN " in octets:
        return "PEM"
    return "PKCS#12" if _is_pfx(octets) else None


def _is_pfx(octets: bytes) -> bool:
    """Whether this is a SEQUENCE that starts with INTEGER 3 (RFC 7292 §4). BER's open lengths occur."""
    if len(octets) < 2 or octets[0] != 0x30:
        return False
    header = 2 if octets[1] <= 0x80 else 2 + (octets[1] & 0x7F)
    return octets[header : header + 3] == b"\x02\x01\x03"
