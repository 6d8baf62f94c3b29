"""What was seen, in the memory of one process: for tests, and for a service that is one process."""

import heapq
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

CLOCK_DISORDER: Final = timedelta(minutes=1)
"""Kept beyond its time: threads do not arrive in the order in which they read the clock, so a call may come with an
earlier ``now`` than one before it, and must still find what was to be kept at its own time."""

_PURGED_AT_ONCE: Final = 4
"""More than the one entry that a call adds, so that what expired is always caught up with."""


class MemoryReplayStore:
    """Remembers exactly, for all threads of this process, in memory that grows with what is live only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[bytes, datetime] = {}
        self._by_time: list[tuple[datetime, bytes]] = []
        self._failures: dict[bytes, list[datetime]] = {}
        self._failures_by_time: list[tuple[datetime, bytes]] = []

    def __len__(self) -> int:
        """Keys held, live or not yet purged."""
        return len(self._until)

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        """Remember ``key`` until ``until``; True for exactly one of all calls while it is remembered."""
        with self._lock:
            self._purge(now)
            kept = self._until.get(key)
            if kept is not None and now <= kept:
                return False
            self._until[key] = until
            heapq.heappush(self._by_time, (until, key))
            return True

    def failures(self, key: bytes, now: datetime) -> int:
        """How many failures of ``key`` are remembered at ``now``."""
        with self._lock:
            return sum(now <= until for until in self._failures.get(key, ()))

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        """Remember one more failure of ``key`` until ``until``."""
        with self._lock:
            self._purge_failures(now)
            self._failures.setdefault(key, []).append(until)
            heapq.heappush(self._failures_by_time, (until, key))

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            for held in (self._until, self._by_time, self._failures, self._failures_by_time):
                held.clear()

    def _purge(self, now: datetime) -> None:
        for until, key in _long_over(self._by_time, now):
            if self._until.get(key) == until:
                del self._until[key]

    def _purge_failures(self, now: datetime) -> None:
        for until, key in _long_over(self._failures_by_time, now):
            kept = self._failures[key]
            kept.remove(until)
            if not kept:
                del self._failures[key]


def _long_over(by_time: list[tuple[datetime, bytes]], now: datetime) -> Iterator[tuple[datetime, bytes]]:
    """Take the next few that are over out of the heap ``by_time``."""
    for _ in range(_PURGED_AT_ONCE):
        if not by_time or now - by_time[0][0] <= CLOCK_DISORDER:
            return
        yield heapq.heappop(by_time)
