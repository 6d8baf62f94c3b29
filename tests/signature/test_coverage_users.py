"""A UsernameToken beside a Signature: whose user it is, if nothing binds them to each other."""

from typing import Any

import pytest

from tests.messages import Token
from tests.signature.signatures import ALICE, BOB, Guarding, SignedGuard, bent, both_sign
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed
from wsguard.verified import Principal

REQUIRED: dict[str, Any] = {"username_token": {"use": "required"}}
ALL = (BODY, TIMESTAMP, Part("#UT-1"))
SIGNED_TOKEN = signed(Signing.by(ALICE, parts=ALL), token=Token())
UNSIGNED_TOKEN = signed(Signing.by(ALICE), token=Token())
BOUND = {"name": "A", "username": "alice", "certificate": ALICE}


@pytest.mark.parametrize("policy", [pytest.param({}, id="optional"), pytest.param(REQUIRED, id="required")])
def test_a_user_that_the_signature_covers_counts_beside_its_signer(guarded: Guarding, policy: dict[str, Any]) -> None:
    guard = guarded(**policy)
    message = guard.accepted(SIGNED_TOKEN)
    assert (message.username, message.principal) == ("alice", Principal("CN=Alice", "certificate"))
    assert guard.echo.handed[0][0]["REMOTE_USER"] == "CN=Alice"


def test_a_user_that_no_signature_covers_grants_no_identity(guard: SignedGuard) -> None:
    """Anybody on the way could have put his own token beside the signature of another."""
    message = guard.accepted(UNSIGNED_TOKEN)
    assert (message.username, message.principal) == ("", Principal("CN=Alice", "certificate"))
    assert guard.echo.handed[0][0]["REMOTE_USER"] == "CN=Alice"


def test_a_user_that_no_signature_covers_is_refused_where_both_are_demanded(guarded: Guarding) -> None:
    assert guarded(**REQUIRED).refusal(UNSIGNED_TOKEN) == "signature.coverage"


@pytest.mark.parametrize("policy", [pytest.param({}, id="optional"), pytest.param(REQUIRED, id="required")])
def test_a_user_whom_an_entry_names_with_the_signer_counts(guarded: Guarding, policy: dict[str, Any]) -> None:
    message = guarded(client=[BOUND], **policy).accepted(UNSIGNED_TOKEN)
    assert (message.username, message.client) == ("alice", "A")
    assert message.principal == Principal("CN=Alice", "certificate")


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([{**BOUND, "certificate": BOB}], id="the user with another signer"),
        pytest.param([{**BOUND, "username": "bob"}], id="the signer with another user"),
        pytest.param([{"name": "A", "username": "alice"}, {"name": "B", "certificate": ALICE}], id="each in its own"),
    ],
)
def test_an_entry_that_names_only_one_of_them_binds_nobody(guarded: Guarding, entries: list[dict[str, Any]]) -> None:
    assert guarded(client=entries, **REQUIRED).refusal(UNSIGNED_TOKEN) == "signature.coverage"


@pytest.mark.parametrize(
    ("entries", "check"),
    [
        pytest.param([{**BOUND, "certificate": BOB}], "client.mismatch", id="the user with another signer"),
        pytest.param([{**BOUND, "username": "bob"}], "client.mismatch", id="the signer with another user"),
        pytest.param([{"name": "A", "username": "alice"}], "client.mismatch", id="the user alone"),
        pytest.param([{"name": "A", "username": "bob"}], "client.mismatch", id="another user"),
    ],
)
def test_an_unbound_user_makes_nobody_a_client(guarded: Guarding, entries: list[dict[str, Any]], check: str) -> None:
    assert guarded(client=entries).refusal(UNSIGNED_TOKEN) == check


def test_a_signer_whom_an_entry_names_alone_is_that_client(guarded: Guarding) -> None:
    message = guarded(client=[{"name": "A", "certificate": ALICE}]).accepted(UNSIGNED_TOKEN)
    assert (message.client, message.username) == ("A", "")


def test_an_entry_with_both_demands_both(guarded: Guarding) -> None:
    guard = guarded(client=[BOUND])
    assert guard.refusal(signed(Signing.by(ALICE))) == "client.mismatch"


def test_a_signer_may_not_speak_for_the_user_of_another_client(guarded: Guarding) -> None:
    """Bob is trusted, and knows a password of Alice's: the entries say who belongs to whom."""
    guard = guarded(client=[BOUND, {"name": "B", "username": "bob", "certificate": BOB}])
    assert guard.refusal(signed(Signing.by(BOB, parts=ALL), token=Token())) == "client.mismatch"


@pytest.mark.parametrize(
    ("entries", "check"),
    [
        pytest.param([BOUND, {"name": "B", "certificate": BOB}], "client.mismatch", id="bound to another signer"),
        pytest.param([BOUND, {"name": "B", "username": "alice"}], "", id="and named alone too"),
        pytest.param([{"name": "B", "certificate": BOB}], "", id="whom no entry names"),
        pytest.param(
            [{"name": "A", "username": "alice"}, {"name": "B", "certificate": BOB}], "", id="each named alone"
        ),
        pytest.param(
            [{"name": "B", "certificate": BOB, "username": "bob"}, {"name": "A", "username": "alice"}],
            "client.mismatch",
            id="signed by one who is bound to another user",
        ),
    ],
)
def test_who_is_bound_to_somebody_counts_with_nobody_else(
    guarded: Guarding, entries: list[dict[str, Any]], check: str
) -> None:
    """Bob has the password of Alice, and signs her token with his own key."""
    guard = guarded(client=entries)
    octets = signed(Signing.by(BOB, parts=ALL), token=Token())
    if check:
        assert guard.refusal(octets) == check
    else:
        assert guard.accepted(octets).principal == Principal("CN=Bob", "certificate")


def test_a_token_that_somebody_put_into_a_signed_message_changes_nothing(guarded: Guarding) -> None:
    guard = guarded(client=[{"name": "A", "certificate": ALICE}, {"name": "B", "username": "bob"}])
    without = signed(Signing.by(ALICE)).decode()
    mallory = Token(username="bob", password="hunter2").xml()
    message = guard.accepted(bent(without, ("</wsse:Security>", f"{mallory}</wsse:Security>")))
    assert (message.client, message.username) == ("A", "")


def test_a_token_that_is_taken_out_of_a_signed_message_is_missed(guarded: Guarding) -> None:
    text = SIGNED_TOKEN.decode()
    start, end = text.index("<wsse:UsernameToken"), text.index("</wsse:Security>")
    assert guarded().refusal((text[:start] + text[end:]).encode()) == "signature.reference"


def test_a_user_whom_only_the_other_of_two_signers_signed_is_not_bound(guarded: Guarding) -> None:
    """Alice signs all but the token, and Bob the token."""
    token = Token().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    sent = both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#UT-1"),)), token)
    assert guarded(**REQUIRED).refusal(sent) == "signature.coverage"


@pytest.mark.parametrize(
    ("token", "check"),
    [
        pytest.param(Token(password="wrong"), "username_token.authentication", id="a wrong password"),
        pytest.param(Token(username="nobody"), "username_token.authentication", id="nobody"),
    ],
)
def test_a_token_must_be_right_also_where_it_would_not_count(guard: SignedGuard, token: Token, check: str) -> None:
    assert guard.refusal(signed(Signing.by(ALICE), token=token)) == check


def test_a_token_beside_a_signature_is_taken_once(guard: SignedGuard) -> None:
    """The signature of another message does not make it new."""
    guard.accepted(UNSIGNED_TOKEN)
    assert guard.refusal(signed(Signing.by(BOB), token=Token())) == "replay.nonce"


def test_where_no_signature_is_demanded_one_over_too_little_leaves_the_user_who_he_is(guarded: Guarding) -> None:
    guard = guarded(signature={"use": "optional"}, **REQUIRED)
    message = guard.accepted(signed(Signing.by(ALICE, parts=(TIMESTAMP,)), token=Token()))
    assert (message.principal, message.username) == (Principal("alice", "username"), "alice")


def test_where_no_signature_is_demanded_an_unbound_user_beside_a_full_one_grants_no_identity(
    guarded: Guarding,
) -> None:
    message = guarded(signature={"use": "optional"}, **REQUIRED).accepted(UNSIGNED_TOKEN)
    assert (message.principal, message.username) == (Principal("CN=Alice", "certificate"), "")


def test_the_record_names_no_signer_whose_signature_does_not_count(guarded: Guarding) -> None:
    """Alice pastes what Bob once signed, his Timestamp, beside her own token and Body."""
    guard = guarded(signature={"use": "optional"}, audit={"url": "memory://", "record": "all"}, **REQUIRED)
    record = guard.post(signed(Signing.by(BOB, parts=(TIMESTAMP,)), token=Token())).record
    assert record is not None
    assert (record.outcome, record.username) == ("accepted", "alice")
    assert (record.certificate_subject, record.certificate_sha256) == ("", "")


def test_a_token_that_does_not_count_is_not_handed_on_with_the_security_header(guarded: Guarding) -> None:
    guard = guarded(handoff={"remove_security_header": False})
    assert guard.accepted(UNSIGNED_TOKEN).username == ""
    assert b"wsse:Security" in guard.handed
    assert b"UsernameToken" not in guard.handed
