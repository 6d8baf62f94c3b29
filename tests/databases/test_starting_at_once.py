"""Eight processes that start at the same moment, on an empty database of a real server and on one of release 0.1."""

import pytest
from sqlalchemy import NullPool, create_engine, text

from tests.audit.chains import verified
from tests.audit.test_sql_upgrade import VERSION_1
from tests.stores.processes import opened_by_eight_processes
from wsguard.databases import sql_tables
from wsguard.databases.sql import Database
from wsguard.faults import StoreUnavailable
from wsguard.stores.secrets_at_rest import new_master_key


def test_an_empty_database_gets_its_tables_once(postgres_url: str) -> None:
    outcomes = opened_by_eight_processes(postgres_url, new_master_key())
    assert sorted(outcomes) == [(False, False)] * 7 + [(False, True)]
    assert verified(postgres_url).holds
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.connect() as connection:
        for schema in ("audit_schema", "wsguard_users_schema", "wsguard_replay_schema"):
            assert connection.execute(text(f"SELECT count(*) FROM {schema}")).scalar_one() == 1


def test_tables_of_an_earlier_version_are_brought_up_by_one(postgres_url: str) -> None:
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in VERSION_1:
            adapted = statement.replace("id INTEGER NOT NULL", "id BIGSERIAL NOT NULL").replace(" DOUBLE", " FLOAT8")
            connection.execute(text(adapted.replace("DATETIME", "TIMESTAMP WITH TIME ZONE")))
    outcomes = opened_by_eight_processes(postgres_url, new_master_key())
    assert (sum(upgraded for upgraded, _ in outcomes), sum(new for _, new in outcomes)) == (1, 1)
    assert verified(postgres_url).holds


def test_who_makes_tables_waits_for_another_that_does_and_not_for_ever(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_tables, "_PATIENCE", 0.05)
    monkeypatch.setattr(sql_tables, "_PAUSE", 0.0)
    one, other = (Database(postgres_url, setting="replay.url", keep=False) for _ in range(2))
    made: list[int] = []
    with pytest.raises(StoreUnavailable) as caught:
        sql_tables.made(one, lambda _: sql_tables.made(other, lambda _: made.append(1)))
    assert "lock timeout" in caught.value.seen
    assert made == []
