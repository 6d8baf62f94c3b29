"""A SQL database: opened from a URL, fork-safe, and speaking in faults of ours."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import Pool

from wsguard.databases.deadline import remaining, within
from wsguard.databases.files import create_private_file
from wsguard.databases.forks import weakly
from wsguard.databases.sql_engine import parsed_url, server_engine, sqlite_engine, sqlite_file
from wsguard.databases.sqlite import BUSY_TIMEOUT, connect, switch_to_wal, tells_damage
from wsguard.databases.turns import Turns
from wsguard.faults import StoreUnavailable

_ABANDONED: Final[list[Pool]] = []
"""Pools of a parent process, kept from being closed: a server would end the parent's sessions, SQLite would drop its
locks ("How To Corrupt An SQLite Database File" §2.6)."""


class DamagedDatabase(ValueError):
    """The file is no SQLite database, or a damaged one."""


class Database:
    """The connections of this process to one database.

    Of a SQLite file there is one at a time: threads take turns, a fork finds it closed, and a file that was moved is
    not used on. What was committed there is on the disk.
    """

    def __init__(
        self,
        url: str,
        *,
        setting: str,
        keep: bool = True,
        busy_timeout: float = BUSY_TIMEOUT,
        deadline: float | None = None,
    ) -> None:
        """
        Nothing is opened yet, nor created.

        Args:
            url: any synchronous SQLAlchemy URL; of SQLite, ``sqlite:///FILE`` only.
            setting: key path of the setting that names it.
            keep: connections stay open between two uses.
            busy_timeout: seconds to wait for a SQLite file that another thread, and again another process, uses.
            deadline: seconds that any use of a SQLite file, or of a PostgreSQL server through psycopg, may wait,
                connecting included; None: without an end for both waits together. Of other servers and drivers: what
                their own settings say.

        Raises:
            ValueError: the URL cannot be used, or the package of its driver is missing.
        """
        parsed = parsed_url(url)
        self._setting = setting
        self._deadline = deadline
        self._busy_timeout = busy_timeout
        self.name: Final = parsed.set(query={}).render_as_string(hide_password=True)
        """The URL without what may be secret in it."""
        self._backend = parsed.get_backend_name()
        self._file = sqlite_file(parsed)
        self._engine: Engine = (
            server_engine(parsed, keep=keep, deadline=deadline)
            if self._file is None
            else sqlite_engine(self._file, busy_timeout, keep=keep)
        )
        self._turns = Turns(self.name, busy_timeout, setting=setting)
        self._pid = os.getpid()
        os.register_at_fork(
            before=weakly(self._before_fork),
            after_in_parent=weakly(self._turns.go_on_in_parent),
            after_in_child=weakly(self._after_fork_in_child),
        )

    @property
    def is_postgresql(self) -> bool:
        """Whether it is a PostgreSQL server."""
        return self._backend == "postgresql"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file: one that writes keeps all others from writing."""
        return self._file is not None

    def prepare(self, *, examine: bool = False) -> None:
        """Create a SQLite file that is not there, with mode 0600, and put it in WAL mode.

        Args:
            examine: look through the whole of it for damage.

        Raises:
            DamagedDatabase: it was examined, and is no database or a damaged one.
            StoreUnavailable: it cannot be created, opened or written.
        """
        if self._file is None:
            return
        try:
            create_private_file(self._file)
            with self._turns.taken(), closing(connect(self._file, self._busy_timeout)) as connection:
                switch_to_wal(connection, self._busy_timeout)
                whole = not examine or connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        except OSError as error:
            raise StoreUnavailable(f"{self._file}: {error.strerror}", setting=self._setting) from error
        except sqlite3.Error as error:
            if examine and tells_damage(error):
                raise DamagedDatabase(f"{self._file}: {error}") from error
            raise StoreUnavailable(f"{self._file}: {error}", setting=self._setting) from error
        if not whole:
            raise DamagedDatabase(f"{self._file}: a damaged database; put a copy of it in its place")

    @contextmanager
    def transaction(self, *, patience: float | None = None) -> Iterator[Connection]:
        """A connection whose work is kept when the context ends well, and undone when it does not.

        On SQLite nobody else writes while the context lasts.

        Args:
            patience: seconds to wait for others that write, where that is not ``busy_timeout``; on SQLite and
                PostgreSQL.

        Raises:
            StoreUnavailable: others took too long, or SQLAlchemy raised, in the context or at its end.
        """
        with self._translated(), self._turn(patience), self._current().begin() as connection:
            self._be_patient(connection, patience)
            if self.is_sqlite:
                # Python's sqlite3 begins no transaction by itself for a CREATE TABLE or a SELECT.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection for reading; whatever is written is undone.

        Raises:
            StoreUnavailable: others took too long, or SQLAlchemy raised in the context.
        """
        with self._translated(), self._turn(), self._current().connect() as connection:
            self._be_patient(connection)
            yield connection

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        """A connection whose statements are each kept at once, by themselves; for servers.

        Raises:
            StoreUnavailable: SQLAlchemy raised in the context.
        """
        with self._translated(), self._current().connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close the connections that are not in use; the next use opens others."""
        self._current().dispose()

    def _turn(self, patience: float | None = None) -> AbstractContextManager[None]:
        """This thread alone, where the database is a SQLite file."""
        return self._turns.taken(patience) if self.is_sqlite else nullcontext()

    def _be_patient(self, connection: Connection, patience: float | None = None) -> None:
        if self.is_sqlite:
            seconds = self._busy_timeout if patience is None else patience
            left = remaining()
            seconds = seconds if left is None else min(left, seconds)
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
        elif patience is not None and self.is_postgresql:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {patience * 1000:.0f}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with within(self._deadline):
                yield
        except (SQLAlchemyError, UnicodeError) as error:
            # Further lines of a server's error may quote the row.
            reason = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
            raise StoreUnavailable(f"{self.name}: {reason}", setting=self._setting) from error

    def _current(self) -> Engine:
        if self._pid != os.getpid():
            self._after_fork_in_child()
        return self._engine

    def _before_fork(self) -> None:
        # A child inherits SQLite's own record of the locks that its parent holds, even if it opens the file anew.
        if self._turns.stop_for_fork() and self.is_sqlite:
            self._engine.dispose()

    def _after_fork_in_child(self) -> None:
        _ABANDONED.append(self._engine.pool)
        self._engine.dispose(close=False)
        self._turns.begin_in_child()
        self._pid = os.getpid()
