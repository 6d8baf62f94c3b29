"""Stores of what was seen and of who may call: one implementation a file, chosen by the scheme of a URL.

An implementation is imported when a URL asks for it, so nothing that is not used has to be installed.
"""

import importlib
import re
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Final

from wsguard.interfaces import PasswordVerifier, ReplayStore, UserStore
from wsguard.policy.surroundings import Replay

if TYPE_CHECKING:
    from types import ModuleType

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SQLITE: Final = "sqlite:///"
_TOML: Final = "toml:"

_POSTGRESQL: Final = "postgresql+psycopg"

_REPLAY: Final = (
    "memory://, sqlite:///FILE, redis:// and rediss:// (also with +unix, +sentinel and +cluster), "
    "and postgresql+psycopg://"
)
_USERS: Final = "sqlite:///FILE, any SQLAlchemy URL, toml:FILE and memory://"
_DRIVERS: Final = ("psycopg",)
_WITHOUT_SECRETS: Final = frozenset({"toml", "memory"})


def open_replay(url: str, settings: Replay | None = None) -> ReplayStore:
    """Open the replay store at ``url``, and prove that it can write.

    Args:
        url: ``memory://`` (this process only), ``sqlite:///FILE``, ``redis://…`` as ``parsed_redis_url`` takes it, or
            ``postgresql+psycopg://…`` as SQLAlchemy does.
        settings: of ``[replay]``, without where it is; None: the defaults.

    Raises:
        ConfigError: a setting does not fit the URL, or a Redis server throws keys away.
        ValueError: no such kind of store, a URL that cannot be read, a missing package, or a database of another kind
            or version.
        StoreUnavailable: the store cannot be opened or cannot write.
    """
    settings = settings or Replay()
    if url == "memory://":
        from wsguard.stores.replay_memory import MemoryReplayStore

        return MemoryReplayStore()
    if url.startswith(_SQLITE):
        from wsguard.stores.replay_sqlite import SqliteReplayStore

        return SqliteReplayStore(_sqlite_file(url), busy_timeout=settings.deadline)
    scheme = _scheme(url)
    store: ReplayStore
    if scheme.partition("+")[0] in ("redis", "rediss"):
        store = _imported("replay_redis", "redis", "redis", "Redis").RedisReplayStore(url, settings)
    elif scheme == _POSTGRESQL:
        module = _imported("replay_postgresql", "sqlalchemy", "postgresql", "a database")
        store = module.PostgresReplayStore(url, settings)
    else:
        raise _unknown(url, _REPLAY)
    return store


def replay_source(url: str, settings: Replay) -> Hashable:
    """What is the same for two configurations that name the same replay store in the same way."""
    scheme = _scheme(url)
    if scheme in ("memory", "sqlite"):
        return (url, settings.deadline) if scheme == "sqlite" else url
    # How long it is kept is said with each key.
    return url, settings.model_copy(update={"keep": 0})


def open_users(url: str, master_keys: Sequence[str] = (), deadline: float | None = None) -> UserStore:
    """Open the user table at ``url``.

    Args:
        url: ``sqlite:///FILE`` or any SQLAlchemy URL, ``toml:FILE``, or ``memory://`` (a table without users).
        master_keys: for a database: the first one encrypts, each of them decrypts.
        deadline: for a database: as ``SqlUserStore`` takes it.

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
        raise _unknown(url, _USERS)
    module = _imported("users_sql", "sqlalchemy", "sql", "a database")
    store: UserStore = module.SqlUserStore(url, master_keys, deadline=deadline)
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


def _imported(module: str, package: str, extra: str, what: str) -> "ModuleType":
    """A module of ours, which needs a package of others.

    Raises:
        ValueError: the package is missing.
    """
    try:
        return importlib.import_module(f"wsguard.stores.{module}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in (package, *_DRIVERS):
            raise
        name = {"sqlalchemy": "SQLAlchemy", "redis": "redis-py"}.get(missing, missing)
        raise ValueError(f"{what} needs {name}: pip install wsguard[{extra}]") from error


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


def _scheme(url: str) -> str:
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""


def _unknown(url: str, present: str) -> ValueError:
    # Only the scheme is quoted: the rest of a URL may be a secret.
    scheme = _scheme(url)
    if not scheme:
        return ValueError(f"not the URL of a store; there are {present}")
    return ValueError(f"no store is written {scheme}: this way; there are {present}")
