"""Throw-away users beside the real ones: in a table of the same kind, read by the same code, that ends with the proof.

The real table is asked for every name but theirs, and nothing of it is changed.
"""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from wsguard.interfaces import User, UserStore
from wsguard.opening import location
from wsguard.policy import Policy
from wsguard.stores import is_database, open_users
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_memory import MemoryUserStore


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up: the name is random, so that it is nobody's."""

    name: str
    password: str = field(repr=False)

    @classmethod
    def make(cls) -> "Person":
        """A new one."""
        return cls(f"wsguard-proof-{secrets.token_hex(16)}", secrets.token_urlsafe(24))

    def as_user(self, *, enabled: bool = True, services: Iterable[str] = ()) -> User:
        """Their row of a user table."""
        return User(self.name, self.password.encode(), enabled, frozenset(services))


@dataclass(frozen=True, slots=True)
class UsersOfTheProof:
    """The throw-away users."""

    table: UserStore
    names: frozenset[str]
    """In lower case, as they all are."""


class UsersBeside:
    """Finds the throw-away users in their own table, and asks the real one for every other name."""

    def __init__(self, real: UserStore, own: UsersOfTheProof) -> None:
        """
        Args:
            real: of the configuration; it stays open.
            own: the throw-away users.
        """
        self._real: Final = real
        self._own: Final = own

    def find(self, name: str) -> User | None:
        """The user with exactly this name, or None."""
        # Other spellings of a name too: whether they are somebody else's is a question to their own table.
        is_own = name.strip().lower() in self._own.names
        return (self._own.table if is_own else self._real).find(name)

    def close(self) -> None:
        """Nothing is held: who opened the two tables closes them."""


@contextmanager
def table_like_the_real_one(policy: Policy, users: Iterable[User]) -> Iterator[UserStore]:
    """A table with ``users``, of the kind that ``policy`` names, in a directory of its own that is removed."""
    everybody = tuple(users)
    unused = all(demands.username_token.use == "forbidden" for demands in policy.every_demand)
    url = "memory://" if unused else location(policy.users, "users")
    with TemporaryDirectory(prefix="wsguard-proof-") as name:
        table = _table(url, Path(name), everybody)
        try:
            yield table
        finally:
            table.close()


def _table(url: str, directory: Path, users: tuple[User, ...]) -> UserStore:
    if url.startswith("toml:"):
        file = directory / "users.toml"
        file.touch(mode=0o600)
        file.write_text("".join(map(_toml, users)), encoding="utf-8")
        return open_users(f"toml:{file}")
    if not is_database(url):
        return MemoryUserStore(users)
    # With what only a configuration that names a database has installed.
    from wsguard.stores.users_sql import SqlUserStore

    table = SqlUserStore(f"sqlite:///{directory / 'users.db'}", (new_master_key(),))
    table.import_users(users)
    return table


def _toml(user: User) -> str:
    password = json.dumps((user.password or b"").decode())
    enabled, services = json.dumps(user.enabled), json.dumps(sorted(user.services))
    return f"[{json.dumps(user.name)}]\npassword = {password}\nenabled = {enabled}\nservices = {services}\n"
