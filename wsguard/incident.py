"""Identifiers of requests: opaque, ordered by time, easy to read out on the telephone."""

import secrets
from datetime import datetime
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u."""
_RANDOM_BITS: Final = 80
_PAIRS: Final = tuple(one + other for one in _ALPHABET for other in _ALPHABET)
_CHARACTERS: Final = 26


def new_incident(now: datetime) -> str:
    """26 characters: 48 bits of milliseconds since 1970, then 80 random bits (the layout of a ULID)."""
    milliseconds = max(0, int(now.timestamp() * 1000)) & (2**48 - 1)
    number = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * (_CHARACTERS - 2), -1, -10)])
