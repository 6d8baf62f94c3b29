"""How time and memory of the engine grow with the message: each size in a process of its own."""

import ctypes
import gc
import multiprocessing
import time
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Final

from bench.orders import message
from bench.profiles import Profile

STEPS: Final = (2_000, 20_000, 200_000, 1_000_000, 10_000_000)
LARGEST_ENCRYPTED: Final = 7_000_000
"""Of plaintext: in base64 it is one text, and libxml2 takes texts of ten million octets (XML_MAX_TEXT_LENGTH)."""
ROUNDS: Final = 5
# Linux, proc(5): a 5 in clear_refs makes the present size the peak.
PEAK_IS_NOW: Final = Path("/proc/self/clear_refs")
STATUS: Final = Path("/proc/self/status")


@dataclass(frozen=True)
class Growth:
    """One size of one profile."""

    what: str
    octets: int
    """Of the secured message."""
    milliseconds: float
    """Median of processor time."""
    memory: int
    """Octets by which the process grew, the message itself aside."""

    @property
    def per_megabyte(self) -> float:
        """Milliseconds."""
        return self.milliseconds / (self.octets / 1e6)


def growth(made: Iterable[Profile], largest: int) -> list[Growth]:
    """Every profile at every step up to ``largest``."""
    return [
        _apart(profile, min(octets, LARGEST_ENCRYPTED) if profile.plan.encrypt_for else octets)
        for profile in made
        for octets in STEPS
        if octets <= largest
    ]


def _apart(profile: Profile, octets: int) -> Growth:
    messages = [profile.message(message(octets)) for _ in range(ROUNDS)]
    context = multiprocessing.get_context("fork")
    reading, writing = context.Pipe(duplex=False)
    child = context.Process(target=_measure, args=(profile, messages, writing))
    child.start()
    writing.close()
    milliseconds, memory = reading.recv()
    child.join()
    return Growth(profile.name, len(messages[0]), milliseconds, memory)


def _measure(profile: Profile, messages: list[bytes], answers: Connection) -> None:
    # One small message first: what is loaded once is loaded.
    profile.judge(profile.message(message(STEPS[0])))
    gc.collect()
    # What was freed goes back to the system, so that what is taken anew is seen.
    ctypes.CDLL(None).malloc_trim(0)
    PEAK_IS_NOW.write_text("5")
    before, times = _peak(), []
    for one in messages:
        started = time.process_time()
        profile.judge(one)
        times.append((time.process_time() - started) * 1000)
    answers.send((median(times), max(0, _peak() - before)))


def _peak() -> int:
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
