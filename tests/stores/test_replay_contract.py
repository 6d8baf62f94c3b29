"""What every replay store promises."""

import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsguard.interfaces import ReplayStore
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


def memory(directory: Path) -> Subject:
    store = MemoryReplayStore()
    return Subject(store, store.__len__)


def sqlite(directory: Path) -> Subject:
    path = directory / "replay.db"

    def held() -> int:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("SELECT count(*) FROM seen").fetchone()[0])

    return Subject(open_replay(f"sqlite:///{path}"), held)


MAKERS = {"memory": memory, "sqlite": sqlite}


@pytest.fixture(params=sorted(MAKERS))
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    made = MAKERS[request.param](tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def store(subject: Subject) -> ReplayStore:
    return subject.store


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

    def test_a_late_caller_still_finds_what_was_kept_at_its_time(self, store: ReplayStore) -> None:
        store.remember(b"key", NOW, NOW)
        for number in range(200):
            store.remember(b"ahead %d" % number, NOW + 99 * SECOND, NOW + 60 * SECOND)
        assert store.remember(b"key", NOW, NOW) is False


Call = tuple[bytes, int, int]
CALLS = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(-5, 20), st.integers(0, 12)), min_size=1, max_size=60
)


class TestReplayModel:
    @pytest.mark.parametrize("maker", sorted(MAKERS))
    @settings(max_examples=60, deadline=None)
    @given(calls=CALLS, step=st.sampled_from([MICROSECOND, SECOND, timedelta(minutes=5)]))
    def test_it_answers_as_a_dictionary_of_times_would(self, maker: str, calls: list[Call], step: timedelta) -> None:
        """Each call: a key, its life and the time passed since the call before, in steps."""
        kept: dict[bytes, datetime] = {}
        now = NOW
        with tempfile.TemporaryDirectory() as directory:
            subject = MAKERS[maker](Path(directory))
            for key, life, passed in calls:
                now += passed * step
                expected = key not in kept or kept[key] < now
                if expected:
                    kept[key] = now + life * step
                assert subject.store.remember(key, now + life * step, now) is expected
            subject.store.close()
