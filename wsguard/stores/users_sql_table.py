"""The table of users, for any SQL database."""

from typing import Final

from sqlalchemy import Boolean, Column, Connection, MetaData, String, Table, Text, insert, inspect, select, update

from wsguard.databases.sql import Database
from wsguard.databases.sql_tables import demand_version, made, version_table
from wsguard.databases.sql_types import UtcDateTime
from wsguard.stores.secrets_at_rest import MasterKeys, WrongMasterKey

SCHEMA_VERSION: Final = 1

LONGEST_NAME: Final = 256
"""Characters; no longer one is read from a message."""


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

SCHEMA: Final = version_table(
    "wsguard_users_schema",
    METADATA,
    Column("canary", Text, nullable=False, comment="nothing, under the first master key"),
)
"""One row: the version of the tables, and what tells whether a master key is theirs."""

_CANARY: Final = ("", b"canary")
"""Its owner and content: no user has an empty name."""


def open_tables(database: Database, keys: MasterKeys) -> None:
    """Make the tables where they are not there, and prove that they can be read with ``keys``.

    Raises:
        ValueError: they are of another version, or were made under another master key.
        StoreUnavailable: they cannot be made or read.
    """
    with database.look() as connection:
        there = _are_there(connection)
    if not there:
        made(database, lambda connection: _make_tables(connection, keys))
    with database.look() as connection:
        _demand_ours(connection, database.name, keys)
        connection.execute(select(USERS).limit(1)).first()


def renew_canary(connection: Connection, keys: MasterKeys) -> None:
    """Put the canary under the first of ``keys``."""
    connection.execute(update(SCHEMA).values(canary=keys.seal(*_CANARY)))


def _are_there(connection: Connection) -> bool:
    return inspect(connection).has_table(SCHEMA.name)


def _make_tables(connection: Connection, keys: MasterKeys) -> None:
    if not _are_there(connection):
        METADATA.create_all(connection, checkfirst=False)
        connection.execute(insert(SCHEMA), {"version": SCHEMA_VERSION, "canary": keys.seal(*_CANARY)})


def _demand_ours(connection: Connection, name: str, keys: MasterKeys) -> None:
    demand_version(connection, SCHEMA, SCHEMA_VERSION, f"{name}: user tables")
    canary = connection.execute(select(SCHEMA.c.canary)).scalar_one()
    try:
        keys.open(_CANARY[0], canary)
    except WrongMasterKey:
        raise ValueError(f"{name}: the master key is not the one that the table of users was made with") from None
