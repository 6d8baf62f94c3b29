"""What is long over leaves the file at the first call and at every fiftieth; a file is made whole or not at all."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.messages import NOW
from wsguard.faults import StoreUnavailable
from wsguard.stores import replay_sqlite
from wsguard.stores.replay_sqlite import CLOCK_DISORDER, SqliteReplayStore

SECOND = timedelta(seconds=1)
LATER = NOW + SECOND + CLOCK_DISORDER + timedelta(microseconds=1)
"""When what was remembered for a second may be forgotten."""
HOUR = timedelta(hours=1)


def test_seen_keys_are_purged_at_the_first_and_every_fiftieth_call(tmp_path: Path) -> None:
    with closing(SqliteReplayStore(tmp_path / "replay.db")) as store:
        sizes = []
        for call in range(102):
            store.remember(b"old %d" % call, NOW + SECOND, NOW)
            sizes.append(store.size())
    with closing(SqliteReplayStore(tmp_path / "replay.db")) as store:
        assert sizes == list(range(1, 103)), "nothing was over"
        store.remember(b"first", LATER + HOUR, LATER)
        assert store.size() == 3, "a hundred at once, and this one is new"
        for call in range(49):
            store.remember(b"new %d" % call, LATER + HOUR, LATER)
        assert store.size() == 52
        store.remember(b"fiftieth", LATER + HOUR, LATER)
        assert store.size() == 51


def test_failures_are_purged_at_the_first_and_every_fiftieth_call(tmp_path: Path) -> None:
    path = tmp_path / "replay.db"

    def kept() -> int:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("SELECT count(*) FROM failure").fetchone()[0])

    with closing(SqliteReplayStore(path)) as store:
        for call in range(50):
            store.add_failure(b"old %d" % call, NOW + SECOND, NOW)
        for _ in range(50):
            store.add_failure(b"late", NOW + SECOND, LATER - timedelta(microseconds=1))
        assert kept() == 100, "a minute more is not over yet"
        store.add_failure(b"new", LATER + HOUR, LATER)
        assert kept() == 1
        for call in range(49):
            store.add_failure(b"old %d" % call, NOW + SECOND, LATER)
        assert kept() == 50
        store.add_failure(b"new", LATER + HOUR, LATER)
        assert (kept(), store.failures(b"new", LATER)) == (2, 2)


def test_a_schema_that_fails_halfway_leaves_nothing_and_tells_its_own_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "replay.db"
    with monkeypatch.context() as broken:
        broken.setitem(replay_sqlite._SCHEMA, 2, ("CREATE TABLE failure (key)", "CREATE INDEX i ON nowhere (key)"))
        with pytest.raises(StoreUnavailable) as caught:
            SqliteReplayStore(path)
    assert "nowhere" in caught.value.seen
    assert caught.value.setting == "replay.url"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    with closing(SqliteReplayStore(path)) as store:
        assert store.remember(b"a", LATER, NOW)


def test_the_file_survives_the_death_of_a_process_at_the_price_of_no_wait_for_the_disk(tmp_path: Path) -> None:
    with closing(SqliteReplayStore(tmp_path / "replay.db")) as store, store._connection.turn() as connection:
        synchronous, journal = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        )
    assert (synchronous, journal) == (1, "wal"), "NORMAL"
