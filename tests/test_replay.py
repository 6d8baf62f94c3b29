"""What was accepted once is never accepted again, whenever it comes and however it is spelled."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.guarding import Guarded
from tests.messages import NOW, Token, envelope, message, security, stamp, timestamp

PARTS_OF_A_DAY = st.integers(0, 86_400)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Windows of every size, and everything that may be left out."""
    return {
        "timestamp": {
            "time_to_live": draw(st.integers(1, 900)),
            "future_time_to_live": draw(st.integers(0, 300)),
            "max_lifetime": draw(st.integers(1, 7200)),
            "require_created": draw(st.booleans()),
        },
        "username_token": {
            "password_types": ["PasswordDigest", "PasswordText"],
            "require_created": False,
            "time_to_live": draw(st.integers(1, 900)),
            "future_time_to_live": draw(st.integers(0, 300)),
        },
    }


@settings(max_examples=150, deadline=None)
@given(policies(), st.integers(-300, 300), st.integers(1, 7200), st.booleans(), st.lists(PARTS_OF_A_DAY, max_size=8))
def test_whatever_the_windows_a_message_is_accepted_at_most_once(
    policy: dict[str, Any], age: int, life: int, digest: bool, later: list[int]
) -> None:
    guard = Guarded(**policy)
    created = None if not policy["timestamp"]["require_created"] else stamp(-age)
    token = Token(created=stamp(-age)) if digest else Token(kind="PasswordText", parts={"Created": ""})
    octets = envelope(security(timestamp(created, stamp(life - age)), token.xml()))
    for seconds in sorted({0, *later}):
        guard.clock.now = NOW + timedelta(seconds=seconds)
        guard.post(octets)
    assert len(guard.echo.handed) <= 1


def test_a_message_bound_by_expires_alone_is_remembered_until_then() -> None:
    guard = Guarded(
        timestamp={"require_created": False, "max_lifetime": 3600},
        username_token={"password_types": ["PasswordText"], "require_created": False},
    )
    token = Token(kind="PasswordText", parts={"Created": ""})
    octets = envelope(security(timestamp(None, stamp(3600)), token.xml()))
    assert guard.post(octets).status == "200 OK"
    for minutes in (1, 10, 59):
        guard.clock.now = NOW + timedelta(minutes=minutes)
        assert guard.post(octets).check == "replay.nonce"
    guard.clock.now = NOW + timedelta(minutes=60)
    assert guard.post(octets).check == "timestamp.expired"


def test_a_message_for_a_patient_service_is_remembered_although_a_hasty_one_took_it() -> None:
    guard = Guarded(
        services={
            "Hasty": {"operations": ["{urn:hasty}*"], "username_token": {"time_to_live": 10}},
            "Patient": {"operations": ["{urn:echo}*"], "username_token": {"time_to_live": 3600}},
        },
        timestamp={"use": "optional"},
    )
    token = Token()
    hasty = envelope(security(token.xml()), '<h:Go xmlns:h="urn:hasty"/>')
    patient = envelope(security(token.xml()))
    assert guard.post(hasty).status == "200 OK"
    guard.clock.now = NOW + timedelta(seconds=3000)
    assert guard.post(patient).check == "replay.nonce", "the same token, cut out and put before another Body"


def test_a_wrong_password_burns_nobodys_nonce() -> None:
    guard = Guarded()
    assert guard.post(message(password="guessed")).check == "username_token.authentication"
    assert guard.post(message()).status == "200 OK"


def test_an_expired_copy_burns_no_nonce() -> None:
    guard = Guarded()
    old = envelope(security(timestamp(stamp(-400), stamp(-100)), Token().xml()))
    assert guard.post(old).check == "timestamp.expired"
    assert guard.post(message()).status == "200 OK"


def test_a_message_is_taken_once_whatever_its_path() -> None:
    guard = Guarded()
    assert guard.post(message(), PATH_INFO="/soap").check == ""
    for path in ("/soap", "/", "/soap/too"):
        assert guard.post(message(), PATH_INFO=path).check == "replay.nonce"


def test_a_token_is_taken_once_whatever_else_the_message_says() -> None:
    guard = Guarded()
    token = security(timestamp(), Token().xml())
    assert guard.post(envelope(token)).check == ""
    other = '<e:Echo xmlns:e="urn:echo"><e:text>something else</e:text></e:Echo>'
    for octets in (envelope(token, other), envelope(f'{token}<x:Block xmlns:x="urn:x"/>')):
        assert guard.post(octets).check == "replay.nonce"


def test_a_message_is_refused_to_the_last_moment_at_which_it_would_be_taken() -> None:
    guard = Guarded()
    octets = envelope(security(timestamp(stamp(60), stamp(400)), Token(created=stamp(60)).xml()))
    assert guard.post(octets).check == ""
    guard.clock.now = NOW + timedelta(seconds=360)
    assert guard.post(octets).check == "replay.nonce"
    unseen = Token(created=stamp(60), nonce=b"unseen").xml()
    assert guard.post(envelope(security(timestamp(stamp(60), stamp(400)), unseen))).check == ""
