"""What a SQL database promises to all that use one: privacy, turns, faults that tell no secret, and the right file."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, insert, select, text

from wsguard.databases.sql import DamagedDatabase, Database
from wsguard.databases.sql_tables import demand_version, made, version_table
from wsguard.databases.sql_types import UtcDateTime
from wsguard.faults import StoreUnavailable

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
METADATA = MetaData()
TIMES = Table("times", METADATA, Column("id", Integer, primary_key=True), Column("time", UtcDateTime))
SCHEMA = version_table("times_schema", METADATA)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    subject = opened(path)
    subject.prepare()
    yield subject
    subject.close()


def opened(path: Path, *, keep: bool = True) -> Database:
    return Database(f"sqlite:///{path}", setting="users.url", keep=keep, busy_timeout=0.2)


def held(path: Path) -> int:
    links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(str(link).startswith(str(path)) for link in links)


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def make(connection: Connection) -> None:
    METADATA.create_all(connection)


class TestFiles:
    def test_nothing_is_made_before_it_is_prepared(self, path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught, opened(path).look():
            pass
        assert caught.value.seen == f"sqlite:///{path}: unable to open database file"
        assert caught.value.setting == "users.url"
        assert not path.exists()

    def test_it_is_private_in_wal_mode_and_its_commits_are_on_the_disk(self, database: Database, path: Path) -> None:
        with database.look() as connection:
            assert pragma(connection, "journal_mode") == "wal"
            assert pragma(connection, "synchronous") == 2
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize("keep", [True, False])
    def test_connections_stay_open_only_where_they_are_kept(self, database: Database, path: Path, keep: bool) -> None:
        assert held(path) == 0
        subject = opened(path, keep=keep)
        with subject.look() as connection:
            connection.execute(text("SELECT * FROM sqlite_master")).all()
            assert held(path) > 0
        assert (held(path) > 0) is keep
        subject.close()
        assert held(path) == 0

    @pytest.mark.parametrize("keep", [True, False])
    def test_a_file_put_in_its_place_is_the_one_that_is_used(self, database: Database, path: Path, keep: bool) -> None:
        made(database, make)
        subject = opened(path, keep=keep)
        with subject.look() as connection:
            assert connection.execute(select(TIMES)).all() == []
        for file in list(path.parent.iterdir()):
            file.unlink()
        opened(path).prepare()
        with pytest.raises(StoreUnavailable) as caught, subject.look() as connection:
            connection.execute(select(TIMES))
        assert caught.value.seen == f"sqlite:///{path}: no such table: times"

    @pytest.mark.parametrize(("examine", "kind"), [(True, DamagedDatabase), (False, StoreUnavailable)])
    def test_what_is_no_database_is_left_alone(self, path: Path, examine: bool, kind: type[Exception]) -> None:
        path.write_bytes(b"hello " * 1000)
        with pytest.raises(kind) as caught:
            opened(path).prepare(examine=examine)
        assert getattr(caught.value, "seen", str(caught.value)) == f"{path}: file is not a database"
        assert path.read_bytes() == b"hello " * 1000

    def test_damage_is_found_where_it_is_looked_for(self, database: Database, path: Path) -> None:
        made(database, make)
        with database.transaction() as connection:
            connection.execute(insert(TIMES), [{"time": NOW} for _ in range(1000)])
        database.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:-4096] + b"\xa5" * 4096)
        opened(path).prepare()
        with pytest.raises(DamagedDatabase, match=r"a\.db: (a damaged database|database disk image is malformed)"):
            opened(path).prepare(examine=True)


class TestWork:
    def test_what_ends_well_is_kept_and_nothing_else(self, database: Database) -> None:
        made(database, make)
        with database.transaction() as connection:
            connection.execute(insert(TIMES), {"id": 1})
        with pytest.raises(KeyError), database.transaction() as connection:
            connection.execute(insert(TIMES), {"id": 2})
            raise KeyError
        with database.look() as connection:
            connection.execute(insert(TIMES), {"id": 3})
        with database.look() as connection:
            assert connection.execute(select(TIMES.c.id)).scalars().all() == [1]

    def test_nobody_else_writes_in_a_transaction_even_if_it_only_reads(self, database: Database, path: Path) -> None:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            with database.transaction(), pytest.raises(sqlite3.OperationalError, match="database is locked"):
                other.execute("BEGIN IMMEDIATE")
            with database.look():
                other.execute("BEGIN IMMEDIATE")

    def test_the_patience_of_one_is_not_that_of_the_next(self, database: Database) -> None:
        with database.transaction(patience=0.05) as connection:
            assert pragma(connection, "busy_timeout") == 50
        with database.look() as connection:
            assert pragma(connection, "busy_timeout") == 200

    def test_a_time_comes_back_as_the_same_moment_in_utc(self, database: Database) -> None:
        made(database, make)
        with database.transaction() as connection:
            given = [NOW, NOW.astimezone(timezone(timedelta(hours=-7))), None]
            connection.execute(insert(TIMES), [{"id": number, "time": time} for number, time in enumerate(given)])
        with database.look() as connection:
            times = connection.execute(select(TIMES.c.time).order_by(TIMES.c.id)).scalars().all()
        assert times == [NOW, NOW, None]
        assert [time and time.tzinfo for time in times] == [UTC, UTC, None]

    @pytest.mark.parametrize(
        ("versions", "message"),
        [
            ([2], None),
            ([3], "its tables of version 3, of a newer wsguard; known is 2"),
            ([1], "its tables of version 1, of another wsguard; known is 2"),
            ([], "its tables of version unknown, of another wsguard; known is 2"),
            ([1, 2], "its tables of version 1, 2, of another wsguard; known is 2"),
        ],
    )
    def test_tables_are_of_one_version(self, database: Database, versions: list[int], message: str | None) -> None:
        made(database, make)
        with database.transaction() as connection:
            for version in versions:
                connection.execute(insert(SCHEMA), {"version": version})
            if message is None:
                demand_version(connection, SCHEMA, 2, "its tables")
                return
            with pytest.raises(ValueError) as caught:  # noqa: PT011
                demand_version(connection, SCHEMA, 2, "its tables")
        assert str(caught.value) == message


class TestServers:
    def test_tables_that_another_makes_at_the_same_moment_are_tried_for_again(self, postgres_url: str) -> None:
        database = Database(postgres_url, setting="users.url")
        tries: list[int] = []

        def fail_twice(connection: Connection) -> int:
            tries.append(connection.execute(text("SELECT 1")).scalar_one())
            return len(tries) if len(tries) > 2 else connection.execute(text("SELECT nothing")).scalar_one()

        assert made(database, fail_twice) == 3
        database.close()

    def test_a_file_is_tried_for_once(self, database: Database) -> None:
        tries: list[int] = []

        def fail(connection: Connection) -> None:
            tries.append(1)
            connection.execute(text("SELECT nothing"))

        with pytest.raises(StoreUnavailable):
            made(database, fail)
        assert tries == [1]

    def test_only_the_first_line_of_an_error_is_told(self, postgres_url: str) -> None:
        database = Database(postgres_url, setting="audit.url", keep=False)
        with pytest.raises(StoreUnavailable) as caught, database.transaction() as connection:
            connection.execute(text("CREATE TEMPORARY TABLE secrets (name text UNIQUE)"))
            for _ in range(2):
                connection.execute(text("INSERT INTO secrets VALUES (:name)"), {"name": "hunter2"})
        assert caught.value.seen.endswith('duplicate key value violates unique constraint "secrets_name_key"')
        assert caught.value.setting == "audit.url"
        assert "hunter2" not in caught.value.seen

    def test_a_password_and_options_are_not_in_the_name(self) -> None:
        database = Database("postgresql+psycopg://joe:hunter2@db/x?sslpassword=hunter2", setting="users.url")
        assert database.name == "postgresql+psycopg://joe:***@db/x"
