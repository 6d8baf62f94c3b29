"""Whatever is secured, and however: what arrives is what was sent, and libxmlsec agrees."""

from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.messages import SOAP11, SOAP12, WSU
from tests.securing.receiving import (
    ALICE,
    CREDENTIALS,
    ELLEN,
    IDENTIFIERS,
    LIFETIME,
    SERVER,
    received,
    secured,
    signing,
)
from tests.signature.mutations import Document, documents, seen, types
from tests.signature.test_oracle import xmlsec_verifies
from wsguard.names import DIGEST_ALGORITHMS, DS, ENCRYPTION_ALGORITHMS
from wsguard.securing.plan import KEY_TRANSPORTS

BLOCK: Final = "{urn:h}Block"


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """Every plan that can be carried out."""
    lifetime = draw(st.sampled_from([LIFETIME, LIFETIME, None]))
    signs, encrypts = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    first = draw(st.booleans())
    user, identifier = draw(st.booleans()), draw(st.sampled_from(IDENTIFIERS))
    signable = ["Body", BLOCK, *["Timestamp"] * (lifetime is not None), *["UsernameToken"] * user]
    signable += ["BinarySecurityToken"] * (identifier == "DirectReference")
    encryptable = ["Body", BLOCK, *["UsernameToken"] * user, *["Signature"] * (signs and first)]
    signer = draw(st.sampled_from([ALICE, ELLEN]))
    return {
        "timestamp": lifetime,
        "username": CREDENTIALS if user else None,
        "signature_confirmations": draw(st.none() | st.lists(st.binary(max_size=4), max_size=2).map(tuple)),
        "sign": signing(signer) if signs else None,
        "signed_parts": tuple(draw(st.lists(st.sampled_from(signable), min_size=1, unique=True))),
        "digest": draw(st.sampled_from(list(DIGEST_ALGORITHMS))),
        "canonicalization": draw(st.sampled_from(["exc-c14n", "exc-c14n", "exc-c14n-with-comments", "c14n"])),
        "key_identifier": identifier,
        "encrypt_for": SERVER.certificate if encrypts else None,
        "encrypted_parts": tuple(draw(st.lists(st.sampled_from(encryptable), min_size=1, unique=True))),
        "encryption": draw(st.sampled_from(list(ENCRYPTION_ALGORITHMS))),
        "key_transport": draw(st.sampled_from(KEY_TRANSPORTS)),
        "encryption_key_identifier": draw(st.sampled_from(IDENTIFIERS)),
        "sign_before_encrypting": first,
    }


def written(document: Document, soap: str) -> bytes:
    """An envelope without a Security header."""
    return (
        f'<S:Envelope xmlns:S="{soap}" xmlns:wsu="{WSU}" xmlns:ds="{DS}" {document.envelope_attributes}>'
        f"<S:Header>{document.header}</S:Header>"
        f"<S:Body {document.body_attributes}>{document.body}</S:Body></S:Envelope>"
    ).encode()


@settings(max_examples=300, deadline=None)
@given(documents(), st.sampled_from([SOAP11, SOAP12]), plans())
def test_what_arrives_is_what_was_sent(document: Document, soap: str, plan: dict[str, Any]) -> None:
    message = written(document, soap)
    octets = secured(message, **plan)
    result = received(octets)
    original = etree.fromstring(message, etree.XMLParser(remove_comments=True))
    for element in (*original[0], original[-1]):
        element.attrib.pop(f"{{{WSU}}}Id", None)
    assert seen(result.envelope) == seen(etree.tostring(original, encoding="utf-8"))
    assert types(result.tree.root[-1]) == types(original[-1])
    names = {name.rpartition("}")[2] for name in plan["signed_parts"]}
    assert plan["sign"] is None or {name for name in result.signed_names if "Confirmation" not in name} == names
    assert len(result.opened) == (0 if plan["encrypt_for"] is None else len(plan["encrypted_parts"]))


@settings(max_examples=100, deadline=None)
@given(documents(), st.sampled_from([SOAP11, SOAP12]), plans())
def test_libxmlsec_verifies_what_is_not_encrypted_after_it_was_signed(
    document: Document, soap: str, plan: dict[str, Any]
) -> None:
    encrypts = plan["encrypt_for"] is not None
    plan = {**plan, "sign": plan["sign"] or signing(ALICE), "sign_before_encrypting": not encrypts}
    plan["encrypted_parts"] = tuple(part for part in plan["encrypted_parts"] if part != "Signature") or ("Body",)
    octets = secured(written(document, soap), **plan)
    assert xmlsec_verifies(octets, ALICE if plan["sign"] == signing(ALICE) else ELLEN)
