"""Interleaved times: each row once a round, in random order, so that what slows the machine slows all of them."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from typing import Final

WARMING: Final = 5
"""Rounds that are not counted: what is done once is done, and caches are filled."""

Prepare = Callable[[], Callable[[], object]]
"""Makes what one round needs, a fresh message above all, and returns what is timed."""


@dataclass(frozen=True)
class Times:
    """What one row took; microseconds of processor time."""

    each: tuple[float, ...]
    """By round."""

    @property
    def median(self) -> float:
        """Of all rounds."""
        return median(self.each)

    @property
    def tenths(self) -> tuple[float, float]:
        """A tenth of the rounds took less than the first, a tenth more than the second."""
        cuts = quantiles(self.each, n=10, method="inclusive")
        return cuts[0], cuts[-1]

    def ratio(self, other: "Times") -> float:
        """Median over the rounds of this row's time by the other's."""
        return median(one / two for one, two in zip(self.each, other.each, strict=True))


def interleaved(rows: Mapping[str, Prepare], rounds: int, random: Random) -> dict[str, Times]:
    """Time every row ``rounds`` times. The collector of garbage runs between, never within."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    names: Sequence[str] = list(rows)
    for turn in range(-WARMING, rounds):
        for name in random.sample(names, len(names)):
            run = rows[name]()
            gc.collect(0)
            gc.disable()
            before = time.process_time_ns()
            run()
            taken = time.process_time_ns() - before
            gc.enable()
            if turn >= 0:
                times[name].append(taken / 1000)
    return {name: Times(tuple(each)) for name, each in times.items()}
