"""Verdicts that are kept while nothing that they rest on changes."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wsguard.interfaces import TrustedCertificate

MOST_VERDICTS: Final = 1024
"""Kept for each [trust]; a verdict without one costs a few hundred µs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A certificate that is trusted, for as long as its chain and the lists that were asked are valid."""

    trusted: TrustedCertificate
    setting: str
    """Key path of the setting that decided."""
    since: datetime
    until: datetime
    """Not included."""


class Verdicts:
    """The verdicts that were asked for last. Refusals are not kept. The same object serves all threads."""

    def __init__(self, most: int = MOST_VERDICTS) -> None:
        """
        Args:
            most: verdicts kept.
        """
        self._most: Final = most
        self._lock: Final = threading.Lock()
        self._kept: Final[OrderedDict[bytes, Verdict]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes, now: datetime) -> Verdict | None:
        """The verdict that is good at ``now``, or None; the clock may also have gone back."""
        with self._lock:
            verdict = self._kept.get(key)
            if verdict is None or not verdict.since <= now < verdict.until:
                return None
            self._kept.move_to_end(key)
            return verdict

    def put(self, key: bytes, verdict: Verdict) -> None:
        """Keep ``verdict``, and forget the one that was not asked for the longest."""
        with self._lock:
            self._kept[key] = verdict
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
