"""What the replay store stands on needs nothing but Python, and promises what its caller asks for."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from wsguard.databases.deadline import within
from wsguard.databases.process_connection import ProcessConnection
from wsguard.databases.sqlite import Synchronous
from wsguard.faults import StoreUnavailable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.db").touch()
    return tmp_path / "a.db"


def opened(path: Path, synchronous: Synchronous = "NORMAL") -> ProcessConnection:
    return ProcessConnection(path, busy_timeout=0.2, synchronous=synchronous, setting="replay.url")


@pytest.mark.parametrize(("synchronous", "number"), [("NORMAL", 1), ("FULL", 2)])
def test_a_commit_promises_what_was_asked_for(path: Path, synchronous: Synchronous, number: int) -> None:
    with closing(opened(path, synchronous)) as subject, subject.turn() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (number,)
        assert connection.isolation_level is None


def test_a_released_connection_is_opened_anew_and_a_closed_one_is_not(path: Path) -> None:
    subject = opened(path)
    with subject.turn() as first:
        pass
    subject.release()
    with subject.turn() as second:
        assert second is not first
    subject.close()
    with pytest.raises(StoreUnavailable) as caught, subject.turn():
        pass
    assert (caught.value.seen, caught.value.setting) == (f"{path}: closed", "replay.url")


def test_after_an_error_another_connection_is_opened(path: Path) -> None:
    with closing(opened(path)) as subject:
        with pytest.raises(StoreUnavailable) as caught, subject.turn() as first:
            first.execute("SELECT * FROM missing")
        assert caught.value.seen == f"{path}: no such table: missing"
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            first.execute("SELECT 1")
        with subject.turn() as second:
            assert second.execute("SELECT 1").fetchone() == (1,)


def test_the_replay_store_works_without_sqlalchemy(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["sqlalchemy"] = None
from datetime import UTC, datetime
from wsguard.stores import open_replay
store = open_replay(sys.argv[1])
print(store.remember(b"key", datetime.max.replace(tzinfo=UTC), datetime.now(UTC)))
store.close()
"""
    url = f"sqlite:///{tmp_path}/replay.db"
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_what_was_waited_for_a_turn_is_not_waited_for_again(path: Path) -> None:
    with closing(opened(path)) as subject:
        for left, waits in ((0.05, 50), (None, 200)):
            with within(left), subject.turn() as connection:
                assert connection.execute("PRAGMA busy_timeout").fetchone() == (waits,)
