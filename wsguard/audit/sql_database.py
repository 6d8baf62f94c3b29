"""A SQL database as the audit uses it: opened from a URL, fork-safe, and speaking in faults of ours."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool, PoolProxiedConnection, QueuePool

from wsguard.audit.forks import weakly
from wsguard.faults import StoreUnavailable

BUSY_TIMEOUT: Final = 5.0
"""Seconds; the default of Python's sqlite3."""

_SETTING: Final = "audit.url"
_ABANDONED: Final[list[Pool]] = []
"""Pools of a parent process, kept from being closed: "How To Corrupt An SQLite Database File" §2.6."""


class Database:
    """The connections of this process to one database."""

    def __init__(self, url: str, *, writes: bool, busy_timeout: float = BUSY_TIMEOUT) -> None:
        """
        Args:
            url: any synchronous SQLAlchemy URL; of SQLite, ``sqlite:///FILE`` only.
            writes: a SQLite file that is not there is created, with mode 0600, and put in WAL mode; connections are
                kept. Otherwise nothing is created and nothing stays open.
            busy_timeout: seconds to wait for a SQLite file that another thread or process writes to.

        Raises:
            ValueError: the URL cannot be used, or the package of its driver is missing.
            StoreUnavailable: the file cannot be created.
        """
        parsed = _parse(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.name = parsed.set(query={}).render_as_string(hide_password=True)
        """The URL without what may be secret in it."""
        if self.is_sqlite:
            path = _sqlite_file(parsed)
            if writes:
                _create(path, busy_timeout)
            self._engine = _sqlite_engine(path, busy_timeout, keep=writes)
        else:
            self._engine = _engine(parsed, keep=writes)
        self._pid = os.getpid()
        os.register_at_fork(before=weakly(self._before_fork), after_in_child=weakly(self._after_fork_in_child))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work is kept when the context ends well.

        Raises:
            StoreUnavailable: SQLAlchemy raised, in the context or at its end.
        """
        with self._translated(), self._current().begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection whose work is undone when the context ends.

        Raises:
            StoreUnavailable: SQLAlchemy raised in the context.
        """
        with self._translated(), self._current().connect() as connection:
            yield connection

    def release(self) -> None:
        """Close the connections that are not in use; the next use opens others."""
        self._current().dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StoreUnavailable(f"{self.name}: {error.orig}", setting=_SETTING) from error
        except (SQLAlchemyError, UnicodeError) as error:
            raise StoreUnavailable(f"{self.name}: {error}", setting=_SETTING) from error

    def _current(self) -> Engine:
        if self._pid != os.getpid():
            self._after_fork_in_child()
        return self._engine

    def _before_fork(self) -> None:
        # A child inherits SQLite's own record of the locks that its parent holds, even if it opens the file anew.
        if self.is_sqlite:
            self._engine.dispose()

    def _after_fork_in_child(self) -> None:
        _ABANDONED.append(self._engine.pool)
        self._engine.dispose(close=False)
        self._pid = os.getpid()


def _parse(url: str) -> URL:
    # SQLAlchemy's own error is cut off: it may quote the URL, which may be a secret.
    try:
        return make_url(url)
    except ArgumentError:
        failure = "not a URL that SQLAlchemy can read"
    except ValueError:
        failure = "a URL with a port that is no number"
    raise ValueError(f"{failure}")


def _sqlite_file(url: URL) -> Path:
    if url.drivername not in ("sqlite", "sqlite+pysqlite") or url.host or url.query:
        raise ValueError("SQLite is written sqlite:///FILE, with no other driver and without options")
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:") or "\0" in name:
        raise ValueError("sqlite:/// is followed by a file name; an audit in memory is memory://")
    return Path(name).absolute()


def _create(path: Path, busy_timeout: float) -> None:
    try:
        # Never open a database that exists: closing the descriptor would drop the locks that SQLite holds on the file
        # for other connections of this process ("How To Corrupt An SQLite Database File" §2.2).
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}", setting=_SETTING) from error
    try:
        with closing(_connect(path, busy_timeout)) as connection:
            _switch_to_wal(connection, busy_timeout)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}", setting=_SETTING) from error


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=busy_timeout, check_same_thread=False)


def _switch_to_wal(connection: sqlite3.Connection, busy_timeout: float) -> None:
    # Where two processes switch at once, SQLite answers one of them SQLITE_BUSY without asking its busy handler.
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _sqlite_engine(path: Path, busy_timeout: float, *, keep: bool) -> Engine:
    """One connection at most, where it is kept: SQLite lets one writer in at a time, and a queue is fair."""
    pool: dict[str, Any] = {"poolclass": NullPool}
    if keep:
        pool = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": busy_timeout}
    engine = create_engine(
        f"sqlite:///{path}", creator=lambda: _connect(path, busy_timeout), hide_parameters=True, **pool
    )

    def connected(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        entry.info["file"] = _identity(path)

    def taken(connection: sqlite3.Connection, entry: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        # In WAL mode SQLite goes on writing to a file that was deleted, where nobody reads.
        if entry.info["file"] != _identity(path):
            raise DisconnectionError(f"{path} was moved or deleted")

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", taken)
    return engine


def _engine(url: URL, *, keep: bool) -> Engine:
    pool: dict[str, Any] = {"pool_pre_ping": True} if keep else {"poolclass": NullPool}
    try:
        engine = create_engine(url, hide_parameters=True, **pool)
    except NoSuchModuleError as error:
        raise ValueError(f"SQLAlchemy knows no database {url.drivername}") from error
    except ModuleNotFoundError as error:
        raise ValueError(f"{url.drivername} needs the package {error.name}, which is missing") from error
    except (ArgumentError, TypeError) as error:
        raise ValueError(f"the options of the {url.drivername} URL cannot be used") from error
    if engine.dialect.is_async:
        raise ValueError(f"{url.drivername} is an asynchronous driver")
    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
