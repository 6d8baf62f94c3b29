"""Audit records in a SQL database, through SQLAlchemy: an embedded SQLite file or any other database."""

import logging
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from wsguard.audit.checkpoint import Checkpoint
from wsguard.audit.entries import (
    amendment_content,
    checkpoint_content,
    closing_content,
    kind_of,
    record_content,
    time_text,
)
from wsguard.audit.group import GroupCommit
from wsguard.audit.sql_purge import Plan, checkpoint_of, last_before, remove
from wsguard.audit.sql_query import entries, recorded
from wsguard.audit.sql_reader import PAGE, SqlAuditReader
from wsguard.audit.sql_rows import TIMESPEC, row_of
from wsguard.audit.sql_schema import demand_ours, make_tables
from wsguard.audit.sql_table import AUDIT
from wsguard.audit.writer import ChainWriter, Turn
from wsguard.databases.sql import Database
from wsguard.databases.sql_engine import parsed_url
from wsguard.databases.sql_tables import made
from wsguard.databases.sqlite import BUSY_TIMEOUT
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, RequestOutcome

__all__ = ["SqlAudit", "SqlAuditReader"]

_log: Final = logging.getLogger("wsguard")
_SETTING: Final = "audit.url"
_BOUNDED: Final = "postgresql+psycopg"
"""The driver whose every wait can be ended."""
_SMALL: Final = 200
"""Rows that a purge beside the requests looks at: some twenty milliseconds."""
_PERIOD: Final = 3600
"""Seconds between two of those in a process."""
_PERIOD_WHILE_BEHIND: Final = 0.1
"""Seconds, where a batch was not enough: what a flood wrote has to go as fast as it came."""


class SqlAudit(SqlAuditReader):
    """Adds each record as a chained row, and reads them again. It is on the disk when ``write`` returns, as far as the
    database can tell. What threads of a process bring while one of them writes goes in one transaction after that.

    Rows are never changed: what became of a request is a row of its own. Where there is a retention, once an hour at
    most a write is followed by the removal of some of the rows that are older."""

    def __init__(
        self,
        url: str,
        *,
        key: bytes | None = None,
        retention: timedelta | None = None,
        busy_timeout: float = BUSY_TIMEOUT,
        deadline: float | None = None,
        upgrade: bool = False,
    ) -> None:
        """Open the database, make the tables where they are not there, and prove that a record can be added.

        Args:
            url: ``sqlite:///FILE`` or any synchronous SQLAlchemy URL.
            key: of the chain's macs; without one they are plain digests.
            retention: how long rows are kept at least; None: for ever.
            busy_timeout: seconds to wait for a SQLite file that another thread, and again another process, writes to.
            deadline: seconds in which PostgreSQL through psycopg has answered, connecting included, and that a thread
                waits for others; None: what its own settings say, and ``busy_timeout`` for others.
            upgrade: tables of an earlier version are brought up; those of SQLite always are.

        Raises:
            ValueError: the URL cannot be used, its driver is missing, or the tables are of another version.
            StoreUnavailable: the database cannot be opened, or does not take a record.
        """
        self._key: Final = key
        self._retention: Final = retention
        self._adopts = False
        bounded = deadline if parsed_url(url).drivername == _BOUNDED else None
        patience = busy_timeout if bounded is None else bounded
        self._chain: Final = ChainWriter(key, patience)
        self._group: Final = GroupCommit(self._keep, patience=patience, is_outage=_is_outage)
        # Spread over the period, so that processes which started together do not purge together.
        self._due = time.monotonic() + secrets.randbelow(_PERIOD)
        self._database = Database(url, setting=_SETTING, busy_timeout=busy_timeout, deadline=bounded)
        try:
            self._database.prepare()
            upgrade = upgrade or self._database.is_sqlite
            self.upgraded: Final = made(self._database, lambda connection: make_tables(connection, upgrade=upgrade))
            """Whether the tables were of an earlier version."""
            self._prove()
        finally:
            self._database.close()

    @property
    def name(self) -> str:
        """The URL without what may be secret in it."""
        return self._database.name

    def write(self, record: AuditRecord) -> None:
        """Add ``record``.

        Raises:
            StoreUnavailable: it was not added.
        """
        wrote = self._group.add(record_content(record, TIMESPEC))
        if wrote and self._retention is not None and time.monotonic() >= self._due:
            self._purge_a_little(datetime.now(UTC) - self._retention)

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        """Add what became of a request.

        Raises:
            StoreUnavailable: it was not added, or there is no record of it.
        """
        self._group.add(amendment_content(incident, outcome, duration_ms, _now(), check))

    def purge(self, before: datetime) -> int:
        """Remove every row older than ``before``, after a checkpoint that says so; how many there were.

        Of each writer rows go up to the first that is not older. Requests may be recorded meanwhile.

        Raises:
            StoreUnavailable: not all were removed; those that are left still verify.
        """
        with self._database.look() as connection:
            last = last_before(connection, before)
        plan = Plan(before, self._key)
        doomed = sum(len(plan.choose(rows)) for rows in self._batches(last))
        with self._chain.turn() as turn:
            # Looking for the newest entry of every writer takes long in a large table; others write meanwhile.
            with self._database.look() as connection:
                checkpoint = checkpoint_of(connection, plan, datetime.now(UTC), every_head=True)
            with self._database.transaction() as connection:
                _say(connection, turn, checkpoint)
        self._warn(plan)
        return self._remove(Plan(before, self._key), last) if doomed else 0

    def close(self) -> None:
        """Add what still waits and that this writer ends, if it began, and close the connections; a failure to is
        logged. What is added later is kept too, by a new writer."""
        try:
            self._group.add(closing_content(_now()))
        except StoreUnavailable as failure:
            _log.warning("the audit was closed without a closing entry: %s", failure.seen)
        self._database.close()

    # --- Writing ------------------------------------------------------------------------------------------------------

    def _keep(self, contents: Sequence[Mapping[str, Any]]) -> list[Exception | None]:
        with self._chain.turn() as turn:
            if not turn.may_add(contents):
                return [None] * len(contents)
            with self._database.transaction() as connection:
                failures = self._unfounded(connection, contents)
                if self._adopts:
                    self._adopt(connection, turn)
                founded = [content for content, failure in zip(contents, failures, strict=True) if failure is None]
                _add(connection, turn, *founded)
        self._adopts = False
        return failures

    def _unfounded(self, connection: Connection, contents: Sequence[Mapping[str, Any]]) -> list[Exception | None]:
        """Of each content the failure, if it amends what is not there."""
        amended = [content["incident"] for content in contents if kind_of(content) == "amendment"]
        there = set(connection.execute(recorded(amended)).scalars()) if amended else set()
        failures: list[Exception | None] = []
        for content in contents:
            kind, incident = kind_of(content), content.get("incident", "")
            lost = kind == "amendment" and incident not in there
            text = f"{self._database.name}: no record of incident {incident} to amend"
            failures.append(StoreUnavailable(text, setting=_SETTING) if lost else None)
            if kind == "record":
                there.add(incident)
        return failures

    # --- Tables -------------------------------------------------------------------------------------------------------

    def _prove(self) -> None:
        with self._database.look() as connection:
            demand_ours(connection, self._database.name)
            self._adopts = _is_all_unchained(connection)
            content = record_content(AuditRecord("", datetime.now(UTC), "error"), TIMESPEC)
            connection.execute(insert(AUDIT), row_of(content))

    def _adopt(self, connection: Connection, turn: Turn) -> None:
        """Say how many rows stand outside of any chain, so that one more is noticed."""
        count = connection.execute(select(func.count()).where(AUDIT.c.writer == "")).scalar_one()
        _add(connection, turn, checkpoint_content(Checkpoint(unchained=count), _now()))

    # --- Retention ----------------------------------------------------------------------------------------------------

    def _purge_a_little(self, before: datetime) -> None:
        """The record is kept already: a failure is logged, and is no refusal."""
        self._due = time.monotonic() + _PERIOD
        try:
            with self._chain.turn() as turn, self._database.transaction() as connection:
                rows = [dict(row) for row in connection.execute(entries(None, _SMALL)).mappings()]
                plan = Plan(before, self._key)
                if len(chosen := plan.choose(rows)) == _SMALL:
                    self._due = time.monotonic() + _PERIOD_WHILE_BEHIND
                if chosen:
                    _say(connection, turn, checkpoint_of(connection, plan, datetime.now(UTC), every_head=False))
                    remove(connection, chosen)
        except StoreUnavailable as failure:
            _log.warning("old audit records were not purged: %s", failure.seen)
        except (ValueError, TypeError) as error:
            _log.warning("old audit records were not purged, a row is damaged: %s", error)
        else:
            self._warn(plan)

    def _warn(self, plan: Plan) -> None:
        if plan.changed:
            _log.warning("%s: %d purged entries were not as written", self._database.name, plan.changed)
        if plan.missing:
            _log.warning("%s: %d entries were missing among the purged ones", self._database.name, plan.missing)

    def _batches(self, last: int | None) -> Iterator[list[Mapping[str, Any]]]:
        """Rows up to row ``last``, in the order of writing."""
        rows = takewhile(lambda row: last is not None and row["id"] <= last, self._pages(entries))
        while batch := list(islice(rows, PAGE)):
            yield batch

    def _remove(self, plan: Plan, last: int | None) -> int:
        removed = 0
        for rows in self._batches(last):
            with self._database.transaction() as connection:
                removed += remove(connection, plan.choose(rows))
        return removed


def _add(connection: Connection, turn: Turn, *contents: Mapping[str, Any]) -> None:
    rows = [row_of(entry) for entry in turn.seal_all(contents)]
    if rows:
        connection.execute(insert(AUDIT), rows)


def _say(connection: Connection, turn: Turn, checkpoint: Checkpoint) -> None:
    _add(connection, turn, *(checkpoint_content(part, _now()) for part in checkpoint.parts()))


def _is_outage(error: Exception) -> bool:
    """Whether other records would fare no better. Without a cause it is the turn that was not had."""
    cause = error.__cause__
    return isinstance(error, StoreUnavailable) and (cause is None or isinstance(cause, OperationalError | NoConnection))


def _is_all_unchained(connection: Connection) -> bool:
    # One question: between two another process may add its first entry.
    last: str | None = connection.execute(select(func.max(AUDIT.c.writer))).scalar()
    return last == ""


def _now() -> str:
    return time_text(datetime.now(UTC), TIMESPEC)
