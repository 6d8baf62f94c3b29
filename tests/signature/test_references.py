"""ds:Reference: only ``#id`` of this message, each target once, as many as the limits allow."""

import pytest

from tests.messages import DS, PAYLOAD, timestamp
from tests.signature.signatures import ALICE, BOB, BOTH, Guarding, SignedGuard, bent, both_sign, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, signed, unsigned

SHA256_OF_NOTHING = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def over(*parts: Part, **changes: object) -> bytes:
    """Signed by Alice over these."""
    return signed(Signing.by(ALICE, parts=parts, **changes))


# --- URIs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("", id="all of the document"),
        pytest.param("#", id="a number sign"),
        pytest.param("body", id="a name without number sign"),
        pytest.param(" #body", id="white space first"),
        pytest.param("http://192.0.2.1/body", id="http"),
        pytest.param("https://192.0.2.1/body#body", id="https with a fragment"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("/etc/passwd", id="a path"),
        pytest.param("body.xml#body", id="a relative reference"),
        pytest.param("?#body", id="a query"),
        pytest.param("cid:body", id="an attachment"),
        pytest.param("#xpointer(/)", id="xpointer to the root"),
        pytest.param("#xpointer(id('body'))", id="xpointer to an id"),
        pytest.param("#xpointer(//*[local-name()='Body'])", id="xpointer with XPath"),
        pytest.param("#element(/1/2)", id="element pointer"),
        pytest.param("#xmlns(a=b)body", id="xmlns pointer"),
        pytest.param("#other", id="an unknown Id"),
        pytest.param("#Body", id="another case"),
        pytest.param("#b%6Fdy", id="percent encoding"),
        pytest.param("#body ", id="white space behind it"),
        pytest.param("##body", id="two number signs"),
    ],
)
def test_a_uri_that_is_no_id_of_this_message_is_refused(guard: SignedGuard, uri: str) -> None:
    """Alice signs what anybody could make of it: the digest of nothing, or of the Body."""
    assert guard.refusal(over(Part(uri, value=SHA256_OF_NOTHING), TIMESTAMP)) == "signature.reference"


def test_a_number_sign_alone_names_no_element_with_an_empty_id(guard: SignedGuard) -> None:
    header = '<h:H xmlns:h="urn:h" Id=""/>'
    assert guard.refusal(signed(Signing.by(ALICE, parts=(Part("#"), BODY, TIMESTAMP)), header=header)) == (
        "signature.reference"
    )


def test_a_reference_without_uri_is_refused(guard: SignedGuard) -> None:
    assert guard.refusal(over(BODY, TIMESTAMP, replaced={'URI="#body" ': ""})) == "signature.reference"


def test_an_element_whose_id_looks_like_a_pointer_covers_itself_only(guard: SignedGuard) -> None:
    """Alice means her Body by it; what she signed is not what stands under this Id."""
    pointer = "#xpointer(id('body'))"
    header = f"""<h:H xmlns:h="urn:h" Id="{pointer[1:]}"/>"""
    assert guard.refusal(signed(Signing.by(ALICE, parts=(Part(pointer), TIMESTAMP)), header=header)) == (
        "signature.coverage"
    )


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((BODY, BODY, TIMESTAMP), id="one after the other"),
        pytest.param((BODY, TIMESTAMP, Part("#body", digest="sha512")), id="with another digest"),
    ],
)
def test_a_target_is_named_once(guard: SignedGuard, parts: tuple[Part, ...]) -> None:
    assert guard.refusal(over(*parts)) == "signature.reference"


def test_a_target_under_two_ids_is_held_against_both_references(guard: SignedGuard) -> None:
    """It is digested twice: unusual, and nothing is wrong with it."""
    attributes = 'wsu:Id="body" xml:id="again"'
    both = Signing.by(ALICE, parts=(BODY, Part("#again"), TIMESTAMP))
    assert guard.accepted(signed(both, body_attributes=attributes)).signed_parts == BOTH
    one_wrong = Signing.by(ALICE, parts=(BODY, Part("#again", value=SHA256_OF_NOTHING), TIMESTAMP))
    assert guard.refusal(signed(one_wrong, body_attributes=attributes)) == "signature.digest"


@pytest.mark.parametrize(
    ("target", "attribute"),
    [
        pytest.param("<ds:Signature Id=", "SIG-1", id="the Signature"),
        pytest.param("<ds:SignedInfo>", "SI", id="SignedInfo"),
        pytest.param("<ds:SignatureValue>", "SV", id="SignatureValue"),
    ],
)
def test_a_signature_over_itself_can_not_be_made(guard: SignedGuard, target: str, attribute: str) -> None:
    named = target if target.endswith("=") else target.replace(">", f' Id="{attribute}">')
    parts = (BODY, TIMESTAMP, Part(f"#{attribute}", value=SHA256_OF_NOTHING))
    assert guard.refusal(over(*parts, replaced={target: named})) == "signature.digest"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("<wsse:Security ", '<wsse:Security wsu:Id="around" ', id="the Security header"),
        pytest.param("<S:Header>", '<S:Header wsu:Id="around">', id="the Header"),
        pytest.param("<S:Envelope ", '<S:Envelope wsu:Id="around" ', id="the Envelope"),
    ],
)
def test_a_signature_over_what_holds_it_is_refused(guard: SignedGuard, old: str, new: str) -> None:
    parts = (BODY, TIMESTAMP, Part("#around", value=SHA256_OF_NOTHING))
    envelope = unsigned(binary_token(ALICE.certificate), "@SIG-1@", timestamp()).replace(old, new)
    assert guard.refusal(sign(envelope, Signing.by(ALICE, parts=parts))) == "signature.reference"


def test_a_relative_namespace_name_has_no_canonical_form(guard: SignedGuard) -> None:
    """Canonical XML §1.3."""
    relative = bent(honest(), ("<S:Body ", '<S:Body xmlns:r="relative" '))
    assert guard.refusal(relative) == "signature.reference"


def test_key_info_may_be_signed(guard: SignedGuard) -> None:
    replaced = {"<ds:KeyInfo>": '<ds:KeyInfo Id="KI">'}
    guard.accepted(over(BODY, TIMESTAMP, Part("#KI"), replaced=replaced))


# --- Type -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        pytest.param(f"{DS}Manifest", "signature.malformed", id="Manifest"),
        pytest.param(f"{DS}Object", "", id="Object"),
        pytest.param(f"{DS}SignatureProperties", "", id="SignatureProperties"),
        pytest.param("urn:anything", "", id="anything"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_type_is_a_hint_and_only_that_of_a_manifest_refuses(guard: SignedGuard, kind: str, check: str) -> None:
    """XML Signature §4.4.3.1: it says what is referred to, which is digested as it stands, whatever it is."""
    assert guard.post(over(Part("#body", attributes=f'Type="{kind}"'), TIMESTAMP)).check == check


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param('Foo="1"', id="unknown"),
        pytest.param('ds:URI="#other"', id="URI with a namespace"),
        pytest.param('uri="#other"', id="uri"),
        pytest.param('xml:base="http://192.0.2.1/"', id="a base"),
    ],
)
def test_an_unknown_attribute_is_refused(guard: SignedGuard, attributes: str) -> None:
    assert guard.refusal(over(Part("#body", attributes=attributes), TIMESTAMP)) == "signature.malformed"


def test_a_reference_may_have_an_id(guard: SignedGuard) -> None:
    guard.accepted(over(Part("#body", attributes='Id="REF-1"'), TIMESTAMP))


# --- Limits -----------------------------------------------------------------------------------------------------------


def many(count: int) -> tuple[str, tuple[Part, ...]]:
    """A header of ``count`` blocks, and a reference to each."""
    header = "".join(f'<h:H{n} xmlns:h="urn:h" wsu:Id="H{n}"/>' for n in range(count))
    return header, tuple(Part(f"#H{n}") for n in range(count))


def test_thirty_references_are_taken(guard: SignedGuard) -> None:
    header, parts = many(28)
    guard.accepted(signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, *parts)), header=header))


def test_one_more_is_not(guard: SignedGuard) -> None:
    header, parts = many(29)
    message = signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, *parts)), header=header)
    assert guard.refusal(message) == "limits.references"


def test_the_references_of_all_signatures_of_a_message_count(guard: SignedGuard) -> None:
    header, parts = many(29)
    sent = both_sign(Signing.by(ALICE), Signing.by(BOB, parts=parts), header=header)
    assert guard.refusal(sent) == "limits.references"
    header, parts = many(28)
    guard.accepted(both_sign(Signing.by(ALICE), Signing.by(BOB, parts=parts), header=header))


def test_the_limit_is_the_policys(guarded: Guarding) -> None:
    assert guarded(limits={"references": 1}).refusal(honest().encode()) == "limits.references"
    guarded(limits={"references": 2}).accepted(honest().encode())


def test_a_reference_to_a_part_of_the_body_beside_the_body_is_taken(guard: SignedGuard) -> None:
    body = PAYLOAD.replace("<e:text>", '<e:text wsu:Id="text">')
    message = guard.accepted(signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#text"))), body=body))
    assert message.signed_parts == BOTH
