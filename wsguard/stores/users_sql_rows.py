"""From users to the rows of a table and back: what is sealed, hashed and shown."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import RowMapping

from wsguard.faults import StoreUnavailable
from wsguard.interfaces import User
from wsguard.stores.secrets_at_rest import MasterKeys, WrongMasterKey
from wsguard.stores.users_sql_table import LONGEST_NAME

Kind = Literal["digest", "text-only"]
"""digest: the password can be read with the master key, so it is good for both types of password; text-only: only its
hash is kept, which is good for PasswordText."""

# No control characters, which XML 1.0 §2.2 and PostgreSQL do not take, and no halves of surrogate pairs.
_NAME: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{LONGEST_NAME}}}")


@dataclass(frozen=True, slots=True)
class UserEntry:
    """What may be shown of a user."""

    name: str
    kind: Kind
    enabled: bool
    services: tuple[str, ...]
    """Services it may call; empty: all."""
    created: datetime
    last_seen: datetime | None
    """When its password was last right, to the minute."""


def is_name(name: str) -> bool:
    """Whether a row can have this name."""
    return _NAME.fullmatch(name) is not None


def new_user(name: str, password: str, services: Iterable[str] = ()) -> User:
    """A user from what an operator gave.

    Raises:
        ValueError: the password is empty, or no Unicode text.
    """
    try:
        octets = password.encode()
    except UnicodeEncodeError:
        octets = b""
    if not octets:
        # The encoder's own error is cut off: it holds the password.
        raise ValueError(f"{name!r}: the password is empty, or holds half a surrogate pair")
    return User(name, octets, services=frozenset(services))


class Rows:
    """Writes and reads rows under master keys."""

    def __init__(self, keys: MasterKeys, database: str) -> None:
        """
        Args:
            keys: the first one seals, each of them opens.
            database: its name, for errors.
        """
        self._keys = keys
        self._database = database
        self._stand_in = keys.seal("", b"")

    def written(self, user: User, created: datetime, *, text_only: bool) -> dict[str, Any]:
        """The row of a new user.

        Raises:
            ValueError: the name or the password cannot be used, or argon2-cffi is missing.
        """
        if not is_name(user.name):
            raise ValueError(f"{user.name!r}: a name has 1 to {LONGEST_NAME} characters and no control character")
        if not user.password:
            raise ValueError(f"{user.name!r}: the password is missing or empty")
        return {
            "name": user.name,
            "enabled": user.enabled,
            "services": json.dumps(sorted(user.services)),
            "created": created,
            **self.kept(user.name, user.password, text_only=text_only),
        }

    def kept(self, name: str, password: bytes, *, text_only: bool) -> dict[str, str | None]:
        """The columns that keep a password.

        Raises:
            ValueError: argon2-cffi is missing.
        """
        if text_only:
            return {"secret": None, "password_hash": _hashed(password)}
        return {"secret": self._keys.seal(name, password), "password_hash": None}

    def user(self, row: RowMapping | None) -> User | None:
        """The user in ``row``; None of None, in the same time.

        Raises:
            StoreUnavailable: the row is damaged, or sealed under another key.
        """
        password = None
        if row is not None and row["secret"] is not None:
            password = self._opened(row["name"], row["secret"])
        else:
            self._keys.open("", self._stand_in)
        if row is None:
            return None
        if password is None and not row["password_hash"]:
            raise self._damaged(row["name"], "has neither a password nor a hash")
        return User(row["name"], password, row["enabled"], frozenset(self._services(row)), row["password_hash"] or "")

    def entry(self, row: RowMapping) -> UserEntry:
        """What may be shown of ``row``, which has ``hashed`` in place of secret and hash.

        Raises:
            StoreUnavailable: the row is damaged.
        """
        kind: Kind = "text-only" if row["hashed"] else "digest"
        services = tuple(sorted(self._services(row)))
        return UserEntry(row["name"], kind, row["enabled"], services, row["created"], row["last_seen"])

    def resealed(self, name: str, secret: str) -> str:
        """``secret`` under the first master key.

        Raises:
            ValueError: it does not open.
        """
        try:
            return self._keys.reseal(name, secret)
        except WrongMasterKey as error:
            raise ValueError(f"the password of {name!r} was {error}; nothing was changed") from None

    def _opened(self, name: str, secret: str) -> bytes:
        try:
            return self._keys.open(name, secret)
        except WrongMasterKey as error:
            raise self._damaged(name, f"has a password that was {error}") from None

    def _services(self, row: RowMapping) -> list[str]:
        try:
            services = json.loads(row["services"])
        except ValueError:
            services = None
        if not isinstance(services, list) or not all(isinstance(service, str) for service in services):
            raise self._damaged(row["name"], "has services that cannot be read")
        return services

    def _damaged(self, name: str, what: str) -> StoreUnavailable:
        return StoreUnavailable(f"{self._database}: the row of {name!r} {what}", setting="users.url")


def _hashed(password: bytes) -> str:
    try:
        from wsguard.stores.argon2_verifier import hash_password
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "argon2":
            raise
        raise ValueError("users of PasswordText only need argon2-cffi: pip install wsguard[argon2]") from error
    return hash_password(password)
