"""Threads that use one SQLite connection, one after the other, and forks between two of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from wsguard.faults import StoreUnavailable

FOR_EVER: Final = -1.0
"""A patience without end."""


class Turns:
    """One thread at a time. A fork waits until nobody has the turn, and in a child nobody has it.

    SQLite lets one writer in at a time anyway; a lock hands over at once where SQLite's busy handler sleeps and polls.
    """

    def __init__(self, name: str, patience: float, *, setting: str) -> None:
        """
        Args:
            name: of what they take turns at, for errors.
            patience: seconds that a thread waits; a fork waits twice as long.
            setting: key path of the setting that names it.
        """
        self._name: Final = name
        self._patience: Final = patience
        self._setting: Final = setting
        self._lock = threading.RLock()

    @contextmanager
    def taken(self, patience: float | None = None) -> Iterator[None]:
        """This thread has the turn while the context lasts.

        Args:
            patience: seconds to wait, where not those that all wait.

        Raises:
            StoreUnavailable: other threads took too long.
        """
        lock, seconds = self._lock, self._patience if patience is None else patience
        if not lock.acquire(timeout=seconds):
            raise StoreUnavailable(f"{self._name}: busy for {seconds:g} s", setting=self._setting)
        try:
            yield
        finally:
            lock.release()

    def stop_for_fork(self) -> bool:
        """Take the turn until the fork is over; False where a thread kept it for too long."""
        return self._lock.acquire(timeout=2 * self._patience)

    def go_on_in_parent(self) -> None:
        """Give the turn of ``stop_for_fork`` back, if it was had."""
        try:
            self._lock.release()
        except RuntimeError:
            return

    def begin_in_child(self) -> None:
        """Nobody has the turn: the threads that may have had it are not here."""
        self._lock = threading.RLock()
