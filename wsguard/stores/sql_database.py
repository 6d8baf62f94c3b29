"""A SQL database as the stores use it: opened from a URL, fork-safe, and speaking in faults of ours."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection, QueuePool

from wsguard.faults import StoreUnavailable
from wsguard.stores.sqlite_connection import create_private_file, identity, switch_to_wal, weakly

BUSY_TIMEOUT: Final = 5.0
"""Seconds; the default of Python's sqlite3."""

_ABANDONED: Final[list[Pool]] = []
"""Pools of a parent process, kept from being closed: a server would end the parent's sessions, SQLite would drop its
locks ("How To Corrupt An SQLite Database File" §2.6)."""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class DamagedDatabase(ValueError):
    """The file is no SQLite database, or a damaged one."""


class Database:
    """The connections of this process to one database.

    Of a SQLite file there is one: threads take turns, a fork finds it closed, and a file that was moved is not used on.
    """

    def __init__(self, url: str, *, setting: str, busy_timeout: float = BUSY_TIMEOUT) -> None:
        """
        Nothing is opened yet.

        Args:
            url: any synchronous SQLAlchemy URL; of SQLite, ``sqlite:///FILE`` only.
            setting: key path of the setting that names it.
            busy_timeout: seconds to wait for a SQLite file that another thread, and again another process, uses.

        Raises:
            ValueError: the URL cannot be used, or the package of its driver is missing.
        """
        parsed = _parse(url)
        self._setting = setting
        self._busy_timeout = busy_timeout
        self.name = parsed.set(query={}).render_as_string(hide_password=True)
        """The URL without what may be secret in it."""
        self._dialect = parsed.get_backend_name()
        self._file = _sqlite_file(parsed) if self._dialect == "sqlite" else None
        self._engine = _engine(parsed) if self._file is None else _sqlite_engine(self._file, busy_timeout)
        self._turn = threading.RLock()
        self._pid = os.getpid()
        os.register_at_fork(
            before=weakly(self._before_fork),
            after_in_parent=weakly(self._after_fork_in_parent),
            after_in_child=weakly(self._after_fork_in_child),
        )

    def prepare(self) -> None:
        """Create a SQLite file that is not there, with mode 0600, put it in WAL mode, and look through it for damage.

        Raises:
            DamagedDatabase: it is no database, or a damaged one.
            StoreUnavailable: it cannot be created or opened.
        """
        if self._file is None:
            return
        try:
            create_private_file(self._file)
            with self._taken(), closing(_connect(self._file, self._busy_timeout)) as connection:
                switch_to_wal(connection, self._busy_timeout)
                found = connection.execute("PRAGMA quick_check(1)").fetchone()
        except OSError as error:
            raise StoreUnavailable(f"{self._file}: {error.strerror}", setting=self._setting) from error
        except sqlite3.Error as error:
            raise self._opening_fault(error) from error
        if found != ("ok",):
            raise DamagedDatabase(f"{self._file}: a damaged database; put a copy of it in its place")

    @contextmanager
    def transaction(self, *, patience: float | None = None) -> Iterator[Connection]:
        """A connection whose work is kept when the context ends well, and undone when it does not.

        Args:
            patience: seconds to wait for others that write, where that is not ``busy_timeout``; on SQLite and
                PostgreSQL.

        Raises:
            StoreUnavailable: SQLAlchemy raised, in the context or at its end.
        """
        with self._translated(), self._taken(patience), self._current().begin() as connection:
            for statement in self._beginning(patience):
                connection.exec_driver_sql(statement)
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection for reading.

        Raises:
            StoreUnavailable: SQLAlchemy raised in the context.
        """
        with self._translated(), self._taken(), self._current().connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self._current().dispose()

    def _beginning(self, patience: float | None) -> Iterator[str]:
        if patience is not None and self._dialect == "postgresql":
            yield f"SET LOCAL lock_timeout = {patience * 1000:.0f}"
        if self._file is not None:
            yield f"PRAGMA busy_timeout = {(self._busy_timeout if patience is None else patience) * 1000:.0f}"
            # Python's sqlite3 begins no transaction by itself for a CREATE TABLE or a SELECT.
            yield "BEGIN IMMEDIATE"

    @contextmanager
    def _taken(self, patience: float | None = None) -> Iterator[None]:
        """This thread alone, where the database is a SQLite file."""
        if self._file is None:
            yield
            return
        turn, timeout = self._turn, self._busy_timeout if patience is None else patience
        if not turn.acquire(timeout=timeout):
            raise StoreUnavailable(f"{self.name}: busy for {timeout:g} s", setting=self._setting)
        try:
            yield
        finally:
            turn.release()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            # Further lines of a server's error may quote the row.
            reason = str(error.orig).partition("\n")[0]
            raise StoreUnavailable(f"{self.name}: {reason}", setting=self._setting) from error
        except (SQLAlchemyError, UnicodeError) as error:
            raise StoreUnavailable(f"{self.name}: {error}", setting=self._setting) from error

    def _opening_fault(self, error: sqlite3.Error) -> StoreUnavailable | DamagedDatabase:
        # Some errors of Python's own have no code.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            return DamagedDatabase(f"{self._file}: {error}")
        return StoreUnavailable(f"{self._file}: {error}", setting=self._setting)

    def _current(self) -> Engine:
        if self._pid != os.getpid():
            self._after_fork_in_child()
        return self._engine

    def _before_fork(self) -> None:
        # A child inherits SQLite's own record of the locks that its parent holds, even if it opens the file anew.
        if self._turn.acquire(timeout=2 * self._busy_timeout) and self._file is not None:
            self._engine.dispose()

    def _after_fork_in_parent(self) -> None:
        try:
            self._turn.release()
        except RuntimeError:
            return

    def _after_fork_in_child(self) -> None:
        _ABANDONED.append(self._engine.pool)
        self._engine.dispose(close=False)
        self._turn = threading.RLock()
        self._pid = os.getpid()


def _parse(url: str) -> URL:
    # SQLAlchemy's own error is cut off: it may quote the URL, which may be a secret.
    try:
        return make_url(url)
    except ArgumentError:
        failure = "not a URL that SQLAlchemy can read"
    except ValueError:
        failure = "a URL with a port that is no number"
    raise ValueError(failure)


def _sqlite_file(url: URL) -> Path:
    if url.drivername not in ("sqlite", "sqlite+pysqlite") or url.host or url.query:
        raise ValueError("SQLite is written sqlite:///FILE, with no other driver and without options")
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:") or "\0" in name:
        raise ValueError("sqlite:/// is followed by a file name; a store in memory is memory://")
    return Path(name).absolute()


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=busy_timeout, check_same_thread=False)


def _sqlite_engine(path: Path, busy_timeout: float) -> Engine:
    """One connection at most, in whose turns there is no waiting: ``Database`` lets one thread in."""
    engine = create_engine(
        f"sqlite:///{path}",
        creator=lambda: _connect(path, busy_timeout),
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=busy_timeout,
    )

    def connected(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = identity(path)

    def taken(connection: sqlite3.Connection, entry: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        # In WAL mode SQLite goes on with a file that was deleted, which nobody else changes.
        if entry.info["file"] != identity(path):
            raise DisconnectionError(f"{path} was moved or deleted")

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", taken)
    return engine


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    try:
        engine = create_engine(url, **options)
    except NoSuchModuleError as error:
        raise ValueError(f"SQLAlchemy knows no database {url.drivername}") from error
    except ModuleNotFoundError as error:
        raise ValueError(f"{url.drivername} needs the package {error.name}, which is missing") from error
    except (ArgumentError, TypeError) as error:
        raise ValueError(f"the options of the {url.drivername} URL cannot be used") from error
    if engine.dialect.is_async:
        raise ValueError(f"{url.drivername} is an asynchronous driver")
    return engine
