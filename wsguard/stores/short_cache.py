"""Answers kept for a few seconds."""

import math
import threading
from typing import Final, Generic, TypeVar

ValueT = TypeVar("ValueT")


class ShortCache(Generic[ValueT]):
    """Keeps the newest ``size`` values, each for ``seconds`` and no longer, for all threads of a process."""

    def __init__(self, seconds: float, size: int) -> None:
        """
        Args:
            seconds: how long a value is good; 0: never.
            size: values kept.
        """
        self._seconds: Final = seconds
        self._size: Final = size
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, ValueT]] = {}

    def __len__(self) -> int:
        """Values kept, good or not yet thrown away."""
        return len(self._kept)

    def get(self, key: str, now: float) -> ValueT | None:
        """The value of ``key`` where it is good at ``now`` (seconds of a monotonic clock), else None."""
        with self._lock:
            return self._good(key, now)

    def put(self, key: str, value: ValueT, now: float) -> None:
        """Keep ``value``, which was true at ``now``."""
        with self._lock:
            self._keep(key, value, now)

    def claim(self, key: str, value: ValueT, now: float) -> bool:
        """Keep ``value`` unless there is a good one; True for exactly one of all calls within ``seconds``."""
        with self._lock:
            if self._good(key, now) is not None:
                return False
            self._keep(key, value, now)
            return True

    def _good(self, key: str, now: float) -> ValueT | None:
        since, value = self._kept.get(key, (-math.inf, None))
        return value if now - since < self._seconds else None

    def _keep(self, key: str, value: ValueT, now: float) -> None:
        # Taken out first, so that the order of the dictionary is that of time.
        self._kept.pop(key, None)
        self._kept[key] = (now, value)
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) <= self._size and now - self._kept[oldest][0] < self._seconds:
                return
            del self._kept[oldest]
