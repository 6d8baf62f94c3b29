"""How long a guard takes to refuse: processor time of the process, one message of each cause in each round.

A round has all causes of a group in random order, so that what slows the machine down slows all of them down. Times of
one round are compared with each other, and never with those of another.
"""

import gc
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from typing import Final

from bench.causes import Cause, Group
from tests.guarding import environ_for

WARMING: Final = 20
"""Rounds that are not counted: what is done once is done, and caches are filled."""
RESAMPLES: Final = 1000
CONFIDENCE: Final = 0.95

_INCIDENT: Final = re.compile(rb"\[[0-9a-z]{26}\]")


@dataclass(frozen=True)
class Row:
    """One cause of a group; times in microseconds."""

    cause: Cause
    median: float
    low: float
    """A tenth of the messages took less."""
    high: float
    """A tenth took more."""
    difference: float
    """Median over the rounds, to the first cause of the group."""
    interval: tuple[float, float]
    """Of the difference, at ``CONFIDENCE``: by the bootstrap, over rounds."""
    longer: float
    """Share of the rounds in which it took longer than the first cause."""


def measure(group: Group, rounds: int, random: Random) -> list[Row]:
    """A row for each cause.

    Raises:
        RuntimeError: something else refused a message than its cause, or the client could see a difference.
    """
    times: dict[Cause, list[float]] = {cause: [] for cause in group.causes}
    answers: set[tuple[str, bytes]] = set()
    gc.disable()
    try:
        for turn in range(-WARMING, rounds):
            gc.collect(0)
            for cause in random.sample(group.causes, len(group.causes)):
                taken = _taken(group, cause, f"2001:db8::{turn & 0xFFFF:x}:{len(answers)}", answers)
                if turn >= 0:
                    times[cause].append(taken)
    finally:
        gc.enable()
    if len(answers) > 1:
        raise RuntimeError(f"{group.title}: the answers tell the causes apart: {answers}")
    first = times[group.causes[0]]
    return [_row(cause, times[cause], first, random) for cause in group.causes]


def _taken(group: Group, cause: Cause, address: str, answers: set[tuple[str, bytes]]) -> float:
    """Microseconds for one message; its answer without the incident id is added to ``answers``."""
    started: list[str] = []
    environ = environ_for(cause.make(), REMOTE_ADDR=address)

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
        started.append(status)
        return None

    before = time.process_time_ns()
    octets = b"".join(group.guard(environ, start))  # type: ignore[arg-type]  # nobody writes
    taken = (time.process_time_ns() - before) / 1000
    check = group.audit.records[-1].check
    if check != cause.check:
        raise RuntimeError(f"{group.title}, {cause.name}: {cause.check} was to refuse it, and it was {check}")
    answers.add((started[-1], _INCIDENT.sub(b"", octets)))
    return taken


def _row(cause: Cause, times: Sequence[float], first: Sequence[float], random: Random) -> Row:
    differences = [one - other for one, other in zip(times, first, strict=True)]
    tenths = quantiles(times, n=10, method="inclusive")
    return Row(
        cause=cause,
        median=median(times),
        low=tenths[0],
        high=tenths[-1],
        difference=median(differences),
        interval=_interval(differences, random),
        longer=sum(difference > 0 for difference in differences) / len(differences),
    )


def _interval(values: Sequence[float], random: Random) -> tuple[float, float]:
    """Of the median, by the percentile bootstrap (Efron and Tibshirani, 1993, §13.3)."""
    medians = sorted(median(random.choices(values, k=len(values))) for _ in range(RESAMPLES))
    outside = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return medians[outside], medians[-1 - outside]
