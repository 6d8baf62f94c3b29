"""I: a guarded operation without a token, dressed up as an exempt one."""

from typing import Final

from tests.attacks.calls import LEAD, MOVE, TNS, call
from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import SOAP11, SOAP12, XENC, envelope, security, timestamp
from tests.signature.signatures import honest

THROUGH: Final = Chapter("I", "bank")
OPEN: Final = Chapter("legal", "bank")

ELSEWHERE: Final = 'S:actor="urn:them"'
DISPATCH: Final = "spyne runs the first child of the first Body, whatever path and action say (FACTS P2)"


def of(inside: str) -> str:
    """An envelope of these children."""
    return f'<S:Envelope xmlns:S="{SOAP11}">{inside}</S:Envelope>'


# --- In the envelope --------------------------------------------------------------------------------------------------

BESIDE: Final[dict[str, tuple[str, str]]] = {
    "nothing else": ("security.missing", envelope(None, MOVE).decode()),
    "the exempt one in front": ("envelope.structure", envelope(None, LEAD + MOVE).decode()),
    "the exempt one behind": ("envelope.structure", envelope(None, MOVE + LEAD).decode()),
    "the exempt one in the Header": ("security.missing", envelope(LEAD, MOVE).decode()),
    "the exempt one around it": (
        "operation.unknown",
        envelope(None, f'<x:Wrap xmlns:x="urn:x">{LEAD}{MOVE}</x:Wrap>').decode(),
    ),
    "the exempt one inside": ("security.missing", envelope(None, call("transfer", LEAD)).decode()),
    "a Body with the exempt one in front": (
        "envelope.structure",
        of(f"<S:Body>{LEAD}</S:Body><S:Body>{MOVE}</S:Body>"),
    ),
    "a Body with the exempt one behind": ("envelope.structure", of(f"<S:Body>{MOVE}</S:Body><S:Body>{LEAD}</S:Body>")),
    "a Header with the exempt one behind": (
        "envelope.structure",
        of(f"<S:Body>{MOVE}</S:Body><S:Header>{LEAD}</S:Header>"),
    ),
    "the exempt Body in the Header": ("security.missing", envelope(f"<S:Body>{LEAD}</S:Body>", MOVE).decode()),
    "an exempt envelope in front": ("envelope.malformed", (envelope(None, LEAD) + envelope(None, MOVE)).decode()),
    "an exempt envelope behind": ("envelope.malformed", (envelope(None, MOVE) + envelope(None, LEAD)).decode()),
    "an exempt envelope in the Body": (
        "envelope.structure",
        envelope(None, envelope(None, LEAD).decode() + MOVE).decode(),
    ),
    "text that names the exempt one": ("envelope.structure", envelope(None, "lead" + MOVE).decode()),
    "a reference from the exempt one": (
        "envelope.structure",
        envelope(None, call("lead", '<b:name href="#i"/>') + call("transfer", "", ' id="i"')).decode(),
    ),
    "a reference to the exempt one": (
        "envelope.structure",
        envelope(None, call("transfer", "", ' href="#i"') + call("lead", "", ' id="i"')).decode(),
    ),
    "SOAP 1.2 around it": ("security.missing", envelope(None, MOVE, SOAP12).decode()),
    "an unknown envelope around it": ("envelope.structure", envelope(None, MOVE, "urn:soap").decode()),
    "a type of the exempt one": (
        "security.missing",
        envelope(
            None,
            call("transfer", "", ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="b:lead"'),
        ).decode(),
    ),
    "a comment in front": ("security.missing", envelope(None, f"<!--{LEAD}-->{MOVE}").decode()),
}  # fmt: skip


def _beside(check: str) -> dict[str, str]:
    return {label: xml for label, (expected, xml) in BESIDE.items() if expected == check}


@THROUGH.each_refused("security.missing", _beside("security.missing"), source=DISPATCH)
def a_guarded_operation_comes_without_token_and_with(xml: str) -> Built:
    return xml.encode()


@THROUGH.each_refused("envelope.structure", _beside("envelope.structure"), source=DISPATCH)
def a_guarded_operation_comes_along_with(xml: str) -> Built:
    return xml.encode()


@THROUGH.each_refused("operation.unknown", _beside("operation.unknown"), source=DISPATCH)
def a_guarded_operation_comes_inside_of(xml: str) -> Built:
    return xml.encode()


@THROUGH.each_refused("envelope.malformed", _beside("envelope.malformed"), source=DISPATCH)
def a_guarded_operation_comes_in_one_stream_with(xml: str) -> Built:
    return xml.encode()


# --- Names ------------------------------------------------------------------------------------------------------------

ALIKE: Final[dict[str, str]] = {
    "in capitals": "<x:LEAD xmlns:x='urn:bank'/>",
    "with a capital": "<x:Lead xmlns:x='urn:bank'/>",
    "with a letter too many": "<x:leads xmlns:x='urn:bank'/>",
    "in a namespace with a slash": "<x:lead xmlns:x='urn:bank/'/>",
    "in a namespace in capitals": "<x:lead xmlns:x='URN:BANK'/>",
    "in the namespace of a service": "<x:lead xmlns:x='Leads'/>",
    "in a Cyrillic letter": "<x:le\N{CYRILLIC SMALL LETTER A}d xmlns:x='urn:bank'/>",
    "in full width": "<x:ｌｅａｄ xmlns:x='urn:bank'/>",
    "as an operation that is not there": "<x:drain xmlns:x='urn:bank'/>",
    "as its answer": "<x:leadResponse xmlns:x='urn:bank'/>",
    "without namespace": "<lead><name>eve</name></lead>",
    "as a guarded one without namespace": "<transfer><to>eve</to></transfer>",
    "as a guarded one whose namespace is taken back": "<transfer xmlns=''><to>eve</to></transfer>",
}


@THROUGH.each_refused("operation.unknown", ALIKE, source=DISPATCH)
def the_exempt_operation_is_written(operation: str) -> Built:
    return envelope(None, operation)


@THROUGH.refused("envelope.malformed", source="names in Clark notation, cut at the first brace")
def the_exempt_operation_is_written_with_a_brace_in_its_namespace() -> Built:
    return envelope(None, "<x:lead xmlns:x='urn:bank}lead'/>")


@THROUGH.refused("envelope.structure", source="SOAP 1.1 §4.4: spyne raises")
def a_fault_comes_without_token() -> Built:
    return envelope(None, "<S:Fault><faultcode>S:Client</faultcode><faultstring>x</faultstring></S:Fault>")


@THROUGH.each_refused("security.missing", {"alone": "", "with a Timestamp": "x"})
def a_guarded_operation_comes_with_an_identity_of_the_senders_own(stamped: str) -> Built:
    own = f'<x:User xmlns:x="urn:x">alice</x:User>{security(timestamp(), attributes=ELSEWHERE) if stamped else ""}'
    return envelope(own, MOVE)


@THROUGH.refused("username_token.missing")
def a_guarded_operation_comes_with_a_timestamp_only() -> Built:
    return envelope(security(timestamp()), MOVE)


@THROUGH.refused("username_token.authentication")
def a_guarded_operation_comes_with_a_wrong_password() -> Built:
    return with_token(user(password="wrong"), body=MOVE)


@THROUGH.refused("replay.nonce")
def a_guarded_operation_comes_with_the_token_of_another_call() -> Built:
    octets = with_token(user(), body=call("ping", "<b:text>hello</b:text>"))
    return octets, octets.replace(call("ping", "<b:text>hello</b:text>").encode(), MOVE.encode())


@THROUGH.refused("encryption.malformed")
def the_operation_is_encrypted_for_nobody() -> Built:
    return envelope(None, f'<x:EncryptedData xmlns:x="{XENC}"/>')


@THROUGH.refused("certificate.untrusted")
def a_guarded_operation_comes_with_somebodys_signature() -> Built:
    return honest(body=MOVE).encode()


# --- In HTTP ----------------------------------------------------------------------------------------------------------

AROUND: Final[dict[str, dict[str, str]]] = {
    "the path of the exempt service": {"PATH_INFO": "/Leads"},
    "the path of the exempt operation": {"PATH_INFO": "/Leads/lead"},
    "a path in capitals": {"PATH_INFO": "/LEADS"},
    "a path of the WSDL": {"PATH_INFO": "/bank.wsdl"},
    "no path": {"PATH_INFO": ""},
    "a query for the WSDL": {"QUERY_STRING": "wsdl"},
    "a query for the exempt operation": {"QUERY_STRING": "op=lead"},
    "a query for both": {"QUERY_STRING": "wsdl&op=lead&method=lead"},
    "another path of a proxy": {"HTTP_X_ORIGINAL_URL": "/Leads", "HTTP_X_REWRITE_URL": "/Leads"},
    "another prefix of a proxy": {"HTTP_X_FORWARDED_PREFIX": "/Leads"},
    "another host": {"HTTP_HOST": "leads.localhost", "HTTP_X_FORWARDED_HOST": "leads.localhost"},
    "another address of a proxy": {"HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_REAL_IP": "127.0.0.1"},
    "an Authorization": {"HTTP_AUTHORIZATION": "Basic YWxpY2U6c2VjcmV0"},
    "a cookie": {"HTTP_COOKIE": "session=alice"},
    "an empty SOAPAction": {"HTTP_SOAPACTION": '""'},
    "GET in another header": {"HTTP_X_HTTP_METHOD_OVERRIDE": "GET", "HTTP_X_METHOD_OVERRIDE": "GET"},
    "GET in the query": {"QUERY_STRING": "_method=GET&wsdl"},
}


@THROUGH.each_refused("security.missing", AROUND, source=DISPATCH)
def a_guarded_operation_comes_without_token_under(environ: dict[str, str]) -> Built:
    return Sent(octets=envelope(None, MOVE), environ=environ)


@THROUGH.each_refused(
    "security.missing",
    {
        "the script of the exempt service": {"SCRIPT_NAME": "/Leads", "PATH_INFO": ""},
        "an address of its own": {"REMOTE_ADDR": "127.0.0.1"},
    },
    source=DISPATCH,
    elsewhere=False,
)
def a_server_hands_on_a_guarded_operation_without_token_under(environ: dict[str, str]) -> Built:
    return Sent(octets=envelope(None, MOVE), environ=environ)


@OPEN.accepted(handed="eve")
def the_exempt_operation_comes_without_token() -> Built:
    """Otherwise what is refused above were refused for no merit of its own."""
    return envelope(None, LEAD)


@OPEN.accepted(handed="transfer")
def a_guarded_operation_comes_with_a_token() -> Built:
    return with_token(user(), body=MOVE)


@OPEN.each_accepted(
    {"its own action": f'"{TNS}/lead"', "an empty one": '""', "its name": "lead"}, handed="eve", source=DISPATCH
)
def the_exempt_operation_comes_with(action: str) -> Built:
    return Sent(octets=envelope(None, LEAD), environ={"HTTP_SOAPACTION": action})


EVERY: Final = (*THROUGH,)
LEGAL: Final = (*OPEN,)
