"""A file is made for its owner alone, and one that is there is never opened: that would drop the locks on it."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from wsguard.databases.files import create_private_file, identity

LOCK = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute('BEGIN IMMEDIATE')"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


def test_it_is_empty_and_private(path: Path) -> None:
    create_private_file(path)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"", 0o600)


def test_one_that_is_there_is_left_alone(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0o640)
    create_private_file(path)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"x", 0o640)


def test_locks_on_one_that_is_there_are_kept(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        create_private_file(path)
        refused = subprocess.run([sys.executable, "-c", LOCK, path], capture_output=True, text=True, check=False)
        assert "database is locked" in refused.stderr
        connection.execute("ROLLBACK")
        assert subprocess.run([sys.executable, "-c", LOCK, path], check=False).returncode == 0


def test_what_cannot_be_created_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        create_private_file(tmp_path / "missing" / "a.db")


def test_a_file_is_told_from_one_in_its_place(path: Path, tmp_path: Path) -> None:
    path.touch()
    before = identity(path)
    assert before == identity(path)
    (tmp_path / "b.db").touch()
    (tmp_path / "b.db").rename(path)
    assert identity(path) not in (before, None)


def test_one_that_cannot_be_reached_has_no_identity(path: Path, tmp_path: Path) -> None:
    assert identity(path) is None
    path.touch()
    assert identity(path / "inside") is None
