"""Opening SQLite files, with Python's own ``sqlite3``."""

import math
import sqlite3
import time
from pathlib import Path
from typing import Final, Literal

from wsguard.databases.deadline import remaining

BUSY_TIMEOUT: Final = 5.0
"""Seconds; the default of Python's sqlite3."""

Synchronous = Literal["FULL", "NORMAL"]
"""FULL: what was committed is on the disk. NORMAL: in WAL mode a loss of power may undo the last commits."""

_STEPS: Final = 20
"""Of a patience, in a second."""
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def connect(path: Path, busy_timeout: float, *, synchronous: Synchronous = "FULL") -> sqlite3.Connection:
    """A connection for any thread to the file at ``path``, which is never created.

    Args:
        path: absolute.
        busy_timeout: seconds to wait for others that use it.
        synchronous: what a commit promises.

    Raises:
        sqlite3.Error: there is no such file, it is no database, or it is still in use.
    """
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=busy_timeout, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection


def patience(seconds: float) -> int:
    """Milliseconds that a statement waits for others: ``seconds``, or what is left to this thread's call.

    In steps, so that a connection seldom has to be told anew.
    """
    left = remaining()
    return math.ceil((seconds if left is None else min(left, seconds)) * _STEPS) * 1000 // _STEPS


def be_patient(connection: sqlite3.Connection, milliseconds: int) -> None:
    """Let ``connection`` wait so long for others at each statement."""
    connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


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


def tells_damage(error: sqlite3.Error) -> bool:
    """Whether ``error`` says that the file is no database, or a damaged one."""
    # Some errors of Python's own have no code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
