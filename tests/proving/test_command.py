"""``wsguard check --prove``: a table or JSON, and an exit status that a build can go by."""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wsguard.cli.application import application
from wsguard.stores.replay_sqlite import SqliteReplayStore

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a wide terminal: status and standard output."""
    monkeypatch.setenv("COLUMNS", "300")

    def invoke(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(application, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    return invoke


@pytest.fixture
def config(run: Run, tmp_path: Path) -> Path:
    """What ``wsguard init`` wrote."""
    assert run("init", tmp_path / "guard")[0] == 0
    return tmp_path / "guard" / "wsguard.toml"


def test_the_configuration_to_start_from_is_proven(run: Run, config: Path) -> None:
    status, output = run("check", config, "--prove")
    assert status == 0, output
    assert "No control was found that does not hold." in output
    for cell in ("timestamp.created", "user.disabled", "replay.threads", "holds"):
        assert cell in output


def test_json_has_every_row(run: Run, config: Path) -> None:
    status, output = run("check", config, "--prove", "--json")
    report = json.loads(output)
    assert (status, report["ok"], report["proof"]["ok"]) == (0, True, True)
    rows = report["proof"]["rows"]
    assert report["proof"]["verdicts"] == {"holds": len(rows), "DOES NOT HOLD": 0, "not proven": 0}
    assert {"target", "way", "control", "attack", "demanded", "got", "verdict", "reason"} == set(rows[0])


def test_what_does_not_hold_ends_with_status_1_and_says_what(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteReplayStore, "remember", lambda *_: True)
    status, output = run("check", config, "--prove")
    assert status == 1
    assert "What does not hold" in output
    assert "DO NOT HOLD: exit status 1." in output
    status, output = run("check", config, "--prove", "--json")
    report = json.loads(output)
    assert (status, report["ok"], report["proof"]["ok"]) == (1, False, False)
    broken = {row["control"] for row in report["proof"]["rows"] if row["verdict"] == "DOES NOT HOLD"}
    assert {"replay", "replay.once", "replay.kept"} <= broken


def test_what_was_not_proven_is_listed_and_ends_with_status_0(run: Run, config: Path) -> None:
    config.write_text(config.read_text() + "\n[services.MemberService]\ntimestamp.time_to_live = 120\n")
    status, output = run("check", config, "--prove")
    assert status == 0, output
    assert "What was not proven" in output
    assert "only the application knows its operations: give --app" in output


def test_without_the_option_nothing_is_tried(run: Run, config: Path) -> None:
    status, output = run("check", config, "--json")
    assert (status, "proof" in json.loads(output)) == (0, False)
    assert not (config.parent / "wsguard-replay.db").exists()


def test_a_configuration_that_is_refused_has_status_2(run: Run, config: Path) -> None:
    config.write_text(config.read_text().replace("[replay]\nurl", '[replay]\nurl_env = "NO_SUCH_VARIABLE"\n#url'))
    status, output = run("check", config, "--prove", "--json")
    assert (status, json.loads(output)["problems"][0]["key"]) == (2, "replay.url_env")


def test_attacks_are_no_news_in_the_log(run: Run, config: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogger("wsguard").level
    run("check", config, "--prove")
    assert caplog.records == []
    assert logging.getLogger("wsguard").level == before


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="spyne 2.14 does not import on Python 3.12")
def test_the_sample_is_proven_with_its_application(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_SERVICE_DATA", str(tmp_path))
    monkeypatch.delitem(sys.modules, "sample_service.wsgi", raising=False)
    monkeypatch.chdir(tmp_path)
    from sample_service.application import CONFIG, lay_out

    lay_out(tmp_path)
    command = ("check", tmp_path / CONFIG, "--app", "sample_service.wsgi:application", "--prove", "--json")
    status, output = run(*command)
    report = json.loads(output)
    assert status == 0, [row for row in report["proof"]["rows"] if row["verdict"] != "holds"]
    assert report["proof"]["verdicts"]["DOES NOT HOLD"] == report["proof"]["verdicts"]["not proven"] == 0
    sys.modules["sample_service.wsgi"].application.close()
