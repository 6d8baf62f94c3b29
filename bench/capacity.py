"""What a replay store needs, and what a failover of Redis may forget: ``python -m bench.capacity``.

Measured: bytes of a key and keys in a second, on each store, with servers of our own. Simulated: a primary that is
lost while its replicas are behind. The simulation is seeded, so its table is the same each time; docs/capacity.md has
it.
"""

import argparse
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import log
from pathlib import Path
from typing import Final

import psycopg

from bench.soak import stores
from wsguard.interfaces import ReplayStore
from wsguard.policy.surroundings import Replay
from wsguard.stores import open_replay

KEYS: Final = 100_000
THREADS: Final = 8
SEED: Final = 7
FAILOVERS: Final = 20_000
RATE: Final = 1000
"""Keys in a second, in the simulation."""


# --- Measured ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Store:
    """What was measured of one."""

    name: str
    keys: int
    bytes_per_key: float
    per_second: float

    def row(self) -> str:
        """Of the table in docs/capacity.md."""
        return f"| {self.name} | {self.bytes_per_key:.0f} | {self.per_second:.0f} |"


def measured(keys: int) -> Iterator[Store]:
    """Each store, filled with ``keys``."""
    with ExitStack() as stack:
        for name, url in stores(stack):
            # The first have the tables made, and pages that every database has.
            with closing(open_replay(url, Replay(deadline=30))) as store:
                _fill(store, range(-100, 0))
                before = _size(name, url)
                began = time.monotonic()
                _fill_at_once(store, keys)
                seconds = time.monotonic() - began
                grown = _size(name, url) - before
            yield Store(name=name, keys=keys, bytes_per_key=grown / keys, per_second=keys / seconds)


def _fill_at_once(store: ReplayStore, keys: int) -> None:
    threads = [threading.Thread(target=_fill, args=(store, range(one, keys, THREADS))) for one in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _fill(store: ReplayStore, numbers: range) -> None:
    """As long keys as those of messages, and in as random an order."""
    for number in numbers:
        now = datetime.now(UTC)
        store.remember(sha256(b"%d" % number).digest(), now + timedelta(hours=1), now)


def _size(name: str, url: str) -> int:
    """Bytes that the store takes."""
    if name == "sqlite":
        file = Path(url.removeprefix("sqlite:///"))
        # Its log aside, which is of some megabytes however many keys there are.
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return file.stat().st_size
    if name == "redis":
        from redis import Redis

        with closing(Redis(unix_socket_path=url.removeprefix("redis+unix://"))) as client:
            memory: int = client.info("memory")["used_memory"]
            return memory
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        row = connection.execute("SELECT pg_total_relation_size('wsguard_seen')").fetchone()
        return int(row[0]) if row is not None else 0


# --- Simulated --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far replicas are behind, and what befalls a primary."""

    name: str
    lag: float
    """Seconds; the median of a lognormal distribution."""
    spread: float
    """Its sigma."""
    stalled: float
    """The share of moments at which a replica stands still: it writes to the disk, or its host is busy."""
    stall: float
    """Seconds that it has stood still by then; the mean of an exponential distribution."""
    unreachable: float
    """The chance that a replica is lost together with the primary."""
    cut_off: float
    """Seconds for which a primary without replicas still takes keys, before another one is chosen; 0: it is dead."""


PLACES: Final = (
    Place(name="one room", lag=0.0005, spread=1, stalled=0.001, stall=0.2, unreachable=0.001, cut_off=0),
    Place(name="two rooms", lag=0.003, spread=1, stalled=0.01, stall=1, unreachable=0.01, cut_off=0),
    Place(name="two rooms, cut apart", lag=0.003, spread=1, stalled=0.01, stall=1, unreachable=0.01, cut_off=30),
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What an operator chose."""

    replicas: int
    waits: int
    """``replay.wait_replicas``."""


SETTINGS: Final = (
    Setting(replicas=1, waits=0),
    Setting(replicas=2, waits=0),
    Setting(replicas=2, waits=1),
    Setting(replicas=2, waits=2),
)


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What failovers of one place under one setting forgot."""

    place: Place
    setting: Setting
    some: float
    """The share of failovers that forgot a key or more."""
    mean: float
    """Keys that a failover forgot."""
    worst: float
    """Keys that one in a thousand forgot, or more."""

    def row(self) -> str:
        """Of the table in docs/capacity.md."""
        setting, figures = self.setting, f"{self.some:.2%} | {self.mean:.1f} | {self.worst:.0f}"
        return f"| {self.place.name} | {setting.replicas} | {setting.waits} | {figures} |"


def simulated(failovers: int = FAILOVERS, seed: int = SEED) -> list[Forgotten]:
    """Every place under every setting; the same for the same seed."""
    return [_simulated(place, setting, failovers, seed) for place in PLACES for setting in SETTINGS]


def _simulated(place: Place, setting: Setting, failovers: int, seed: int) -> Forgotten:
    chance = random.Random(seed)  # noqa: S311 - it must be the same each time
    keys = sorted(RATE * _seconds_forgotten(place, setting, chance) for _ in range(failovers))
    return Forgotten(
        place=place,
        setting=setting,
        some=sum(count >= 1 for count in keys) / failovers,
        mean=sum(keys) / failovers,
        worst=keys[-max(failovers // 1000, 1)],
    )


def _seconds_forgotten(place: Place, setting: Setting, chance: random.Random) -> float:
    """Of accepted messages that no server knows which takes over; 0 where none can take over."""
    lags = sorted((_lag(place, chance), chance.random() >= place.unreachable) for _ in range(setting.replicas))
    reachable = [lag for lag, there in lags if there]
    if not reachable:
        return 0.0
    if not setting.waits:
        return reachable[0] + place.cut_off
    # What was accepted was acknowledged by so many, the fastest; cut off from them the primary accepts nothing more.
    return max(reachable[0] - lags[setting.waits - 1][0], 0.0)


def _lag(place: Place, chance: random.Random) -> float:
    lag = chance.lognormvariate(log(place.lag), place.spread)
    return lag + (chance.expovariate(1 / place.stall) if chance.random() < place.stalled else 0.0)


def table(rows: list[Forgotten]) -> str:
    """As docs/capacity.md has it."""
    head = "| place | replicas | wait_replicas | failovers that forget | keys, mean | keys, one in a thousand |"
    return "\n".join([head, "|---|---|---|---|---|---|", *(row.row() for row in rows)])


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=KEYS, help="to fill each store with; 0: the simulation alone")
    given = parser.parse_args()
    if given.keys:
        rows = [store.row() for store in measured(given.keys)]
        print("\n".join(["| store | bytes a key | keys in a second |", "|---|---|---|", *rows, ""]))  # noqa: T201
    print(table(simulated()))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
