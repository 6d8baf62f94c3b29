"""Answers kept for a few seconds: to the last moment, the newest only, and claimed by one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from wsguard.stores.short_cache import ShortCache


def test_a_value_is_good_until_its_time_is_over_and_not_a_moment_longer() -> None:
    cache = ShortCache[str](seconds=5, size=10)
    cache.put("a", "value", 100.0)
    assert cache.get("a", 100.0) == "value"
    assert cache.get("a", 104.999) == "value"
    assert cache.get("a", 105.0) is None
    assert cache.get("b", 100.0) is None


def test_with_no_seconds_nothing_is_ever_good() -> None:
    cache = ShortCache[str](seconds=0, size=10)
    cache.put("a", "value", 100.0)
    assert cache.get("a", 100.0) is None
    assert cache.claim("a", "value", 100.0)
    assert cache.claim("a", "value", 100.0)


def test_a_value_that_is_put_again_is_the_newer_one_from_its_own_time() -> None:
    cache = ShortCache[str](seconds=5, size=10)
    cache.put("a", "old", 100.0)
    cache.put("a", "new", 103.0)
    assert cache.get("a", 107.999) == "new"
    assert len(cache) == 1


def test_the_newest_are_kept_and_no_more_than_the_size() -> None:
    cache = ShortCache[int](seconds=100, size=3)
    for number in range(5):
        cache.put(str(number), number, 100.0 + number)
    assert [cache.get(str(number), 105.0) for number in range(5)] == [None, None, 2, 3, 4]
    assert len(cache) == 3


def test_what_was_put_again_is_among_the_newest() -> None:
    cache = ShortCache[int](seconds=100, size=2)
    for at, key in enumerate("abac"):
        cache.put(key, at, 100.0 + at)
    assert (cache.get("a", 104.0), cache.get("b", 104.0), cache.get("c", 104.0)) == (2, None, 3)


def test_what_is_over_is_thrown_away_when_something_is_put() -> None:
    cache = ShortCache[int](seconds=5, size=10)
    cache.put("a", 1, 100.0)
    cache.put("b", 2, 101.0)
    cache.put("c", 3, 104.999)
    assert len(cache) == 3
    cache.put("d", 4, 105.0)
    assert len(cache) == 3
    cache.put("e", 5, 200.0)
    assert len(cache) == 1


def test_a_claim_is_won_once_within_its_seconds_and_keeps_the_value() -> None:
    cache = ShortCache[str](seconds=5, size=10)
    assert cache.claim("a", "first", 100.0) is True
    assert cache.claim("a", "second", 104.999) is False
    assert cache.get("a", 104.999) == "first"
    assert cache.claim("b", "other", 104.999) is True
    assert cache.claim("a", "third", 105.0) is True
    assert cache.get("a", 105.0) == "third"


@pytest.mark.parametrize("size", [0, 1])
def test_a_cache_of_almost_nothing_holds_almost_nothing(size: int) -> None:
    cache = ShortCache[int](seconds=5, size=size)
    cache.put("a", 1, 100.0)
    cache.put("b", 2, 100.0)
    assert (len(cache), cache.get("b", 100.0)) == (size, 2 if size else None)


def test_of_many_threads_one_wins_a_claim() -> None:
    cache = ShortCache[int](seconds=5, size=100)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda number: cache.claim("a", number, 100.0), range(200))) == 1
