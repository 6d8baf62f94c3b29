"""Several audit sinks as one."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, AuditSink, RequestOutcome


class SeveralSinks:
    """Gives every record to every sink, also when one of them fails."""

    def __init__(self, sinks: Sequence[AuditSink]) -> None:
        """
        Raises:
            ValueError: there is no sink.
        """
        if not sinks:
            raise ValueError("at least one sink is expected")
        self.sinks = tuple(sinks)

    def write(self, record: AuditRecord) -> None:
        """Keep ``record`` everywhere.

        Raises:
            StoreUnavailable: not every sink kept it; all others did.
        """
        self._each(lambda sink: sink.write(record))

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        """Add what became of a request, everywhere.

        Raises:
            StoreUnavailable: not every sink kept it; all others did.
        """
        self._each(lambda sink: sink.amend(incident, outcome, duration_ms, check))

    def close(self) -> None:
        """Close every sink, also when one of them fails to."""
        with ExitStack() as closing:
            for sink in self.sinks:
                closing.callback(sink.close)

    def _each(self, act: Callable[[AuditSink], None]) -> None:
        failures: list[StoreUnavailable] = []
        for sink in self.sinks:
            try:
                act(sink)
            except StoreUnavailable as failure:
                failures.append(failure)
            except Exception as error:  # noqa: BLE001 - one sink of somebody else's must not starve the others
                failures.append(StoreUnavailable(f"{type(sink).__name__}: {type(error).__name__}", setting="audit.url"))
        if failures:
            raise StoreUnavailable("; ".join(failure.seen for failure in failures), setting="audit.url") from failures[
                0
            ]
