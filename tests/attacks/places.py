"""wsguard as one of the sites, in process, and what one case came to there."""

import gc
import os
import pickle
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

import wsguard
from tests.answers.answering import Application
from tests.attacks.canary import watched
from tests.attacks.cases import Case, SiteName
from tests.guarding import Answer, Bare, Clock, Echo
from tests.messages import NOW, sent_at
from wsguard.config import load_policy

CPU_SECONDS: Final = 0.050
"""For each 100 KB of a hostile message."""
MEMORY: Final = 12
"""Times the message, or the largest message that the default limits admit, whichever is more."""
LARGEST: Final = 2 * 1024 * 1024
TRIES: Final = 3
"""A machine that is busy with others makes everything slow at times: the best counts."""
SANDBOX_CPU, SANDBOX_MEMORY = 10, 512 * 1024 * 1024
"""Seconds and octets beyond what is there, for what may kill or hang."""


class Place(Bare):
    """A guard made of the files of a site, with a clock to set; before the bank, what it remembers is what it ran."""

    def __init__(self, directory: Path, site: SiteName) -> None:
        self.echo = Application() if site == "answering" else Echo()
        self.clock = Clock()
        self.policy = load_policy(directory / f"{site}.toml")
        application: WSGIApplication = self.echo
        spyne_app = None
        if site == "bank":
            from tests.attacks.bank import BANK, Counter

            application, spyne_app = Counter(BANK, self.echo), BANK
        self.guard = wsguard.guard(application, self.policy, clock=self.clock, spyne_app=spyne_app)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a case."""

    prelude: tuple[str, ...]
    """The status of each message before the last one that had another than it was meant to have."""
    answer: Answer
    handed: bytes | None
    """What the application saw of the last message; None: nothing."""
    records: int
    """In the audit, of the last message."""
    canary: bool
    """Whether a file was read."""
    cpu: float
    """Seconds, for 100 KB of the last message, or for all of it where it is less."""
    memory: int
    """Octets by which the process grew."""


Making = Callable[[SiteName], Place]


def judge(case: Case, make: Making) -> Outcome:
    """Send ``case`` to a fresh guard, at ``NOW``; of several tries the cheapest where one costs too much."""
    outcomes = [_judge(case, make)]
    while outcomes[-1].cpu > CPU_SECONDS and len(outcomes) < TRIES:
        outcomes.append(_judge(case, make))
    return min(outcomes, key=lambda outcome: outcome.cpu)


def _judge(case: Case, make: Making) -> Outcome:
    # What is there before the guard is there to stay; with each case again, it would take a tenth of a second.
    gc.collect()
    gc.freeze()
    place = make(case.site)
    with sent_at(NOW):
        *before, last = case.requests
    first = tuple((one, place.post(one.octets, **one.environ).status) for one in before)
    prelude = tuple(status for one, status in first if (status == "200 OK") is one.refused)
    handed, records = len(place.echo.handed), len(place.records)
    size, started = _peak(), time.thread_time()
    with watched() as canary:
        answer = place.post(last.octets, **last.environ)
    spent = time.thread_time() - started
    return Outcome(
        prelude=prelude,
        answer=answer,
        handed=place.handed if len(place.echo.handed) > handed else None,
        records=len(place.records) - records,
        canary=canary.is_set(),
        cpu=spent / max(1, len(last.octets) / 100_000),
        memory=_peak() - size,
    )


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# --- Isolation --------------------------------------------------------------------------------------------------------


class Died(AssertionError):
    """The child was killed, ran out of time or memory, or raised."""


def judge_apart(case: Case, make: Making) -> Outcome:
    """The same in a child process with limits.

    Raises:
        Died: it did not come back with an outcome.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_CPU, (SANDBOX_CPU, SANDBOX_CPU))
            space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (space + SANDBOX_MEMORY,) * 2)
            judged = judge(case, make)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(judged, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        octets = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise Died(f"the guard's process ended with wait status {status}")
    outcome: Outcome = pickle.loads(octets)
    return outcome
