"""Stores of what was seen and of who may call: one implementation a file, chosen by the scheme of a URL.

An implementation is imported when a URL asks for it, so nothing that is not used has to be installed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from wsguard.interfaces import PasswordVerifier, ReplayStore, UserStore

if TYPE_CHECKING:
    from types import ModuleType

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
_USERS: Final = "sqlite:///FILE, any SQLAlchemy URL, toml:FILE and memory://"
_WITHOUT_SECRETS: Final = frozenset({"toml", "memory"})


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
    raise _unknown(url, _REPLAY, _REPLAY_TO_COME)


def open_users(url: str, master_keys: Sequence[str] = ()) -> UserStore:
    """Open the user table at ``url``.

    Args:
        url: ``sqlite:///FILE`` or any SQLAlchemy URL, ``toml:FILE``, or ``memory://`` (a table without users).
        master_keys: for a database: the first one encrypts, each of them decrypts.

    Raises:
        ValueError: no such kind of store, a URL that cannot be read, mistakes in the file, all of them at once, no
            master key or the wrong one, a database that is damaged or of another version, or a missing package.
        StoreUnavailable: the file or database cannot be opened.
    """
    if url == "memory://":
        from wsguard.stores.users_memory import MemoryUserStore

        return MemoryUserStore()
    if url.startswith(_TOML):
        from wsguard.stores.users_toml import TomlUserStore

        return TomlUserStore(_toml_file(url))
    if not is_database(url):
        raise _unknown(url, _USERS, {})
    store: UserStore = _users_sql().SqlUserStore(url, master_keys)
    return store


def is_database(url: str) -> bool:
    """Whether ``url`` is of the form of a SQLAlchemy URL: a user table there needs master keys."""
    match = _SCHEME.match(url)
    return match is not None and match[1].lower() not in _WITHOUT_SECRETS


def open_verifier(*, needed: bool) -> PasswordVerifier | None:
    """What passwords are held against hashes with; None where argon2-cffi is missing and not needed.

    Raises:
        ValueError: it is missing and needed.
    """
    try:
        from wsguard.stores.argon2_verifier import Argon2Verifier
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "argon2":
            raise
        if needed:
            raise ValueError("it has hashed passwords, which need argon2-cffi: pip install wsguard[argon2]") from error
        return None
    return Argon2Verifier()


def _users_sql() -> "ModuleType":
    try:
        import wsguard.stores.users_sql as users_sql
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sqlalchemy":
            raise
        raise ValueError("a database needs SQLAlchemy: pip install wsguard[sql]") from error
    return users_sql


def _sqlite_file(url: str) -> str:
    name = url.removeprefix(_SQLITE)
    if not name or name == ":memory:":
        raise ValueError("sqlite:/// is followed by a file name; what is kept in memory is written memory://")
    if "?" in name or "\0" in name:
        raise ValueError("sqlite:///FILE takes no options, and the file name no '?' and no NUL")
    return name


def _toml_file(url: str) -> str:
    name = url.removeprefix(_TOML)
    if not name or "\0" in name:
        raise ValueError("toml: is followed by a file name")
    return name


def _unknown(url: str, present: str, to_come: Mapping[str, str]) -> ValueError:
    # Only the scheme is quoted: the rest of a URL may be a secret.
    match = _SCHEME.match(url)
    if match is None:
        return ValueError(f"not the URL of a store; there are {present}")
    scheme = match[1].lower()
    kind = to_come.get(scheme) or to_come.get(scheme.partition("+")[0])
    if kind is not None:
        return ValueError(f"this version has no {kind} store ({scheme}:) yet; it has {present}")
    return ValueError(f"no store is written {scheme}: this way; there are {present}")
