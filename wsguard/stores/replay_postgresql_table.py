"""The tables of what was seen, and the few statements over them, for PostgreSQL."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Delete,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql

from wsguard.databases.sql import Database
from wsguard.databases.sql_tables import demand_version, made, version_table

SCHEMA_VERSION: Final = 1

METADATA: Final = MetaData()

SEEN: Final = Table(
    "wsguard_seen",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("until", BigInteger, nullable=False, comment="microseconds since 1970, UTC"),
    Index("wsguard_seen_until", "until"),
)
"""A key a row, live or not yet purged."""

FAILURE: Final = Table(
    "wsguard_failure",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("until", BigInteger, nullable=False, comment="microseconds since 1970, UTC"),
    Index("wsguard_failure_key", "key", "until"),
    Index("wsguard_failure_until", "until"),
)
"""A wrong password a row."""

SCHEMA: Final = version_table("wsguard_replay_schema", METADATA)
"""One row: the version of the tables."""

_NEW: Final = postgresql.insert(SEEN).values(key=bindparam("of"), until=bindparam("kept"))
REMEMBER: Final = _NEW.on_conflict_do_update(
    index_elements=[SEEN.c.key], set_={"until": _NEW.excluded.until}, where=SEEN.c.until < bindparam("now")
).returning(SEEN.c.until)
"""Of ``of``, ``kept`` and ``now``. A row that comes back was added, or was over; none: the key is remembered."""

COUNT_FAILURES: Final = (
    select(func.count())
    .select_from(FAILURE)
    .where(FAILURE.c.key == bindparam("of"), FAILURE.c.until >= bindparam("now"))
)
ADD_FAILURE: Final = insert(FAILURE).values(key=bindparam("of"), until=bindparam("kept")).inline()


def _purge(table: Table, key: Column[Any]) -> Delete:
    """Remove a few rows that were over before ``now``; those that somebody else is at are left to them."""
    over = select(key).where(table.c.until < bindparam("now")).limit(bindparam("most"))
    return delete(table).where(key.in_(over.with_for_update(skip_locked=True).scalar_subquery()))


PURGE: Final = _purge(SEEN, SEEN.c.key)
PURGE_FAILURES: Final = _purge(FAILURE, FAILURE.c.id)


def open_tables(database: Database) -> None:
    """Make the tables where they are not there.

    Raises:
        ValueError: they are of another version.
        StoreUnavailable: they cannot be made or read.
    """
    with database.look() as connection:
        there = _are_there(connection)
    if not there:
        made(database, _make_tables)
    with database.look() as connection:
        demand_version(connection, SCHEMA, SCHEMA_VERSION, f"{database.name}: replay tables")


def _are_there(connection: Connection) -> bool:
    return inspect(connection).has_table(SCHEMA.name)


def _make_tables(connection: Connection) -> None:
    if not _are_there(connection):
        METADATA.create_all(connection, checkfirst=False)
        connection.execute(insert(SCHEMA), {"version": SCHEMA_VERSION})
