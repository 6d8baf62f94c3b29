"""Algorithms with a dated permission: admitted before anybody is known, and judged by the client that was."""

from datetime import UTC, date, datetime
from typing import Any, Final

import pytest

from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    encrypted_body,
    encrypted_then_signed,
    for_server,
    signed_then_encrypted,
)
from tests.messages import NOW
from tests.signature.signatures import ALICE, BOB, SignedGuard
from tests.signing import Signing

UNTIL: Final = date(2027, 3, 31)
YESTERDAY: Final = date(2026, 11, 20)
TODAY: Final = NOW.date()
OLD: Final = [("tripledes-cbc", {"algorithm": "tripledes-cbc"}), ("rsa-1_5", {"method": "rsa-1_5"})]
CLIENTS: Final = [{"name": "alice", "certificate": ALICE}, {"name": "bob", "certificate": BOB}]


def permitting(guarded: Sealing, name: str, until: date, *clients: str, **policy: Any) -> SignedGuard:
    legacy = [{"algorithm": name, "until": until, "clients": list(clients)}]
    return guarded(client=CLIENTS, algorithms={"legacy": legacy}, **policy)


@pytest.mark.parametrize(("name", "changes"), OLD, ids=["3DES", "RSA 1.5"])
def test_an_old_algorithm_is_refused(guard: SignedGuard, name: str, changes: dict[str, Any]) -> None:
    assert guard.refusal(signed_then_encrypted(for_server(**changes))) == "encryption.algorithm"


@pytest.mark.parametrize("until", [UNTIL, TODAY], ids=str)
@pytest.mark.parametrize("make", [signed_then_encrypted, encrypted_then_signed])
@pytest.mark.parametrize(("name", "changes"), OLD, ids=["3DES", "RSA 1.5"])
def test_its_client_may_use_it_until_the_day(
    guarded: Sealing, name: str, changes: dict[str, Any], make: Any, until: date
) -> None:
    guard = permitting(guarded, name, until, "alice")
    answer = guard.post(make(for_server(**changes)))
    assert answer.record is not None, "every use is recorded"
    assert (answer.status, answer.record.outcome) == ("200 OK", "accepted")
    noted = [one["seen"] for one in answer.record.explanation if one["check"] == "encryption.algorithm"]
    assert noted == [f"{name}, by a dated permission"]
    assert guard.echo.handed[-1][0]["wsguard.message"].legacy == (name,)


@pytest.mark.parametrize(("name", "changes"), OLD, ids=["3DES", "RSA 1.5"])
def test_another_client_may_not(guarded: Sealing, name: str, changes: dict[str, Any]) -> None:
    guard = permitting(guarded, name, UNTIL, "alice")
    octets = signed_then_encrypted(for_server(**changes), Signing.by(BOB))
    assert guard.refusal(octets) == "encryption.algorithm"


@pytest.mark.parametrize(("name", "changes"), OLD, ids=["3DES", "RSA 1.5"])
def test_nobody_may_after_the_day(guarded: Sealing, name: str, changes: dict[str, Any]) -> None:
    assert permitting(guarded, name, YESTERDAY, "alice").refusal(signed_then_encrypted(for_server(**changes))) == (
        "encryption.algorithm"
    )
    guard = permitting(guarded, name, UNTIL, "alice", timestamp={"use": "optional", "time_to_live": 10**8})
    guard.clock.now = datetime(2027, 4, 1, tzinfo=UTC)
    assert guard.refusal(signed_then_encrypted(for_server(**changes))) == "encryption.algorithm"


def test_a_permission_for_all_is_for_nobody_too(guarded: Sealing) -> None:
    legacy = [{"algorithm": "tripledes-cbc", "until": UNTIL}]
    guard = guarded(algorithms={"legacy": legacy}, **OPEN)
    answer = guard.post(encrypted_body(for_server(algorithm="tripledes-cbc")))
    assert answer.record is not None
    assert (answer.status, answer.record.outcome) == ("200 OK", "accepted")


def test_a_permission_for_a_client_is_for_nobody_else_where_nobody_is_known(guarded: Sealing) -> None:
    guard = permitting(guarded, "tripledes-cbc", UNTIL, "alice", **OPEN)
    assert guard.refusal(encrypted_body(for_server(algorithm="tripledes-cbc"))) == "encryption.algorithm"


def test_a_permission_of_the_top_is_none_of_the_service(guarded: Sealing) -> None:
    services = {"Echo": {"operations": ["{urn:echo}*"], "algorithms": {"legacy": []}}}
    guard = permitting(guarded, "tripledes-cbc", UNTIL, services=services)
    octets = signed_then_encrypted(for_server(algorithm="tripledes-cbc"))
    assert guard.refusal(octets) == "encryption.algorithm"


def test_an_algorithm_inside_of_the_key_method_is_bounded_too(opener: SignedGuard) -> None:
    for digest in ("urn:none", "http://www.w3.org/2001/04/xmldsig-more#md5"):
        octets = encrypted_body(for_server(method="rsa-oaep", digest="sha256"))
        octets = octets.replace(b"http://www.w3.org/2001/04/xmlenc#sha256", digest.encode())
        assert opener.refusal(octets) == "encryption.algorithm"


@pytest.mark.parametrize("method", ["urn:none", "http://www.w3.org/2001/04/xmlenc#aes128-cbc", ""])
def test_an_unlisted_algorithm_is_refused_before_anything_is_opened(opener: SignedGuard, method: str) -> None:
    octets = encrypted_body().replace(b"http://www.w3.org/2009/xmlenc11#aes128-gcm", method.encode())
    assert opener.refusal(octets) == "encryption.algorithm"
