"""PostgreSQL killed, paused, restarted, full, without slots and read-only, while messages come."""

import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.guarding import USERS
from tests.postgres import RunningPostgres
from tests.reliability.conftest import Staged, admin, filled, small_disk
from tests.reliability.load import LONG_ONLY, Load
from tests.reliability.scene import Measured, Scene
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_sql import SqlUserStore

Note = Callable[[Measured], Measured]
Hurt = Callable[[RunningPostgres, Load], None]


def superuser(server: RunningPostgres) -> "psycopg.Connection[Any]":
    return psycopg.connect(f"host={server.home} user=postgres dbname=postgres", autocommit=True)


def paused(server: RunningPostgres, load: Load) -> None:
    server.signal(signal.SIGSTOP)
    load.until(503)
    server.signal(signal.SIGCONT)


def killed(server: RunningPostgres, load: Load) -> None:
    server.kill()
    load.until(503)
    server.start()


def restarted(server: RunningPostgres, load: Load) -> None:
    server.stop("fast")
    load.until(503)
    server.start()


def read_only(server: RunningPostgres, load: Load) -> None:
    admin(server, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    try:
        load.until(503)
    finally:
        reset = ("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
        admin(server, "SET default_transaction_read_only = off", *reset)


def without_slots(server: RunningPostgres, load: Load) -> None:
    """Somebody else takes every connection that the guard loses."""
    with ExitStack() as held, superuser(server) as connection:
        while connection.execute(_END_ALL_OF_THE_GUARD).fetchall():
            with suppress(psycopg.OperationalError):
                while True:
                    held.enter_context(closing(psycopg.connect(f"host={server.home} user=greedy dbname=postgres")))
        load.until(503)


_END_ALL_OF_THE_GUARD = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guard'"


def locked(server: RunningPostgres, load: Load) -> None:
    with superuser(server) as connection, connection.transaction():
        connection.execute("LOCK TABLE wsguard_seen IN ACCESS EXCLUSIVE MODE")
        load.until(503)


@pytest.fixture
def scene_url(postgresql: RunningPostgres) -> str:
    """Of the server, as a role that is no superuser."""
    with superuser(postgresql) as connection:
        for role in ("guard", "greedy"):
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
    return postgresql.url.replace("postgres@", "guard@")


@pytest.mark.parametrize(
    "hurt", [paused, killed, pytest.param(restarted, marks=LONG_ONLY), read_only, without_slots, locked]
)
def test_what_was_accepted_stays_seen_when_postgresql_is(
    hurt: Hurt, postgresql: RunningPostgres, scene_url: str, staged: Staged, measured: Note
) -> None:
    scene = staged(scene_url)
    with scene.load() as load:
        hurt(postgresql, load)
        load.until(200)
    assert measured(scene.judge(load)).unavailable


def test_the_disk_of_postgresql_is_full(
    postgresql: RunningPostgres, scene_url: str, staged: Staged, measured: Note
) -> None:
    scene = staged(scene_url)
    disk = postgresql.home / "disk"
    with small_disk(disk):
        shutil.chown(disk, (postgresql.home / "data").owner())
        admin(
            postgresql,
            f"CREATE TABLESPACE small LOCATION '{disk}'",
            "ALTER TABLE wsguard_seen SET TABLESPACE small",
            # Rows that fill pages: so the file must soon grow.
            "ALTER TABLE wsguard_seen SET (fillfactor = 10)",
        )
        with scene.load() as load:
            filler = filled(disk)
            load.until(503)
            filler.unlink()
            load.until(200)
        assert measured(scene.judge(load)).unavailable
        admin(postgresql, "DROP TABLE wsguard_seen", "DROP TABLESPACE small")


# --- Users ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hurt", [paused, pytest.param(killed, marks=LONG_ONLY)])
def test_users_that_cannot_be_asked_for_are_not_waited_for_without_end(
    hurt: Hurt, postgresql: RunningPostgres, scene_url: str, staged: Staged, measured: Note, tmp_path: Path
) -> None:
    with closing(SqlUserStore(scene_url, [new_master_key()], cache_seconds=0, deadline=1)) as users:
        users.add("alice", USERS["alice"])
        scene: Scene = staged(f"sqlite:///{tmp_path}/replay.db", users=users)
        with scene.load() as load:
            hurt(postgresql, load)
            load.until(200)
        # Found, and a moment later its last use noted: two waits.
        assert measured(scene.judge(load, deadline=2)).unavailable


# --- The audit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hurt", [paused, pytest.param(killed, marks=LONG_ONLY)])
def test_nothing_is_served_without_a_record_when_the_audit_of_postgresql_is(
    hurt: Hurt, postgresql: RunningPostgres, scene_url: str, staged: Staged, measured: Note, tmp_path: Path
) -> None:
    scene = staged(f"sqlite:///{tmp_path}/replay.db", audit=scene_url)
    with scene.load() as load:
        hurt(postgresql, load)
        load.until(200)
    # Threads wait for each other and then for the server, and so does the record of the refusal.
    assert measured(scene.judge(load, deadline=4)).unavailable
