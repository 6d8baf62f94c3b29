"""Secrets as they lie in a database: encrypted under master keys that are kept elsewhere."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}=", re.ASCII)
"""32 bytes in URL-safe base64 (the Fernet specification)."""
_OWNER_BYTES: Final = hashlib.sha256().digest_size


class WrongMasterKey(ValueError):
    """None of the master keys opens what was sealed, or it was sealed for somebody else, or it is damaged."""


class MasterKeys:
    """Seals secrets under the first of several keys, and opens what any of them sealed.

    A sealed secret belongs to its owner: in the row of another it does not open, so whoever can write the table but has
    no key cannot give a password of his own to somebody else.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """
        Args:
            keys: as ``new_master_key`` makes them; the first one seals.

        Raises:
            ValueError: there is none, or one is no key.
        """
        if isinstance(keys, str) or not keys:
            raise ValueError("a master key is needed: make one with: wsguard users new-key")
        self._keys = MultiFernet([_fernet(number, key) for number, key in enumerate(keys, 1)])

    def seal(self, owner: str, secret: bytes) -> str:
        """Encrypt ``secret`` for ``owner``, authenticated, in ASCII."""
        return self._keys.encrypt(_mark(owner) + secret).decode("ascii")

    def open(self, owner: str, sealed: str) -> bytes:
        """The secret in ``sealed``.

        Raises:
            WrongMasterKey: no key fits, or it is not ``owner``'s.
        """
        try:
            opened = self._keys.decrypt(sealed)
        except (InvalidToken, UnicodeError, ValueError):
            raise WrongMasterKey("sealed under another master key, or damaged") from None
        if opened[:_OWNER_BYTES] != _mark(owner):
            raise WrongMasterKey("sealed for somebody else")
        return opened[_OWNER_BYTES:]

    def reseal(self, owner: str, sealed: str) -> str:
        """``sealed`` under the first key.

        Raises:
            WrongMasterKey: no key fits, or it is not ``owner``'s.
        """
        return self.seal(owner, self.open(owner, sealed))


def new_master_key() -> str:
    """A new random key."""
    return Fernet.generate_key().decode("ascii")


def _fernet(number: int, key: str) -> Fernet:
    # Looked at here: the decoder passes over what is no base64, and its own error may hold the key.
    if not _KEY.fullmatch(key):
        raise ValueError(f"master key {number} is no key: make one with: wsguard users new-key")
    return Fernet(key)


def _mark(owner: str) -> bytes:
    return hashlib.sha256(owner.encode()).digest()
