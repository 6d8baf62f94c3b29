"""Refusals, asserted by the exact name of the check."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from wsguard.faults import Fault


@contextmanager
def refused(check: str, kind: type[Fault] = Fault) -> Iterator[pytest.ExceptionInfo[Fault]]:
    """Demand that the block is refused by ``check``, and by nothing else."""
    with pytest.raises(kind) as caught:
        yield caught
    assert caught.value.check == check


def check_of(action: Callable[[], object]) -> str:
    """The check that refuses; empty where none does. Anything raised but a fault goes on."""
    try:
        action()
    except Fault as fault:
        return fault.check
    return ""
