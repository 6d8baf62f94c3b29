"""What was seen, in a SQLite file: exact for all threads and processes of one machine."""

import os
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from wsguard.faults import StoreUnavailable
from wsguard.stores.sqlite_connection import ProcessConnection, create_private_file

BUSY_TIMEOUT: Final = 5.0
"""Seconds; the default of Python's sqlite3."""

SCHEMA_VERSION: Final = 1

CLOCK_DISORDER: Final = timedelta(minutes=1)
"""Kept beyond its time: processes do not arrive in the order in which they read the clock, so a call may come with an
earlier ``now`` than one before it, and must still find what was to be kept at its own time."""

_PURGED_AT_ONCE: Final = 100
_CALLS_TO_A_PURGE: Final = 50
"""Half of what a purge takes away, so that what expired is always caught up with."""

_SETTING: Final = "replay.url"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# The number of changed rows is the verdict, not a RETURNING clause: that needs SQLite 3.35, and Red Hat 9 has 3.34.
_REMEMBER: Final = """
INSERT INTO seen (key, until) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE seen.until < ?
"""
_PURGE: Final = "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE until < ? LIMIT ?)"
_TABLE: Final = "CREATE TABLE seen (key BLOB NOT NULL PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID"
_INDEX: Final = "CREATE INDEX seen_until ON seen (until)"


class SqliteReplayStore:
    """Remembers exactly, over restarts, for all threads and processes that use the same file on a local disk.

    ``until`` is kept in microseconds since 1970, UTC. After a loss of power the last moments may be forgotten
    (``synchronous = NORMAL``); after the death of a process nothing is.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        """Open or create the store, and prove that it can write.

        Args:
            path: the database; its directory must exist and be writable too (SQLite keeps ``-wal`` and ``-shm`` there).
            busy_timeout: seconds to wait for another thread, and again for another process.

        Raises:
            ValueError: the file is a database of something else, or of a version that is not known here.
            StoreUnavailable: the file cannot be opened, is no database, or cannot be written.
        """
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._calls = 0
        try:
            create_private_file(self._path)
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error.strerror}", setting=_SETTING) from error
        self._connection = ProcessConnection(self._path, busy_timeout=busy_timeout, setting=_SETTING)
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
        with self._connection.turn() as connection:
            if self._calls % _CALLS_TO_A_PURGE == 0:
                connection.execute(_PURGE, (_microseconds(now) - CLOCK_DISORDER // _MICROSECOND, _PURGED_AT_ONCE))
            added = connection.execute(_REMEMBER, (key, _microseconds(until), _microseconds(now)))
            self._calls += 1
            return added.rowcount == 1

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._demand_version(connection)
        self._switch_to_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            if self._demand_version(connection) == 0:
                connection.execute(_TABLE)
                connection.execute(_INDEX)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _demand_version(self, connection: sqlite3.Connection) -> int:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise ValueError(
                f"{self._path}: a replay store of version {version}, or another database; known is {SCHEMA_VERSION}"
            )
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall():
            raise ValueError(f"{self._path}: a database of something else than the replay store")
        return version

    def _switch_to_wal(self, connection: sqlite3.Connection) -> None:
        # Where two processes switch at once, SQLite answers one of them SQLITE_BUSY without asking its busy handler.
        deadline = time.monotonic() + self._busy_timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
