"""The audit on a real PostgreSQL server."""

import multiprocessing
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import create_engine, text

from tests.audit.chains import KEY, flaws, record, verified, write_history
from wsguard.audit import open_audit, open_reader, purge_audit
from wsguard.audit.sql import SqlAudit
from wsguard.faults import StoreUnavailable

SPAWN = multiprocessing.get_context("spawn")


def run(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def write_some(url: str, name: int, start: Barrier) -> None:
    start.wait()
    with closing(open_audit([url], KEY)) as sink:
        for number in range(10):
            sink.write(record(f"{name} {number}"))


def test_what_is_written_is_read_and_verifies(postgres_url: str) -> None:
    write_history(open_audit([postgres_url], KEY) for _ in range(2))
    reader = open_reader([postgres_url])
    assert [one.incident for one in reader.read()] == ["2 1", "2 0", "1 1", "1 0", "0 1", "0 0"]
    assert reader.read(check="replay", outcome="error", username="żółw", limit=1) == reader.read(limit=1)
    assert reader.read(outcome="rejected") == []
    found = reader.find("0 0")
    assert found is not None
    assert (found.outcome, found.time) == ("error", record("0 0").time)
    assert verified(postgres_url).holds


@pytest.mark.parametrize(
    ("statement", "flaw"),
    [
        ("UPDATE audit SET outcome = 'accepted' WHERE id = 3", "changed"),
        ("UPDATE audit SET time = time + interval '1 microsecond' WHERE id = 3", "changed"),
        ("UPDATE audit SET clock_skew_s = NULL WHERE kind = 'record'", "changed"),
        ("UPDATE audit SET amends = '1 0' WHERE kind = 'amendment'", "changed"),
        ("DELETE FROM audit WHERE id = 4", "missing"),
    ],
)
def test_what_is_changed_is_found(postgres_url: str, statement: str, flaw: str) -> None:
    # The first row is taken and given back when the audit is opened.
    write_history([open_audit([postgres_url], KEY)])
    run(postgres_url, statement)
    assert flaws(verified(postgres_url)) == {flaw}


def test_processes_and_threads_write_at_once(postgres_url: str) -> None:
    """They also make the tables at the same moment."""
    start = SPAWN.Barrier(3)
    processes = [SPAWN.Process(target=write_some, args=(postgres_url, number, start)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 3
    with closing(open_audit([postgres_url], KEY)) as sink:
        threads = [threading.Thread(target=sink.write, args=(record(f"thread {number}"),)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    done = verified(postgres_url)
    assert (done.holds, sorted(one.last_seq for one in done.writers)) == (True, [11, 11, 11, 21])


def test_old_rows_go_and_the_rest_verifies(postgres_url: str) -> None:
    now = datetime.now(UTC)
    with closing(SqlAudit(postgres_url, key=KEY, retention=timedelta(days=90))) as audit:
        for days in (200, 150, 1):
            audit.write(record(f"{days}", now - timedelta(days=days)))
        assert purge_audit([postgres_url], now - timedelta(days=170), KEY) == 1
        audit._due = 0.0
        audit.write(record("now"))
    assert [one.incident for one in open_reader([postgres_url]).read()] == ["now", "1"]
    assert verified(postgres_url).holds


def test_a_role_that_may_only_add_and_read_is_enough(postgres_url: str) -> None:
    SqlAudit(postgres_url).close()
    for statement in (
        "CREATE ROLE adder LOGIN",
        "GRANT SELECT, INSERT ON audit TO adder",
        "GRANT USAGE ON audit_id_seq TO adder",
        "GRANT SELECT ON audit_schema TO adder",
    ):
        run(postgres_url, statement)
    url = postgres_url.replace("//postgres@", "//adder@")
    with closing(open_audit([url], KEY)) as sink:
        sink.write(record("1"))
        sink.amend("1", "error", 1.0)
    assert verified(url).holds
    with pytest.raises(StoreUnavailable):
        purge_audit([url], datetime.now(UTC), KEY)
    run(postgres_url, "DROP OWNED BY adder; DROP ROLE adder")
