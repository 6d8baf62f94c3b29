"""The tables in a database: made where they are not there, and brought up from an earlier version."""

from typing import Final

from sqlalchemy import Connection, Inspector, insert, inspect, select, update
from sqlalchemy.schema import CreateColumn

from wsguard.audit.sql_table import ADDED_IN_2, AUDIT, METADATA, SCHEMA, SCHEMA_VERSION
from wsguard.databases.sql_tables import demand_version

_UPGRADABLE: Final = 1


def make_tables(connection: Connection, *, upgrade: bool) -> bool:
    """Make the tables, and bring those of an earlier version up if ``upgrade``; whether any was brought up.

    Several may do so at once. Where the database can, it is all or nothing.
    """
    METADATA.create_all(connection)
    query = select(SCHEMA.c.version)
    # The row is locked, so that a second process waits here and then finds nothing left to do. Otherwise it is not: a
    # service may have no right to change it.
    version = connection.execute(query.with_for_update() if upgrade else query).scalars().first()
    if version is None:
        connection.execute(insert(SCHEMA), {"version": SCHEMA_VERSION})
    if version != _UPGRADABLE or not upgrade:
        return False
    _add_columns(connection, inspect(connection))
    connection.execute(update(SCHEMA).values(version=SCHEMA_VERSION))
    return True


def demand_ours(connection: Connection, name: str) -> None:
    """
    Raises:
        ValueError: the tables of database ``name`` are of another version.
    """
    versions = connection.execute(select(SCHEMA.c.version)).scalars().all()
    if versions == [_UPGRADABLE]:
        raise ValueError(f"{name}: audit tables of version 1; run: wsguard db upgrade CONFIG")
    demand_version(connection, SCHEMA, SCHEMA_VERSION, f"{name}: audit tables")


def _add_columns(connection: Connection, inspector: Inspector) -> None:
    # A database whose DDL is outside of transactions may have some already.
    columns = {column["name"] for column in inspector.get_columns(AUDIT.name)}
    for name in ADDED_IN_2:
        if name not in columns:
            definition = CreateColumn(AUDIT.c[name]).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {AUDIT.name} ADD COLUMN {definition}")
    indexes = {index["name"] for index in inspector.get_indexes(AUDIT.name)}
    for index in AUDIT.indexes:
        if index.name not in indexes:
            index.create(connection)
