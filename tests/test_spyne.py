"""A real spyne application behind the guard, and what it would do to the same request without one (FACTS P1 to P7)."""

import base64
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

import wsguard
from tests.guarding import Answer, Guarded
from tests.messages import SOAP11, SOAP12, Token, envelope, message, security, timestamp
from wsguard.policy.problems import ConfigError
from wsguard.routing import ServiceTable
from wsguard.spyne import introspect

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # spyne imports cgi, and brings a six of its own
    spyne = pytest.importorskip("spyne")
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

pytestmark = [
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:_SixMetaPathImporter:ImportWarning"),
]

TNS = "urn:bank"
CALLS: list[tuple[str, tuple[Any, ...], str | None]] = []
"""What ran: operation, arguments, REMOTE_USER."""


def ran(ctx: Any, operation: str, *arguments: Any) -> str:
    CALLS.append((operation, arguments, ctx.transport.req_env.get("REMOTE_USER")))
    return operation


def transfer(ctx: Any, to: Any, amount: Any) -> str:
    return ran(ctx, "transfer", to, amount)


def ping(ctx: Any, text: Any) -> str:
    return ran(ctx, "ping", text)


def lead(ctx: Any, name: Any) -> str:
    return ran(ctx, "lead", name)


def application() -> Any:
    """Two services with members' operations, and one for leads."""
    text = spyne.Unicode
    money = spyne.rpc(text, spyne.Integer, _returns=text)(transfer)
    members = type(spyne.Service)("Members", (spyne.Service,), {"transfer": money, "ping": spyne.rpc(text)(ping)})
    leads = type(spyne.Service)("Leads", (spyne.Service,), {"lead": spyne.rpc(text, _returns=text)(lead)})
    made = spyne.Application([members, leads], TNS, in_protocol=Soap11(), out_protocol=Soap11())
    return WsgiApplication(made)


BANK = application()


@pytest.fixture(params=["the tree", "the octets"], autouse=True)
def handed_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What spyne goes on with; everything here holds of both."""
    kind: str = request.param
    if kind == "the octets":
        monkeypatch.setattr("wsguard.spyne._untouched", lambda environ: None)
    return kind


@pytest.fixture
def calls() -> Iterator[list[tuple[str, tuple[Any, ...], str | None]]]:
    CALLS.clear()
    yield CALLS
    CALLS.clear()


def guarded(**policy: Any) -> Guarded:
    """The bank behind a guard, with leads exempt."""
    return Guarded(BANK, **{"exempt": [{"service": "Leads"}], **policy})


def op(name: str, inner: str = "", attributes: str = "") -> str:
    return f'<b:{name} xmlns:b="{TNS}"{attributes}>{inner}</b:{name}>'


MOVE = op("transfer", "<b:to>eve</b:to><b:amount>5</b:amount>")
LEAD = op("lead", "<b:name>eve</b:name>")


def bare(octets: bytes, **environ: Any) -> tuple[str, bytes]:
    """Status and body of spyne's own answer, or its exception."""
    sent = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "text/xml",
        "CONTENT_LENGTH": str(len(octets)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(octets),
        "wsgi.errors": StringIO(),
        **environ,
    }
    started: list[str] = []
    sent = {key: value for key, value in sent.items() if value is not None}
    body = b"".join(BANK(sent, lambda status, headers, exc_info=None: started.append(status)))
    return started[-1], body


def soap_fault(answer: Answer, check: str) -> None:
    """Refused by the guard, and nothing ran."""
    assert answer.check == check
    assert f"{{{SOAP11}}}".strip("{}") in answer.body.decode()
    assert b"Fault>" in answer.body
    assert CALLS == []


# --- It works ---------------------------------------------------------------------------------------------------------


def test_a_call_reaches_spyne_with_its_arguments_and_its_user(calls: list[Any]) -> None:
    answer = guarded().post(message(body=MOVE))
    assert answer.status == "200 OK"
    assert b"transferResult" in answer.body
    assert calls == [("transfer", ("eve", 5), "alice")]


def test_an_exempt_call_reaches_spyne_without_a_user(calls: list[Any]) -> None:
    answer = guarded().post(envelope(None, LEAD), REMOTE_USER="root", AUTH_TYPE="Basic")
    assert (answer.status, answer.check) == ("200 OK", "exemption")
    assert calls == [("lead", ("eve",), None)]


def test_the_service_class_is_in_the_record_and_in_the_message() -> None:
    record = guarded(audit={"url": "memory://", "record": "all"}).post(message(body=MOVE)).record
    assert record is not None
    assert (record.service, record.operation) == ("Members", f"{{{TNS}}}transfer")


def test_the_wsdl_is_served() -> None:
    answer = guarded().post(b"", REQUEST_METHOD="GET", QUERY_STRING="wsdl", CONTENT_LENGTH=None, CONTENT_TYPE=None)
    assert answer.status == "200 OK"
    assert b"definitions" in answer.body
    assert answer.record is None


def test_a_fault_of_spynes_own_passes_through() -> None:
    answer = guarded().post(message(body=op("transfer", "<b:to>eve</b:to><b:amount>much</b:amount>")))
    assert answer.status[:3] == "500"
    assert b"ValidationError" in answer.body
    assert answer.record is None


def test_service_classes_resolve_by_name_with_demands_of_their_own() -> None:
    text = {"username_token": {"password_types": ["PasswordText"]}}
    guard = guarded(services={"Members": text})
    assert guard.post(message(body=MOVE, kind="PasswordText")).status == "200 OK"
    assert guard.post(message(body=MOVE)).check == "username_token.password_type"


def test_a_name_that_is_no_service_class_is_refused_at_start() -> None:
    unknown: list[dict[str, Any]] = [{"services": {"Member": {}}}, {"exempt": [{"service": "Lead"}]}]
    for sections in unknown:
        with pytest.raises(ConfigError, match="is no service of the application"):
            guarded(**sections)
    with pytest.raises(ConfigError, match="a path alone"):
        guarded(exempt=[{"paths": ["/leads"]}])


def test_a_wrapped_application_is_introspected_through_spyne_app(calls: list[Any]) -> None:
    def wrapper(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/health":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"well"]
        return BANK(environ, start_response)  # type: ignore[no-any-return]

    guard = Guarded(wrapper, spyne_app=BANK, exempt=[{"service": "Leads"}])
    assert guard.post(envelope(None, LEAD)).check == "exemption"
    assert guard.post(message(body=MOVE)).status == "200 OK"
    assert guard.post(message(body=op("nothing"), nonce=b"n")).check == "operation.unknown"
    with pytest.raises(ConfigError):
        Guarded(wrapper, exempt=[{"service": "Leads"}])
    with pytest.raises(TypeError):
        Guarded(BANK, spyne_app=wrapper)


def test_a_subclass_of_spynes_application_is_recognised() -> None:
    class Mine(WsgiApplication):  # type: ignore[misc]  # spyne has no types
        pass

    assert Guarded(Mine(BANK.app), exempt=[{"service": "Leads"}]).post(envelope(None, LEAD)).check == "exemption"


def test_an_operation_that_spyne_does_not_have_is_refused(calls: list[Any]) -> None:
    for body in (op("Transfer"), op("nothing"), f'<x:transfer xmlns:x="{TNS}/"/>', '<x:lead xmlns:x="urn:other"/>'):
        soap_fault(guarded().post(message(body=body)), "operation.unknown")


# --- P1: charset ------------------------------------------------------------------------------------------------------


def test_p1_a_charset_that_says_one_thing_to_the_guard_and_another_to_spyne_is_refused(calls: list[Any]) -> None:
    """In UTF-7, "+ADw-" is "<": what seems to be a comment's text ends the comment."""
    hidden = "+AC0ALQA+-" + MOVE.replace("<", "+ADw-").replace(">", "+AD4-") + "+ADwAIQAt-- "
    octets = envelope(None, f"<!-- {hidden}-->" + LEAD)
    environ = {"CONTENT_TYPE": "text/xml; charset=utf-7"}
    assert bare(octets, **environ)[0] == "200 OK"
    assert [name for name, *_ in calls] == ["transfer"], "the danger is real"
    calls.clear()
    soap_fault(guarded().post(octets, **environ), "envelope.encoding")


def test_p1_spyne_is_given_the_charset_of_our_own_octets(calls: list[Any]) -> None:
    body = op("lead", "<b:name>é</b:name>")
    octets = envelope(None, body).decode().encode("latin-1")
    assert guarded().post(octets, CONTENT_TYPE="text/xml; charset=iso-8859-1").status == "200 OK"
    assert guarded().post(octets.decode("latin-1").encode("utf-16"), CONTENT_TYPE="text/xml").status == "200 OK"
    assert [arguments for _, arguments, _ in calls] == [("é",), ("é",)]


# --- P2: dispatch -----------------------------------------------------------------------------------------------------


def test_p2_spyne_runs_the_first_child_whatever_path_and_action_say(calls: list[Any]) -> None:
    environ = {"PATH_INFO": "/lead", "HTTP_SOAPACTION": '"lead"'}
    assert bare(envelope(None, MOVE), **environ)[0] == "200 OK"
    assert [name for name, *_ in calls] == ["transfer"], "the danger is real"
    calls.clear()
    soap_fault(guarded().post(envelope(None, MOVE), **environ), "envelope.soap_action")
    soap_fault(guarded().post(envelope(None, MOVE), PATH_INFO="/lead"), "security.missing")


def test_p2_a_child_without_namespace_is_refused(calls: list[Any]) -> None:
    octets = envelope(None, "<transfer><to>eve</to><amount>5</amount></transfer>")
    bare(octets)
    danger = [name for name, *_ in calls]
    calls.clear()
    soap_fault(guarded().post(octets), "operation.unknown")
    soap_fault(guarded().post(message(body="<transfer/>")), "operation.unknown")
    assert danger in (["transfer"], [])


def test_p2_a_second_body_is_refused(calls: list[Any]) -> None:
    two = f'<S:Envelope xmlns:S="{SOAP11}"><S:Body>{MOVE}</S:Body><S:Body>{LEAD}</S:Body></S:Envelope>'.encode()
    assert bare(two)[0] == "200 OK"
    assert [name for name, *_ in calls] == ["transfer"], "the danger is real"
    calls.clear()
    soap_fault(guarded().post(two), "envelope.structure")


def test_p2_of_two_children_spyne_runs_the_first_and_the_guard_takes_neither(calls: list[Any]) -> None:
    for body in (LEAD + MOVE, MOVE + LEAD):
        soap_fault(guarded().post(envelope(None, body)), "envelope.structure")


def test_p2_duplicate_and_foreign_parameters_are_to_spyne_what_they_are_in_our_octets(calls: list[Any]) -> None:
    body = op("transfer", '<b:to>bob</b:to><x:to xmlns:x="urn:x">eve</x:to><!-- --><b:amount>1<!-- -->0</b:amount>')
    guard = guarded()
    guard.post(message(body=body))
    through = list(calls)
    calls.clear()
    handed: list[bytes] = []

    def catching(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        handed.append(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [b"<ok/>"]

    Guarded(catching, spyne_app=BANK).post(message(body=body))
    bare(handed[-1])
    assert [arguments for _, arguments, _ in through] == [arguments for _, arguments, _ in calls]
    assert through[0][1][1] == 10, "no comment cuts a value in two"


# --- P3: href and id --------------------------------------------------------------------------------------------------


def test_p3_content_of_a_header_pulled_into_the_body_is_refused(calls: list[Any]) -> None:
    header = '<x:h xmlns:x="urn:x" id="evil">mallory</x:h>'
    body = op("transfer", '<b:to href="#evil"/><b:amount>5</b:amount>')
    assert bare(envelope(header, body))[0] == "200 OK"
    assert calls[0][1][0] == "mallory", "the danger is real"
    calls.clear()
    soap_fault(guarded().post(envelope(header, op("lead", '<b:name href="#evil"/>'))), "envelope.structure")
    octets = envelope(security(timestamp(), Token().xml()) + header, body)
    soap_fault(guarded().post(octets), "envelope.structure")


@pytest.mark.parametrize("href", ["#evil", "evil", "e#vil", "##evil", "urn:x#evil", "#nothing", "nothing", "http://h/"])
@pytest.mark.parametrize("place", ["header", "security", "body", "parameter"])
def test_p3_every_reference_that_spyne_would_follow_out_of_the_body_is_refused(
    href: str, place: str, calls: list[Any]
) -> None:
    attributes = {place: ' id="evil"'}
    header = f'<x:h xmlns:x="urn:x"{attributes.get("header", "")}>m</x:h>'
    header += security(timestamp(), attributes=attributes.get("security", ""))
    body = op("lead", f'<b:name href="{href}"/>' + ('<b:x id="evil"/>' if place == "parameter" else ""))
    octets = (
        f'<S:Envelope xmlns:S="{SOAP11}"><S:Header>{header}</S:Header>'
        f"<S:Body{attributes.get('body', '')}>{body}</S:Body></S:Envelope>"
    ).encode()
    answer = guarded().post(octets)
    followed_inside = place == "parameter" and href.replace("#", "") == "evil"
    if followed_inside:
        assert answer.check == "exemption"
    else:
        soap_fault(answer, "envelope.structure")


def test_p3_a_dangling_reference_is_a_fault_and_no_exception(calls: list[Any]) -> None:
    octets = envelope(None, op("lead", '<b:name href="#none"/><b:x id="other"/>'))
    with pytest.raises(KeyError):
        bare(octets)
    soap_fault(guarded().post(octets), "envelope.structure")


@pytest.mark.parametrize(
    "inner",
    [
        '<b:name href="#a"/><b:x id="a"><b:y href="#a"/></b:x>',
        '<b:name href="#a"/><b:x id="a"><b:y href="#b"/></b:x><b:x id="b"><b:y href="#a"/></b:x>',
    ],
)
def test_p3_a_cycle_is_a_fault_and_no_exception(inner: str, calls: list[Any]) -> None:
    octets = envelope(None, op("lead", inner))
    with pytest.raises(RecursionError):
        bare(octets)
    soap_fault(guarded().post(octets), "envelope.structure")


def test_p3_an_operation_that_refers_to_itself_is_a_fault(calls: list[Any]) -> None:
    octets = envelope(None, op("lead", '<b:name><b:y href="#op"/></b:name>', ' id="op"'))
    soap_fault(guarded().post(octets), "envelope.structure")


def test_p3_references_that_would_inflate_a_message_are_refused_in_no_time(calls: list[Any]) -> None:
    many = "".join(f'<b:x id="i{n}">{f"""<b:y href="#i{n + 1}"/>""" * 10}</b:x>' for n in range(30))
    wide = '<b:x id="big">' + "x" * 100_000 + "</b:x>" + '<b:y href="#big"/>' * 5_000
    started = time.process_time()
    for inner in (many + '<b:x id="i30">x</b:x>', wide):
        soap_fault(guarded().post(envelope(None, op("lead", inner))), "envelope.structure")
    assert time.process_time() - started < 3


def test_p3_honest_references_inside_the_body_arrive(calls: list[Any]) -> None:
    body = op("transfer", '<b:to href="#n"/><b:amount>5</b:amount>') + '<multiRef id="n">bob</multiRef>'
    assert guarded().post(message(body=body)).status == "200 OK"
    assert calls == [("transfer", ("bob", 5), "alice")]


def test_p3_an_href_that_is_only_data_passes_where_no_id_exists(calls: list[Any]) -> None:
    body = op("lead", '<b:name href="http://example.org/">bob</b:name>')
    with pytest.raises(KeyError):
        bare(envelope(None, body.replace("<b:name ", '<b:x id="i"/><b:name ')))
    assert guarded().post(envelope(None, body)).status == "200 OK"
    assert [arguments for _, arguments, _ in calls] == [("bob",)]


# --- P4: what makes spyne raise ---------------------------------------------------------------------------------------

EMPTY = f'<S:Envelope xmlns:S="{SOAP11}">%s</S:Envelope>'
FAULT = "<S:Fault><faultcode>S:Client</faultcode><faultstring>x</faultstring></S:Fault>"
RAISING: list[tuple[bytes, dict[str, Any], str]] = [
    ((EMPTY % "<S:Body/>").encode(), {}, "envelope.structure"),
    ((EMPTY % "<S:Header/>").encode(), {}, "envelope.structure"),
    ((EMPTY % f"<S:Body>{FAULT}</S:Body>").encode(), {}, "envelope.structure"),
    (envelope(None, LEAD), {"CONTENT_TYPE": "text/xml; charset=nonsense"}, "envelope.encoding"),
    (envelope(None, LEAD), {"CONTENT_LENGTH": "many"}, "http.length"),
    (b"", {}, "envelope.malformed"),
]


@pytest.mark.parametrize(("octets", "environ", "check"), RAISING)
def test_p4_what_makes_spyne_raise_is_a_soap_fault_of_ours(
    octets: bytes, environ: dict[str, Any], check: str, calls: list[Any]
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever spyne makes of it
        bare(octets, **environ)
    guard = guarded()
    if check == "http.length":  # wsgiref's validator reads the number too
        iterable = guard.guard(
            {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "text/xml", "wsgi.input": BytesIO(octets), **environ},
            lambda status, headers, exc_info=None: lambda data: None,
        )
        assert b"Fault>" in b"".join(iterable)
        assert guard.records[-1].check == check
    else:
        soap_fault(guard.post(octets, **environ), check)


def test_p4_a_missing_content_type_is_a_fault(calls: list[Any]) -> None:
    soap_fault(guarded().post(envelope(None, LEAD), CONTENT_TYPE=None), "http.content_type")


# --- P5: MIME ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ['multipart/related; boundary=b; start="<two>"', "multipart/mixed; boundary=b"])
def test_p5_multipart_is_refused(kind: str, calls: list[Any]) -> None:
    parts = [("one", MOVE), ("two", LEAD)]
    octets = b"".join(
        f"--b\r\nContent-Type: text/xml\r\nContent-ID: <{name}>\r\n\r\n".encode() + envelope(None, body) + b"\r\n"
        for name, body in parts
    )
    answer = guarded().post(octets + b"--b--\r\n", CONTENT_TYPE=kind)
    soap_fault(answer, "http.content_type")
    assert answer.status[:3] == "415"


def test_p5_multipart_under_a_plain_content_type_is_no_xml(calls: list[Any]) -> None:
    octets = b"--b\r\nContent-Type: text/xml\r\n\r\n" + envelope(None, MOVE) + b"\r\n--b--\r\n"
    soap_fault(
        guarded().post(octets, CONTENT_TYPE="text/xml; boundary=b; type=multipart/related"), "envelope.malformed"
    )


# --- P6: method and WSDL ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [{"QUERY_STRING": "wsdl"}, {"PATH_INFO": "/bank.wsdl"}])
def test_p6_a_post_to_the_wsdl_is_a_call(environ: dict[str, str], calls: list[Any]) -> None:
    assert bare(envelope(None, MOVE), **environ)[0] == "200 OK"
    assert [name for name, *_ in calls] == ["transfer"], "the danger is real"
    calls.clear()
    soap_fault(guarded().post(envelope(None, MOVE), **environ), "security.missing")


def addresses(*hosts: str, said: str = "") -> list[bytes]:
    """The address in the WSDL that each of those who ask for it by these names is given, one after another."""
    server = application()
    if said:
        server.doc.wsdl11.build_interface_document(said)
    wsdl = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None, "CONTENT_TYPE": None}
    guard = Guarded(server)
    return [
        re.findall(rb'<wsdlsoap11:address location="([^"]*)"', guard.post(b"", HTTP_HOST=host, **wsdl).body)[0]
        for host in hosts
    ]


def test_p6_the_wsdl_has_the_address_that_the_documents_have_you_say(calls: list[Any]) -> None:
    """spyne keeps what the first who asks says of it."""
    first, second = addresses("evil.example", "club.example")
    assert (first, second) == (b"http://evil.example/soap",) * 2, "the danger is real"
    said = "https://club.example/soap"
    assert addresses("evil.example", "club.example", said=said) == [said.encode()] * 2


@pytest.mark.parametrize("method", ["post", "Post", "PUT", "GET", "get"])
def test_p6_any_method_but_post_is_refused(method: str, calls: list[Any]) -> None:
    started: list[str] = []
    guard = guarded()
    octets = envelope(None, LEAD)
    environ = {
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": "text/xml",
        "CONTENT_LENGTH": str(len(octets)),
        "QUERY_STRING": "wsdl",
        "wsgi.input": BytesIO(octets),
    }
    body = b"".join(guard.guard(environ, lambda status, headers, exc_info=None: started.append(status)))  # type: ignore[arg-type]
    assert started[0].startswith("405")
    assert b"Fault>" in body
    assert calls == []


# --- P7: import -------------------------------------------------------------------------------------------------------


def test_p7_wsguard_does_not_import_spyne() -> None:
    code = (
        "import sys, wsguard, wsguard.spyne, wsguard.cli; "
        "sys.exit(any(name.partition('.')[0] == 'spyne' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


# --- The exemption, pushed from every side ----------------------------------------------------------------------------

XOP = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:a"/>'
PUSHED: list[tuple[str, bytes, dict[str, Any]]] = [
    ("action of the exempt one", envelope(None, MOVE), {"HTTP_SOAPACTION": '"lead"'}),
    ("action of the guarded one", envelope(None, LEAD), {"HTTP_SOAPACTION": '"transfer"'}),
    ("action in the type", envelope(None, LEAD), {"CONTENT_TYPE": 'text/xml; action="urn:bank/transfer"'}),
    ("path", envelope(None, MOVE), {"PATH_INFO": "/Leads"}),
    ("query", envelope(None, MOVE), {"QUERY_STRING": "wsdl&op=lead"}),
    ("second child", envelope(None, LEAD + MOVE), {}),
    ("second child, referenced", envelope(None, op("lead", '<b:name href="#i"/>') + op("transfer", "", ' id="i"')), {}),
    ("first child, referenced", envelope(None, op("transfer", "", ' id="i"') + op("lead", '<b:name href="#i"/>')), {}),
    ("exempt in header", envelope(LEAD, MOVE), {}),
    ("exempt around", envelope(None, f'<x:Wrap xmlns:x="urn:x">{LEAD}{MOVE}</x:Wrap>'), {}),
    ("two envelopes", envelope(None, LEAD) + envelope(None, MOVE), {}),
    ("two bodies", (EMPTY % f"<S:Body>{LEAD}</S:Body><S:Body>{MOVE}</S:Body>").encode(), {}),
    ("body before header", (EMPTY % f"<S:Body>{MOVE}</S:Body><S:Header>{LEAD}</S:Header>").encode(), {}),
    ("body in the header", envelope(f"<S:Body>{LEAD}</S:Body>", MOVE), {}),
    ("nested envelope", envelope(None, envelope(None, LEAD).decode() + MOVE), {}),
    ("text before", envelope(None, "lead" + MOVE), {}),
    ("no namespace", envelope(None, "<lead><name>x</name></lead>"), {}),
    ("look-alike namespace", envelope(None, LEAD.replace(TNS, TNS + " ")), {}),
    ("case", envelope(None, LEAD.replace("lead", "Lead")), {}),
    ("brace in the namespace", envelope(None, '<x:lead xmlns:x="urn:bank}lead"/>'), {}),
    ("soap 1.2 around", envelope(None, MOVE, SOAP12), {}),
    ("other envelope", envelope(None, LEAD, "urn:soap"), {}),
    ("entity", b'<!DOCTYPE a [<!ENTITY op "lead">]>' + envelope(None, MOVE), {}),
    ("instruction", b"<?x y?>" + envelope(None, LEAD), {}),
    ("instruction inside", envelope(None, "<?x y?>" + LEAD), {}),
    ("utf-7", envelope(None, LEAD), {"CONTENT_TYPE": "text/xml; charset=utf-7"}),
    ("encrypted", envelope(None, '<x:EncryptedData xmlns:x="http://www.w3.org/2001/04/xmlenc#"/>'), {}),
    ("duplicate id", envelope('<h id="i"/>', op("lead", '<b:name href="#i"/><b:x id="i">y</b:x>')), {}),
    ("xop", envelope(None, op("transfer", XOP)), {}),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "environ"), [push[1:] for push in PUSHED], ids=[push[0] for push in PUSHED])
def test_the_exemption_lets_nothing_else_through(octets: bytes, environ: dict[str, Any], calls: list[Any]) -> None:
    answer = guarded().post(octets, **environ)
    assert answer.check not in ("", "exemption")
    assert answer.status[0] in "45"
    assert b"Fault>" in answer.body
    assert calls == []


def test_a_security_header_does_not_make_an_exempt_message_somebody_elses(calls: list[Any]) -> None:
    answer = guarded().post(message(body=LEAD, password="wrong"))
    assert (answer.status, answer.check) == ("200 OK", "exemption")
    assert calls == [("lead", ("eve",), None)]


def test_binary_noise_never_reaches_spyne(calls: list[Any]) -> None:
    for noise in (b"\0", b"\xff\xfe", base64.b64encode(b"x" * 99), b"<" * 999, envelope(None, LEAD)[:-1], b"\x1f\x8b"):
        answer = guarded().post(noise)
        assert answer.check.split(".")[0] in ("envelope", "limits")
    assert calls == []


def test_wsguard_has_no_version_of_spyne_in_its_own_answers() -> None:
    assert wsguard.__version__
    assert b"spyne" not in guarded().post(envelope(None, MOVE)).body.lower()


def test_two_service_classes_of_one_name_are_told_apart_and_neither_answers_to_it() -> None:
    class Method:
        def __init__(self, owner: type, name: str) -> None:
            self.service_class, self.parent_class, self.aux = owner, None, None
            self.name = self.operation_name = name

    one = type("Service", (), {"__module__": "leads"})
    other = type("Service", (), {"__module__": "payments"})
    interface = type("Interface", (), {})()
    interface.service_method_map = {"{urn:x}add": [Method(one, "add")], "{urn:x}pay": [Method(other, "pay")]}
    application = type("WsgiApplication", (), {"__module__": "spyne.server.wsgi"})()
    application.app = type("Application", (), {"interface": interface})()
    found = introspect(application)
    assert found is not None
    assert found.operations == {
        "leads.Service": frozenset({"{urn:x}add"}),
        "payments.Service": frozenset({"{urn:x}pay"}),
    }
    with pytest.raises(ConfigError, match="'Service' is no service of the application"):
        ServiceTable(wsguard.Policy.model_validate({"exempt": [{"service": "Service"}]}), found)


def test_an_auxiliary_method_lends_its_exemption_to_nobody() -> None:
    class Method:
        def __init__(self, owner: type, aux: object) -> None:
            self.service_class, self.parent_class, self.aux = owner, None, aux
            self.name = self.operation_name = "pay"

    primary, beside = type("Payments", (), {}), type("Notes", (), {})
    interface = type("Interface", (), {})()
    interface.service_method_map = {"{urn:x}pay": [Method(primary, None), Method(beside, object())]}
    application = type("WsgiApplication", (), {"__module__": "spyne.server.wsgi"})()
    application.app = type("Application", (), {"interface": interface})()
    found = introspect(application)
    assert found is not None
    assert found.operations == {"Payments": frozenset({"{urn:x}pay"})}


# --- The verified tree ------------------------------------------------------------------------------------------------


def test_spyne_takes_the_tree_that_was_verified(
    handed_as: str, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[object] = []
    parse = sys.modules["spyne.protocol.soap.soap11"]._parse_xml_string

    def parsing(*given: Any) -> object:
        parsed.append(given)
        return parse(*given)

    monkeypatch.setattr("spyne.protocol.soap.soap11._parse_xml_string", parsing)
    guarded().post(message(body=MOVE))
    assert len(parsed) == (handed_as == "the octets")
    assert calls == [("transfer", ("eve", 5), "alice")]


def test_a_body_that_somebody_put_in_between_is_what_spyne_takes(calls: list[Any]) -> None:
    guard = guarded()

    def replacing(ctx: Any) -> None:
        octets = envelope(None, op("ping", "<b:text>other</b:text>"))
        ctx.transport.req_env.update({"wsgi.input": BytesIO(octets), "CONTENT_LENGTH": str(len(octets))})

    BANK.event_manager.add_listener("wsgi_call", replacing)
    try:
        guard.post(message(body=MOVE))
    finally:
        BANK.event_manager.del_listener("wsgi_call", replacing)
    assert calls == [("ping", ("other",), "alice")]


def test_a_body_that_somebody_read_is_read_no_further(calls: list[Any]) -> None:
    guard = guarded()

    def reading(ctx: Any) -> None:
        ctx.transport.req_env["wsgi.input"].read(1)

    BANK.event_manager.add_listener("wsgi_call", reading)
    try:
        answer = guard.post(message(body=MOVE))
    finally:
        BANK.event_manager.del_listener("wsgi_call", reading)
    assert (answer.status, calls) == ("500 Internal Server Error", [])


def test_a_message_longer_than_spyne_takes_is_refused_by_spyne(calls: list[Any]) -> None:
    small = application()
    small.max_content_length = 600
    answer = Guarded(small).post(message(body=op("ping", f"<b:text>{'x' * 600}</b:text>")))
    assert (answer.check, b"RequestTooLong" in answer.body) == ("", True)
    assert calls == []


def test_each_of_two_servers_of_one_application_keeps_its_own_bound(calls: list[Any]) -> None:
    large = application()
    small = WsgiApplication(large.app, max_content_length=600)
    octets = message(body=op("ping", f"<b:text>{'x' * 600}</b:text>"))
    assert Guarded(large).post(octets).status == "200 OK"
    assert b"RequestTooLong" in Guarded(small).post(octets).body
    assert len(calls) == 1


@pytest.mark.parametrize("settings", [{"remove_blank_text": True}, {"ns_clean": True}, {"strip_cdata": False}])
def test_a_protocol_that_parses_otherwise_goes_on_parsing(
    settings: dict[str, bool], calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = application()
    other.app.in_protocol.parser_kwargs.update(settings)
    Guarded(other)
    assert "create_in_document" not in vars(other.app.in_protocol)


def test_a_protocol_of_somebodys_own_is_left_alone() -> None:
    other = application()
    own = other.app.in_protocol.create_in_document = lambda ctx, charset=None: None
    Guarded(other)
    assert other.app.in_protocol.create_in_document is own


def test_without_a_guard_the_application_answers_as_before(calls: list[Any]) -> None:
    guarded()
    assert bare(envelope(None, op("ping", "<b:text>direct</b:text>")))[0] == "200 OK"
    assert calls == [("ping", ("direct",), None)]
