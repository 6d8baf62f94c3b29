"""``wsguard explain``: the verdict on a captured message, check by check, and nothing remembered."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.messages import NOW, Token, envelope, message, security, timestamp
from wsguard.cli.application import application

CONFIG = """
[users]
url = "toml:users.toml"
[replay]
url = "sqlite:///replay.db"
[audit]
url = "jsonl:audit.jsonl"
[services.Echo]
operations = ["{urn:echo}*"]
[[exempt]]
operations = ["{urn:leads}Add"]
"""


class Explained:
    """A directory with a configuration, and the command in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "wsguard.toml").write_text(CONFIG)
        (directory / "users.toml").write_text('"alice" = "secret"\n')

    def explain(self, octets: bytes, *options: str) -> Result:
        captured = self.directory / "message.xml"
        captured.write_bytes(octets)
        arguments = ["explain", str(self.directory / "wsguard.toml"), str(captured), "--at", NOW.isoformat(), *options]
        return CliRunner().invoke(application, arguments)


@pytest.fixture
def explained(tmp_path: Path) -> Explained:
    return Explained(tmp_path)


def test_an_honest_message_is_accepted_with_every_check_in_order(explained: Explained) -> None:
    result = explained.explain(message(), "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (said["verdict"], said["service"], said["username"]) == ("accepted", "Echo", "alice")
    checks = [entry["check"] for entry in said["explanation"]]
    assert checks == ["envelope", "operation", "timestamp", "username_token", "replay"]
    assert all(entry["expected"] and entry["seen"] and entry["setting"] for entry in said["explanation"])


def test_explaining_remembers_nothing(explained: Explained) -> None:
    assert [explained.explain(message()).exit_code for _ in range(3)] == [0, 0, 0]
    assert sorted(file.name for file in explained.directory.iterdir()) == ["message.xml", "users.toml", "wsguard.toml"]


def test_a_refusal_says_what_was_expected_and_seen_which_setting_decided_and_the_cure(explained: Explained) -> None:
    result = explained.explain(message(kind="PasswordText"), "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (said["verdict"], said["check"]) == ("refused", "username_token.password_type")
    last = said["explanation"][-1]
    assert (last["outcome"], last["expected"], last["seen"]) == ("refused", "PasswordDigest", "PasswordText")
    assert last["setting"] == "username_token.password_types"
    assert said["cure"] == "choose PasswordDigest in the client"


def test_people_get_a_table_and_the_cure(explained: Explained) -> None:
    result = explained.explain(message(password="guessed"))
    assert result.exit_code == 1
    assert "Cure: look at the record" in result.stdout
    assert "Refused by username_token.authentication." in result.stdout
    assert "guessed" not in result.stdout


def test_the_time_of_capture_can_be_given(explained: Explained) -> None:
    late = explained.explain(message(), "--at", "2026-11-21T13:00:00Z", "--json")
    assert json.loads(late.stdout)["check"] == "timestamp.expired"


def test_the_action_and_charset_of_the_capture_can_be_given(explained: Explained) -> None:
    contradicted = explained.explain(message(), "--action", "urn:leads#Add", "--json")
    assert json.loads(contradicted.stdout)["check"] == "envelope.soap_action"
    mislabelled = explained.explain(message(), "--charset", "utf-16", "--json")
    assert json.loads(mislabelled.stdout)["check"] == "envelope.encoding"


def test_an_exempt_message_is_said_to_be_exempt(explained: Explained) -> None:
    result = explained.explain(envelope(None, '<l:Add xmlns:l="urn:leads"/>'))
    assert result.exit_code == 0
    assert "Exempt: {urn:leads}Add" in result.stdout


def test_a_message_that_is_no_xml_is_explained_too(explained: Explained) -> None:
    result = explained.explain(b"\x00\xff not xml", "--json")
    assert (result.exit_code, json.loads(result.stdout)["check"]) == (1, "envelope.encoding")


def test_nothing_secret_is_printed(explained: Explained) -> None:
    token = Token(kind="PasswordText", password="secret")
    for options in ((), ("--json",)):
        printed = explained.explain(envelope(security(timestamp(), token.xml())), *options).output
        assert "secret" not in printed


@pytest.mark.parametrize(
    "options", [("--at", "yesterday"), ("--incident", "01m7yzmhg0"), ("--app", "no.such.module:application")]
)
def test_misuse_ends_with_status_2(explained: Explained, options: tuple[str, str]) -> None:
    assert explained.explain(message(), *options).exit_code == 2


def test_a_missing_message_and_a_broken_configuration_end_with_status_2(explained: Explained) -> None:
    config = str(explained.directory / "wsguard.toml")
    assert CliRunner().invoke(application, ["explain", config, "no-such.xml"]).exit_code == 2
    assert CliRunner().invoke(application, ["explain", config]).exit_code == 2
    (explained.directory / "users.toml").unlink()
    result = explained.explain(message())
    assert result.exit_code == 2
    assert "users.url" in result.output
