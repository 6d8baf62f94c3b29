"""What is old goes, and what is left still verifies: when asked to, and little by little beside the requests."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.audit.chains import KEY, flaws, record, url_of, verified
from wsguard.audit import open_audit, open_reader, purge_audit, sql
from wsguard.audit.checkpoint import Checkpoint, read_checkpoint
from wsguard.audit.entries import time_text
from wsguard.audit.sql import SqlAudit
from wsguard.faults import StoreUnavailable

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


@pytest.fixture
def audit(path: Path) -> Iterator[SqlAudit]:
    made = SqlAudit(url_of(path), key=KEY, retention=90 * DAY)
    yield made
    made.close()


def write_days(audit: SqlAudit, *days_ago: int) -> None:
    for days in days_ago:
        audit.write(record(f"{days} days ago", NOW - days * DAY))


def incidents(path: Path) -> list[str]:
    return [found.incident.partition(" ")[0] for found in open_reader([url_of(path)]).scan(oldest_first=True)]


def run(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def checkpoints(path: Path) -> list[Checkpoint]:
    contents = [entry.content for entry in open_reader([url_of(path)]).entries()]
    return [read_checkpoint(content["checkpoint"]) for content in contents if content and "checkpoint" in content]


class TestPurge:
    def test_what_is_older_goes_and_the_rest_verifies(self, audit: SqlAudit, path: Path) -> None:
        write_days(audit, 200, 150, 91, 89, 1)
        assert purge_audit([url_of(path)], NOW - 90 * DAY, KEY) == 3
        assert incidents(path) == ["89", "1"]
        audit.write(record("0 next"))
        done = verified(url_of(path))
        assert done.holds
        assert (done.writers[0].first_seq, done.writers[0].purged, done.writers[0].last_seq) == (4, 3, 6)

    def test_without_its_checkpoint_the_beginning_is_missing(self, audit: SqlAudit, path: Path) -> None:
        write_days(audit, 200, 150, 89)
        audit.purge(NOW - 90 * DAY)
        audit.write(record("0 next"))
        run(path, "DELETE FROM audit WHERE kind = 'checkpoint'")
        done = verified(url_of(path))
        assert flaws(done) == {"missing"}
        assert done.writers[0].missing == 3

    def test_what_is_gone_beyond_the_checkpoint_is_missing(self, audit: SqlAudit, path: Path) -> None:
        write_days(audit, 200, 150, 89, 88)
        audit.purge(NOW - 90 * DAY)
        run(path, "DELETE FROM audit WHERE incident LIKE '89 days%'")
        assert flaws(verified(url_of(path))) == {"missing"}

    def test_a_checkpoint_names_the_newest_of_every_writer(self, audit: SqlAudit, path: Path) -> None:
        write_days(audit, 3, 2, 1)
        assert purge_audit([url_of(path)], NOW - 90 * DAY, KEY) == 0
        run(path, "DELETE FROM audit WHERE incident LIKE '1 days%'")
        assert flaws(verified(url_of(path))) == {"tail"}

    def test_of_a_writer_nothing_goes_after_what_stays(self, audit: SqlAudit, path: Path) -> None:
        write_days(audit, 200, 1, 150)
        assert audit.purge(NOW - 90 * DAY) == 1
        assert incidents(path) == ["1", "150"]
        assert verified(url_of(path)).holds

    def test_purging_again_and_again_verifies_every_time(self, path: Path) -> None:
        """Checkpoints grow old and go too, and what they said that still matters is said again."""
        with closing(SqlAudit(url_of(path), key=KEY)) as audit, closing(SqlAudit(url_of(path), key=KEY)) as other:
            for days in range(100, 0, -10):
                write_days(audit, days)
                other.write(record(f"other {days}", NOW - days * DAY))
            for days in range(95, -5, -10):
                assert purge_audit([url_of(path)], NOW - days * DAY, KEY) >= 2
                assert verified(url_of(path)).holds
        assert incidents(path) == []
        assert verified(url_of(path)).holds

    def test_what_an_old_checkpoint_said_is_carried_on_while_it_matters(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(SqlAudit(url_of(path), key=KEY)) as gone, closing(SqlAudit(url_of(path), key=KEY)) as idle:
            gone.write(record("a", NOW - 200 * DAY))
            idle.write(record("b", NOW - 200 * DAY))
            idle.write(record("c", NOW - 1 * DAY))
        run(path, "DELETE FROM audit WHERE kind = 'closing'")
        with monkeypatch.context() as patch:
            patch.setattr(sql, "_now", lambda: time_text(NOW - 100 * DAY, "microseconds"))
            purge_audit([url_of(path)], NOW - 150 * DAY, KEY)
        assert len(checkpoints(path)[0].cut) == 2
        assert purge_audit([url_of(path)], NOW - 90 * DAY, KEY) == 2
        (checkpoint,) = checkpoints(path)
        idle_writer = open_reader([url_of(path)]).read()[0].writer
        assert idle_writer in {link.writer for link in checkpoint.cut}
        # Of the two that are gone for good, only the one that purged is named: it went just now.
        assert len(checkpoint.cut) == 2
        assert verified(url_of(path)).holds

    def test_requests_are_recorded_meanwhile(self, audit: SqlAudit, path: Path) -> None:
        write_days(audit, 200, 150)
        purged = audit.purge(NOW - 90 * DAY)
        write_days(audit, 2, 1)
        assert (purged, verified(url_of(path)).holds) == (2, True)

    def test_many_pages_go(self, audit: SqlAudit, path: Path) -> None:
        for number in range(1203):
            audit.write(record(f"old {number}", NOW - 100 * DAY))
        write_days(audit, 1)
        assert audit.purge(NOW - 90 * DAY) == 1203
        assert incidents(path) == ["1"]
        assert verified(url_of(path)).holds

    def test_an_interrupted_purge_verifies(self, audit: SqlAudit, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_days(audit, 200, 150, 120, 1)

        def fail(*_: object) -> int:
            raise StoreUnavailable("gone")

        with monkeypatch.context() as patch:
            patch.setattr(audit, "_remove", fail)
            with pytest.raises(StoreUnavailable):
                audit.purge(NOW - 90 * DAY)
        assert verified(url_of(path)).holds
        run(path, "DELETE FROM audit WHERE id = 1")
        assert verified(url_of(path)).holds
        assert audit.purge(NOW - 90 * DAY) == 2
        assert verified(url_of(path)).holds

    def test_what_is_slipped_in_excuses_nothing(
        self, audit: SqlAudit, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An old entry that claims a later number of a writer, so that a purge seems to have taken all before it."""
        write_days(audit, 3, 2, 1)
        run(
            path,
            "INSERT INTO audit SELECT -1, 'fake', '2001-01-01', outcome, \"check\", fault, service, operation,"
            "soap_version, client, username, certificate_subject, certificate_sha256, remote_addr, path,"
            "message_sha256, message_bytes, duration_ms, clock_skew_s, explanation, writer, seq, prev, mac, kind,"
            "amends FROM audit WHERE id = 2",
        )
        assert audit.purge(NOW - 90 * DAY) == 1
        run(path, "DELETE FROM audit WHERE id IN (1, 2)")
        assert flaws(verified(url_of(path))) == {"missing"}
        assert "1 purged entries were not as written" in caplog.text

    def test_a_file_of_lines_is_not_purged(self, tmp_path: Path) -> None:
        url = url_of(tmp_path / "audit.jsonl")
        open_audit([url]).close()
        with pytest.raises(ValueError, match=r"^a file of JSON lines is not purged: .* Rotate it"):
            purge_audit([url], NOW)

    def test_nothing_is_made_where_nothing_is_purged(self, path: Path) -> None:
        with pytest.raises(StoreUnavailable):
            purge_audit([url_of(path)], NOW)
        assert not path.exists()

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 200), st.booleans()), max_size=30))
    def test_any_history_verifies_after_any_purges(self, tmp_path: Path, acts: list[tuple[int, int, bool]]) -> None:
        path = tmp_path / "any.db"
        for file in tmp_path.glob("any.db*"):
            file.unlink()
        sinks = [SqlAudit(url_of(path), key=KEY, retention=90 * DAY) for _ in range(3)]
        for number, (who, days, purging) in enumerate(acts):
            if purging:
                sinks[who].purge(NOW - days * DAY)
            else:
                sinks[who].write(record(f"{number}", NOW - days * DAY))
            if days % 7 == 0:
                sinks[who]._due = 0.0
            assert verified(url_of(path)).holds
        for sink in sinks:
            sink.close()
        assert verified(url_of(path)).holds


class TestBesideRequests:
    def test_a_write_is_followed_by_a_small_purge_once_an_hour(self, audit: SqlAudit, path: Path) -> None:
        write_days(audit, 200, 150)
        assert 0 <= audit._due - time.monotonic() <= 3600
        audit._due = 0.0
        write_days(audit, 1)
        assert incidents(path) == ["1"]
        assert 3590 < audit._due - time.monotonic() <= 3600
        audit.write(record("100 again", NOW - 100 * DAY))
        assert incidents(path) == ["1", "100"]
        assert verified(url_of(path)).holds

    def test_it_is_bounded(self, audit: SqlAudit, path: Path) -> None:
        for number in range(250):
            audit.write(record(f"old {number}", NOW - 100 * DAY))
        audit._due = 0.0
        write_days(audit, 1)
        assert len(incidents(path)) == 51
        assert verified(url_of(path)).holds

    def test_a_failure_is_logged_and_refuses_nothing(
        self, audit: SqlAudit, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write_days(audit, 200)
        run(path, "CREATE TRIGGER keep BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'no'); END")
        audit._due = 0.0
        write_days(audit, 1)
        assert "old audit records were not purged" in caplog.text
        write_days(audit, 0)
        assert incidents(path) == ["200", "1", "0"]
        assert verified(url_of(path)).holds

    def test_a_damaged_row_keeps_no_request_from_being_recorded(
        self, audit: SqlAudit, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write_days(audit, 200)
        run(path, "UPDATE audit SET time = 5")
        audit._due = 0.0
        write_days(audit, 1)
        assert [one.getMessage().partition(":")[0] for one in caplog.records] == [
            "old audit records were not purged, a row is damaged"
        ]

    def test_without_a_retention_nothing_goes(self, path: Path) -> None:
        with closing(SqlAudit(url_of(path))) as audit:
            write_days(audit, 5000)
            audit._due = 0.0
            write_days(audit, 1)
        assert incidents(path) == ["5000", "1"]


def test_entries_that_were_gone_before_the_purge_are_told_of(
    audit: SqlAudit, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_days(audit, 200, 199, 198, 197, 1)
    run(path, "DELETE FROM audit WHERE incident = '198 days ago' OR incident = '199 days ago'")
    purge_audit([url_of(path)], NOW - 90 * DAY, KEY)
    assert "2 entries were missing among the purged ones" in caplog.text
