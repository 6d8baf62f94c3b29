"""Which records a reader was asked for."""

from wsguard.interfaces import AuditFilter, AuditRecord


def fits(record: AuditRecord, which: AuditFilter) -> bool:
    """Whether ``record`` fits everything that is given."""
    since, until, check = which.get("since"), which.get("until"), which.get("check")
    return (
        (since is None or record.time >= since)
        and (until is None or record.time < until)
        and (not check or record.check == check or record.check.startswith(f"{check}."))
        and all(asked in ("", value) for value, asked in _exact(record, which))
    )


def _exact(record: AuditRecord, which: AuditFilter) -> list[tuple[str, str]]:
    return [
        (record.outcome, which.get("outcome", "")),
        (record.client, which.get("client", "")),
        (record.service, which.get("service", "")),
        (record.username, which.get("username", "")),
    ]
