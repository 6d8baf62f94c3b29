"""Audit records on standard error, for whatever collects it there."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from wsguard.audit.entries import amendment_content, record_content, time_text
from wsguard.audit.lines import line_of
from wsguard.audit.writer import ChainWriter
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, RequestOutcome

_TIMESPEC: Final = "milliseconds"
_PATIENCE: Final = 5.0


class StreamAudit:
    """Writes each record as a chained line of JSON to what ``sys.stderr`` is at that moment.

    The lines have the form of ``jsonl:`` files: saved to a file by themselves, they can be verified as one.
    """

    def __init__(self, key: bytes | None = None) -> None:
        """
        Args:
            key: of the chain's macs; without one they are plain digests.
        """
        self._chain: Final = ChainWriter(key, _PATIENCE)

    def write(self, record: AuditRecord) -> None:
        """Write ``record`` and flush.

        Raises:
            StoreUnavailable: there is no standard error, or it takes nothing.
        """
        self._write(record_content(record, _TIMESPEC))

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        """Write a further line and flush.

        Raises:
            StoreUnavailable: there is no standard error, or it takes nothing.
        """
        now = time_text(datetime.now(UTC), _TIMESPEC)
        self._write(amendment_content(incident, outcome, duration_ms, now, check))

    def close(self) -> None:
        """Nothing is held: standard error stays open."""

    def _write(self, content: Mapping[str, Any]) -> None:
        with self._chain.turn() as turn:
            _put(line_of(turn.seal(content)))


def _put(line: bytes) -> None:
    stream = sys.stderr
    # Python's documentation of sys.stderr: None where a process has no such stream, whatever its type says.
    if stream is None:
        raise StoreUnavailable("standard error: there is none", setting="audit.url")
    try:
        stream.write(line.decode("ascii"))
        stream.flush()
    except (OSError, ValueError) as error:
        raise StoreUnavailable(f"standard error: {error}", setting="audit.url") from error
