"""The shape of ds:Signature: one of everything, in order, and nothing else; values in plain base64."""

import base64

import pytest

from tests.signature.signatures import ALICE, BOTH, SignedGuard, bent, honest
from tests.signing import BODY, METHODS, TIMESTAMP, Part, Signing, algorithm, signed

KEY_INFO = f"<ds:KeyInfo>{Signing.by(ALICE).key_info}</ds:KeyInfo>"
VALUE = "<ds:SignatureValue>@value@</ds:SignatureValue>"
METHOD = algorithm("SignatureMethod", METHODS["ecdsa-sha256"])
SHORT = "<ds:HMACOutputLength>8</ds:HMACOutputLength>"
DIGEST = "<ds:DigestValue>@digest-0@</ds:DigestValue>"
SIGNED_INFO = '<ds:SignedInfo Id="SI-2"/>'


def element(name: str) -> tuple[str, str]:
    """An honest message, and the first element with this name in it. Each message has another value."""
    text = honest()
    start = text.index(f"<ds:{name}")
    end = text.index(f"</ds:{name}>", start) + len(f"</ds:{name}>")
    return text, text[start:end]


def replaced(old: str, new: str) -> bytes:
    """Signed by Alice, after the text of her ds:Signature was changed."""
    return signed(Signing.by(ALICE, replaced={old: new}))


# --- Elements ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(VALUE, SIGNED_INFO + VALUE, id="SignedInfo twice, an empty one last"),
        pytest.param("<ds:SignedInfo>", f"{SIGNED_INFO}<ds:SignedInfo>", id="SignedInfo twice, an empty one first"),
        pytest.param("<ds:KeyInfo>", "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:KeyInfo>", id="two values"),
        pytest.param(VALUE, f"<ds:SignatureValue>AAAA</ds:SignatureValue>{VALUE}", id="two values, a false one first"),
        pytest.param(KEY_INFO, "", id="no KeyInfo"),
        pytest.param(KEY_INFO, KEY_INFO * 2, id="KeyInfo twice"),
        pytest.param(KEY_INFO, "<ds:KeyInfo/>", id="an empty KeyInfo"),
        pytest.param(VALUE + KEY_INFO, KEY_INFO + VALUE, id="KeyInfo before SignatureValue"),
        pytest.param(KEY_INFO, f"{KEY_INFO}<ds:Object/>", id="an Object"),
        pytest.param(KEY_INFO, f'{KEY_INFO}<x:y xmlns:x="urn:x"/>', id="something else"),
        pytest.param(KEY_INFO, f"{KEY_INFO}text", id="text behind it"),
        pytest.param("<ds:SignedInfo>", "<ds:SignedInfo>text", id="text in SignedInfo"),
        pytest.param(METHOD, "", id="no SignatureMethod"),
        pytest.param(METHOD, METHOD * 2, id="SignatureMethod twice"),
        pytest.param("<ds:CanonicalizationMethod", f"{METHOD}<ds:CanonicalizationMethod", id="in another order"),
        pytest.param(METHOD, METHOD.replace("></", f">{SHORT}</"), id="HMACOutputLength"),
        pytest.param(METHOD, METHOD.replace("></", ">text</"), id="text in SignatureMethod"),
        pytest.param(METHOD, METHOD.replace(" Algorithm", ' Id="x" Algorithm'), id="an attribute of SignatureMethod"),
        pytest.param(METHOD, METHOD.replace("ds:Sign", "wsse:Sign"), id="SignatureMethod of another namespace"),
        pytest.param('<ds:Signature Id="SIG-1">', '<ds:Signature Id="SIG-1" Algorithm="x">', id="an unknown attribute"),
        pytest.param("<ds:SignedInfo>", '<ds:SignedInfo URI="#x">', id="an unknown attribute of SignedInfo"),
        pytest.param("<ds:KeyInfo>", '<ds:KeyInfo URI="#x">', id="an unknown attribute of KeyInfo"),
        pytest.param(DIGEST, DIGEST * 2, id="DigestValue twice"),
        pytest.param(DIGEST, f"<ds:DigestValue>AAAA</ds:DigestValue>{DIGEST}", id="a false DigestValue before it"),
        pytest.param(DIGEST, "", id="no DigestValue"),
        pytest.param(DIGEST, DIGEST.replace("@digest", "<ds:x/>@digest"), id="an element in DigestValue"),
        pytest.param(DIGEST, DIGEST.replace("DigestValue>", 'DigestValue Id="x">', 1), id="an attribute of it"),
        pytest.param(VALUE, VALUE.replace("@value@", "<ds:x/>@value@"), id="an element in SignatureValue"),
    ],
)
def test_another_shape_is_refused(guard: SignedGuard, old: str, new: str) -> None:
    assert guard.refusal(replaced(old, new)) == "signature.malformed"


def test_a_signature_without_references_is_refused(guard: SignedGuard) -> None:
    assert guard.refusal(signed(Signing.by(ALICE, parts=()))) == "signature.malformed"


def test_an_empty_signature_is_refused(guard: SignedGuard) -> None:
    text = honest()
    start, end = text.index("<ds:Signature "), text.index("</ds:Signature>")
    assert guard.refusal(f'{text[:start]}<ds:Signature Id="SIG-1">{text[end:]}'.encode()) == "signature.malformed"


def test_a_second_signed_info_of_an_attacker_before_the_signed_one_is_refused(guard: SignedGuard) -> None:
    """Where one part of a verifier reads the first, and another the last."""
    sent, info = element("SignedInfo")
    evil = info.replace("#body", "#evil")
    assert guard.refusal(bent(sent, ("<ds:SignedInfo>", f"{evil}<ds:SignedInfo>"))) == "signature.malformed"


@pytest.mark.parametrize("name", ["SignedInfo", "SignatureValue", "Reference"])
def test_an_id_may_stand_there(guard: SignedGuard, name: str) -> None:
    start = f"<ds:{name}>" if name != "Reference" else '<ds:Reference URI="#body" '
    with_id = start.replace(f"ds:{name}", f'ds:{name} Id="an-id"')
    guard.accepted(replaced(start, with_id))


# --- Values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        pytest.param("<!-- {} -->{}", id="a comment before it"),
        pytest.param("{1}<!-- {0} -->", id="a comment behind it"),
        pytest.param("<![CDATA[{1}]]>", id="CDATA"),
        pytest.param("\n  {1}\r\n\t", id="white space around it"),
    ],
)
@pytest.mark.parametrize("place", ["@digest-0@", "@value@"])
def test_a_value_is_its_whole_text(guard: SignedGuard, write: str, place: str) -> None:
    """A comment does not cut it: what is in one is not there for anybody."""
    assert guard.accepted(replaced(place, write.format("AAAA", place))).signed_parts == BOTH


def test_a_value_may_be_cut_in_two_by_a_comment(guard: SignedGuard) -> None:
    sent, value = element("DigestValue")
    cut = f"{value[:30]}<!-- AAAA -->{value[30:]}"
    assert guard.accepted(bent(sent, (value, cut))).signed_parts == BOTH


def test_a_false_digest_in_a_comment_changes_nothing(guard: SignedGuard) -> None:
    """A reader that takes the text before or behind a comment for the whole would digest something else."""
    sent, value = element("DigestValue")
    evil = bent(sent, ("hello", "evil"), (value, value.replace("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->")))
    assert guard.refusal(evil) == "signature.digest"


@pytest.mark.parametrize(
    ("inside", "check"),
    [
        pytest.param("<?pi?>", "envelope.structure", id="a processing instruction"),
        pytest.param("&evil;", "envelope.malformed", id="an entity"),
        pytest.param("&#65;", "signature.malformed", id="a character too many"),
    ],
)
@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue"])
def test_what_else_may_stand_in_a_value(guard: SignedGuard, inside: str, name: str, check: str) -> None:
    sent, value = element(name)
    at = sent.index(value) + value.index(">") + 1
    assert guard.refusal((sent[:at] + inside + sent[at:]).encode()) == check


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("=", id="padding"),
        pytest.param("AA", id="no padding"),
        pytest.param("AA=A", id="padding inside"),
        pytest.param("A-_A", id="the URL-safe alphabet"),
        pytest.param("AAAA%3D", id="percent encoding"),
        pytest.param("ＡＡＡＡ", id="full-width letters"),
        pytest.param("AAAA\u00a0", id="a no-break space"),
        pytest.param(base64.b64encode(bytes(31)).decode(), id="31 octets"),
        pytest.param(base64.b64encode(bytes(33)).decode(), id="33 octets"),
        pytest.param(base64.b64encode(bytes(20)).decode(), id="20 octets"),
    ],
)
def test_a_digest_that_no_sha256_can_have_is_refused(guard: SignedGuard, text: str) -> None:
    part = Part("#body", transforms=None, value=text or "<!---->")
    assert guard.refusal(signed(Signing.by(ALICE, parts=(part, TIMESTAMP)))) == "signature.malformed"


@pytest.mark.parametrize(
    ("digest", "octets"),
    [
        pytest.param("sha256", 32, id="sha256"),
        pytest.param("sha384", 48, id="sha384"),
        pytest.param("sha512", 64, id="sha512"),
    ],
)
def test_a_digest_is_as_long_as_its_method_says(guard: SignedGuard, digest: str, octets: int) -> None:
    """The first octets of a digest are no digest."""
    right = Part("#body", digest=digest)
    guard.accepted(signed(Signing.by(ALICE, parts=(right, TIMESTAMP))))
    short = Part("#body", digest=digest, value=base64.b64encode(bytes(octets - 1)).decode())
    assert guard.refusal(signed(Signing.by(ALICE, parts=(short, TIMESTAMP)))) == "signature.malformed"


def test_another_digest_of_the_right_length_is_wrong(guard: SignedGuard) -> None:
    wrong = Part("#body", value=base64.b64encode(bytes(32)).decode())
    assert guard.refusal(signed(Signing.by(ALICE, parts=(wrong, TIMESTAMP)))) == "signature.digest"


def test_spare_bits_of_base64_do_not_matter(guard: SignedGuard) -> None:
    """Decoded octets are compared; what was signed is the text, so that only its signer can choose it."""
    sent, value = element("DigestValue")
    digest = value.removeprefix("<ds:DigestValue>").removesuffix("</ds:DigestValue>")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = digest[:-2] + alphabet[alphabet.index(digest[-2]) | 1] + "="
    assert spare != digest
    assert guard.refusal(bent(sent, (digest, spare))) == "signature.value"
    guard.accepted(signed(Signing.by(ALICE, parts=(Part("#body", value=spare), TIMESTAMP))))


def test_a_signature_value_of_another_message_is_wrong(guard: SignedGuard) -> None:
    _, value = element("SignatureValue")
    other = signed(Signing.by(ALICE, parts=(BODY,))).decode()
    start, end = other.index("<ds:SignatureValue>"), other.index("</ds:SignatureValue>")
    sent = (other[:start] + value.removesuffix("</ds:SignatureValue>") + other[end:]).encode()
    assert guard.refusal(sent) == "signature.value"
