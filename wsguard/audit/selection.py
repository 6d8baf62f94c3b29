"""Which records a reader was asked for."""

from datetime import datetime

from wsguard.interfaces import AuditRecord


def fits(record: AuditRecord, since: datetime | None, check: str, outcome: str) -> bool:
    """Whether ``record`` is not older than ``since`` and has this check and outcome, where they are given."""
    return (
        (since is None or record.time >= since)
        and (not check or record.check == check)
        and (not outcome or record.outcome == outcome)
    )
