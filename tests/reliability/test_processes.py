"""Processes are killed at the worst moments, and stores hurt, under gunicorn."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import wsguard
from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.reliability.conftest import Staged
from tests.reliability.load import LONG_ONLY, THREADS, Load, fresh
from tests.reliability.scene import Measured
from tests.reliability.serving import Served, of_now, served

Note = Callable[[Measured], Measured]

DYING = """
import os, signal, sys
from pathlib import Path
import wsguard
from tests.guarding import USERS, environ_for
from tests.messages import NOW
from wsguard.audit import open_audit
from wsguard.stores import open_replay
from wsguard.stores.users_memory import MemoryUserStore

moment, home = sys.argv[1], Path(sys.argv[2])


def dies_after(store, method):
    done = getattr(store, method)
    def and_die(*args):
        done(*args)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(store, method, and_die)
    return store


def application(environ, start_response):
    (home / "handed").write_bytes(environ["wsgi.input"].read())
    os.kill(os.getpid(), signal.SIGKILL)


replay, audit = open_replay(f"sqlite:///{home}/replay.db"), open_audit([f"jsonl:{home}/audit.jsonl"])
if moment == "remembered":
    dies_after(replay, "remember_all")
if moment == "recorded":
    dies_after(audit, "write")
policy = wsguard.Policy.model_validate({"audit": {"record": "all"}})
guard = wsguard.guard(application, policy, clock=lambda: NOW, users=MemoryUserStore(USERS), replay=replay, audit=audit)
guard(environ_for(sys.stdin.buffer.read()), print)
"""


@pytest.mark.parametrize(
    "moment, handed, outcomes",
    [
        ("remembered", False, ["rejected"]),
        ("recorded", False, ["accepted", "rejected"]),
        ("handed on", True, ["accepted", "rejected"]),
    ],
    ids=["remembered", "recorded", "handed on"],
)
def test_a_message_whose_process_was_killed_when_it_was(
    moment: str, handed: bool, outcomes: list[str], tmp_path: Path, staged: Staged
) -> None:
    """It is never served again, and there is a trace of it when it is sent again."""
    _, octets = fresh()
    environment = {**os.environ, "PYTHONPATH": str(Path(wsguard.__file__).parents[1])}
    command = [sys.executable, "-c", DYING, moment, str(tmp_path)]
    done = subprocess.run(command, input=octets, env=environment, check=False, cwd=tmp_path)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "handed").exists() is handed
    scene = staged(f"sqlite:///{tmp_path}/replay.db")
    reply = scene.post(octets)
    assert reply.status == 500
    records = sorted(scene.records(), key=lambda record: record.outcome)
    assert [record.outcome for record in records] == outcomes
    assert records[-1].check == "replay.nonce"
    assert not scene.application.names


# --- Under gunicorn ---------------------------------------------------------------------------------------------------


def until_served(service: Served) -> Load:
    load = Load(service.post, of_now, THREADS)
    load.start()
    load.until(200)
    return load


def test_a_worker_is_killed(tmp_path: Path, measured: Note) -> None:
    with served(tmp_path, "sqlite:///replay.db") as service:
        load = until_served(service)
        os.kill(service.workers()[0], signal.SIGKILL)
        load.until(200, 2 * THREADS)
        load.stop()
        measured(service.judge(load))


@LONG_ONLY
def test_the_service_is_ended_and_started_again(tmp_path: Path, measured: Note) -> None:
    with served(tmp_path, "sqlite:///replay.db") as service:
        load = until_served(service)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(10) == 0
        with served(tmp_path, "sqlite:///replay.db", service.port) as again:
            load.until(200)
            load.stop()
            row = measured(again.judge(load))
    assert row.unavailable == 0


def test_redis_is_paused_behind_gunicorn(tmp_path: Path, redis: RunningRedis, measured: Note) -> None:
    with served(tmp_path, redis.tcp_url) as service:
        load = until_served(service)
        redis.pause()
        load.until(503)
        redis.resume()
        load.until(200)
        load.stop()
        row = measured(service.judge(load))
    assert (row.unavailable > 0, row.lost) == (True, 0)


def test_postgresql_is_killed_behind_gunicorn(tmp_path: Path, postgresql: RunningPostgres, measured: Note) -> None:
    with served(tmp_path, postgresql.url) as service:
        load = until_served(service)
        postgresql.kill()
        load.until(503)
        postgresql.start()
        load.until(200)
        load.stop()
        row = measured(service.judge(load))
    assert (row.unavailable > 0, row.lost) == (True, 0)
