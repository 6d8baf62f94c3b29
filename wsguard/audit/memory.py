"""Audit records in the memory of one process: for tests."""

import threading
from copy import deepcopy
from typing import Final, Unpack

from wsguard.audit.lines import Amendment
from wsguard.audit.selection import fits
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditFilter, AuditRecord, RequestOutcome

CAPACITY: Final = 10_000
"""Records kept unless said otherwise: tens of megabytes at most."""


class MemoryAudit:
    """Keeps the last records, and reads them again. There is no chain: they end with the process."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """
        Args:
            capacity: how many records are kept; the oldest goes first.

        Raises:
            ValueError: ``capacity`` is less than one.
        """
        if capacity < 1:
            raise ValueError("capacity is at least 1")
        self.records: list[AuditRecord] = []
        """Copies of what was written, oldest first."""
        self._checks: list[str] = []
        """The check of each as it was written."""
        self._capacity = capacity
        self._lock = threading.Lock()

    def write(self, record: AuditRecord) -> None:
        """Keep a copy of ``record``."""
        with self._lock:
            self.records.append(deepcopy(record))
            self._checks.append(record.check)
            del self.records[: -self._capacity], self._checks[: -self._capacity]

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        """Add what became of a request.

        Raises:
            StoreUnavailable: there is no such record, or no longer.
        """
        with self._lock:
            for record, written in zip(reversed(self.records), reversed(self._checks), strict=True):
                if record.incident == incident:
                    record.check = written
                    Amendment(incident, outcome, duration_ms, check).apply(record)
                    return
        raise StoreUnavailable(f"no record of incident {incident} to amend", setting="audit.url")

    def read(self, *, limit: int = 100, **which: Unpack[AuditFilter]) -> list[AuditRecord]:
        """The newest records that fit, last written first."""
        with self._lock:
            found = [record for record in reversed(self.records) if fits(record, which)]
            return deepcopy(found[: max(limit, 0)])

    def find(self, incident: str) -> AuditRecord | None:
        """The record of one incident, or None."""
        with self._lock:
            return deepcopy(self._latest(incident))

    def close(self) -> None:
        """Nothing is held; the records can still be read."""

    def _latest(self, incident: str) -> AuditRecord | None:
        return next((record for record in reversed(self.records) if record.incident == incident), None)
