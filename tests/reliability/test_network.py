"""The network between a guard and its replay store is cut, slow or silent, while messages come."""

from collections.abc import Callable, Iterator

import pytest

from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.reliability.conftest import Staged
from tests.reliability.network import Network, Weather, network_before
from tests.reliability.scene import Measured

Note = Callable[[Measured], Measured]


@pytest.fixture
def to_redis(redis: RunningRedis) -> Iterator[Network]:
    with network_before(redis.socket) as network:
        yield network


@pytest.fixture
def to_postgresql(postgresql: RunningPostgres) -> Iterator[Network]:
    with network_before(postgresql.socket) as network:
        yield network


@pytest.mark.parametrize("weather", ["silent", "cut", "half", "drip"])
class TestWeather:
    def test_redis_is_beyond_it(self, weather: Weather, to_redis: Network, staged: Staged, measured: Note) -> None:
        self._survives(weather, to_redis, staged, measured, f"redis://127.0.0.1:{to_redis.port}")

    def test_postgresql_is_beyond_it(
        self, weather: Weather, to_postgresql: Network, staged: Staged, measured: Note
    ) -> None:
        url = f"postgresql+psycopg://postgres@127.0.0.1:{to_postgresql.port}/postgres?sslmode=disable"
        self._survives(weather, to_postgresql, staged, measured, url)

    def _survives(self, weather: Weather, network: Network, staged: Staged, measured: Note, url: str) -> None:
        scene = staged(url)
        with scene.load() as load:
            network.weather = weather
            load.until(503)
            network.weather = "fair"
            # What was swallowed does not come any more.
            network.cut()
            load.until(200)
        # A drop in time for each of the three questions of a message: failures, nonce and digest.
        assert measured(scene.judge(load, deadline=3 if weather == "drip" else 1)).unavailable
