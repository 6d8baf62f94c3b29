"""Slow hashes of passwords: argon2id, with a bound on how many are worked out at the same time."""

import base64
import os
import secrets
import threading
from typing import Final

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError

from wsguard.databases.forks import weakly
from wsguard.faults import StoreUnavailable

_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, type=Type.ID)
"""RFC 9106 §4, the second recommended choice: 64 MiB each."""

WAIT: Final = 0.5
"""Seconds: some ten hashes, so a short queue is served and a flood is not."""

_SETTING: Final = "users.url"


def hash_password(password: bytes) -> str:
    """A new hash of ``password``, in PHC string format."""
    return _HASHER.hash(password)


class Argon2Verifier:
    """Holds passwords against argon2id hashes, only so many at the same time: a flood of them is refused, not worked
    off."""

    def __init__(self, most_at_once: int = 2, *, wait: float = WAIT) -> None:
        """
        Args:
            most_at_once: hashes worked out at the same time, 64 MiB and up to four threads each.
            wait: seconds to wait for a place.

        Raises:
            ValueError: ``most_at_once`` is less than one.
        """
        if most_at_once < 1:
            raise ValueError("most_at_once is 1 or more")
        self.stand_in = _fits_no_password()
        self._most_at_once = most_at_once
        self._wait = wait
        self._places = threading.BoundedSemaphore(most_at_once)
        os.register_at_fork(after_in_child=weakly(self._after_fork_in_child))

    def matches(self, password_hash: str, password: bytes) -> bool:
        """Whether ``password`` is what ``password_hash`` was made of.

        Raises:
            StoreUnavailable: no place became free, or the hash is no argon2id hash.
        """
        _demand_argon2id(password_hash)
        places = self._places
        if not places.acquire(timeout=self._wait):
            raise StoreUnavailable(
                f"{self._most_at_once} passwords are being checked, and none was done in {self._wait:g} s",
                setting="username_token.password_types",
            )
        try:
            return _HASHER.verify(password_hash, password)
        except VerifyMismatchError:
            return False
        except (Argon2Error, InvalidHashError) as error:
            raise StoreUnavailable(f"a password hash cannot be worked out: {error}", setting=_SETTING) from None
        finally:
            places.release()

    def _after_fork_in_child(self) -> None:
        # A place that another thread of the parent has would never become free here.
        self._places = threading.BoundedSemaphore(self._most_at_once)


def _demand_argon2id(password_hash: str) -> None:
    try:
        known = extract_parameters(password_hash).type is Type.ID
    except (InvalidHashError, UnicodeError, ValueError):
        known = False
    if not known:
        raise StoreUnavailable("a password hash is no argon2id hash", setting=_SETTING)


def _fits_no_password() -> str:
    """A hash whose value was drawn and not worked out, with the parameters of all others."""
    salt, value = (_unpadded(secrets.token_bytes(size)) for size in (_HASHER.salt_len, _HASHER.hash_len))
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${value}"


def _unpadded(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii").rstrip("=")
