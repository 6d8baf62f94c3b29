"""Entries as rows of the table, and rows as entries: each the exact reverse of the other."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from wsguard.audit.chain import LINK
from wsguard.audit.entries import Entry, Kind, kind_of, time_text
from wsguard.interfaces import AuditRecord

TIMESPEC: Final = "microseconds"

FIELDS: Final = tuple(field.name for field in fields(AuditRecord))
_BLANK: Final[dict[str, Any]] = {
    name: 0 if name in ("message_bytes", "duration_ms") else None if name == "clock_skew_s" else "" for name in FIELDS
} | {"explanation": "", "amends": ""}
"""What of a record other kinds do not have."""
_DERIVED: Final[dict[Kind, tuple[str, ...]]] = {
    "record": tuple(name for name in FIELDS if name not in ("time", "explanation", *LINK)),
    "amendment": ("outcome", "duration_ms"),
    "checkpoint": (),
    "closing": (),
}
"""Fields that each kind has in columns of their names."""


def row_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The row for an entry."""
    kind = kind_of(content)
    row = _BLANK | {"kind": kind, "time": datetime.fromisoformat(content["time"])}
    row |= {name: content[name] for name in (*_DERIVED[kind], *LINK)}
    if kind == "record":
        row["explanation"] = json.dumps(content["explanation"])
        return row
    # The column takes every value once; an incident is never written like this.
    row["incident"] = f"{content['writer']}.{content['seq']}"
    if kind == "amendment":
        row |= {"amends": content["incident"], "check": content.get("check", "")}
    elif kind == "checkpoint":
        row["explanation"] = json.dumps(content["checkpoint"])
    return row


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the entry in ``row`` says.

    Raises:
        KeyError: the row is of no kind that is known.
        ValueError: it is not what ``row_of`` makes.
    """
    kind: Kind = row["kind"]
    content = {name: row[name] for name in (*_DERIVED[kind], *LINK)} | {"time": time_text(row["time"], TIMESPEC)}
    if kind == "record":
        content["explanation"] = json.loads(row["explanation"])
    elif kind == "amendment":
        content |= {"incident": row["amends"], "amends": True} | ({"check": row["check"]} if row["check"] else {})
    elif kind == "checkpoint":
        content["checkpoint"] = json.loads(row["explanation"])
    else:
        content["closes"] = True
    return content


def entry_of(row: Mapping[str, Any]) -> Entry:
    """The entry in ``row``, which has an ``id`` too."""
    place = f"row {row['id']}"
    try:
        content = content_of(row)
        return Entry(place, content, row_of(content) == {name: row[name] for name in row if name != "id"})
    except (KeyError, ValueError, TypeError, RecursionError):
        # What it says of its place in a chain is worth looking at all the same.
        return Entry(place, {name: row[name] for name in LINK}, intact=False)
