"""Changes to octets without coverage: the same seed makes the same inputs in every process."""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from fuzz.target import HERE, Target

_ENTRY: Final = re.compile(rb'^(?:\w+=)?"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_EDGES: Final = (b"", b"\0", b"\xff", b"0", b"-1", b"\xed\xa0\x80", b"\r\n", b"9" * 20, b"A" * 300)


def words(dictionary: str) -> tuple[bytes, ...]:
    """The entries of a dictionary as libFuzzer reads it; none of the empty name."""
    if not dictionary:
        return ()
    text = (HERE / "dictionaries" / f"{dictionary}.dict").read_bytes()
    return tuple(_ESCAPE.sub(_unescaped, entry) for entry in _ENTRY.findall(text))


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if match[1] else bytes(match[2])


def mutations(target: Target, count: int, seed: int = 0) -> Iterator[bytes]:
    """``count`` inputs, each a seed of the target after one to four changes."""
    random = Random(f"{target.name} {seed}")  # noqa: S311 - the same inputs every time
    seeds, known = tuple(target.seeds()), words(target.dictionary)
    for _ in range(count):
        octets = random.choice(seeds)
        for _ in range(random.randint(1, 4)):
            octets = _changed(octets, random, seeds, known)
        yield octets[: target.longest]


def _changed(octets: bytes, random: Random, seeds: Sequence[bytes], known: Sequence[bytes]) -> bytes:
    start = random.randint(0, len(octets))
    end = min(len(octets), start + random.choice((0, 1, 1, 2, 4, 16, 64)))
    match random.randrange(6):
        case 0:
            put = bytes([random.randrange(256)])
        case 1:
            put = random.choice(known or _EDGES)
        case 2:
            put = octets[start:end] * 2
        case 3:
            put = b""
        case 4:
            other = random.choice(seeds)
            at = random.randint(0, len(other))
            put = other[at : at + random.choice((4, 16, 64, 256))]
        case _:
            put = random.choice(_EDGES)
    return octets[:start] + put + octets[end:]
