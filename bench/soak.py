"""Many processes and threads that send the same nonces to one replay store: ``python -m bench.soak URL``.

Every nonce is tried by every thread of every process at about the same moment, and exactly one of them may be told that
it is new. Without a URL it runs on SQLite, Redis and PostgreSQL, with servers of its own.
"""

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing.synchronize import Barrier
from typing import Final

from tests.postgres import binaries, running_server
from tests.redis_server import binary, running_redis
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import ReplayStore
from wsguard.policy.surroundings import Replay
from wsguard.stores import open_replay

PROCESSES: Final = 4
THREADS: Final = 50
ATTEMPTS: Final = 1_000_000
BATCH: Final = 20
"""Nonces between two moments at which all threads of a process wait for each other."""
PATIENCE: Final = 30
"""Seconds of the deadline: on a busy machine a refusal would be right, and no race."""
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["wsguard.stores.replay_redis", "wsguard.stores.replay_postgresql"])

Told = tuple[bytearray, int]
"""How often each nonce was new to a process, and how many attempts the store refused."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    nonces: int
    attempts: int
    never: int
    """Nonces that were new to nobody."""
    twice: int
    """Nonces that were new more than once: there may be none."""
    refused: int
    """Attempts that the store did not answer."""
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether each nonce was new exactly once, and every attempt was answered."""
        return not (self.never or self.twice or self.refused)

    def __str__(self) -> str:
        rate = self.attempts / self.seconds
        return (
            f"{self.attempts} attempts on {self.nonces} nonces in {self.seconds:.0f} s ({rate:.0f}/s): "
            f"{self.twice} new twice, {self.never} new to nobody, {self.refused} refused"
        )


def soak(url: str, *, nonces: int, processes: int = PROCESSES, threads: int = THREADS) -> Outcome:
    """Try each of ``nonces`` from every thread of every process."""
    start = _CONTEXT.Barrier(processes + 1)
    told: multiprocessing.Queue[Told] = _CONTEXT.Queue()
    workers = [_CONTEXT.Process(target=_work, args=(url, nonces, threads, start, told)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.monotonic()
    counted, refused = Counter[int](), 0
    for _ in workers:
        news, away = told.get()
        counted.update({number: count for number, count in enumerate(news) if count})
        refused += away
    seconds = time.monotonic() - began
    for worker in workers:
        worker.join()
    twice = sum(count > 1 for count in counted.values())
    return Outcome(nonces, nonces * processes * threads, nonces - len(counted), twice, refused, seconds)


def _work(url: str, nonces: int, threads: int, start: Barrier, told: "multiprocessing.Queue[Told]") -> None:
    """One process."""
    news, refused, counting = bytearray(nonces), [0], threading.Lock()
    together = threading.Barrier(threads)
    with closing(open_replay(url, Replay(deadline=PATIENCE))) as store:

        def thread() -> None:
            for first in range(0, nonces, BATCH):
                together.wait()
                for number in range(first, min(first + BATCH, nonces)):
                    new = _tried(store, number)
                    with counting:
                        news[number] += new is True
                        refused[0] += new is None

        running = [threading.Thread(target=thread) for _ in range(threads)]
        start.wait()
        for one in running:
            one.start()
        for one in running:
            one.join()
    told.put((news, refused[0]))


def _tried(store: ReplayStore, number: int) -> bool | None:
    """Whether the nonce was new; None where the store does not answer."""
    now = datetime.now(UTC)
    try:
        return store.remember(sha256(b"%d" % number).digest(), now + timedelta(hours=12), now)
    except StoreUnavailable:
        return None


def stores(stack: ExitStack) -> Iterator[tuple[str, str]]:
    """The name and the URL of each store, its server started."""
    yield "sqlite", f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/replay.db"
    if (redis := binary()) is not None:
        yield "redis", stack.enter_context(running_redis(redis)).url
    if (postgres := binaries()) is not None:
        yield "postgresql", stack.enter_context(running_server(postgres))


def main() -> int:
    """Run; 1 where a nonce was not new exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", help="of a replay store that is empty; otherwise three of our own")
    parser.add_argument("--attempts", type=int, default=ATTEMPTS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--threads", type=int, default=THREADS)
    given = parser.parse_args()
    nonces = max(given.attempts // (given.processes * given.threads), 1)
    holds = True
    with ExitStack() as stack:
        for name, url in [("given", given.url)] if given.url else stores(stack):
            outcome = soak(url, nonces=nonces, processes=given.processes, threads=given.threads)
            print(f"{name}: {outcome}", flush=True)  # noqa: T201
            holds = holds and outcome.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
