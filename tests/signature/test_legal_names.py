"""Odd names, Ids, canonicalizations and key infos of honest clients: signed as they were meant, and accepted."""

import pytest
from lxml import etree

from tests.messages import DS, PAYLOAD, SOAP11, WSSE, WSU, Token, timestamp
from tests.signature.key_infos import x509_data
from tests.signature.signatures import ALICE, BOTH, ROOT, Guarding, SignedGuard, bent, honest, refers_to
from tests.signing import (
    BODY,
    ENVELOPED,
    EXC_C14N,
    TIMESTAMP,
    Part,
    Signing,
    algorithm,
    binary_token,
    sign,
    signed,
    unsigned,
)
from wsguard.names import XML

SECURITY = '<wsse:Security S:mustUnderstand="1">'
ENVELOPED_TRANSFORMS = (
    f"<ds:Transforms>{algorithm('Transform', ENVELOPED)}{algorithm('Transform', EXC_C14N)}</ds:Transforms>"
)
TOKEN = binary_token(ALICE.certificate)

# --- Names ------------------------------------------------------------------------------------------------------------


def test_odd_prefixes(guard: SignedGuard) -> None:
    envelope = unsigned(TOKEN, "@SIG-1@", timestamp())
    odd = {"S": "SOAP-ENV", "wsu": "_", "wsse": "o", "e": "äöü"}
    for prefix, other in odd.items():
        envelope = envelope.replace(f"<{prefix}:", f"<{other}:").replace(f"</{prefix}:", f"</{other}:")
        envelope = envelope.replace(f" {prefix}:", f" {other}:").replace(f"xmlns:{prefix}=", f"xmlns:{other}=")
    reference = '<o:SecurityTokenReference><o:Reference URI="#X509-1"/></o:SecurityTokenReference>'
    assert guard.accepted(sign(envelope, Signing.by(ALICE, key_info=reference))).signed_parts == BOTH


def test_the_signature_in_the_default_namespace(guard: SignedGuard) -> None:
    replaced = {"ds:": "", '<Signature Id="SIG-1">': f'<Signature xmlns="{DS}" Id="SIG-1">'}
    sent = signed(Signing.by(ALICE, replaced=replaced))
    assert b"<ds:" not in sent
    assert guard.accepted(sent).signed_parts == BOTH


def test_everything_in_default_namespaces(guard: SignedGuard) -> None:
    body = '<Echo xmlns="urn:echo"><text>hello</text></Echo>'
    stamp = timestamp().replace("<wsu:Timestamp ", f'<Timestamp xmlns="{WSU}" ').replace("wsu:Timestamp", "Timestamp")
    stamp = stamp.replace("wsu:Created", "Created").replace("wsu:Expires", "Expires")
    reference = f'<SecurityTokenReference xmlns="{WSSE}"><Reference URI="#X509-1"/></SecurityTokenReference>'
    assert guard.accepted(signed(Signing.by(ALICE, key_info=reference), stamp=stamp, body=body)).signed_parts == BOTH


@pytest.mark.parametrize("attribute", ["Id", "ID", "id", "xml:id", "wsu:ID"])
def test_the_id_of_the_body_in_other_attributes(guard: SignedGuard, attribute: str) -> None:
    assert guard.accepted(honest(body_attributes=f'{attribute}="body"').encode()).signed_parts == BOTH


@pytest.mark.parametrize("attribute", ["Id", "ID", "id", "xml:id"])
def test_the_id_of_the_timestamp_in_other_attributes(guard: SignedGuard, attribute: str) -> None:
    stamp = timestamp().replace("wsu:Id", attribute)
    assert guard.accepted(honest(stamp=stamp).encode()).signed_parts == BOTH


@pytest.mark.parametrize(
    "id",
    [
        pytest.param("_5002.body-1", id="dots and hyphens"),
        pytest.param("id:body", id="a colon"),
        pytest.param("Körper", id="letters beyond ASCII"),
        pytest.param("本体", id="ideographs"),
        pytest.param("5c7a9d10-uuid", id="a digit first"),
        pytest.param("urn:uuid:5c7a9d10", id="a URN"),
        pytest.param("{body}", id="braces"),
        pytest.param("x" * 500, id="a long one"),
    ],
)
def test_odd_ids(guard: SignedGuard, id: str) -> None:
    signing = Signing.by(ALICE, parts=(Part(f"#{id}"), TIMESTAMP))
    assert guard.accepted(signed(signing, body_attributes=f'wsu:Id="{id}"')).signed_parts == BOTH


# --- Transforms and canonicalizations ---------------------------------------------------------------------------------


def test_enveloped_signature_on_every_reference(guard: SignedGuard) -> None:
    """As node-soap has it, though no Signature is in what it signs."""
    parts = tuple(Part(part.uri, transforms=ENVELOPED_TRANSFORMS) for part in (BODY, TIMESTAMP))
    assert guard.accepted(signed(Signing.by(ALICE, parts=parts))).signed_parts == BOTH


@pytest.mark.parametrize("name", ["c14n", "c14n-with-comments", "c14n11"])
@pytest.mark.parametrize("attributes", ["", 'xmlns:unused="urn:unused"'])
def test_inclusive_canonicalization(guarded: Guarding, name: str, attributes: str) -> None:
    guard = guarded(algorithms={"canonicalization": [name]})
    parts = tuple(Part(part.uri, c14n=name) for part in (BODY, TIMESTAMP))
    sent = signed(Signing.by(ALICE, parts=parts, c14n=name), envelope_attributes=attributes)
    assert guard.accepted(sent).signed_parts == BOTH


def inclusively(name: str, attributes: str, inherited: str) -> bytes:
    """Signed with this canonicalization of the Body: ``attributes`` are the Envelope's, ``inherited`` go into it."""
    spaces = f'xmlns:S="{SOAP11}" xmlns:ds="{DS}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}"'
    octets = f'<S:Body {spaces} wsu:Id="body"{inherited}>{PAYLOAD}</S:Body>'.encode()
    signing = Signing.by(ALICE, parts=(Part("#body", c14n=name, octets=octets), TIMESTAMP))
    return signed(signing, envelope_attributes=attributes)


@pytest.mark.parametrize(
    ("name", "attributes", "inherited"),
    [
        pytest.param("c14n", 'xml:lang="de"', ' xml:lang="de"', id="the language"),
        pytest.param("c14n11", 'xml:lang="de"', ' xml:lang="de"', id="the language, 1.1"),
        pytest.param("c14n", 'xml:space="preserve"', ' xml:space="preserve"', id="the space"),
        pytest.param("c14n", 'xml:id="envelope"', ' xml:id="envelope"', id="the Id"),
        pytest.param("c14n11", 'xml:id="envelope"', "", id="not the Id, 1.1"),
        pytest.param("c14n", 'xml:base="http://a/"', ' xml:base="http://a/"', id="the base"),
    ],
)
def test_inclusive_canonicalization_inherits(guarded: Guarding, name: str, attributes: str, inherited: str) -> None:
    """Canonical XML §2.4: a part of a document is written with the ``xml:`` attributes above it."""
    guard = guarded(algorithms={"canonicalization": [name, "exc-c14n"]})
    sent = inclusively(name, attributes, inherited)
    assert guard.accepted(sent).signed_parts == BOTH
    envelope = etree.fromstring(guard.handed)
    assert not envelope.attrib
    assert (inherited.strip() in etree.tostring(envelope[-1]).decode()) == ("xml:id" not in inherited)


@pytest.mark.parametrize("name", ["c14n", "c14n11"])
@pytest.mark.parametrize("place", ["<S:Envelope ", "<S:Header "])
def test_what_was_signed_on_the_body_stays_there_when_it_is_moved_above_it(
    guarded: Guarding, name: str, place: str
) -> None:
    """The canonical form says nothing of where it stood, and the attributes of the Envelope are not handed on."""
    guard = guarded(algorithms={"canonicalization": [name, "exc-c14n"]})
    own = ' xml:lang="de" xml:space="preserve"'
    signing = Signing.by(ALICE, parts=(Part("#body", c14n=name), Part("#H", c14n=name), TIMESTAMP))
    text = signed(
        signing, header=f'<h:H xmlns:h="urn:h" wsu:Id="H"{own}/>', body_attributes=f'wsu:Id="body"{own}'
    ).decode()
    text = text.replace("<S:Header>", "<S:Header >").replace(f'wsu:Id="H"{own}', 'wsu:Id="H"')
    if place == "<S:Envelope ":
        text = text.replace(f'wsu:Id="body"{own}', 'wsu:Id="body"')
    guard.accepted(text.replace(place, f"{place}{own} ").encode())
    envelope = etree.fromstring(guard.handed)
    for element in (envelope[0][0], envelope[1]):
        assert element.get(f"{{{XML}}}lang") == "de"
        assert element.get(f"{{{XML}}}space") == "preserve"


def test_an_inherited_language_that_was_changed_is_refused(guarded: Guarding) -> None:
    guard = guarded(algorithms={"canonicalization": ["c14n", "exc-c14n"]})
    sent = inclusively("c14n", 'xml:lang="de"', ' xml:lang="de"').decode()
    assert guard.refusal(bent(sent, ('xml:lang="de"', 'xml:lang="fr"'))) == "signature.digest"


def test_a_base_that_would_have_to_be_joined_is_refused(guarded: Guarding) -> None:
    """Canonical XML 1.1 §2.4; nobody uses it."""
    guard = guarded(algorithms={"canonicalization": ["c14n11", "exc-c14n"]})
    assert guard.refusal(inclusively("c14n11", 'xml:base="http://a/"', "")) == "signature.reference"


def test_a_signed_header_block_whose_namespace_is_declared_on_the_envelope(guard: SignedGuard) -> None:
    sent = signed(
        Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#H"))),
        header='<h:H wsu:Id="H"><h:v/></h:H>',
        envelope_attributes='xmlns:h="urn:h"',
    )
    assert guard.accepted(sent).signed_parts == BOTH | {"{urn:h}H"}
    assert etree.fromstring(guard.handed).find(".//{urn:h}v") is not None


# --- KeyInfo ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"replaced": {"<ds:KeyInfo>": '<ds:KeyInfo Id="KI-1">'}}, id="KeyInfo with Id"),
        pytest.param({"key_info": x509_data(ALICE, ROOT)}, id="two certificates in X509Data"),
        pytest.param({"key_info": refers_to("X509-1").replace(">", ' wsu:Id="STR-1">', 1)}, id="a reference with Id"),
    ],
)
def test_oddities_of_key_info(guard: SignedGuard, changes: dict[str, str]) -> None:
    assert guard.accepted(signed(Signing.by(ALICE, **changes))).certificate == ALICE.der


def test_a_certificate_without_encoding_type(guard: SignedGuard) -> None:
    sent = honest()
    start = sent.index("EncodingType=")
    end = sent.index(" ValueType")
    assert guard.accepted((sent[:start] + sent[end + 1 :]).encode()).signed_parts == BOTH


def test_a_certificate_that_nobody_refers_to(guard: SignedGuard) -> None:
    unused = binary_token(ALICE.certificate, id="X509-2")
    assert guard.accepted(bent(honest(), (SECURITY, SECURITY + unused))).signed_parts == BOTH


def test_a_user_beside_it(guard: SignedGuard) -> None:
    assert guard.accepted(signed(Signing.by(ALICE), token=Token())).signed_parts >= BOTH


def test_a_signature_and_nothing_else_that_the_guard_wants(guarded: Guarding) -> None:
    guard = guarded(timestamp={"use": "optional"}, signature={"required_parts": ["Body"]})
    sent = sign(unsigned(TOKEN, "@SIG-1@"), Signing.by(ALICE, parts=(BODY,)))
    assert guard.accepted(sent).signed_parts == {"Body"}
