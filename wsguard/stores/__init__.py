"""Stores of what was seen and of who may call: one implementation a file, chosen by the scheme of a URL.

An implementation is imported when a URL asks for it, so nothing that is not used has to be installed.
"""

import re
from collections.abc import Mapping
from typing import Final

from wsguard.interfaces import ReplayStore, UserStore

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SQLITE: Final = "sqlite:///"
_TOML: Final = "toml:"

_REPLAY: Final = "memory:// and sqlite:///FILE"
_REPLAY_TO_COME: Final = {
    "redis": "Redis",
    "rediss": "Redis",
    "postgresql+psycopg": "PostgreSQL",
    "postgresql": "PostgreSQL",
}
_USERS: Final = "toml:FILE and memory://"
_USERS_TO_COME: Final = dict.fromkeys(("sqlite", "postgresql", "mysql", "mariadb", "oracle", "mssql"), "SQL")


def open_replay(url: str) -> ReplayStore:
    """Open the replay store at ``url``, and prove that it can write.

    Args:
        url: ``memory://`` (this process only) or ``sqlite:///FILE``.

    Raises:
        ValueError: no such kind of store, a URL that cannot be read, or a database of another kind or version.
        StoreUnavailable: the store cannot be opened or cannot write.
    """
    if url == "memory://":
        from wsguard.stores.replay_memory import MemoryReplayStore

        return MemoryReplayStore()
    if url.startswith(_SQLITE):
        from wsguard.stores.replay_sqlite import SqliteReplayStore

        return SqliteReplayStore(_sqlite_file(url))
    raise _unknown(url, "replay", _REPLAY, _REPLAY_TO_COME)


def open_users(url: str) -> UserStore:
    """Open the user table at ``url``.

    Args:
        url: ``toml:FILE`` or ``memory://`` (a table without users).

    Raises:
        ValueError: no such kind of store, a URL that cannot be read, or mistakes in the file, all of them at once.
        StoreUnavailable: the file cannot be read.
    """
    if url == "memory://":
        from wsguard.stores.users_memory import MemoryUserStore

        return MemoryUserStore()
    if url.startswith(_TOML):
        from wsguard.stores.users_toml import TomlUserStore

        return TomlUserStore(_toml_file(url))
    raise _unknown(url, "users", _USERS, _USERS_TO_COME)


def _sqlite_file(url: str) -> str:
    name = url.removeprefix(_SQLITE)
    if not name or name == ":memory:":
        raise ValueError("replay.url: sqlite:/// is followed by a file name; a store in memory is memory://")
    if "?" in name or "\0" in name:
        raise ValueError("replay.url: sqlite:///FILE takes no options, and the file name no '?' and no NUL")
    return name


def _toml_file(url: str) -> str:
    name = url.removeprefix(_TOML)
    if not name or "\0" in name:
        raise ValueError("users.url: toml: is followed by a file name")
    return name


def _unknown(url: str, section: str, present: str, to_come: Mapping[str, str]) -> ValueError:
    # Only the scheme is quoted: the rest of a URL may be a secret.
    match = _SCHEME.match(url)
    if match is None:
        return ValueError(f"{section}.url: not the URL of a store; there are {present}")
    scheme = match[1].lower()
    kind = to_come.get(scheme) or to_come.get(scheme.partition("+")[0])
    if kind is not None:
        return ValueError(f"{section}.url: this version has no {kind} store ({scheme}:) yet; it has {present}")
    return ValueError(f"{section}.url: no store is written {scheme}: this way; there are {present}")
