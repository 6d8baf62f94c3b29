"""Clocks step ahead and back, and windows are made longer: what was accepted stays seen for an hour at least."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.messages import NOW, Token, envelope, security, sent_at, timestamp
from tests.redis_server import RunningRedis
from tests.reliability.conftest import Staged
from tests.reliability.load import fresh
from tests.reliability.scene import Scene

FEW = 8
MANY = 55
"""More than lie between two purges."""
MINUTE = timedelta(minutes=1)
BODY = f'<e:Echo xmlns:e="urn:echo"><e:text>{"0" * 16}</e:text></e:Echo>'


@pytest.fixture(params=["memory", "sqlite", "redis", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store."""
    if request.param == "redis":
        redis: RunningRedis = request.getfixturevalue("redis_server")
        return redis.url
    if request.param == "postgresql":
        postgres: str = request.getfixturevalue("postgres_url")
        return postgres
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/replay.db"


def serve(scene: Scene, ahead: timedelta = timedelta(0), count: int = FEW, life: float = 300) -> list[bytes]:
    """Messages that were accepted, with the clocks of both sides so far ahead."""
    scene.clock.now = NOW + ahead
    with sent_at(NOW + ahead):
        made = [fresh(life)[1] for _ in range(count)]
    assert {scene.post(octets).status for octets in made} == {200}
    return made


def taken(scene: Scene, octets: list[bytes]) -> int:
    return sum(scene.post(one).status == 200 for one in octets)


def test_a_clock_that_swings_by_less_than_an_hour_opens_nothing(url: str, staged: Staged) -> None:
    scene = staged(url, deadline=10)
    served = [serve(scene), serve(scene, 25 * MINUTE, MANY), serve(scene, -25 * MINUTE)]
    for ahead in (0 * MINUTE, 25 * MINUTE, -25 * MINUTE):
        scene.clock.now = NOW + ahead
        assert [taken(scene, one[:FEW]) for one in served] == [0, 0, 0]


def test_what_a_clock_that_is_days_ahead_purges_can_be_taken_once_more(staged: Staged) -> None:
    """The documented end of the promise."""
    scene = staged("memory://")
    before = serve(scene)
    serve(scene, timedelta(days=2))
    scene.clock.now = NOW
    assert taken(scene, before) == FEW


# --- replay.keep ------------------------------------------------------------------------------------------------------


LONG: dict[str, Any] = {"timestamp": {"time_to_live": 3600}, "username_token": {"time_to_live": 3600}}


def again(staged: Staged, scene: Scene, url: str, **policy: Any) -> Scene:
    """The same with another configuration, after a restart where the store outlives it; a little before the hour."""
    if url == "memory://":
        other = staged(scene.store, **policy)
    else:
        scene.close()
        other = staged(url, deadline=10, **policy)
    other.clock.now = NOW + 58 * MINUTE
    return other


def test_longer_windows_within_an_hour_revive_nothing(url: str, staged: Staged) -> None:
    scene = staged(url, deadline=10)
    before = serve(scene, life=3600)
    # What is over is removed by what comes later.
    serve(scene, 50 * MINUTE, MANY)
    scene = again(staged, scene, url, **LONG)
    assert taken(scene, before) == 0
    assert Counter(record.check for record in scene.records())["replay.nonce"] == FEW


def test_report_mode_within_an_hour_revives_nothing(url: str, staged: Staged) -> None:
    """It spares a client the Timestamp; then nothing but the nonce stands against a token without Created."""
    shop = {"name": "Shop", "username": "alice"}
    text = {"username_token": {"password_types": ["PasswordText"], "require_created": False}}
    token = Token(kind="PasswordText", parts={"Created": ""}).xml()
    scene = staged(url, deadline=10, client=[shop], **text)
    assert scene.post(envelope(security(timestamp(), token), BODY)).status == 200
    serving = staged(scene.store) if url == "memory://" else staged(url, deadline=10)
    serve(serving, 50 * MINUTE, MANY)
    reporting = {**shop, "mode": "report", "report_until": NOW.date()}
    scene = again(staged, scene, url, client=[reporting], **text)
    assert scene.post(envelope(security(token), BODY)).status == 500
    assert Counter(record.check for record in scene.records())["replay.nonce"] == 1


def test_without_keep_they_would_be(staged: Staged, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/replay.db"
    scene = staged(url, keep=0)
    before = serve(scene, life=3600)
    serve(scene, 50 * MINUTE, MANY)
    scene = again(staged, scene, url, keep=0, **LONG)
    assert taken(scene, before) == FEW
