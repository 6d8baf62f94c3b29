"""Encrypted messages that somebody changed on their way: refused for a reason, or nothing that counts was changed."""

from dataclasses import replace
from functools import cache
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.encrypting import WSSE11
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    also,
    body_of,
    content_of,
    draft,
    element_of,
    encrypted_then_signed,
    for_server,
    sealed,
    signed_text,
    signed_then_encrypted,
)
from tests.messages import PAYLOAD, Token, timestamp
from tests.signature.mutations import PLANS, Forgetful, Plan, changed
from tests.signature.signatures import ALICE, EVIL, SignedGuard
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, canonical, sign

BLOCK: Final = '<h:To xmlns:h="urn:h" wsu:Id="block">here</h:To>'
TO_DERIVED: Final = '<wsse:SecurityTokenReference><wsse:Reference URI="#DK-1"/></wsse:SecurityTokenReference>'


def everything_hidden() -> bytes:
    """Body, Signature and a header block under one key, after all of it was signed."""
    signing = Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#block")))
    header = f'<w:EncryptedHeader xmlns:w="{WSSE11}">{BLOCK}</w:EncryptedHeader>'
    text = signed_text(signing, header=BLOCK)
    first = for_server(references=("ED-1", "ED-2", "ED-3"))
    text = text.replace(BLOCK, header)
    parts = [(BLOCK, "ED-2"), (element_of(text, "ds:Signature"), "ED-3")]
    targets = [(part, also(first, id, kind="Element")) for part, id in parts]
    return sealed(text, (content_of(text), first), *targets)


def twice_hidden() -> bytes:
    """The Body signed, encrypted, signed again as it is then, and encrypted once more."""
    outer = for_server(id="ED-2", key_id="EK-2", kind="Element")
    text = encrypted_then_signed().decode().replace("<ds:Signature ", "@EK-2@<ds:Signature ", 1)
    return sealed(text, (body_of(text), outer))


def under_a_derived_key() -> bytes:
    """A symmetric signature beside Alice's."""
    encryption = for_server()
    inner = Signing(key=derived_octets(encryption.session), method="hmac-sha256", key_info=TO_DERIVED, id="SIG-2")
    security = ("@EK-1@", derived_token(), binary_token(ALICE.certificate), "@SIG-2@", "@SIG-1@", timestamp())
    text = sign(draft(*security), inner, Signing.by(ALICE)).decode()
    return sealed(text, (content_of(text), encryption))


@cache
def shapes() -> dict[str, bytes]:
    return {
        "signed, then encrypted": signed_then_encrypted(),
        "encrypted, then signed": encrypted_then_signed(),
        "everything hidden": everything_hidden(),
        "twice hidden": twice_hidden(),
        "derived": under_a_derived_key(),
    }


NAMES: Final = ["signed, then encrypted", "encrypted, then signed", "everything hidden", "twice hidden", "derived"]


@pytest.fixture(scope="module")
def patient(guarded: Sealing) -> SignedGuard:
    """Demands a signature and an encrypted Body, and takes the same message again and again."""
    return guarded(replay_store=Forgetful(), algorithms={"signature": ["ecdsa-sha256", "hmac-sha256"]})


@pytest.fixture(scope="module")
def lax(guarded: Sealing) -> SignedGuard:
    """Takes whatever can be read."""
    algorithms = {"signature": ["ecdsa-sha256", "hmac-sha256"]}
    optional = {"use": "optional"}
    return guarded(replay_store=Forgetful(), algorithms=algorithms, encryption=optional, timestamp=optional, **OPEN)


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_changed_is_accepted(patient: SignedGuard, name: str) -> None:
    assert patient.accepted(shapes()[name]).encrypted_parts >= {"Body"}
    assert PAYLOAD.encode() in patient.handed


def judged(guard: SignedGuard, octets: bytes) -> bool:
    """Whether a message is accepted; refused, it must be for a reason."""
    before = len(guard.echo.handed)
    answer = guard.post(octets)
    accepted = len(guard.echo.handed) > before
    assert accepted == answer.status.startswith("200")
    if not accepted:
        assert answer.record is not None
        assert (answer.record.outcome, answer.check != "internal.error") == ("rejected", True), answer.record
    return accepted


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(NAMES), PLANS)
def test_what_is_accepted_after_changes_is_what_was_signed(patient: SignedGuard, name: str, plan: Plan) -> None:
    if judged(patient, changed(shapes()[name], plan)):
        message = patient.echo.handed[-1][0]["wsguard.message"]
        assert message.principal.name == "CN=Alice"
        (operation,) = etree.fromstring(patient.handed)[-1]
        assert canonical(operation) == PAYLOAD.encode()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 20_000), st.integers(0, 255))
def test_one_byte_changes_nothing_that_is_accepted(patient: SignedGuard, name: str, place: int, byte: int) -> None:
    octets = shapes()[name]
    at = place % len(octets)
    if judged(patient, octets[:at] + bytes([byte]) + octets[at + 1 :]):
        (operation,) = etree.fromstring(patient.handed)[-1]
        assert canonical(operation) == PAYLOAD.encode()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(NAMES), PLANS)
def test_whatever_is_changed_there_is_a_verdict(lax: SignedGuard, name: str, plan: Plan) -> None:
    """Where nothing is demanded much may come, and nobody is Alice who did not sign it."""
    if judged(lax, changed(shapes()[name], plan)):
        message = lax.echo.handed[-1][0]["wsguard.message"]
        assert message.principal is None or "Body" in message.signed_parts


# --- Wrapping ---------------------------------------------------------------------------------------------------------


def wrapped_body(text: str, place: str, evil: str) -> bytes:
    """The signed Body, encrypted as an element, somewhere else; and another Body in its place."""
    body = body_of(text)
    other = f"<S:Body>{evil}</S:Body>"
    moved = text.replace(body, other).replace(place, place + f"<x:Wrap xmlns:x='urn:x'>{body}</x:Wrap>", 1)
    return sealed(moved, (body, for_server(kind="Element")))


@pytest.mark.parametrize("place", ["<S:Header>", "<e:Evil>"])
def test_a_body_that_is_opened_elsewhere_is_not_the_body(guarded: Sealing, place: str) -> None:
    guard = guarded(encryption={"use": "optional"})
    evil = '<e:Echo xmlns:e="urn:echo"><e:Evil></e:Evil></e:Echo>' if place == "<e:Evil>" else EVIL
    assert guard.refusal(wrapped_body(signed_text(), place, evil)) == "signature.coverage"


def test_a_timestamp_that_is_opened_elsewhere_is_not_the_timestamp(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"})
    text = signed_text()
    stamp = element_of(text, "wsu:Timestamp")
    fresh = stamp.replace("TS-1", "TS-2")
    moved = text.replace(stamp, fresh).replace("<S:Header>", f"<S:Header><x>{stamp}</x>")
    assert guard.refusal(sealed(moved, (stamp, for_server(kind="Element")))) == "signature.coverage"


def test_a_token_that_is_opened_elsewhere_is_nobodys(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"}, username_token={"use": "required"}, signature={"use": "optional"})
    token = Token().xml()
    text = draft("@EK-1@", timestamp(), header=f"<x>{token}</x>")
    assert guard.refusal(sealed(text, (token, for_server(kind="Element")))) == "username_token.missing"


def test_the_key_of_another_message_opens_nothing_of_this_one(guard: SignedGuard) -> None:
    """Encrypted, then signed: whoever puts in another key gets nothing that the data would open to."""
    first = for_server()
    octets = encrypted_then_signed(first).decode()
    key = octets[octets.index("<xenc:EncryptedKey") : octets.index("</xenc:EncryptedKey>")]
    other = replace(first, session=bytes(16)).key_xml().removesuffix("</xenc:EncryptedKey>")
    assert guard.refusal(octets.replace(key, other).encode()) == "encryption.failed"
