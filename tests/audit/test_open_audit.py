"""URLs open the audits that they name, several as one, or say why not without telling a secret."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import ANY

import pytest

from wsguard.audit import open_audit, open_reader
from wsguard.audit.jsonl import JsonLinesAudit, JsonLinesReader
from wsguard.audit.lines import Amendment, parse_line
from wsguard.audit.memory import MemoryAudit
from wsguard.audit.several import SeveralSinks
from wsguard.audit.sql import SqlAudit, SqlAuditReader
from wsguard.audit.stream import StreamAudit
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, AuditSink, RequestOutcome

RECORD = AuditRecord("1", datetime(2026, 3, 1, tzinfo=UTC), "rejected", username="é\n")

NONSENSE = [
    ("hunter2", "not the URL of an audit"),
    ("jsonl:", "jsonl: is followed by a file name"),
    ("jsonl:a\0b", "jsonl: is followed by a file name"),
    ("sqlite://", "sqlite:/// is followed by a file name; what is kept in memory is written memory://"),
    ("sqlite:///:memory:", "sqlite:/// is followed by a file name; what is kept in memory is written memory://"),
    ("sqlite:///file:x?uri=true", "SQLite is written sqlite:///FILE, with no other driver and without"),
    ("sqlite:///x.db?timeout=5", "SQLite is written sqlite:///FILE, with no other driver and without"),
    ("sqlite+aiosqlite:///x.db", "SQLite is written sqlite:///FILE, with no other driver and without"),
    ("hunter2:x", "not a URL that SQLAlchemy can read"),
    ("memory://hunter2", "SQLAlchemy knows no database memory"),
    ("nosuch://u:hunter2@h/d", "SQLAlchemy knows no database nosuch"),
    ("postgresql+psycopg2cffi://u:hunter2@h/d", ""),
    ("postgresql://u:hunter2@h:port/d", ""),
]


class Broken:
    """A sink that keeps nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def write(self, record: AuditRecord) -> None:
        raise StoreUnavailable(self.name)

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        raise StoreUnavailable(self.name)

    def close(self) -> None:
        self.closed = True


class TestOpenAudit:
    def test_each_url_opens_its_sink(self, tmp_path: Path) -> None:
        urls = ["memory://", "stderr:", f"jsonl:{tmp_path}/a.jsonl", f"sqlite:///{tmp_path}/a.db"]
        kinds = []
        for url in urls:
            sink = open_audit([url])
            kinds.append(type(sink))
            sink.close()
        assert kinds == [MemoryAudit, StreamAudit, JsonLinesAudit, SqlAudit]

    def test_several_urls_are_written_at_once(self, tmp_path: Path) -> None:
        sink = open_audit([f"jsonl:{tmp_path}/a.jsonl", "memory://", f"sqlite:///{tmp_path}/a.db"])
        assert isinstance(sink, SeveralSinks)
        assert [type(one) for one in sink.sinks] == [JsonLinesAudit, MemoryAudit, SqlAudit]
        sink.write(RECORD)
        sink.close()
        assert JsonLinesReader(tmp_path / "a.jsonl").read() == [RECORD]
        assert SqlAuditReader(f"sqlite:///{tmp_path}/a.db").read() == [RECORD]

    def test_the_first_that_can_be_read_is_the_reader(self, tmp_path: Path) -> None:
        jsonl, sql = f"jsonl:{tmp_path}/a.jsonl", f"sqlite:///{tmp_path}/a.db"
        open_audit([jsonl, sql]).close()
        assert type(open_reader(["stderr:", "memory://", jsonl, sql])) is JsonLinesReader
        assert type(open_reader(["stderr:", sql, jsonl])) is SqlAuditReader

    def test_what_cannot_be_read_again_has_no_reader(self) -> None:
        with pytest.raises(ValueError, match=r"^no audit that can be read again"):
            open_reader(["stderr:", "memory://"])

    def test_no_url_is_refused(self) -> None:
        for opener in (open_audit, open_reader):
            urls: Sequence[str]
            for urls in ([], "memory://"):
                with pytest.raises(ValueError, match=r"^a list with at least one URL is expected$"):
                    opener(urls)

    @pytest.mark.parametrize(("url", "message"), NONSENSE)
    def test_nonsense_is_refused_without_quoting_it(self, url: str, message: str) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            open_audit(["memory://", url])
        assert str(caught.value).startswith(message)
        assert "hunter2" not in f"{caught.value} {caught.value.__context__}"

    def test_a_missing_driver_is_named(self) -> None:
        with pytest.raises(ValueError, match=r"postgresql\+pg8000 needs the package pg8000, which is missing$"):
            open_audit(["postgresql+pg8000://u:hunter2@h/d"])

    def test_a_missing_sqlalchemy_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "wsguard.audit.sql")
        monkeypatch.delitem(sys.modules, "wsguard.databases.sql")
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
        for opener in (open_audit, open_reader):
            with pytest.raises(ValueError, match=r"needs SQLAlchemy: pip install wsguard\[sql\]$"):
                opener(["sqlite:///audit.db"])

    def test_only_what_is_asked_for_is_imported(self) -> None:
        program = (
            "import sys, wsguard.audit as a; a.open_audit(['stderr:']);"
            "kinds = ('sql', 'jsonl', 'memory', 'several', 'stream');"
            "print([kind for kind in kinds if f'wsguard.audit.{kind}' in sys.modules]"
            ", 'sqlalchemy' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout == "['stream'] False\n"


class TestSeveralSinks:
    def test_it_is_a_sink(self) -> None:
        assert isinstance(SeveralSinks([MemoryAudit()]), AuditSink)

    def test_no_sinks_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^at least one sink is expected$"):
            SeveralSinks([])

    def test_others_keep_what_one_did_not(self) -> None:
        first, last = MemoryAudit(), MemoryAudit()
        several = SeveralSinks([first, Broken("one"), Broken("two"), last])
        acts: list[Callable[[], None]] = [lambda: several.write(RECORD), lambda: several.amend("1", "error", 2.0)]
        for act in acts:
            with pytest.raises(StoreUnavailable) as caught:
                act()
            assert caught.value.seen == "one; two"
        assert [(one.incident, one.outcome, one.duration_ms) for one in first.records] == [("1", "error", 2.0)]
        assert first.records == last.records

    def test_all_are_closed(self) -> None:
        sinks = [Broken("one"), Broken("two")]
        SeveralSinks(sinks).close()
        assert [sink.closed for sink in sinks] == [True, True]


class TestStream:
    def test_each_record_is_a_line_on_what_is_standard_error_then(self, capsys: pytest.CaptureFixture[str]) -> None:
        audit = StreamAudit()
        audit.write(RECORD)
        audit.amend("1", "error", 2.0)
        audit.close()
        lines = capsys.readouterr().err.splitlines()
        assert [parse_line(line.encode()) for line in lines] == [RECORD, Amendment("1", "error", 2.0, chained=True)]
        assert json.loads(lines[0]) == RECORD.as_dict() | {"writer": ANY, "seq": 1, "mac": ANY}

    def test_a_stream_replaced_later_is_the_one_that_is_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        audit = StreamAudit()
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        audit.write(RECORD)
        assert parse_line(stream.getvalue().encode()) == RECORD

    def test_no_standard_error_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stderr", None)
        with pytest.raises(StoreUnavailable) as caught:
            StreamAudit().write(RECORD)
        assert caught.value.seen == "standard error: there is none"

    def test_a_closed_standard_error_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.StringIO()
        stream.close()
        monkeypatch.setattr(sys, "stderr", stream)
        with pytest.raises(StoreUnavailable) as caught:
            StreamAudit().write(RECORD)
        assert caught.value.seen == "standard error: I/O operation on closed file"

    def test_a_full_device_is_told(self) -> None:
        program = """
import datetime, wsguard.audit.stream, wsguard.faults, wsguard.interfaces as i
record = i.AuditRecord("1", datetime.datetime.now(datetime.UTC), "rejected")
try:
    wsguard.audit.stream.StreamAudit().write(record)
except wsguard.faults.StoreUnavailable as fault:
    print(fault.seen)
"""
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, check=False)
        assert done.stdout == b"standard error: [Errno 28] No space left on device\n"
