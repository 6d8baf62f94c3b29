"""What every replay store promises."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine, text

from tests.redis_server import RunningRedis
from wsguard.interfaces import FailureCounter, JointReplayStore, RememberAll, ReplayStore, all_at_once
from wsguard.stores import open_replay
from wsguard.stores.replay_memory import MemoryReplayStore

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Subject:
    store: ReplayStore
    held: Callable[[], int]
    """How many keys it holds, live or not."""
    failures_held: Callable[[], int]
    """How many failures it holds, live or not."""


def memory(request: pytest.FixtureRequest) -> Subject:
    store = MemoryReplayStore()
    return Subject(store, store.__len__, lambda: len(store._failures_by_time))


def sqlite(request: pytest.FixtureRequest) -> Subject:
    path = request.getfixturevalue("tmp_path") / "replay.db"

    def held(table: str) -> int:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    return Subject(open_replay(f"sqlite:///{path}"), lambda: held("seen"), lambda: held("failure"))


def postgresql(request: pytest.FixtureRequest) -> Subject:
    url = request.getfixturevalue("postgres_url")
    engine = create_engine(url, poolclass=NullPool)

    def held(table: str) -> int:
        with engine.connect() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    return Subject(open_replay(url), lambda: held("wsguard_seen"), lambda: held("wsguard_failure"))


def redis(request: pytest.FixtureRequest) -> Subject:
    server: RunningRedis = request.getfixturevalue("redis_server")

    def keys(client: Any, kind: str) -> list[bytes]:
        found: list[bytes] = client.keys(f"wsguard:{kind}:*")
        return found

    def held() -> int:
        with closing(server.client()) as client:
            return len(keys(client, "seen"))

    def failures_held() -> int:
        with closing(server.client()) as client:
            return sum(client.zcard(key) for key in keys(client, "failures"))

    return Subject(open_replay(server.url), held, failures_held)


MAKERS = {"memory": memory, "sqlite": sqlite, "postgresql": postgresql, "redis": redis}
BY_THE_CALLERS_CLOCK = ("memory", "postgresql", "sqlite")
"""Those that forget when their caller's clock says so. Redis has a clock of its own, and may keep a key for longer."""


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    made = MAKERS[request.param](request)
    yield made
    made.store.close()


@pytest.fixture
def store(subject: Subject) -> ReplayStore:
    return subject.store


every_store = pytest.mark.parametrize("subject", sorted(MAKERS), indirect=True)
stores_by_the_callers_clock = pytest.mark.parametrize("subject", BY_THE_CALLERS_CLOCK, indirect=True)


@every_store
class TestReplayContract:
    def test_it_is_a_replay_store(self, store: ReplayStore) -> None:
        assert isinstance(store, ReplayStore)

    def test_a_key_is_new_once(self, store: ReplayStore) -> None:
        answers = [store.remember(b"key", NOW + SECOND, NOW) for _ in range(3)]
        assert answers == [True, False, False]

    def test_keys_are_compared_exactly(self, store: ReplayStore) -> None:
        keys = [b"", b"a", b"A", b"a\0", b"\0a", b"1", b"\xff" * 64, b"\xff" * 63]
        assert [store.remember(key, NOW + SECOND, NOW) for key in keys] == [True] * len(keys)
        assert [store.remember(key, NOW + SECOND, NOW) for key in keys] == [False] * len(keys)

    def test_a_key_is_kept_at_exactly_its_time(self, store: ReplayStore) -> None:
        store.remember(b"key", NOW + SECOND, NOW)
        assert store.remember(b"key", NOW + SECOND, NOW + SECOND) is False

    @pytest.mark.parametrize("year", [1, 1969, 9999])
    def test_any_time_can_be_remembered(self, store: ReplayStore, year: int) -> None:
        moment = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, tzinfo=UTC)
        assert [store.remember(b"key", moment, moment) for _ in range(2)] == [True, False]

    def test_of_fifty_threads_exactly_one_is_told_true(self, store: ReplayStore) -> None:
        keys = [b"key %d" % number for number in range(10)]
        told: Counter[bytes] = Counter()
        start = threading.Barrier(50)

        def work() -> None:
            start.wait()
            won = [key for key in keys if store.remember(key, NOW + SECOND, NOW)]
            told.update(won)

        threads = [threading.Thread(target=work) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert told == dict.fromkeys(keys, 1)

    def test_a_live_key_outlives_every_purge(self, store: ReplayStore) -> None:
        store.remember(b"live", NOW + timedelta(hours=1), NOW)
        for number in range(2_000):
            now = NOW + number * SECOND
            assert store.remember(b"short %d" % number, now + SECOND, now) is True
        assert store.remember(b"live", NOW + timedelta(hours=1), NOW + timedelta(hours=1)) is False

    def test_a_late_caller_still_finds_what_was_kept_at_its_time(self, store: ReplayStore) -> None:
        store.remember(b"key", NOW, NOW)
        for number in range(200):
            store.remember(b"ahead %d" % number, NOW + 99 * SECOND, NOW + 60 * SECOND)
        assert store.remember(b"key", NOW, NOW) is False


@stores_by_the_callers_clock
class TestForgetting:
    def test_a_key_is_forgotten_a_microsecond_after_its_time(self, store: ReplayStore) -> None:
        store.remember(b"key", NOW + SECOND, NOW)
        assert store.remember(b"key", NOW + 3 * SECOND, NOW + SECOND + MICROSECOND) is True

    def test_a_key_remembered_again_is_kept_until_its_new_time(self, store: ReplayStore) -> None:
        store.remember(b"key", NOW + SECOND, NOW)
        store.remember(b"key", NOW + 5 * SECOND, NOW + 2 * SECOND)
        assert store.remember(b"key", NOW + 9 * SECOND, NOW + 5 * SECOND) is False
        assert store.remember(b"key", NOW + 9 * SECOND, NOW + 5 * SECOND + MICROSECOND) is True

    def test_a_refused_call_does_not_prolong(self, store: ReplayStore) -> None:
        store.remember(b"key", NOW + SECOND, NOW)
        store.remember(b"key", NOW + 99 * SECOND, NOW)
        assert store.remember(b"key", NOW + 99 * SECOND, NOW + 2 * SECOND) is True

    def test_times_are_compared_across_zones(self, store: ReplayStore) -> None:
        east = timezone(timedelta(hours=5, minutes=30))
        store.remember(b"key", (NOW + SECOND).astimezone(east), NOW)
        assert store.remember(b"key", NOW + SECOND, (NOW + SECOND).astimezone(east)) is False
        assert store.remember(b"key", NOW + SECOND, (NOW + 2 * SECOND).astimezone(east)) is True

    def test_what_expired_does_not_pile_up(self, subject: Subject) -> None:
        for number in range(2_000):
            now = NOW + number * SECOND
            subject.store.remember(b"key %d" % number, now + SECOND, now)
        # 60 of the last minute, 2 live, 50 between two purges.
        assert subject.held() <= 115

    def test_one_key_remembered_again_and_again_is_held_once(self, subject: Subject) -> None:
        for number in range(300):
            now = NOW + number * 2 * SECOND
            assert subject.store.remember(b"key", now + SECOND, now) is True
        assert subject.held() == 1


@pytest.fixture
def remember_all(store: ReplayStore) -> RememberAll:
    return all_at_once(store)


@every_store
class TestSeveralAtOnce:
    def test_keys_that_are_all_new_are_remembered(self, store: ReplayStore, remember_all: RememberAll) -> None:
        assert remember_all([b"a", b"b", b"c"], NOW + SECOND, NOW) is True
        assert [store.remember(key, NOW + SECOND, NOW) for key in (b"a", b"b", b"c")] == [False] * 3
        assert store.remember(b"d", NOW + SECOND, NOW) is True

    @pytest.mark.parametrize("seen", [[b"a"], [b"b"], [b"a", b"b"]])
    def test_one_key_that_was_seen_is_enough(
        self, store: ReplayStore, remember_all: RememberAll, seen: list[bytes]
    ) -> None:
        assert [store.remember(key, NOW + SECOND, NOW) for key in seen] == [True] * len(seen)
        assert remember_all([b"a", b"b"], NOW + SECOND, NOW + SECOND) is False

    def test_those_that_share_one_key_are_taken_once(self, remember_all: RememberAll) -> None:
        assert remember_all([b"a", b"b"], NOW + SECOND, NOW) is True
        for shared in ([b"a", b"x"], [b"y", b"a"], [b"b", b"z"], [b"b", b"a"]):
            assert remember_all(shared, NOW + SECOND, NOW) is False

    def test_a_key_that_stands_there_twice_was_seen(self, remember_all: RememberAll) -> None:
        assert remember_all([b"a", b"a"], NOW + SECOND, NOW) is False

    def test_one_key_alone_is_new_once(self, remember_all: RememberAll) -> None:
        assert [remember_all([b"a"], NOW + SECOND, NOW) for _ in range(2)] == [True, False]

    def test_of_fifty_threads_at_most_one_of_those_that_share_a_key_is_told_true(
        self, remember_all: RememberAll
    ) -> None:
        """Thread n has the keys n and n + 1, so that each key is that of two; ten threads have the same two."""
        pairs = [(b"key %d" % (n // 10), b"key %d" % (n // 10 + 1)) for n in range(50)]
        told: Counter[bytes] = Counter()
        start = threading.Barrier(len(pairs))

        def work(pair: tuple[bytes, bytes]) -> None:
            start.wait()
            if remember_all(pair, NOW + SECOND, NOW):
                told.update(pair)

        threads = [threading.Thread(target=work, args=(pair,)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(told.values()) == {1}


@stores_by_the_callers_clock
class TestForgettingSeveral:
    def test_they_are_forgotten_a_microsecond_after_their_time(self, remember_all: RememberAll) -> None:
        remember_all([b"a", b"b"], NOW + SECOND, NOW)
        assert remember_all([b"a", b"b"], NOW + 3 * SECOND, NOW + SECOND) is False
        assert remember_all([b"a", b"b"], NOW + 3 * SECOND, NOW + SECOND + MICROSECOND) is True
        assert remember_all([b"a", b"b"], NOW + 9 * SECOND, NOW + 3 * SECOND) is False

    def test_what_expired_does_not_pile_up(self, subject: Subject, remember_all: RememberAll) -> None:
        for number in range(1_000):
            now = NOW + number * SECOND
            remember_all([b"key %d" % number, b"other %d" % number], now + SECOND, now)
        # 120 of the last minute, 4 live, 50 between two purges.
        assert subject.held() <= 175


@pytest.mark.parametrize("subject", ["sqlite"], indirect=True)
def test_sqlite_needs_one_call_for_several_keys(store: ReplayStore) -> None:
    assert isinstance(store, JointReplayStore)


@pytest.fixture
def counter(store: ReplayStore) -> FailureCounter:
    assert isinstance(store, FailureCounter)
    return store


@every_store
class TestFailureContract:
    def test_every_failure_counts_for_its_own_key(self, counter: FailureCounter) -> None:
        for key in (b"a", b"b", b"a", b"A", b"a"):
            counter.add_failure(key, NOW + SECOND, NOW)
        assert [counter.failures(key, NOW) for key in (b"a", b"b", b"A", b"", b"a\0")] == [3, 1, 1, 0, 0]

    def test_a_failure_is_remembered_at_exactly_its_time_and_not_a_microsecond_longer(
        self, counter: FailureCounter
    ) -> None:
        counter.add_failure(b"key", NOW + SECOND, NOW)
        counter.add_failure(b"key", NOW + 2 * SECOND, NOW)
        moments = (NOW, NOW + SECOND, NOW + SECOND + MICROSECOND, NOW + 2 * SECOND, NOW + 2 * SECOND + MICROSECOND)
        assert [counter.failures(b"key", moment) for moment in moments] == [2, 2, 1, 1, 0]

    def test_failures_and_what_was_seen_are_kept_apart(self, store: ReplayStore, counter: FailureCounter) -> None:
        counter.add_failure(b"key", NOW + SECOND, NOW)
        assert store.remember(b"key", NOW + SECOND, NOW) is True
        assert counter.failures(b"key", NOW) == 1

    def test_of_fifty_threads_every_failure_counts(self, counter: FailureCounter) -> None:
        start = threading.Barrier(50)

        def work() -> None:
            start.wait()
            for _ in range(10):
                counter.add_failure(b"key", NOW + SECOND, NOW)

        threads = [threading.Thread(target=work) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counter.failures(b"key", NOW) == 500

    def test_a_live_failure_outlives_every_purge(self, counter: FailureCounter) -> None:
        counter.add_failure(b"key", NOW + timedelta(hours=1), NOW)
        for number in range(1_000):
            now = NOW + number * SECOND
            counter.add_failure(b"key" if number % 2 else b"other", now + SECOND, now)
        assert counter.failures(b"key", NOW + timedelta(hours=1)) == 1

    def test_failures_that_are_over_do_not_pile_up(self, subject: Subject, counter: FailureCounter) -> None:
        for number in range(1_000):
            now = NOW + number * SECOND
            counter.add_failure(b"key %d" % (number % 7), now + SECOND, now)
        # As for keys: 60 of the last minute, 2 live, 50 between two purges.
        assert subject.failures_held() <= 115


Call = tuple[bytes, int, int]
CALLS = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(-5, 20), st.integers(0, 12)), min_size=1, max_size=60
)


@stores_by_the_callers_clock
class TestReplayModel:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(calls=CALLS, step=st.sampled_from([MICROSECOND, SECOND, timedelta(minutes=5)]))
    def test_it_answers_as_a_dictionary_of_times_would(
        self, store: ReplayStore, calls: list[Call], step: timedelta
    ) -> None:
        """Each call: a key, its life and the time passed since the call before, in steps."""
        kept: dict[bytes, datetime] = {}
        now, example = NOW, uuid4().bytes
        for key, life, passed in calls:
            now += passed * step
            expected = key not in kept or kept[key] < now
            if expected:
                kept[key] = now + life * step
            assert store.remember(example + key, now + life * step, now) is expected
