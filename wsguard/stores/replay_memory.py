"""What was seen, in the memory of one process: for tests, and for a service that is one process."""

import heapq
import threading
from datetime import datetime, timedelta
from typing import Final

CLOCK_DISORDER: Final = timedelta(minutes=1)
"""Kept beyond its time: threads do not arrive in the order in which they read the clock, so a call may come with an
earlier ``now`` than one before it, and must still find what was to be kept at its own time."""

_PURGED_AT_ONCE: Final = 4
"""More than the one entry that a call adds, so that what expired is always caught up with."""


class MemoryReplayStore:
    """Remembers exactly, for all threads of this process, in memory that grows with the live keys only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[bytes, datetime] = {}
        self._by_time: list[tuple[datetime, bytes]] = []

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

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._until.clear()
            self._by_time.clear()

    def _purge(self, now: datetime) -> None:
        for _ in range(_PURGED_AT_ONCE):
            if not self._by_time or now - self._by_time[0][0] <= CLOCK_DISORDER:
                return
            until, key = heapq.heappop(self._by_time)
            if self._until.get(key) == until:
                del self._until[key]
