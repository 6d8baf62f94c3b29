"""Reading the audit records of a SQL database again, through SQLAlchemy."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, Unpack

from sqlalchemy import Connection, Select

from wsguard.audit.entries import Entry
from wsguard.audit.lines import demand_values, explanation_in
from wsguard.audit.sql_query import entries, fields_of, records
from wsguard.audit.sql_rows import entry_of
from wsguard.audit.sql_schema import demand_ours
from wsguard.audit.sql_table import AUDIT
from wsguard.databases.sql import Database
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditFilter, AuditRecord

_SETTING: Final = "audit.url"
PAGE: Final = 500
"""Rows that are read at once."""


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
        found = self._pages(lambda last, count: records(which, last, count), max(1, min(limit, PAGE)))
        return [self._record(row) for row in islice(found, max(limit, 0))]

    def find(self, incident: str) -> AuditRecord | None:
        """The record of one incident, or None.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        query = records({}, None, 1).where(AUDIT.c.incident == incident)
        with self._reading() as connection:
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

    def _pages(self, query: Callable[[int | None, int], Select[Any]], count: int = PAGE) -> Iterator[Mapping[str, Any]]:
        """The rows of a query that is asked again for what follows, so that no transaction lasts."""
        last: int | None = None
        while True:
            with self._reading() as connection:
                rows = [dict(row) for row in connection.execute(query(last, count)).mappings()]
            yield from rows
            if len(rows) < count:
                return
            last = rows[-1]["id"]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection for reading.

        Raises:
            StoreUnavailable: the database cannot be read, or a row has what its columns cannot have: SQLite keeps any.
        """
        with self._database.look() as connection:
            try:
                yield connection
            except (ValueError, TypeError) as error:
                raise StoreUnavailable(f"{self._database.name}: a row is damaged: {error}", setting=_SETTING) from error

    def _record(self, row: Mapping[str, Any]) -> AuditRecord:
        values: dict[str, Any] = fields_of(row)
        what = "record"
        try:
            # SQLite keeps any kind of value in any column.
            demand_values(values)
            what = "explanation"
            values["explanation"] = explanation_in(json.loads(values["explanation"]))
        except (ValueError, TypeError, RecursionError) as error:
            raise StoreUnavailable(
                f"{self._database.name}: the {what} of incident {values['incident']} is damaged", setting=_SETTING
            ) from error
        return AuditRecord(**values)
