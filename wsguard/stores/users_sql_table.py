"""The table of users, for any SQL database."""

import time
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from wsguard.faults import StoreUnavailable
from wsguard.stores.secrets_at_rest import MasterKeys, WrongMasterKey
from wsguard.stores.sql_database import Database

SCHEMA_VERSION: Final = 1

LONGEST_NAME: Final = 256
"""Characters; no longer one is read from a message."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC, also in a database that keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC, whatever zone it came in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _exact(length: int) -> String:
    """Text that is compared by its characters' numbers, whatever the database's own habit."""
    mysql = String(length, collation="utf8mb4_bin")
    return (
        String(length)
        .with_variant(String(length, collation="C"), "postgresql")
        .with_variant(mysql, "mysql", "mariadb")
        .with_variant(String(length, collation="Latin1_General_100_BIN2_UTF8"), "mssql")
    )


METADATA: Final = MetaData()

USERS: Final = Table(
    "wsguard_users",
    METADATA,
    Column("name", _exact(LONGEST_NAME), primary_key=True),
    Column("secret", Text, nullable=True, comment="the password, under a master key"),
    Column("password_hash", Text, nullable=True, comment="argon2id, where there is no secret"),
    Column("enabled", Boolean, nullable=False),
    Column("services", Text, nullable=False, comment="a JSON list; empty: all"),
    Column("created", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=True),
)
"""A user a row: either a secret or a hash."""

SCHEMA: Final = Table(
    "wsguard_users_schema",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("canary", Text, nullable=False, comment="nothing, under the first master key"),
)
"""One row: the version of the tables, and what tells whether a master key is theirs."""

_CANARY: Final = ("", b"canary")
"""Its owner and content: no user has an empty name."""
_TRIES: Final = 3
"""Of making the tables where another process makes them at the same moment: the second try finds them."""


def open_tables(database: Database, keys: MasterKeys) -> None:
    """Make the tables where they are not there, and prove that they can be read with ``keys``.

    Raises:
        ValueError: they are of another version, or were made under another master key.
        StoreUnavailable: they cannot be made or read.
    """
    for _ in range(_TRIES - 1):
        try:
            _make_tables(database, keys)
            break
        except StoreUnavailable:
            time.sleep(0.1)
    else:
        _make_tables(database, keys)
    with database.look() as connection:
        _demand_ours(connection, database.name, keys)
        connection.execute(select(USERS).limit(1)).first()


def renew_canary(connection: Connection, keys: MasterKeys) -> None:
    """Put the canary under the first of ``keys``."""
    connection.execute(update(SCHEMA).values(canary=keys.seal(*_CANARY)))


def _make_tables(database: Database, keys: MasterKeys) -> None:
    with database.look() as connection:
        if inspect(connection).has_table(SCHEMA.name):
            return
    with database.transaction() as connection:
        if not inspect(connection).has_table(SCHEMA.name):
            METADATA.create_all(connection, checkfirst=False)
            connection.execute(insert(SCHEMA), {"version": SCHEMA_VERSION, "canary": keys.seal(*_CANARY)})


def _demand_ours(connection: Connection, name: str, keys: MasterKeys) -> None:
    versions = connection.execute(select(SCHEMA.c.version)).scalars().all()
    if versions != [SCHEMA_VERSION]:
        found = ", ".join(map(str, versions)) or "unknown"
        whose = "a newer" if any(version > SCHEMA_VERSION for version in versions) else "another"
        raise ValueError(f"{name}: user tables of version {found}, of {whose} wsguard; known is {SCHEMA_VERSION}")
    canary = connection.execute(select(SCHEMA.c.canary)).scalar_one()
    try:
        keys.open(_CANARY[0], canary)
    except WrongMasterKey:
        raise ValueError(f"{name}: the master key is not the one that the table of users was made with") from None
