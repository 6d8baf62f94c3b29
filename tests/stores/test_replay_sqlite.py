"""What the SQLite replay store promises beyond the contract: processes, restarts, forks and failures."""

import multiprocessing
import os
import sqlite3
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from wsguard.faults import StoreUnavailable
from wsguard.stores.replay_sqlite import SqliteReplayStore

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
SPAWN = multiprocessing.get_context("spawn")
KEYS = [b"key %d" % number for number in range(200)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replay.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteReplayStore]:
    made = SqliteReplayStore(path, busy_timeout=0.2)
    yield made
    made.close()


def open_descriptors(path: Path) -> list[str]:
    """The files of the database at ``path`` that this process holds open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(str(path)):
            found.append(target)
    return found


def remember_all(path: Path, start: Barrier, won: "multiprocessing.Queue[list[bytes]]") -> None:
    start.wait()
    store = SqliteReplayStore(path)
    won.put([key for key in KEYS if store.remember(key, LATER, NOW)])
    store.close()


def remember_pairs(path: Path, start: Barrier, won: "multiprocessing.Queue[list[bytes]]") -> None:
    start.wait()
    with closing(SqliteReplayStore(path)) as store:
        pairs = [(KEYS[n], KEYS[n + 1]) for n in range(0, len(KEYS), 2)]
        won.put([key for pair in pairs if store.remember_all(pair, LATER, NOW) for key in pair])


def fail_often(path: Path, start: Barrier) -> None:
    start.wait()
    with closing(SqliteReplayStore(path)) as store:
        for _ in range(25):
            store.add_failure(b"key", LATER, NOW)


def first_version(path: Path) -> None:
    """The file as release 0.1 made it, with one key."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE seen (key BLOB NOT NULL PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID")
        connection.execute("CREATE INDEX seen_until ON seen (until)")
        connection.execute("INSERT INTO seen VALUES (?, ?)", (b"old", int(LATER.timestamp()) * 1_000_000))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def in_child(act: object) -> int:
    """Run ``act`` in a forked process; its return value is the exit status, 99 where it raised."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 99
    try:
        status = int(act())  # type: ignore[operator]
    finally:
        os._exit(status)


class TestSeveralProcesses:
    def test_of_four_processes_exactly_one_is_told_true(self, path: Path) -> None:
        """They also create the file at the same moment."""
        start = SPAWN.Barrier(4)
        won: multiprocessing.Queue[list[bytes]] = SPAWN.Queue()
        processes = [SPAWN.Process(target=remember_all, args=(path, start, won)) for _ in range(4)]
        for process in processes:
            process.start()
        told = Counter(key for _ in processes for key in won.get(timeout=30))
        for process in processes:
            process.join()
        assert told == dict.fromkeys(KEYS, 1)
        assert [process.exitcode for process in processes] == [0] * 4

    def test_of_four_processes_exactly_one_is_told_true_of_two_keys(self, path: Path) -> None:
        start = SPAWN.Barrier(4)
        won: multiprocessing.Queue[list[bytes]] = SPAWN.Queue()
        processes = [SPAWN.Process(target=remember_pairs, args=(path, start, won)) for _ in range(4)]
        for process in processes:
            process.start()
        told = Counter(key for _ in processes for key in won.get(timeout=30))
        for process in processes:
            process.join()
        assert told == dict.fromkeys(KEYS, 1)
        assert [process.exitcode for process in processes] == [0] * 4

    def test_what_was_seen_is_known_after_a_restart(self, path: Path) -> None:
        with closing(SqliteReplayStore(path)) as first:
            first.remember(b"key", LATER, NOW)
        with closing(SqliteReplayStore(path)) as second:
            assert second.remember(b"key", LATER, NOW) is False

    def test_nothing_is_open_before_the_first_use(self, store: SqliteReplayStore, path: Path) -> None:
        assert open_descriptors(path) == []
        store.remember(b"key", LATER, NOW)
        assert str(path) in open_descriptors(path)

    def test_a_fork_finds_no_connection(self, store: SqliteReplayStore, path: Path) -> None:
        store.remember(b"key", LATER, NOW)
        assert in_child(lambda: len(open_descriptors(path))) == 0

    def test_parent_and_forked_child_share_what_was_seen(self, store: SqliteReplayStore) -> None:
        store.remember(b"parent", LATER, NOW)

        def child() -> int:
            return 10 * store.remember(b"parent", LATER, NOW) + store.remember(b"child", LATER, NOW)

        assert in_child(child) == 1
        assert store.remember(b"child", LATER, NOW) is False
        assert store.remember(b"parent", LATER, NOW) is False

    def test_a_child_forked_while_a_thread_holds_the_store_can_use_it(self, store: SqliteReplayStore) -> None:
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with store._connection.turn():
                held.set()
                done.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        status = in_child(lambda: store.remember(b"child", LATER, NOW))
        done.set()
        thread.join()
        assert status == 1
        assert store.remember(b"child", LATER, NOW) is False

    def test_threads_can_go_on_while_others_fork(self, store: SqliteReplayStore) -> None:
        answers: list[bool] = []
        thread = threading.Thread(target=lambda: answers.extend(store.remember(key, LATER, NOW) for key in KEYS))
        thread.start()
        statuses = [in_child(lambda: store.remember(b"child", LATER, NOW)) for _ in range(5)]
        thread.join()
        assert answers == [True] * len(KEYS)
        assert statuses == [1, 0, 0, 0, 0]


class TestOpening:
    @pytest.mark.usefixtures("store")
    def test_only_its_owner_can_read_it(self, path: Path) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_files_beside_it_are_private_too(self, store: SqliteReplayStore, path: Path) -> None:
        store.remember(b"key", LATER, NOW)
        beside = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert beside == {"replay.db": 0o600, "replay.db-wal": 0o600, "replay.db-shm": 0o600}

    def test_the_mode_of_a_file_that_is_there_is_left_alone(self, path: Path) -> None:
        path.touch(0o640)
        path.chmod(0o640)
        SqliteReplayStore(path).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    @pytest.mark.usefixtures("store")
    def test_it_is_in_wal_mode(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_odd_characters_in_the_name_are_taken_as_they_are(self, tmp_path: Path) -> None:
        path = tmp_path / "a b%20c#d'é&.db"
        SqliteReplayStore(path).close()
        assert [file.name for file in tmp_path.iterdir()] == [path.name]

    def test_a_relative_path_stays_where_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with closing(SqliteReplayStore("replay.db")) as store:
            monkeypatch.chdir("/")
            assert store.remember(b"key", LATER, NOW) is True

    def test_a_missing_directory_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "missing" / "replay.db"
        with pytest.raises(StoreUnavailable) as caught:
            SqliteReplayStore(path)
        assert caught.value.seen == f"{path}: No such file or directory"
        assert caught.value.setting == "replay.url"

    def test_a_directory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            SqliteReplayStore(tmp_path)
        assert caught.value.seen == f"{tmp_path}: unable to open database file"

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self, path: Path) -> None:
        path.write_bytes(b"hello " * 1000)
        with pytest.raises(StoreUnavailable) as caught:
            SqliteReplayStore(path)
        assert caught.value.seen == f"{path}: file is not a database"
        assert path.read_bytes() == b"hello " * 1000

    def test_a_version_that_is_not_known_is_refused(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 3")
        with pytest.raises(ValueError, match="replay store of version 3, or another database; known are 1 to 2"):
            SqliteReplayStore(path)

    @pytest.mark.parametrize("version", [0, 1, 2])
    def test_a_database_of_something_else_is_refused_and_left_alone(self, path: Path, version: int) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE orders (id)")
            connection.execute(f"PRAGMA user_version = {version}")
        before = path.read_bytes()
        with pytest.raises(ValueError, match="a database of something else than the replay store"):
            SqliteReplayStore(path)
        assert path.read_bytes() == before

    def test_a_store_of_the_first_version_is_brought_up_to_date_and_forgets_nothing(self, path: Path) -> None:
        first_version(path)
        with closing(SqliteReplayStore(path)) as store:
            assert store.remember(b"old", LATER, NOW) is False
            store.add_failure(b"key", LATER, NOW)
            assert store.failures(b"key", NOW) == 1

    def test_four_processes_bring_it_up_to_date_at_once(self, path: Path) -> None:
        first_version(path)
        start = SPAWN.Barrier(4)
        processes = [SPAWN.Process(target=fail_often, args=(path, start)) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        with closing(SqliteReplayStore(path)) as store:
            assert store.failures(b"key", NOW) == 4 * 25
            assert store.remember(b"old", LATER, NOW) is False

    def test_a_file_locked_by_somebody_else_is_refused(self, path: Path) -> None:
        SqliteReplayStore(path).close()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable) as caught:
                SqliteReplayStore(path, busy_timeout=0.05)
        assert caught.value.seen == f"{path}: database is locked"


class TestFailures:
    def test_a_lock_of_another_process_refuses_until_it_is_gone(self, store: SqliteReplayStore, path: Path) -> None:
        store.remember(b"before", LATER, NOW)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable) as caught:
                store.remember(b"key", LATER, NOW)
        assert caught.value.seen == f"{path}: database is locked"
        assert store.remember(b"key", LATER, NOW) is True
        assert store.remember(b"before", LATER, NOW) is False

    def test_a_thread_that_holds_the_store_too_long_refuses_others(self, store: SqliteReplayStore, path: Path) -> None:
        caught: list[StoreUnavailable] = []

        def work() -> None:
            try:
                store.remember(b"key", LATER, NOW)
            except StoreUnavailable as fault:
                caught.append(fault)

        with store._connection.turn():
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert [fault.seen for fault in caught] == [f"{path}: busy for 0.2 s"]

    def test_a_full_disk_refuses_and_forgets_nothing(self, store: SqliteReplayStore, path: Path) -> None:
        with store._connection.turn() as connection:
            connection.execute("PRAGMA max_page_count = 8")
        kept: list[bytes] = []
        with pytest.raises(StoreUnavailable) as caught:
            for number in range(100_000):
                kept += [key for key in (b"%064d" % number,) if store.remember(key, LATER, NOW)]
        assert caught.value.seen == f"{path}: database or disk is full"
        assert len(kept) > 50
        assert not any(store.remember(key, LATER, NOW) for key in kept)

    def test_a_deleted_file_refuses_and_is_not_made_anew(self, store: SqliteReplayStore, path: Path) -> None:
        store.remember(b"key", LATER, NOW)
        path.unlink()
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as caught:
                store.remember(b"key", LATER, NOW)
            assert caught.value.seen == f"{path}: unable to open database file"
        assert not path.exists()

    def test_a_file_put_in_its_place_is_the_one_that_is_used(self, store: SqliteReplayStore, path: Path) -> None:
        store.remember(b"key", LATER, NOW)
        for file in list(path.parent.iterdir()):
            file.unlink()
        with closing(SqliteReplayStore(path)) as other:
            assert other.remember(b"other", LATER, NOW) is True
            assert store.remember(b"other", LATER, NOW) is False
            assert other.remember(b"third", LATER, NOW) is True
            assert store.remember(b"third", LATER, NOW) is False

    def test_a_damaged_file_refuses(self, path: Path) -> None:
        with closing(SqliteReplayStore(path)) as store:
            for key in KEYS:
                store.remember(key, LATER, NOW)
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
        with closing(SqliteReplayStore(path)) as store, pytest.raises(StoreUnavailable) as caught:
            store.remember(KEYS[0], LATER, NOW)
        assert caught.value.seen == f"{path}: database disk image is malformed"

    def test_a_read_only_database_refuses(self, store: SqliteReplayStore, path: Path) -> None:
        with store._connection.turn() as connection:
            connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreUnavailable) as caught:
            store.remember(b"key", LATER, NOW)
        assert caught.value.seen == f"{path}: attempt to write a readonly database"

    def test_a_closed_store_refuses(self, store: SqliteReplayStore, path: Path) -> None:
        store.close()
        with pytest.raises(StoreUnavailable) as caught:
            store.remember(b"key", LATER, NOW)
        assert caught.value.seen == f"{path}: closed"
        assert open_descriptors(path) == []


def test_it_says_how_much_it_holds(store: SqliteReplayStore) -> None:
    assert store.size() == 0
    for key in (b"one", b"two", b"one"):
        store.remember(key, LATER, NOW)
    store.add_failure(b"guess", LATER, NOW)
    assert store.size() == 2
    store.close()
    with pytest.raises(StoreUnavailable):
        store.size()
