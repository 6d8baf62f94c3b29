"""Every verdict is a span with its stages as children, and nothing in it is a sender's."""

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from tests.guarding import Guarded
from tests.messages import NOW, digest, message, stamp
from wsguard.interfaces import AuditRecord
from wsguard.tracing import TracingObserver

NANOSECONDS = 1_000_000_000
AT = int(NOW.timestamp()) * NANOSECONDS


class Kept(SpanExporter):
    """Spans as they ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS

    def named(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def provider(kept: Kept) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return provider


@pytest.fixture
def observer(provider: TracerProvider) -> TracingObserver:
    return TracingObserver(provider)


def length(span: ReadableSpan) -> int:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.end_time - span.start_time


def test_an_accepted_request_is_a_span_with_its_stages(kept: Kept, observer: TracingObserver) -> None:
    shop = {"name": "shop", "username": "alice"}
    orders = {"operations": ["{urn:echo}Echo"]}
    guarded = Guarded(
        observers=[observer], services={"Orders": orders}, client=[shop], audit={"url": "memory://", "record": "all"}
    )
    record = guarded.post(message()).record
    assert record is not None
    judged = kept.named("wsguard.judge")
    assert dict(judged.attributes or {}) == {
        "wsguard.outcome": "accepted",
        "wsguard.service": "Orders",
        "wsguard.client": "shop",
        "wsguard.incident": record.incident,
    }
    assert judged.start_time == AT
    assert length(judged) == round(record.duration_ms * 1_000_000)
    assert judged.status.status_code is StatusCode.UNSET
    names = [span.name for span in kept.spans]
    assert names[:2] == ["wsguard.read", "wsguard.parse"]
    assert names[-1] == "wsguard.judge"
    assert judged.context is not None
    assert {span.parent.span_id for span in kept.spans[:-1] if span.parent} == {judged.context.span_id}


def test_stages_follow_one_another_from_the_arrival_on(kept: Kept, observer: TracingObserver) -> None:
    record = AuditRecord("01h", NOW, "accepted", duration_ms=12.5)
    observer.judged(record, {"read": 0.001, "parse": 0.002, "check": 0.0})
    times = [(span.name, span.start_time, span.end_time) for span in kept.spans]
    assert times == [
        ("wsguard.read", AT, AT + 1_000_000),
        ("wsguard.parse", AT + 1_000_000, AT + 3_000_000),
        ("wsguard.check", AT + 3_000_000, AT + 3_000_000),
        ("wsguard.judge", AT, AT + 12_500_000),
    ]


def test_a_refusal_names_its_check_and_is_no_error_of_ours(kept: Kept, observer: TracingObserver) -> None:
    assert Guarded(observers=[observer]).post(message(password="wrong")).check == "username_token.authentication"
    judged = kept.named("wsguard.judge")
    assert (judged.attributes or {})["wsguard.check"] == "username_token.authentication"
    assert judged.status.status_code is StatusCode.UNSET


def test_a_guard_that_cannot_judge_is_an_error(kept: Kept, observer: TracingObserver) -> None:
    observer.judged(AuditRecord("01h", NOW, "error", check="store.unavailable"), {})
    judged = kept.named("wsguard.judge")
    assert (judged.status.status_code, judged.status.description) == (StatusCode.ERROR, "store.unavailable")


def test_the_span_that_is_current_is_the_parent(
    kept: Kept, observer: TracingObserver, provider: TracerProvider
) -> None:
    with provider.get_tracer("server").start_as_current_span("POST /soap") as server:
        Guarded(observers=[observer]).post(message())
    parent = kept.named("wsguard.judge").parent
    assert parent is not None
    assert parent.span_id == server.get_span_context().span_id


def test_nothing_of_a_sender_is_in_a_span(kept: Kept, observer: TracingObserver) -> None:
    guarded = Guarded(observers=[observer])
    nonce = b"a nonce of 16 by"
    answer = guarded.post(
        message(nonce=nonce, username="Mallory", body='<x:evil xmlns:x="urn:evil">content</x:evil>'),
        PATH_INFO="/pwned",
        REMOTE_ADDR="203.0.113.9",
        HTTP_TRACEPARENT="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    assert answer.check == "username_token.authentication"
    text = " ".join(span.to_json() for span in kept.spans)
    sent = ("Mallory", "evil", "content", "pwned", "203.0.113.9", "4bf92f3577b34da6", "secret")
    assert [word for word in (*sent, digest(nonce, stamp(), "secret")) if word in text] == []


def test_a_request_that_is_not_sampled_has_no_stages(kept: Kept) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    assert Guarded(observers=[TracingObserver(provider)]).post(message()).status == "200 OK"
    assert kept.spans == []


def test_an_exporter_that_raises_changes_no_verdict() -> None:
    class Broken:
        def get_tracer(self, *_: Any, **__: Any) -> Any:
            return self

        def start_span(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("broken")

    guarded = Guarded(observers=[TracingObserver(Broken())])  # type: ignore[arg-type]  # of somebody else
    assert guarded.post(message()).status == "200 OK"
    assert guarded.post(message()).check == "replay.nonce"


def test_without_an_sdk_nothing_is_emitted_and_nothing_fails() -> None:
    assert Guarded(observers=[TracingObserver()]).post(message()).status == "200 OK"


@pytest.mark.parametrize(
    ("module", "library", "said"),
    [
        (
            "wsguard.tracing",
            "opentelemetry",
            r"wsguard.tracing needs opentelemetry-api: pip install wsguard\[tracing\]",
        ),
        (
            "wsguard.metrics",
            "prometheus_client",
            r"wsguard.metrics needs prometheus-client: pip install wsguard\[metrics\]",
        ),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    module: str, library: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library or name.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModuleNotFoundError, match=said):
        importlib.import_module(module)
