"""Users in a TOML file, with their passwords in the clear: for development and for the smallest services."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from wsguard.faults import StoreUnavailable
from wsguard.interfaces import User

_KEYS: Final = frozenset({"password", "enabled", "services"})
_WHERE: Final = re.compile(r"\((at [a-z0-9 ,]+)\)$")


class TomlUserStore:
    """Finds the users of a TOML file, which is read once.

    Each is a line ``"name" = "password"``, or a table ``["name"]`` with ``password``, and ``enabled`` (true or false)
    and ``services`` (a list of names) where wanted. A file without users is legal.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        Raises:
            ValueError: the file is not TOML, or something else is in it; all mistakes at once, never a password.
            StoreUnavailable: the file cannot be read.
        """
        self._users = read_users(path)

    def find(self, name: str) -> User | None:
        """The user with exactly this name, or None."""
        return self._users.get(name)

    def close(self) -> None:
        """Nothing is held."""


def read_users(path: str | os.PathLike[str]) -> dict[str, User]:
    """The users of a TOML file by name, in its order.

    Raises:
        ValueError: the file is not TOML, or something else is in it; all mistakes at once, never a password.
        StoreUnavailable: the file cannot be read.
    """
    file = Path(path)
    mistakes: list[str] = []
    found = [_user(name, value, mistakes) for name, value in _load(file).items()]
    if mistakes:
        raise ValueError(f"{file}: {'; '.join(mistakes)}")
    return {user.name: user for user in found if user is not None}


def _load(path: Path) -> dict[str, Any]:
    # The decoders' own errors are cut off: they may hold the file, passwords and all.
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        failure = error
    if isinstance(failure, OSError):
        raise StoreUnavailable(f"{path}: {failure.strerror}", setting="users.url")
    if isinstance(failure, UnicodeDecodeError):
        raise ValueError(f"{path}: not UTF-8 (at byte {failure.start})")
    where = _WHERE.search(str(failure))
    raise ValueError(f"{path}: not TOML{f' ({where[1]})' if where else ''}")


def _user(name: str, value: object, mistakes: list[str]) -> User | None:
    if not name:
        mistakes.append("a user without a name")
    table = {"password": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        mistakes.append(f"{name!r}: a password in quotes or a table is expected")
        return None
    for key in sorted(table.keys() - _KEYS):
        mistakes.append(f"{name!r}: unknown key {key!r} (a name with a dot is written in quotes)")
    return User(
        name,
        _password(name, table.get("password"), mistakes),
        _enabled(name, table.get("enabled", True), mistakes),
        _services(name, table.get("services", []), mistakes),
    )


def _password(name: str, value: object, mistakes: list[str]) -> bytes:
    if isinstance(value, str) and value:
        return value.encode()
    mistakes.append(f"{name!r}: password is missing, empty or not text")
    return b""


def _enabled(name: str, value: object, mistakes: list[str]) -> bool:
    if isinstance(value, bool):
        return value
    mistakes.append(f"{name!r}: enabled is true or false")
    return False


def _services(name: str, value: object, mistakes: list[str]) -> frozenset[str]:
    if isinstance(value, list) and all(isinstance(service, str) and service for service in value):
        return frozenset(value)
    mistakes.append(f"{name!r}: services is a list of names")
    return frozenset()
