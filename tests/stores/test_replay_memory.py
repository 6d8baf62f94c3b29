"""The replay store in memory: what it forgets, when, and that it forgets nothing else."""

from datetime import timedelta

from tests.messages import NOW
from wsguard.stores.replay_memory import CLOCK_DISORDER, MemoryReplayStore

SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
OVER = NOW + SECOND + CLOCK_DISORDER
"""The last moment at which what was remembered for a second may not be forgotten."""


def test_what_is_over_is_forgotten_after_a_minute_more_and_not_before() -> None:
    store = MemoryReplayStore()
    assert store.remember(b"a", NOW + SECOND, NOW)
    assert store.remember(b"b", OVER, OVER)
    assert len(store) == 2
    assert store.remember(b"c", OVER, OVER + MICROSECOND)
    assert len(store) == 2, "a is gone, b and c are here"


def test_a_few_are_forgotten_at_each_call_so_that_none_takes_long() -> None:
    store = MemoryReplayStore()
    for number in range(10):
        assert store.remember(b"%d" % number, NOW + SECOND, NOW)
    sizes = []
    for number in range(4):
        store.remember(b"later %d" % number, OVER + 9 * SECOND, OVER + MICROSECOND)
        sizes.append(len(store))
    assert sizes == [7, 4, 3, 4]


def test_a_key_that_was_remembered_anew_is_not_forgotten_with_its_first_time() -> None:
    store = MemoryReplayStore()
    later = NOW + 2 * SECOND
    assert store.remember(b"a", NOW + SECOND, NOW)
    assert store.remember(b"a", later + timedelta(hours=1), later)
    assert not store.remember(b"a", OVER, OVER + MICROSECOND)
    assert len(store) == 1


def test_a_key_is_taken_again_a_microsecond_after_its_time() -> None:
    store = MemoryReplayStore()
    assert store.remember(b"a", NOW + SECOND, NOW)
    assert not store.remember(b"a", NOW + SECOND, NOW + SECOND)
    assert store.remember(b"a", NOW + SECOND, NOW + SECOND + MICROSECOND)


def test_failures_count_until_their_time_is_over_each_for_itself() -> None:
    store = MemoryReplayStore()
    for seconds in (1, 2, 2, 3):
        store.add_failure(b"a", NOW + seconds * SECOND, NOW)
    store.add_failure(b"b", NOW + SECOND, NOW)
    counted = [store.failures(b"a", NOW + seconds * SECOND) for seconds in (0, 1, 2, 3)]
    assert counted == [4, 4, 3, 1]
    assert store.failures(b"a", NOW + SECOND + MICROSECOND) == 3
    assert (store.failures(b"b", NOW), store.failures(b"c", NOW)) == (1, 0)


def test_failures_that_are_over_are_forgotten_one_by_one_and_no_others() -> None:
    store = MemoryReplayStore()
    store.add_failure(b"a", NOW + SECOND, NOW)
    store.add_failure(b"a", NOW + timedelta(hours=1), NOW)
    store.add_failure(b"b", NOW + SECOND, NOW)
    store.add_failure(b"c", OVER, OVER)
    assert (store.failures(b"a", NOW), store.failures(b"b", NOW)) == (2, 1), "a clock that is behind still finds them"
    store.add_failure(b"c", OVER, OVER + MICROSECOND)
    assert (store.failures(b"a", NOW), store.failures(b"b", NOW), store.failures(b"c", NOW)) == (1, 0, 2)
    store.add_failure(b"b", OVER + SECOND, OVER + SECOND)
    assert store.failures(b"b", OVER) == 1


def test_close_forgets_everything() -> None:
    store = MemoryReplayStore()
    store.remember(b"a", NOW + SECOND, NOW)
    store.add_failure(b"a", NOW + SECOND, NOW)
    store.close()
    assert (len(store), store.failures(b"a", NOW)) == (0, 0)
    assert store.remember(b"a", NOW + SECOND, NOW)
    store.add_failure(b"a", OVER, OVER + MICROSECOND)
    assert store.failures(b"a", OVER) == 1
