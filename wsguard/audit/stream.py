"""Audit records on standard error, for whatever collects it there."""

import sys

from wsguard.audit.lines import Amendment, amendment_line, record_line
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, RequestOutcome


class StreamAudit:
    """Writes each record as a line of JSON to what ``sys.stderr`` is at that moment."""

    def write(self, record: AuditRecord) -> None:
        """Write ``record`` and flush.

        Raises:
            StoreUnavailable: there is no standard error, or it takes nothing.
        """
        _write(record_line(record))

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float) -> None:
        """Write a further line and flush.

        Raises:
            StoreUnavailable: there is no standard error, or it takes nothing.
        """
        _write(amendment_line(Amendment(incident, outcome, duration_ms)))

    def close(self) -> None:
        """Nothing is held: standard error stays open."""


def _write(line: bytes) -> None:
    stream = sys.stderr
    # Python's documentation of sys.stderr: None where a process has no such stream, whatever its type says.
    if stream is None:
        raise StoreUnavailable("standard error: there is none", setting="audit.url")
    try:
        stream.write(line.decode("ascii"))
        stream.flush()
    except (OSError, ValueError) as error:
        raise StoreUnavailable(f"standard error: {error}", setting="audit.url") from error
