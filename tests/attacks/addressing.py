"""H: what a message says of itself beside its Body: SOAPAction, WS-Addressing, attachments."""

from collections.abc import Callable
from typing import Final

from tests.attacks.calls import LEAD, MOVE, PING, TNS
from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import PAYLOAD, SOAP12, envelope
from tests.signature.signatures import bent, honest

ACTIONS: Final = Chapter("H", "bank")
ATTACHMENTS: Final = Chapter("H", "token")
ADDRESSES: Final = Chapter("legal", "signed")

SPOOFING: Final = "WS-Attacker: SOAPAction Spoofing"
WSA: Final = "http://www.w3.org/2005/08/addressing"
WSA_2004: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"

# --- Actions ----------------------------------------------------------------------------------------------------------

SPELLINGS: Final = ("transfer", '"transfer"', f"{TNS}/transfer", f'"{TNS}#transfer"', f"{TNS}:transfer")


@ACTIONS.each_refused("envelope.soap_action", {spelling: spelling for spelling in SPELLINGS}, source=SPOOFING)
def an_exempt_body_comes_with_the_soapaction(spelling: str) -> Built:
    return Sent(octets=envelope(None, LEAD), environ={"HTTP_SOAPACTION": spelling})


@ACTIONS.each_refused("envelope.soap_action", {spelling: spelling for spelling in SPELLINGS}, source=SPOOFING)
def a_harmless_body_with_a_token_comes_with_the_soapaction(spelling: str) -> Built:
    return Sent(octets=with_token(user(), body=PING), environ={"HTTP_SOAPACTION": spelling})


@ACTIONS.each_refused("envelope.soap_action", {"its name": "lead", "its URI": f'"{TNS}/lead"'}, source=SPOOFING)
def a_guarded_body_comes_with_the_soapaction_of_the_exempt_one_by(spelling: str) -> Built:
    return Sent(octets=envelope(None, MOVE), environ={"HTTP_SOAPACTION": spelling})


@ACTIONS.refused("envelope.soap_action", source=SPOOFING)
def an_exempt_body_comes_with_a_soapaction_that_nobody_knows() -> Built:
    return Sent(octets=envelope(None, LEAD), environ={"HTTP_SOAPACTION": '"urn:x"'})


@ACTIONS.refused("envelope.soap_action", source=SPOOFING)
def the_content_type_names_another_action() -> Built:
    octets = envelope(None, LEAD, SOAP12)
    return Sent(octets=octets, environ={"CONTENT_TYPE": f'application/soap+xml; action="{TNS}/transfer"'})


@ACTIONS.refused("envelope.soap_action", source=SPOOFING)
def the_content_type_and_the_header_name_two_actions() -> Built:
    environ = {"CONTENT_TYPE": 'text/xml; action="transfer"', "HTTP_SOAPACTION": '"lead"'}
    return Sent(octets=envelope(None, LEAD), environ=environ)


def action(text: str, namespace: str = WSA) -> str:
    """A header block that names an action."""
    return f'<a:Action xmlns:a="{namespace}">{text}</a:Action>'


MISMATCHES: Final[dict[str, str]] = {
    "of 2005": action(f"{TNS}/transfer"),
    "of 2004": action(f"{TNS}/transfer", WSA_2004),
    "behind the right one": action("lead") + action("transfer"),
    "behind the right one of another version": action("lead") + action("transfer", WSA_2004),
    "in white space": action(f"\n  {TNS}/transfer\n"),
    "in CDATA": action("<![CDATA[transfer]]>"),
    "cut by a comment": action("trans<!-- -->fer"),
}


@ACTIONS.each_refused("envelope.soap_action", MISMATCHES, source="WS-Attacker: WS-Addressing Spoofing")
def an_exempt_body_comes_with_an_addressed_action(header: str) -> Built:
    return envelope(header, LEAD)


@ACTIONS.refused("security.missing", source="WS-Attacker: WS-Addressing Spoofing")
def a_guarded_body_is_addressed_to_the_exempt_service() -> Built:
    return envelope(f'<a:To xmlns:a="{WSA}">http://localhost/Leads</a:To>', MOVE)


# --- Attachments ------------------------------------------------------------------------------------------------------


def in_parts(*parts: tuple[str, bytes], kind: str) -> Sent:
    """A message of parts: the Content-Id of each, and its octets."""
    made = b"".join(
        f"--b\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <{name}>\r\n\r\n".encode() + octets + b"\r\n"
        for name, octets in parts
    )
    return Sent(octets=made + b"--b--\r\n", environ={"CONTENT_TYPE": kind})


KINDS: Final[dict[str, str]] = {
    "SOAP with attachments": 'multipart/related; type="text/xml"; start="<two>"; boundary=b',
    "MTOM": 'multipart/related; type="application/xop+xml"; start-info="text/xml"; start="<two>"; boundary=b',
    "a form": "multipart/form-data; boundary=b",
    "a mixture": "multipart/mixed; boundary=b",
    "alternatives": "multipart/alternative; boundary=b",
    "DIME": "application/dime",
    "XOP without parts": 'application/xop+xml; type="text/xml"',
    "Fast Infoset": "application/fastinfoset",
    "EXI": "application/exi",
    "the binary of WCF": "application/soap+msbin1",
    "JSON": "application/json",
    "a form's fields": "application/x-www-form-urlencoded",
    "plain text": "text/plain",
    "XML of no kind": "application/xml",
    "two types": "text/xml, multipart/related; boundary=b",
    "an empty type": "",
}


@ATTACHMENTS.each_refused("http.content_type", KINDS, source="multipart: the first part or the start (FACTS P5)")
def a_message_is_said_to_be(kind: str) -> Built:
    evil = envelope(None, PAYLOAD.replace("hello", "evil"))
    return in_parts(("one", evil), ("two", with_token(user())), kind=kind)


@ATTACHMENTS.refused("http.content_type")
def a_message_is_said_to_be_nothing() -> Built:
    return Sent(octets=with_token(user()), environ={"CONTENT_TYPE": None})


@ATTACHMENTS.refused("envelope.malformed", source="multipart: the first part or the start (FACTS P5)")
def parts_are_said_to_be_xml() -> Built:
    return in_parts(("one", with_token(user())), kind="text/xml; boundary=b; type=multipart/related")


@ATTACHMENTS.refused(
    "username_token.malformed", site="text", source="MTOM: the guard sees a reference, the application a password"
)
def the_password_is_an_attachment() -> Built:
    inclusion = f'<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="file://{canary()}"/>'
    return with_token(user(parts={"Password": f"<wsse:Password>{inclusion}</wsse:Password>"}))


# --- Addresses --------------------------------------------------------------------------------------------------------


def reference(name: str, address: str, namespace: str = WSA) -> str:
    """A header block with an endpoint."""
    return f'<a:{name} xmlns:a="{namespace}"><a:Address>{address}</a:Address></a:{name}>'


REPLIES: Final[dict[str, Callable[[], str]]] = {
    "ReplyTo another host": lambda: reference("ReplyTo", "http://127.0.0.1:1/elsewhere"),
    "FaultTo another host": lambda: reference("FaultTo", "http://127.0.0.1:1/elsewhere"),
    "ReplyTo a file": lambda: reference("ReplyTo", f"file://{canary()}?elsewhere"),
    "ReplyTo of 2004": lambda: reference("ReplyTo", "http://127.0.0.1:1/elsewhere", WSA_2004),
    "From another host": lambda: reference("From", "http://127.0.0.1:1/elsewhere"),
}


@ADDRESSES.each_accepted(REPLIES, withheld="elsewhere", source="WS-Attacker: WS-Addressing Spoofing")
def an_unsigned_address_is_not_handed_on(block: Callable[[], str]) -> Built:
    return bent(honest(), ("<S:Header>", f"<S:Header>{block()}"))


EVERY: Final = (*ACTIONS, *ATTACHMENTS)
LEGAL: Final = (*ADDRESSES,)
