"""ds:Transforms and PrefixList: one canonicalization, perhaps behind enveloped-signature, or STR-Transform."""

import pytest
from lxml import etree

from tests.messages import DS
from tests.signature.signatures import ALICE, BOTH, Guarding, SignedGuard
from tests.signing import (
    BODY,
    C14N,
    ENVELOPED,
    EXC_C14N,
    STR_TRANSFORM,
    TIMESTAMP,
    Part,
    Signing,
    algorithm,
    canonical,
    inclusive,
    signed,
)

EXCLUSIVE = algorithm("Transform", EXC_C14N)
METHOD = algorithm("CanonicalizationMethod", EXC_C14N)
PARAMETERS = f"<wsse:TransformationParameters>{METHOD}</wsse:TransformationParameters>"
STR = algorithm("Transform", STR_TRANSFORM, PARAMETERS)
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
FILTER_2 = "http://www.w3.org/2002/06/xmldsig-filter2"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
DECRYPT = "http://www.w3.org/2002/07/decrypt#XML"
ATTACHMENT = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform"
STYLESHEET = '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'


def listed(old: str, new: str) -> str:
    """A canonicalization with a PrefixList in which ``old`` is replaced."""
    return algorithm("Transform", EXC_C14N, inclusive("S").replace(old, new))


def transformed(*transforms: str, target: str = "#body", octets: bytes | None = None, **changes: object) -> bytes:
    """Signed by Alice, with these transforms of the Body."""
    part = Part(target, transforms=f"<ds:Transforms>{''.join(transforms)}</ds:Transforms>", octets=octets)
    return signed(Signing.by(ALICE, parts=(part, TIMESTAMP), **changes))


# --- Which transforms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "transforms",
    [
        pytest.param((EXCLUSIVE,), id="a canonicalization"),
        pytest.param((algorithm("Transform", ENVELOPED), EXCLUSIVE), id="enveloped-signature and a canonicalization"),
    ],
)
def test_what_honest_clients_do_is_taken(guard: SignedGuard, transforms: tuple[str, ...]) -> None:
    assert guard.accepted(transformed(*transforms)).signed_parts == BOTH


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(algorithm("Transform", XPATH, "<ds:XPath>false()</ds:XPath>"), id="XPath"),
        pytest.param(
            algorithm("Transform", FILTER_2, f'<f:XPath xmlns:f="{FILTER_2}" Filter="subtract">/</f:XPath>'),
            id="XPath filter 2",
        ),
        pytest.param(algorithm("Transform", XSLT, STYLESHEET), id="XSLT"),
        pytest.param(algorithm("Transform", f"{DS}base64"), id="base64"),
        pytest.param(algorithm("Transform", DECRYPT), id="decryption"),
        pytest.param(algorithm("Transform", ATTACHMENT), id="attachments"),
        pytest.param(algorithm("Transform", "urn:unknown"), id="unknown"),
        pytest.param(algorithm("Transform", ""), id="none"),
        pytest.param("<ds:Transform/>", id="no attribute"),
        pytest.param(algorithm("Transform", EXC_C14N + " "), id="white space behind it"),
        pytest.param(algorithm("Transform", EXC_C14N.upper()), id="another case"),
    ],
)
@pytest.mark.parametrize("place", [pytest.param("alone", id="alone"), pytest.param("after", id="after enveloped")])
def test_a_transform_that_could_hide_something_or_run_is_refused(
    guard: SignedGuard, transform: str, place: str
) -> None:
    """Whatever it would yield: nothing of it is computed."""
    before = (algorithm("Transform", ENVELOPED),) if place == "after" else ()
    assert guard.refusal(transformed(*before, transform)) == "signature.algorithm"


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(algorithm("Transform", XPATH, "<ds:XPath>true()</ds:XPath>"), id="XPath"),
        pytest.param(algorithm("Transform", XSLT, STYLESHEET), id="XSLT"),
        pytest.param(EXCLUSIVE, id="a canonicalization"),
    ],
)
def test_nothing_else_stands_before_the_canonicalization(guard: SignedGuard, transform: str) -> None:
    assert guard.refusal(transformed(transform, EXCLUSIVE)) == "signature.malformed"


@pytest.mark.parametrize(
    "transforms",
    [
        pytest.param((), id="none in ds:Transforms"),
        pytest.param((algorithm("Transform", ENVELOPED), EXCLUSIVE, EXCLUSIVE), id="three"),
        pytest.param((EXCLUSIVE, algorithm("Transform", ENVELOPED)), id="enveloped-signature last"),
        pytest.param((algorithm("Transform", ENVELOPED, "<ds:XPath>1</ds:XPath>"), EXCLUSIVE), id="with content"),
        pytest.param((algorithm("Transform", ENVELOPED), "text", EXCLUSIVE), id="text between them"),
        pytest.param(("<ds:XPath>true()</ds:XPath>",), id="no Transform"),
        pytest.param((EXCLUSIVE.replace("Algorithm", 'Id="x" Algorithm'),), id="an unknown attribute"),
        pytest.param((algorithm("Transform", EXC_C14N, "<ds:XPath>true()</ds:XPath>"),), id="content of another"),
        pytest.param((algorithm("Transform", EXC_C14N, inclusive("") * 2),), id="two PrefixLists"),
        pytest.param((listed("/>", "><S:x/></ec:InclusiveNamespaces>"),), id="something in InclusiveNamespaces"),
        pytest.param((listed("PrefixList", "prefixList"),), id="an unknown attribute of InclusiveNamespaces"),
        pytest.param((listed(EXC_C14N, "urn:other"),), id="InclusiveNamespaces of another namespace"),
    ],
)
def test_transforms_of_another_shape_are_refused(guard: SignedGuard, transforms: tuple[str, ...]) -> None:
    assert guard.refusal(transformed(*transforms)) == "signature.malformed"


@pytest.mark.parametrize(
    "transforms",
    [
        pytest.param("", id="no Transforms at all"),
        pytest.param(f"<ds:Transforms>{algorithm('Transform', ENVELOPED)}</ds:Transforms>", id="enveloped only"),
    ],
)
def test_without_canonicalization_it_is_the_inclusive_one_and_must_be_allowed(
    guarded: Guarding, transforms: str
) -> None:
    """XML Signature §4.4.3.2."""
    parts = (Part("#body", transforms=transforms, c14n="c14n"), TIMESTAMP)
    sent = signed(Signing.by(ALICE, parts=parts))
    assert guarded().refusal(sent) == "signature.algorithm"
    assert guarded(algorithms={"canonicalization": ["exc-c14n", "c14n"]}).accepted(sent).signed_parts == BOTH


def test_an_inclusive_canonicalization_has_no_prefix_list(guarded: Guarding) -> None:
    guard = guarded(algorithms={"canonicalization": ["exc-c14n", "c14n"]})
    assert guard.refusal(transformed(algorithm("Transform", C14N["c14n"], inclusive("S")))) == "signature.malformed"


# --- STR-Transform ----------------------------------------------------------------------------------------------------

REFERENCE = '<wsse:SecurityTokenReference wsu:Id="STR-1"><wsse:Reference URI="#X509-1"/></wsse:SecurityTokenReference>'


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(algorithm("Transform", STR_TRANSFORM), id="without parameters"),
        pytest.param(algorithm("Transform", STR_TRANSFORM, PARAMETERS * 2), id="with parameters twice"),
        pytest.param(STR.replace(PARAMETERS, "<wsse:TransformationParameters/>"), id="with empty parameters"),
        pytest.param(STR.replace(PARAMETERS, METHOD), id="without the element"),
        pytest.param(STR.replace("Parameters>", 'Parameters Id="x">', 1), id="with an attribute of the parameters"),
        pytest.param(
            STR.replace(PARAMETERS, PARAMETERS.replace(METHOD, METHOD * 2)),
            id="with two methods",
        ),
        pytest.param(STR + EXCLUSIVE, id="before another transform"),
        pytest.param(STR + STR, id="twice"),
    ],
)
def test_an_str_transform_of_another_shape_is_refused(guard: SignedGuard, transform: str) -> None:
    assert guard.refusal(transformed(transform, target="#STR-1", key_info=REFERENCE)) == "signature.malformed"


@pytest.mark.parametrize(
    ("transforms", "check"),
    [
        pytest.param((EXCLUSIVE, STR), "signature.malformed", id="behind a canonicalization"),
        pytest.param((algorithm("Transform", ENVELOPED), STR), "signature.algorithm", id="behind enveloped-signature"),
        pytest.param((STR.replace(EXC_C14N, "urn:unknown"),), "signature.algorithm", id="with an unknown method"),
        pytest.param((STR.replace(EXC_C14N, C14N["c14n"]),), "signature.algorithm", id="with one not listed"),
    ],
)
def test_an_str_transform_stands_alone_and_with_a_listed_method(
    guard: SignedGuard, transforms: tuple[str, ...], check: str
) -> None:
    assert guard.refusal(transformed(*transforms, target="#STR-1", key_info=REFERENCE)) == check


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("#body", id="the Body"),
        pytest.param("#TS-1", id="the Timestamp"),
        pytest.param("#X509-1", id="the token itself"),
    ],
)
def test_an_str_transform_is_for_references_to_tokens(guard: SignedGuard, target: str) -> None:
    """So nobody can make it yield something else than the element that is covered."""
    part = Part(target, transforms=f"<ds:Transforms>{STR}</ds:Transforms>")
    assert guard.refusal(signed(Signing.by(ALICE, parts=(part,)))) == "signature.reference"


def test_a_timestamp_that_an_str_transform_yields_is_not_covered(guard: SignedGuard) -> None:
    """What was digested has a default namespace, which the Timestamp has not."""
    (stamp,) = etree.fromstring(signed(Signing.by(ALICE))).iter("{*}Timestamp")
    octets = canonical(stamp).replace(b"<wsu:Timestamp ", b'<wsu:Timestamp xmlns="" ')
    body = f'<e:Echo xmlns:e="urn:echo">{REFERENCE.replace("X509-1", "TS-1")}</e:Echo>'
    part = Part("#STR-1", transforms=f"<ds:Transforms>{STR}</ds:Transforms>", octets=octets)
    assert guard.refusal(signed(Signing.by(ALICE, parts=(BODY, part)), body=body)) == "signature.coverage"
