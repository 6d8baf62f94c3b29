"""Audits with a history, to be tampered with."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wsguard.audit import open_reader
from wsguard.audit.verification import Flaw, Verification, verify
from wsguard.interfaces import AuditRecord, AuditSink

KEY = b"a key of the tests"
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def record(incident: str, time: datetime = NOW) -> AuditRecord:
    explanation = [{"check": "replay.nonce", "outcome": "refused", "seen": "é", "expected": "", "setting": ""}]
    return AuditRecord(
        incident,
        time,
        "rejected",
        "replay.nonce",
        username="żółw",
        message_bytes=5,
        clock_skew_s=-0.0,
        duration_ms=1,
        explanation=explanation,
    )


def write_history(sinks: Iterable[AuditSink], *, closed: bool = True) -> None:
    """Two turns of records and amendments by each sink, and some of its own."""
    sinks = list(sinks)
    for turn in range(3):
        for number, sink in enumerate(sinks):
            sink.write(record(f"{turn} {number}", NOW + timedelta(seconds=turn)))
            sink.amend(f"{turn} {number}", "error", 2.5)
    if closed:
        for sink in sinks:
            sink.close()


def verified(url: str, key: bytes | None = KEY) -> Verification:
    return verify(open_reader([url]).entries(), key)


def flaws(done: Verification) -> set[Flaw]:
    return {finding.flaw for report in done.writers for finding in report.findings} | {
        finding.flaw for finding in done.findings
    }


def url_of(path: Path) -> str:
    return f"{'jsonl:' if path.suffix == '.jsonl' else 'sqlite:///'}{path}"
