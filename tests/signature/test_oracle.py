"""libxmlsec as an oracle: what it signs we accept, what it refuses we refuse; and it accepts what our tests sign.

It shares libxml2's canonicalization with lxml; WSS4J, which shares nothing, is asked in ``tests/interop``.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import xmlsec
import zeep.wsse.signature
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.messages import PAYLOAD, SOAP12, timestamp
from tests.pki import Issued, ec_key
from tests.signature.mutations import PLANS, PREFIXES, Document, Forgetful, Plan, changed, documents
from tests.signature.signatures import ALICE, BOB, ROOT, Guarding, SignedGuard, rsa_client
from tests.signing import C14N, DIGESTS, METHODS, Part, Signing, canonical, signed, unsigned
from wsguard.names import XML, XML_ID

XMLSEC_METHODS: Final = sorted(name for name in METHODS if name.startswith(("rsa-sha", "ecdsa-sha")))
LISTS: Final = st.lists(st.sampled_from((*PREFIXES[1:], "#default", "S", "e", "nobody")), max_size=4).map(" ".join)


@pytest.fixture(scope="module")
def liberal(guarded: Guarding) -> SignedGuard:
    """Takes every algorithm, and the same message again and again."""
    every: dict[str, Any] = {"signature": XMLSEC_METHODS, "digest": [*DIGESTS][1:], "canonicalization": [*C14N]}
    return guarded(replay_store=Forgetful(), algorithms=every)


@cache
def signers() -> dict[str, tuple[Issued, ...]]:
    """Kind of method -> keys of every size that fits."""
    others = [ROOT.leaf("Eve", key=ec_key(curve)) for curve in (ec.SECP384R1(), ec.SECP521R1())]
    return {"rsa": (rsa_client(),), "ecdsa": (ALICE, *others)}


# --- The oracle -------------------------------------------------------------------------------------------------------


def _context(root: etree._Element, key: xmlsec.Key) -> xmlsec.SignatureContext:
    xmlsec.tree.add_ids(root, ["Id", "ID", "id"])
    context = xmlsec.SignatureContext()
    context.key = key
    return context


def signed_by_xmlsec(octets: bytes, signer: Issued) -> bytes:
    """The message with every digest and the value made anew, by libxmlsec from beginning to end."""
    root = etree.fromstring(re.sub(rb"(<ds:(DigestValue|SignatureValue)>)[^<]+", rb"\1", octets))
    (signature,) = root.iter("{*}Signature")
    _context(root, xmlsec.Key.from_memory(signer.key_pem, xmlsec.constants.KeyDataFormatPem)).sign(signature)
    return etree.tostring(root, encoding="utf-8")


def xmlsec_verifies(octets: bytes, signer: Issued) -> bool:
    """Whether libxmlsec finds every signature in Security headers right."""
    root = etree.fromstring(octets)
    found = root.findall("*/{*}Security/{*}Signature")
    key = xmlsec.Key.from_memory(signer.pem, xmlsec.constants.KeyDataFormatCertPem)
    try:
        for signature in found:
            _context(root, key).verify(signature)
    except xmlsec.Error:
        return False
    return bool(found)


# --- Both ways --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How a document is signed."""

    signer: Issued
    signing: Signing
    document: Document

    @property
    def octets(self) -> bytes:
        """The message, signed by libxmlsec."""
        return signed_by_xmlsec(signed(self.signing, **self.document.envelope()), self.signer)


@st.composite
def ways(draw: st.DrawFn) -> Way:
    """Every algorithm that libxmlsec knows, over every kind of document."""

    def prefixes(c14n: str) -> str | None:
        return draw(st.none() | LISTS) if c14n.startswith("exc-") else None

    def part(uri: str) -> Part:
        c14n = draw(st.sampled_from(sorted(C14N)))
        return Part(uri, c14n=c14n, prefixes=prefixes(c14n), digest=draw(st.sampled_from([*DIGESTS][1:])))

    method = draw(st.sampled_from(XMLSEC_METHODS))
    signer = draw(st.sampled_from(signers()[method.partition("-")[0]]))
    c14n = draw(st.sampled_from(sorted(C14N)))
    parts = tuple(part(uri) for uri in ("#body", "#TS-1", "#block"))
    signing = Signing.by(signer, method=method, parts=parts, c14n=c14n, prefixes=prefixes(c14n))
    return Way(signer, signing, draw(documents()))


def body(octets: bytes) -> bytes:
    """Its canonical form."""
    return canonical(etree.fromstring(octets, etree.XMLParser(remove_comments=True))[-1])


@settings(max_examples=150, deadline=None)
@given(ways())
def test_what_libxmlsec_signs_is_accepted(liberal: SignedGuard, way: Way) -> None:
    octets = way.octets
    liberal.accepted(octets)
    assert body(liberal.handed) == body(with_inherited(octets, way.signing.parts[0]))


def with_inherited(octets: bytes, part: Part) -> bytes:
    """With the ``xml:`` attributes on the Body that were signed with it."""
    root = etree.fromstring(octets)
    for name, value in () if part.c14n.startswith("exc-") else root.attrib.items():
        if str(name).startswith(f"{{{XML}}}") and name != XML_ID and root[-1].get(name) is None:
            root[-1].set(name, value)
    return etree.tostring(root, encoding="utf-8")


def exclusively(signing: Signing) -> Signing:
    """Without inclusive canonicalization: lxml's, and so that of ``tests.signing``, is wrong for parts."""
    parts = tuple(part if part.c14n.startswith("exc-") else replace(part, c14n="exc-c14n") for part in signing.parts)
    return replace(signing, parts=parts, c14n=signing.c14n if signing.c14n.startswith("exc-") else "exc-c14n")


@settings(max_examples=100, deadline=None)
@given(ways())
def test_what_our_tests_sign_libxmlsec_verifies(way: Way) -> None:
    assert xmlsec_verifies(signed(exclusively(way.signing), **way.document.envelope()), way.signer)


@settings(max_examples=250, deadline=None)
@given(ways(), PLANS)
def test_what_libxmlsec_refuses_after_a_change_is_refused(liberal: SignedGuard, way: Way, plan: Plan) -> None:
    octets = changed(way.octets, plan)
    assert liberal.post(octets).check or xmlsec_verifies(octets, way.signer)


@settings(max_examples=150, deadline=None)
@given(ways(), st.integers(0, 20_000), st.integers(0, 255))
def test_what_libxmlsec_refuses_after_one_byte_is_refused(
    liberal: SignedGuard, way: Way, place: int, byte: int
) -> None:
    octets = way.octets
    octets = octets[: (at := place % len(octets))] + bytes([byte]) + octets[at + 1 :]
    assert liberal.post(octets).check or xmlsec_verifies(octets, way.signer)


def test_the_oracle_refuses_the_key_of_another() -> None:
    assert not xmlsec_verifies(signed(Signing.by(ALICE)), BOB)
    assert not xmlsec_verifies(unsigned(timestamp()).encode(), ALICE)


# --- What is special --------------------------------------------------------------------------------------------------

NESTED: Final = "".join(f'<a:x xmlns:a="urn:{i % 3}" xmlns:b{i}="urn:b">' for i in range(55)) + "</a:x>" * 55
MEGABYTE: Final = "".join(f'<e:text n="{i}">{"é" * 20}\n</e:text>' for i in range(15_000))


DEFAULT: Final = '<Echo><x a=""><y><z/></y></x></Echo>'


def special(c14n: str = "exc-c14n", prefixes: str | None = None, **envelope: Any) -> bytes:
    """Signed by libxmlsec."""
    parts = (Part("#body", c14n=c14n, prefixes=prefixes), Part("#TS-1"))
    return signed_by_xmlsec(signed(Signing.by(ALICE, parts=parts), **envelope), ALICE)


def echo(content: str) -> str:
    return f'<e:Echo xmlns:e="urn:echo">{content}</e:Echo>'


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(special("c14n", envelope_attributes='xml:lang="en" xml:space="preserve"'), id="inherited xml:*"),
        pytest.param(special("c14n", envelope_attributes='xml:base="http://x/a"'), id="inherited xml:base"),
        pytest.param(special("c14n11", envelope_attributes='xml:lang="en"'), id="inherited xml:lang, 1.1"),
        pytest.param(special("c14n11", envelope_attributes='xml:id="top"'), id="xml:id is not inherited, 1.1"),
        pytest.param(special("c14n", envelope_attributes='xml:id="top"'), id="xml:id is inherited, 1.0"),
        pytest.param(
            special("c14n", envelope_attributes='xml:lang="en"', body_attributes='wsu:Id="body" xml:lang="de"'),
            id="its own xml:lang",
        ),
        pytest.param(special("c14n", envelope_attributes='xmlns="urn:echo"', body=DEFAULT), id="default namespace"),
        pytest.param(special(prefixes="#default", envelope_attributes='xmlns="urn:d"'), id="#default"),
        pytest.param(special(prefixes="#default S", body=echo('<x xmlns="urn:d"><y xmlns=""/></x>')), id="undeclared"),
        pytest.param(special(body=echo(NESTED)), id="deep namespaces"),
        pytest.param(special("c14n", body=echo(NESTED)), id="deep namespaces, inclusive"),
        pytest.param(special(prefixes="a b7 b54 #default", body=echo(NESTED)), id="deep namespaces, in a PrefixList"),
        pytest.param(special(body=echo(MEGABYTE)), id="a megabyte"),
        pytest.param(special(soap=SOAP12), id="SOAP 1.2"),
    ],
)
def test_what_is_special_is_accepted_as_libxmlsec_signs_it(liberal: SignedGuard, octets: bytes) -> None:
    assert xmlsec_verifies(octets, ALICE)
    liberal.accepted(octets)


@pytest.mark.parametrize("where", ["envelope_attributes", "body_attributes"])
def test_an_element_cannot_be_moved_into_a_default_namespace_from_above(liberal: SignedGuard, where: str) -> None:
    body, attributes = '<Echo><x xmlns="">1</x></Echo>', {"body_attributes": 'wsu:Id="body"'}
    octets = special("c14n", body=body, **{**attributes, where: f'{attributes.get(where, "")} xmlns="urn:echo"'})
    liberal.accepted(octets)
    assert liberal.refusal(octets.replace(b'<x xmlns="">', b"<x>")) == "signature.digest"


@pytest.mark.parametrize("c14n", sorted(C14N))
def test_a_relative_namespace_name_has_no_canonical_form(liberal: SignedGuard, c14n: str) -> None:
    parts = (Part("#body", c14n=c14n, octets=b"any"), Part("#TS-1"))
    octets = signed(Signing.by(ALICE, parts=parts), body=echo('<r:x xmlns:r="relative"/>'))
    assert liberal.refusal(octets) == "signature.reference"


def test_an_inherited_base_that_canonical_xml_1_1_would_join_is_refused(liberal: SignedGuard) -> None:
    assert liberal.refusal(special("c14n11", envelope_attributes='xml:base="http://x/a"')) == "signature.reference"


# --- Others that sign -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_rsa_pss_as_cryptography_signs_it(guarded: Guarding, bits: int) -> None:
    guarded().accepted(signed(Signing.by(rsa_client(), method=f"rsa-pss-sha{bits}")))


@pytest.mark.parametrize("plugin", ["BinarySignature", "Signature", "MemorySignature"])
def test_zeep_signs(guarded: Guarding, tmp_path: Path, plugin: str) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_bytes(rsa_client().key_pem)
    certificate.write_bytes(rsa_client().pem)
    given_files: tuple[Any, Any] = (str(key), str(certificate))
    if plugin == "MemorySignature":
        given_files = (key.read_bytes(), certificate.read_bytes())
    wsse = getattr(zeep.wsse.signature, plugin)(
        *given_files,
        signature_method=xmlsec.constants.TransformRsaSha256,
        digest_method=xmlsec.constants.TransformSha256,
    )
    plain = unsigned(timestamp().replace(' wsu:Id="TS-1"', ""), body_attributes="")
    envelope, _ = wsse.apply(etree.fromstring(plain), {})
    guard = guarded()
    message = guard.accepted(etree.tostring(envelope))
    assert (message.principal and message.principal.name) == "CN=Rosa"
    assert message.signed_parts == {"Body", "Timestamp"}
    assert PAYLOAD.encode() in guard.handed
