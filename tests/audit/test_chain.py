"""The chain shows any change, removal, swap and insertion; what was not touched verifies."""

import json
import multiprocessing
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from tests.audit.chains import KEY, flaws, record, url_of, verified, write_history
from wsguard.audit import open_audit
from wsguard.audit.chain import Link, mac_of, sealed
from wsguard.audit.checkpoint import Checkpoint
from wsguard.audit.entries import Entry, amendment_content, checkpoint_content
from wsguard.audit.jsonl import JsonLinesAudit
from wsguard.audit.lines import line_of, parse_line
from wsguard.audit.sql import SqlAudit
from wsguard.audit.stream import StreamAudit
from wsguard.audit.verification import verify
from wsguard.audit.writer import IDLE
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, AuditSink

SPAWN = multiprocessing.get_context("spawn")
COMMON = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FORMS = ["audit.jsonl", "audit.db"]
CLOSING = 14
"""Entries of a history: three records and three amendments of each of two writers, and a closing entry of each."""
PATIENCE = 60.0
"""Seconds: SQLite's busy handler is not fair: on a slow disk, one that writes on and on keeps others waiting."""


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("history") / "audit.jsonl"
    write_history(JsonLinesAudit(path, key=KEY) for _ in range(2))
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "audit.db"
    write_history(SqlAudit(f"sqlite:///{path}", key=KEY) for _ in range(2))
    return path


class Tampered:
    """A copy of a history, changed behind wsguard's back."""

    def __init__(self, path: Path, original: Path) -> None:
        self.path = path
        shutil.copy(original, path)

    def run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(statement, values)
            connection.commit()

    def rows(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM audit ORDER BY id")]

    def insert(self, row: dict[str, Any]) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        self.run(f"INSERT INTO audit ({names}) VALUES ({', '.join('?' * len(row))})", *row.values())

    @property
    def flaws(self) -> set[str]:
        return set(flaws(verified(url_of(self.path))))


def found_in(tmp_path: Path, lines: list[bytes], key: bytes | None = KEY) -> set[str]:
    path = tmp_path / "tampered.jsonl"
    path.write_bytes(b"".join(lines))
    return set(flaws(verified(url_of(path), key)))


def writer_of(line: bytes) -> str:
    return str(json.loads(line)["writer"])


class TestUntouched:
    @pytest.mark.parametrize("name", FORMS)
    @pytest.mark.parametrize("key", [None, KEY])
    def test_a_history_verifies(self, tmp_path: Path, name: str, key: bytes | None) -> None:
        url = url_of(tmp_path / name)
        write_history(open_audit([url], key) for _ in range(2))
        done = verified(url, key)
        assert (done.holds, done.entries, done.unchained) == (True, CLOSING, 0)
        assert [(one.entries, one.first_seq, one.last_seq, one.closed) for one in done.writers] == [(7, 1, 7, True)] * 2
        assert len({one.writer for one in done.writers}) == 2

    @pytest.mark.parametrize("name", FORMS)
    def test_a_writer_that_was_not_closed_is_open(self, tmp_path: Path, name: str) -> None:
        url = url_of(tmp_path / name)
        write_history([open_audit([url], KEY)], closed=False)
        done = verified(url)
        assert (done.holds, [one.closed for one in done.writers]) == (True, [False])

    @pytest.mark.parametrize("name", FORMS)
    def test_records_say_where_they_stand(self, tmp_path: Path, name: str) -> None:
        sink = open_audit([url_of(tmp_path / name)], KEY)
        given_record = record("1")
        sink.write(given_record)
        sink.write(record("2"))
        last, first = sink.read()  # type: ignore[attr-defined]
        assert (given_record.writer, given_record.seq, given_record.mac) == ("", 0, "")
        assert (first.seq, first.prev, last.seq, last.prev) == (1, "", 2, first.mac)
        assert first.writer == last.writer != ""

    def test_the_lines_of_standard_error_verify_as_a_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_history([StreamAudit(KEY)])
        assert found_in(tmp_path, [capsys.readouterr().err.encode()]) == set()

    def test_the_mac_is_of_the_predecessor_and_everything_else(self) -> None:
        entry = sealed({"b": "é", "a": 1.5}, Link("w", 4, "00ff"), None)
        octets = b'00ff\n{"a":1.5,"b":"\\u00e9","prev":"00ff","seq":5,"writer":"w"}'
        assert entry["mac"] == sha256(octets).hexdigest() != mac_of(entry, KEY)

    def test_nothing_at_all_holds(self) -> None:
        done = verify([])
        assert (done.holds, done.writers) == (True, [])


class TestAmendments:
    def test_without_a_check_one_is_written_as_ever(self) -> None:
        content = amendment_content("1", "error", 2.5, "2026-03-01T12:00:00.000Z")
        entry = sealed(content, Link("w", 4, "00ff"), None)
        octets = (
            b'00ff\n{"amends":true,"duration_ms":2.5,"incident":"1","outcome":"error","prev":"00ff","seq":5,'
            b'"time":"2026-03-01T12:00:00.000Z","writer":"w"}'
        )
        assert entry["mac"] == sha256(octets).hexdigest()

    @pytest.mark.parametrize("name", FORMS)
    def test_a_check_is_chained_and_verifies(self, tmp_path: Path, name: str) -> None:
        url = url_of(tmp_path / name)
        with closing(open_audit([url], KEY)) as sink:
            sink.write(record("1"))
            sink.amend("1", "error", 2.5)
            sink.amend("1", "error", 2.5, "response.not_secured")
        assert verified(url).holds

    @pytest.mark.parametrize(("before", "after"), [("", "response.not_secured"), ("response.not_secured", "")])
    def test_a_check_that_is_put_in_or_taken_away_later_is_found(self, tmp_path: Path, before: str, after: str) -> None:
        path = tmp_path / "audit.db"
        with closing(open_audit([url_of(path)], KEY)) as sink:
            sink.write(record("1"))
            sink.amend("1", "error", 2.5, before)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE audit SET \"check\" = ? WHERE kind = 'amendment'", (after,))
            connection.commit()
        assert flaws(verified(url_of(path))) == {"changed"}


class TestTamperedLines:
    @COMMON
    @given(data=st.data())
    def test_any_byte_that_is_changed_is_found(self, tmp_path: Path, lines: list[bytes], data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(lines) - 1))
        place = data.draw(st.integers(0, len(lines[number]) - 2))
        byte = data.draw(st.sampled_from(b'0a1 "x{').filter(lambda byte: byte != lines[number][place]))
        changed = lines[number][:place] + bytes([byte]) + lines[number][place + 1 :]
        assert found_in(tmp_path, [*lines[:number], changed, *lines[number + 1 :]])

    @COMMON
    @given(data=st.data())
    def test_any_field_that_is_changed_is_found(self, tmp_path: Path, lines: list[bytes], data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(lines) - 1))
        content = json.loads(lines[number])
        name = data.draw(st.sampled_from([*content, "new"]))
        value: object = data.draw(st.none() | st.booleans() | st.integers() | st.text() | st.just([]))
        assume(json.dumps(value) != json.dumps(content.get(name, ...), default=str))
        assert found_in(tmp_path, [*lines[:number], line_of({**content, name: value}), *lines[number + 1 :]])

    @COMMON
    @given(data=st.data())
    def test_a_line_that_is_removed_is_found(self, tmp_path: Path, lines: list[bytes], data: st.DataObject) -> None:
        # Of each writer the last may be gone unseen.
        number = data.draw(st.integers(0, len(lines) - 3))
        count = data.draw(st.integers(1, len(lines) - 2 - number))
        assert found_in(tmp_path, lines[:number] + lines[number + count :]) == {"missing"}

    @COMMON
    @given(data=st.data())
    def test_lines_that_are_swapped_are_found(self, tmp_path: Path, lines: list[bytes], data: st.DataObject) -> None:
        one, other = sorted(data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True)))
        assume(writer_of(lines[one]) == writer_of(lines[other]))
        swapped = list(lines)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert "displaced" in found_in(tmp_path, swapped)

    @COMMON
    @given(data=st.data())
    def test_a_line_that_is_slipped_in_is_found(self, tmp_path: Path, lines: list[bytes], data: st.DataObject) -> None:
        content = json.loads(lines[data.draw(st.integers(0, len(lines) - 1))])
        forms: dict[str, Callable[[], bytes]] = {
            "again": lambda: line_of(content),
            "unchained": lambda: line_of(record("new").as_dict()),
            "another writer": lambda: line_of(sealed(record("new").as_dict(), Link("w"), b"guessed")),
            "next": lambda: line_of(sealed(record("new").as_dict(), Link(content["writer"], content["seq"]), None)),
            "junk": lambda: b"junk\n",
        }
        line = forms[data.draw(st.sampled_from(sorted(forms)))]()
        place = data.draw(st.integers(0, len(lines)))
        assert found_in(tmp_path, [*lines[:place], line, *lines[place:]])

    def test_chaining_all_anew_without_the_key_is_found(self, tmp_path: Path, lines: list[bytes]) -> None:
        for key in (None, b"guessed"):
            newest: dict[str, Link] = {}
            anew = []
            for line in lines:
                content = json.loads(line)
                after = newest.get(content["writer"], Link(content["writer"]))
                entry = sealed(content | {"outcome": "accepted"}, after, key)
                newest[entry["writer"]] = Link(entry["writer"], entry["seq"], entry["mac"])
                anew.append(line_of(entry))
            assert found_in(tmp_path, anew) == {"changed"}
            # Whoever has the key, or where there is none, can do just that: docs/audit.md says so.
            assert found_in(tmp_path, anew, key) == set()

    def test_an_outcome_that_is_amended_by_hand_is_found(self, tmp_path: Path, lines: list[bytes]) -> None:
        amendment = line_of({"incident": "0 0", "amends": True, "outcome": "accepted", "duration_ms": 1.0})
        assert found_in(tmp_path, [*lines, amendment]) == {"unchained"}

    def test_however_deep_an_entry_is_nested_it_is_found(self, tmp_path: Path, lines: list[bytes]) -> None:
        # One of these depths is the greatest that can be read, and then there is none to write it again.
        nested = [b'{"writer":"w","seq":1,"prev":"","mac":"","x":%b%b}\n' % (b"[" * n, b"]" * n) for n in range(1100)]
        assert {"changed", "unreadable"} <= found_in(tmp_path, [*lines, *nested, b"[" * 100_000 + b"\n"])

    def test_what_no_chain_shows(self, tmp_path: Path, lines: list[bytes]) -> None:
        first = writer_of(lines[0])
        assert found_in(tmp_path, lines[:-3]) == set()
        assert found_in(tmp_path, [line for line in lines if writer_of(line) != first]) == set()

    def test_a_checkpoint_names_what_is_gone_at_the_end(self, tmp_path: Path, lines: list[bytes]) -> None:
        first = writer_of(lines[0])
        whole = [json.loads(line) for line in lines if writer_of(line) == first]
        head = (Link(first, whole[-1]["seq"], whole[-1]["mac"]), Link("gone", 2, "00"))
        said = checkpoint_content(Checkpoint(head=head), "2026-03-01T12:00:00Z")
        checkpoint = line_of(sealed(said, Link("w"), KEY))
        done_path = tmp_path / "audit.jsonl"
        done_path.write_bytes(b"".join([*map(line_of, whole[:-2]), checkpoint]))
        done = verified(url_of(done_path))
        assert flaws(done) == {"tail"}
        assert [(one.entries, one.missing) for one in done.writers] == [(5, 2), (1, 0), (0, 2)]

    def test_a_checkpoint_of_somebody_without_the_key_is_not_believed(self, tmp_path: Path, lines: list[bytes]) -> None:
        start = json.loads(lines[0])
        said = checkpoint_content(Checkpoint(cut=(Link(start["writer"], 1, start["mac"]),)), "")
        assert found_in(tmp_path, [*lines[1:], line_of(sealed(said, Link("w"), None))]) == {"missing", "changed"}
        assert found_in(tmp_path, [*lines[1:], line_of(sealed(said, Link("w"), KEY))]) == set()

    def test_a_checkpoint_that_names_another_entry_does_not_connect(self, tmp_path: Path, lines: list[bytes]) -> None:
        said = checkpoint_content(Checkpoint(cut=(Link(writer_of(lines[0]), 1, "00"),)), "")
        assert found_in(tmp_path, [*lines[1:], line_of(sealed(said, Link("w"), KEY))]) == {"unconnected"}

    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(["writer", "seq", "prev", "mac", "checkpoint", "time"]),
                st.none() | st.integers() | st.text(max_size=3) | st.just({"unchained": 0}),
            )
        )
    )
    def test_no_content_whatever_breaks_verifying(self, contents: list[dict[str, Any]]) -> None:
        done = verify(Entry("line", content) for content in contents)
        assert done.holds == (not contents)


class TestTamperedRows:
    @COMMON
    @given(data=st.data())
    def test_any_column_that_is_changed_is_found(self, tmp_path: Path, database: Path, data: st.DataObject) -> None:
        tampered = Tampered(tmp_path / "audit.db", database)
        row = data.draw(st.sampled_from(tampered.rows()))
        name = data.draw(st.sampled_from(sorted(set(row) - {"id"})))
        old = row[name]
        changes: list[object] = [f"{old}x", f"{old} ", "x"] if isinstance(old, str) else [(old or 0) + 1, 0.25]
        value: object = "2026-03-01 12:00:00.123457" if name == "time" else data.draw(st.sampled_from(changes))
        assume(value != old)
        tampered.run(f'UPDATE audit SET "{name}" = ? WHERE id = ?', value, row["id"])
        assert tampered.flaws

    @COMMON
    @given(data=st.data())
    def test_a_row_that_is_removed_is_found(self, tmp_path: Path, database: Path, data: st.DataObject) -> None:
        tampered = Tampered(tmp_path / "audit.db", database)
        number = data.draw(st.sampled_from(range(1, CLOSING - 1)))
        tampered.run("DELETE FROM audit WHERE id = ?", number)
        assert tampered.flaws == {"missing"}

    @COMMON
    @given(data=st.data())
    def test_rows_that_are_swapped_are_found(self, tmp_path: Path, database: Path, data: st.DataObject) -> None:
        tampered = Tampered(tmp_path / "audit.db", database)
        rows = tampered.rows()
        one, other = data.draw(st.lists(st.sampled_from(rows), min_size=2, max_size=2, unique_by=lambda row: row["id"]))
        assume(one["writer"] == other["writer"])
        for before, after in ((one["id"], -1), (other["id"], one["id"]), (-1, other["id"])):
            tampered.run("UPDATE audit SET id = ? WHERE id = ?", after, before)
        assert "displaced" in tampered.flaws

    @COMMON
    @given(data=st.data())
    def test_a_row_that_is_slipped_in_is_found(self, tmp_path: Path, database: Path, data: st.DataObject) -> None:
        tampered = Tampered(tmp_path / "audit.db", database)
        row = data.draw(st.sampled_from(tampered.rows()))
        place = data.draw(st.sampled_from([-1, 0, 100]))
        chain = data.draw(st.sampled_from([{}, {"writer": ""}, {"writer": "new", "seq": 1, "prev": ""}]))
        tampered.insert(row | {"id": place, "incident": "new", "outcome": "accepted"} | chain)
        assert tampered.flaws

    def test_an_explanation_that_is_written_otherwise_is_found(self, tmp_path: Path, database: Path) -> None:
        tampered = Tampered(tmp_path / "audit.db", database)
        tampered.run("UPDATE audit SET explanation = explanation || ' ' WHERE id = 1")
        assert tampered.flaws == {"changed"}

    def test_an_explanation_that_nobody_can_read_is_found(self, tmp_path: Path, database: Path) -> None:
        tampered = Tampered(tmp_path / "audit.db", database)
        tampered.run("UPDATE audit SET explanation = ? WHERE kind = 'record'", "[" * 100_000)
        assert tampered.flaws == {"changed"}


def opened(path: Path) -> AuditSink:
    if path.suffix == ".jsonl":
        return JsonLinesAudit(path, key=KEY)
    return SqlAudit(url_of(path), key=KEY, busy_timeout=PATIENCE)


def write_some(path: Path, name: int, start: Barrier) -> None:
    start.wait()
    with closing(opened(path)) as sink:
        for number in range(10):
            sink.write(record(f"{name} {number}"))


class TestManyAtOnce:
    @pytest.mark.parametrize("name", FORMS)
    def test_threads_of_a_sink_are_one_writer(self, tmp_path: Path, name: str) -> None:
        url = url_of(tmp_path / name)
        sink = open_audit([url], KEY)
        start = threading.Barrier(20)

        def work(first: int) -> None:
            start.wait()
            for number in range(3):
                sink.write(record(f"{first} {number}"))
                sink.amend(f"{first} {number}", "error", 1.0)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = verified(url)
        assert (done.holds, [one.last_seq for one in done.writers]) == (True, [120])

    @pytest.mark.parametrize("name", FORMS)
    def test_each_process_is_a_writer(self, tmp_path: Path, name: str) -> None:
        start = SPAWN.Barrier(4)
        processes = [SPAWN.Process(target=write_some, args=(tmp_path / name, number, start)) for number in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        done = verified(url_of(tmp_path / name))
        assert (done.holds, [(one.last_seq, one.closed) for one in done.writers]) == (True, [(11, True)] * 4)

    def test_one_that_opens_while_another_begins_has_nothing_to_adopt(self, tmp_path: Path) -> None:
        """The other writes its first entry between any two questions that are asked of the table."""
        url = url_of(tmp_path / "audit.db")
        with closing(SqlAudit(url, key=KEY)) as other:
            asked: list[str] = []

            def write_between(connection: object, cursor: object, statement: str, *_: object) -> None:
                if "FROM audit \n" in f"{statement} \n":
                    asked.append(statement)
                    if len(asked) == 1:
                        other.write(record("other"))

            event.listen(Engine, "after_cursor_execute", write_between)
            try:
                sink = SqlAudit(url, key=KEY)
            finally:
                event.remove(Engine, "after_cursor_execute", write_between)
            assert asked
            with closing(sink):
                sink.write(record("1"))
        done = verified(url)
        assert (done.holds, [(one.last_seq, one.closed) for one in done.writers]) == (True, [(2, True)] * 2)

    @pytest.mark.parametrize("name", FORMS)
    def test_a_forked_child_is_a_writer_even_if_a_thread_was_writing(self, tmp_path: Path, name: str) -> None:
        url = url_of(tmp_path / name)
        sink: Any = open_audit([url], KEY)
        sink.write(record("parent"))
        with sink._chain.turn():
            child = os.fork()
            if not child:
                status = 99
                try:
                    sink.write(record("child"))
                    status = 0
                finally:
                    os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        sink.write(record("parent again"))
        done = verified(url)
        assert (done.holds, [one.last_seq for one in done.writers]) == (True, [2, 1])


class TestWriters:
    def test_after_a_failure_a_new_writer_begins(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.db"
        sink = SqlAudit(f"sqlite:///{path}", key=KEY)
        sink.write(record("1"))
        with pytest.raises(StoreUnavailable):
            sink.write(record("1"))
        sink.write(record("2"))
        done = verified(url_of(path))
        assert (done.holds, [one.last_seq for one in done.writers]) == (True, [1, 1])

    def test_an_amendment_of_nothing_costs_no_chain(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.db"
        sink = SqlAudit(f"sqlite:///{path}", key=KEY)
        sink.write(record("1"))
        with pytest.raises(StoreUnavailable):
            sink.amend("gone", "error", 1.0)
        sink.write(record("2"))
        assert [one.last_seq for one in verified(url_of(path)).writers] == [2]

    def test_after_a_long_silence_a_new_writer_begins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        sink = JsonLinesAudit(tmp_path / "audit.jsonl", key=KEY)
        sink.write(record("1"))
        now = datetime.now(UTC).timestamp()
        monkeypatch.setattr("wsguard.audit.writer.time.time", lambda: now + IDLE + 5)
        sink.write(record("2"))
        sink.write(record("3"))
        assert [one.last_seq for one in verified(url_of(tmp_path / "audit.jsonl")).writers] == [1, 2]

    def test_a_thread_does_not_wait_for_ever(self, tmp_path: Path) -> None:
        sink = SqlAudit(f"sqlite:///{tmp_path / 'audit.db'}", busy_timeout=0.05)
        with sink._chain.turn(), pytest.raises(StoreUnavailable) as caught:
            sink.write(record("1"))
        assert caught.value.seen == "other threads kept the audit busy for 0.05 s"

    def test_a_rotated_file_and_the_new_one_verify_each_by_itself(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.jsonl"
        sink = JsonLinesAudit(path, key=KEY)
        for number in range(3):
            sink.write(record(f"{number}"))
        rotated = path.rename(tmp_path / "old.jsonl")
        sink.write(record("3"))
        sink.close()
        assert [verified(url_of(file)).holds for file in (rotated, path)] == [True, True]
        path.write_bytes(b"")
        sink.write(record("4"))
        assert verified(url_of(path)).holds

    def test_a_torn_line_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.jsonl"
        sink = JsonLinesAudit(path, key=KEY)
        sink.write(record("1"))
        path.write_bytes(path.read_bytes() + b'{"incident": "torn')
        sink.write(record("2"))
        assert flaws(verified(url_of(path))) == {"unreadable"}

    def test_a_sink_that_wrote_nothing_closes_without_a_trace(self, tmp_path: Path) -> None:
        for name in FORMS:
            open_audit([url_of(tmp_path / name)], KEY).close()
            assert verified(url_of(tmp_path / name)).entries == 0

    @pytest.mark.parametrize("name", FORMS)
    def test_a_closing_that_fails_is_logged(self, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
        path = tmp_path / name
        sink = open_audit([url_of(path)], KEY)
        sink.write(record("1"))
        path.unlink()
        path.mkdir()
        sink.close()
        assert "the audit was closed without a closing entry" in caplog.text


class TestFilesOfEarlierReleases:
    def test_old_lines_are_unchained_and_counted(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.jsonl"
        path.write_bytes(b"".join(line_of(old_line(str(number))) for number in range(3)))
        sink = JsonLinesAudit(path, key=KEY)
        sink.write(record("new"))
        sink.close()
        JsonLinesAudit(path, key=KEY).write(record("newer"))
        done = verified(url_of(path))
        assert (done.holds, done.unchained, [one.last_seq for one in done.writers]) == (True, 3, [3, 1])
        path.write_bytes(line_of(old_line("slipped in")) + path.read_bytes())
        assert flaws(verified(url_of(path))) == {"unchained"}


def old_line(incident: str) -> dict[str, Any]:
    plain = record(incident).as_dict()
    assert isinstance(parse_line(line_of(plain)), AuditRecord)
    return {name: plain[name] for name in plain if name not in ("writer", "seq", "prev", "mac")}
