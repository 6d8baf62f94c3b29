"""How often a key file has its password digested: a count that a file may set to 2^31 is looked at before it is done.

What is inside of encrypted contents is not seen: whoever wrote that knew the password.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wsguard.keys.errors import KeyFileError
from wsguard.keys.octets import Malformed, Octets

MOST_ITERATIONS: Final = 5_000_000
"""As OpenJDK takes (``MAX_ITERATION_COUNT`` of sun.security.pkcs12.PKCS12KeyStore): seconds, once at start."""

# PBES1 and PBKDF2 (RFC 8018 appendix A.2 and A.3), and the algorithms of PKCS#12 (RFC 7292 appendix C).
_BY_PASSWORD: Final = re.compile(
    rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05[\x01\x03\x04\x06\x0a\x0b\x0c]"
    rb"|\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01[\x01-\x06]",
    re.DOTALL,
)
_BLOCK: Final = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----(.+?)-----END", re.DOTALL)
_HEADER: Final = re.compile(rb"^.*:.*$", re.MULTILINE)
_OCTET_STRING: Final = 0x04
_INTEGER: Final = 0x02
_LONGEST_SALT: Final = 127
"""Octets: of a length in one octet."""


def demand_few_iterations(path: Path, octets: bytes) -> None:
    """Refuse a PKCS#12 file or encrypted PEM key that would take minutes to open.

    Args:
        path: of the file, for the error.
        octets: of it.

    Raises:
        KeyFileError: a count is above ``MOST_ITERATIONS``, or cannot be read.
    """
    try:
        counts = [count for encoded in (octets, *_in_pem(octets)) for count in (*_counts(encoded), *_of_mac(encoded))]
    except Malformed as error:
        raise KeyFileError(f"{path}: how often its password is to be digested cannot be read") from error
    if max(counts, default=0) > MOST_ITERATIONS:
        raise KeyFileError(
            f"{path}: its password is to be digested {max(counts)} times, at most {MOST_ITERATIONS} are taken"
        )


def _in_pem(octets: bytes) -> Iterator[bytes]:
    for block in _BLOCK.finditer(octets):
        try:
            yield base64.b64decode(_HEADER.sub(b"", block[1]))
        except binascii.Error as error:
            raise Malformed("not base64") from error


def _counts(octets: bytes) -> Iterator[int]:
    """Those behind the identifiers of algorithms, in DER and in BER.

    Raises:
        Malformed: something else stands there.
    """
    for found in _BY_PASSWORD.finditer(octets):
        yield _count_in(Octets(octets[found.end() : found.end() + 2 * _LONGEST_SALT]))


def _count_in(source: Octets) -> int:
    """The second value of a SEQUENCE: the first is the salt."""
    _, length = source.take(2)
    if length > 0x80:
        source.take(length & 0x7F)
    if source.number(1) != _OCTET_STRING:
        raise Malformed("no salt")
    source.take(source.number(1))
    if source.number(1) != _INTEGER:
        raise Malformed("no iterations")
    return source.number(source.number(1))


def _of_mac(octets: bytes) -> Iterator[int]:
    """The iterations of a PFX's MacData (RFC 7292 §4): the last value in it, before the ends of BER's open lengths."""
    for ends in range(0, 10, 2):
        if octets[len(octets) - ends :] == bytes(ends):
            whole = octets[: len(octets) - ends]
            for size in range(1, 9):
                if whole[-size - 2 : -size] == bytes((_INTEGER, size)):
                    yield int.from_bytes(whole[-size:], "big")
