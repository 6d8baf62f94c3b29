"""What every audit sink and reader promises."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsguard.audit import open_audit, open_reader
from wsguard.audit.jsonl import JsonLinesAudit
from wsguard.audit.memory import MemoryAudit
from wsguard.audit.sql import SqlAudit
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditFilter, AuditReader, AuditRecord, AuditSink, RequestOutcome

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

FULL = AuditRecord(
    incident="01HZX-full",
    time=NOW,
    outcome="rejected",
    check="replay.nonce",
    fault="MessageExpired",
    service="MemberService",
    operation="{urn:x}getMember",
    soap_version="1.1",
    client="pega-prod",
    username="żółw \U0001f422 \"'; DROP TABLE audit; --",
    certificate_subject="CN=a\\, b",
    certificate_sha256="ab" * 32,
    remote_addr="2001:db8::1",
    path="/soap/member",
    message_sha256="cd" * 32,
    message_bytes=2**40,
    duration_ms=1.25,
    clock_skew_s=-0.1,
    explanation=[{"check": "timestamp", "outcome": "passed", "expected": "", "seen": "é\u2028", "setting": ""}],
)


def record(
    number: int, *, check: str = "", outcome: RequestOutcome = "rejected", time: datetime | None = None
) -> AuditRecord:
    return AuditRecord(f"incident-{number:04}", time or NOW + timedelta(seconds=number), outcome, check)


class ReadableSink(AuditSink, AuditReader, Protocol):
    """An audit that is both."""


@pytest.fixture(params=["memory", "jsonl", "sqlite"])
def audit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReadableSink]:
    makers: dict[str, Callable[[], ReadableSink]] = {
        "memory": MemoryAudit,
        "jsonl": lambda: JsonLinesAudit(tmp_path / "audit.jsonl"),
        "sqlite": lambda: SqlAudit(f"sqlite:///{tmp_path / 'audit.db'}"),
    }
    made = makers[request.param]()
    yield made
    made.close()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
).map(lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000))
RECORDS = st.builds(
    AuditRecord,
    incident=TEXT,
    time=TIMES,
    outcome=st.sampled_from(get_args(RequestOutcome)),
    check=TEXT,
    fault=TEXT,
    service=TEXT,
    operation=TEXT,
    soap_version=TEXT,
    client=TEXT,
    username=TEXT,
    certificate_subject=TEXT,
    certificate_sha256=TEXT,
    remote_addr=TEXT,
    path=TEXT,
    message_sha256=TEXT,
    message_bytes=st.integers(0, 2**62),
    duration_ms=FLOATS,
    clock_skew_s=st.none() | FLOATS,
    explanation=st.lists(st.dictionaries(TEXT, TEXT, max_size=5), max_size=3),
)


class TestAuditContract:
    def test_it_is_a_sink_and_a_reader(self, audit: ReadableSink) -> None:
        assert isinstance(audit, AuditSink)
        assert isinstance(audit, AuditReader)

    def test_every_field_comes_back(self, audit: ReadableSink) -> None:
        audit.write(FULL)
        assert audit.find("01HZX-full") == FULL
        assert audit.read() == [FULL]

    def test_defaults_come_back(self, audit: ReadableSink) -> None:
        audit.write(record(1))
        assert audit.find("incident-0001") == record(1)

    def test_a_time_of_another_zone_is_the_same_time(self, audit: ReadableSink) -> None:
        audit.write(record(1, time=NOW.astimezone(timezone(timedelta(hours=9)))))
        assert [found.time for found in audit.read(since=NOW)] == [NOW]

    def test_what_is_changed_after_writing_is_not_changed_in_the_audit(self, audit: ReadableSink) -> None:
        changing = replace(FULL, explanation=[dict(FULL.explanation[0])])
        audit.write(changing)
        changing.check = "changed"
        changing.explanation[0]["seen"] = "changed"
        found = audit.read()
        assert found == [FULL]
        found[0].explanation.clear()
        assert audit.read() == [FULL]

    def test_an_incident_that_is_not_there_is_none(self, audit: ReadableSink) -> None:
        audit.write(record(1))
        assert [audit.find(name) for name in ("incident-000", "INCIDENT-0001", "")] == [None, None, None]

    def test_nothing_written_is_nothing_read(self, audit: ReadableSink) -> None:
        assert audit.read() == []
        assert audit.find("incident-0001") is None

    def test_the_last_written_is_read_first(self, audit: ReadableSink) -> None:
        for number in range(5):
            audit.write(record(number))
        assert [found.incident[-1] for found in audit.read()] == ["4", "3", "2", "1", "0"]

    @pytest.mark.parametrize(("limit", "count"), [(-1, 0), (0, 0), (1, 1), (149, 149), (1000, 150)])
    def test_a_limit_keeps_the_newest(self, audit: ReadableSink, limit: int, count: int) -> None:
        for number in range(150):
            audit.write(record(number))
        expected = [f"incident-{number:04}" for number in range(149, 149 - count, -1)]
        assert [found.incident for found in audit.read(limit=limit)] == expected

    def test_a_hundred_are_read_unless_said_otherwise(self, audit: ReadableSink) -> None:
        for number in range(101):
            audit.write(record(number))
        assert len(audit.read()) == 100

    def test_since_includes_its_own_moment(self, audit: ReadableSink) -> None:
        for number in range(4):
            audit.write(record(number))
        since = NOW + timedelta(seconds=2)
        assert [found.incident[-1] for found in audit.read(since=since)] == ["3", "2"]
        assert [found.incident[-1] for found in audit.read(since=since + timedelta(milliseconds=1))] == ["3"]

    def test_filters_hold_together_and_a_check_may_be_a_family(self, audit: ReadableSink) -> None:
        audit.write(record(0, check="replay.nonce"))
        audit.write(record(1, check="replay.nonce", outcome="reported"))
        audit.write(record(2, check="replay.signature"))
        audit.write(record(3, outcome="accepted"))
        audit.write(record(4, check="replay.nonce"))

        def numbers(check: str = "", outcome: str = "") -> str:
            return "".join(found.incident[-1] for found in audit.read(check=check, outcome=outcome))

        assert numbers(check="replay.nonce") == "410"
        assert numbers(check="replay") == "4210"
        assert [numbers(check=name) for name in ("repla", "replay.", "replay.nonc", "Replay", "r%")] == [""] * 5
        assert numbers(outcome="rejected") == "420"
        assert numbers(check="replay.nonce", outcome="rejected") == "40"
        assert numbers(check="replay.nonce", outcome="accepted") == ""
        assert [found.incident for found in audit.read(check="replay.nonce", limit=1)] == ["incident-0004"]

    def test_who_and_what_can_be_asked_for(self, audit: ReadableSink) -> None:
        audit.write(record(0))
        audit.write(replace(FULL, incident="1"))
        audit.write(replace(FULL, incident="2", client="other", service="Other", username="bob"))
        asked: list[AuditFilter] = [
            {"client": "pega-prod"},
            {"service": "Other"},
            {"username": FULL.username},
            {"username": "bob", "client": "pega-prod"},
            {"client": "", "check": "", "outcome": "", "since": None, "until": None},
        ]
        assert [[found.incident[-1] for found in audit.read(**which)] for which in asked] == [
            ["1"], ["2"], ["1"], [], ["2", "1", "0"],
        ]  # fmt: skip

    def test_until_excludes_its_own_moment(self, audit: ReadableSink) -> None:
        for number in range(4):
            audit.write(record(number))
        until = NOW + timedelta(seconds=2)
        assert [found.incident[-1] for found in audit.read(until=until)] == ["1", "0"]
        assert [found.incident[-1] for found in audit.read(since=NOW + timedelta(seconds=1), until=until)] == ["1"]

    def test_an_amendment_changes_outcome_and_duration_only(self, audit: ReadableSink) -> None:
        audit.write(record(0))
        audit.write(replace(FULL, outcome="accepted"))
        audit.write(record(1))
        audit.amend("01HZX-full", "error", 7.5)
        amended = replace(FULL, outcome="error", duration_ms=7.5)
        assert audit.find("01HZX-full") == amended
        assert audit.read() == [record(1), amended, record(0)]

    def test_the_last_amendment_holds(self, audit: ReadableSink) -> None:
        audit.write(FULL)
        audit.amend("01HZX-full", "error", 7.5)
        audit.amend("01HZX-full", "accepted", 8.5)
        assert audit.find("01HZX-full") == replace(FULL, outcome="accepted", duration_ms=8.5)

    def test_an_amendment_may_name_the_check_that_decided_in_the_end(self, audit: ReadableSink) -> None:
        audit.write(replace(FULL, outcome="accepted", check="signature.algorithm"))
        audit.amend("01HZX-full", "error", 7.5, "response.not_secured")
        amended = replace(FULL, outcome="error", duration_ms=7.5, check="response.not_secured")
        assert audit.find("01HZX-full") == amended
        assert audit.read() == [amended]
        for asked in ("response.not_secured", "response"):
            assert [found.incident for found in audit.read(check=asked)] == ["01HZX-full"]
        for asked in ("signature.algorithm", "signature", "response.not"):
            assert audit.read(check=asked) == []

    @pytest.mark.parametrize("check", ["replay.nonce", ""])
    def test_of_several_amendments_the_last_one_holds_in_its_check_too(self, audit: ReadableSink, check: str) -> None:
        audit.write(replace(FULL, check=check))
        audit.amend("01HZX-full", "error", 7.5, "response.not_secured")
        audit.amend("01HZX-full", "error", 8.5)
        assert audit.find("01HZX-full") == replace(FULL, outcome="error", duration_ms=8.5, check=check)

    def test_filters_see_the_amended_outcome(self, audit: ReadableSink) -> None:
        audit.write(record(1, outcome="accepted"))
        audit.amend("incident-0001", "error", 1.0)
        assert audit.read(outcome="accepted") == []
        assert [found.incident for found in audit.read(outcome="error")] == ["incident-0001"]

    def test_of_fifty_threads_every_record_is_kept_once(self, audit: ReadableSink) -> None:
        start = threading.Barrier(50)

        def work(first: int) -> None:
            start.wait()
            for number in range(first, first + 4):
                audit.write(record(number))
                audit.amend(f"incident-{number:04}", "error", float(number))

        threads = [threading.Thread(target=work, args=(4 * number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = sorted((one.incident, one.outcome, one.duration_ms) for one in audit.read(limit=1000))
        assert found == [(f"incident-{number:04}", "error", float(number)) for number in range(200)]

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(written=RECORDS)
    def test_any_record_comes_back_as_it_was(self, audit: ReadableSink, written: AuditRecord) -> None:
        # The audit is one for all examples, and an incident is there once.
        written.incident = f"{len(audit.read(limit=10_000))} {written.incident}"
        audit.write(written)
        assert audit.read(limit=1) == [written]
        assert audit.find(written.incident) == written


class TestReopened:
    @pytest.mark.parametrize("form", ["jsonl:{}/audit", "sqlite:///{}/audit"])
    def test_what_was_written_is_read_by_others(self, tmp_path: Path, form: str) -> None:
        url = form.format(tmp_path)
        sink = open_audit([url])
        sink.write(replace(FULL, outcome="accepted", duration_ms=0.0))
        reader = open_reader([url])
        sink.amend(FULL.incident, "rejected", 1.25)
        assert reader.read() == [FULL]
        sink.close()
        assert reader.find(FULL.incident) == FULL

    @pytest.mark.parametrize("form", ["jsonl:{}/audit", "sqlite:///{}/audit"])
    def test_opening_again_adds_nothing_and_loses_nothing(self, tmp_path: Path, form: str) -> None:
        url = form.format(tmp_path)
        for number in range(3):
            sink = open_audit([url])
            sink.write(record(number))
            sink.close()
        assert [found.incident[-1] for found in open_reader([url]).read()] == ["2", "1", "0"]


class TestMemory:
    def test_the_oldest_goes_first_beyond_the_capacity(self) -> None:
        audit = MemoryAudit(capacity=3)
        for number in range(5):
            audit.write(record(number))
        assert audit.records == [record(2), record(3), record(4)]

    def test_a_capacity_of_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^capacity is at least 1$"):
            MemoryAudit(capacity=0)

    def test_an_amendment_of_nothing_is_refused(self) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            MemoryAudit().amend("gone", "error", 1.0)
        assert caught.value.seen == "no record of incident gone to amend"

    def test_an_amendment_is_of_its_record_also_where_others_are_gone(self) -> None:
        audit = MemoryAudit(capacity=2)
        for number in range(4):
            audit.write(record(number, check=f"replay.{number}"))
        audit.amend("incident-0003", "error", 1.0)
        assert [one.check for one in audit.records] == ["replay.2", "replay.3"]
