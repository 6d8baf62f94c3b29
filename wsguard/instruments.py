"""What an observer may measure of the guard that it is put into: its policy, its services, and its replay store."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from wsguard.interfaces import FailureCounter, JointReplayStore, Observer, ReplayStore
from wsguard.policy import Policy

_log: Final = logging.getLogger("wsguard.instruments")

Heard = Callable[[str, float, bool], None]
"""Is told of one call: the method, the seconds that it took, and whether it was answered."""


@runtime_checkable
class Instrument(Protocol):
    """An observer that also measures the parts of its guard."""

    def attach(self, guard: object, policy: Policy, services: frozenset[str], replay: ReplayStore) -> ReplayStore:
        """Become part of a guard that is being made, or that takes a changed configuration.

        Args:
            guard: hashable; the same for the same guard, where this replaces what was said of it before.
            policy: what the guard demands.
            services: every name that ``service`` of a record may have.
            replay: the guard's replay store.

        Returns:
            what the guard uses for its replay store from now on: the same store, with whatever measures it.

        Raises:
            ValueError: what is to be measured cannot be read.
        """
        ...

    def detach(self, guard: object) -> None:
        """Forget a guard: it is closed, or was never made."""
        ...


class Instruments:
    """Those observers of one guard that measure its parts."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers: Final = tuple(observer for observer in observers if isinstance(observer, Instrument))

    def attach(self, policy: Policy, services: frozenset[str], replay: ReplayStore) -> ReplayStore:
        """Attach all of them; the result is what the guard uses for its replay store.

        Raises:
            ValueError: what is to be measured cannot be read.
        """
        for observer in self._observers:
            replay = observer.attach(self, policy, services, replay)
        return replay

    def close(self) -> None:
        """Detach all of them."""
        for observer in self._observers:
            observer.detach(self)


@runtime_checkable
class Countable(Protocol):
    """A store that can say how much it holds."""

    def size(self) -> int:
        """Keys held, live or not yet purged.

        Raises:
            StoreUnavailable: nobody knows.
        """
        ...


class TimedReplayStore:
    """A replay store that answers as the one inside it does, and tells how long each call took.

    What the listener raises is logged and changes no answer.
    """

    def __init__(self, store: ReplayStore, heard: Heard) -> None:
        self.store: Final = store
        """The store inside."""
        self._joint: Final = store if isinstance(store, JointReplayStore) else None
        self._heard: Final = heard

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        """Remember ``key``, as the store inside does.

        Raises:
            StoreUnavailable: the store inside did.
        """
        with self._timed("remember"):
            return self.store.remember(key, until, now)

    def remember_all(self, keys: Sequence[bytes], until: datetime, now: datetime) -> bool:
        """Remember ``keys``, in one call where the store inside can.

        Raises:
            StoreUnavailable: the store inside did.
        """
        if self._joint is None:
            return all(self.remember(key, until, now) for key in keys)
        with self._timed("remember"):
            return self._joint.remember_all(keys, until, now)

    def close(self) -> None:
        """Close the store inside."""
        self.store.close()

    @contextmanager
    def _timed(self, call: str) -> Iterator[None]:
        answered = False
        began = time.perf_counter()
        try:
            yield
            answered = True
        finally:
            self._tell(call, time.perf_counter() - began, answered)

    def _tell(self, call: str, seconds: float, answered: bool) -> None:
        try:
            self._heard(call, seconds, answered)
        except Exception:  # noqa: BLE001 - measuring changes no verdict
            _log.exception("%s of the replay store was not measured", call)


class TimedCountingReplayStore(TimedReplayStore):
    """The same for a replay store that counts wrong passwords too."""

    def __init__(self, store: ReplayStore, counter: FailureCounter, heard: Heard) -> None:
        super().__init__(store, heard)
        self._counter: Final = counter

    def failures(self, key: bytes, now: datetime) -> int:
        """Count, as the store inside does.

        Raises:
            StoreUnavailable: the store inside did.
        """
        with self._timed("failures"):
            return self._counter.failures(key, now)

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        """Remember one more failure, as the store inside does.

        Raises:
            StoreUnavailable: the store inside did.
        """
        with self._timed("add_failure"):
            self._counter.add_failure(key, until, now)


def timed(store: ReplayStore, heard: Heard) -> TimedReplayStore:
    """A store that can do what ``store`` can, and tells ``heard`` of each call."""
    if isinstance(store, FailureCounter):
        return TimedCountingReplayStore(store, store, heard)
    return TimedReplayStore(store, heard)


def innermost(store: ReplayStore) -> ReplayStore:
    """``store`` without the stop-watches around it."""
    while isinstance(store, TimedReplayStore):
        store = store.store
    return store


def size_of(store: ReplayStore) -> int | None:
    """Keys that ``store`` holds, live or not yet purged; None where it cannot say.

    Raises:
        StoreUnavailable: it can, and does not answer.
    """
    store = innermost(store)
    if isinstance(store, Countable):
        return store.size()
    return len(store) if isinstance(store, Sized) else None
