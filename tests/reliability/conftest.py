"""Scenes, servers that may be hurt, and the table of what was measured."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.postgres import RunningPostgres, binaries, running_postgres
from tests.redis_server import RunningRedis, running_redis
from tests.reliability.load import SCALE
from tests.reliability.scene import DESCRIPTORS, Measured, Scene, nothing_left_open

if not DESCRIPTORS.is_dir():
    collect_ignore_glob = ["test_*.py"]
    """Linux: processes and open files are looked at in /proc."""

MEASURED = pytest.StashKey[list[tuple[str, Measured]]]()

Staged = Callable[..., Scene]


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[Staged]:
    """Makes scenes, which leave nothing open at the end."""
    scenes: list[Scene] = []

    def make(replay: Any, **options: Any) -> Scene:
        scene = Scene(replay, tmp_path, **options)
        scenes.append(scene)
        return scene

    with nothing_left_open():
        try:
            yield make
        finally:
            for scene in scenes:
                scene.close()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[Measured], Measured]:
    """Puts a row into the table that is shown at the end."""

    def note(row: Measured) -> Measured:
        name = request.node.name.removeprefix("test_").replace("_", " ").replace("[", ": ").rstrip("]")
        request.config.stash.setdefault(MEASURED, []).append((name, row))
        return row

    return note


@pytest.fixture
def redis(redis_program: Path) -> Iterator[RunningRedis]:
    """A server for this test alone."""
    with running_redis(redis_program) as server:
        yield server


@pytest.fixture(scope="package")
def hurt_postgres() -> Iterator[RunningPostgres]:
    """A server for the tests of this package alone."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not tested: its server comes with: pip install pgserver")
    with running_postgres(programs, "max_connections=20") as server:
        yield server


@pytest.fixture
def postgresql(hurt_postgres: RunningPostgres) -> RunningPostgres:
    """The same, running and empty."""
    if not hurt_postgres.processes():
        hurt_postgres.start("max_connections=20")
    admin(hurt_postgres, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return hurt_postgres


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """``place`` is made a directory of a few megabytes; without the right to, the test is skipped."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a full disk is not tested: nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


def filled(place: Path) -> Path:
    """A file that takes all that is left there."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024))
    return filler


def admin(server: RunningPostgres, *statements: str) -> None:
    """Each statement by itself."""
    with psycopg.connect(f"host={server.home} user=postgres dbname=postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The rows of docs/reliability.md, of a long run."""
    if SCALE == 1:
        return
    terminalreporter.write_line("| scene | requests | accepted | 503 | lost | slowest, s | taken again |")
    for name, row in config.stash.get(MEASURED, []):
        figures = (row.requests, row.accepted, row.unavailable, row.lost, f"{row.slowest:.2f}", row.taken_again)
        terminalreporter.write_line(f"| {name} | {' | '.join(map(str, figures))} |")
