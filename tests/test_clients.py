"""Peers we know: who is served, what they may call, and what report mode spares whom."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.guarding import Guarded
from tests.messages import NOW, Token, envelope, message, security, stamp, timestamp

TODAY = NOW.date()


def guarded(*clients: dict[str, Any], **policy: Any) -> Guarded:
    return Guarded(client=list(clients), **policy)


def reporting(until: date = TODAY, **entry: Any) -> dict[str, Any]:
    return {"name": "Alice's", "username": "alice", "mode": "report", "report_until": until, **entry}


def test_where_a_client_is_named_another_authenticated_user_is_refused() -> None:
    guard = guarded({"name": "A", "username": "alice"})
    assert guard.post(message()).status == "200 OK"
    assert guard.post(message(username="bob", password="hunter2")).check == "client.mismatch"


def test_the_client_is_named_to_the_application_and_in_the_record() -> None:
    guard = guarded({"name": "A", "username": "alice"}, audit={"url": "memory://", "record": "all"})
    answer = guard.post(message())
    assert answer.record is not None
    assert answer.record.client == "A"
    assert guard.echo.handed[0][0]["wsguard.message"].client == "A"


def test_a_client_calls_only_the_services_it_is_for() -> None:
    guard = guarded(
        {"name": "A", "username": "alice", "services": ["Other"]},
        {"name": "B", "username": "bob", "services": ["Echo"]},
        services={"Echo": {"operations": ["{urn:echo}Echo"]}, "Other": {"operations": ["{urn:other}*"]}},
    )
    assert guard.post(message()).check == "client.operation"
    assert guard.post(message(username="bob", password="hunter2")).status == "200 OK"


def test_a_stranger_is_refused_before_his_nonce_is_remembered() -> None:
    guard = guarded({"name": "A", "username": "alice"})
    stranger = message(username="bob", password="hunter2")
    assert guard.post(stranger).check == "client.mismatch"
    assert guard.post(stranger).check == "client.mismatch", "not replay.nonce: nothing was remembered"


def test_a_client_in_report_mode_is_served_without_the_timestamp_it_lacks() -> None:
    guard = guarded(reporting())
    answer = guard.post(envelope(security(Token().xml())))
    assert answer.status == "200 OK"
    assert answer.record is not None
    assert (answer.record.outcome, answer.record.check) == ("reported", "timestamp.missing")
    assert guard.echo.handed[0][0]["wsguard.message"].reported == ("timestamp.missing",)
    assert [r["check"] for r in answer.record.explanation if r["outcome"] == "reported"] == ["timestamp.missing"]


@pytest.mark.parametrize(("created", "check"), [(-301, "timestamp.expired"), (61, "timestamp.not_yet_valid")])
def test_a_client_in_report_mode_is_served_outside_the_window_of_its_timestamp(created: int, check: str) -> None:
    stale = timestamp(stamp(created), stamp(created + 3000))
    answer = guarded(reporting()).post(envelope(security(stale, Token().xml())))
    assert answer.record is not None
    assert (answer.record.outcome, answer.record.check) == ("reported", check)


def test_report_mode_ends_with_the_last_day() -> None:
    guard = guarded(reporting(until=TODAY - timedelta(days=1)))
    assert guard.post(envelope(security(Token().xml()))).check == "timestamp.missing"


@pytest.mark.parametrize(
    ("octets", "check"),
    [
        pytest.param(message(password="wrong"), "username_token.authentication", id="a wrong password"),
        pytest.param(message(created=stamp(-400)), "username_token.expired", id="an old token"),
        pytest.param(envelope(security(timestamp())), "username_token.missing", id="nobody at all"),
        pytest.param(envelope(None), "security.missing", id="no header"),
        pytest.param(
            envelope(security(timestamp(stamp(), stamp(9000)), Token().xml())), "timestamp.lifetime", id="a long life"
        ),
    ],
)
def test_report_mode_spares_nothing_else(octets: bytes, check: str) -> None:
    answer = guarded(reporting()).post(octets)
    assert answer.record is not None
    assert (answer.record.outcome, answer.record.check) == ("rejected", check)


def test_a_replay_is_refused_in_report_mode_too() -> None:
    guard = guarded(reporting())
    octets = envelope(security(Token().xml()))
    assert guard.post(octets).status == "200 OK"
    assert guard.post(octets).check == "replay.nonce"
    assert len(guard.echo.handed) == 1


def test_one_client_in_report_mode_spares_no_other() -> None:
    guard = guarded(reporting(), {"name": "B", "username": "bob"})
    bob = Token(username="bob", password="hunter2")
    assert guard.post(envelope(security(bob.xml()))).check == "timestamp.missing"


def test_naming_the_client_in_report_mode_with_a_wrong_password_spares_nothing() -> None:
    answer = guarded(reporting()).post(envelope(security(Token(password="guessed").xml())))
    assert answer.record is not None
    assert answer.record.outcome == "rejected"
    assert answer.check == "timestamp.missing", "the first thing that is wrong, as for everybody"


def test_report_mode_is_said_loudly_at_start(caplog: pytest.LogCaptureFixture) -> None:
    guarded(reporting())
    assert "client Alice's is in report mode until 2026-11-21" in caplog.text


def test_a_token_without_created_is_remembered_as_long_as_its_timestamp_is_spared() -> None:
    lenient = {"password_types": ["PasswordText"], "require_created": False}
    guard = guarded(reporting(until=TODAY + timedelta(days=30)), username_token=lenient)
    token = Token(kind="PasswordText", parts={"Created": ""})
    octets = envelope(security(timestamp(), token.xml()))
    assert guard.post(octets).status == "200 OK"
    for seconds in (1, 421, 5000, 29 * 86_400):
        guard.clock.now = NOW + timedelta(seconds=seconds)
        assert guard.post(octets).check == "replay.nonce"
    guard.clock.now = NOW + timedelta(days=31)
    assert guard.post(octets).check == "timestamp.expired"
