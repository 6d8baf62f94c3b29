"""What a configuration says of time is how long a request waits, and no step of it begins anew."""

import signal
import time
from contextlib import closing

import psycopg
import pytest

import wsguard
from tests.guarding import post
from tests.messages import NOW
from tests.postgres import RunningPostgres
from tests.reliability.load import fresh
from tests.reliability.network import network_before
from tests.reliability.scene import SLACK, Handed
from wsguard.databases.deadline import within
from wsguard.databases.sql_deadline import BoundedConnection
from wsguard.stores.secrets_at_rest import new_master_key

SOON = 0.3
"""Seconds."""


def test_users_deadline_is_how_long_a_guard_waits_for_users(
    postgresql: RunningPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGUARD_MASTER_KEY", new_master_key())
    users = {"url": postgresql.url, "deadline": 1}
    memory = {"url": "memory://"}
    policy = wsguard.Policy.model_validate({"users": users, "replay": memory, "audit": memory})
    with closing(wsguard.guard(Handed(), policy, clock=lambda: NOW)) as guard:
        postgresql.signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            answer = post(guard, fresh()[1])
        finally:
            postgresql.signal(signal.SIGCONT)
    assert time.monotonic() - began < 1 + SLACK
    assert (answer.status, answer.headers["Retry-After"]) == ("503 Service Unavailable", "5")


@pytest.mark.parametrize("hosts", [1, 3], ids=["one host", "three hosts"])
def test_hosts_of_postgresql_share_the_time_that_there_is(postgresql: RunningPostgres, hosts: int) -> None:
    with network_before(postgresql.socket) as network:
        network.weather = "silent"
        place = f"host={','.join(['127.0.0.1'] * hosts)} port={network.port} user=postgres connect_timeout=5"
        began = time.monotonic()
        with within(SOON), pytest.raises(psycopg.OperationalError, match="no connection within the deadline"):
            BoundedConnection.connect(place)
        assert SOON <= time.monotonic() - began < SOON + 1
