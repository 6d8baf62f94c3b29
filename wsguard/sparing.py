"""Report mode: refusals put off until the client is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from wsguard.explanation import Explanation
from wsguard.faults import Fault, SecurityFault

_WINDOW: Final = frozenset({"timestamp.expired", "timestamp.not_yet_valid"})


class Spared:
    """Refusals put off until the client is known: if that client is in report mode they are recorded, else raised."""

    def __init__(self, possible: bool) -> None:
        self.possible = possible
        """Whether any client is in report mode now."""
        self._faults: list[SecurityFault] = []
        self.checks: tuple[str, ...] = ()
        """The checks that a client was spared."""

    @contextmanager
    def outside_the_window(self) -> Iterator[None]:
        """Put off what says that a message is outside its Timestamp's window, and nothing else."""
        try:
            yield
        except SecurityFault as fault:
            if fault.check not in _WINDOW:
                raise
            self.put_off(fault)

    def put_off(self, fault: SecurityFault) -> None:
        """Refuse with ``fault``: now, unless some client is spared, or once it is known which client this is."""
        if not self.possible:
            raise fault
        self._faults.append(fault)

    def first_or(self, fault: Fault) -> Fault:
        """What to raise where ``fault`` was: the first that was put off, so that the order of checks stays."""
        return self._faults[0] if self._faults else fault

    def decide(self, spared: bool, explanation: Explanation) -> None:
        """Raise what was put off, or note it where the client is ``spared``."""
        if self._faults and not spared:
            raise self._faults[0]
        for fault in self._faults:
            explanation.reported(fault.check, expected=fault.expected, seen=fault.seen, setting=fault.setting)
        self.checks = tuple(fault.check for fault in self._faults)
        self._faults.clear()
