"""``wsguard audit`` and ``wsguard db``: what people see of the records, and of the chain over them."""

import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.audit.chains import url_of
from tests.audit.test_sql_upgrade import INSERT, VERSION_1
from wsguard.audit import open_audit
from wsguard.cli import audit as audit_module
from wsguard.cli.application import application
from wsguard.cli.chart import print_bars
from wsguard.interfaces import AuditRecord, RequestOutcome

NOW = datetime.now(UTC)
KEY = "the key of this test"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in a wide terminal: status, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    monkeypatch.setenv("AUDIT_KEY", KEY)
    monkeypatch.delenv("WSGUARD_CONFIG", raising=False)

    def invoke(*arguments: object, answers: str = "") -> tuple[int, str, str]:
        result = CliRunner().invoke(application, [str(argument) for argument in arguments], input=answers)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    yield invoke
    monkeypatch.undo()
    time.tzset()


def record(incident: str, hours_ago: float, check: str = "", outcome: RequestOutcome = "rejected") -> AuditRecord:
    moment = NOW - timedelta(hours=hours_ago)
    return AuditRecord(incident, moment, outcome, check, service="Members", client="pega", username="alice")


def written() -> list[AuditRecord]:
    other = record("i3", 3, "replay.nonce")
    other.client, other.service, other.username = "other", "Other", "[red]bob"
    return [
        record("i1", 5000, "timestamp.expired"),
        record("i2", 20, "timestamp.not_yet_valid"),
        other,
        record("i4", 2, outcome="accepted"),
        record("i5", 1, "store.unavailable", "error"),
    ]


@pytest.fixture(params=["audit.jsonl", "audit.db"])
def audited(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A configuration whose audit has a key and five records."""
    return configured(tmp_path, request.param)


@pytest.fixture
def in_database(tmp_path: Path) -> Path:
    return configured(tmp_path, "audit.db")


def configured(directory: Path, name: str) -> Path:
    url = url_of(directory / name)
    with closing(open_audit([url], KEY.encode())) as sink:
        for one in written():
            sink.write(one)
    return configuration(directory, url)


def configuration(directory: Path, url: str) -> Path:
    config = directory / "wsguard.toml"
    config.write_text(f'[audit]\nurl = "{url}"\nkey_env = "AUDIT_KEY"\n[users]\nurl = "memory://"\n')
    return config


def change(config: Path, statement: str) -> None:
    with closing(sqlite3.connect(config.parent / "audit.db")) as connection:
        connection.execute(statement)
        connection.commit()


# --- list and show ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "incidents"),
    [
        (["--check", "timestamp"], ["i2", "i1"]),
        (["--check", "timestamp.expired"], ["i1"]),
        (["--until", "90m"], ["i4", "i3", "i2", "i1"]),
        (["--since", "10h", "--until", "90m"], ["i4", "i3"]),
        (["--client", "other"], ["i3"]),
        (["--service", "Members", "--limit", "2"], ["i5", "i4"]),
        (["--username", "alice", "--outcome", "accepted"], ["i4"]),
        (["--username", "nobody"], []),
    ],
)
def test_records_are_listed_as_asked(run: Run, audited: Path, options: list[str], incidents: list[str]) -> None:
    status, output, _ = run("audit", "list", audited, *options, "--json")
    assert (status, [entry["incident"] for entry in json.loads(output)]) == (0, incidents)


@pytest.mark.parametrize("options", [["--check", "time"], ["--until", "then"], ["--outcome", "fine"]])
def test_what_means_nothing_is_misuse(run: Run, audited: Path, options: list[str]) -> None:
    assert run("audit", "list", audited, *options)[0] == 2


def test_times_are_local_unless_asked_for_in_utc(run: Run, in_database: Path) -> None:
    moment = written()[-1].time
    local = (moment + timedelta(hours=5.5)).strftime("%Y-%m-%d %H:%M:%S")
    for command in (["list", in_database], ["show", in_database, "i5"], ["tail", in_database, "--no-follow"]):
        output = run("audit", *command)[1]
        assert local in output
        assert moment.strftime("%Y-%m-%d %H:%M:%S") in run("audit", *command, "--utc")[1]
    assert "Time (IST)" in run("audit", "list", in_database)[1]


def test_a_time_without_a_zone_is_read_as_times_are_shown(run: Run, in_database: Path) -> None:
    since = (written()[-1].time + timedelta(hours=5.5)).strftime("%Y-%m-%dT%H:%M:%S")
    assert [
        one["incident"] for one in json.loads(run("audit", "list", in_database, "--since", since, "--json")[1])
    ] == ["i5"]
    assert run("audit", "list", in_database, "--since", since, "--utc")[1] == "No record fits.\n"


def test_show_says_where_in_the_chain(run: Run, audited: Path) -> None:
    assert re.search(r"entry\s+│ 3 of writer [0-9a-f]{16}", run("audit", "show", audited, "i3")[1])


# --- tail -------------------------------------------------------------------------------------------------------------


def test_the_last_records_stand_a_line_each_oldest_first(run: Run, audited: Path) -> None:
    status, output, _ = run("audit", "tail", audited, "--no-follow", "--lines", 3)
    lines = output.splitlines()
    assert (status, len(lines)) == (0, 3)
    assert "replay.nonce" in lines[0]
    assert lines[2].endswith("error  store.unavailable  pega")
    output = run("audit", "tail", audited, "--no-follow", "-n", 1, "--json", "--check", "timestamp")[1]
    assert json.loads(output)["incident"] == "i2"


def test_new_records_are_followed_until_interrupted(run: Run, audited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = next(line for line in audited.read_text().splitlines() if line.startswith("url")).split('"')[1]
    sink = open_audit([url])
    looks = iter(range(4))

    def sleep(_: float) -> None:
        look = next(looks)
        if look == 3:
            raise KeyboardInterrupt
        sink.write(record(f"new {look}", 0, "replay.nonce"))
        sink.write(record(f"other {look}", 0, "security.missing"))

    monkeypatch.setattr(audit_module.time, "sleep", sleep)  # type: ignore[attr-defined]
    status, output, _ = run("audit", "tail", audited, "-n", 1, "--check", "replay", "--json")
    sink.close()
    assert status == 0
    assert [json.loads(line)["incident"] for line in output.splitlines()] == ["i3", "new 0", "new 1", "new 2"]


# --- Records that somebody else wrote ---------------------------------------------------------------------------------

PAINT = "\x1b]0;mine\x07\x1b[2J\x9b1A\u202e\u2066\ud800[/red]"
"""A title, a cleared screen, a line up, other directions, half a character, and markup of rich that nobody opened."""
OBEYED = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\ud800")


def painted(directory: Path) -> Path:
    """A configuration whose audit has a line that whoever can write to a log put there."""
    result = {"check": PAINT, "outcome": PAINT, "expected": PAINT, "seen": PAINT, "setting": PAINT}
    texts = dict.fromkeys(("check", "operation", "client", "remote_addr", "writer"), f"{PAINT}\naccepted")
    forged = {"incident": PAINT, "time": NOW.isoformat(), "outcome": "rejected", "explanation": [result], **texts}
    (directory / "audit.jsonl").write_text(json.dumps(forged) + "\n")
    return configuration(directory, url_of(directory / "audit.jsonl"))


@pytest.mark.parametrize(
    "command",
    [["list"], ["show", PAINT], ["tail", "--no-follow"], ["stats"], ["verify"]],
    ids=["list", "show", "tail", "stats", "verify"],
)
def test_no_record_is_obeyed_by_the_terminal(run: Run, tmp_path: Path, command: list[str]) -> None:
    name, *rest = command
    status, output, _ = run("audit", name, painted(tmp_path), *rest)
    assert status == (1 if name == "verify" else 0)
    assert name == "verify" or r"\x1b]0;mine\x07" in output
    assert not [sign for sign in OBEYED if sign in output]


def test_a_record_is_one_line_of_tail_whatever_is_in_it(run: Run, tmp_path: Path) -> None:
    assert len(run("audit", "tail", painted(tmp_path), "--no-follow")[1].splitlines()) == 1


# --- stats ------------------------------------------------------------------------------------------------------------


def test_stats_counts_and_draws(run: Run, audited: Path) -> None:
    status, output, _ = run("audit", "stats", audited, "--utc")
    assert status == 0
    assert "Refusals over time (UTC)" in output
    for text in ("timestamp.not_yet_valid", "replay.nonce", "accepted", "pega", "other"):
        assert text in output
    assert "timestamp.expired" not in output
    bars = [line for line in output.splitlines() if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line)]
    assert len(bars) == 24
    assert sum(int(line.split()[-1]) for line in bars if "  " in line and line.rstrip()[-2:] == " 1") == 3


def test_stats_for_programs(run: Run, audited: Path) -> None:
    plain = json.loads(run("audit", "stats", audited, "--json")[1])
    assert plain["outcomes"] == {"rejected": 2, "accepted": 1, "error": 1}
    assert plain["clients"] == {"pega": 3, "other": 1}
    assert sum(sum(span["checks"].values()) for span in plain["refusals"]) == 3
    assert run("audit", "stats", audited, "--check", "limits")[1] == "No record fits.\n"


def test_bars_are_as_long_as_what_they_show(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_bars("Title", ["a", "b", "c"], [("one", Counter(a=10, b=10)), ("two", Counter(b=1)), ("six", Counter())])
    title, one, two, six, legend = capsys.readouterr().out.splitlines()
    parts = set("".join(one.split()[1]))
    assert len(parts) == 2
    assert [len(one.split()[1]), len(two.split()[1])] == [27, 1]
    assert (title.strip(), six.strip(), legend.split()[1::2]) == ("Title", "six", ["a", "b"])


# --- verify -----------------------------------------------------------------------------------------------------------


def test_an_untouched_audit_verifies(run: Run, audited: Path) -> None:
    status, output, _ = run("audit", "verify", audited)
    assert status == 0
    assert "6 entries of 1 writers" in output
    assert "closed" in output
    assert output.endswith("The chains hold.\n")
    plain = json.loads(run("audit", "verify", audited, "--json")[1])
    assert (plain["ok"], plain["entries"], plain["writers"][0]["last_seq"]) == (True, 6, 6)


def test_what_was_changed_and_removed_is_shown_with_its_place(run: Run, in_database: Path) -> None:
    change(in_database, "UPDATE audit SET outcome = 'accepted' WHERE incident = 'i3'")
    change(in_database, "DELETE FROM audit WHERE incident IN ('i4', 'i5')")
    status, output, _ = run("audit", "verify", in_database)
    assert status == 1
    assert "2 findings" in output
    assert re.search(r"│ 3 +│ row 3 +│ it is not as it was written", output)
    assert re.search(r"│ 4-5 +│ row 6 +│ entries are gone", output)
    status, output, _ = run("audit", "verify", in_database, "--json")
    assert (status, json.loads(output)["ok"]) == (1, False)


def test_another_key_is_suspected_where_nothing_fits(run: Run, audited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", "another")
    status, output, _ = run("audit", "verify", audited)
    assert status == 1
    assert "was the key another one then?" in output


def test_a_key_that_is_not_there_is_misuse(run: Run, audited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        monkeypatch.setenv("AUDIT_KEY", value) if value is not None else monkeypatch.delenv("AUDIT_KEY")
        status, _, error = run("audit", "verify", audited)
        assert (status, "audit.key_env" in error) == (2, True)


def test_a_rotated_file_is_verified_by_its_name(run: Run, tmp_path: Path) -> None:
    config = configured(tmp_path, "audit.jsonl")
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.jsonl.1")
    assert run("audit", "verify", config)[0] == 1
    assert run("audit", "verify", config, "--file", tmp_path / "audit.jsonl.1")[0] == 0


def test_without_a_key_verify_says_what_that_means(run: Run, in_database: Path) -> None:
    in_database.write_text(in_database.read_text().replace('key_env = "AUDIT_KEY"\n', ""))
    assert "There is no audit.key_env" in run("audit", "verify", in_database)[1]


# --- purge and export -------------------------------------------------------------------------------------------------


def test_purge_keeps_what_the_retention_keeps_and_the_rest_verifies(run: Run, in_database: Path) -> None:
    status, output, _ = run("audit", "purge", in_database, "--yes")
    assert (status, output.startswith("1 entries before ")) == (0, True)
    status, output, _ = run("audit", "purge", in_database, "--older-than", "10h", "--yes")
    assert output.startswith("1 entries before ")
    assert run("audit", "verify", in_database)[0] == 0
    assert len(json.loads(run("audit", "list", in_database, "--json")[1])) == 3


def test_purge_asks_first(run: Run, in_database: Path) -> None:
    assert run("audit", "purge", in_database, answers="n\n")[0] == 1
    assert len(json.loads(run("audit", "list", in_database, "--json")[1])) == 5
    assert run("audit", "purge", in_database, answers="y\n")[0] == 0
    assert len(json.loads(run("audit", "list", in_database, "--json")[1])) == 4


def test_a_file_of_lines_is_not_purged(run: Run, tmp_path: Path) -> None:
    status, _, error = run("audit", "purge", configured(tmp_path, "audit.jsonl"), "--yes")
    assert (status, "Rotate it" in error) == (2, True)
    assert run("audit", "purge", tmp_path / "wsguard.toml", "--older-than", "soon", "--yes")[0] == 2


def test_export_writes_lines_in_the_order_of_writing(run: Run, audited: Path, tmp_path: Path) -> None:
    status, output, _ = run("audit", "export", audited)
    plain = [json.loads(line) for line in output.splitlines()]
    assert (status, [one["incident"] for one in plain]) == (0, ["i1", "i2", "i3", "i4", "i5"])
    assert (plain[2]["username"], plain[2]["seq"]) == ("[red]bob", 3)
    file = tmp_path / "out.jsonl"
    status, output, _ = run("audit", "export", audited, "--output", file, "--check", "timestamp")
    assert (status, output) == (0, f"2 records were written to {file}.\n")
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    assert run("audit", "export", audited, "--output", file)[0] == 2
    assert (file.read_text(), len(before.splitlines())) == (before, 2)


# --- db upgrade -------------------------------------------------------------------------------------------------------


def test_a_database_of_an_earlier_release_is_upgraded(run: Run, tmp_path: Path) -> None:
    config = configuration(tmp_path, url_of(tmp_path / "audit.db"))
    for statement in [*VERSION_1, INSERT.format("old")]:
        change(config, statement)
    status, _, error = run("audit", "list", config)
    assert (status, "run: wsguard db upgrade CONFIG" in error) == (2, True)
    status, output, _ = run("db", "upgrade", config)
    assert (status, output.endswith("audit.db: upgraded\n")) == (0, True)
    assert run("db", "upgrade", config)[1].endswith("audit.db: up to date\n")
    assert [one["incident"] for one in json.loads(run("audit", "list", config, "--json")[1])] == ["old"]
    with closing(open_audit([url_of(tmp_path / "audit.db")], KEY.encode())) as sink:
        sink.write(record("new", 0))
    status, output, _ = run("audit", "verify", config)
    assert status == 0
    assert "1 records of releases before 0.2 stand outside of any chain" in output


def test_without_a_database_there_is_nothing_to_upgrade(run: Run, tmp_path: Path) -> None:
    config = configuration(tmp_path, url_of(tmp_path / "audit.jsonl"))
    assert run("db", "upgrade", config) == (0, "There is no database among audit.url: nothing to do.\n", "")


def test_a_database_that_is_away_is_bad_news(run: Run, tmp_path: Path) -> None:
    config = configuration(tmp_path, url_of(tmp_path / "missing" / "audit.db"))
    for command, word in ((["db", "upgrade"], "upgraded"), (["audit", "purge", "--yes"], "purged")):
        status, _, error = run(*command, config)
        assert (status, error.startswith(f"The audit cannot be {word}: ")) == (1, True)
