"""Processes that make messages beforehand and then send them, each over connections that stay open."""

import http.client
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Final

PROCESSES: Final = 2
CONNECTIONS: Final = 4
"""Of each process; each has one request under way."""
PATIENCE: Final = 60.0
_HEADERS: Final = {"Content-Type": "text/xml; charset=utf-8"}
_FORK: Final = multiprocessing.get_context("fork")


@dataclass
class Sent:
    """What came of some requests."""

    began: float
    """Seconds of the monotonic clock, which is that of all processes."""
    ended: float
    taken: list[float] = field(default_factory=list)
    """Seconds of each answer, whatever it said."""
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.taken) / (self.ended - self.began)

    def add(self, other: "Sent") -> None:
        """What another process sent at the same time."""
        self.began, self.ended = min(self.began, other.began), max(self.ended, other.ended)
        self.taken += other.taken
        self.errors += other.errors


def send(port: int, make: Callable[[], bytes], count: int) -> Sent:
    """Make ``count`` messages and then send all of them to ``port``, as fast as answers come."""
    together = _FORK.Barrier(PROCESSES)
    pipes = [_FORK.Pipe(duplex=False) for _ in range(PROCESSES)]
    shares = [count // PROCESSES + (number < count % PROCESSES) for number in range(PROCESSES)]
    workers = [
        _FORK.Process(target=_work, args=(port, make, share, together, writing))
        for share, (_, writing) in zip(shares, pipes, strict=True)
    ]
    for worker in workers:
        worker.start()
    for _, writing in pipes:
        # Where a worker ends without a word, reading ends too.
        writing.close()
    first, *others = [reading.recv() for reading, _ in pipes]
    for other in others:
        first.add(other)
    for worker in workers:
        worker.join()
    sent: Sent = first
    return sent


def _work(port: int, make: Callable[[], bytes], count: int, together: Barrier, told: Connection) -> None:
    """One process."""
    waiting = iter([make() for _ in range(count)])
    together.wait(PATIENCE * 10)
    sent = Sent(time.monotonic(), 0.0)
    taking = threading.Lock()

    def messages() -> Iterator[bytes]:
        while True:
            with taking:
                octets = next(waiting, None)
            if octets is None:
                return
            yield octets

    threads = [threading.Thread(target=_send, args=(port, messages(), sent)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.ended = time.monotonic()
    told.send(sent)


def _send(port: int, messages: Iterator[bytes], sent: Sent) -> None:
    """One connection; a server that closes it after each answer gets another."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        for octets in messages:
            began = time.perf_counter()
            try:
                connection.request("POST", "/", octets, _HEADERS)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                sent.errors[type(error).__name__] += 1
                continue
            sent.taken.append(time.perf_counter() - began)
            if answer.status != 200:
                sent.errors[str(answer.status)] += 1
