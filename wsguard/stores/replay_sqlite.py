"""What was seen, in a SQLite file: exact for all threads and processes of one machine."""

import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from wsguard.databases.files import create_private_file
from wsguard.databases.process_connection import ProcessConnection
from wsguard.databases.sqlite import BUSY_TIMEOUT, switch_to_wal
from wsguard.faults import StoreUnavailable

SCHEMA_VERSION: Final = 2
"""2: with the table of failures. A store of version 1 gets it when it is opened."""

CLOCK_DISORDER: Final = timedelta(minutes=1)
"""Kept beyond its time: processes do not arrive in the order in which they read the clock, so a call may come with an
earlier ``now`` than one before it, and must still find what was to be kept at its own time."""

_PURGED_AT_ONCE: Final = 100
_KEYS_TO_A_PURGE: Final = 50
"""Half of what a purge takes away, so that what expired is always caught up with."""

_SETTING: Final = "replay.url"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# The number of changed rows is the verdict, not a RETURNING clause: that needs SQLite 3.35, and Red Hat 9 has 3.34.
_REMEMBER: Final = """
INSERT INTO seen (key, until) VALUES {}
ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE seen.until < ?
"""
_PURGE: Final = "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE until < ? LIMIT ?)"
_COUNT_FAILURES: Final = "SELECT count(*) FROM failure WHERE key = ? AND until >= ?"
_ADD_FAILURE: Final = "INSERT INTO failure (key, until) VALUES (?, ?)"
_PURGE_FAILURES: Final = "DELETE FROM failure WHERE rowid IN (SELECT rowid FROM failure WHERE until < ? LIMIT ?)"
_SCHEMA: Final[dict[int, tuple[str, ...]]] = {
    1: (
        "CREATE TABLE seen (key BLOB NOT NULL PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE INDEX seen_until ON seen (until)",
    ),
    2: (
        "CREATE TABLE failure (key BLOB NOT NULL, until INTEGER NOT NULL)",
        "CREATE INDEX failure_key ON failure (key, until)",
        "CREATE INDEX failure_until ON failure (until)",
    ),
}
"""What each version added."""


class SqliteReplayStore:
    """Remembers exactly, over restarts, for all threads and processes that use the same file on a local disk.

    ``until`` is kept in microseconds since 1970, UTC. After a loss of power the last moments may be forgotten
    (``synchronous = NORMAL``); after the death of a process nothing is.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        """Open or create the store, and prove that it can write.

        Args:
            path: the database; its directory must exist and be writable too (SQLite keeps ``-wal`` and ``-shm`` there).
            busy_timeout: seconds to wait for other threads and processes.

        Raises:
            ValueError: the file is a database of something else, or of a version that is not known here.
            StoreUnavailable: the file cannot be opened, is no database, or cannot be written.
        """
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._unpurged = _KEYS_TO_A_PURGE
        self._failed = 0
        try:
            create_private_file(self._path)
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error.strerror}", setting=_SETTING) from error
        self._connection = ProcessConnection(
            self._path, busy_timeout=busy_timeout, synchronous="NORMAL", setting=_SETTING
        )
        try:
            with self._connection.turn() as connection:
                self._prepare(connection)
        finally:
            self._connection.release()

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        """Remember ``key`` until ``until``; True for exactly one of all calls while it is remembered.

        Raises:
            StoreUnavailable: the file is locked, full, damaged, read-only or gone.
        """
        return self.remember_all((key,), until, now)

    def remember_all(self, keys: Sequence[bytes], until: datetime, now: datetime) -> bool:
        """Remember every one of ``keys``; True where each was new, for one at most of all calls that share a key.

        All of them are in one statement, so no other process comes between. A key that is new is remembered also where
        another was seen.

        Raises:
            StoreUnavailable: the file is locked, full, damaged, read-only or gone.
        """
        kept = _microseconds(until)
        values = [value for key in keys for value in (key, kept)]
        with self._connection.turn() as connection:
            if self._unpurged >= _KEYS_TO_A_PURGE:
                connection.execute(_PURGE, (_long_over(now), _PURGED_AT_ONCE))
                self._unpurged = 0
            added = connection.execute(_remember(len(keys)), (*values, _microseconds(now)))
            self._unpurged += len(keys)
            return added.rowcount == len(keys)

    def failures(self, key: bytes, now: datetime) -> int:
        """How many failures of ``key`` are remembered at ``now``.

        Raises:
            StoreUnavailable: the file is locked, damaged or gone.
        """
        with self._connection.turn() as connection:
            count: int = connection.execute(_COUNT_FAILURES, (key, _microseconds(now))).fetchone()[0]
            return count

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        """Remember one more failure of ``key`` until ``until``.

        Raises:
            StoreUnavailable: the file is locked, full, damaged, read-only or gone.
        """
        with self._connection.turn() as connection:
            if self._failed % _KEYS_TO_A_PURGE == 0:
                connection.execute(_PURGE_FAILURES, (_long_over(now), _PURGED_AT_ONCE))
            connection.execute(_ADD_FAILURE, (key, _microseconds(until)))
            self._failed += 1

    def size(self) -> int:
        """Keys held, live or not yet purged.

        Raises:
            StoreUnavailable: the file is locked, damaged or gone.
        """
        with self._connection.turn() as connection:
            return int(connection.execute("SELECT count(*) FROM seen").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._demand_version(connection)
        switch_to_wal(connection, self._busy_timeout)
        connection.execute("BEGIN IMMEDIATE")
        try:
            for version in range(self._demand_version(connection) + 1, SCHEMA_VERSION + 1):
                for statement in _SCHEMA[version]:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _demand_version(self, connection: sqlite3.Connection) -> int:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in range(SCHEMA_VERSION + 1):
            raise ValueError(
                f"{self._path}: a replay store of version {version}, or another database; known are 1 to "
                f"{SCHEMA_VERSION}"
            )
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if tables and not (version and "seen" in tables):
            raise ValueError(f"{self._path}: a database of something else than the replay store")
        return version


@lru_cache(maxsize=8)
def _remember(keys: int) -> str:
    """The statement for so many keys."""
    return _REMEMBER.format(", ".join(["(?, ?)"] * keys))


def _long_over(now: datetime) -> int:
    return _microseconds(now) - CLOCK_DISORDER // _MICROSECOND


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
