"""Records of many threads in one transaction, and one write to the disk: each is there once, or its thread is told."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from tests.audit.chains import KEY, flaws, record, url_of, verified
from wsguard.audit import open_audit, open_reader
from wsguard.audit.entries import record_content
from wsguard.audit.group import GroupCommit
from wsguard.audit.jsonl import JsonLinesAudit
from wsguard.audit.sql import SqlAudit
from wsguard.audit.sql_rows import TIMESPEC
from wsguard.faults import StoreUnavailable

SPAWN = multiprocessing.get_context("spawn")
FORMS = ["audit.jsonl", "audit.db"]
PATIENCE = 60.0
"""Seconds that anything here may take before it is broken."""
PROCESSES, THREADS, EACH = 4, 50, 4


class Together:
    """Threads of which one writes its record alone, and all others theirs together after it."""

    def __init__(self, sink: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sink = sink
        self.refused: dict[int, Exception] = {}
        self._arrived = threading.Semaphore(0)
        wait = GroupCommit._wait

        def watched(group: Any, pending: Any) -> None:
            self._arrived.release()
            wait(group, pending)

        monkeypatch.setattr(GroupCommit, "_wait", watched)

    @contextmanager
    def run(self, *acts: Callable[[], object]) -> Iterator[None]:
        """Call each in a thread; in the context all of them wait."""
        threads = [threading.Thread(target=self._try, args=(number, act)) for number, act in enumerate(acts)]
        with self.sink._chain.turn():
            threads[0].start()
            until = time.monotonic() + PATIENCE
            # It leads as soon as nothing waits and somebody leads.
            while (self.sink._group._leader is None or self.sink._group._waiting) and time.monotonic() < until:
                time.sleep(0.001)
            for thread in threads[1:]:
                thread.start()
                assert self._arrived.acquire(timeout=PATIENCE)
            yield
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _try(self, number: int, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - it is looked at
            self.refused[number] = error


def opened(path: Path) -> Any:
    return JsonLinesAudit(path, key=KEY) if path.suffix == ".jsonl" else SqlAudit(url_of(path), key=KEY)


@pytest.fixture(params=FORMS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


@pytest.fixture
def together(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Together]:
    with closing(opened(path)) as sink:
        yield Together(sink, monkeypatch)


def incidents(path: Path) -> list[str]:
    return [one.incident for one in open_reader([url_of(path)]).scan(oldest_first=True)]


def writing(sink: Any, *names: str) -> list[Callable[[], None]]:
    return [lambda name=name: sink.write(record(name)) for name in names]  # type: ignore[misc]


def test_ten_records_take_two_trips_to_the_disk(
    together: Together, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[object] = []
    sync = os.fsync

    def synced(descriptor: int) -> None:
        trips.append(descriptor)
        sync(descriptor)

    def committed(connection: object) -> None:
        trips.append(connection)

    monkeypatch.setattr(os, "fsync", synced)
    event.listen(Engine, "commit", committed)
    try:
        with together.run(*writing(together.sink, *"abcdefghij")):
            pass
    finally:
        event.remove(Engine, "commit", committed)
    assert len(trips) == 2
    assert incidents(path) == list("abcdefghij")
    done = verified(url_of(path))
    assert (done.holds, [one.last_seq for one in done.writers], together.refused) == (True, [10], {})


def test_a_record_that_cannot_be_written_is_refused_alone(together: Together, path: Path) -> None:
    bad = replace(record("bad"), explanation=[{"check": b"octets"}])  # type: ignore[dict-item]
    with together.run(
        *writing(together.sink, "a", "b"), lambda: together.sink.write(bad), *writing(together.sink, "c")
    ):
        pass
    assert list(together.refused) == [2]
    assert isinstance(together.refused[2], TypeError)
    assert incidents(path) == ["a", "b", "c"]
    assert verified(url_of(path)).holds
    together.sink.write(record("d"))


@pytest.mark.parametrize("path", ["audit.db"], indirect=True)
@pytest.mark.parametrize(
    ("name", "reason"), [("a", "UNIQUE constraint failed: audit.incident"), ("\ud800", "'utf-8' codec can't encode")]
)
def test_a_record_that_the_database_does_not_take_is_refused_alone(
    together: Together, path: Path, name: str, reason: str
) -> None:
    with together.run(*writing(together.sink, "a", "b", name, "c")):
        pass
    assert list(together.refused) == [2]
    refusal = together.refused[2]
    assert isinstance(refusal, StoreUnavailable)
    assert reason in refusal.seen
    assert incidents(path) == ["a", "b", "c"]
    assert verified(url_of(path)).holds


@pytest.mark.parametrize("path", ["audit.db"], indirect=True)
def test_an_amendment_of_nothing_is_refused_alone_and_costs_no_chain(together: Together, path: Path) -> None:
    def amend(incident: str) -> Callable[[], None]:
        return lambda: together.sink.amend(incident, "error", 1.0)

    with together.run(*writing(together.sink, "a", "b"), amend("gone"), amend("b"), amend("a"), amend("c")):
        pass
    assert sorted(together.refused) == [2, 5]
    refusal = together.refused[2]
    assert isinstance(refusal, StoreUnavailable)
    assert refusal.seen == f"{url_of(path)}: no record of incident gone to amend"
    assert [one.outcome for one in open_reader([url_of(path)]).read()] == ["error", "error"]
    assert [one.last_seq for one in verified(url_of(path)).writers] == [4]


def test_closing_keeps_what_waits_and_what_comes_later_is_a_new_writers(together: Together, path: Path) -> None:
    with together.run(*writing(together.sink, "a", "b"), together.sink.close, *writing(together.sink, "c")):
        pass
    assert (incidents(path), together.refused) == (["a", "b", "c"], {})
    done = verified(url_of(path))
    assert done.holds
    assert [(one.last_seq, one.closed) for one in done.writers] == [(3, True), (1, False)]


@pytest.mark.parametrize("path", ["audit.jsonl"], indirect=True)
def test_a_full_disk_refuses_all_that_were_to_be_written_with_one_write(
    together: Together, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda to, octets: write(to, octets[:2000]))
    with together.run(*writing(together.sink, *"abcdef")):
        pass
    monkeypatch.undo()
    assert sorted(together.refused) == [1, 2, 3, 4, 5]
    assert {type(refusal) for refusal in together.refused.values()} == {StoreUnavailable}
    together.sink.write(record("later"))
    assert incidents(path)[-1] == "later"
    assert flaws(verified(url_of(path))) == {"unreadable"}


@pytest.mark.parametrize("path", ["audit.jsonl"], indirect=True)
def test_what_is_no_file_takes_each_line_by_itself(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    written: list[bytes] = []
    write = os.write

    def noted(descriptor: int, octets: bytes) -> int:
        written.append(octets)
        return write(descriptor, octets)

    try:
        sink = JsonLinesAudit(path, key=KEY)
        monkeypatch.setattr(os, "write", noted)
        with Together(sink, monkeypatch).run(*writing(sink, "a", "b", "c")):
            pass
        monkeypatch.undo()
    finally:
        os.close(reading)
    assert [json.loads(line)["incident"] for line in written] == ["a", "b", "c"]


# --- Many processes and threads ---------------------------------------------------------------------------------------


def write_many(url: str, name: int, start: Barrier) -> None:
    sink = SqlAudit(url, key=KEY, busy_timeout=PATIENCE, deadline=PATIENCE, retention=timedelta(days=90))
    sink._due = 0.0

    def work(thread: int) -> None:
        for number in range(EACH):
            sink.write(record(f"{name} {thread} {number}", datetime.now(UTC)))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    start.wait()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    sink.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else url_of(tmp_path / "a.db")


def test_of_four_processes_with_fifty_threads_each_record_is_there_once_and_in_order(url: str) -> None:
    """What is too old goes meanwhile."""
    old = datetime.now(UTC) - timedelta(days=100)
    with closing(SqlAudit(url, key=KEY)) as earlier:
        earlier._keep([record_content(record(f"old {number}", old), TIMESPEC) for number in range(1000)])
    start = SPAWN.Barrier(PROCESSES)
    processes = [SPAWN.Process(target=write_many, args=(url, name, start)) for name in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    found = [one.incident for one in open_reader([url]).scan(oldest_first=True)]
    kept = [incident for incident in found if not incident.startswith("old")]
    assert Counter(kept) == Counter(
        f"{name} {thread} {number}" for name in range(PROCESSES) for thread in range(THREADS) for number in range(EACH)
    )
    for writer in {incident.rpartition(" ")[0] for incident in kept}:
        assert [one[-1] for one in kept if one.startswith(f"{writer} ")] == [str(number) for number in range(EACH)]
    # Each process takes 200 of the oldest away, and those that look at the same time choose the same ones.
    assert len(found) - len(kept) <= 1000 - 200
    done = verified(url)
    assert (done.holds, sum(one.closed for one in done.writers)) == (True, PROCESSES + 1)


# --- A server that does not answer ------------------------------------------------------------------------------------

DEADLINE = 1
BOUND = 2.5
"""Seconds: the deadline, one for connecting, and what a busy machine may add."""


@contextmanager
def asked(url: str) -> Iterator[Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def refused_in_time(act: Callable[[], object]) -> str:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        act()
    assert time.monotonic() - began < BOUND
    assert caught.value.setting == "audit.url"
    return caught.value.seen


def test_a_server_that_is_paused_refuses_within_the_deadline_and_is_used_again(postgres_url: str) -> None:
    with closing(open_audit([postgres_url], KEY, deadline=DEADLINE)) as sink, asked(postgres_url) as other:
        sink.write(record("1"))
        backends = text(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        stopped = other.execute(backends).scalars().all()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert refused_in_time(lambda: sink.write(record("2"))).endswith(": no answer within the deadline")
            # Another connection is another process of the server, which runs.
            sink.write(record("3"))
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        sink.write(record("4"))
    done = verified(postgres_url)
    assert (done.holds, [one.last_seq for one in done.writers]) == (True, [1, 3])


def test_a_table_that_somebody_holds_refuses_all_that_wait_within_the_deadline(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqlAudit(postgres_url, key=KEY, deadline=DEADLINE)) as sink, asked(postgres_url) as other:
        sink.write(record("1"))
        other.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
        together = Together(sink, monkeypatch)
        began = time.monotonic()
        with together.run(*writing(sink, "2", "3", "4")):
            pass
        assert time.monotonic() - began < BOUND
        assert sorted(together.refused) == [0, 1, 2]
        other.rollback()
        sink.write(record("5"))
    assert [one.incident for one in open_reader([postgres_url]).read()] == ["5", "1"]
    assert verified(postgres_url).holds


def test_other_databases_keep_their_own_settings(tmp_path: Path) -> None:
    sink = SqlAudit(url_of(tmp_path / "audit.db"), deadline=DEADLINE, busy_timeout=4.0)
    assert (sink._database._deadline, sink._group._patience) == (None, 4.0)
    sink.close()
