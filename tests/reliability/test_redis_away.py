"""Redis killed, paused, restarted, full and made a replica, while messages come."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from math import inf
from pathlib import Path

import pytest

from tests.redis_server import RunningRedis, free_port, running_redis
from tests.reliability.conftest import Staged
from tests.reliability.load import THREADS
from tests.reliability.network import network_before
from tests.reliability.scene import Measured
from tests.stores.test_replay_redis import until_it_follows

Note = Callable[[Measured], Measured]


def test_redis_is_paused(redis: RunningRedis, staged: Staged, measured: Note) -> None:
    scene = staged(redis.tcp_url)
    with scene.load() as load:
        redis.pause()
        load.until(503)
        redis.resume()
        load.until(200)
    assert measured(scene.judge(load)).unavailable


FORGOTTEN = 3.0
"""Seconds before the end that ``appendfsync everysec`` may forget: two, as redis.conf says, and one for the machine."""


@pytest.mark.parametrize(
    ("options", "forgets"),
    [
        (("--appendonly", "yes", "--appendfsync", "always"), 0.0),
        (("--appendonly", "yes", "--appendfsync", "everysec"), FORGOTTEN),
        ((), inf),
    ],
    ids=["appendfsync always", "appendfsync everysec", "in memory alone"],
)
def test_redis_is_killed_and_started_again(
    redis_program: Path, tmp_path: Path, staged: Staged, measured: Note, options: tuple[str, ...], forgets: float
) -> None:
    home = tmp_path / "redis"
    home.mkdir()
    port = free_port()
    with running_redis(redis_program, "--dir", str(home), *options, port=port) as server:
        scene = staged(server.tcp_url)
        with scene.load() as load:
            server.process.kill()
            server.process.wait()
            killed = time.monotonic()
            load.until(503)
            with running_redis(redis_program, "--dir", str(home), *options, port=port):
                load.until(200)
                load.stop()
                row = measured(scene.judge(load, forgotten=forgets > 0))
    last = [sent for sent in load.sent if sent.status == 200 and killed - forgets < sent.began < killed]
    assert row.taken_again <= len(last)
    # A server without a file forgets all that it had.
    assert row.taken_again == len(last) or forgets < inf


def test_redis_has_no_memory_left(redis: RunningRedis, staged: Staged, measured: Note) -> None:
    scene = staged(redis.tcp_url)
    with scene.load() as load, closing(redis.client()) as client:
        client.config_set("maxmemory", "1")
        load.until(503)
        client.config_set("maxmemory", "0")
        load.until(200)
    assert measured(scene.judge(load)).unavailable


def test_redis_becomes_a_replica(redis: RunningRedis, staged: Staged, measured: Note) -> None:
    scene = staged(redis.tcp_url)
    with scene.load() as load, closing(redis.client()) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
        load.until(503)
        client.execute_command("REPLICAOF", "NO", "ONE")
        load.until(200)
    assert measured(scene.judge(load)).unavailable


@contextmanager
def replica_of(program: Path, port: int) -> Iterator[RunningRedis]:
    """One that has everything."""
    with running_redis(program, "--replicaof", "127.0.0.1", str(port)) as replica:
        until_it_follows(replica)
        yield replica


@pytest.mark.parametrize("waits", [0, 1], ids=["that is not waited for", "that is waited for"])
def test_a_replica_takes_over(
    redis: RunningRedis, redis_program: Path, staged: Staged, measured: Note, waits: int
) -> None:
    """It was cut off from the primary a moment before that was lost."""
    with ExitStack() as stack:
        between = stack.enter_context(network_before(redis.socket))
        before = stack.enter_context(network_before(redis.socket))
        replica = stack.enter_context(replica_of(redis_program, between.port))
        scene = staged(f"redis://127.0.0.1:{before.port}", wait_replicas=waits)
        with scene.load() as load, closing(replica.client()) as client:
            between.weather = "silent"
            cut_off = time.monotonic()
            load.until(503 if waits else 200)
            redis.process.kill()
            redis.process.wait()
            lost = time.monotonic()
            client.execute_command("REPLICAOF", "NO", "ONE")
            if waits:
                stack.enter_context(replica_of(redis_program, replica.port))
            before.server = replica.socket
            before.cut()
            load.until(200)
        row = measured(scene.judge(load, forgotten=not waits))
        scene.close()
    unknown = [
        sent for sent in load.sent if sent.status == 200 and cut_off <= sent.began + sent.seconds and sent.began < lost
    ]
    assert (0 if waits else THREADS) <= row.taken_again <= (0 if waits else len(unknown))


def test_a_client_holds_no_more_connections_than_it_has_threads(redis: RunningRedis, staged: Staged) -> None:
    scene = staged(redis.tcp_url)
    with scene.load() as load, closing(redis.client()) as client:
        for _ in range(3):
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            load.until(200)
        assert len(client.client_list()) <= len(load._threads) + 1
    scene.judge(load)
