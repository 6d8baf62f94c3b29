"""Keys made of keys: WS-SecureConversation's P_SHA1 and the UsernameToken profile's iterated SHA-1. Pure functions."""

import hashlib
import hmac
from typing import Final

MOST_ITERATIONS: Final = 10_000
"""Ten times the default of UsernameToken Profile 1.1 §4; 5 ms. Each is work that the sender makes us do."""
SALT_LENGTH: Final = 16
"""Octets: UsernameToken Profile 1.1 §4."""


def p_sha1(secret: bytes, seed: bytes, offset: int, length: int) -> bytes:
    """``length`` octets from ``offset`` of the stream of P_SHA1 (WS-SecureConversation 1.3 §7; RFC 2246 §5).

    Args:
        secret: the key to derive from.
        seed: label and nonce.
        offset: octets to skip.
        length: octets wanted.
    """
    stream, chained = b"", seed
    while len(stream) < offset + length:
        chained = hmac.digest(secret, chained, "sha1")
        stream += hmac.digest(secret, chained + seed, "sha1")
    return stream[offset : offset + length]


def username_token_key(password: bytes, salt: bytes, iterations: int) -> bytes:
    """The key of a UsernameToken with wsse11:Salt and wsse11:Iteration (UsernameToken Profile 1.1 §4): 20 octets.

    Args:
        password: in UTF-8.
        salt: decoded; its first octet is 1 where the key makes signatures and 2 where it encrypts.
        iterations: 1 to ``MOST_ITERATIONS``.

    Raises:
        ValueError: there are fewer or more iterations.
    """
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise ValueError(f"1 to {MOST_ITERATIONS} iterations, not {iterations}")
    key = password + salt
    for _ in range(iterations):
        key = hashlib.sha1(key, usedforsecurity=True).digest()  # noqa: S324 - what the profile says
    return key
