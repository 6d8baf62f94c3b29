"""Legal: envelopes, headers and bodies as other stacks write them."""

from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import PAYLOAD, SOAP12, WSSE, WSU, envelope, security, timestamp
from tests.signature.signatures import honest
from wsguard.names import SOAP11_ENCODING, XSD, XSI

SOAP: Final = Chapter("legal", "token")
SIGNED: Final = Chapter("legal", "signed")

ADDRESSING: Final = '<wsa:{0} xmlns:wsa="http://www.w3.org/2005/08/addressing">{1}</wsa:{0}>'
_ADDRESSED: Final = "".join(
    ADDRESSING.format(name, value)
    for name, value in (
        ("To", "http://localhost/soap"),
        ("Action", "urn:echo/Echo"),
        ("MessageID", "urn:uuid:5c7a9d10-0000-0000-0000-000000000000"),
        ("ReplyTo", "<wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address>"),
    )
)
_BLOCKS: Final = {
    "WS-Addressing": _ADDRESSED,
    "WS-Addressing of 2004": _ADDRESSED.replace("http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing"),
    "a tracing header": '<t:Trace xmlns:t="urn:trace" S:mustUnderstand="0">00-1-2-01</t:Trace>',
    "a Security header for another actor": (
        f'<wsse:Security xmlns:wsse="{WSSE}" S:actor="urn:gateway"><x:Ticket xmlns:x="urn:x"/></wsse:Security>'
    ),
    "one of WS-ReliableMessaging": (
        '<wsrm:Sequence xmlns:wsrm="http://docs.oasis-open.org/ws-rx/wsrm/200702"><wsrm:Identifier>urn:s</wsrm:Identifier>'
        "<wsrm:MessageNumber>1</wsrm:MessageNumber></wsrm:Sequence>"
    ),
    "an empty one": '<h:Nothing xmlns:h="urn:h"/>',
    "white space and comments": "\n  <!-- a comment -->\n  ",
}  # fmt: skip


@SOAP.each_accepted(_BLOCKS)
def before_the_security_header(block: str) -> Built:
    return envelope(block + security(timestamp(), user().xml()))


@SOAP.each_accepted(_BLOCKS)
def behind_the_security_header(block: str) -> Built:
    return envelope(security(timestamp(), user().xml()) + block)


@SIGNED.each_accepted(_BLOCKS)
def before_a_security_header_with_a_signature(block: str) -> Built:
    return honest(header=block).encode()


@SOAP.each_accepted(
    {
        "nothing": "",
        "mustUnderstand in words": 'S:mustUnderstand="true"',
        "mustUnderstand that is off": 'S:mustUnderstand="0"',
        "an empty actor": 'S:actor="" S:mustUnderstand="1"',
        "the next actor": 'S:actor="http://schemas.xmlsoap.org/soap/actor/next"',
        "mustUnderstand in no namespace": 'mustUnderstand="1"',
        "an Id": 'wsu:Id="SEC-1"',
    },
    source="SOAP 1.1 §4.2; seen from WSS4J, PHP and suds",
)
def a_security_header_with(attributes: str) -> Built:
    return envelope(security(timestamp(), user().xml(), attributes=attributes))


@SOAP.each_accepted(
    {
        "the next role": 'S:role="http://www.w3.org/2003/05/soap-envelope/role/next"',
        "the role of the ultimate receiver": 'S:role="http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"',
        "relay": 'S:mustUnderstand="true" S:relay="true"',
    },
    source="SOAP 1.2 part 1 §5.2",
)
def a_security_header_of_soap_1_2_with(attributes: str) -> Built:

    octets = envelope(security(timestamp(), user().xml(), attributes=attributes), soap=SOAP12)
    return Sent(octets=octets, environ={"CONTENT_TYPE": "application/soap+xml; charset=utf-8"})


def _renamed(text: str, **prefixes: str) -> str:
    for old, new in prefixes.items():
        for sign in ("<", "</", " ", "xmlns:"):
            end = "=" if sign == "xmlns:" else ":"
            text = text.replace(f"{sign}{old}{end}", f"{sign}{new}{end}")
    return text


@SOAP.each_accepted(
    {
        "other prefixes": lambda t: _renamed(t, S="SOAP-ENV", wsse="ns0", wsu="_u"),
        "prefixes beyond ASCII": lambda t: _renamed(t, S="конверт", wsse="ä", wsu="信"),
        "prefixes that mean something else elsewhere": lambda t: _renamed(t, S="wsu", wsu="ds", wsse="xs"),
        "the default namespace": lambda t: (
            t.replace("xmlns:S=", "xmlns=")
            .replace("<S:", "<")
            .replace("</S:", "</")
            .replace(' S:mustUnderstand="1"', "")
        ),
        "unused declarations": lambda t: t.replace("<S:Envelope ", f'<S:Envelope xmlns:i="{XSI}" xmlns:d="{XSD}" '),
        "line feeds and tabs": lambda t: t.replace("><", ">\n\t<"),
        "CRLF": lambda t: t.replace("><", ">\r\n<"),
        "comments": lambda t: t.replace("<S:Header>", "<!-- a --><S:Header><!-- b -->").replace(
            "<S:Body>", "<!-- c --><S:Body><!-- d -->"
        ),
        "a comment in a text": lambda t: t.replace("hello", "hel<!-- -->lo"),
        "CDATA": lambda t: t.replace("hello", "<![CDATA[hello]]>"),
        "character references": lambda t: t.replace("hello", "&#104;ell&#x6F;"),
        "apostrophes around attributes": lambda t: t.replace('"', "'"),
        "white space in tags": lambda t: t.replace("<S:Body>", "<S:Body\n >").replace("</S:Body>", "</S:Body\t>"),
        "an encodingStyle on the Envelope": lambda t: t.replace(
            "<S:Envelope ", f'<S:Envelope S:encodingStyle="{SOAP11_ENCODING}" '
        ),
        "an Id on the Body": lambda t: t.replace("<S:Body>", f'<S:Body xmlns:wsu="{WSU}" wsu:Id="id-1">'),
        "a language": lambda t: t.replace("<S:Body>", '<S:Body xml:lang="de">'),
    },
    handed="hello",
)
def an_envelope_with(change: Callable[[str], str]) -> Built:
    return change(with_token(user()).decode()).encode()


_OPERATIONS: Final = {
    "in the default namespace": '<Echo xmlns="urn:echo"><text>hello</text></Echo>',
    "with children in no namespace": '<e:Echo xmlns:e="urn:echo"><text>hello</text></e:Echo>',
    "with nothing in it": '<e:Echo xmlns:e="urn:echo"/>',
    "with a nil": f'<e:Echo xmlns:e="urn:echo" xmlns:xsi="{XSI}"><e:text xsi:nil="true"/></e:Echo>',
    "with types": (
        f'<e:Echo xmlns:e="urn:echo" xmlns:i="{XSI}" xmlns:x="{XSD}"><e:text i:type="x:string">hello</e:text></e:Echo>'
    ),
    "with references in it": (
        '<e:Echo xmlns:e="urn:echo"><e:text href="#t"/><e:other id="t">hello</e:other></e:Echo>'
    ),
    "with characters beyond the plane": PAYLOAD.replace("hello", "\U0001f600 \u202e \ufffd"),
    "with escapes": PAYLOAD.replace("hello", "a &lt; b &amp;&amp; c &gt; d"),
}  # fmt: skip


@SOAP.each_accepted(_OPERATIONS, handed="Echo")
def an_operation(body: str) -> Built:
    return with_token(user(), body=body)


@SIGNED.each_accepted(_OPERATIONS, handed="Echo")
def a_signed_operation(body: str) -> Built:
    return honest(body=body).encode()


EVERY: Final = (*SOAP, *SIGNED)
