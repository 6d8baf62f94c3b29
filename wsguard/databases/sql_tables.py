"""Tables that have a version, and that several processes may make at the same moment."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, select

from wsguard.databases.sql import Database
from wsguard.faults import StoreUnavailable

_Made = TypeVar("_Made")

_TRIES: Final = 3
"""Where another process makes the tables at the same moment: the second try finds them."""
_PAUSE: Final = 0.1
"""Seconds between two."""
_PATIENCE: Final = 10.0
"""Seconds that one of them waits for another that makes or changes tables, or that uses the old ones."""
_MAKERS: Final = int.from_bytes(b"wsguard")
"""Number of the advisory lock of PostgreSQL that those who make tables take, one after the other."""


def version_table(name: str, metadata: MetaData, *more: Column[str]) -> Table:
    """A table for one row: the version of other tables, and what else must be known of them."""
    return Table(name, metadata, Column("version", Integer, primary_key=True, autoincrement=False), *more)


def made(database: Database, make: Callable[[Connection], _Made]) -> _Made:
    """What ``make`` returns, which makes in a transaction the tables that are not there.

    Raises:
        StoreUnavailable: they cannot be made.
    """
    # In a SQLite file others wait for the transaction to end.
    for _ in range(0 if database.is_sqlite else _TRIES - 1):
        try:
            return _made_alone(database, make)
        except StoreUnavailable:
            time.sleep(_PAUSE)
    return _made_alone(database, make)


def _made_alone(database: Database, make: Callable[[Connection], _Made]) -> _Made:
    with database.transaction(patience=None if database.is_sqlite else _PATIENCE) as connection:
        if database.is_postgresql:
            connection.execute(select(func.pg_advisory_xact_lock(_MAKERS)))
        return make(connection)


def demand_version(connection: Connection, schema: Table, known: int, tables: str) -> None:
    """
    Args:
        connection: to the database.
        schema: the table of the version.
        known: the only version that will do.
        tables: what they are, and where, for errors.

    Raises:
        ValueError: they are of another version.
    """
    versions = connection.execute(select(schema.c.version)).scalars().all()
    if versions != [known]:
        found = ", ".join(map(str, versions)) or "unknown"
        whose = "a newer" if any(version > known for version in versions) else "another"
        raise ValueError(f"{tables} of version {found}, of {whose} wsguard; known is {known}")
