"""A FIFO that nobody may open: whoever resolves an external entity, a schema location or a file URI to it is seen."""

import os
import tempfile
from atexit import register
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import rmtree
from threading import Event, Thread
from typing import Final

LOOKED_AT_EVERY: Final = 0.002
"""Seconds. A reader waits in open(2) until it is seen, so nothing is missed."""


@cache
def canary() -> Path:
    """The FIFO, made once for a process and those that it forks."""
    directory = Path(tempfile.mkdtemp(prefix="wsguard-canary-"))
    register(rmtree, directory, ignore_errors=True)
    path = directory / "canary"
    os.mkfifo(path)
    return path


def is_being_read() -> bool:
    """Whether somebody has the FIFO open for reading, or waits for what comes from it."""
    try:
        # Without a reader, opening a FIFO to write without waiting fails (POSIX, open: ENXIO).
        os.close(os.open(canary(), os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@contextmanager
def watched() -> Iterator[Event]:
    """Look at the FIFO all the time; the event is set when somebody reads it. Readers find it empty and go on."""
    seen, done = Event(), Event()

    def look() -> None:
        while not done.wait(LOOKED_AT_EVERY):
            if is_being_read():
                seen.set()

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
