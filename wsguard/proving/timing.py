"""The proof's own time: it stands still while an attack is made and sent, and goes ahead away from real stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from wsguard.interfaces import Clock, FailureCounter, ReplayStore
from wsguard.opening import location
from wsguard.policy import Policy
from wsguard.stores import open_replay

_NOTHING: Final = timedelta(0)


class ProofClock:
    """Gives the same time until it is told to look again."""

    def __init__(self, clock: Clock) -> None:
        """
        Args:
            clock: the real one.
        """
        self._clock: Final = clock
        self._now = clock()
        self._ahead = _NOTHING
        self.apart = False
        """Whether what is seen now is remembered by nobody real."""

    def __call__(self) -> datetime:
        return self._now + self._ahead

    def look(self) -> None:
        """Take the real time."""
        self._now = self._clock()

    @contextmanager
    def standing_apart(self, apart: bool) -> Iterator[None]:
        """A while in which the clock may be set ahead, where ``apart``; real stores never learn of it."""
        self.apart = apart
        try:
            yield
        finally:
            self.apart, self._ahead = False, _NOTHING

    def set_ahead(self, by: timedelta) -> None:
        """Be ``by`` ahead of what is shown otherwise.

        Raises:
            ValueError: a real store would learn of it.
        """
        if by and not self.apart:
            raise ValueError("a real store would forget what is to be remembered until then")
        self._ahead = by


class _Beside:
    """Asks the real store, and another one while the clock stands apart."""

    def __init__(self, real: ReplayStore, twin: ReplayStore, clock: ProofClock) -> None:
        self._real: Final = real
        self._twin: Final = twin
        self._clock: Final = clock

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        """As ``interfaces.ReplayStore`` says."""
        return (self._twin if self._clock.apart else self._real).remember(key, until, now)

    def close(self) -> None:
        """Nothing is held: who opened the two stores closes them."""


class _CountingBeside(_Beside):
    def __init__(self, real: ReplayStore, twin: ReplayStore, clock: ProofClock, *counters: FailureCounter) -> None:
        super().__init__(real, twin, clock)
        self._counters: Final = counters

    def failures(self, key: bytes, now: datetime) -> int:
        """As ``interfaces.FailureCounter`` says."""
        return self._counters[self._clock.apart].failures(key, now)

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        """As ``interfaces.FailureCounter`` says."""
        self._counters[self._clock.apart].add_failure(key, until, now)


def replay_beside(real: ReplayStore, twin: ReplayStore, clock: ProofClock) -> ReplayStore:
    """The real store, and ``twin`` in its place while ``clock`` stands apart."""
    counters = [store for store in (real, twin) if isinstance(store, FailureCounter)]
    if len(counters) == len((real, twin)):
        return _CountingBeside(real, twin, clock, *counters)
    return _Beside(real, twin, clock)


@contextmanager
def replay_store_like_the_real_one(policy: Policy) -> Iterator[ReplayStore]:
    """An empty store of the kind that ``policy`` names: a file of its own, or memory where the real one is shared."""
    url = location(policy.replay, "replay")
    with TemporaryDirectory(prefix="wsguard-proof-") as name:
        file = Path(name) / "replay.db"
        store = open_replay(f"sqlite:///{file}" if url.startswith("sqlite:") else "memory://", policy.replay)
        try:
            yield store
        finally:
            store.close()
