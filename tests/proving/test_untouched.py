"""A proof changes nothing that is real: users, their records, what was seen, and the audit."""

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.messages import NOW
from tests.proving.configurations import policy_of
from tests.proving.tables import REAL, users_at
from wsguard.audit import open_audit, open_reader
from wsguard.interfaces import AuditRecord, User
from wsguard.policy.problems import ConfigError
from wsguard.proving import Row, prove
from wsguard.stores import open_replay
from wsguard.stores.replay_sqlite import SqliteReplayStore
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.stores.users_sql import SqlUserStore


def proof(settings: dict[str, object], keys: Path) -> tuple[Row, ...]:
    return prove(policy_of(settings, keys), None, clock=lambda: NOW)


def test_real_users_stay_as_they_are(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = users_at("sqlite", tmp_path, monkeypatch)
    table = SqlUserStore(section["url"], (os.environ["WSGUARD_MASTER_KEY"],))
    before = table.entries()
    assert [entry.name for entry in before] == [REAL]
    assert all(row.stands for row in proof({"users": section}, keys))
    assert table.entries() == before
    table.close()


def test_the_real_table_is_asked_for_those_who_do_not_exist_and_for_nobody_else(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, str]] = []
    find = MemoryUserStore.find

    def noted(store: MemoryUserStore, name: str) -> User | None:
        asked.append((id(store), name))
        return find(store, name)

    monkeypatch.setattr(MemoryUserStore, "find", noted)
    proof({}, keys)
    of_real = {name for store, name in asked if store == asked[-1][0]}
    # The store that was asked last is the real one: directly, for a name that nobody has.
    assert len(of_real) == 2
    assert all(name.startswith("wsguard-proof-") for name in of_real)
    # Their own table is asked for other spellings of their names too.
    assert all(name.lower().startswith("wsguard-proof-") for _, name in asked)


def test_what_was_seen_stays_seen_and_what_the_proof_leaves_is_random(keys: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'replay.db'}"
    store = open_replay(url)
    seen, until = b"a real nonce", NOW + timedelta(hours=1)
    assert store.remember(seen, until, NOW)
    assert all(row.stands for row in proof({"replay": {"url": url}}, keys))
    assert not store.remember(seen, until, NOW)
    store.close()


def test_what_is_real_is_never_told_of_another_time(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that were told of tomorrow would forget what it must keep until then."""
    url, told = f"sqlite:///{tmp_path / 'replay.db'}", dict[SqliteReplayStore, set[datetime]]()
    remember = SqliteReplayStore.remember

    def noted(store: SqliteReplayStore, key: bytes, until: datetime, now: datetime) -> bool:
        told.setdefault(store, set()).add(now)
        return remember(store, key, until, now)

    monkeypatch.setattr(SqliteReplayStore, "remember", noted)
    rows = proof({"replay": {"url": url}}, keys)
    assert {row.verdict for row in rows if row.control == "replay.late"} == {"holds"}
    real, twin = told.values()
    assert real == {NOW}
    assert max(twin) > NOW + timedelta(minutes=5)


def test_the_audit_has_no_record_of_the_proof(keys: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'audit.db'}"
    audit = open_audit([url])
    audit.write(AuditRecord("real", NOW, "rejected", "timestamp.expired"))
    audit.close()
    rows = proof({"audit": {"url": url, "record": "all"}}, keys)
    assert [(row.control, row.verdict) for row in rows if row.target == "audit"] == [("audit.writable", "holds")]
    assert [record.incident for record in open_reader([url]).read()] == ["real"]


def test_nothing_is_left_among_temporary_files(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    proof({"users": users_at("toml", tmp_path, monkeypatch)}, keys)
    assert list(temporary.iterdir()) == []


def test_an_audit_that_cannot_be_written_does_not_hold(keys: Path, tmp_path: Path) -> None:
    rows = proof({"audit": {"url": f"sqlite:///{tmp_path / 'nowhere' / 'audit.db'}"}}, keys)
    (row,) = [row for row in rows if row.target == "audit"]
    assert (row.verdict, row.got) == ("DOES NOT HOLD", "store.unavailable")
    assert row.reason


def test_a_replay_store_that_cannot_be_opened_is_a_mistake_in_the_configuration(keys: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"replay\.url"):
        proof({"replay": {"url": f"sqlite:///{tmp_path / 'nowhere' / 'replay.db'}"}}, keys)


def test_a_key_that_cannot_be_read_is_a_mistake_in_the_configuration(keys: Path) -> None:
    with pytest.raises(ConfigError, match=r"keys\.decrypt"):
        proof({"keys": {"decrypt": [{"file": "no-such.pem"}]}}, keys)
