"""One SQLite connection for all threads of a process, and never one that came over a fork."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wsguard.databases.files import identity
from wsguard.databases.forks import weakly
from wsguard.databases.sqlite import Synchronous, connect
from wsguard.databases.turns import FOR_EVER, Turns
from wsguard.faults import StoreUnavailable

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
            busy_timeout: seconds to wait for another thread, and again for another process.
            synchronous: what a commit promises.
            setting: key path of the setting that names the file.
        """
        self._path = path
        self._busy_timeout = busy_timeout
        self._synchronous: Synchronous = synchronous
        self._setting = setting
        self._turns = Turns(str(path), busy_timeout, setting=setting)
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
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
        with self._turns.taken():
            try:
                yield self._current()
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

    def _current(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable(f"{self._path}: closed", setting=self._setting)
        if self._pid != os.getpid():
            self._abandon()
        # In WAL mode SQLite goes on writing to a file that was deleted, where no other process reads.
        if self._connection is not None and self._file != identity(self._path):
            self._drop()
        if self._connection is None:
            self._connection = connect(self._path, self._busy_timeout, synchronous=self._synchronous)
            self._connection.isolation_level = None
            self._file = identity(self._path)
        return self._connection

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
