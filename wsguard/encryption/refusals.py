"""The refusals of this room.

Shapes, algorithms and the names of keys are told apart: they stand in the message for everybody to read. What depends
on a key of ours or on what was decrypted is one refusal with one text, so that nobody learns from it (FACTS S12; Jager
and Somorovsky, "How to break XML encryption", 2011).
"""

from functools import partial
from typing import Final

from wsguard.faults import FailedCheck, InvalidSecurity, SecurityTokenUnavailable, UnsupportedAlgorithm

malformed: Final = partial(InvalidSecurity, "encryption.malformed")


def failed() -> FailedCheck:
    """``encryption.failed``, whatever failed and wherever."""
    return FailedCheck(
        "encryption.failed", expected="data that decrypts to well-formed content", seen="data that does not"
    )


def no_key(seen: str, expected: str = "a key of keys.decrypt or keys.shared") -> SecurityTokenUnavailable:
    """``encryption.key``: what a message says of the key that it needs fits none of ours."""
    return SecurityTokenUnavailable("encryption.key", expected=expected, seen=seen, setting="keys.decrypt")


def unknown(expected: str, seen: str) -> UnsupportedAlgorithm:
    """``encryption.algorithm`` for one that stands inside of another, which no setting governs."""
    return UnsupportedAlgorithm("encryption.algorithm", expected=expected, seen=seen)
