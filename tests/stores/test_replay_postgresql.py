"""What the PostgreSQL replay store promises beyond the contract: processes, restarts, locks, rights and failures."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import NullPool, create_engine, text

from tests.stores.processes import KEYS, LATER, NOW, told_true_in_four_processes
from wsguard.databases.deadline import within
from wsguard.faults import StoreUnavailable
from wsguard.policy.problems import ConfigError
from wsguard.policy.surroundings import Replay
from wsguard.stores.replay_postgresql import PostgresReplayStore

HASTY = Replay(deadline=1)
DEADLINE = 2.5
"""Seconds: that of ``HASTY``, one for connecting, and what a busy machine may add."""


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresReplayStore]:
    with closing(PostgresReplayStore(postgres_url, HASTY)) as made:
        yield made


def run(url: str, *statements: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def refusal(act: Callable[[], object]) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as caught:
        act()
    assert caught.value.setting == "replay.url"
    return caught.value


class TestSeveralProcesses:
    def test_of_four_exactly_one_is_told_true(self, postgres_url: str) -> None:
        """They also make the tables at the same moment."""
        assert told_true_in_four_processes(postgres_url) == dict.fromkeys(KEYS, 1)

    def test_what_was_seen_is_known_after_a_restart(self, store: PostgresReplayStore, postgres_url: str) -> None:
        store.remember(b"key", LATER, NOW)
        with closing(PostgresReplayStore(postgres_url, HASTY)) as second:
            assert second.remember(b"key", LATER, NOW) is False
            assert second.size() == 1

    def test_a_forked_child_has_connections_of_its_own(self, store: PostgresReplayStore) -> None:
        store.remember(b"parent", LATER, NOW)
        child = os.fork()
        if not child:
            answers = [store.remember(key, LATER, NOW) for key in (b"parent", b"child")]
            os._exit(0 if answers == [False, True] else 99)
        assert [store.remember(b"more %d" % number, LATER, NOW) for number in range(50)] == [True] * 50
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.remember(b"child", LATER, NOW) is False


class TestFailures:
    def test_a_row_that_somebody_holds_is_not_waited_for(self, store: PostgresReplayStore, postgres_url: str) -> None:
        engine = create_engine(postgres_url, poolclass=NullPool)
        with engine.begin() as other:
            other.execute(text("INSERT INTO wsguard_seen VALUES ('held', 0)"))
            began = time.monotonic()
            assert "timeout" in refusal(lambda: store.remember(b"held", LATER, NOW)).seen
            assert time.monotonic() - began < DEADLINE
        assert store.remember(b"held", LATER, NOW) is True

    def test_a_question_that_is_never_answered_ends_by_the_clock_of_the_caller(
        self, store: PostgresReplayStore
    ) -> None:
        """The server itself would let it go on: its own limits are taken away."""
        began = time.monotonic()
        with pytest.raises(StoreUnavailable) as caught, store._database.statements() as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_sleep(30)"))
        assert caught.value.seen.endswith(": no answer within the deadline")
        assert time.monotonic() - began < DEADLINE
        assert store.remember(b"key", LATER, NOW) is True

    def test_without_time_no_connection_is_begun(self, store: PostgresReplayStore) -> None:
        with within(0.1):
            assert refusal(lambda: store.remember(b"key", LATER, NOW)).seen.endswith("no time is left to connect")

    def test_connections_that_the_server_ended_are_not_used(
        self, store: PostgresReplayStore, postgres_url: str
    ) -> None:
        store.remember(b"key", LATER, NOW)
        run(
            postgres_url,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert store.remember(b"other", LATER, NOW) is True

    def test_a_purge_leaves_what_others_are_at(
        self, store: PostgresReplayStore, postgres_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        run(postgres_url, "INSERT INTO wsguard_seen VALUES ('a', 0), ('b', 0)")
        engine = create_engine(postgres_url, poolclass=NullPool)
        with engine.begin() as other:
            other.execute(text("SELECT * FROM wsguard_seen WHERE key = 'a' FOR UPDATE"))
            assert [store.remember(b"%d" % number, LATER, NOW) for number in range(50)] == [True] * 50
        assert store.size() == 51
        assert caplog.text == ""

    def test_a_purge_that_fails_is_logged_and_is_no_refusal(
        self, store: PostgresReplayStore, postgres_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$"
        run(
            postgres_url,
            refuse,
            "CREATE TRIGGER refuse BEFORE DELETE ON wsguard_seen FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
        )
        assert [store.remember(b"%d" % number, LATER, NOW) for number in range(50)] == [True] * 50
        assert "what was seen long ago was not purged" in caplog.text


class TestOpening:
    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("ALTER ROLE reader SET default_transaction_read_only = on", "in a read-only transaction"),
            ("REVOKE INSERT ON wsguard_seen FROM reader", "permission denied for table wsguard_seen"),
            ("REVOKE UPDATE ON wsguard_seen FROM reader", "permission denied for table wsguard_seen"),
            ("REVOKE DELETE ON wsguard_failure FROM reader", "permission denied for table wsguard_failure"),
            ("REVOKE SELECT ON wsguard_replay_schema FROM reader", "permission denied for table wsguard_replay_schema"),
            ("ALTER ROLE reader NOLOGIN", 'role "reader" is not permitted to log in'),
        ],
        ids=["read-only", "no insert", "no update", "no delete", "no version", "no login"],
    )
    def test_a_right_that_is_missing_is_told_at_the_start(
        self, store: PostgresReplayStore, postgres_url: str, setting: str, message: str
    ) -> None:
        url = postgres_url.replace("//postgres@", "//reader@")
        run(
            postgres_url,
            "CREATE ROLE reader LOGIN",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON wsguard_seen, wsguard_failure TO reader",
            "GRANT SELECT ON wsguard_replay_schema TO reader",
        )
        try:
            with closing(PostgresReplayStore(url, HASTY)) as documented:
                assert documented.remember(b"key", LATER, NOW) is True
            run(postgres_url, setting)
            assert message in refusal(lambda: PostgresReplayStore(url, HASTY)).seen
        finally:
            run(postgres_url, "DROP OWNED BY reader", "DROP ROLE reader")

    def test_a_role_that_may_not_make_tables_is_told_so(self, postgres_url: str) -> None:
        run(postgres_url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "CREATE ROLE maker LOGIN")
        try:
            fault = refusal(lambda: PostgresReplayStore(postgres_url.replace("//postgres@", "//maker@"), HASTY))
            assert fault.seen.endswith("permission denied for schema public")
        finally:
            run(postgres_url, "DROP OWNED BY maker", "DROP ROLE maker")

    @pytest.mark.parametrize(("version", "whose"), [(2, "a newer"), (0, "another")])
    def test_tables_of_another_version_are_refused(
        self, store: PostgresReplayStore, postgres_url: str, version: int, whose: str
    ) -> None:
        run(postgres_url, f"UPDATE wsguard_replay_schema SET version = {version}")
        with pytest.raises(ValueError, match=f"replay tables of version {version}, of {whose} wsguard; known is 1$"):
            PostgresReplayStore(postgres_url, HASTY)

    def test_a_wrong_database_and_a_server_that_is_away_are_told_without_the_password(self, postgres_url: str) -> None:
        for url in (
            postgres_url.replace("//postgres@/test", "//postgres:hunter2@/nothing"),
            "postgresql+psycopg://postgres:hunter2@127.0.0.1:1/x",
        ):
            fault = refusal(lambda url=url: PostgresReplayStore(url, HASTY))  # type: ignore[misc]
            assert "does not exist" in fault.seen or "refused" in fault.seen
            assert "hunter2" not in fault.seen

    def test_a_ca_file_belongs_in_the_url(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        with pytest.raises(ConfigError, match=r"^replay\.ca_file: is for rediss://; .*sslmode=verify-full"):
            PostgresReplayStore("postgresql+psycopg://db/x", Replay(ca_file=tmp_path_factory.getbasetemp()))
