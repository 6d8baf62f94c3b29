"""One signature of one trusted signer covers all that must be signed; others verify, and add nothing."""

import pytest

from tests.messages import DS, PAYLOAD, timestamp
from tests.signature.signatures import (
    ALICE,
    BOB,
    BOTH,
    EVIL,
    SIGNED_BODY,
    STRANGER,
    Guarding,
    SignedGuard,
    bent,
    both_sign,
    honest,
    refers_to,
)
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, signed, unsigned
from wsguard.verified import VerifiedMessage

SECURITY = '<wsse:Security S:mustUnderstand="1">'
CLOSED = "</wsse:Security>"
FOREIGN = '<wsse:Security S:actor="urn:somebody-else">'
TEXT = '<e:text wsu:Id="text">hello</e:text>'
WITH_ID = PAYLOAD.replace("<e:text>hello</e:text>", TEXT)


def signer_of(message: VerifiedMessage) -> str:
    assert message.principal is not None
    return message.principal.name


def taken_out(text: str) -> tuple[str, str]:
    """The message without its ds:Signature, and the signature."""
    start, end = text.index("<ds:Signature "), text.index("</ds:Signature>") + len("</ds:Signature>")
    return text[:start] + text[end:], text[start:end]


# --- Not enough -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((TIMESTAMP,), id="the Timestamp only"),
        pytest.param((BODY,), id="the Body only"),
        pytest.param((Part("#text"), TIMESTAMP), id="a child of the operation"),
        pytest.param((Part("#operation"), TIMESTAMP), id="the operation and not the Body"),
        pytest.param((Part("#X509-1"),), id="the certificate"),
    ],
)
def test_a_signature_over_less_than_is_demanded_is_not_enough(guard: SignedGuard, parts: tuple[Part, ...]) -> None:
    body = WITH_ID.replace("<e:Echo ", '<e:Echo wsu:Id="operation" ')
    assert guard.refusal(signed(Signing.by(ALICE, parts=parts), body=body)) == "signature.coverage"


def test_what_must_be_signed_and_is_not_there_is_not_covered(guarded: Guarding) -> None:
    guard = guarded(timestamp={"use": "optional"})
    assert guard.refusal(signed(Signing.by(ALICE, parts=(BODY,)), stamp="")) == "signature.coverage"


def test_what_must_be_signed_is_said_in_the_record(guard: SignedGuard) -> None:
    guard.refusal(signed(Signing.by(ALICE, parts=(BODY,))))
    assert guard.records[-1].explanation[-1] == {
        "check": "signature.coverage",
        "outcome": "refused",
        "expected": "one signature over Body, Timestamp",
        "seen": "none over Timestamp",
        "setting": "signature.required_parts",
    }


def test_the_body_alone_is_enough_where_no_more_is_demanded(guarded: Guarding) -> None:
    guard = guarded(signature={"required_parts": ["Body"]})
    assert guard.accepted(signed(Signing.by(ALICE, parts=(BODY,)))).signed_parts == {"Body"}


def test_a_signature_over_less_is_no_identity_where_none_is_demanded(guarded: Guarding) -> None:
    guard = guarded(signature={"use": "optional"}, unsafe_unauthenticated=True)
    message = guard.accepted(signed(Signing.by(ALICE, parts=(BODY,))))
    assert (message.principal, message.signed_parts) == (None, frozenset())


def test_a_manifest_is_refused(guard: SignedGuard) -> None:
    """Its references are verified by nobody: XML Signature §5.1 leaves that to the application."""
    manifest = (
        '<ds:Object><ds:Manifest Id="M"><ds:Reference URI="#body"><ds:DigestMethod Algorithm="'
        f'{DS}sha1"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:Manifest></ds:Object>'
    )
    part = Part("#M", attributes=f'Type="{DS}Manifest"')
    assert guard.refusal(signed(Signing.by(ALICE, parts=(part, TIMESTAMP), appended=manifest))) == "signature.malformed"


def test_a_manifest_that_calls_itself_something_else_is_refused(guard: SignedGuard) -> None:
    manifest = '<ds:Object><ds:Manifest Id="M"/></ds:Object>'
    signing = Signing.by(ALICE, parts=(Part("#M"), TIMESTAMP), appended=manifest)
    assert guard.refusal(signed(signing)) == "signature.malformed"


# --- The Signature is not where it belongs ----------------------------------------------------------------------------


def test_a_stripped_signature_is_missing(guard: SignedGuard) -> None:
    assert guard.refusal(taken_out(honest())[0].encode()) == "signature.missing"


def test_a_stripped_security_header_is_missing(guard: SignedGuard) -> None:
    text = honest()
    stripped = text[: text.index(SECURITY)] + text[text.index("</S:Header>") :]
    assert guard.refusal(stripped.encode()) == "security.missing"


@pytest.mark.parametrize(
    ("anchor", "before", "behind", "check"),
    [
        pytest.param("<S:Header>", "", "", "signature.missing", id="a header block"),
        pytest.param("<S:Header>", FOREIGN, CLOSED, "signature.missing", id="a Security header for somebody else"),
        pytest.param("<S:Header>", SECURITY, CLOSED, "security.duplicate", id="a second Security header"),
        pytest.param("<S:Header>", '<w:W xmlns:w="urn:w">', "</w:W>", "signature.missing", id="in a header block"),
        pytest.param('<e:Echo xmlns:e="urn:echo">', "", "", "signature.missing", id="the operation"),
        pytest.param('<S:Body wsu:Id="body">', "", "", "envelope.structure", id="the Body"),
        pytest.param("</S:Header>", "", "", "envelope.structure", id="the Envelope"),
        pytest.param('<wsu:Timestamp wsu:Id="TS-1">', "", "", "timestamp.malformed", id="the Timestamp"),
        pytest.param(SECURITY, '<w:W xmlns:w="urn:w">', "</w:W>", "security.unknown_token", id="a wrapper there"),
    ],
)
def test_a_misplaced_signature_is_none(guard: SignedGuard, anchor: str, before: str, behind: str, check: str) -> None:
    text, signature = taken_out(honest())
    assert guard.refusal(bent(text, (anchor, f"{anchor}{before}{signature}{behind}"))) == check


# --- Several signatures -----------------------------------------------------------------------------------------------

FULL = (BODY, TIMESTAMP)


def test_two_signatures_of_two_clients_over_one_part_each_are_not_one(guard: SignedGuard) -> None:
    sent = both_sign(Signing.by(ALICE, parts=(TIMESTAMP,)), Signing.by(BOB, parts=(BODY,)))
    assert guard.refusal(sent) == "signature.coverage"


def test_two_signatures_of_one_client_over_one_part_each_are_not_one_either(guard: SignedGuard) -> None:
    sent = sign(
        unsigned(binary_token(ALICE.certificate), "@SIG-1@", "@SIG-2@", timestamp()),
        Signing.by(ALICE, parts=(BODY,)),
        Signing.by(ALICE, parts=(TIMESTAMP,), id="SIG-2"),
    )
    assert guard.refusal(sent) == "signature.coverage"


@pytest.mark.parametrize("part", [pytest.param(BODY, id="the Body"), pytest.param(TIMESTAMP, id="the Timestamp")])
def test_whose_signature_covers_all_is_whose_message_it_is(guard: SignedGuard, part: Part) -> None:
    """In whatever order they stand."""
    first = both_sign(Signing.by(ALICE, parts=(part,)), Signing.by(BOB, parts=FULL))
    last = both_sign(Signing.by(ALICE, parts=FULL), Signing.by(BOB, parts=(part,)))
    assert signer_of(guard.accepted(first)) == "CN=Bob"
    assert signer_of(guard.accepted(last)) == "CN=Alice"


def test_of_two_signatures_over_everything_the_first_is_whose_message_it_is(guard: SignedGuard) -> None:
    assert signer_of(guard.accepted(both_sign(Signing.by(ALICE), Signing.by(BOB)))) == "CN=Alice"


def test_an_endorsing_signature_over_the_first_one_is_verified_and_adds_nothing(guard: SignedGuard) -> None:
    sent = both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#SIG-A"),)))
    message = guard.accepted(sent)
    assert (signer_of(message), message.signed_parts) == ("CN=Alice", BOTH)


def test_an_endorsing_signature_alone_does_not_lend_what_the_first_covers(guard: SignedGuard) -> None:
    sent = both_sign(Signing.by(ALICE, parts=(BODY,)), Signing.by(BOB, parts=(Part("#SIG-A"), TIMESTAMP)))
    assert guard.refusal(sent) == "signature.coverage"


def test_every_signature_must_verify_also_one_that_nobody_asked_for(guard: SignedGuard) -> None:
    broken = Signing.by(BOB, parts=(Part("#SIG-A", value="A" * 43 + "="),))
    assert guard.refusal(both_sign(Signing.by(ALICE), broken)) == "signature.digest"


def test_a_signature_of_a_stranger_beside_a_good_one_is_refused(guard: SignedGuard) -> None:
    alice = Signing.by(ALICE)
    stranger = Signing.by(STRANGER, id="SIG-2", key_info=refers_to("X509-2"))
    tokens = binary_token(ALICE.certificate), binary_token(STRANGER.certificate, id="X509-2")
    sent = sign(unsigned(*tokens, "@SIG-1@", "@SIG-2@", timestamp()), alice, stranger)
    assert guard.refusal(sent) == "certificate.untrusted"


# --- What is not signed is not handed on ------------------------------------------------------------------------------


def test_what_is_covered_and_handed_on_is_the_body_in_its_place(guard: SignedGuard) -> None:
    guard.accepted(honest().encode())
    assert SIGNED_BODY.encode() in guard.handed
    assert b"Security" not in guard.handed.replace(b"wssecurity", b"")


def test_attributes_of_envelope_and_header_are_not_handed_on(guard: SignedGuard) -> None:
    attributes = 'xml:lang="x-evil" encodingStyle="urn:evil" '
    sent = bent(honest(envelope_attributes=attributes), ("<S:Header>", '<S:Header actor="urn:evil">'))
    guard.accepted(sent)
    assert b"evil" not in guard.handed


def test_attributes_of_the_body_are_signed(guard: SignedGuard) -> None:
    encoded = 'wsu:Id="body" S:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    guard.accepted(honest(body_attributes=encoded).encode())
    assert b"encodingStyle" in guard.handed
    evil = bent(honest(), ('<S:Body wsu:Id="body">', f"<S:Body {encoded}>"))
    assert guard.refusal(evil) == "signature.digest"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((PAYLOAD, EVIL), id="another text"),
        pytest.param((PAYLOAD, PAYLOAD + " "), id="white space behind the operation"),
        pytest.param(("<e:text>", '<e:text e:a="1">'), id="an attribute"),
        pytest.param(("<e:text>hello", "<e:text/><e:text>hello"), id="an element"),
        pytest.param(('xmlns:e="urn:echo"', 'xmlns:e="urn:echO"'), id="another namespace"),
        pytest.param((">hello<", ">hello&#13;<"), id="a carriage return"),
    ],
)
def test_a_changed_body_is_refused(guard: SignedGuard, change: tuple[str, str]) -> None:
    assert guard.refusal(bent(honest(), change)) == "signature.digest"


def test_the_prefixes_of_the_body_are_signed_too(guard: SignedGuard) -> None:
    """Exclusive canonicalization writes them."""
    other = SIGNED_BODY.replace("e:", "f:").replace(":e=", ":f=")
    assert guard.refusal(bent(honest(), (SIGNED_BODY, other))) == "signature.digest"
