"""The SQLite file of what was seen is locked, full, read-only, moved, replaced, truncated and damaged, while messages
come."""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.reliability.conftest import Staged, filled, small_disk
from tests.reliability.load import Load
from tests.reliability.scene import Measured
from wsguard.audit.sql import SqlAudit

Note = Callable[[Measured], Measured]
Hurt = Callable[[Path, Load], None]

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Another process writes to the database all the time."""
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield
        finally:
            holder.communicate()


@contextmanager
def nobody() -> Iterator[None]:
    """Where we are root, nobody is held back by the mode of a file; so we are somebody else."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def locked(file: Path, load: Load) -> None:
    with held(file):
        load.until(503)


def moved_away(file: Path, load: Load) -> None:
    away = file.with_suffix(".away")
    file.rename(away)
    load.until(503)
    away.rename(file)


def replaced_by_a_copy_that_cannot_be_written(file: Path, load: Load) -> None:
    copy = file.with_suffix(".copy")
    with held(file):
        # Nothing is added in between; what is in the log comes along.
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        copy.chmod(0o444)
        with nobody():
            file.rename(file.with_suffix(".original"))
            copy.rename(file)
            load.until(503)
    file.chmod(0o600)


def full_by_its_size(file: Path, load: Load) -> None:
    """No file of this process may grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = file.with_name(file.name + "-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        load.until(503)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("hurt", [locked, moved_away, replaced_by_a_copy_that_cannot_be_written])
def test_what_was_accepted_stays_seen_when_the_file_is(hurt: Hurt, staged: Staged, measured: Note) -> None:
    with TemporaryDirectory(prefix="wsguard-seen-") as place:
        Path(place).chmod(0o777)
        file = Path(place) / "replay.db"
        scene = staged(f"sqlite:///{file}", audit="memory://")
        with scene.load() as load:
            hurt(file, load)
            load.until(200)
        assert measured(scene.judge(load)).unavailable
        scene.close()


@pytest.mark.parametrize("ends", [("wal",), ("shm",), ("wal", "shm")], ids=" and ".join)
def test_a_log_that_is_deleted_takes_nothing_along(
    ends: tuple[str, ...], staged: Staged, measured: Note, tmp_path: Path
) -> None:
    file = tmp_path / "replay.db"
    scene = staged(f"sqlite:///{file}")
    with scene.load() as load:
        for end in ends:
            file.with_name(f"{file.name}-{end}").unlink()
        load.until(200)
    measured(scene.judge(load))
    # Nor from another process, which opens what is there.
    other = staged(f"sqlite:///{file}", audit="memory://")
    accepted = [sent.octets for sent in load.sent if sent.status == 200]
    assert {other.post(octets).status for octets in accepted} == {500}


def test_a_file_may_not_grow(staged: Staged, measured: Note, tmp_path: Path) -> None:
    file = tmp_path / "replay.db"
    scene = staged(f"sqlite:///{file}", audit="memory://")
    with scene.load() as load:
        full_by_its_size(file, load)
        load.until(200)
    assert measured(scene.judge(load)).unavailable


def test_the_disk_is_full(staged: Staged, measured: Note, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk):
        scene = staged(f"sqlite:///{disk}/replay.db")
        with scene.load() as load:
            filler = filled(disk)
            load.until(503)
            filler.unlink()
            load.until(200)
        assert measured(scene.judge(load)).unavailable
        scene.close()


def truncated(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(0)


def cut_in_half(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def overwritten(file: Path) -> None:
    with file.open("r+b") as opened:
        size = file.stat().st_size
        opened.seek(4096)
        opened.write(bytes([0xA5]) * (size - 4096))


def deleted(file: Path) -> None:
    file.unlink()


def replaced_by_nothing(file: Path) -> None:
    other = file.with_suffix(".other")
    other.touch()
    other.rename(file)


@pytest.mark.parametrize("hurt", [truncated, cut_in_half, overwritten, deleted, replaced_by_nothing])
def test_nothing_is_taken_twice_when_the_file_is(
    hurt: Callable[[Path], None], staged: Staged, measured: Note, tmp_path: Path
) -> None:
    """There is no way back by itself: what was seen is gone."""
    file = tmp_path / "replay.db"
    scene = staged(f"sqlite:///{file}")
    with scene.load() as load:
        load.until(200, 120)
        # What is in the log goes into the file.
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        hurt(file)
        load.until(503, 20)
    assert measured(scene.judge(load)).taken_again == 0


# --- The audit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hurt", [locked, moved_away])
def test_nothing_is_served_without_a_record_when_the_file_of_the_audit_is(
    hurt: Hurt, staged: Staged, measured: Note, tmp_path: Path
) -> None:
    file = tmp_path / "audit.db"
    with closing(SqlAudit(f"sqlite:///{file}", busy_timeout=0.4)) as audit:
        scene = staged("memory://", audit=audit)
        with scene.load() as load:
            hurt(file, load)
            load.until(200)
        # Threads wait for each other, then for the other process, and for the record of the refusal again.
        assert measured(scene.judge(load, deadline=1.6)).unavailable
