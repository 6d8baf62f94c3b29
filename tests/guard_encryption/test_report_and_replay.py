"""Encrypted messages of a client in report mode, and encrypted messages that come again."""

from datetime import date
from typing import Any, Final

import pytest

from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    content_of,
    encrypted_body,
    encrypted_then_signed,
    for_server,
    opened,
    sealed,
    signed_text,
    signed_then_encrypted,
)
from tests.messages import Token, stamp, timestamp
from tests.signature.signatures import ALICE, BOB, SignedGuard, honest
from tests.signing import BODY, Signing, signed

REPORT: Final[dict[str, Any]] = {"mode": "report", "report_until": date(2026, 12, 24)}
CLIENTS: Final = [{"name": "alice", "certificate": ALICE, **REPORT}, {"name": "bob", "certificate": BOB}]


@pytest.fixture
def sparing(guarded: Sealing) -> SignedGuard:
    """Spares Alice what she lacks, and Bob nothing."""
    return guarded(client=CLIENTS)


def reported(guard: SignedGuard, octets: bytes) -> list[str]:
    """What a message lacks, which must be accepted for all that."""
    before = len(guard.echo.handed)
    answer = guard.post(octets)
    assert answer.record is not None
    assert (answer.status, len(guard.echo.handed), answer.record.outcome) == ("200 OK", before + 1, "reported")
    told = [one["check"] for one in answer.record.explanation if one["outcome"] == "reported"]
    assert list(guard.echo.handed[-1][0]["wsguard.message"].reported) == told
    return told


def test_a_client_that_does_not_encrypt_yet_is_spared(sparing: SignedGuard) -> None:
    assert reported(sparing, honest().encode()) == ["encryption.missing"]
    assert sparing.refusal(signed(Signing.by(BOB))) == "encryption.missing"


def test_a_client_that_encrypts_too_little_is_spared(sparing: SignedGuard) -> None:
    for signer, told in ((ALICE, ["encryption.coverage"]), (BOB, None)):
        text = signed_text(Signing.by(signer))
        octets = sealed(text, ("hello", for_server()))
        if told is None:
            assert sparing.refusal(octets) == "encryption.coverage"
        else:
            assert reported(sparing, octets) == told


@pytest.mark.parametrize("until", [date(2026, 11, 20), date(2020, 1, 1)], ids=str)
def test_a_permission_that_ended_is_spared(guarded: Sealing, until: date) -> None:
    legacy = [{"algorithm": "tripledes-cbc", "until": until}]
    guard = guarded(client=CLIENTS, algorithms={"legacy": legacy})
    old = for_server(algorithm="tripledes-cbc")
    assert reported(guard, signed_then_encrypted(old)) == ["encryption.algorithm"]
    assert guard.refusal(signed_then_encrypted(old, Signing.by(BOB))) == "encryption.algorithm"


def test_everything_is_told_in_order(sparing: SignedGuard) -> None:
    late = timestamp(stamp(-400), stamp(-100))
    octets = signed(Signing.by(ALICE, parts=(BODY,)), stamp=late)
    assert reported(sparing, octets) == ["timestamp.expired", "signature.coverage", "encryption.missing"]


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (lambda: encrypted_body(), "signature.missing"),
        (lambda: encrypted_body(for_server(cipher=b"")), "encryption.failed"),
        (lambda: encrypted_body(for_server(algorithm="tripledes-cbc")), "encryption.algorithm"),
        (lambda: signed_then_encrypted(signing=Signing.by(ALICE, value="AAAA")), "signature.value"),
    ],
    ids=["nobody", "nothing opens", "old", "no value"],
)
def test_nobody_else_is_spared(sparing: SignedGuard, make: Any, check: str) -> None:
    assert sparing.refusal(make()) == check


# --- Replay -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [signed_then_encrypted, encrypted_then_signed])
def test_the_same_message_is_taken_once(guard: SignedGuard, make: Any) -> None:
    octets = make()
    opened(guard, octets)
    assert guard.refusal(octets) == "replay.signature"


def test_the_same_plaintext_under_another_key_is_the_same_message(guarded: Sealing) -> None:
    guard = guarded(algorithms={"encryption": ["aes128-gcm", "aes256-cbc"]})
    text = signed_text()
    opened(guard, sealed(text, (content_of(text), for_server())))
    for encryption in (for_server(), for_server(algorithm="aes256-cbc"), for_server("Thumbprint", id="ED-7")):
        assert guard.refusal(sealed(text, (content_of(text), encryption))) == "replay.signature"


def test_what_was_opened_once_is_not_taken_in_the_clear(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"})
    text = signed_text()
    opened(guard, sealed(text, (content_of(text), for_server())))
    assert guard.refusal(text.replace("@EK-1@", "").encode()) == "replay.signature"


def test_a_token_that_was_encrypted_is_taken_once(guarded: Sealing) -> None:
    guard = guarded(username_token={"use": "required"}, signature={"use": "optional"})
    user = Token().xml()
    assert opened(guard, encrypted_body(None, user)).username == "alice"
    assert guard.refusal(encrypted_body(for_server(), user)) == "replay.nonce"


def test_a_message_that_is_refused_burns_nothing(guarded: Sealing) -> None:
    guard = guarded(encryption={"required_parts": ["Body", "Signature"]})
    text = signed_text()
    assert guard.refusal(sealed(text, (content_of(text), for_server()))) == "encryption.coverage"
    other = guarded(encryption={"required_parts": ["Body"]})
    assert opened(other, sealed(text, (content_of(text), for_server()))).client == ""


def test_a_symmetric_signature_is_nothing_to_remember(guarded: Sealing) -> None:
    """Whoever knows nothing else than our certificate may fill the store with nothing."""
    guard = guarded(**OPEN)
    for _ in range(2):
        opened(guard, encrypted_body())
