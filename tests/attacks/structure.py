"""H: envelopes of another shape than SOAP describes, and Security headers that are for nobody or for two."""

from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import PAYLOAD, SOAP11, SOAP12, WSSE, envelope, security, timestamp
from tests.signature.signatures import EVIL, honest

ENVELOPES: Final = Chapter("H", "token")
HEADERS: Final = Chapter("H", "token")
BINDINGS: Final = Chapter("H", "signed")

SHAPES: Final = "SOAP 1.1 §4, SOAP 1.2 part 1 §5"


def protected() -> str:
    """An honest Security header."""
    return security(timestamp(), user().xml())


def of(*children: str, soap: str = SOAP11, attributes: str = "") -> bytes:
    """An envelope of these children; H is an honest Header, B an honest Body, E another Body."""
    parts = {
        "H": lambda: f"<S:Header>{protected()}</S:Header>",
        "B": lambda: f"<S:Body>{PAYLOAD}</S:Body>",
        "E": lambda: f"<S:Body>{EVIL}</S:Body>",
    }
    inside = "".join(parts[child]() if child in parts else child for child in children)
    return f'<S:Envelope xmlns:S="{soap}"{attributes}>{inside}</S:Envelope>'.encode()


ARRANGED: Final[dict[str, tuple[str, ...]]] = {
    "nothing": (),
    "a Header only": ("H",),
    "two Bodies": ("H", "B", "E"),
    "two Bodies, the other one first": ("H", "E", "B"),
    "a Body on both sides of the Header": ("E", "H", "B"),
    "the Body before the Header": ("B", "H"),
    "two Headers": ("H", "<S:Header/>", "B"),
    "a Header on both sides of the Body": ("<S:Header/>", "B", "H"),
    "an element behind the Body": ("H", "B", '<x:Trailer xmlns:x="urn:x"/>'),
    "an element between": ("H", '<x:x xmlns:x="urn:x"/>', "B"),
    "an element in front": ('<x:x xmlns:x="urn:x"/>', "H", "B"),
    "text in front": ("evil", "H", "B"),
    "text between": ("H", "evil", "B"),
    "text behind": ("H", "B", "evil"),
    "text in CDATA": ("H", "<![CDATA[evil]]>", "B"),
    "a no-break space": ("H", "&#160;", "B"),
    "an envelope": (f"<S:Envelope><S:Header/><S:Body>{PAYLOAD}</S:Body></S:Envelope>",),
    "an envelope behind the Header": ("H", f"<S:Envelope><S:Body>{EVIL}</S:Body></S:Envelope>"),
    "the Body in the Header": (f"<S:Header><S:Body>{PAYLOAD}</S:Body></S:Header>",),
    "the Header in the Body": (f"<S:Body><S:Header/>{PAYLOAD}</S:Body>",),
    "a Body without namespace": ("H", f"<Body>{PAYLOAD}</Body>"),
    "a Body in lower case": ("H", f"<S:body>{PAYLOAD}</S:body>"),
    "a Body of SOAP 1.2": ("H", f'<T:Body xmlns:T="{SOAP12}">{PAYLOAD}</T:Body>'),
    "Bodies of both versions": ("H", "B", f'<T:Body xmlns:T="{SOAP12}">{EVIL}</T:Body>'),
    "a Header of SOAP 1.2": (f'<T:Header xmlns:T="{SOAP12}"/>', "B"),
    "an empty Body": ("H", "<S:Body/>"),
    "a blank Body": ("H", "<S:Body> \n </S:Body>"),
    "text for an operation": ("H", "<S:Body>evil</S:Body>"),
    "text before the operation": ("H", f"<S:Body>evil{PAYLOAD}</S:Body>"),
    "text behind the operation": ("H", f"<S:Body>{PAYLOAD}evil</S:Body>"),
    "two operations": ("H", f"<S:Body>{PAYLOAD}{EVIL}</S:Body>"),
    "two operations in two namespaces": ("H", f'<S:Body>{PAYLOAD}<x:Echo xmlns:x="urn:x"/></S:Body>'),
    "an operation and an Id": ("H", f'<S:Body>{PAYLOAD}<x id="i"/></S:Body>'),
    "a Fault": ("H", "<S:Body><S:Fault><faultcode>S:Client</faultcode></S:Fault></S:Body>"),
    "text in the Header": (f"<S:Header>evil</S:Header><S:Body>{PAYLOAD}</S:Body>",),
}


@ENVELOPES.each_refused("envelope.structure", ARRANGED, source=SHAPES)
def in_the_envelope_stands(children: tuple[str, ...]) -> Built:
    return of(*children)


@ENVELOPES.each_refused(
    "envelope.structure",
    {
        "two Bodies": ("H", "B", "E"),
        "a trailer": ("H", "B", "<x/>"),
        "a Body of 1.1": ("H", f'<T:Body xmlns:T="{SOAP11}"/>'),
    },
    source=SHAPES,
)
def in_an_envelope_of_soap_1_2_stands(children: tuple[str, ...]) -> Built:
    return Sent(octets=of(*children, soap=SOAP12), environ={"CONTENT_TYPE": "application/soap+xml; charset=utf-8"})


@ENVELOPES.each_refused(
    "envelope.structure",
    {
        "a draft of SOAP 1.2": "http://www.w3.org/2001/12/soap-envelope",
        "an attacker": "urn:soap",
        "SOAP 1.1 without slash": SOAP11.rstrip("/"),
        "SOAP 1.1 in capitals": SOAP11.upper(),
        "SOAP 1.1 over TLS": SOAP11.replace("http:", "https:"),
        "SOAP 1.1 in percent signs": SOAP11.replace("soap/", "%73oap/"),
        "SOAP 1.2 with a slash": SOAP12 + "/",
        "nobody": "",
    },
    source=SHAPES,
)
def the_envelope_is_of_the_namespace_of(namespace: str) -> Built:
    # Without a namespace there is no prefix either.
    octets = of("H", "B", soap=namespace or "urn:none")
    return (
        octets
        if namespace
        else octets.replace(b'<S:Envelope xmlns:S="urn:none"', b'<Envelope xmlns:S="urn:none"').replace(
            b"</S:Envelope", b"</Envelope"
        )
    )


@ENVELOPES.each_refused(
    "envelope.malformed",
    {
        "a blank behind": SOAP11 + " ",
        "a Cyrillic letter": SOAP11.replace("a", "\N{CYRILLIC SMALL LETTER A}"),
        "a reference to a blank": SOAP11 + "&#32;",
    },
    source=SHAPES,
)
def the_namespace_of_the_envelope_is_no_uri_for(namespace: str) -> Built:
    return of("H", "B", soap=namespace)


@ENVELOPES.each_refused(
    "operation.unknown",
    {"bare": "<Echo/>", "its namespace taken back": '<Echo xmlns=""/>', "a value": '<Echo href="#i"/><x id="i"/>'},
)
def the_operation_has_no_namespace(operation: str) -> Built:
    return with_token(user(), body=operation)


# --- Security headers -------------------------------------------------------------------------------------------------

NEXT: Final = "http://schemas.xmlsoap.org/soap/actor/next"


@HEADERS.each_refused(
    "security.duplicate",
    {
        "another one": lambda: security(),
        "one for whoever is next": lambda: security(attributes=f'S:actor="{NEXT}"'),
        "one for an actor that is empty": lambda: security(attributes='S:actor=""'),
        "one for an actor of blanks": lambda: security(attributes='S:actor=" "'),
        "one for a role, which SOAP 1.1 does not know": lambda: security(attributes='S:role="urn:them"'),
        "one for an actor without namespace": lambda: security(attributes='actor="urn:them"'),
        "one for a role of SOAP 1.2": lambda: security(attributes=f'xmlns:T="{SOAP12}" T:role="urn:them"'),
        "one of another user's": lambda: security(user(username="bob", password="hunter2").xml()),
    },
    source="WSS 1.1 §5",
)
def beside_an_honest_security_header_stands(other: Callable[[], str]) -> Built:
    return envelope(protected() + other())


@HEADERS.each_refused(
    "security.missing",
    {
        "for another actor": lambda: protected().replace("<wsse:Security ", '<wsse:Security S:actor="urn:them" '),
        "for nobody": lambda: protected().replace("<wsse:Security ", f'<wsse:Security S:actor="{SOAP12}/role/none" '),
        "inside another block": lambda: f'<x:Wrap xmlns:x="urn:x">{protected()}</x:Wrap>',
        "in lower case": lambda: protected().replace("wsse:Security", "wsse:security"),
        "in another namespace": lambda: protected().replace(WSSE, "urn:wsse"),
        "absent": lambda: "",
        "in a comment": lambda: f"<!--{protected().replace('--', '')}-->",
        "in CDATA inside a block": lambda: f'<x:x xmlns:x="urn:x"><![CDATA[{protected()}]]></x:x>',
    },
    source="WSS 1.1 §5",
)  # fmt: skip
def the_security_header_is(header: Callable[[], str]) -> Built:
    return envelope(header())


@HEADERS.refused("security.missing", source="WSS 1.1 §5")
def the_security_header_stands_in_the_body() -> Built:
    return envelope("", f'<e:Echo xmlns:e="urn:echo">{protected()}</e:Echo>')


@HEADERS.refused("security.missing", source="WSS 1.1 §5")
def there_is_no_header_at_all() -> Built:
    return envelope(None)


@HEADERS.each_refused(
    "security.unknown_token",
    {
        "an element of an attacker's": '<x:x xmlns:x="urn:x"/>',
        "text": "evil",
        "an assertion of SAML 1.1": '<s:Assertion xmlns:s="urn:oasis:names:tc:SAML:1.0:assertion"/>',
        "an assertion of SAML 2.0": '<s:Assertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion"/>',
        "a security context": '<c:SecurityContextToken xmlns:c="http://schemas.xmlsoap.org/ws/2005/02/sc"/>',
        "a reference to a token elsewhere": "<wsse:SecurityTokenReference/>",
        "a confirmation of a signature": (
            '<c:SignatureConfirmation xmlns:c="http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"/>'
        ),
        "an envelope": "<S:Envelope/>",
        "a UsernameToken of an attacker's": '<x:UsernameToken xmlns:x="urn:x"/>',
        "an XrML licence": '<r:license xmlns:r="urn:mpeg:mpeg21:2003:01-REL-R-NS"/>',
    },
    source="WSS 1.1 §5: what is not understood is a fault",
)
def in_the_security_header_stands(child: str) -> Built:
    return with_token(user(), child)


@HEADERS.each_refused(
    "envelope.structure",
    {value or "nothing": value for value in ("", "2", "-1", "01", "TRUE", "yes", "1 0", "１")},
    source="SOAP 1.1 §4.2.3",
)
def what_must_be_understood_is(value: str) -> Built:
    return envelope(f'{protected()}<x:x xmlns:x="urn:x" S:mustUnderstand="{value}"/>')


# --- Types ------------------------------------------------------------------------------------------------------------

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
TYPED: Final = '<e:Echo xmlns:e="urn:echo"><e:text i:type="t:Amount">1</e:text></e:Echo>'


@BINDINGS.each_refused(
    "signature.coverage",
    {"a prefix": ("t:", "xmlns:t="), "the default namespace": ("", "xmlns=")},
    source="exclusive canonicalization signs no prefix that only content uses",
)
def the_type_of_a_signed_value_is_bound_by(names: tuple[str, str]) -> Built:
    prefix, declaration = names
    typed = TYPED.replace("t:", prefix)
    return honest(body=typed, envelope_attributes=f'xmlns:i="{XSI}" {declaration}"urn:evil"').encode()


@BINDINGS.refused("signature.coverage", source="exclusive canonicalization signs no prefix that only content uses")
def the_type_of_a_signed_value_is_bound_anew_by_the_header_between() -> Built:
    declared = f'xmlns:i="{XSI}" xmlns:t="urn:echo"'
    return honest(body=TYPED, envelope_attributes=declared).replace('xmlns:t="urn:echo"', 'xmlns:t="urn:evil"').encode()


EVERY: Final = (*ENVELOPES, *HEADERS, *BINDINGS)
