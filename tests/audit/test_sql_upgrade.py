"""Tables of version 1: brought up by themselves in SQLite, by a command elsewhere, and by one process of several."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.audit.chains import KEY, flaws, record, url_of, verified
from wsguard.audit import open_audit, open_reader, upgrade_audit

SPAWN = multiprocessing.get_context("spawn")

VERSION_1 = [
    """CREATE TABLE audit (
        id INTEGER NOT NULL, incident VARCHAR(64) NOT NULL, time DATETIME NOT NULL, outcome VARCHAR(16) NOT NULL,
        "check" VARCHAR(64) NOT NULL, fault TEXT NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL,
        soap_version VARCHAR(8) NOT NULL, client TEXT NOT NULL, username TEXT NOT NULL,
        certificate_subject TEXT NOT NULL, certificate_sha256 VARCHAR(64) NOT NULL, remote_addr TEXT NOT NULL,
        path TEXT NOT NULL, message_sha256 VARCHAR(64) NOT NULL, message_bytes BIGINT NOT NULL,
        duration_ms DOUBLE NOT NULL, clock_skew_s DOUBLE, explanation TEXT NOT NULL, PRIMARY KEY (id))""",
    "CREATE UNIQUE INDEX audit_incident ON audit (incident)",
    'CREATE INDEX audit_check ON audit ("check")',
    "CREATE INDEX audit_time ON audit (time)",
    "CREATE TABLE audit_schema (version INTEGER NOT NULL, PRIMARY KEY (version))",
    "INSERT INTO audit_schema VALUES (1)",
]
"""As release 0.1 made them."""

INSERT = """INSERT INTO audit (incident, time, outcome, "check", fault, service, operation, soap_version, client,
    username, certificate_subject, certificate_sha256, remote_addr, path, message_sha256, message_bytes, duration_ms,
    clock_skew_s, explanation) VALUES ('{}', '2026-03-01 12:00:00.123456', 'accepted', '', '', '', '', '1.1', '',
    'alice', '', '', '', '/', '', 1, 0.5, NULL, '[]')"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of release 0.1 with three records."""
    path = tmp_path / "audit.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in [*VERSION_1, *(INSERT.format(f"old {number}") for number in range(3))]:
            connection.execute(statement)
        connection.commit()
    return path


@pytest.fixture
def old_postgres(postgres_url: str) -> str:
    """The same on a server."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        for statement in VERSION_1:
            adapted = statement.replace("id INTEGER NOT NULL", "id BIGSERIAL NOT NULL").replace(
                "DOUBLE", "DOUBLE PRECISION"
            )
            connection.execute(text(adapted.replace("DATETIME", "TIMESTAMP WITH TIME ZONE")))
        for number in range(3):
            connection.execute(text(INSERT.format(f"old {number}")))
    engine.dispose()
    return postgres_url


def shape(path: Path) -> tuple[list[tuple[object, ...]], set[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1:] for row in connection.execute("PRAGMA table_info(audit)")]
        return columns, {row[1:3] for row in connection.execute("PRAGMA index_list(audit)")}


def start_at_once(url: str, number: int, start: Barrier) -> None:
    start.wait()
    with closing(open_audit([url], KEY)) as sink:
        sink.write(record(f"new {number}"))


def test_a_database_of_sqlite_is_brought_up_when_it_is_opened(old: Path, tmp_path: Path) -> None:
    with closing(open_audit([url_of(old)], KEY)) as sink:
        sink.write(record("new"))
        sink.amend("old 1", "error", 2.0)
    open_audit([url_of(tmp_path / "fresh.db")]).close()
    assert shape(old) == shape(tmp_path / "fresh.db")
    records = open_reader([url_of(old)]).read()
    assert [(one.incident, one.outcome) for one in records] == [
        ("new", "rejected"), ("old 2", "accepted"), ("old 1", "error"), ("old 0", "accepted"),
    ]  # fmt: skip


def test_old_records_are_unchained_and_a_further_one_is_noticed(old: Path) -> None:
    with closing(open_audit([url_of(old)], KEY)) as sink:
        sink.write(record("new"))
    done = verified(url_of(old))
    assert (done.holds, done.unchained, [one.last_seq for one in done.writers]) == (True, 3, [3])
    with closing(sqlite3.connect(old)) as connection:
        connection.execute(INSERT.format("slipped in").replace("(incident", "(id, incident").replace("('", "(-1, '", 1))
        connection.commit()
    assert flaws(verified(url_of(old))) == {"unchained"}


def test_before_anything_is_written_old_records_are_of_no_known_number(old: Path) -> None:
    open_audit([url_of(old)], KEY).close()
    assert flaws(verified(url_of(old))) == {"unchained"}


def test_several_processes_may_start_at_once(old: Path) -> None:
    start = SPAWN.Barrier(4)
    processes = [SPAWN.Process(target=start_at_once, args=(url_of(old), number, start)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    done = verified(url_of(old))
    assert (done.holds, done.unchained, len(done.writers)) == (True, 3, 4)


def test_a_reader_changes_nothing_and_names_the_command(old: Path) -> None:
    before = shape(old)
    with pytest.raises(ValueError, match=r"audit tables of version 1; run: wsguard db upgrade CONFIG$"):
        open_reader([url_of(old)])
    assert shape(old) == before


def test_the_command_tells_what_it_did(old: Path, tmp_path: Path) -> None:
    urls = [url_of(old), "stderr:", url_of(tmp_path / "audit.jsonl"), url_of(tmp_path / "fresh.db")]
    assert list(upgrade_audit(urls).values()) == [True, False]
    assert list(upgrade_audit(urls).values()) == [False, False]
    assert len(open_reader(urls).read()) == 3


def test_a_server_is_brought_up_by_the_command_only(old_postgres: str) -> None:
    openers: list[Callable[[list[str]], object]] = [open_audit, open_reader]
    for opener in openers:
        with pytest.raises(ValueError, match=r"audit tables of version 1; run: wsguard db upgrade CONFIG$"):
            opener([old_postgres])
    assert list(upgrade_audit([old_postgres]).values()) == [True]
    assert list(upgrade_audit([old_postgres]).values()) == [False]
    with closing(open_audit([old_postgres], KEY)) as sink:
        sink.write(record("new"))
    done = verified(old_postgres)
    assert (done.holds, done.unchained, done.entries) == (True, 3, 6)
    assert [one.incident for one in open_reader([old_postgres]).read()] == ["new", "old 2", "old 1", "old 0"]
