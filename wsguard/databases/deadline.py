"""How long the call of a thread may still wait for a server, over all that it waits for."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SHORTEST: Final = 0.001
"""Seconds: a socket that is given none does not wait at all, which is another mode of it."""


class _Call(threading.local):
    until: float | None = None
    """When it ends, in seconds of the monotonic clock; None where there is no end."""


_CALL: Final = _Call()


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """What this thread waits for in the context ends ``seconds`` from now, or when the context around it ends.

    Args:
        seconds: None changes nothing.
    """
    before = _CALL.until
    if seconds is not None:
        ours = time.monotonic() + seconds
        _CALL.until = ours if before is None else min(ours, before)
    try:
        yield
    finally:
        _CALL.until = before


def remaining() -> float | None:
    """Seconds that are left to this thread, a millisecond at least; None where there is no end."""
    return None if _CALL.until is None else max(_CALL.until - time.monotonic(), _SHORTEST)


def is_over() -> bool:
    """Whether the time of this thread is over."""
    return _CALL.until is not None and time.monotonic() >= _CALL.until
