"""Audit records in a SQL database, through SQLAlchemy: an embedded SQLite file or any other database."""

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final, Unpack

from sqlalchemy import Connection, Select, func, insert, select

from wsguard.audit.checkpoint import Checkpoint
from wsguard.audit.entries import (
    Entry,
    amendment_content,
    checkpoint_content,
    closing_content,
    record_content,
    time_text,
)
from wsguard.audit.sql_purge import Plan, checkpoint_of, last_before, remove
from wsguard.audit.sql_query import entries, fields_of, records
from wsguard.audit.sql_rows import TIMESPEC, entry_of, row_of
from wsguard.audit.sql_schema import demand_ours, make_tables
from wsguard.audit.sql_table import AUDIT
from wsguard.audit.writer import ChainWriter, Turn
from wsguard.databases.sql import Database
from wsguard.databases.sql_tables import made
from wsguard.databases.sqlite import BUSY_TIMEOUT
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditFilter, AuditRecord, RequestOutcome

_log: Final = logging.getLogger("wsguard")
_SETTING: Final = "audit.url"
_PAGE: Final = 500
"""Rows that are read at once."""
_SMALL: Final = 200
"""Rows that a purge beside the requests looks at: some twenty milliseconds."""
_PERIOD: Final = 3600
"""Seconds between two of those in a process."""
_PERIOD_WHILE_BEHIND: Final = 1
"""Seconds, where a batch was not enough: what a flood wrote has to go as fast as it came."""


class SqlAuditReader:
    """Reads the entries of one database, and creates nothing."""

    def __init__(self, url: str) -> None:
        """
        Raises:
            ValueError: the URL cannot be used, its driver is missing, or the tables are of another version.
            StoreUnavailable: the database or its tables cannot be read.
        """
        self._database = Database(url, setting=_SETTING, keep=False)
        with self._database.look() as connection:
            demand_ours(connection, self._database.name)

    def read(self, *, limit: int = 100, **which: Unpack[AuditFilter]) -> list[AuditRecord]:
        """The newest records that fit, last written first.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        found = self._pages(lambda last, count: records(which, last, count), max(1, min(limit, _PAGE)))
        return [self._record(row) for row in islice(found, max(limit, 0))]

    def find(self, incident: str) -> AuditRecord | None:
        """The record of one incident, or None.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        query = records({}, None, 1).where(AUDIT.c.incident == incident)
        with self._database.look() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else self._record(dict(row))

    def scan(self, *, oldest_first: bool = False, **which: Unpack[AuditFilter]) -> Iterator[AuditRecord]:
        """All records that fit, last written first unless said otherwise.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        found = self._pages(lambda last, count: records(which, last, count, oldest_first=oldest_first))
        return map(self._record, found)

    def entries(self) -> Iterator[Entry]:
        """All rows, in the order of writing.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        return map(entry_of, self._pages(entries))

    def _pages(
        self, query: Callable[[int | None, int], Select[Any]], count: int = _PAGE
    ) -> Iterator[Mapping[str, Any]]:
        """The rows of a query that is asked again for what follows, so that no transaction lasts."""
        last: int | None = None
        while True:
            with self._database.look() as connection:
                rows = [dict(row) for row in connection.execute(query(last, count)).mappings()]
            yield from rows
            if len(rows) < count:
                return
            last = rows[-1]["id"]

    def _record(self, row: Mapping[str, Any]) -> AuditRecord:
        values: dict[str, Any] = fields_of(row)
        try:
            values["explanation"] = json.loads(values["explanation"])
        except ValueError as error:
            raise StoreUnavailable(
                f"{self._database.name}: the explanation of incident {values['incident']} is damaged", setting=_SETTING
            ) from error
        return AuditRecord(**values)


class SqlAudit(SqlAuditReader):
    """Adds each record as a chained row, and reads them again. It is on the disk when ``write`` returns, as far as the
    database can tell. The threads of a process write one after the other.

    Rows are never changed: what became of a request is a row of its own. Where there is a retention, once an hour at
    most a write is followed by the removal of some of the rows that are older."""

    def __init__(
        self,
        url: str,
        *,
        key: bytes | None = None,
        retention: timedelta | None = None,
        busy_timeout: float = BUSY_TIMEOUT,
        upgrade: bool = False,
    ) -> None:
        """Open the database, make the tables where they are not there, and prove that a record can be added.

        Args:
            url: ``sqlite:///FILE`` or any synchronous SQLAlchemy URL.
            key: of the chain's macs; without one they are plain digests.
            retention: how long rows are kept at least; None: for ever.
            busy_timeout: seconds to wait for a SQLite file that another thread, and again another process, writes to.
            upgrade: tables of an earlier version are brought up; those of SQLite always are.

        Raises:
            ValueError: the URL cannot be used, its driver is missing, or the tables are of another version.
            StoreUnavailable: the database cannot be opened, or does not take a record.
        """
        self._key: Final = key
        self._retention: Final = retention
        self._adopts = False
        self._chain: Final = ChainWriter(key, busy_timeout)
        # Spread over the period, so that processes which started together do not purge together.
        self._due = time.monotonic() + secrets.randbelow(_PERIOD)
        self._database = Database(url, setting=_SETTING, busy_timeout=busy_timeout)
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
        with self._chain.turn() as turn, self._database.transaction() as connection:
            if self._adopts:
                self._adopt(connection, turn)
            _add(connection, turn, record_content(record, TIMESPEC))
        self._adopts = False
        if self._retention is not None and time.monotonic() >= self._due:
            self._purge_a_little(datetime.now(UTC) - self._retention)

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float) -> None:
        """Add what became of a request.

        Raises:
            StoreUnavailable: it was not added, or there is no record of it.
        """
        there = select(AUDIT.c.id).where(AUDIT.c.incident == incident, AUDIT.c.kind == "record")
        with self._chain.turn() as turn, self._database.transaction() as connection:
            if connection.execute(there).first() is None:
                raise StoreUnavailable(
                    f"{self._database.name}: no record of incident {incident} to amend", setting=_SETTING
                )
            _add(connection, turn, amendment_content(incident, outcome, duration_ms, _now()))

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
        """Add that this writer ends, if it began, and close the connections; a failure to is logged."""
        try:
            with self._chain.turn() as turn:
                if turn.link is not None:
                    with self._database.transaction() as connection:
                        _add(connection, turn, closing_content(_now()))
                    turn.end()
        except StoreUnavailable as failure:
            _log.warning("the audit was closed without a closing entry: %s", failure.seen)
        self._database.close()

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
        while batch := list(islice(rows, _PAGE)):
            yield batch

    def _remove(self, plan: Plan, last: int | None) -> int:
        removed = 0
        for rows in self._batches(last):
            with self._database.transaction() as connection:
                removed += remove(connection, plan.choose(rows))
        return removed


def _add(connection: Connection, turn: Turn, content: Mapping[str, Any]) -> None:
    connection.execute(insert(AUDIT), row_of(turn.seal(content)))


def _say(connection: Connection, turn: Turn, checkpoint: Checkpoint) -> None:
    for part in checkpoint.parts():
        _add(connection, turn, checkpoint_content(part, _now()))


def _is_all_unchained(connection: Connection) -> bool:
    # One question: between two another process may add its first entry.
    last: str | None = connection.execute(select(func.max(AUDIT.c.writer))).scalar()
    return last == ""


def _now() -> str:
    return time_text(datetime.now(UTC), TIMESPEC)
