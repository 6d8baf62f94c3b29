"""The table of audit records, for any SQL database."""

from typing import Final

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table, Text

from wsguard.databases.sql_tables import version_table
from wsguard.databases.sql_types import UtcDateTime

SCHEMA_VERSION: Final = 2

METADATA: Final = MetaData()

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="in the order of writing"),
    Column("incident", String(64), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("check", String(64), nullable=False),
    Column("fault", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("soap_version", String(8), nullable=False),
    Column("client", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("certificate_subject", Text, nullable=False),
    Column("certificate_sha256", String(64), nullable=False),
    Column("remote_addr", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("message_sha256", String(64), nullable=False),
    Column("message_bytes", BigInteger, nullable=False),
    Column("duration_ms", Double, nullable=False),
    Column("clock_skew_s", Double, nullable=True),
    Column("explanation", Text, nullable=False, comment="JSON: a list, or of a checkpoint what it says"),
    # Since version 2. The defaults are those of a record that stands outside of any chain.
    Column("writer", String(32), nullable=False, server_default=""),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("prev", String(64), nullable=False, server_default=""),
    Column("mac", String(64), nullable=False, server_default=""),
    Column("kind", String(16), nullable=False, server_default="record"),
    Column("amends", String(64), nullable=False, server_default="", comment="the incident, of an amendment"),
    Index("audit_incident", "incident", unique=True),
    Index("audit_time", "time"),
    Index("audit_check", "check"),
    Index("audit_chain", "writer", "seq"),
    Index("audit_amends", "amends"),
)
"""An entry a row: records under the names of ``AuditRecord``; of other kinds, what they have. Rows are only added, and
removed by a purge; none is changed."""

ADDED_IN_2: Final = ("writer", "seq", "prev", "mac", "kind", "amends")
"""Columns that version 1 did not have."""

SCHEMA: Final = version_table("audit_schema", METADATA)
"""One row: the version of the tables."""
