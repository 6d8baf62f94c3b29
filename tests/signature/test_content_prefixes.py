"""Prefixes in content: exclusive canonicalization does not sign what ``xs`` in ``xsi:type="xs:decimal"`` is bound to.

So whoever carries a message can bind such a prefix anew, with every digest as it was; the hand-off would mean something
else. It is refused unless it is bound to a namespace that is expected, or its binding is signed.
"""

import pytest
from lxml import etree

from tests.messages import SOAP11, SOAP12
from tests.signature.signatures import ALICE, BOB, BOTH, Guarding, SignedGuard, bent, both_sign, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
E11 = "http://schemas.xmlsoap.org/soap/encoding/"
E12 = "http://www.w3.org/2003/05/soap-encoding"
DECLARED = f'xmlns:xsi="{XSI}" xmlns:E="{E11}" xmlns:F="{E12}" '


def typed(attribute: str, declarations: str = "") -> str:
    """A Body whose ``e:text`` has this attribute."""
    return f'<e:Echo xmlns:e="urn:echo"><e:text {declarations} {attribute}>1</e:text></e:Echo>'


def sent(attribute: str, envelope: str = "", part: Part = BODY) -> bytes:
    """Signed by Alice."""
    signing = Signing.by(ALICE, parts=(part, TIMESTAMP))
    return signed(signing, body=typed(attribute), envelope_attributes=DECLARED + envelope)


# --- Taken ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "envelope"),
    [
        pytest.param('xsi:type="xs:decimal"', f'xmlns:xs="{XSD}"', id="XML Schema"),
        pytest.param('xsi:type=" xs:decimal&#10;"', f'xmlns:xs="{XSD}"', id="white space around it"),
        pytest.param('xsi:type="decimal"', f'xmlns="{XSD}"', id="XML Schema as default namespace"),
        pytest.param('xsi:type="e:Text"', "", id="the namespace of the operation"),
        pytest.param('xsi:type="t:Text"', 'xmlns:t="urn:echo"', id="the same by another prefix"),
        pytest.param('xsi:type="E:string"', "", id="the encoding of SOAP 1.1"),
        pytest.param('xsi:type="F:string"', "", id="the encoding of SOAP 1.2"),
        pytest.param('xsi:type="Text"', "", id="no prefix and no default namespace"),
        pytest.param('E:arrayType="xs:int[2]"', f'xmlns:xs="{XSD}"', id="arrayType"),
        pytest.param('E:arrayType="xs:int[,][2]"', f'xmlns:xs="{XSD}"', id="arrayType of arrays"),
        pytest.param('F:itemType="xs:int"', f'xmlns:xs="{XSD}"', id="itemType"),
        pytest.param('xsi:nil="true"', "", id="another attribute of XML Schema"),
        pytest.param('type="x:y"', "", id="type without namespace"),
    ],
)
def test_a_type_in_an_expected_namespace(guard: SignedGuard, attribute: str, envelope: str) -> None:
    assert guard.accepted(sent(attribute, envelope)).signed_parts == BOTH


def test_the_binding_is_still_there_after_the_hand_off(guard: SignedGuard) -> None:
    """It is bound on the Envelope, and the application reads the value there."""
    guard.accepted(sent('xsi:type="xs:decimal"', f'xmlns:xs="{XSD}"'))
    text = etree.fromstring(guard.handed).find(".//{urn:echo}text")
    assert text is not None
    assert text.nsmap["xs"] == XSD


def test_a_type_in_a_namespace_of_the_configuration(guarded: Guarding) -> None:
    message = sent('xsi:type="x:Text"', 'xmlns:x="urn:types"')
    assert guarded().refusal(message) == "signature.coverage"
    assert guarded(handoff={"namespaces": ["urn:types"]}).accepted(message).signed_parts == BOTH


@pytest.mark.parametrize("name", ["*", "Text"])
def test_a_type_in_a_namespace_of_another_service(guarded: Guarding, name: str) -> None:
    message = sent('xsi:type="x:Text"', 'xmlns:x="urn:types"')
    assert guarded().refusal(message) == "signature.coverage"
    services = {"Types": {"operations": [f"{{urn:types}}{name}"]}}
    assert guarded(services=services).accepted(message).signed_parts == BOTH


@pytest.mark.parametrize(
    ("attribute", "envelope", "prefixes"),
    [
        pytest.param('xsi:type="x:Text"', 'xmlns:x="urn:types"', "x", id="a prefix"),
        pytest.param('xsi:type="Text"', 'xmlns="urn:types"', "#default", id="the default namespace"),
        pytest.param('E:arrayType="x:Text[1]"', 'xmlns:x="urn:types"', "E x xsi", id="arrayType"),
    ],
)
def test_a_type_whose_prefix_is_in_a_signed_prefix_list(
    guard: SignedGuard, attribute: str, envelope: str, prefixes: str
) -> None:
    message = sent(attribute, envelope, Part("#body", prefixes=prefixes))
    assert guard.accepted(message).signed_parts == BOTH
    assert guard.refusal(bent(message.decode(), ("urn:types", "urn:evil"))) == "signature.digest"


def test_what_a_further_signature_says_of_prefixes_adds_nothing(guard: SignedGuard) -> None:
    alice = Signing.by(ALICE, parts=(Part("#body", prefixes="o"), TIMESTAMP))
    body, declared = typed('xsi:type="o:T"'), f'{DECLARED} xmlns:o="urn:other"'
    guard.accepted(both_sign(alice, Signing.by(BOB), body=body, envelope_attributes=declared))


def test_inclusive_canonicalization_signs_every_binding(guarded: Guarding) -> None:
    guard = guarded(algorithms={"canonicalization": ["exc-c14n", "c14n"]})
    message = sent('xsi:type="x:Text"', 'xmlns:x="urn:types"', Part("#body", c14n="c14n"))
    assert guard.accepted(message).signed_parts == BOTH
    assert guard.refusal(bent(message.decode(), ("urn:types", "urn:evil"))) == "signature.digest"


# --- Refused ----------------------------------------------------------------------------------------------------------

HONEST = sent('xsi:type="xs:decimal"', f'xmlns:xs="{XSD}"').decode()
"""As Alice sent it."""


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((f'xmlns:xs="{XSD}"', 'xmlns:xs="urn:evil"'), id="on the Envelope"),
        pytest.param((f'xmlns:xs="{XSD}"', ""), id="nowhere"),
        pytest.param(("<S:Body ", '<S:Body xmlns:xs="urn:evil" '), id="on the Body"),
        pytest.param(("<e:Echo ", '<e:Echo xmlns:xs="urn:evil" '), id="on the operation"),
        pytest.param(("<e:text ", '<e:text xmlns:xs="urn:evil" '), id="on the very element"),
    ],
)
def test_a_prefix_that_was_bound_anew(guard: SignedGuard, change: tuple[str, str]) -> None:
    """The digest is the same: nothing but this check stands against it."""
    assert guard.refusal(bent(HONEST, change)) == "signature.coverage"


def test_a_prefix_that_was_bound_anew_does_not_burn_the_honest_message(guard: SignedGuard) -> None:
    """Whoever reads a message and is faster could keep it from ever being taken."""
    rebound = bent(HONEST, (f'xmlns:xs="{XSD}"', 'xmlns:xs="urn:evil"'))
    assert guard.refusal(rebound) == "signature.coverage"
    assert guard.refusal(rebound) == "signature.coverage", "not replay.signature: nothing was remembered"
    guard.accepted(HONEST.encode())


@pytest.mark.parametrize(
    ("attribute", "envelope"),
    [
        pytest.param('xsi:type="x:Text"', 'xmlns:x="urn:evil"', id="xsi type"),
        pytest.param('xsi:type=" x:Text"', 'xmlns:x="urn:evil"', id="white space before it"),
        pytest.param('xsi:type="Text"', 'xmlns="urn:evil"', id="the default namespace"),
        pytest.param('xsi:type="x:Text"', "", id="an undeclared prefix"),
        pytest.param('xsi:type="XS:int"', f'xmlns:xs="{XSD}"', id="a prefix in another case"),
        pytest.param('E:arrayType="x:Text[2]"', 'xmlns:x="urn:evil"', id="arrayType"),
        pytest.param('F:itemType="x:Text"', 'xmlns:x="urn:evil"', id="itemType"),
        pytest.param('xsi:type="xs:int" E:arrayType="x:T[1]"', f'xmlns:xs="{XSD}" xmlns:x="urn:evil"', id="the second"),
        pytest.param('xsi:type="Text" E:arrayType="x:T[1]"', 'xmlns:x="urn:evil"', id="behind one without prefix"),
        pytest.param('xsi:type="x:Text"', f'xmlns:x="{XSD}/"', id="nearly XML Schema"),
        pytest.param('xsi:type="x:Text"', 'xmlns:x="urn:echo2"', id="nearly the operation"),
        pytest.param('xsi:type="a:b:c"', 'xmlns:a="urn:echo"', id="two colons"),
        pytest.param('xsi:type=":c"', 'xmlns="urn:evil"', id="an empty prefix"),
    ],
)
def test_a_type_in_a_namespace_that_nobody_expects(guard: SignedGuard, attribute: str, envelope: str) -> None:
    assert guard.refusal(sent(attribute, envelope)) == "signature.coverage"


@pytest.mark.parametrize(
    "prefixes",
    [
        pytest.param("y", id="another prefix"),
        pytest.param("#default", id="the default namespace"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_prefix_list_without_the_prefix_does_not_sign_it(guard: SignedGuard, prefixes: str) -> None:
    message = sent('xsi:type="x:Text"', 'xmlns:x="urn:types"', Part("#body", prefixes=prefixes))
    assert guard.refusal(message) == "signature.coverage"


def test_a_prefix_list_of_signed_info_or_of_another_part_does_not_sign_it(guard: SignedGuard) -> None:
    signing = Signing.by(ALICE, parts=(BODY, Part("#TS-1", prefixes="x")), prefixes="x")
    message = signed(signing, body=typed('xsi:type="x:Text"'), envelope_attributes=f'{DECLARED}xmlns:x="urn:types"')
    assert guard.refusal(message) == "signature.coverage"


@pytest.mark.parametrize(
    ("namespace", "check"),
    [pytest.param(XSD, "", id="expected"), pytest.param("urn:evil", "signature.coverage", id="not")],
)
def test_signed_header_blocks_are_looked_at_too(guard: SignedGuard, namespace: str, check: str) -> None:
    header = '<h:H xmlns:h="urn:h" wsu:Id="H" xsi:type="x:int">1</h:H>'
    signing = Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#H")))
    message = signed(signing, header=header, envelope_attributes=f'{DECLARED}xmlns:x="{namespace}"')
    assert guard.post(message).check == check
    assert len(guard.echo.handed) == (not check)


def test_unsigned_header_blocks_are_dropped_and_not_looked_at(guard: SignedGuard) -> None:
    header = f'<h:H xmlns:h="urn:h" xmlns:xsi="{XSI}" xsi:type="x:int">1</h:H>'
    guard.accepted(honest(header=header).encode())
    assert b"urn:h" not in guard.handed


def test_a_type_of_the_body_itself(guard: SignedGuard) -> None:
    attributes = f'wsu:Id="body" xmlns:xsi="{XSI}" xmlns:x="urn:evil" xsi:type="x:Body"'
    assert guard.refusal(honest(body_attributes=attributes).encode()) == "signature.coverage"


@pytest.mark.parametrize("soap", [pytest.param(SOAP11, id="SOAP 1.1"), pytest.param(SOAP12, id="SOAP 1.2")])
def test_a_type_deep_in_the_body(guard: SignedGuard, soap: str) -> None:
    deep = "<e:a>" * 40 + f'<e:b xmlns:xsi="{XSI}" xmlns:x="urn:evil" xsi:type="x:T"/>' + "</e:a>" * 40
    message = honest(body=f'<e:Echo xmlns:e="urn:echo">{deep}</e:Echo>', soap=soap)
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    assert guard.refusal(message.encode(), CONTENT_TYPE=f"{kind}; charset=utf-8") == "signature.coverage"
