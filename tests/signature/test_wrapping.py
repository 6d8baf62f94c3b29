"""A signed Body that is moved away, and another in its place: what is covered is an element in its place, not an Id.

Every signature here verifies, unless the move itself breaks it: Alice's own Body is somewhere in each message, as she
signed it.
"""

import pytest

from tests.messages import SOAP12
from tests.signature.signatures import BOTH, EVIL, NAMESPACES, SIGNED_BODY, SignedGuard, bent, honest
from wsguard.verified import Principal

EVIL_BODY = f"<S:Body>{EVIL}</S:Body>"

AT_HEADER = "<S:Header>"
AT_SECURITY = '<wsse:Security S:mustUnderstand="1">'
AFTER_SIGNATURE_VALUE = "</ds:SignatureValue>"
AFTER_KEY_INFO = "</ds:KeyInfo>"


def moved(*places: tuple[str, str], body: str = EVIL_BODY) -> bytes:
    """Alice's message with another Body, and with hers wherever ``places`` put it: text -> what follows it."""
    text = honest().replace(SIGNED_BODY, "@")
    return bent(bent(text, *((at, at + what) for at, what in places)).decode(), ("@", body))


def into_a_header_block(body: str) -> bytes:
    return moved((AT_HEADER, f'<w:Wrapper xmlns:w="urn:w">{SIGNED_BODY}</w:Wrapper>'), body=body)


def test_the_message_that_all_others_are_made_of_is_accepted(guard: SignedGuard) -> None:
    message = guard.accepted(honest().encode())
    assert (message.principal, message.signed_parts) == (Principal("CN=Alice", "certificate"), BOTH)


# --- The nine variants ------------------------------------------------------------------------------------------------


def test_moved_into_a_header_block(guard: SignedGuard) -> None:
    assert guard.refusal(into_a_header_block(EVIL_BODY)) == "signature.coverage"


def test_made_a_header_block_itself(guard: SignedGuard) -> None:
    assert guard.refusal(moved((AT_HEADER, SIGNED_BODY))) == "signature.coverage"


def test_moved_into_the_security_header(guard: SignedGuard) -> None:
    assert guard.refusal(moved((AT_SECURITY, SIGNED_BODY))) == "security.unknown_token"


def test_moved_into_an_object_of_the_signature(guard: SignedGuard) -> None:
    place = (AFTER_KEY_INFO, f"<ds:Object>{SIGNED_BODY}</ds:Object>")
    assert guard.refusal(moved(place)) == "signature.malformed"


def test_moved_into_the_key_info(guard: SignedGuard) -> None:
    place = ("<ds:KeyInfo>", f'<w:Wrapper xmlns:w="urn:w">{SIGNED_BODY}</w:Wrapper>')
    assert guard.refusal(moved(place)) == "signature.malformed"


@pytest.mark.parametrize(
    ("body", "check"),
    [
        pytest.param(f"<S:Body>{EVIL}{SIGNED_BODY}</S:Body>", "envelope.structure", id="beside the operation"),
        pytest.param(
            f"<S:Body>{EVIL.replace('</e:Echo>', f'{SIGNED_BODY}</e:Echo>')}</S:Body>",
            "signature.coverage",
            id="in the operation",
        ),
        pytest.param(
            f'<S:Body><e:Echo xmlns:e="urn:echo">{SIGNED_BODY}</e:Echo></S:Body>',
            "signature.coverage",
            id="as all there is of the operation",
        ),
        pytest.param(f"<S:Body>{SIGNED_BODY}</S:Body>", "signature.coverage", id="one level down, as the operation"),
    ],
)
def test_moved_into_the_evil_body(guard: SignedGuard, body: str, check: str) -> None:
    assert guard.refusal(moved(body=body)) == check


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f'<w:Wrapper xmlns:w="urn:w">{SIGNED_BODY}</w:Wrapper>{EVIL_BODY}', id="before"),
        pytest.param(f'{EVIL_BODY}<w:Wrapper xmlns:w="urn:w">{SIGNED_BODY}</w:Wrapper>', id="after"),
        pytest.param(f'<w:Wrapper xmlns:w="urn:w">{EVIL_BODY}</w:Wrapper>{SIGNED_BODY}', id="around the evil one"),
    ],
)
def test_moved_into_a_wrapper_beside_the_body(guard: SignedGuard, body: str) -> None:
    assert guard.refusal(moved(body=body)) == "envelope.structure"


@pytest.mark.parametrize(
    ("message", "check"),
    [
        pytest.param(
            moved((AT_HEADER, f"<S:Envelope>{SIGNED_BODY}</S:Envelope>")), "signature.coverage", id="in the Header"
        ),
        pytest.param(
            moved(body=EVIL_BODY.replace("</e:Echo>", f"<S:Envelope>{SIGNED_BODY}</S:Envelope></e:Echo>")),
            "signature.coverage",
            id="in the Body",
        ),
        pytest.param(
            f"<S:Envelope {NAMESPACES}><S:Header>{honest()}</S:Header>{EVIL_BODY}</S:Envelope>".encode(),
            "security.missing",
            id="all of her message in the Header of another",
        ),
        pytest.param(
            f"<S:Envelope {NAMESPACES}>{honest()}{EVIL_BODY}</S:Envelope>".encode(),
            "envelope.structure",
            id="all of her message before the Body of another",
        ),
    ],
)
def test_moved_into_another_envelope(guard: SignedGuard, message: bytes, check: str) -> None:
    assert guard.refusal(message) == check


@pytest.mark.parametrize(
    ("place", "check"),
    [
        pytest.param(("<ds:SignedInfo>", SIGNED_BODY), "signature.malformed", id="SignedInfo"),
        pytest.param((AFTER_SIGNATURE_VALUE, SIGNED_BODY), "signature.malformed", id="behind SignatureValue"),
        pytest.param(("<wsse:SecurityTokenReference>", SIGNED_BODY), "signature.malformed", id="the reference"),
        pytest.param(('<wsu:Timestamp wsu:Id="TS-1">', SIGNED_BODY), "signature.digest", id="the Timestamp"),
        pytest.param(('#X509v3">', SIGNED_BODY), "signature.malformed", id="the certificate"),
    ],
)
def test_moved_into_other_parts_of_the_security_header(guard: SignedGuard, place: tuple[str, str], check: str) -> None:
    assert guard.refusal(moved(place)) == check


# --- Ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attribute",
    [
        pytest.param('wsu:Id="body"', id="the same"),
        pytest.param('Id="body"', id="Id"),
        pytest.param('ID="body"', id="ID"),
        pytest.param('id="body"', id="id"),
        pytest.param('xml:id="body"', id="xml id"),
        pytest.param('wsu:id="body"', id="wsu id"),
        pytest.param('wsu:ID="body"', id="wsu ID"),
        pytest.param('x:Id="body" xmlns:x="urn:x"', id="Id in another namespace"),
        pytest.param('wsu:Id=" body&#9;"', id="white space around it"),
        pytest.param('wsu:Id="b&#111;dy"', id="written as a character reference"),
    ],
)
def test_an_id_that_some_library_could_take_for_the_signed_one_is_a_duplicate(
    guard: SignedGuard, attribute: str
) -> None:
    evil = f"<S:Body {attribute}>{EVIL}</S:Body>"
    assert guard.refusal(into_a_header_block(evil)) == "envelope.duplicate_id"


@pytest.mark.parametrize(
    "attribute",
    [
        pytest.param('wsu:Id="other"', id="another Id"),
        pytest.param('wsu:Id="Body"', id="another case"),
        pytest.param('wsu:iD="body"', id="a name that nobody takes for one"),
        pytest.param('wsu:Id="bоdy"', id="a Cyrillic letter"),
        pytest.param('wsu:Id="#body"', id="a number sign before it"),
        pytest.param('wsu:Id="body&#x200B;"', id="a space that is none behind it"),
        pytest.param('Name="body"', id="Name"),
    ],
)
def test_an_id_that_only_looks_like_the_signed_one_helps_nobody(guard: SignedGuard, attribute: str) -> None:
    evil = f"<S:Body {attribute}>{EVIL}</S:Body>"
    assert guard.refusal(into_a_header_block(evil)) == "signature.coverage"


def test_two_elements_with_the_signed_id_are_refused_also_where_both_are_as_signed(guard: SignedGuard) -> None:
    text = honest()
    twice = bent(text, (AT_HEADER, f"{AT_HEADER}{SIGNED_BODY}"))
    assert guard.refusal(twice) == "envelope.duplicate_id"


def test_an_id_on_the_body_that_is_not_the_signed_one_changes_what_was_signed(guard: SignedGuard) -> None:
    renamed = bent(honest(), ('<S:Body wsu:Id="body">', '<S:Body wsu:Id="body" Id="other">'))
    assert guard.refusal(renamed) == "signature.digest"


# --- Envelopes of other shapes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(moved(body=f"{SIGNED_BODY}{EVIL_BODY}"), id="two Bodies, the signed one first"),
        pytest.param(moved(body=f"{EVIL_BODY}{SIGNED_BODY}"), id="two Bodies, the signed one last"),
        pytest.param(
            moved(body=f'{SIGNED_BODY}<B:Body xmlns:B="{SOAP12}">{EVIL}</B:Body>'), id="a Body of the other SOAP"
        ),
        pytest.param(bent(honest(), (AT_HEADER, f"<S:Header/>{AT_HEADER}")), id="two Headers, ours last"),
        pytest.param(bent(honest(), ("</S:Header>", "</S:Header><S:Header/>")), id="two Headers, ours first"),
        pytest.param(
            bent(honest(), (SIGNED_BODY, ""), (AT_HEADER, f"{SIGNED_BODY}{AT_HEADER}")), id="the Body before the Header"
        ),
        pytest.param(
            bent(honest(), (SIGNED_BODY, ""), ("</S:Header>", f"{SIGNED_BODY}</S:Header>")), id="the Body in the Header"
        ),
        pytest.param(moved(body=f"{SIGNED_BODY}{EVIL}"), id="the operation beside the Body"),
    ],
)
def test_an_envelope_has_one_header_and_one_body_in_their_places(guard: SignedGuard, message: bytes) -> None:
    assert guard.refusal(message) == "envelope.structure"
