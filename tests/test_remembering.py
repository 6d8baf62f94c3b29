"""How long what was seen is remembered, to the second: until no service could take the message again."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.messages import NOW
from wsguard.interfaces import TrustedCertificate
from wsguard.policy import Client, Policy
from wsguard.remembering import SKEW_MARGIN, UNDATED, retention, signature_until, token_until
from wsguard.signature import VerifiedSignature
from wsguard.signature.verification import SharedKey, Signer

TODAY = NOW.date()
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
END_OF_TODAY = datetime(2026, 11, 21, 23, 59, 59, 999999, UTC)
TEXT: dict[str, Any] = {"password_types": ["PasswordText"]}
BOTH: dict[str, Any] = {"password_types": ["PasswordDigest", "PasswordText"]}


def policy(**sections: Any) -> Policy:
    return Policy.model_validate({"replay": {"keep": 0}, **sections})


def client(until: date | None = TODAY) -> Client:
    """One that reports until then, or that is bound like everybody."""
    mode: Any = "enforce" if until is None else "report"
    return Client(name="A", username="alice", mode=mode, report_until=until)


def signature(signer: Signer) -> VerifiedSignature:
    return VerifiedSignature(signer=signer, covered={}, references=1, value=b"", replay_key=b"")


def by_certificate(ends: datetime) -> VerifiedSignature:
    """Signed by one that ends then; nothing else of it is looked at."""
    certificate = cast(Any, SimpleNamespace(not_valid_after_utc=ends))
    key = cast(Any, None)
    return signature(
        TrustedCertificate(certificate=certificate, public_key=key, subject="", sha256="", identity="", how="")
    )


BY_SHARED_KEY = signature(SharedKey("k", b"0" * 32))


# --- Dated messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sections, seconds",
    [
        ({}, 300 + 60),
        ({"timestamp": {"time_to_live": 400}}, 400 + 60),
        ({"username_token": {"time_to_live": 500}}, 500 + 60),
        ({"timestamp": {"future_time_to_live": 70}}, 300 + 70),
        ({"username_token": {"future_time_to_live": 80}}, 300 + 80),
        ({"timestamp": {"time_to_live": 400}, "username_token": {"future_time_to_live": 80}}, 400 + 80),
        ({"services": {"S": {"operations": ["{urn:s}*"], "timestamp": {"time_to_live": 900}}}}, 900 + 60),
        ({"timestamp": {"max_lifetime": 9000}}, 300 + 60),
        ({"timestamp": {"require_created": False}}, 3600),
        ({"timestamp": {"require_created": False, "max_lifetime": 361}}, 361),
        ({"timestamp": {"require_created": False, "max_lifetime": 359}}, 360),
    ],
)
def test_a_dated_message_is_remembered_as_long_as_any_service_could_take_it(
    sections: dict[str, Any], seconds: int
) -> None:
    assert retention(policy(**sections, replay={"keep": 0})) == timedelta(seconds=seconds) + SKEW_MARGIN


@pytest.mark.parametrize("keep, seconds", [(419, 420), (420, 420), (421, 421), (86_400, 86_400)])
def test_and_as_long_as_is_asked_for_at_least(keep: int, seconds: int) -> None:
    assert retention(policy(replay={"keep": keep})) == timedelta(seconds=seconds)


def test_the_margin_is_a_minute() -> None:
    assert timedelta(seconds=60) == SKEW_MARGIN


# --- Tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_without_created_of_a_spared_client_is_remembered_to_the_end_of_its_last_day() -> None:
    for types in (TEXT, BOTH):
        demands = policy(username_token={**types, "require_created": False})
        assert token_until(client(), demands, NOW) == END_OF_TODAY + SKEW_MARGIN


@pytest.mark.parametrize(
    "username_token",
    [TEXT, BOTH, {"require_created": False}, {}],
    ids=["dated text", "dated", "a digest is always dated", "default"],
)
def test_a_token_that_is_always_dated_is_ended_by_its_window(username_token: dict[str, Any]) -> None:
    assert token_until(client(), policy(username_token=username_token), NOW) == NOW


def test_a_token_of_a_client_that_is_not_spared_is_ended_by_the_timestamp() -> None:
    demands = policy(username_token={**TEXT, "require_created": False})
    for one in (None, client(None), client(TODAY - timedelta(days=1))):
        assert token_until(one, demands, NOW) == NOW


# --- Signatures -------------------------------------------------------------------------------------------------------


def test_a_signed_timestamp_ends_a_signature_unless_its_client_is_spared() -> None:
    for one in (BY_SHARED_KEY, by_certificate(END_OF_TIME)):
        assert signature_until(one, True, None, NOW) == NOW
        assert signature_until(one, True, client(None), NOW) == NOW
        assert signature_until(one, True, client(), NOW) == END_OF_TODAY + SKEW_MARGIN


def test_an_undated_signature_is_remembered_for_ten_years() -> None:
    assert timedelta(days=3650) == UNDATED
    for one in (BY_SHARED_KEY, by_certificate(NOW + timedelta(days=1))):
        for spared in (None, client()):
            assert signature_until(one, False, spared, NOW) == NOW + UNDATED


def test_or_for_as_long_as_its_certificate_lasts_with_the_margin() -> None:
    for more in (timedelta(microseconds=1), timedelta(days=9000)):
        ends = NOW + UNDATED - SKEW_MARGIN + more
        assert signature_until(by_certificate(ends), False, None, NOW) == NOW + UNDATED + more


@pytest.mark.parametrize(
    "ends", [END_OF_TIME, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), END_OF_TIME - SKEW_MARGIN]
)
def test_a_certificate_without_an_end_lasts_to_the_end_of_time_and_overflows_nothing(ends: datetime) -> None:
    assert signature_until(by_certificate(ends), False, None, NOW) == END_OF_TIME


def test_the_last_end_that_takes_the_margin_gets_it() -> None:
    ends = END_OF_TIME - SKEW_MARGIN - timedelta(microseconds=1)
    assert signature_until(by_certificate(ends), False, None, NOW) == END_OF_TIME - timedelta(microseconds=1)
