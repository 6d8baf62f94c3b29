"""The entries of an audit as plain data: records, and what is said of them and of the audit later."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol, Unpack

from wsguard.audit.checkpoint import Checkpoint
from wsguard.interfaces import AuditFilter, AuditReader, AuditRecord, RequestOutcome

Kind = Literal["record", "amendment", "checkpoint", "closing"]

_MARKS: Final[Mapping[str, Kind]] = {"amends": "amendment", "checkpoint": "checkpoint", "closes": "closing"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is stored."""

    place: str
    """Where it is: a line or row by its number."""
    content: Mapping[str, Any] | None
    """What it says; None where it cannot be read."""
    intact: bool = True
    """Whether it is written in the very form that wsguard writes."""


class StoredAudit(AuditReader, Protocol):
    """An audit in a file or database."""

    def scan(self, *, oldest_first: bool = False, **which: Unpack[AuditFilter]) -> Iterator[AuditRecord]:
        """All records that fit, in the order of writing or in its reverse, in bounded memory.

        Raises:
            StoreUnavailable: the audit cannot be read.
        """
        ...

    def entries(self) -> Iterator[Entry]:
        """All entries in the order of writing, in bounded memory.

        Raises:
            StoreUnavailable: the audit cannot be read.
        """
        ...


def record_content(record: AuditRecord, timespec: str) -> dict[str, Any]:
    """What an entry says of a request; ``time`` as exact as the store keeps it."""
    content = record.as_dict()
    content["time"] = time_text(record.time, timespec)
    # An int, or a negative zero, would come back from a database as another number than was chained.
    content["message_bytes"] = int(record.message_bytes)
    content["duration_ms"] = float(record.duration_ms) + 0.0
    content["clock_skew_s"] = None if record.clock_skew_s is None else float(record.clock_skew_s) + 0.0
    return content


def amendment_content(
    incident: str, outcome: RequestOutcome, duration_ms: float, time: str, check: str = ""
) -> dict[str, Any]:
    """What an entry says of a request that was recorded before. Without a check it is as earlier releases wrote it."""
    number = float(duration_ms) + 0.0
    content = {"incident": incident, "amends": True, "time": time, "outcome": outcome, "duration_ms": number}
    return content | ({"check": check} if check else {})


def checkpoint_content(checkpoint: Checkpoint, time: str) -> dict[str, Any]:
    """What a checkpoint says."""
    return {"checkpoint": checkpoint.as_plain(), "time": time}


def closing_content(time: str) -> dict[str, Any]:
    """What a writer says last, where it ends in an orderly way."""
    return {"closes": True, "time": time}


def kind_of(content: Mapping[str, Any]) -> Kind:
    """What kind of entry this is."""
    return next((kind for mark, kind in _MARKS.items() if mark in content), "record")


def time_text(time: datetime, timespec: str) -> str:
    """``time`` as entries have it: ISO 8601 in UTC."""
    return time.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
