"""What the audit in a database promises beyond the contract: processes, forks, versions and failures."""

import multiprocessing
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from wsguard.audit.sql import SqlAudit, SqlAuditReader
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SPAWN = multiprocessing.get_context("spawn")
PER_PROCESS = 25
PATIENCE = 60.0
"""Seconds: SQLite's busy handler is not fair: on a slow disk, one that writes on and on keeps others waiting."""


def record(incident: str) -> AuditRecord:
    return AuditRecord(incident, NOW, "rejected", "replay.nonce")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


@pytest.fixture
def audit(path: Path) -> Iterator[SqlAudit]:
    made = SqlAudit(f"sqlite:///{path}", busy_timeout=0.2)
    yield made
    made.close()


def incidents(path: Path) -> list[str]:
    return [found.incident for found in SqlAuditReader(f"sqlite:///{path}").read(limit=10_000)]


def open_descriptors(path: Path) -> list[str]:
    links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [str(link) for link in links if str(link).startswith(str(path))]


def write_many(path: Path, writer: int, start: Barrier) -> None:
    start.wait()
    with closing(SqlAudit(f"sqlite:///{path}", busy_timeout=PATIENCE)) as audit:
        for number in range(PER_PROCESS):
            audit.write(record(f"{writer} {number}"))


class TestTables:
    @pytest.mark.usefixtures("audit")
    def test_the_columns_are_the_fields_of_a_record(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(audit)")]
            indexes = {row[1]: row[2] for row in connection.execute("PRAGMA index_list(audit)")}
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        assert columns == ["id", *(field.name for field in fields(AuditRecord)), "kind", "amends"]
        named = {"audit_incident": 1, "audit_time": 0, "audit_check": 0, "audit_chain": 0, "audit_amends": 0}
        assert indexes == named
        assert mode == "wal"

    def test_times_are_kept_to_the_microsecond(self, audit: SqlAudit) -> None:
        audit.write(record("1"))
        assert [found.time for found in audit.read()] == [NOW]

    def test_an_incident_is_kept_once(self, audit: SqlAudit, path: Path) -> None:
        audit.write(record("1"))
        with pytest.raises(StoreUnavailable) as caught:
            audit.write(record("1"))
        assert caught.value.seen == f"sqlite:///{path}: UNIQUE constraint failed: audit.incident"

    def test_an_amendment_of_nothing_is_refused(self, audit: SqlAudit, path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            audit.amend("gone", "error", 1.0)
        assert caught.value.seen == f"sqlite:///{path}: no record of incident gone to amend"

    def test_proving_leaves_no_record(self, audit: SqlAudit) -> None:
        assert audit.read() == []

    def test_only_its_owner_can_read_it(self, audit: SqlAudit, path: Path) -> None:
        audit.write(record("1"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {"audit.db": 0o600, "audit.db-wal": 0o600, "audit.db-shm": 0o600}

    def test_a_version_that_is_not_known_is_refused(self, audit: SqlAudit, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE audit_schema SET version = 3")
            connection.commit()
        for opener in (SqlAudit, SqlAuditReader):
            with pytest.raises(ValueError, match="audit tables of version 3, of a newer wsguard; known is 2"):
                opener(f"sqlite:///{path}")
        assert audit.read() == []

    def test_a_foreign_table_of_that_name_is_refused(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE audit (id, incident, time, 'check')")
        with pytest.raises(StoreUnavailable) as caught:
            SqlAudit(f"sqlite:///{path}")
        assert caught.value.seen == f"sqlite:///{path}: no such column: audit.writer"

    def test_tables_are_made_all_or_not_at_all(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE other (x)")
            connection.execute("CREATE INDEX audit_time ON other (x)")
        with pytest.raises(StoreUnavailable) as caught:
            SqlAudit(f"sqlite:///{path}")
        assert caught.value.seen == f"sqlite:///{path}: index audit_time already exists"
        with closing(sqlite3.connect(path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
        assert names == [("audit_time",), ("other",)]


class TestSeveralProcesses:
    def test_rows_of_four_processes_are_all_there(self, path: Path) -> None:
        """They also create the tables at the same moment."""
        start = SPAWN.Barrier(4)
        processes = [SPAWN.Process(target=write_many, args=(path, writer, start)) for writer in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        expected = sorted(f"{writer} {number}" for writer in range(4) for number in range(PER_PROCESS))
        assert sorted(incidents(path)) == expected

    def test_nothing_is_open_before_the_first_use(self, audit: SqlAudit, path: Path) -> None:
        assert open_descriptors(path) == []
        audit.write(record("1"))
        assert str(path) in open_descriptors(path)

    def test_a_forked_child_has_connections_of_its_own(self, audit: SqlAudit, path: Path) -> None:
        audit.write(record("parent"))
        child = os.fork()
        if not child:
            status = 99
            try:
                status = len(open_descriptors(path))
                audit.write(record("child"))
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        audit.write(record("parent again"))
        assert incidents(path) == ["parent again", "child", "parent"]


class TestFailures:
    def test_a_missing_directory_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "missing" / "audit.db"
        with pytest.raises(StoreUnavailable) as caught:
            SqlAudit(f"sqlite:///{path}")
        assert caught.value.seen == f"{path}: No such file or directory"
        assert caught.value.setting == "audit.url"

    def test_a_directory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            SqlAudit(f"sqlite:///{tmp_path}")
        assert caught.value.seen == f"{tmp_path}: unable to open database file"

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self, path: Path) -> None:
        path.write_bytes(b"hello " * 1000)
        with pytest.raises(StoreUnavailable) as caught:
            SqlAudit(f"sqlite:///{path}")
        assert caught.value.seen == f"{path}: file is not a database"
        assert path.read_bytes() == b"hello " * 1000

    def test_a_reader_creates_nothing(self, path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            SqlAuditReader(f"sqlite:///{path}")
        assert caught.value.seen == f"sqlite:///{path}: unable to open database file"
        assert not path.exists()

    def test_a_reader_refuses_a_database_without_the_tables(self, path: Path) -> None:
        path.touch()
        with pytest.raises(StoreUnavailable) as caught:
            SqlAuditReader(f"sqlite:///{path}")
        assert caught.value.seen == f"sqlite:///{path}: no such table: audit_schema"

    def test_a_lock_of_another_process_refuses_until_it_is_gone(self, audit: SqlAudit, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable) as caught:
                audit.write(record("1"))
        assert caught.value.seen == f"sqlite:///{path}: database is locked"
        audit.write(record("2"))
        assert incidents(path) == ["2"]

    def test_a_full_disk_refuses_and_loses_nothing(self, audit: SqlAudit, path: Path) -> None:
        with audit._database.look() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 16")
        written = 0
        with pytest.raises(StoreUnavailable) as caught:
            for written in range(10_000):
                audit.write(record(str(written)))
        assert caught.value.seen == f"sqlite:///{path}: database or disk is full"
        assert written > 20
        assert incidents(path) == [str(number) for number in reversed(range(written))]

    def test_a_deleted_file_refuses_and_is_not_made_anew(self, audit: SqlAudit, path: Path) -> None:
        audit.write(record("1"))
        path.unlink()
        for act in (lambda: audit.write(record("2")), audit.read, lambda: audit.find("1")):
            with pytest.raises(StoreUnavailable) as caught:
                act()
            assert caught.value.seen == f"sqlite:///{path}: unable to open database file"
        assert not path.exists()

    def test_a_damaged_file_refuses(self, audit: SqlAudit, path: Path) -> None:
        audit.write(record("1"))
        audit.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
        for act in (lambda: audit.write(record("2")), audit.read):
            with pytest.raises(StoreUnavailable) as caught:
                act()
            assert caught.value.seen == f"sqlite:///{path}: database disk image is malformed"

    @pytest.mark.parametrize("damaged", ["[", "5", "[5]", '[{"check": 5}]', "[" * 100_000], ids=range(5))
    def test_a_damaged_explanation_is_told(self, audit: SqlAudit, path: Path, damaged: str) -> None:
        audit.write(record("1"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE audit SET explanation = ?", (damaged,))
            connection.commit()
        with pytest.raises(StoreUnavailable) as caught:
            audit.find("1")
        assert caught.value.seen == f"sqlite:///{path}: the explanation of incident 1 is damaged"

    @pytest.mark.parametrize("column", ["outcome", "operation", "writer", "seq", "duration_ms", "clock_skew_s"])
    def test_a_record_with_another_kind_of_value_is_told(self, audit: SqlAudit, path: Path, column: str) -> None:
        audit.write(record("1"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"UPDATE audit SET {column} = ?", (b"\xff",))
            connection.commit()
        for act in (audit.read, lambda: audit.find("1"), lambda: list(audit.scan())):
            with pytest.raises(StoreUnavailable) as caught:
                act()
            assert caught.value.seen == f"sqlite:///{path}: the record of incident 1 is damaged"

    @pytest.mark.parametrize("damaged", ["yesterday", 5])
    def test_a_row_that_is_none_of_ours_is_told(self, audit: SqlAudit, path: Path, damaged: str | int) -> None:
        audit.write(record("1"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE audit SET time = ?", (damaged,))
            connection.commit()
        for act in (audit.read, lambda: audit.find("1"), lambda: list(audit.entries())):
            with pytest.raises(StoreUnavailable) as caught:
                act()
            assert caught.value.seen.startswith(f"sqlite:///{path}: a row is damaged: ")

    def test_a_text_that_the_database_cannot_hold_is_refused(self, audit: SqlAudit) -> None:
        with pytest.raises(StoreUnavailable, match=r"^The service is temporarily unavailable$"):
            audit.write(record("\ud800"))
        assert audit.read() == []

    def test_a_failure_tells_nothing_of_the_record(self, audit: SqlAudit) -> None:
        audit.write(record("hunter2"))
        with pytest.raises(StoreUnavailable) as caught:
            audit.write(record("hunter2"))
        assert "hunter2" not in f"{caught.value.seen} {caught.value.__cause__}"
