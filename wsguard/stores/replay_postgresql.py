"""What was seen, in PostgreSQL: exact for all machines that use the same database."""

import logging
import secrets
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Delete, func, select

from wsguard.databases.sql import Database
from wsguard.faults import StoreUnavailable
from wsguard.policy.problems import ConfigError, Problem
from wsguard.policy.surroundings import Replay
from wsguard.stores.replay_postgresql_table import (
    ADD_FAILURE,
    COUNT_FAILURES,
    PURGE,
    PURGE_FAILURES,
    REMEMBER,
    SEEN,
    open_tables,
)

CLOCK_DISORDER: Final = timedelta(minutes=1)
"""Kept beyond its time: processes do not arrive in the order in which they read the clock, so a call may come with an
earlier ``now`` than one before it, and must still find what was to be kept at its own time."""

_PURGED_AT_ONCE: Final = 100
_CALLS_TO_A_PURGE: Final = 50
"""Half of what a purge takes away, so that what expired is always caught up with."""

_SETTING: Final = "replay.url"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_log: Final = logging.getLogger("wsguard")


class PostgresReplayStore:
    """Remembers exactly, over restarts, for all threads, processes and machines that use the same database.

    A key costs one round trip. It is on the disk when the call returns, as far as ``synchronous_commit`` of the role
    says so.
    """

    def __init__(self, url: str, settings: Replay) -> None:
        """Open the database, make the tables where they are not there, and prove that it can be written to.

        Args:
            url: ``postgresql+psycopg://…`` as SQLAlchemy takes it.
            settings: everything but the URL.

        Raises:
            ConfigError: a setting does not fit the URL.
            ValueError: the URL cannot be used, psycopg is missing, or the tables are of another version.
            StoreUnavailable: the server cannot be reached, refuses us, or lets us not write.
        """
        if settings.ca_file is not None:
            reason = "is for rediss://; PostgreSQL takes sslmode=verify-full&sslrootcert=FILE in its URL"
            raise ConfigError([Problem("replay.ca_file", reason)])
        self._database: Final = Database(url, setting=_SETTING, deadline=settings.deadline)
        self._counting = threading.Lock()
        self._calls = 0
        self._failed = 0
        try:
            open_tables(self._database)
            self._prove()
        finally:
            # A fork finds nothing open.
            self._database.close()

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        """Remember ``key`` until ``until``; True for exactly one of all calls while it is remembered.

        Raises:
            StoreUnavailable: the server does not answer in time, or takes nothing; it may have remembered the key
                nevertheless.
        """
        values = {"of": key, "kept": _microseconds(until), "now": _microseconds(now)}
        with self._database.statements() as connection:
            added = connection.execute(REMEMBER, values).first() is not None
        self._calls += 1
        if self._calls % _CALLS_TO_A_PURGE == 0:
            self._purge(PURGE, now)
        return added

    def failures(self, key: bytes, now: datetime) -> int:
        """How many failures of ``key`` are remembered at ``now``.

        Raises:
            StoreUnavailable: the server does not answer in time.
        """
        with self._database.statements() as connection:
            return int(connection.execute(COUNT_FAILURES, {"of": key, "now": _microseconds(now)}).scalar_one())

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        """Remember one more failure of ``key`` until ``until``.

        Raises:
            StoreUnavailable: the server does not answer in time, or takes nothing.
        """
        with self._database.statements() as connection:
            connection.execute(ADD_FAILURE, {"of": key, "kept": _microseconds(until)})
        self._failed += 1
        if self._failed % _CALLS_TO_A_PURGE == 0:
            self._purge(PURGE_FAILURES, now)

    def size(self) -> int:
        """Keys held, live or not yet purged.

        Raises:
            StoreUnavailable: the server does not answer in time.
        """
        with self._database.statements() as connection:
            return int(connection.execute(select(func.count()).select_from(SEEN)).scalar_one())

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _purge(self, purge: Delete, now: datetime) -> None:
        """What was asked is answered already: a failure is logged, and is no refusal."""
        over = _microseconds(now) - CLOCK_DISORDER // _MICROSECOND
        try:
            with self._database.statements() as connection:
                connection.execute(purge, {"now": over, "most": _PURGED_AT_ONCE})
        except StoreUnavailable as failure:
            _log.warning("what was seen long ago was not purged: %s", failure.seen)

    def _prove(self) -> None:
        """Everything that a request may need; all of it is undone."""
        key = b"proof:" + secrets.token_bytes(16)
        over = {"now": _microseconds(datetime(1, 1, 1, tzinfo=UTC)), "most": 1}
        with self._database.look() as connection:
            connection.execute(REMEMBER, {"of": key, "kept": 0, "now": 0})
            connection.execute(ADD_FAILURE, {"of": key, "kept": 0})
            connection.execute(COUNT_FAILURES, {"of": key, "now": 0})
            connection.execute(PURGE, over)
            connection.execute(PURGE_FAILURES, over)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
