"""One Header at most, one Body, one operation, one Security header for us: each in its place, or a refusal."""

import pytest

from tests.message.refusing import refused
from tests.messages import OPERATION, PAYLOAD, SOAP11, SOAP12, WSSE, envelope, security
from wsguard.faults import Fault, InvalidSecurity, MessageFault, VersionMismatch
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, Envelope, read_envelope, read_outline
from wsguard.message.parse import parse
from wsguard.policy.surroundings import Limits

VERSIONS = pytest.mark.parametrize("soap", [SOAP11, SOAP12], ids=["SOAP 1.1", "SOAP 1.2"])
HEADER = "<S:Header/>"
BODY = f"<S:Body>{PAYLOAD}</S:Body>"


def read(xml: str | bytes, actor: str = "") -> Envelope:
    octets = xml if isinstance(xml, bytes) else xml.encode()
    tree = parse(octets, None, ("utf-8",), Limits())
    return read_envelope(tree, read_outline(tree, actor))


def of(inside: str, soap: str = SOAP11) -> str:
    return f'<S:Envelope xmlns:S="{soap}">{inside}</S:Envelope>'


@VERSIONS
def test_the_parts_of_an_envelope_are_found_in_their_places(soap: str) -> None:
    found = read(envelope(security() + '<h:Other xmlns:h="urn:h"/>', soap=soap))
    assert found.version is {SOAP11: SOAP_1_1, SOAP12: SOAP_1_2}[soap]
    assert found.header is found.root[0]
    assert found.body is found.root[1]
    assert found.security is found.root[0][0]
    assert found.foreign_security == ()
    assert found.operation == OPERATION
    assert found.other_operations == ()


@VERSIONS
def test_an_envelope_without_header_has_no_security(soap: str) -> None:
    found = read(envelope(None, soap=soap))
    assert (found.header, found.security) == (None, None)


@VERSIONS
def test_white_space_and_attributes_are_no_offence(soap: str) -> None:
    xml = f'<S:Envelope xmlns:S="{soap}" a="b">\n {HEADER}\n <S:Body a="b">\n {PAYLOAD}\n </S:Body>\n</S:Envelope>'
    assert read(xml).operation == OPERATION


@pytest.mark.parametrize("prefix", ["soap", "SOAP-ENV", "_", "wsse", ""])
def test_prefixes_mean_nothing(prefix: str) -> None:
    colon, declared = (f"{prefix}:", f"xmlns:{prefix}") if prefix else ("", "xmlns")
    xml = f'<{colon}Envelope {declared}="{SOAP11}"><{colon}Body>{PAYLOAD}</{colon}Body></{colon}Envelope>'
    assert read(xml).operation == OPERATION


@VERSIONS
@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("", id="nothing"),
        pytest.param(HEADER, id="no Body"),
        pytest.param(BODY + BODY, id="two Bodies"),
        pytest.param(HEADER + BODY + BODY, id="two Bodies behind a Header"),
        pytest.param(BODY + HEADER, id="Body first"),
        pytest.param(BODY + BODY.replace("Body", "Header"), id="an operation in a Header behind the Body"),
        pytest.param(HEADER + HEADER + BODY, id="two Headers"),
        pytest.param(HEADER + BODY + HEADER, id="another Header behind"),
        pytest.param(BODY + '<x:Trailer xmlns:x="urn:x"/>', id="more behind the Body"),
        pytest.param('<x:Before xmlns:x="urn:x"/>' + BODY, id="something for a Header"),
        pytest.param(HEADER + '<x:Between xmlns:x="urn:x"/>' + BODY, id="something between"),
        pytest.param("text" + HEADER + BODY, id="text in front"),
        pytest.param(HEADER + "text" + BODY, id="text between"),
        pytest.param(HEADER + BODY + "text", id="text behind"),
        pytest.param(HEADER + "&#160;" + BODY, id="a no-break space between"),
        pytest.param("<![CDATA[text]]>" + BODY, id="text in CDATA"),
        pytest.param("<S:body/>", id="lower case"),
        pytest.param(f"<Body>{PAYLOAD}</Body>", id="Body without namespace"),
        pytest.param(f'<Body xmlns="urn:x">{PAYLOAD}</Body>', id="Body in another namespace"),
        pytest.param("<Header/>" + BODY, id="Header without namespace"),
        pytest.param(f"<S:Envelope>{BODY}</S:Envelope>", id="an envelope in the envelope"),
        pytest.param(f"<S:Header>{BODY}</S:Header>", id="Body in the Header"),
        pytest.param("<S:Header>text</S:Header>" + BODY, id="text in the Header"),
        pytest.param('<S:Header><x:a xmlns:x="urn:x"/>text</S:Header>' + BODY, id="text behind a header block"),
        pytest.param("<S:Body/>", id="empty Body"),
        pytest.param("<S:Body> \n </S:Body>", id="blank Body"),
        pytest.param("<S:Body>text</S:Body>", id="text for an operation"),
        pytest.param(f"<S:Body>text{PAYLOAD}</S:Body>", id="text before the operation"),
        pytest.param(f"<S:Body>{PAYLOAD}text</S:Body>", id="text behind the operation"),
        pytest.param("<S:Body><S:Fault><faultcode>S:Client</faultcode></S:Fault></S:Body>", id="a Fault"),
        pytest.param(f"<S:Body>{PAYLOAD}{PAYLOAD}</S:Body>", id="two operations"),
        pytest.param(f"<S:Body>{PAYLOAD}<x/></S:Body>", id="an element beside the operation"),
        pytest.param(f'<S:Body>{PAYLOAD}<x id="i"/></S:Body>', id="an id beside it that nothing refers to"),
        pytest.param(f'<S:Body>{PAYLOAD}<x id=""/></S:Body>', id="an empty id beside it"),
        pytest.param(f'<S:Body>{PAYLOAD}<x Id="i"/><y href="#i"/></S:Body>', id="another kind of id beside it"),
    ],
)
def test_an_envelope_of_another_shape_is_refused(soap: str, inside: str) -> None:
    with refused("envelope.structure", MessageFault):
        read(of(inside, soap))


@VERSIONS
def test_parts_of_the_other_version_are_no_parts(soap: str) -> None:
    other = SOAP12 if soap == SOAP11 else SOAP11
    with refused("envelope.structure"):
        read(of(f'<T:Body xmlns:T="{other}">{PAYLOAD}</T:Body>', soap))
    with refused("envelope.structure"):
        read(of(f'<T:Header xmlns:T="{other}"/>{BODY}', soap))
    with refused("envelope.structure"):
        read(of(f'{BODY}<T:Body xmlns:T="{other}">{PAYLOAD}</T:Body>', soap))


@pytest.mark.parametrize(
    "namespace",
    ["urn:x", "http://www.w3.org/2001/12/soap-envelope", SOAP11.rstrip("/"), SOAP12 + "/", SOAP11.upper()],
)
def test_an_envelope_in_another_namespace_is_a_version_mismatch(namespace: str) -> None:
    with refused("envelope.structure", VersionMismatch):
        read(of(BODY, namespace))


@pytest.mark.parametrize(
    "root", [f'<envelope xmlns="{SOAP11}"/>', "<Envelope/>", "<html/>", PAYLOAD, f'<Body xmlns="{SOAP11}"/>']
)
def test_a_root_that_is_no_envelope_is_no_version_mismatch(root: str) -> None:
    with refused("envelope.structure") as caught:
        read(root)
    assert type(caught.value) is MessageFault


@VERSIONS
@pytest.mark.parametrize(
    "payload", ["<Echo/>", '<Echo xmlns=""/>', '<Echo href="#i"/><e:m xmlns:e="urn:echo" id="i"/>']
)
def test_an_operation_without_namespace_is_unknown(soap: str, payload: str) -> None:
    with refused("operation.unknown", MessageFault):
        read(of(f"<S:Body>{payload}</S:Body>", soap))


# --- Whose Security header --------------------------------------------------------------------------------------------

NEXT11 = "http://schemas.xmlsoap.org/soap/actor/next"
NEXT12 = f"{SOAP12}/role/next"
ULTIMATE = f"{SOAP12}/role/ultimateReceiver"
NONE = f"{SOAP12}/role/none"
ATTRIBUTE = {SOAP11: "actor", SOAP12: "role"}


def addressed(value: str | None, soap: str) -> str:
    return security(attributes="" if value is None else f'S:{ATTRIBUTE[soap]}="{value}"')


@VERSIONS
@pytest.mark.parametrize("value", [None, "", " ", "\n", NEXT11, NEXT12, ULTIMATE, f" {NEXT11}\n"])
def test_a_security_header_for_everybody_or_for_the_last_is_ours(soap: str, value: str | None) -> None:
    for actor in ("", "urn:us"):
        found = read(envelope(addressed(value, soap), soap=soap), actor)
        assert found.security is not None
        assert found.foreign_security == ()


@VERSIONS
@pytest.mark.parametrize(
    "value", ["urn:them", NONE, "next", "#next", NEXT11 + "/", NEXT11.upper(), "urn:us2", "urn:u s"]
)
def test_a_security_header_for_somebody_else_is_foreign(soap: str, value: str) -> None:
    for actor in ("", "urn:us"):
        found = read(envelope(addressed(value, soap), soap=soap), actor)
        assert found.security is None
        assert len(found.foreign_security) == 1


@VERSIONS
def test_a_security_header_for_our_own_actor_is_ours_only_where_it_is_configured(soap: str) -> None:
    octets = envelope(addressed("urn:us", soap), soap=soap)
    assert read(octets, "urn:us").security is not None
    assert read(octets).security is None


@pytest.mark.parametrize(
    ("soap", "attributes"),
    [
        (SOAP11, f'xmlns:T="{SOAP12}" T:role="urn:them"'),
        (SOAP12, f'xmlns:T="{SOAP11}" T:actor="urn:them"'),
        (SOAP11, 'S:role="urn:them"'),
        (SOAP12, 'S:actor="urn:them"'),
        (SOAP11, 'actor="urn:them"'),
        (SOAP12, 'role="urn:them"'),
    ],
)
def test_an_attribute_that_the_version_does_not_know_sends_no_header_to_somebody_else(
    soap: str, attributes: str
) -> None:
    assert read(envelope(security(attributes=attributes), soap=soap)).security is not None


@VERSIONS
@pytest.mark.parametrize(
    ("one", "other"),
    [(None, None), (None, ""), ("", NEXT11), (NEXT12, ULTIMATE), ("urn:us", None), ("urn:us", "urn:us")],
)
def test_two_security_headers_for_us_are_refused(soap: str, one: str | None, other: str | None) -> None:
    with refused("security.duplicate", InvalidSecurity):
        read(envelope(addressed(one, soap) + addressed(other, soap), soap=soap), "urn:us")


@VERSIONS
def test_among_security_headers_for_others_ours_is_found_wherever_it_stands(soap: str) -> None:
    ours, theirs, others = addressed(None, soap), addressed("urn:them", soap), addressed("urn:others", soap)
    for at, blocks in enumerate([(ours, theirs, others), (theirs, ours, others), (theirs, others, ours)]):
        found = read(envelope("".join(blocks), soap=soap))
        assert found.header is not None
        assert found.security is found.header[at]
        assert found.foreign_security == tuple(block for block in found.header if block is not found.security)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f'<x:Wrap xmlns:x="urn:x">{security()}</x:Wrap>', id="inside another block"),
        pytest.param(security().replace(WSSE, "urn:wsse"), id="in another namespace"),
        pytest.param(security().replace("wsse:Security", "wsse:security"), id="in lower case"),
    ],
)
def test_a_security_header_in_another_place_or_of_another_name_is_none(header: str) -> None:
    found = read(envelope(header))
    assert (found.security, found.foreign_security) == (None, ())


def test_a_security_element_in_the_body_is_none() -> None:
    assert read(envelope("", security() + "")).security is None


# --- mustUnderstand ---------------------------------------------------------------------------------------------------


@VERSIONS
@pytest.mark.parametrize("value", ["0", "1", "true", "false", " 1 ", "\ttrue\n"])
@pytest.mark.parametrize("block", ["wsse", "other"])
def test_must_understand_is_a_boolean(soap: str, value: str, block: str) -> None:
    attributes = f'S:mustUnderstand="{value}"'
    header = security(attributes=attributes) if block == "wsse" else f'<o xmlns="urn:o" {attributes}/>'
    assert read(envelope(header, soap=soap)).operation == OPERATION


@VERSIONS
@pytest.mark.parametrize(
    "value", ["", " ", "2", "-1", "01", "True", "TRUE", "yes", "1 1", "１", "\N{NO-BREAK SPACE}1", "null"]
)
@pytest.mark.parametrize("block", ["wsse", "foreign", "other"])
def test_must_understand_that_is_no_boolean_is_refused_on_whatever_block(soap: str, value: str, block: str) -> None:
    attributes = f'S:mustUnderstand="{value}"'
    header = {
        "wsse": security(attributes=attributes),
        "foreign": security(attributes=f'{attributes} S:{ATTRIBUTE[soap]}="urn:them"'),
        "other": f'<o xmlns="urn:o" {attributes}/>',
    }[block]
    with refused("envelope.structure", MessageFault):
        read(envelope(security() + header if block == "other" else header, soap=soap))


@pytest.mark.parametrize("attributes", ['mustUnderstand="x"', f'xmlns:T="{SOAP12}" T:mustUnderstand="x"'])
def test_must_understand_of_another_namespace_is_just_an_attribute(attributes: str) -> None:
    assert read(envelope(security(attributes=attributes))).security is not None


# --- Values beside the operation --------------------------------------------------------------------------------------


@VERSIONS
def test_values_that_are_referred_to_stand_beside_the_operation(soap: str) -> None:
    payload = '<e:Echo xmlns:e="urn:echo"><a href="#i"/><b href="#j"/></e:Echo>'
    found = read(envelope(None, f'{payload}<multiRef id="i"/><x:v xmlns:x="urn:x" id="j"/>', soap))
    assert found.operation == OPERATION
    assert found.other_operations == ("{urn:x}v",)


def test_a_value_may_be_referred_to_from_another_value() -> None:
    payload = '<e:Echo xmlns:e="urn:echo"><a href="#i"/></e:Echo><m id="i"><b href="#j"/></m><m id="j"/>'
    assert read(envelope(None, payload)).operation == OPERATION


def test_a_value_that_is_referred_to_does_not_stand_before_the_operation() -> None:
    """spyne takes the first child for the operation, whatever it is."""
    with refused("operation.unknown"):
        read(envelope(None, '<multiRef id="i"/><e:Echo xmlns:e="urn:echo"><a href="#i"/></e:Echo>'))


def test_actions_of_both_versions_of_ws_addressing_are_found() -> None:
    blocks = [
        '<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">urn:one</a:Action>',
        '<a:Action xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">urn:two</a:Action>',
        '<a:Action xmlns:a="urn:a">urn:three</a:Action>',
        '<a:Action xmlns:a="http://www.w3.org/2005/08/addressing"/>',
    ]
    assert sorted(read(envelope("".join(blocks))).addressed_actions) == ["", "urn:one", "urn:two"]
    assert read(envelope(None)).addressed_actions == ()


def test_a_refusal_of_the_shape_blames_the_message_and_not_the_security_header() -> None:
    with pytest.raises(Fault) as caught:
        read(of(BODY + BODY))
    assert (caught.value.code, caught.value.namespace) == ("Client", None)
