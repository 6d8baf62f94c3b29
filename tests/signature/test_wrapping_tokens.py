"""Signed Timestamps, UsernameTokens and Security headers that are moved away, and fresh ones in their places."""

import pytest

from tests.messages import DS, SOAP12, WSSE, Token, stamp, timestamp
from tests.signature.signatures import (
    ALICE,
    BOB,
    BOTH,
    EVIL,
    SIGNED_BODY,
    Guarding,
    SignedGuard,
    bent,
    both_sign,
    honest,
)
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed

OLD = timestamp(stamp(-4000), stamp(-3700))
"""Of a message that Alice signed an hour ago."""
FRESH = timestamp().replace("TS-1", "TS-2")
SECURITY = '<wsse:Security S:mustUnderstand="1">'
FOREIGN = '<wsse:Security S:actor="urn:somebody-else">'
FOREIGN_TWELVE = '<wsse:Security S:role="urn:somebody-else">'


def old(*changes: tuple[str, str]) -> bytes:
    """Alice's old message, with ``changes``."""
    return bent(honest(stamp=OLD), *changes)


# --- Timestamp --------------------------------------------------------------------------------------------------------


def test_an_old_message_is_expired(guard: SignedGuard) -> None:
    assert guard.refusal(old()) == "timestamp.expired"


def test_an_old_message_with_new_times_is_not_what_was_signed(guard: SignedGuard) -> None:
    assert guard.refusal(old((OLD, timestamp()))) == "signature.digest"


@pytest.mark.parametrize(
    ("fresh", "check"),
    [
        pytest.param(FRESH, "timestamp.malformed", id="with another Id"),
        pytest.param(FRESH.replace(' wsu:Id="TS-2"', ""), "timestamp.malformed", id="without Id"),
        pytest.param(timestamp(), "envelope.duplicate_id", id="with the same Id"),
        pytest.param(timestamp().replace("wsu:Id", "Id"), "envelope.duplicate_id", id="with a look-alike of it"),
    ],
)
@pytest.mark.parametrize("first", [pytest.param(True, id="first"), pytest.param(False, id="last")])
def test_a_fresh_timestamp_beside_the_signed_one(guard: SignedGuard, fresh: str, check: str, first: bool) -> None:
    both = fresh + OLD if first else OLD + fresh
    assert guard.refusal(old((OLD, both))) == check


@pytest.mark.parametrize(
    ("place", "check"),
    [
        pytest.param(("<S:Header>", f"<S:Header>{OLD}"), "signature.coverage", id="made a header block"),
        pytest.param(
            ("<S:Header>", f'<S:Header><w:W xmlns:w="urn:w">{OLD}</w:W>'), "signature.coverage", id="in a header block"
        ),
        pytest.param(
            ("<S:Header>", f"<S:Header>{FOREIGN}{OLD}</wsse:Security>"),
            "signature.coverage",
            id="in a Security header for somebody else",
        ),
        pytest.param(
            ("<S:Header>", f"<S:Header>{SECURITY}{OLD}</wsse:Security>"),
            "security.duplicate",
            id="in a second Security header for us",
        ),
        pytest.param((FRESH, f"{FRESH[:-16]}{OLD}</wsu:Timestamp>"), "timestamp.malformed", id="in the fresh one"),
        pytest.param(
            ("</ds:KeyInfo>", f"</ds:KeyInfo><ds:Object>{OLD}</ds:Object>"), "signature.malformed", id="in ds:Object"
        ),
    ],
)
def test_the_signed_timestamp_moved_away_from_a_fresh_one(
    guard: SignedGuard, place: tuple[str, str], check: str
) -> None:
    assert FRESH.endswith("</wsu:Timestamp>")
    assert guard.refusal(bent(old((OLD, FRESH)).decode(), place)) == check


def test_the_signed_timestamp_moved_into_the_body_is_not_in_our_security_header(guard: SignedGuard) -> None:
    """Only Body and Timestamp are demanded, and a signature over the Timestamp alone would be enough to move it."""
    timestamp_only = signed(Signing.by(ALICE, parts=(TIMESTAMP,)), stamp=OLD).decode()
    evil = f"<S:Body>{EVIL.replace('</e:Echo>', f'{OLD}</e:Echo>')}</S:Body>"
    assert guard.refusal(bent(bent(timestamp_only, (OLD, FRESH)).decode(), (SIGNED_BODY, evil))) == "signature.coverage"


def test_without_its_timestamp_the_message_does_not_live_for_ever(guard: SignedGuard) -> None:
    assert guard.refusal(old((OLD, ""))) == "signature.reference"


def test_a_timestamp_of_another_namespace_is_none(guard: SignedGuard) -> None:
    lookalike = OLD.replace("wsu:Timestamp", "wsse:Timestamp")
    assert guard.refusal(signed(Signing.by(ALICE), stamp=lookalike)) == "security.unknown_token"


# --- UsernameToken ----------------------------------------------------------------------------------------------------

USER_PARTS = (BODY, TIMESTAMP, Part("#UT-1"))
ALICES = Token().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
BOBS = Token(username="bob", password="hunter2", nonce=b"fedcba9876543210").xml()


def with_user() -> str:
    """Alice signs her UsernameToken too."""
    return signed(Signing.by(ALICE, parts=USER_PARTS), token=Token()).decode()


def test_a_signed_username_token_counts(guarded: Guarding) -> None:
    guard = guarded(signature={"required_parts": ["Body", "Timestamp", "UsernameToken"]})
    message = guard.accepted(with_user().encode())
    assert message.username == "alice"
    assert "UsernameToken" in message.signed_parts


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        pytest.param(((ALICES, BOBS), ("<S:Header>", f"<S:Header>{ALICES}")), "signature.coverage", id="a block"),
        pytest.param(
            ((ALICES, BOBS), ("<S:Header>", f"<S:Header>{FOREIGN}{ALICES}</wsse:Security>")),
            "signature.coverage",
            id="a Security header for somebody else",
        ),
        pytest.param(((ALICES, ALICES + BOBS),), "username_token.malformed", id="beside it, first"),
        pytest.param(((ALICES, BOBS + ALICES),), "username_token.malformed", id="beside it, last"),
        pytest.param(
            ((ALICES, BOBS.replace("</wsse:UsernameToken>", f"{ALICES}</wsse:UsernameToken>")),),
            "username_token.malformed",
            id="in the other one",
        ),
        pytest.param(
            ((ALICES, BOBS.replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')),),
            "signature.digest",
            id="nowhere",
        ),
        pytest.param(((ALICES, BOBS),), "signature.reference", id="nowhere, with its Id"),
    ],
)
def test_the_signed_username_token_moved_away_from_another(
    guarded: Guarding, changes: tuple[tuple[str, str], ...], check: str
) -> None:
    guard = guarded(signature={"required_parts": ["Body", "Timestamp", "UsernameToken"]})
    text = with_user()
    for change in changes:
        text = bent(text, change).decode()
    assert guard.refusal(text.encode()) == check


# --- Security headers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param("", id="without actor"),
        pytest.param('S:actor=""', id="an empty actor"),
        pytest.param('S:actor="http://schemas.xmlsoap.org/soap/actor/next"', id="next"),
        pytest.param('actor="urn:somebody-else"', id="an actor without namespace"),
        pytest.param(f'T:role="urn:somebody-else" xmlns:T="{SOAP12}"', id="a role of the other SOAP"),
    ],
)
@pytest.mark.parametrize("first", [pytest.param(True, id="first"), pytest.param(False, id="last")])
def test_a_second_security_header_for_us_is_refused(guard: SignedGuard, attributes: str, first: bool) -> None:
    second = f"<wsse:Security {attributes}>{FRESH}</wsse:Security>"
    place = ("<S:Header>", f"<S:Header>{second}") if first else ("</S:Header>", f"{second}</S:Header>")
    assert guard.refusal(old(place)) == "security.duplicate"


def test_the_signed_header_given_to_somebody_else_leaves_no_signature(guard: SignedGuard) -> None:
    """And what it covers is in no header of ours."""
    ours = f"<S:Header>{SECURITY}{FRESH}</wsse:Security>{FOREIGN}"
    assert guard.refusal(bent(honest(), (f"<S:Header>{SECURITY}", ours))) == "signature.missing"


def test_in_soap_1_2_too_the_role_decides_whose_the_header_is(guard: SignedGuard) -> None:
    ours = f"<S:Header>{SECURITY}{FRESH}</wsse:Security>{FOREIGN_TWELVE}"
    twelve = signed(Signing.by(ALICE), soap=SOAP12).decode()
    sent = bent(twelve, (f"<S:Header>{SECURITY}", ours))
    assert guard.refusal(sent, CONTENT_TYPE="application/soap+xml; charset=utf-8") == "signature.missing"


def test_our_own_actor_is_ours_and_every_other_is_not(guarded: Guarding) -> None:
    sent = bent(honest(), (SECURITY, '<wsse:Security S:actor="urn:us">'))
    assert guarded(actor="urn:us").accepted(sent).signed_parts == BOTH
    assert guarded().refusal(sent) == "security.missing"


def test_a_header_with_the_name_of_security_in_another_namespace_is_none(guard: SignedGuard) -> None:
    lookalike = honest().replace(f'xmlns:wsse="{WSSE}"', f'xmlns:wsse="{WSSE}#"')
    assert guard.refusal(lookalike.encode()) == "security.missing"


def test_a_signature_of_another_namespace_is_none(guard: SignedGuard) -> None:
    lookalike = honest().replace(f'xmlns:ds="{DS}"', f'xmlns:ds="{DS[:-1]}/"')
    assert guard.refusal(lookalike.encode()) == "security.unknown_token"


def test_a_fresh_header_of_another_client_beside_an_old_signed_body_is_not_one_message(guard: SignedGuard) -> None:
    """Bob is trusted, and signs a fresh Timestamp beside what Alice signed an hour ago."""
    sent = both_sign(Signing.by(ALICE, parts=(BODY,)), Signing.by(BOB, parts=(TIMESTAMP,)))
    assert guard.refusal(sent) == "signature.coverage"
