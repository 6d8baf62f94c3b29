"""Audit records in a SQL database, through SQLAlchemy: an embedded SQLite file or any other database."""

import json
import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from wsguard.audit.sql_database import BUSY_TIMEOUT, Database
from wsguard.audit.sql_table import AUDIT, METADATA, SCHEMA, SCHEMA_VERSION
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, RequestOutcome

_FIELDS: Final = tuple(field.name for field in fields(AuditRecord))
_COLUMNS: Final = tuple(AUDIT.c[name] for name in _FIELDS)
_SETTING: Final = "audit.url"
_TRIES: Final = 3
"""Of making the tables where another process makes them at the same moment: the second try finds them."""


class SqlAuditReader:
    """Reads the records of one database, and creates nothing."""

    def __init__(self, url: str) -> None:
        """
        Raises:
            ValueError: the URL cannot be used, its driver is missing, or the tables are of another version.
            StoreUnavailable: the database or its tables cannot be read.
        """
        self._database = Database(url, writes=False)
        with self._database.look() as connection:
            self._demand_version(connection)

    def read(
        self, *, since: datetime | None = None, check: str = "", outcome: str = "", limit: int = 100
    ) -> list[AuditRecord]:
        """The newest records that fit, last written first.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        query = select(*_COLUMNS).order_by(AUDIT.c.id.desc()).limit(max(limit, 0))
        if since is not None:
            query = query.where(AUDIT.c.time >= since)
        if check:
            query = query.where(AUDIT.c.check == check)
        if outcome:
            query = query.where(AUDIT.c.outcome == outcome)
        with self._database.look() as connection:
            return [self._record(row) for row in connection.execute(query).mappings()]

    def find(self, incident: str) -> AuditRecord | None:
        """The record of one incident, or None.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        query = select(*_COLUMNS).where(AUDIT.c.incident == incident)
        with self._database.look() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else self._record(row)

    def _record(self, row: RowMapping) -> AuditRecord:
        values: dict[str, Any] = dict(row)
        try:
            values["explanation"] = json.loads(values["explanation"])
        except ValueError as error:
            raise StoreUnavailable(
                f"{self._database.name}: the explanation of incident {values['incident']} is damaged", setting=_SETTING
            ) from error
        return AuditRecord(**values)

    def _demand_version(self, connection: Connection) -> None:
        versions = connection.execute(select(SCHEMA.c.version)).scalars().all()
        if versions != [SCHEMA_VERSION]:
            found = ", ".join(map(str, versions)) or "unknown"
            raise ValueError(f"{self._database.name}: audit tables of version {found}; known is {SCHEMA_VERSION}")


class SqlAudit(SqlAuditReader):
    """Adds each record as a row, and reads them again. It is on the disk when ``write`` returns, as far as the database
    can tell."""

    def __init__(self, url: str, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        """Open the database, make the tables where they are not there, and prove that a record can be added.

        Args:
            url: ``sqlite:///FILE`` or any synchronous SQLAlchemy URL.
            busy_timeout: seconds to wait for a SQLite file that another thread, and again another process, writes to.

        Raises:
            ValueError: the URL cannot be used, its driver is missing, or the tables are of another version.
            StoreUnavailable: the database cannot be opened, or does not take a record.
        """
        self._database = Database(url, writes=True, busy_timeout=busy_timeout)
        try:
            self._make_tables()
            self._prove()
        finally:
            self._database.release()

    def write(self, record: AuditRecord) -> None:
        """Add ``record``.

        Raises:
            StoreUnavailable: it was not added.
        """
        with self._database.transaction() as connection:
            connection.execute(insert(AUDIT), _row(record))

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float) -> None:
        """Put what became of a request into its row.

        Raises:
            StoreUnavailable: it was not changed, or is not there.
        """
        change = update(AUDIT).where(AUDIT.c.incident == incident).values(outcome=outcome, duration_ms=duration_ms)
        with self._database.transaction() as connection:
            if connection.execute(change).rowcount != 1:
                raise StoreUnavailable(
                    f"{self._database.name}: no record of incident {incident} to amend", setting=_SETTING
                )

    def close(self) -> None:
        """Close the connections."""
        self._database.release()

    def _make_tables(self) -> None:
        for _ in range(0 if self._database.is_sqlite else _TRIES - 1):
            try:
                self._try_to_make_tables()
            except StoreUnavailable:
                time.sleep(0.1)
            else:
                return
        self._try_to_make_tables()

    def _try_to_make_tables(self) -> None:
        with self._database.transaction() as connection:
            if self._database.is_sqlite:
                # Python's sqlite3 begins no transaction for a CREATE TABLE by itself.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            METADATA.create_all(connection)
            if connection.execute(select(SCHEMA.c.version)).first() is None:
                connection.execute(insert(SCHEMA), {"version": SCHEMA_VERSION})

    def _prove(self) -> None:
        with self._database.look() as connection:
            self._demand_version(connection)
            connection.execute(insert(AUDIT), _row(AuditRecord("", datetime.now(UTC), "error")))


def _row(record: AuditRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _FIELDS} | {"explanation": json.dumps(record.explanation)}
