"""A short run of the soak: the long one is ``make soak``."""

from pathlib import Path

import pytest

from bench.soak import soak


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/replay.db"
    if request.param == "redis":
        redis: str = request.getfixturevalue("redis_server").url
        return redis
    postgres: str = request.getfixturevalue("postgres_url")
    return postgres


def test_of_two_processes_with_ten_threads_each_exactly_one_is_told_that_a_nonce_is_new(url: str) -> None:
    outcome = soak(url, nonces=40, processes=2, threads=10)
    assert outcome.holds, str(outcome)
    assert outcome.attempts == 800


def test_a_store_that_tells_two_is_found_out() -> None:
    """Memory is of one process, so each of two is told that a nonce is new."""
    outcome = soak("memory://", nonces=5, processes=2, threads=3)
    assert (outcome.holds, outcome.twice, outcome.never, outcome.refused) == (False, 5, 0, 0)
