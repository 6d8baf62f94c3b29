"""wsse11:Salt and wsse11:Iteration (UsernameToken Profile 1.1 §4): a key made of a password, which is not sent."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from lxml.etree import _Element

from wsguard.message.lexical import (
    Refusal,
    at_most_one,
    bounded_text,
    decode_base64,
    exactly_one,
    leaf_text,
    only_attributes,
)
from wsguard.names import IDS, ITERATION, SALT

FEWEST_ITERATIONS: Final = 1_000
"""What §4 recommends at least, and WSS4J demands: with fewer, whoever reads a message guesses its password cheaply."""
MOST_ITERATIONS: Final = 10_000
"""Ten times the default of §4; 5 ms. Each is work that the sender makes us do."""
SALT_LENGTH: Final = 16
"""Octets: §4."""
FOR_SIGNATURES: Final = 1
"""§4: the first octet of the Salt of a key that makes signatures."""
_DEFAULT_ITERATIONS: Final = 1_000
"""§4."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a token says that a key is made of the password."""

    salt: bytes = field(repr=False)
    """``SALT_LENGTH`` octets."""
    iterations: int


def read_derivation(element: _Element, malformed: Refusal) -> Derivation:
    """Read Salt and Iteration of a wsse:UsernameToken that has a Salt.

    Raises:
        SecurityFault: made by ``malformed``.
    """
    child = exactly_one(element, SALT, malformed)
    only_attributes(child, IDS, malformed)
    salt = decode_base64(leaf_text(child, malformed), "Salt", malformed)
    if len(salt) != SALT_LENGTH:
        raise malformed(expected=f"a Salt of {SALT_LENGTH} octets", seen=f"{len(salt)}")
    return Derivation(salt, _iterations(at_most_one(element, ITERATION, malformed), malformed))


def _iterations(child: _Element | None, malformed: Refusal) -> int:
    if child is None:
        return _DEFAULT_ITERATIONS
    only_attributes(child, IDS, malformed)
    text = bounded_text(child, len(str(MOST_ITERATIONS)), malformed)
    if not (text.isascii() and text.isdigit() and FEWEST_ITERATIONS <= int(text) <= MOST_ITERATIONS):
        raise malformed(expected=f"{FEWEST_ITERATIONS} to {MOST_ITERATIONS} iterations", seen=text)
    return int(text)


def username_token_key(password: bytes, derivation: Derivation) -> bytes:
    """The key that is made of a password (UsernameToken Profile 1.1 §4): 20 octets.

    Args:
        password: in UTF-8.
        derivation: how.
    """
    key = password + derivation.salt
    for _ in range(derivation.iterations):
        key = hashlib.sha1(key, usedforsecurity=True).digest()  # noqa: S324 - what the profile says
    return key
