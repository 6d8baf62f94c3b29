"""What users in a database promise beyond the contract: secrets, keys, the cache, processes, forks and failures."""

import logging
import multiprocessing
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, event, text

from wsguard.faults import StoreUnavailable
from wsguard.interfaces import User
from wsguard.stores.secrets_at_rest import MasterKeys, WrongMasterKey, new_master_key
from wsguard.stores.short_cache import ShortCache
from wsguard.stores.users_sql import NoSuchUser, SqlUserStore

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY, OTHER = new_master_key(), new_master_key()
SECRET = "hunter2 & żółw"
SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Subject:
    """A table, its URL, the clock of its caches, and the queries that were sent."""

    url: str
    store: SqlUserStore = field(init=False)
    time: float = 0.0
    queries: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqlUserStore(self.url, [KEY], busy_timeout=0.3, clock=lambda: self.time)

        def note(connection: object, cursor: object, statement: str, *_: object) -> None:
            if "wsguard_users" in statement:
                self.queries.append(statement.split(maxsplit=1)[0])

        event.listen(self.store._database._engine, "before_cursor_execute", note)

    def opened(self, *keys: str) -> SqlUserStore:
        """Another object for the same table, without a cache."""
        return SqlUserStore(self.url, keys or [KEY], cache_seconds=0, busy_timeout=0.3)

    def execute(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Run a statement as somebody who can write the table."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            done = connection.execute(text(statement), values)
            rows = [tuple(row) for row in done] if done.returns_rows else []
        engine.dispose()
        return rows


@pytest.fixture(params=["sqlite", "postgres"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else f"sqlite:///{tmp_path}/users.db"
    made = Subject(url)
    yield made
    made.store.close()


@pytest.fixture
def store(subject: Subject) -> SqlUserStore:
    return subject.store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "users.db"


class TestUsers:
    def test_a_user_is_added_and_found(self, store: SqlUserStore) -> None:
        store.add("alice", SECRET, services=["Members", "Books"])
        assert store.find("alice") == User("alice", SECRET.encode(), services=frozenset({"Members", "Books"}))

    def test_a_user_of_password_text_only_is_kept_as_a_hash(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET, text_only=True)
        found = subject.store.find("alice")
        assert found is not None
        assert found.password is None
        assert found.password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert subject.execute("SELECT secret FROM wsguard_users") == [(None,)]

    def test_a_hash_needs_argon2(self, store: SqlUserStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "argon2", None)
        monkeypatch.delitem(sys.modules, "wsguard.stores.argon2_verifier", raising=False)
        message = r"^users of PasswordText only need argon2-cffi: pip install wsguard\[argon2\]$"
        with pytest.raises(ValueError, match=message):
            store.add("alice", SECRET, text_only=True)
        store.add("alice", SECRET)

    def test_whether_there_are_hashes_is_told(self, store: SqlUserStore) -> None:
        store.add("alice", SECRET)
        assert store.has_hashes() is False
        store.add("bob", SECRET, text_only=True)
        assert store.has_hashes() is True

    def test_a_user_is_disabled_and_enabled(self, store: SqlUserStore) -> None:
        store.add("alice", SECRET)
        store.set_enabled("alice", False)
        assert store.find("alice") == User("alice", SECRET.encode(), enabled=False)
        store.set_enabled("alice", True)
        assert store.find("alice") == User("alice", SECRET.encode())

    def test_a_removed_user_is_nobody(self, store: SqlUserStore) -> None:
        store.add("alice", SECRET)
        assert store.find("alice") is not None
        store.remove("alice")
        assert store.find("alice") is None

    def test_another_password_is_kept_as_the_old_one_was(self, store: SqlUserStore) -> None:
        store.add("alice", SECRET)
        store.add("bob", SECRET, text_only=True)
        before = store.find("bob")
        for name in ("alice", "bob"):
            store.set_password(name, "another")
        after = store.find("bob")
        assert store.find("alice") == User("alice", b"another")
        assert before is not None
        assert after is not None
        assert after.password is None
        assert after.password_hash != before.password_hash

    @pytest.mark.parametrize("name", ["nobody", "", "a\0", "\ud800", "x" * 257])
    def test_nobody_cannot_be_changed(self, store: SqlUserStore, name: str) -> None:
        with pytest.raises(NoSuchUser, match=r"^there is no user "):
            store.set_enabled(name, False)
        with pytest.raises(NoSuchUser, match=r"^there is no user "):
            store.remove(name)
        with pytest.raises(NoSuchUser, match=r"^there is no user "):
            store.set_password(name, "x")

    @pytest.mark.parametrize("name", ["", "a\0", "a\nb", "a\x7f", "\ud800", "x" * 257])
    def test_a_name_that_no_message_can_have_is_refused(self, store: SqlUserStore, name: str) -> None:
        with pytest.raises(ValueError, match=r"a name has 1 to 256 characters and no control character$"):
            store.add(name, SECRET)
        assert store.entries() == ()

    def test_the_longest_name_is_taken(self, store: SqlUserStore) -> None:
        store.add("ż" * 256, SECRET)
        assert store.find("ż" * 256) is not None
        assert store.find("ż" * 255) is None

    @pytest.mark.parametrize("password", ["", "hunter2\ud800"])
    def test_an_impossible_password_is_refused_and_not_quoted(self, store: SqlUserStore, password: str) -> None:
        store.add("bob", "x")
        for name, act in (("alice", store.add), ("bob", store.set_password)):
            with pytest.raises(ValueError, match=r": the password is empty, or holds half a surrogate pair$") as caught:
                act(name, password)
            assert "hunter2" not in f"{caught.value}{caught.value.__context__}"

    def test_a_name_is_taken_once(self, store: SqlUserStore) -> None:
        store.add("alice", SECRET)
        with pytest.raises(ValueError, match=r"^there already: 'alice'; nothing was changed$"):
            store.add("alice", "other")
        assert store.find("alice") == User("alice", SECRET.encode())

    def test_users_are_listed_by_name_and_without_secrets(self, store: SqlUserStore) -> None:
        before = datetime.now(UTC)
        store.add("bob", SECRET, text_only=True, services=["B", "A"])
        store.add("alice", SECRET)
        store.set_enabled("alice", False)
        alice, bob = store.entries()
        assert (alice.name, alice.kind, alice.enabled, alice.services) == ("alice", "digest", False, ())
        assert (bob.name, bob.kind, bob.enabled, bob.services) == ("bob", "text-only", True, ("A", "B"))
        assert before <= bob.created <= alice.created <= datetime.now(UTC)
        assert bob.last_seen is None
        assert "hunter2" not in repr((alice, bob, store.find("alice"), store))


class TestImport:
    def test_users_are_imported_with_everything(self, store: SqlUserStore) -> None:
        users = [User("a", b"x"), User("b", b"\xff\0", enabled=False, services=frozenset({"S"}))]
        assert store.import_users(users) == 2
        assert [store.find(user.name) for user in users] == users

    def test_all_are_imported_or_none(self, store: SqlUserStore) -> None:
        store.add("b", SECRET)
        store.add("c", SECRET)
        for users, message in (
            ([User("a", b"x"), User("c", b"x"), User("b", b"x")], "there already: 'b', 'c'; nothing was changed"),
            ([User("a", b"x"), User("a", b"y")], "given twice: 'a'; nothing was changed"),
            ([User("a", b"x"), User("d", None)], "'d': the password is missing or empty"),
        ):
            with pytest.raises(ValueError) as caught:  # noqa: PT011
                store.import_users(users)
            assert str(caught.value) == message
        assert [entry.name for entry in store.entries()] == ["b", "c"]

    def test_no_users_are_legal(self, store: SqlUserStore) -> None:
        assert store.import_users([]) == 0
        assert store.entries() == ()


class TestSecretsAtRest:
    def test_nothing_readable_lies_in_the_database(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.add("bob", SECRET, text_only=True)
        lying = repr(subject.execute("SELECT * FROM wsguard_users"))
        assert "alice" in lying
        assert not any(word in lying for word in ("hunter2", SECRET, KEY))

    def test_no_file_of_sqlite_holds_a_password(self, path: Path) -> None:
        with closing(SqlUserStore(f"sqlite:///{path}", [KEY])) as store:
            store.add("alice", SECRET)
            octets = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert b"alice" in octets
        assert SECRET.encode() not in octets

    def test_a_secret_in_the_row_of_another_opens_for_nobody(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.add("mallory", "mine")
        subject.execute(
            "UPDATE wsguard_users SET secret = (SELECT secret FROM wsguard_users WHERE name = 'mallory')"
            " WHERE name = 'alice'"
        )
        with pytest.raises(StoreUnavailable) as caught:
            subject.store.find("alice")
        assert caught.value.seen.endswith("the row of 'alice' has a password that was sealed for somebody else")

    def test_the_keys_are_rotated(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.add("bob", SECRET, text_only=True)
        with closing(subject.opened(OTHER, KEY)) as both:
            assert both.find("alice") == User("alice", SECRET.encode())
            both.add("carol", "new")
            assert both.rekey() == 2
        with closing(subject.opened(OTHER)) as new:
            assert [new.find(name) for name in ("alice", "carol")] == [
                User("alice", SECRET.encode()),
                User("carol", b"new"),
            ]
        with pytest.raises(ValueError, match=r"the master key is not the one that the table of users was made with$"):
            subject.opened(KEY)

    def test_an_empty_table_is_rekeyed_too(self, subject: Subject) -> None:
        with closing(subject.opened(OTHER, KEY)) as both:
            assert both.rekey() == 0
        subject.opened(OTHER).close()

    def test_a_secret_that_does_not_open_stops_a_rekeying_whole(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.add("bob", SECRET)
        before = subject.execute("SELECT name, secret FROM wsguard_users WHERE name = 'alice'")
        subject.execute("UPDATE wsguard_users SET secret = 'gAAAAA' WHERE name = 'bob'")
        refused = pytest.raises(ValueError, match=r"^the password of 'bob' was sealed under another master key")
        with closing(subject.opened(OTHER, KEY)) as both, refused:
            both.rekey()
        assert subject.execute("SELECT name, secret FROM wsguard_users WHERE name = 'alice'") == before
        subject.opened(KEY).close()

    def test_a_user_under_a_key_that_is_not_known_yet_is_refused_and_others_are_not(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        with closing(subject.opened(OTHER, KEY)) as both:
            both.add("carol", "new")
        assert subject.store.find("alice") is not None
        with pytest.raises(StoreUnavailable) as caught:
            subject.store.find("carol")
        assert "the row of 'carol' has a password that was sealed under another master key" in caught.value.seen


class TestMasterKeys:
    @pytest.mark.parametrize("keys", [[], (), "", KEY], ids=["list", "tuple", "text", "one as a text"])
    def test_at_least_one_is_needed(self, path: Path, keys: list[str]) -> None:
        with pytest.raises(ValueError, match=r"^a master key is needed: make one with: wsguard users new-key$"):
            SqlUserStore(f"sqlite:///{path}", keys)
        assert not path.exists()

    @pytest.mark.parametrize("bad", ["hunter2", "", "żółw", KEY[:-4], KEY + "AAAA", "=" * 44], ids=range(6))
    def test_what_is_no_key_is_refused_and_not_quoted(self, path: Path, bad: str) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            SqlUserStore(f"sqlite:///{path}", [KEY, bad])
        assert str(caught.value) == "master key 2 is no key: make one with: wsguard users new-key"
        assert caught.value.__context__ is None
        assert not path.exists()

    @pytest.mark.usefixtures("store")
    def test_a_wrong_one_is_told_at_the_start(self, subject: Subject) -> None:
        with pytest.raises(ValueError, match=r"the master key is not the one that the table of users was made with$"):
            subject.opened(OTHER)

    def test_a_new_one_is_a_fernet_key_and_no_two_are_the_same(self) -> None:
        keys = {new_master_key() for _ in range(100)}
        assert len(keys) == 100
        assert all(Fernet(key) for key in keys)

    def test_what_was_sealed_opens_for_its_owner_alone(self) -> None:
        keys = MasterKeys([KEY])
        sealed = keys.seal("alice", b"\xff\0secret")
        assert keys.open("alice", sealed) == b"\xff\0secret"
        assert keys.seal("alice", b"\xff\0secret") != sealed
        for owner, token in (("Alice", sealed), ("", sealed), ("alice", sealed[:-4]), ("alice", ""), ("alice", "ż")):
            with pytest.raises(WrongMasterKey) as caught:
                keys.open(owner, token)
            assert "secret" not in str(caught.value)


class TestCache:
    def test_a_user_costs_one_query_in_five_seconds(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.queries.clear()
        for subject.time in (0.0, 1.0, 4.999):
            assert subject.store.find("alice") is not None
        assert subject.queries == ["SELECT"]
        subject.time = 5.0
        assert subject.store.find("alice") is not None
        assert subject.queries == ["SELECT"] * 2

    def test_a_name_that_is_nobodys_costs_one_too(self, subject: Subject) -> None:
        assert [subject.store.find("nobody") for _ in range(10)] == [None] * 10
        assert len([query for query in subject.queries if query == "SELECT"]) == 1

    def test_a_name_that_no_row_can_have_costs_none(self, subject: Subject) -> None:
        subject.queries.clear()
        assert [subject.store.find(name) for name in ("", "a\0", "\ud800", "x" * 257)] == [None] * 4
        assert subject.queries == []

    def test_whoever_is_disabled_elsewhere_is_out_within_five_seconds(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.find("alice")
        with closing(subject.opened()) as other:
            other.set_enabled("alice", False)
        subject.time = 5.0
        found = subject.store.find("alice")
        assert found is not None
        assert found.enabled is False

    def test_whoever_is_added_elsewhere_is_in_within_five_seconds(self, subject: Subject) -> None:
        assert subject.store.find("alice") is None
        with closing(subject.opened()) as other:
            other.add("alice", SECRET)
        subject.time = 5.0
        assert subject.store.find("alice") is not None

    def test_the_time_of_the_query_itself_counts(self, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a slow query found is as old as the query, not as its answer."""
        subject.store.add("alice", SECRET)
        read = subject.store._read

        def slow(name: str) -> User | None:
            subject.time += 4.0
            return read(name)

        monkeypatch.setattr(subject.store, "_read", slow)
        subject.store.find("alice")
        subject.queries.clear()
        subject.time = 5.0
        subject.store.find("alice")
        assert subject.queries == ["SELECT"]

    def test_a_database_that_is_away_lets_nobody_in_after_five_seconds(self, path: Path) -> None:
        subject = Subject(f"sqlite:///{path}")
        subject.store.add("alice", SECRET)
        assert subject.store.find("alice") is not None
        path.unlink()
        assert subject.store.find("alice") is not None
        subject.time = 5.0
        with pytest.raises(StoreUnavailable) as caught:
            subject.store.find("alice")
        assert caught.value.seen == f"sqlite:///{path}: unable to open database file"
        assert caught.value.setting == "users.url"
        assert not path.exists()

    def test_a_flood_of_names_pushes_no_user_out(self, path: Path) -> None:
        with closing(SqlUserStore(f"sqlite:///{path}", [KEY], cache_size=10, clock=lambda: 0.0)) as store:
            store.add("alice", SECRET)
            store.find("alice")
            for number in range(50):
                store.find(f"nobody {number}")
            assert store._known.get("alice", 0.0) is not None
            assert len(store._unknown) == 10


class TestShortCache:
    def test_a_value_is_good_for_its_time_and_no_longer(self) -> None:
        cache: ShortCache[int] = ShortCache(5.0, 10)
        cache.put("a", 1, 0.0)
        assert [cache.get("a", now) for now in (0.0, 4.9, 5.0)] == [1, 1, None]

    def test_only_the_newest_are_kept(self) -> None:
        cache: ShortCache[int] = ShortCache(5.0, 2)
        for number, key in enumerate("abcab"):
            cache.put(key, number, 0.0)
        assert [cache.get(key, 0.0) for key in "abc"] == [3, 4, None]
        assert len(cache) == 2

    def test_what_is_over_is_thrown_away(self) -> None:
        cache: ShortCache[int] = ShortCache(5.0, 100)
        for number in range(50):
            cache.put(str(number), number, float(number))
        assert len(cache) == 5

    def test_without_time_nothing_is_kept(self) -> None:
        cache: ShortCache[int] = ShortCache(0.0, 100)
        cache.put("a", 1, 0.0)
        assert cache.get("a", 0.0) is None
        assert len(cache) == 0

    def test_of_many_threads_one_has_the_claim(self) -> None:
        cache: ShortCache[bool] = ShortCache(5.0, 100)
        start, won = threading.Barrier(20), []

        def work() -> None:
            start.wait()
            won.append(cache.claim("a", True, 0.0))

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * 19 + [True]
        assert cache.claim("a", True, 5.0) is True


class TestLastSeen:
    def last_seen(self, subject: Subject, name: str = "alice") -> datetime | None:
        return {entry.name: entry.last_seen for entry in subject.store.entries()}[name]

    def test_it_is_kept(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.add("bob", SECRET)
        subject.store.seen("alice", NOW)
        assert self.last_seen(subject) == NOW
        assert self.last_seen(subject, "bob") is None

    def test_it_is_written_once_a_minute(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.queries.clear()
        for subject.time in range(0, 120, 10):
            subject.store.seen("alice", NOW + timedelta(seconds=subject.time))
        assert subject.queries == ["UPDATE"] * 2
        assert self.last_seen(subject) == NOW + MINUTE

    def test_another_process_that_wrote_just_now_is_enough(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.seen("alice", NOW)
        with closing(subject.opened()) as other:
            other.seen("alice", NOW + MINUTE / 2)
        assert self.last_seen(subject) == NOW

    def test_it_never_goes_back(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        subject.store.seen("alice", NOW)
        subject.time = 100
        subject.store.seen("alice", NOW - MINUTE)
        assert self.last_seen(subject) == NOW

    def test_nobody_is_not_added(self, store: SqlUserStore) -> None:
        store.seen("nobody", NOW)
        assert store.entries() == ()

    def test_a_database_that_is_away_is_logged_and_fails_no_request(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with closing(SqlUserStore(f"sqlite:///{path}", [KEY])) as store:
            store.add("alice", SECRET)
            path.unlink()
            with caplog.at_level(logging.WARNING, "wsguard.users"):
                store.seen("alice", NOW)
                store.seen("alice", NOW)
        assert [record.getMessage() for record in caplog.records] == [
            f"when 'alice' was last seen could not be noted: sqlite:///{path}: unable to open database file"
        ]

    def test_a_table_that_somebody_else_holds_is_not_waited_for(
        self, subject: Subject, caplog: pytest.LogCaptureFixture
    ) -> None:
        subject.store.add("alice", SECRET)
        engine = create_engine(subject.url)
        with engine.begin() as connection, caplog.at_level(logging.WARNING, "wsguard.users"):
            connection.execute(text("UPDATE wsguard_users SET services = '[]'"))
            subject.store.seen("alice", NOW)
        engine.dispose()
        (record,) = caplog.records
        assert "locked" in record.getMessage() or "lock timeout" in record.getMessage()
        assert self.last_seen(subject) is None


def open_and_add(url: str, key: str, number: int, start: Barrier) -> None:
    start.wait()
    with closing(SqlUserStore(url, [key])) as store:
        store.add(f"user {number}", SECRET)


def in_child(act: Callable[[], int]) -> int:
    """Run ``act`` in a forked process; its return value is the exit status, 99 where it raised."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 99
    try:
        status = int(act())
    finally:
        os._exit(status)


class TestSeveralProcesses:
    @pytest.mark.parametrize("kind", ["sqlite", "postgres"])
    def test_four_that_start_at_once_make_one_table(
        self, request: pytest.FixtureRequest, path: Path, kind: str
    ) -> None:
        url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{path}"
        start = SPAWN.Barrier(4)
        processes = [SPAWN.Process(target=open_and_add, args=(url, KEY, number, start)) for number in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        with closing(SqlUserStore(url, [KEY])) as store:
            assert [entry.name for entry in store.entries()] == [f"user {number}" for number in range(4)]

    def test_a_forked_child_has_connections_of_its_own(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)

        def child() -> int:
            subject.store.set_enabled("alice", False)
            found = subject.store.find("alice")
            return found is not None and not found.enabled

        assert in_child(child) == 1
        subject.store.set_enabled("alice", True)
        assert subject.store.find("alice") == User("alice", SECRET.encode())

    def test_a_child_forked_while_a_thread_works_can_use_it(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with subject.store._database.look(), subject.store._known._lock:
                held.set()
                done.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        status = in_child(lambda: subject.store.find("alice") is not None)
        done.set()
        thread.join()
        assert status == 1

    def test_threads_can_go_on_while_others_fork(self, subject: Subject) -> None:
        subject.store.add("alice", SECRET)
        found: list[User | None] = []

        def work() -> None:
            for subject.time in range(0, 500, 10):
                found.append(subject.store.find("alice"))

        thread = threading.Thread(target=work)
        thread.start()
        statuses = [in_child(lambda: subject.store.find("alice") is not None) for _ in range(5)]
        thread.join()
        assert statuses == [1] * 5
        assert found == [User("alice", SECRET.encode())] * 50


class TestOpening:
    def test_only_its_owner_can_read_it(self, path: Path) -> None:
        with closing(SqlUserStore(f"sqlite:///{path}", [KEY])) as store, store._database.transaction():
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {"users.db": 0o600, "users.db-wal": 0o600, "users.db-shm": 0o600}

    def test_it_is_in_wal_mode_and_nothing_stays_behind(self, path: Path) -> None:
        with closing(SqlUserStore(f"sqlite:///{path}", [KEY])) as store:
            store.add("alice", SECRET)
            with closing(sqlite3.connect(path)) as connection:
                assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert [file.name for file in path.parent.iterdir()] == ["users.db"]

    def test_a_file_put_in_its_place_is_the_one_that_is_used(self, path: Path) -> None:
        subject = Subject(f"sqlite:///{path}")
        subject.store.add("alice", SECRET)
        for file in list(path.parent.iterdir()):
            file.unlink()
        with closing(subject.opened()) as other:
            other.add("bob", SECRET)
        assert [subject.store.find(name) is not None for name in ("alice", "bob")] == [False, True]
        subject.store.close()

    def test_a_fork_finds_no_connection(self, path: Path) -> None:
        def held() -> int:
            links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
            return sum(str(link).startswith(str(path)) for link in links)

        with closing(SqlUserStore(f"sqlite:///{path}", [KEY])) as store:
            store.find("alice")
            assert held() > 0
            assert in_child(held) == 0

    def test_a_missing_directory_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            SqlUserStore(f"sqlite:///{tmp_path}/missing/users.db", [KEY])
        assert caught.value.seen == f"{tmp_path}/missing/users.db: No such file or directory"
        assert caught.value.setting == "users.url"

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self, path: Path) -> None:
        path.write_bytes(b"hello " * 1000)
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            SqlUserStore(f"sqlite:///{path}", [KEY])
        assert str(caught.value) == f"{path}: file is not a database"
        assert path.read_bytes() == b"hello " * 1000

    def test_a_damaged_database_is_told_at_the_start(self, path: Path) -> None:
        with closing(SqlUserStore(f"sqlite:///{path}", [KEY])) as store:
            store.import_users(User(f"user {number}", b"x" * 100) for number in range(200))
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] + b"\xa5" * 4096 + whole[len(whole) // 2 + 4096 :])
        with pytest.raises(ValueError, match=r"users\.db: (a damaged database|database disk image is malformed)"):
            SqlUserStore(f"sqlite:///{path}", [KEY])

    def test_a_database_that_is_damaged_later_refuses(self, path: Path) -> None:
        with closing(SqlUserStore(f"sqlite:///{path}", [KEY])) as store:
            store.add("alice", SECRET)
            store._database.close()
            whole = path.read_bytes()
            path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
            with pytest.raises(StoreUnavailable) as caught:
                store.find("alice")
        assert caught.value.seen == f"sqlite:///{path}: database disk image is malformed"

    @pytest.mark.usefixtures("store")
    @pytest.mark.parametrize(
        ("version", "message"),
        [
            (2, "user tables of version 2, of a newer wsguard; known is 1"),
            (0, "user tables of version 0, of another wsguard; known is 1"),
        ],
    )
    def test_a_version_that_is_not_known_is_refused(self, subject: Subject, version: int, message: str) -> None:
        subject.execute(f"UPDATE wsguard_users_schema SET version = {version}")
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            subject.opened()
        assert str(caught.value).endswith(f": {message}")

    @pytest.mark.usefixtures("store")
    def test_a_table_without_a_version_is_refused(self, subject: Subject) -> None:
        subject.execute("DELETE FROM wsguard_users_schema")
        with pytest.raises(ValueError, match=r"user tables of version unknown, of another wsguard; known is 1$"):
            subject.opened()

    def test_a_foreign_table_of_that_name_is_refused_and_left_alone(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE wsguard_users (name)")
        with pytest.raises(StoreUnavailable) as caught:
            SqlUserStore(f"sqlite:///{path}", [KEY])
        assert caught.value.seen == f"sqlite:///{path}: table wsguard_users already exists"
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("wsguard_users",)]

    def test_a_server_that_is_away_is_told_without_the_password(self, tmp_path: Path) -> None:
        url = f"postgresql+psycopg://joe:hunter2@/x?host={tmp_path}"
        with pytest.raises(StoreUnavailable) as caught:
            SqlUserStore(url, [KEY])
        assert caught.value.seen.startswith("postgresql+psycopg://joe:***@/x: ")
        assert "hunter2" not in f"{caught.value.seen} {caught.value.__cause__}"


class TestDamagedRows:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ("secret = NULL", "has neither a password nor a hash"),
            ("services = '['", "has services that cannot be read"),
            ("services = '[1]'", "has services that cannot be read"),
            ("services = '{}'", "has services that cannot be read"),
            ("secret = ''", "has a password that was sealed under another master key, or damaged"),
        ],
    )
    def test_a_damaged_row_refuses(self, subject: Subject, change: str, message: str) -> None:
        subject.store.add("alice", SECRET)
        subject.execute(f"UPDATE wsguard_users SET {change}")
        with pytest.raises(StoreUnavailable) as caught:
            subject.store.find("alice")
        assert caught.value.seen.endswith(f": the row of 'alice' {message}")

    def test_a_lock_of_another_process_stops_no_reader(self, path: Path) -> None:
        subject = Subject(f"sqlite:///{path}")
        subject.store.add("alice", SECRET)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert subject.store.find("alice") is not None
            with pytest.raises(StoreUnavailable) as caught:
                subject.store.set_enabled("alice", False)
        assert caught.value.seen == f"sqlite:///{path}: database is locked"

    def test_a_failure_tells_nothing_of_the_row(self, subject: Subject) -> None:
        subject.execute("ALTER TABLE wsguard_users RENAME COLUMN secret TO sealed")
        with pytest.raises(StoreUnavailable) as caught:
            subject.store.add("alice", "hunter2")
        assert "hunter2" not in f"{caught.value.seen} {caught.value.__cause__}"
        assert "gAAAA" not in f"{caught.value.seen} {caught.value.__cause__}"
