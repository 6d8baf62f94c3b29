"""Threads that write together: whoever comes first writes what all others brought while somebody else wrote."""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final, Generic, TypeVar

from wsguard.databases.forks import weakly
from wsguard.faults import StoreUnavailable

ContentT = TypeVar("ContentT")

MOST_WAITING: Final = 1_000
"""Threads of a process that may wait: more than servers have, unless they are green."""
MOST_AT_ONCE: Final = 100
"""Entries of one transaction: some ten milliseconds, the disk aside."""
_SLOW: Final = 0.5
"""Of the patience: an outage that took as long was waited for by those that came meanwhile, too."""
_SETTING: Final = "audit.url"

Keep = Callable[[Sequence[ContentT]], Sequence[Exception | None]]
"""Makes contents durable in their order, all or none: for each what kept it alone from being kept, or None.

What it raises kept all of them."""


@dataclass(slots=True, eq=False)
class _Pending(Generic[ContentT]):
    """What one thread has to write."""

    content: ContentT
    failure: Exception | None = field(
        default_factory=lambda: StoreUnavailable("the thread that wrote it was ended", setting=_SETTING)
    )
    """Until it is known to be kept, it is not."""
    queued: bool = False
    leads: bool = False
    woken: Event = field(default_factory=Event)
    """It leads now, or it is known what became of it."""


class GroupCommit(Generic[ContentT]):
    """One transaction for all that wait, made by the thread that waited longest; each is told of its own.

    There is no thread of its own, so nothing is lost at the end of a process that was said to be kept, and a forked
    child has nothing to do with what its parent's threads wait for. A thread writes once for others and then goes: the
    next one leads.
    """

    def __init__(
        self,
        keep: Keep[ContentT],
        *,
        patience: float,
        is_outage: Callable[[Exception], bool],
        most_waiting: int = MOST_WAITING,
        most_at_once: int = MOST_AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            keep: called by one thread at a time.
            patience: seconds that a thread waits for others before it is refused.
            is_outage: whether what ``keep`` raised would keep any other content too. Where it would not, each is tried
                by itself.
            most_waiting: contents that wait; one more is refused.
            most_at_once: contents that are given to ``keep``.
            clock: seconds, never back.
        """
        self._keep: Final = keep
        self._patience: Final = patience
        self._is_outage: Final = is_outage
        self._most_waiting: Final = most_waiting
        self._most_at_once: Final = most_at_once
        self._clock: Final = clock
        self._begin()
        os.register_at_fork(after_in_child=weakly(self._begin))

    def add(self, content: ContentT) -> bool:
        """Make ``content`` durable, after everything that this thread added before.

        Returns:
            whether this thread wrote: one at least does.

        Raises:
            StoreUnavailable: it was not kept, or nobody knows: too many wait, others took too long, or an outage.
            Exception: what ``keep`` raised for this content alone.
        """
        pending = _Pending(content)
        try:
            self._enter(pending)
            if not pending.leads:
                self._wait(pending)
            if pending.leads:
                self._lead()
        finally:
            self._leave(pending)
        if isinstance(pending.failure, StoreUnavailable):
            # Of an exception that several threads raise, each needs its own.
            raise StoreUnavailable(pending.failure.seen, setting=pending.failure.setting) from pending.failure
        if pending.failure is not None:
            raise pending.failure
        return pending.leads

    def _begin(self) -> None:
        self._lock = Lock()
        self._waiting: deque[_Pending[ContentT]] = deque()
        self._leader: _Pending[ContentT] | None = None

    def _enter(self, pending: _Pending[ContentT]) -> None:
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                raise StoreUnavailable(f"{self._most_waiting} records wait for the audit already", setting=_SETTING)
            pending.queued = True
            self._waiting.append(pending)
            if self._leader is None:
                self._promote()

    def _wait(self, pending: _Pending[ContentT]) -> None:
        if pending.woken.wait(self._patience):
            return
        with self._lock:
            if not pending.woken.is_set():
                raise StoreUnavailable(f"other threads kept the audit busy for {self._patience:g} s", setting=_SETTING)

    def _leave(self, pending: _Pending[ContentT]) -> None:
        """Whatever ends a thread, it neither waits nor leads any longer."""
        with self._lock:
            if pending.queued:
                self._waiting.remove(pending)
                pending.queued = False
            if self._leader is pending:
                self._promote()

    def _promote(self) -> None:
        self._leader = self._waiting[0] if self._waiting else None
        if self._leader is not None:
            self._leader.leads = True
            self._leader.woken.set()

    def _lead(self) -> None:
        began, batch = self._clock(), self._taken(self._most_at_once)
        try:
            outage = self._write(batch)
            if outage is not None and self._clock() - began >= _SLOW * self._patience:
                batch += (late := self._taken(self._most_waiting))
                _fail(late, outage)
        finally:
            for pending in batch:
                pending.woken.set()

    def _taken(self, most: int) -> list[_Pending[ContentT]]:
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            for pending in taken:
                pending.queued = False
        return taken

    def _write(self, batch: Sequence[_Pending[ContentT]]) -> Exception | None:
        """The outage that kept some of it, if one did."""
        failure = self._kept(batch)
        if failure is None:
            return None
        if self._is_outage(failure) or len(batch) == 1:
            _fail(batch, failure)
            return failure if self._is_outage(failure) else None
        for number, pending in enumerate(batch):
            if outage := self._write([pending]):
                _fail(batch[number:], outage)
                return outage
        return None

    def _kept(self, batch: Sequence[_Pending[ContentT]]) -> Exception | None:
        try:
            failures = self._keep([pending.content for pending in batch])
        except Exception as error:  # noqa: BLE001 - it is raised by the threads whose contents these are
            return error
        for pending, failure in zip(batch, failures, strict=True):
            pending.failure = failure
        return None


def _fail(batch: Sequence[_Pending[ContentT]], failure: Exception) -> None:
    for pending in batch:
        pending.failure = failure
