"""One SQLite connection for all threads of a process, and never one that came over a fork."""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wsguard.faults import StoreUnavailable

_ABANDONED: Final[list[sqlite3.Connection]] = []
"""Connections of a parent process, kept from being closed: "How To Corrupt An SQLite Database File" §2.6."""

_CREATING: Final = threading.Lock()


def create_private_file(path: Path) -> None:
    """Create ``path``, empty and for its owner only, unless it is there.

    Raises:
        OSError: it is not there and cannot be created.
    """
    # Never open a database that exists: closing the descriptor would drop the locks that SQLite holds on the file for
    # other connections of this process (fcntl(2); "How To Corrupt An SQLite Database File" §2.2).
    with _CREATING:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return


def switch_to_wal(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Put the database of ``connection`` in WAL mode, waiting ``busy_timeout`` seconds for others that use it.

    Raises:
        sqlite3.Error: it is still in use, or cannot be written.
    """
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


class ProcessConnection:
    """The one connection of this process to a SQLite file; threads take turns, and a fork finds it closed.

    SQLite lets one writer in at a time anyway; a lock hands over at once where SQLite's busy handler sleeps and polls.
    Closing before a fork is the only safe way: a child that opens the file anew still inherits SQLite's own record of
    the locks that its parent held.
    """

    def __init__(self, path: Path, *, busy_timeout: float, setting: str) -> None:
        """
        Args:
            path: absolute path of a file that exists; it is never created here.
            busy_timeout: seconds to wait for another thread, and again for another process.
            setting: key path of the setting that names the file.
        """
        self._path = path
        self._busy_timeout = busy_timeout
        self._setting = setting
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._pid = os.getpid()
        self._closed = False
        os.register_at_fork(
            before=weakly(self._before_fork),
            after_in_parent=weakly(self._after_fork_in_parent),
            after_in_child=weakly(self._after_fork_in_child),
        )

    @contextmanager
    def turn(self) -> Iterator[sqlite3.Connection]:
        """The connection, in autocommit, for this thread alone while the context lasts.

        Raises:
            StoreUnavailable: there is no connection, or SQLite raised in the context.
        """
        if not self._lock.acquire(timeout=self._busy_timeout):
            raise StoreUnavailable(f"{self._path}: busy for {self._busy_timeout:g} s", setting=self._setting)
        try:
            yield self._current()
        except (sqlite3.Error, OSError) as error:
            self._drop()
            raise StoreUnavailable(f"{self._path}: {error}", setting=self._setting) from error
        finally:
            self._lock.release()

    def release(self) -> None:
        """Close the connection; the next turn opens another."""
        with self._lock:
            self._drop()

    def close(self) -> None:
        """Close the connection for good."""
        with self._lock:
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
            self._connection = self._connect()
            self._file = identity(self._path)
            self._connection.execute("PRAGMA synchronous = NORMAL")
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=self._busy_timeout,
            isolation_level=None,
            check_same_thread=False,
        )

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
        if self._lock.acquire(timeout=2 * self._busy_timeout):
            self._drop()

    def _after_fork_in_parent(self) -> None:
        self._release_after_fork()

    def _after_fork_in_child(self) -> None:
        if not self._release_after_fork():
            self._lock = threading.RLock()
        self._abandon()

    def _release_after_fork(self) -> bool:
        try:
            self._lock.release()
        except RuntimeError:
            return False
        return True


def identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at ``path`` from one that is put in its place; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def weakly(method: Callable[[], None]) -> Callable[[], None]:
    """A call of ``method`` that does not keep its object alive: what is registered at a fork stays for ever."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    return call
