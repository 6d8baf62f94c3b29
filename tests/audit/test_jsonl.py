"""What a file of JSON lines promises: whole lines from many processes, rotation, torn lines and failures."""

import json
import multiprocessing
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest.mock import ANY

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsguard.audit.jsonl import JsonLinesAudit, JsonLinesReader
from wsguard.audit.lines import Amendment, line_of, parse_line
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPAWN = multiprocessing.get_context("spawn")
PER_PROCESS = 50


def record(incident: str, padding: int = 0) -> AuditRecord:
    return AuditRecord(incident, NOW, "rejected", username="x" * padding)


def incidents(path: Path) -> list[str]:
    return [found.incident for found in JsonLinesReader(path).read(limit=10_000)]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk on which a file can have ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_many(path: Path, writer: int, start: Barrier) -> None:
    start.wait()
    audit = JsonLinesAudit(path)
    for number in range(PER_PROCESS):
        audit.write(record(f"{writer} {number}", padding=5_000))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


class TestLines:
    def test_a_record_is_one_line_of_ascii(self, path: Path) -> None:
        JsonLinesAudit(path).write(AuditRecord("1", NOW, "rejected", username="a\nb\r\u2028\u0085é\ud800"))
        written = path.read_bytes()
        assert written.isascii()
        assert written.count(b"\n") == 1
        assert written.endswith(b"\n")
        assert len(written.decode().splitlines()) == 1
        assert json.loads(written)["username"] == "a\nb\r\u2028\u0085é\ud800"

    def test_a_record_is_the_object_of_the_contract(self, path: Path) -> None:
        JsonLinesAudit(path).write(record("1"))
        chain = {"writer": ANY, "seq": 1, "prev": "", "mac": ANY}
        assert json.loads(path.read_bytes()) == record("1").as_dict() | chain

    def test_an_amendment_is_a_further_line(self, path: Path) -> None:
        JsonLinesAudit(path).amend("1", "error", 2.5)
        assert json.loads(path.read_bytes()) == {
            "incident": "1",
            "amends": True,
            "time": ANY,
            "outcome": "error",
            "duration_ms": 2.5,
            "writer": ANY,
            "seq": 1,
            "prev": "",
            "mac": ANY,
        }

    @pytest.mark.parametrize("oldest_first", [False, True])
    def test_a_line_outside_of_any_chain_amends_no_chained_record(self, path: Path, oldest_first: bool) -> None:
        audit = JsonLinesAudit(path)
        audit.write(record("1"))
        audit.amend("1", "error", 2.5)
        forged = {"incident": "1", "amends": True, "time": "", "outcome": "accepted", "duration_ms": 0.0}
        with path.open("ab") as file:
            file.write(line_of(record("old").as_dict()))
            file.write(line_of(forged) + line_of(forged | {"incident": "old"}))
        found = {one.incident: one.outcome for one in audit.scan(oldest_first=oldest_first)}
        assert found == {"1": "error", "old": "accepted"}

    def test_a_line_outside_of_any_chain_stands_for_no_chained_record(self, path: Path) -> None:
        audit = JsonLinesAudit(path)
        audit.write(record("1"))
        audit.amend("1", "error", 2.5)
        forged = line_of(record("1").as_dict() | {"outcome": "accepted"})
        first, *others = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([forged, first, forged, *others, forged]))
        found = audit.find("1")
        assert found is not None
        assert (found.outcome, bool(found.writer)) == ("error", True)
        for oldest_first in (False, True):
            assert [one.outcome for one in audit.scan(oldest_first=oldest_first) if one.writer] == ["error"]

    def test_of_two_records_in_chains_the_first_is_found(self, path: Path) -> None:
        audit = JsonLinesAudit(path)
        audit.write(record("1"))
        with path.open("ab") as file:
            file.write(line_of(record("1").as_dict() | {"outcome": "accepted", "writer": "w", "seq": 1, "mac": "00"}))
        found = audit.find("1")
        assert found is not None
        assert found.outcome == "rejected"

    def test_fields_of_a_later_version_are_passed_by(self) -> None:
        line = json.dumps(record("1").as_dict() | {"writer": "w", "seq": 7, "mac": "00"}).encode()
        assert parse_line(line) == record("1")

    @pytest.mark.parametrize(
        "change",
        [
            {"incident": None},
            {"incident": 1},
            {"time": "2026-03-01T12:00:00"},
            {"time": "yesterday"},
            {"time": 5},
            {"outcome": "great"},
            {"outcome": []},
            {"check": 5},
            {"message_bytes": "5"},
            {"message_bytes": float("inf")},
            {"duration_ms": True},
            {"clock_skew_s": "1"},
            {"explanation": 5},
            {"explanation": ["x"]},
            {"explanation": [{"check": 5}]},
        ],
        ids=str,
    )
    def test_a_line_of_another_shape_is_no_record(self, change: dict[str, object]) -> None:
        assert parse_line(json.dumps(record("1").as_dict()).encode()) == record("1")
        assert parse_line(json.dumps(record("1").as_dict() | change).encode()) is None

    def test_an_amendment_of_another_shape_is_none(self) -> None:
        whole = {"incident": "1", "amends": True, "outcome": "error", "duration_ms": 1}
        assert parse_line(json.dumps(whole).encode()) == Amendment("1", "error", 1)
        assert [parse_line(json.dumps({**whole, key: None}).encode()) for key in whole if key != "amends"] == [None] * 3

    @given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
    def test_no_line_whatever_breaks_reading(self, line: bytes) -> None:
        assert parse_line(line) is None

    def test_deep_nesting_does_not_break_reading(self) -> None:
        assert parse_line(b"[" * 200_000) is None


class TestReading:
    def test_torn_and_foreign_lines_are_passed_by(self, path: Path) -> None:
        audit = JsonLinesAudit(path)
        audit.write(record("1"))
        whole = path.read_bytes()
        path.write_bytes(b"\n\xff\xfe\x00junk\n" + whole + b"[]\n{}\n\n" + whole.replace(b'"1"', b'"2"') + whole[:40])
        assert incidents(path) == ["2", "1"]
        assert audit.find("1") == record("1")

    def test_a_record_after_a_torn_line_is_not_lost(self, path: Path) -> None:
        audit = JsonLinesAudit(path)
        audit.write(record("1"))
        path.write_bytes(path.read_bytes() + b'{"incident": "torn')
        audit.write(record("2"))
        audit.write(record("3"))
        assert incidents(path) == ["3", "2", "1"]

    def test_a_last_line_without_its_line_feed_counts(self, path: Path) -> None:
        JsonLinesAudit(path).write(record("1"))
        path.write_bytes(path.read_bytes().removesuffix(b"\n"))
        assert incidents(path) == ["1"]

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(paddings=st.lists(st.sampled_from([0, 1, 32_000, 64_900, 65_536, 200_000]), max_size=6))
    def test_lines_of_any_length_are_found(self, tmp_path: Path, paddings: list[int]) -> None:
        path = tmp_path / "long.jsonl"
        path.write_bytes(b"")
        written = [record(str(number), padding) for number, padding in enumerate(paddings)]
        for one in written:
            JsonLinesAudit(path).write(one)
        assert JsonLinesReader(path).read() == written[::-1]

    def test_a_reader_creates_nothing(self, path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            JsonLinesReader(path)
        assert caught.value.seen == f"{path}: No such file or directory"
        assert not path.exists()


class TestWriting:
    def test_lines_of_four_processes_are_all_there_and_whole(self, path: Path) -> None:
        start = SPAWN.Barrier(4)
        processes = [SPAWN.Process(target=write_many, args=(path, writer, start)) for writer in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        expected = sorted(f"{writer} {number}" for writer in range(4) for number in range(PER_PROCESS))
        lines = [line for line in path.read_bytes().split(b"\n") if line]
        assert sorted(json.loads(line)["incident"] for line in lines) == expected
        assert sorted(incidents(path)) == expected

    def test_only_its_owner_can_read_it(self, path: Path) -> None:
        JsonLinesAudit(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_after_a_rotation_the_new_file_is_written(self, path: Path) -> None:
        audit = JsonLinesAudit(path)
        audit.write(record("1"))
        rotated = path.rename(path.with_suffix(".1"))
        audit.write(record("2"))
        assert (incidents(rotated), incidents(path)) == (["1"], ["2"])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_directory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            JsonLinesAudit(tmp_path)
        assert caught.value.seen == f"{tmp_path}: Is a directory"
        assert caught.value.setting == "audit.url"

    def test_a_file_that_became_a_directory_refuses(self, path: Path) -> None:
        audit = JsonLinesAudit(path)
        path.unlink()
        path.mkdir()
        for act in (lambda: audit.write(record("1")), lambda: audit.amend("1", "error", 1.0), audit.read):
            with pytest.raises(StoreUnavailable) as caught:
                act()
            assert caught.value.seen == f"{path}: Is a directory"

    def test_a_full_disk_refuses_and_does_not_spoil_the_next_record(self, path: Path) -> None:
        audit = JsonLinesAudit(path)
        audit.write(record("1"))
        size = path.stat().st_size
        with files_of_at_most(size + 100):
            with pytest.raises(StoreUnavailable) as caught:
                audit.write(record("2", padding=300))
            assert caught.value.seen.startswith(f"{path}: only 100 of ")
            with pytest.raises(StoreUnavailable) as caught:
                audit.write(record("3"))
            assert caught.value.seen == f"{path}: File too large"
        audit.write(record("4"))
        assert incidents(path) == ["4", "1"]

    def test_a_pipe_can_take_the_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "pipe"
        os.mkfifo(path)
        end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            JsonLinesAudit(path).write(record("1"))
            assert parse_line(os.read(end, 65_536)) == record("1")
        finally:
            os.close(end)
