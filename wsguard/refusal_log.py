"""One line in the log for every refusal, and no flood of them.

Nothing that a sender chose can forge a line or reach a terminal: every value is quoted, bounded, and has its control
characters, line separators and bidirectional overrides escaped. There is no secret in a record, so there is none here.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wsguard.explanation import plain
from wsguard.interfaces import AuditRecord

_log: Final = logging.getLogger("wsguard.refusal")

RATE: Final = 10.0
"""Lines a second for each check, once its burst is used up: what somebody can still read."""
BURST: Final = 50
"""Lines of one check that may come at once: a client that is misconfigured shows itself within as many."""
SUMMARY_INTERVAL: Final = 1.0
"""Seconds between two lines that say how many were left out."""

_ESCAPED: Final = re.compile(r"(?:[^\\]|\\(?:[\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}))*")
"""What ``plain`` makes of a text: every backslash begins an escape."""


class RefusalLog:
    """Writes a line to the logger ``wsguard.refusal`` for each refusal; the same object serves all threads.

    The level is ERROR where the guard itself could not judge, else WARNING.
    """

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, rate: float = RATE, burst: int = BURST
    ) -> None:
        """
        Args:
            monotonic: seconds on a clock that never goes back.
            rate: lines a second for each check.
            burst: lines of one check that may come at once, 1 or more.

        Raises:
            ValueError: ``rate`` is not positive, or ``burst`` is less than 1.
        """
        if rate <= 0 or burst < 1:
            raise ValueError("rate is more than 0, burst at least 1")
        self._monotonic: Final = monotonic
        self._rate: Final = rate
        self._burst: Final = burst
        self._lock: Final = threading.Lock()
        self._buckets: Final[dict[str, _Bucket]] = {}

    def judged(self, record: AuditRecord, stages: Mapping[str, float]) -> None:
        """Write the line of a refusal if its check has one left, and the summaries that are due."""
        refused = record.outcome in ("rejected", "error")
        now = self._monotonic()
        with self._lock:
            written = refused and self._take(record.check, now)
            summaries = list(self._summaries(now, SUMMARY_INTERVAL))
        for summary in summaries:
            _log.warning("%s", summary)
        if written:
            _log.log(logging.ERROR if record.outcome == "error" else logging.WARNING, "%s", _line(record))

    def close(self) -> None:
        """Say how many lines were left out and not told of yet."""
        with self._lock:
            summaries = list(self._summaries(self._monotonic(), 0.0))
        for summary in summaries:
            _log.warning("%s", summary)

    def _take(self, check: str, now: float) -> bool:
        """Whether there is a line left for ``check``; counts where there is none."""
        bucket = self._buckets.get(check)
        if bucket is None:
            bucket = self._buckets[check] = _Bucket(float(self._burst), now, now)
        bucket.lines = min(self._burst, bucket.lines + (now - bucket.filled_at) * self._rate)
        bucket.filled_at = now
        if bucket.lines >= 1:
            bucket.lines -= 1
            return True
        if not bucket.left_out:
            bucket.left_out_since = now
        bucket.left_out += 1
        return False

    def _summaries(self, now: float, interval: float) -> Iterator[str]:
        for check, bucket in self._buckets.items():
            if bucket.left_out and now - bucket.left_out_since >= interval:
                seconds = now - bucket.left_out_since
                yield f"{check}: {bucket.left_out} more refusals in {seconds:.1f} s, without a line each"
                bucket.left_out = 0


@dataclass(slots=True)
class _Bucket:
    """The lines that one check has left."""

    lines: float
    filled_at: float
    left_out_since: float
    left_out: int = 0


def _line(record: AuditRecord) -> str:
    values = (
        ("service", record.service),
        ("client", record.client),
        ("username", record.username),
        ("remote", record.remote_addr),
        ("seen", _seen(record)),
    )
    written = " ".join(f"{name}={_quoted(value)}" for name, value in values)
    return f"incident {record.incident}: {record.check}: {written}"


def _seen(record: AuditRecord) -> str:
    return next((result["seen"] for result in reversed(record.explanation) if result["outcome"] == "refused"), "")


def _quoted(text: str) -> str:
    """``text`` in double quotes, escaped once, whether or not it comes escaped."""
    escaped = text if text.isprintable() and _ESCAPED.fullmatch(text) else plain(text)
    return '"' + escaped.replace('"', '\\"') + '"'
