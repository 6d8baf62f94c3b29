"""One writer of an audit: takes the turns of its threads, and knows where its chain stands."""

import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from wsguard.audit.chain import Link, sealed
from wsguard.audit.entries import kind_of
from wsguard.databases.forks import weakly
from wsguard.faults import StoreUnavailable

IDLE: Final = 86_400.0
"""Seconds of silence after which a writer begins anew: so a purge need not remember for ever those that fell silent."""

_WRITER_BYTES: Final = 8


class Turn:
    """The right to add the next entries of a chain."""

    def __init__(self, link: Link | None, home: object, key: bytes | None) -> None:
        self.link = link
        """Newest entry; None before the first."""
        self.home = home
        """The file that it stands in, where that can change."""
        self._key: Final = key

    def seal(self, content: Mapping[str, Any], *, home: object = None, anew: bool = False) -> dict[str, Any]:
        """``content`` as the next entry.

        Args:
            content: all but the fields of the chain.
            home: of the entry; in another home than the one before, a new writer begins.
            anew: a new writer begins.
        """
        if self.link is None or anew or home != self.home:
            self.link = Link(secrets.token_hex(_WRITER_BYTES))
        entry = sealed(content, self.link, self._key)
        self.link, self.home = Link(entry["writer"], entry["seq"], entry["mac"]), home
        return entry

    def may_add(self, contents: Sequence[Mapping[str, Any]]) -> bool:
        """Whether any of ``contents`` would become an entry: a writer that never began does not end."""
        return self.link is not None or any(kind_of(content) != "closing" for content in contents)

    def seal_all(
        self, contents: Iterable[Mapping[str, Any]], *, home: object = None, anew: bool = False
    ) -> list[dict[str, Any]]:
        """``contents`` as the next entries; after a closing one another writer begins, with the next.

        Args:
            contents: all but the fields of the chain.
            home: of all of them.
            anew: a new writer begins with the first.
        """
        entries: list[dict[str, Any]] = []
        for content in contents:
            closes = kind_of(content) == "closing"
            if closes and self.link is None:
                continue
            entries.append(self.seal(content, home=home, anew=anew and not entries))
            if closes:
                self.end()
        return entries

    def end(self) -> None:
        """What was sealed was the last of this writer."""
        self.link = None


class ChainWriter:
    """Gives each thread its turn, in order. A forked child is a new writer, and so is what comes after a failure."""

    def __init__(self, key: bytes | None, patience: float) -> None:
        """
        Args:
            key: of the macs; None or empty: they are plain digests.
            patience: seconds that a thread waits for its turn.
        """
        self._key: Final = key
        self._patience: Final = patience
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._home: object = None
        self._written = 0.0
        os.register_at_fork(after_in_child=weakly(self._begin))

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """The next turn. What was sealed in it counts as written when the context ends well.

        Raises:
            StoreUnavailable: other threads took too long.
        """
        lock = self._lock
        if not lock.acquire(timeout=self._patience):
            raise StoreUnavailable(f"other threads kept the audit busy for {self._patience:g} s", setting="audit.url")
        try:
            turn = Turn(self._current(), self._home, self._key)
            try:
                yield turn
            except BaseException:
                # Nobody knows whether the entry was kept: its number is not used again.
                if turn.link is not self._link:
                    self._link = None
                raise
            self._link, self._home, self._written = turn.link, turn.home, time.time()
        finally:
            lock.release()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._link = None

    def _current(self) -> Link | None:
        if time.time() - self._written > IDLE:
            self._link = None
        return self._link
