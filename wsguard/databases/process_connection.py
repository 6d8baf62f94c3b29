"""One SQLite connection for all threads of a process, and never one that came over a fork."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wsguard.databases.deadline import within
from wsguard.databases.files import identity
from wsguard.databases.forks import weakly
from wsguard.databases.sqlite import Synchronous, be_patient, connect, patience
from wsguard.databases.turns import FOR_EVER, Turns
from wsguard.faults import StoreUnavailable

_File = tuple[int, int] | None
_Files = tuple[_File, _File, _File]
"""What tells a database, its log and its log's index from others in their place."""

_NOT_TOLD: Final = -1
"""Milliseconds that a connection waits for others, before it was told."""

_ABANDONED: Final[list[sqlite3.Connection]] = []
"""Connections of a parent process, kept from being closed: "How To Corrupt An SQLite Database File" §2.6."""


class ProcessConnection:
    """The one connection of this process to a SQLite file; threads take turns, and a fork finds it closed.

    Closing before a fork is the only safe way: a child that opens the file anew still inherits SQLite's own record of
    the locks that its parent held.
    """

    def __init__(self, path: Path, *, busy_timeout: float, synchronous: Synchronous, setting: str) -> None:
        """
        Args:
            path: absolute path of a file that exists; it is never created here.
            busy_timeout: seconds to wait for other threads and processes.
            synchronous: what a commit promises.
            setting: key path of the setting that names the file.
        """
        self._path = path
        self._log, self._index = path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
        self._busy_timeout = busy_timeout
        self._synchronous: Synchronous = synchronous
        self._setting = setting
        self._turns = Turns(str(path), busy_timeout, setting=setting)
        self._connection: sqlite3.Connection | None = None
        self._patience = _NOT_TOLD
        self._files: _Files = None, None, None
        self._pid = os.getpid()
        self._closed = False
        os.register_at_fork(
            before=weakly(self._before_fork),
            after_in_parent=weakly(self._turns.go_on_in_parent),
            after_in_child=weakly(self._after_fork_in_child),
        )

    @contextmanager
    def turn(self) -> Iterator[sqlite3.Connection]:
        """The connection, in autocommit, for this thread alone while the context lasts.

        Raises:
            StoreUnavailable: there is no connection, or SQLite raised in the context.
        """
        with within(self._busy_timeout), self._turns.taken():
            try:
                connection = self._current()
                self._be_patient(connection)
                yield connection
            except (sqlite3.Error, OSError) as error:
                self._drop()
                raise StoreUnavailable(f"{self._path}: {error}", setting=self._setting) from error

    def release(self) -> None:
        """Close the connection; the next turn opens another."""
        with self._turns.taken(FOR_EVER):
            self._drop()

    def close(self) -> None:
        """Close the connection for good."""
        with self._turns.taken(FOR_EVER):
            self._drop()
            self._closed = True

    def _be_patient(self, connection: sqlite3.Connection) -> None:
        wanted = patience(self._busy_timeout)
        if wanted != self._patience:
            be_patient(connection, wanted)
            self._patience = wanted

    def _current(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable(f"{self._path}: closed", setting=self._setting)
        if self._pid != os.getpid():
            self._abandon()
        # In WAL mode SQLite goes on writing to files that were deleted, where no other process reads.
        if self._connection is not None and self._files != (found := self._found()):
            self._leave(self._connection, found)
        if self._connection is None:
            self._connection = connect(self._path, self._busy_timeout, synchronous=self._synchronous)
            self._connection.isolation_level = None
            self._patience = _NOT_TOLD
            # A read: with it SQLite opens its log.
            self._connection.execute("PRAGMA user_version").fetchone()
            self._files = self._found()
        return self._connection

    def _found(self) -> _Files:
        return identity(self._path), identity(self._log), identity(self._index)

    def _leave(self, connection: sqlite3.Connection, found: _Files) -> None:
        """Drop a connection to files that are no longer these, and save what is in a log that was deleted.

        Raises:
            StoreUnavailable: it cannot be saved as long as others use it.
        """
        database, log, _ = self._files
        if database == found[0] and log != found[1]:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise StoreUnavailable(f"{self._log}: deleted while it was in use", setting=self._setting)
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._pid == os.getpid():
            connection.close()
        else:
            _ABANDONED.append(connection)

    def _abandon(self) -> None:
        self._drop()
        self._pid = os.getpid()

    def _before_fork(self) -> None:
        if self._turns.stop_for_fork():
            self._drop()

    def _after_fork_in_child(self) -> None:
        self._turns.begin_in_child()
        self._abandon()
