"""From an element to octets, held against octets written by hand: what a tree may have that no message here has."""

import base64
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.message.refusing import refused
from tests.messages import WSSE
from tests.signature.signatures import ALICE, SignedGuard, honest
from tests.signing import X509_PROFILE
from wsguard.explanation import Explanation
from wsguard.faults import FailedCheck
from wsguard.signature.canonical import canonical_octets, certificate_octets, token_octets
from wsguard.signature.reading import Canonicalization
from wsguard.signature.verification import SignatureVerifier, VerifiedSignature

EXCLUSIVE, INCLUSIVE, INCLUSIVE_11 = (Canonicalization(name) for name in ("exc-c14n", "c14n", "c14n11"))
METHODS = pytest.mark.parametrize("method", [EXCLUSIVE, INCLUSIVE, INCLUSIVE_11], ids=lambda method: method.name)


def first(xml: str) -> _Element:
    """The first child of the element."""
    return etree.fromstring(xml)[0]


# --- An element -------------------------------------------------------------------------------------------------------


@METHODS
def test_comments_are_left_out_and_what_follows_the_element_too(method: Canonicalization) -> None:
    assert canonical_octets(first("<r><a>1<!-- 2 -->3</a>behind</r>"), method) == b"<a>13</a>"


@METHODS
def test_letters_beyond_ascii_are_written_in_utf_8(method: Canonicalization) -> None:
    assert canonical_octets(first('<r><a b="ü">€</a></r>'), method) == '<a b="ü">€</a>'.encode()


def test_only_an_inclusive_form_inherits_and_what_stands_on_the_element_itself_wins() -> None:
    xml = '<r xml:lang="en" xml:space="preserve"><a xml:lang="de" b=""/></r>'
    assert canonical_octets(first(xml), EXCLUSIVE) == b'<a b="" xml:lang="de"></a>'
    for method in (INCLUSIVE, INCLUSIVE_11):
        assert canonical_octets(first(xml), method) == b'<a b="" xml:lang="de" xml:space="preserve"></a>'


def test_the_nearest_ancestor_is_inherited_from() -> None:
    inner = first('<r xml:lang="en"><m xml:lang="fr"><a/></m></r>')[0]
    assert canonical_octets(inner, INCLUSIVE) == b'<a xml:lang="fr"></a>'


def test_an_xml_base_above_is_what_only_exclusive_and_older_methods_take() -> None:
    element = first('<r xml:base="urn:b" xml:id="r"><a/></r>')
    assert canonical_octets(element, EXCLUSIVE) == b"<a></a>"
    assert canonical_octets(element, INCLUSIVE) == b'<a xml:base="urn:b" xml:id="r"></a>'
    with refused("signature.reference", FailedCheck) as caught:
        canonical_octets(element, INCLUSIVE_11)
    assert (caught.value.expected, caught.value.seen) == ("a canonical form of a", "an xml:base above it")


def test_an_id_is_inherited_by_the_older_inclusive_method_only() -> None:
    element = first('<r xml:id="r" xml:lang="en"><a/></r>')
    assert canonical_octets(element, INCLUSIVE) == b'<a xml:id="r" xml:lang="en"></a>'
    assert canonical_octets(element, INCLUSIVE_11) == b'<a xml:lang="en"></a>'


@METHODS
def test_a_relative_namespace_name_has_no_form(method: Canonicalization) -> None:
    with refused("signature.reference", FailedCheck) as caught:
        canonical_octets(first('<r><n:a xmlns:n="relative"/></r>'), method)
    assert caught.value.expected == "a canonical form of {relative}a"


# --- A token, by STR-Transform ----------------------------------------------------------------------------------------


@METHODS
@pytest.mark.parametrize(
    "xml, octets",
    [
        ("<r><a/></r>", b'<a xmlns=""></a>'),
        ('<r><a b="1"/></r>', b'<a xmlns="" b="1"></a>'),
        ("<r><a><b/></a></r>", b'<a xmlns=""><b></b></a>'),
        ('<r xmlns="urn:d"><a/></r>', b'<a xmlns="urn:d"></a>'),
        ('<r><p:a xmlns:p="urn:p"/></r>', b'<p:a xmlns="" xmlns:p="urn:p"></p:a>'),
        ('<r xmlns="urn:d"><p:a xmlns:p="urn:p"/></r>', b'<p:a xmlns="urn:d" xmlns:p="urn:p"></p:a>'),
        (
            '<r><p:a xmlns:p="urn:p"><b xmlns="urn:d">x&gt;</b></p:a></r>',
            b'<p:a xmlns="" xmlns:p="urn:p"><b xmlns="urn:d">x&gt;</b></p:a>',
        ),
    ],
)
def test_the_default_namespace_of_a_token_is_always_written(method: Canonicalization, xml: str, octets: bytes) -> None:
    assert token_octets(first(xml), method) == octets


def test_a_listed_prefix_is_written_on_a_token_too() -> None:
    element = first('<r xmlns:p="urn:p" xmlns:q="urn:q"><a/></r>')
    assert token_octets(element, Canonicalization("exc-c14n", ("p",))) == b'<a xmlns="" xmlns:p="urn:p"></a>'
    assert token_octets(element, INCLUSIVE) == b'<a xmlns="" xmlns:p="urn:p" xmlns:q="urn:q"></a>'


@pytest.mark.parametrize(
    "prefix, name, namespaces",
    [
        ("wsse", "wsse:BinarySecurityToken", f'xmlns="" xmlns:wsse="{WSSE}"'),
        ("o", "o:BinarySecurityToken", f'xmlns="" xmlns:o="{WSSE}"'),
        (None, "BinarySecurityToken", f'xmlns="{WSSE}"'),
    ],
)
def test_a_certificate_outside_is_a_token_with_the_prefix_of_its_reference(
    prefix: str | None, name: str, namespaces: str
) -> None:
    value = base64.b64encode(ALICE.der).decode()
    written = f'<{name} {namespaces} ValueType="{X509_PROFILE}#X509v3">{value}</{name}>'
    assert certificate_octets(ALICE.der, prefix) == written.encode()
    assert token_octets(etree.fromstring(written), EXCLUSIVE) == written.encode(), "as it would stand in the message"


# --- Nobody -----------------------------------------------------------------------------------------------------------


class TrustsNobody:
    """Finds no signer, and does not refuse either, which it should."""

    def choose(self, *_: object) -> tuple[()]:
        return ()


def test_no_signer_at_all_is_a_refusal_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "wsguard.signature.verification"
    signature = SimpleNamespace(key_info=None, method="rsa-sha256", signed_info=None, canonicalization=None)
    monkeypatch.setattr(f"{module}.read_signature", lambda *_: signature)
    monkeypatch.setattr(f"{module}.canonical_octets", lambda *_: b"")
    monkeypatch.setattr(f"{module}.KeyInfoReader.read", lambda *_: SimpleNamespace(certificate=object()))
    verifier = SignatureVerifier(cast(Any, TrustsNobody()), {}, cast(Any, SimpleNamespace(references=30)))
    context = SimpleNamespace(security=None, ids={}, algorithms=None, demands=None, now=None, explanation=Explanation())
    with refused("signature.value", FailedCheck):
        verifier.verify(cast(Any, None), cast(Any, context), 0)


# --- What is found ----------------------------------------------------------------------------------------------------


def test_a_verified_signature_says_its_value_and_how_many_references_it_has(
    guard: SignedGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[VerifiedSignature] = []
    verify = SignatureVerifier.verify

    def noted(self: SignatureVerifier, *arguments: Any) -> VerifiedSignature:
        found.append(verify(self, *arguments))
        return found[-1]

    monkeypatch.setattr(SignatureVerifier, "verify", noted)
    sent = honest()
    guard.accepted(sent.encode())
    [signature] = found
    assert (signature.references, len(signature.covered)) == (2, 2)
    assert signature.value == base64.b64decode(sent.partition("<ds:SignatureValue>")[2].partition("<")[0])
