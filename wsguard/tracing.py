"""A span for every verdict, through OpenTelemetry's API. Needs the extra ``tracing``, and an SDK that takes the spans.

A span has names of this package and of the configuration, and the incident; never what a sender wrote.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from wsguard.interfaces import AuditRecord
from wsguard.version import __version__

try:
    from opentelemetry.context import Context
    from opentelemetry.trace import (
        Span,
        Status,
        StatusCode,
        TracerProvider,
        get_tracer_provider,
        set_span_in_context,
    )
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "opentelemetry":
        raise
    raise ModuleNotFoundError(
        "wsguard.tracing needs opentelemetry-api: pip install wsguard[tracing]", name=error.name
    ) from error

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class TracingObserver:
    """Emits ``wsguard.judge`` for each verdict, with one child for each stage that was finished.

    The span begins when the request arrived and lasts as long as the guard took. Its parent is the current span, such
    as an instrumented WSGI server's; nothing that a sender says of a trace is looked at. Attributes that are empty are
    left out. The same object serves all threads.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        """
        Args:
            provider: where spans go; None: OpenTelemetry's global one.
        """
        self._tracer: Final = (provider or get_tracer_provider()).get_tracer("wsguard", __version__)

    def judged(self, record: AuditRecord, stages: Mapping[str, float]) -> None:
        """Emit the spans of one verdict."""
        start = (record.time - _EPOCH) // _MICROSECOND * 1000
        span = self._tracer.start_span("wsguard.judge", start_time=start, attributes=_attributes(record))
        if span.is_recording():
            self._emit_stages(span, start, stages)
            if record.outcome == "error":
                span.set_status(Status(StatusCode.ERROR, record.check))
        span.end(start + round(record.duration_ms * 1_000_000))

    def _emit_stages(self, parent: Span, start: int, stages: Mapping[str, float]) -> None:
        context: Context = set_span_in_context(parent)
        for name, seconds in stages.items():
            end = start + round(seconds * 1_000_000_000)
            self._tracer.start_span(f"wsguard.{name}", context, start_time=start).end(end)
            start = end


def _attributes(record: AuditRecord) -> dict[str, str]:
    values = {
        "wsguard.outcome": record.outcome,
        "wsguard.check": record.check,
        "wsguard.service": record.service,
        "wsguard.client": record.client,
        "wsguard.incident": record.incident,
    }
    return {name: value for name, value in values.items() if value}
