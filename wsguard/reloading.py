"""Picking up a changed configuration while serving: all of it or nothing, and never a broken one."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from wsguard.interfaces import Closable
from wsguard.middleware import Serving
from wsguard.policy import Policy

_log: Final = logging.getLogger("wsguard.reload")

INTERVAL: Final = 5.0
"""Seconds between two looks at the files: a look costs some stat(2) calls, in one request of that time."""
SETTLED: Final = 1.0
"""Seconds that changed files must stay as they are before they are read: somebody may still be writing."""
INTERVAL_WHILE_BROKEN: Final = 30.0
"""Seconds between two attempts at a configuration that cannot be used."""

FileState = tuple[int, int, int]


class Reloader:
    """Serves with the newest configuration that could be used."""

    def __init__(
        self,
        build: Callable[[Serving | None], Serving],
        *,
        config: Path | None,
        interval: float = INTERVAL,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            build: composes everything anew, reusing what did not change of what it is given.
            config: the configuration file, watched with every file it names; None: only the latter are watched.
            interval: seconds between two looks.
            monotonic: a clock in seconds.

        Raises:
            ConfigError: already the first one cannot be used.
        """
        self._build: Final = build
        self._config: Final = config
        self._interval: Final = interval
        self._monotonic: Final = monotonic
        self._lock: Final = threading.Lock()
        self._retired: list[Closable] = []
        self._complaint = ""
        self._settling: dict[Path, FileState] = {}
        self._asked = False
        self._next_look = monotonic() + interval
        self._current = build(None)
        self._seen = self._fingerprint(self._current)

    def current(self) -> Serving:
        """The newest that can be used; one caller of many looks whether there is a newer one."""
        if self._monotonic() >= self._next_look and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._current

    def reload(self) -> None:
        """Take the configuration as it is now, whether or not a file changed.

        Raises:
            ConfigError: it cannot be used; what was in force stays in force.
        """
        with self._lock:
            self._replace()

    def soon(self) -> None:
        """Have the next request take the configuration as it is then; safe to call in a signal handler."""
        self._asked = True
        self._next_look = self._monotonic()

    def close(self) -> None:
        """Close every store that is still open."""
        with self._lock:
            self._close_retired()
            for _, store in self._current.parts.values():
                store.close()

    def _look(self) -> None:
        asked, self._asked = self._asked, False
        state = self._fingerprint(self._current)
        if not asked and not self._changed(state):
            self._next_look = self._monotonic() + self._interval
            return
        if not asked and state != self._settling:
            # Half a file may be a valid one with fewer demands.
            self._settling, self._next_look = state, self._monotonic() + SETTLED
            return
        try:
            self._replace()
        except Exception as error:  # noqa: BLE001 - whatever a store or key raises, requests are served as before
            self._next_look = self._monotonic() + INTERVAL_WHILE_BROKEN
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("the changed configuration cannot be used; the last one stays in force:\n%s", error)

    def _replace(self) -> None:
        before = self._current
        seen = self._fingerprint(before)
        after = self._build(before)
        # A request may still be using what the one before last used only if it took as long as two reloads.
        self._close_retired()
        kept = [store for _, store in after.parts.values()]
        self._retired = [store for _, store in before.parts.values() if not any(store is other for other in kept)]
        self._current = after
        # The states from before the reading: what changed meanwhile is a change.
        self._seen = {**self._fingerprint(after), **seen}
        self._next_look = self._monotonic() + self._interval
        self._complaint = ""
        _log.warning("a changed configuration is in force")

    def _close_retired(self) -> None:
        for store in self._retired:
            store.close()
        self._retired = []

    def _changed(self, state: dict[Path, FileState]) -> bool:
        return any(self._seen.get(file) != found for file, found in state.items())

    def _fingerprint(self, serving: Serving) -> dict[Path, FileState]:
        watched = {*serving.files, *((self._config,) if self._config is not None else ())}
        return {file: file_state(file) for file in watched}


def file_state(file: Path) -> FileState:
    """What tells one state of a file from another; zeros for one that is not there."""
    try:
        status = file.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


def files_of(policy: Policy) -> Iterable[Path]:
    """Every file that a policy names by its path and that is read at start: keys, certificates, lists, secrets."""
    for section in (policy.users, policy.replay, policy.audit):
        if section.url_file is not None:
            yield section.url_file
    for key in (*policy.keys.decrypt, *((policy.keys.sign,) if policy.keys.sign else ())):
        yield key.file
        if key.password_file is not None:
            yield key.password_file
    yield from (shared.key_file for shared in policy.keys.shared if shared.key_file is not None)
    yield from (client.certificate for client in policy.client if client.certificate is not None)
    for demands in policy.every_demand:
        trust = demands.trust
        yield from trust.ca_files
        yield from trust.intermediate_files
        yield from trust.known_certificates
        yield from trust.pinned_certificates
        yield from trust.crl_files
