"""Several processes that ask the same store the same, or open the same database, at the same moment."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from typing import Any

from tests.audit.chains import KEY, record
from wsguard.audit import open_audit, upgrade_audit
from wsguard.stores import open_replay, open_users, replay_postgresql, replay_redis

__all__ = ["replay_postgresql", "replay_redis"]
"""Imported once, for all processes."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.stores.processes"])
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
KEYS = [b"key %d" % number for number in range(200)]
PATIENCE = 60
"""Seconds."""

Answers = Any
"""A queue of this context."""


def told_true_in_four_processes(url: str) -> Counter[bytes]:
    """How often each of ``KEYS`` was new, to four processes that also open the store at the same moment."""
    return Counter(key for won in _at_once(4, _remember_all, url) for key in won)


def opened_by_eight_processes(url: str, master_key: str) -> list[tuple[bool, bool]]:
    """Of each that opened what a guard opens: whether it brought the audit up, and whether one key was new to it."""
    return _at_once(8, _open_all, url, master_key)


def _at_once(count: int, work: Callable[..., None], *args: str) -> list[Any]:
    start = PROCESSES.Barrier(count)
    answers = PROCESSES.Queue()
    processes = [PROCESSES.Process(target=work, args=(start, answers, *args)) for _ in range(count)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=PATIENCE) for _ in processes]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * count
    return found


def _remember_all(start: Barrier, answers: Answers, url: str) -> None:
    start.wait()
    with closing(open_replay(url)) as store:
        answers.put([key for key in KEYS if store.remember(key, LATER, NOW)])


def _open_all(start: Barrier, answers: Answers, url: str, master_key: str) -> None:
    start.wait()
    upgraded = any(upgrade_audit([url]).values())
    open_users(url, [master_key]).close()
    with closing(open_audit([url], KEY)) as audit, closing(open_replay(url)) as replay:
        new = replay.remember(b"key", LATER, NOW)
        audit.write(record(str(os.getpid())))
    answers.put((upgraded, new))
