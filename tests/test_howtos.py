"""The how-tos do what they say: their Python and their configuration, laid out as a reader would, and then used."""

import ast
import base64
import gzip
import hashlib
import http.client
import itertools
import json
import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
import zeep
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from lxml import etree
from typer.testing import CliRunner
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

import wsguard
import wsguard.client
from sample_service.connector import AsPublished
from tests import messages, pki
from tests.encrypting import KEY_INFOS, Encryption, encrypted, key_info, to_id
from tests.guarding import Answer, Echo, Guarded, post
from tests.messages import NOW, SOAP12, Token, envelope, security, stamp, timestamp
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, signed, unsigned
from tests.test_docs import ROOT, blocks
from tests.test_gunicorn import free_port, wait_for
from wsguard.audit import open_reader
from wsguard.checks import CHECKS
from wsguard.cli.application import application as command_line
from wsguard.client import Answers, DecryptionKey, Sent, ZeepSecurity, verify_answer
from wsguard.faults import Fault
from wsguard.interfaces import AuditRecord
from wsguard.middleware import Guard
from wsguard.names import THUMBPRINT_SHA1, X509_SUBJECT_KEY_IDENTIFIER, X509_V3
from wsguard.policy import Policy
from wsguard.policy.demands import ALL_ALGORITHMS, AlgorithmDemands
from wsguard.policy.surroundings import Limits
from wsguard.policy.values import Section
from wsguard.reloading import INTERVAL, INTERVAL_WHILE_BROKEN, SETTLED, Reloader
from wsguard.securing import Securing, SigningKey, secure
from wsguard.verified import Principal, VerifiedMessage

WITH_SPYNE = pytest.mark.skipif(sys.version_info >= (3, 12), reason="spyne 2.14 does not import on Python 3.12")
HOWTOS = (
    "spyne", "flask", "deployment", "exemptions", "find-out-why", "rotation", "signatures", "encryption", "answers",
    "pega",
)  # fmt: skip
PATIENCE = 15.0
"""Seconds that gunicorn may take before it is broken."""
USERS = '"alice" = "secret"\n'
CLUB = """
def soap(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", "5")])
    return [b"<ok/>"]
"""
"""An application of the reader's own that answers any SOAP message."""


def shown(page: str, language: str) -> list[str]:
    return [block.text for block in blocks(language) if block.page == f"docs/{page}.md"]


class Reader:
    """Somebody who does in an empty directory what a page says."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.made: list[Guard] = []
        self.write("users.toml", USERS)
        (directory / "users.toml").chmod(0o600)

    def write(self, name: str, text: str) -> Path:
        file = self.directory / name
        file.write_text(text, encoding="utf-8")
        return file

    def configure(self, text: str = "", name: str = "wsguard.toml") -> Path:
        """A configuration that says where users are, and otherwise what a page says."""
        users = "" if "[users]" in text else '\n[users]\nurl = "toml:users.toml"\n'
        return self.write(name, text + users)

    def run(self, code: str) -> dict[str, Any]:
        """What a module with this code has in it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # spyne imports cgi, and brings a six of its own
            return runpy.run_path(str(self.write("service.py", code)))

    def records(self) -> list[AuditRecord]:
        """What was recorded, the oldest first."""
        return open_reader([f"sqlite:///{self.directory / 'wsguard-audit.db'}"]).read(limit=1000)[::-1]

    def refused_by(self, answer: Answer) -> str:
        """The check under the incident that the fault names."""
        named = re.search(rb"\[(\w{26})\]", answer.body)
        assert named is not None, answer.body
        (record,) = [record for record in self.records() if record.incident.encode() == named[1]]
        return record.check

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run ``wsguard`` as a process of its own."""
        code = "from wsguard.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    somebody = Reader(tmp_path)
    original = wsguard.guard

    def remembered(*arguments: Any, **keywords: Any) -> Guard:
        somebody.made.append(original(*arguments, **keywords))
        return somebody.made[-1]

    monkeypatch.setattr(wsguard, "guard", remembered)
    yield somebody
    for guard in somebody.made:
        guard.close()
    sys.modules.pop("club", None)


def fresh(body: str = messages.PAYLOAD, soap: str = messages.SOAP11, *, age: float = 0, **token: Any) -> bytes:
    """What an honest client sends now, or sent ``age`` seconds ago."""
    created = (datetime.now(UTC) - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
    signed = Token(nonce=os.urandom(16), created=created, **token)
    return envelope(security(timestamp(created, None), signed.xml()), body, soap)


def call(operation: str, namespace: str = "urn:club", argument: str = "number") -> str:
    return f'<c:{operation} xmlns:c="{namespace}"><c:{argument}>7</c:{argument}></c:{operation}>'


RENEW, PAY = call("renew"), call("pay")

# --- docs/spyne.md ----------------------------------------------------------------------------------------------------


@pytest.fixture
def club(reader: Reader) -> dict[str, Any]:
    """The service of the page on spyne, with its configuration."""
    reader.configure("".join(shown("spyne", "toml")))
    return reader.run("\n".join(shown("spyne", "python")))


@WITH_SPYNE
def test_the_spyne_service_knows_who_called_and_under_which_incident(club: dict[str, Any]) -> None:
    answer = post(club["application"], fresh(RENEW))
    assert answer.status == "200 OK", answer.body
    assert re.search(rb"7 renewed by alice in \w{26}<", answer.body)


@WITH_SPYNE
def test_a_service_class_has_demands_of_its_own_by_its_name(club: dict[str, Any], reader: Reader) -> None:
    assert post(club["application"], fresh(RENEW, age=100)).status == "200 OK"
    assert post(club["application"], fresh(PAY)).status == "200 OK"
    assert reader.refused_by(post(club["application"], fresh(PAY, age=100))) == "timestamp.expired"


@WITH_SPYNE
def test_both_soap_versions_are_served_by_two_applications_and_one_memory(club: dict[str, Any], reader: Reader) -> None:
    as12 = {"CONTENT_TYPE": "application/soap+xml; charset=utf-8"}
    mounted = {**as12, "PATH_INFO": "/soap12"}
    octets = fresh(RENEW, SOAP12)
    answer = post(club["both"], octets, **mounted)
    assert (answer.status, b"renewed by alice" in answer.body) == ("200 OK", True), answer.body
    assert reader.refused_by(post(club["both"], octets, **as12)) == "replay.nonce"
    assert post(club["both"], fresh(RENEW), PATH_INFO="/soap12").status.startswith("500"), "spyne speaks one of them"
    assert b"Envelope element was found" in post(club["both"], fresh(RENEW, SOAP12), **as12).body
    assert post(club["both"], fresh(RENEW)).status == "200 OK"


@WITH_SPYNE
def test_spynes_own_faults_have_no_incident_and_its_validator_is_needed(club: dict[str, Any], reader: Reader) -> None:
    wrong = call("renew", argument="another")
    answer = post(club["application"], fresh(wrong))
    assert (b"SchemaValidationError" in answer.body, re.search(rb"\[\w{26}\]", answer.body)) == (True, None)
    lax = reader.run(shown("spyne", "python")[0].replace('Soap11(validator="lxml")', "Soap11()"))
    assert b"None renewed by alice" in post(lax["application"], fresh(wrong)).body


@WITH_SPYNE
@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("[services.Memberservice]", "MemberService, PaymentService"),
        ('[services.Members]\npaths = ["/soap"]', "a path alone"),
        ('[services.Members]\noperations = ["{urn:club}gone"]', "the application has no operation"),
    ],
)
def test_a_name_that_is_no_service_class_is_refused_at_start(
    club: dict[str, Any], reader: Reader, section: str, reason: str
) -> None:
    reader.configure(section)
    with pytest.raises(wsguard.ConfigError, match=reason):
        reader.run(shown("spyne", "python")[0])


@WITH_SPYNE
def test_the_name_of_the_class_counts_whatever_the_wsdl_calls_it(reader: Reader) -> None:
    reader.configure("[services.MemberService]\ntimestamp.time_to_live = 60\n")
    named = shown("spyne", "python")[0].replace(
        "class MemberService(ServiceBase):", 'class MemberService(ServiceBase):\n    __service_name__ = "Members"'
    )
    application = reader.run(named)["application"]
    assert reader.refused_by(post(application, fresh(RENEW, age=100))) == "timestamp.expired"
    wsdl = post(application, b"", REQUEST_METHOD="GET", QUERY_STRING="wsdl", CONTENT_TYPE=None, CONTENT_LENGTH=None)
    assert (wsdl.status, b'name="Members"' in wsdl.body) == ("200 OK", True)


SEEN_BY_SPYNE = """
from spyne import Application, ComplexModel, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
from lxml import etree
import wsguard


class Trace(ComplexModel):
    __namespace__ = "urn:club"
    step = Unicode


class MemberService(ServiceBase):
    __in_header__ = Trace

    @rpc(Unicode, _returns=Unicode)
    def renew(ctx, number):
        text = etree.tostring(ctx.in_document, encoding="unicode")
        environ = ctx.transport.req_env
        has = [word for word in ("Security", "<!--") if word in text]
        return f"{ctx.in_header.step} {has} {environ['AUTH_TYPE']} {environ['CONTENT_TYPE']}"


soap = Application([MemberService], "urn:club", in_protocol=Soap11(), out_protocol=Soap11())
application = wsguard.guard(WsgiApplication(soap), "wsguard.toml")
"""


@WITH_SPYNE
def test_spyne_gets_other_header_blocks_and_neither_comments_nor_the_security_header(reader: Reader) -> None:
    reader.configure()
    block = '<c:Trace xmlns:c="urn:club"><c:step>first</c:step></c:Trace></S:Header>'
    octets = fresh(RENEW.replace("7", "<!-- -->7")).replace(b"</S:Header>", block.encode())
    answer = post(reader.run(SEEN_BY_SPYNE)["application"], octets)
    assert b"first [] WS-Security text/xml; charset=utf-8" in answer.body, answer.body


@WITH_SPYNE
def test_the_check_that_the_spyne_page_shows_passes_for_its_service(club: dict[str, Any], reader: Reader) -> None:
    (line,) = [text for text in shown("spyne", "console") if "check" in text]
    done = reader.command(*shlex.split(line)[1:], "--json")
    assert done.returncode == 0, done.stderr
    matrix = {row["service"]: row["demands"]["timestamp"]["time_to_live"] for row in json.loads(done.stdout)["matrix"]}
    assert matrix == {"PaymentService": 60, "MemberService": 300, "": 300}


# --- docs/flask.md ----------------------------------------------------------------------------------------------------


@pytest.fixture
def flask(reader: Reader) -> dict[str, Any]:
    """The services of the page on Flask, with their configurations."""
    pytest.importorskip("flask")
    mounted, orders = shown("flask", "toml")
    reader.configure(mounted)
    reader.configure(orders, "orders.toml")
    return reader.run("\n".join(shown("flask", "python")))


@WITH_SPYNE
def test_only_what_is_mounted_in_flask_is_guarded(flask: dict[str, Any], reader: Reader) -> None:
    browser = Client(flask["app"])
    assert browser.get("/").text == "Welcome to the club."
    as_xml = {"content_type": "text/xml; charset=utf-8"}
    answer = browser.post("/soap/members", data=fresh(RENEW), **as_xml)
    assert (answer.status_code, "7 renewed by alice" in answer.text) == (200, True), answer.text
    assert browser.post("/soap/members", data=envelope(None, RENEW), **as_xml).status_code == 500
    assert browser.post("/soap/members/", data=fresh(RENEW), **as_xml).status_code == 500
    assert browser.get("/soap/members").status_code == 405
    assert [record.check for record in reader.records()] == ["security.missing", "operation.unknown", "http.method"]
    assert {record.path for record in reader.records()} == {"/soap/members", "/soap/members/"}


@WITH_SPYNE
def test_a_guard_around_a_middleware_is_told_of_the_spyne_application_inside(
    flask: dict[str, Any], reader: Reader
) -> None:
    assert post(flask["application"], fresh(RENEW), PATH_INFO="/soap/members").status == "200 OK"
    config = reader.configure("[services.MemberService]\ntimestamp.time_to_live = 60\n", "names.toml")
    assert "MemberService" in wsguard.guard(flask["timed"], config, spyne_app=flask["inner"]).policy.services
    with pytest.raises(wsguard.ConfigError, match="is no service of the application"):
        wsguard.guard(flask["timed"], config)


@WITH_SPYNE
def test_a_flask_view_that_reads_soap_is_guarded_by_operations_and_paths(flask: dict[str, Any], reader: Reader) -> None:
    order = call("placeOrder", "urn:orders")
    browser = Client(flask["orders"])
    as_xml = {"content_type": "text/xml"}
    answer = browser.post("/orders", data=fresh(order), **as_xml)
    assert (answer.status_code, answer.text) == (200, "<done by='alice'>placeOrder</done>")
    assert browser.post("/orders", data=envelope(None, order), **as_xml).status_code == 500
    assert browser.post("/elsewhere", data=fresh(order), **as_xml).status_code == 500
    assert browser.post("/elsewhere", data=envelope(None), **as_xml).status_code == 500
    checks = [record.check for record in reader.records()]
    assert checks == ["security.missing", "operation.unknown", "security.missing"]


# --- docs/exemptions.md -----------------------------------------------------------------------------------------------

LEADS = """
from spyne import Application, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
import wsguard


def seen(ctx):
    environ = ctx.transport.req_env
    message = environ["wsguard.message"]
    return f"{environ.get('REMOTE_USER')} {message.exempt} {message.principal}"


class LeadService(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def submitLead(ctx, number):
        return seen(ctx)


class MemberService(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def renew(ctx, number):
        return seen(ctx)


soap = Application([LeadService, MemberService], "urn:club", in_protocol=Soap11(), out_protocol=Soap11())
application = wsguard.guard(WsgiApplication(soap), "wsguard.toml")
"""
LEAD = call("submitLead")


@pytest.fixture
def leads(reader: Reader) -> dict[str, Any]:
    """A spyne application with the first exemption of the page."""
    reader.configure(shown("exemptions", "toml")[0])
    return reader.run(LEADS)


@WITH_SPYNE
def test_an_exempt_message_is_nobodys_whatever_it_says_and_may_come_twice(
    leads: dict[str, Any], reader: Reader
) -> None:
    signed = fresh(LEAD)
    for octets in (envelope(None, LEAD), signed, signed, fresh(LEAD, password="wrong", age=9999)):
        answer = post(leads["application"], octets, REMOTE_USER="root")
        assert b"None True None" in answer.body, answer.body
    assert [(record.outcome, record.service) for record in reader.records()] == [("exempt", "LeadService")] * 4
    assert post(leads["application"], envelope(None, RENEW)).status.startswith("500")


@WITH_SPYNE
@pytest.mark.parametrize(
    ("body", "changes", "check"),
    [
        (LEAD, {"HTTP_SOAPACTION": '"submitLead"'}, "exemption"),
        (LEAD, {"HTTP_SOAPACTION": '""'}, "exemption"),
        (LEAD, {"HTTP_SOAPACTION": '"renew"'}, "envelope.soap_action"),
        (LEAD, {"HTTP_SOAPACTION": '"anything"'}, "envelope.soap_action"),
        (RENEW, {"HTTP_SOAPACTION": '"submitLead"'}, "envelope.soap_action"),
        (RENEW, {"PATH_INFO": "/leads"}, "security.missing"),
        (LEAD + RENEW, {}, "envelope.structure"),
        (RENEW + LEAD, {}, "envelope.structure"),
        (LEAD, {"CONTENT_TYPE": "application/xml"}, "http.content_type"),
    ],
    ids=[
        "own action",
        "empty action",
        "action of another",
        "unknown action",
        "action of the exempt one",
        "its path",
        "second child guarded",
        "second child exempt",
        "wrong type",
    ],
)
def test_a_message_is_exempt_by_its_operation_alone(
    leads: dict[str, Any], reader: Reader, body: str, changes: dict[str, str], check: str
) -> None:
    answer = post(leads["application"], envelope(None, body), **changes)
    (record,) = reader.records()
    assert (record.check, answer.status == "200 OK") == (check, check == "exemption")


@WITH_SPYNE
@pytest.mark.parametrize(
    ("header", "check"),
    [
        (security() + security(), "security.duplicate"),
        ('<a Id="x"/><b Id="x"/>', "envelope.duplicate_id"),
    ],
)
def test_an_exempt_message_is_still_held_to_its_shape(
    leads: dict[str, Any], reader: Reader, header: str, check: str
) -> None:
    assert reader.refused_by(post(leads["application"], envelope(header, LEAD))) == check


@WITH_SPYNE
def test_an_exempt_message_that_cannot_be_recorded_is_refused(reader: Reader) -> None:
    reader.configure(shown("exemptions", "toml")[0] + '\n[audit]\nurl = "jsonl:records/audit.jsonl"\n')
    (reader.directory / "records").mkdir()
    application = reader.run(LEADS)["application"]
    assert post(application, envelope(None, LEAD)).status == "200 OK"
    (reader.directory / "records" / "audit.jsonl").unlink()
    (reader.directory / "records").rmdir()
    assert post(application, envelope(None, LEAD)).status.startswith("503")


def test_an_application_without_spyne_is_exempted_by_operation_and_path(reader: Reader) -> None:
    config = reader.configure(shown("exemptions", "toml")[1])
    guarded = wsguard.guard(Echo(), config)
    lead = envelope(None, call("submitLead", "urn:leads"))
    assert post(guarded, lead, PATH_INFO="/leads").status == "200 OK"
    assert reader.refused_by(post(guarded, lead, PATH_INFO="/members")) == "operation.unknown"
    assert reader.refused_by(post(guarded, envelope(None), PATH_INFO="/leads")) == "security.missing"


@WITH_SPYNE
@pytest.mark.parametrize(
    ("review", "status", "risks"),
    [
        ("review = {in half a year}", 0, []),
        ("review = 2031-06-30", 0, ["medium"]),
        ("review = 2020-06-30", 1, ["high"]),
        ("", 0, ["medium"]),
    ],
)
def test_the_check_fails_once_the_review_of_an_exemption_is_overdue(
    reader: Reader, review: str, status: int, risks: list[str]
) -> None:
    soon = date.today() + timedelta(days=182)  # noqa: DTZ011 - the command asks for the day too
    review = review.replace("{in half a year}", soon.isoformat())
    reader.configure(shown("exemptions", "toml")[0].replace("review = 2031-06-30", review))
    reader.write("service.py", LEADS)
    (line,) = [text for text in shown("exemptions", "console") if "check" in text]
    done = reader.command(*shlex.split(line)[1:], "--json")
    assert done.returncode == status, done.stderr
    found = json.loads(done.stdout)["findings"]
    assert [finding["risk"] for finding in found if finding["setting"].startswith("exempt")] == risks


@WITH_SPYNE
def test_exemptions_in_use_are_listed_by_the_commands_of_the_page(leads: dict[str, Any], reader: Reader) -> None:
    post(leads["application"], envelope(None, LEAD))
    _, plain, as_json = [line for text in shown("exemptions", "console") for line in text.splitlines()]
    assert "1 records" in reader.command(*shlex.split(plain)[1:]).stdout
    (record,) = json.loads(reader.command(*shlex.split(as_json)[1:]).stdout)
    assert (record["outcome"], record["remote_addr"]) == ("exempt", "192.0.2.7")


# --- docs/deployment.md -----------------------------------------------------------------------------------------------


def deployed(reader: Reader) -> str:
    """The module of the page, in the reader's directory, after writing what stands around it."""
    reader.write("club.py", CLUB)
    reader.configure('[audit]\nurl = "sqlite:///wsguard-audit.db"\nrecord = "all"\n')
    return "\n".join(shown("deployment", "python")).replace("/etc/club", str(reader.directory))


@pytest.fixture
def served(reader: Reader) -> Iterator[int]:
    """The port on which the page's own command serves its module."""
    reader.write("service.py", deployed(reader))
    (line,) = [line for text in shown("deployment", "console") for line in text.splitlines() if "--preload" in line]
    port = free_port()
    words = shlex.split(line.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    command = [sys.executable, "-m", *words, "--worker-tmp-dir", str(reader.directory), "--no-control-socket"]
    log = reader.directory / "gunicorn.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=reader.directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(server, port, log)
        yield port
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0, "a clean shutdown"
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(PATIENCE)


def ask(port: int, method: str, path: str, octets: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Status and body of one request, as a proxy passes it on."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        chunked = "Transfer-Encoding" in sent
        body = iter([octets[:100], octets[100:]]) if chunked else octets or None
        connection.request(method, path, body, sent, encode_chunked=chunked)
        response = connection.getresponse()
        return response.status, response.read()


def test_the_deployment_that_is_shown_serves_and_its_workers_share_their_stores(served: int, reader: Reader) -> None:
    sent = {"Content_Type": "text/xml; charset=utf-8", "X_Forwarded_For": "203.0.113.9, 192.0.2.33"}
    octets = fresh()
    assert ask(served, "POST", "/soap", octets, **sent) == (200, b"<ok/>")
    assert [ask(served, "POST", "/soap", octets, **sent)[0] for _ in range(12)] == [500] * 12, (
        "whichever worker is asked"
    )
    assert ask(served, "POST", "/soap", fresh(), **sent, Transfer_Encoding="chunked") == (200, b"<ok/>")
    assert ask(served, "GET", "/alive") == (200, b"ok\n")
    assert ask(served, "GET", "/soap")[0] == 405
    status, body = ask(served, "POST", "/soap", fresh() + b" " * 2_097_152, **sent)
    assert (status, b"Fault>" in body) == (413, True)
    records = reader.records()
    checks = sorted(record.check for record in records)
    assert checks == ["", "", "http.method", "limits.body_bytes", *["replay.nonce"] * 12]
    assert {record.remote_addr for record in records if record.check != "http.method"} == {"192.0.2.33"}
    assert reader.command("audit", "verify", "wsguard.toml").returncode == 0, "a chain for each worker"
    assert {file.stat().st_mode & 0o777 for file in reader.directory.glob("*.db")} == {0o600}


def test_the_check_before_the_start_is_of_the_guard_inside_the_proxy_fix(reader: Reader) -> None:
    reader.write("service.py", deployed(reader))
    (line,) = [line for text in shown("deployment", "console") for line in text.splitlines() if "check" in line]
    done = reader.command(*shlex.split(line.replace("/etc/club", str(reader.directory)))[1:])
    assert done.returncode == 0, done.stderr


def test_a_store_that_is_away_refuses_with_503_and_a_time_to_try_again(reader: Reader) -> None:
    module = reader.run(deployed(reader))
    assert post(module["application"], fresh()).status == "200 OK"
    for file in reader.directory.glob("wsguard-replay.db*"):
        file.unlink()
    answer = post(module["application"], fresh())
    assert (answer.status[:3], answer.headers["Retry-After"]) == ("503", "5")
    assert reader.refused_by(answer) == "store.unavailable"


def test_a_chunked_request_is_refused_under_a_server_that_does_not_delimit_it(reader: Reader) -> None:
    module = reader.run(deployed(reader))
    chunked = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = post(module["application"], fresh(), **chunked)
    assert (answer.status[:3], reader.refused_by(answer)) == ("411", "http.length")
    assert post(module["application"], fresh(), **chunked, **{"wsgi.input_terminated": True}).status == "200 OK"


def test_a_guesser_behind_the_proxy_keeps_a_user_out_from_everywhere_unless_the_proxy_fix_is_outside(
    reader: Reader,
) -> None:
    module = reader.run(deployed(reader))
    proxied = {"REMOTE_ADDR": "127.0.0.1"}
    for _ in range(10):
        post(module["application"], fresh(password="guess"), **proxied, HTTP_X_FORWARDED_FOR="192.0.2.66")
    assert post(module["application"], fresh(), **proxied, HTTP_X_FORWARDED_FOR="192.0.2.66").status[:3] == "500"
    assert post(module["application"], fresh(), **proxied, HTTP_X_FORWARDED_FOR="192.0.2.1").status == "200 OK"
    for _ in range(10):
        post(module["guarded"], fresh(password="guess"), **proxied)
    assert post(module["guarded"], fresh(), **proxied).status[:3] == "500"


def test_a_forwarded_prefix_is_part_of_the_path_where_it_is_believed(reader: Reader) -> None:
    config = reader.configure('[services.Echo]\noperations = ["{urn:echo}*"]\npaths = ["/club/soap"]\n')
    guarded = wsguard.guard(Echo(), config)
    sent = {"HTTP_X_FORWARDED_PREFIX": "/club"}
    assert post(ProxyFix(guarded, x_prefix=1), fresh(), **sent).status == "200 OK"
    assert reader.refused_by(post(ProxyFix(guarded), fresh(), **sent)) == "operation.unknown"


# --- docs/find-out-why.md ---------------------------------------------------------------------------------------------


def rows(page: str, first: str) -> list[list[str]]:
    """The cells of the table whose first heading is ``first``."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    table = text.split(f"\n| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


SENTENCES = {cells[0].replace("`", ""): cells for cells in rows("find-out-why", "the sender got")}
"""What a sender is told -> the row of the table."""


def faults(kind: type[Fault] = Fault) -> Iterator[type[Fault]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from faults(sub)


def test_the_sentences_of_the_table_are_those_of_the_faults_with_their_codes() -> None:
    told = {fault.sentence: fault.code for fault in faults() if hasattr(fault, "sentence")}
    for sentence, cells in SENTENCES.items():
        assert (sentence, cells[1].split(",")[0]) == (sentence, told[sentence])


def raised() -> Iterator[tuple[str, str]]:
    """Code and check of every fault that names both where it is made."""
    codes = {fault.__name__: fault.code for fault in faults() if hasattr(fault, "code")}
    for file in set((ROOT / "wsguard").rglob("*.py")) - set((ROOT / "wsguard" / "client").iterdir()):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = [node.func, *node.args]
            for made, check in itertools.pairwise(given):
                if isinstance(made, ast.Name) and made.id in codes and isinstance(check, ast.Constant):
                    yield codes[made.id], str(check.value)


def test_a_check_stands_in_the_row_of_the_code_that_it_gets() -> None:
    listed = {
        check: cells[1] for cells in SENTENCES.values() for check in re.findall(r"`([a-z_]+\.[a-z_]+)`", cells[2])
    }
    made = {(code, check) for code, check in raised() if listed.get(check, "Client, or Sender") != "Client, or Sender"}
    # A key that is too large to compute with is no token; one that is too small is somebody's who is not let in. And a
    # signature under a wrong password is one that does not fit.
    assert {one for one in made if listed[one[1]] != one[0]} == {
        ("InvalidSecurityToken", "certificate.key_size"),
        ("FailedCheck", "username_token.authentication"),
    }
    assert len(made) > 25
    families = ("security", "timestamp", "username_token", "replay", "signature", "certificate", "client", "encryption")
    every = {check for check in CHECKS if check.partition(".")[0] in families}
    assert every - listed.keys() == {"client.disabled"}, "checks that no message can meet yet"


def test_the_codes_that_become_one_are_the_first_of_the_table() -> None:
    spaces = {fault.sentence: fault.namespace for fault in faults() if hasattr(fault, "sentence")}
    blame_the_header = [spaces[sentence] is not None for sentence in SENTENCES]
    assert blame_the_header == [True] * 8 + [False] * (len(SENTENCES) - 8)
    text = (ROOT / "docs" / "find-out-why.md").read_text(encoding="utf-8")
    assert "the first eight are one" in text


def test_every_check_and_setting_that_the_how_tos_name_exists() -> None:
    sections = {name: getattr(Policy(), name) for name in Policy.model_fields}
    settings = {
        f"{name}.{key}"
        for name, section in sections.items()
        if isinstance(section, Section)
        for key in type(section).model_fields
    }
    families = {name.partition(".")[0] for name in (*CHECKS, *settings)}
    for page in HOWTOS:
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        named = set(re.findall(r"`([a-z_]+\.[a-z_]+)(?:`| = )", text))
        named = {name for name in named if name.partition(".")[0] in families and not name.endswith(".toml")}
        assert (page, named - set(CHECKS) - settings) == (page, set())


def test_the_fault_that_is_shown_is_one_that_a_sender_gets(reader: Reader) -> None:
    (block,) = shown("find-out-why", "xml")
    guarded = wsguard.guard(Echo(), reader.configure())
    octets = fresh()
    assert post(guarded, octets).status == "200 OK"
    got = post(guarded, octets).body.decode()
    for line in block.splitlines():
        assert re.sub(r"\[\w{26}\]", "", line) in re.sub(r"\[\w{26}\]", "", got)


CREATED = "<wsu:Created>"


@dataclass(frozen=True)
class Habit:
    """What a client does by default, and how the same client is right."""

    wrong: Callable[[], bytes]
    right: Callable[[], bytes]
    policy: dict[str, Any]


def secured(*, stamped: bool = True, **token: Any) -> bytes:
    return envelope(security(*([timestamp()] if stamped else []), Token(**token).xml()))


def digest_of(nonce: bytes, *, hexadecimal: bool) -> str:
    value = hashlib.sha1(nonce + stamp().encode() + b"secret")
    text = value.hexdigest().encode() if hexadecimal else value.digest()
    return f'<wsse:Password Type="{messages.PROFILE}#PasswordDigest">{base64.b64encode(text).decode()}</wsse:Password>'


CLUB_CA = pki.authority("club")
PARTNER = CLUB_CA.leaf("partner", key=pki.rsa_key())
BRANCH = CLUB_CA.authority("branch").leaf("partner", key=pki.rsa_key())


def signing(leaf: pki.Issued = PARTNER, *, token: Token | None = None, **how: Any) -> bytes:
    return signed(Signing.by(leaf, **how), token=token)


def by_issuer_and_serial(leaf: pki.Issued) -> str:
    name, number = leaf.certificate.issuer.rfc4514_string(), leaf.certificate.serial_number
    return (
        f"<wsse:SecurityTokenReference><ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>{name}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{number}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
        "</wsse:SecurityTokenReference>"
    )


def sha1() -> bytes:
    return signing(method="rsa-sha1", parts=tuple(replace(part, digest="sha1") for part in (BODY, TIMESTAMP)))


SIGNED: dict[str, Any] = {"signature": {"use": "required"}, "username_token": {"use": "forbidden"}}
BOTH: dict[str, Any] = {"signature": {"use": "required"}, "username_token": {"use": "required"}}
BODY_ONLY = Habit(lambda: signing(parts=(BODY,)), signing, SIGNED)
OLD_HASH = Habit(sha1, signing, SIGNED)
SERVER = CLUB_CA.leaf("server", key=pki.rsa_key(1))
OLD_SERVER = CLUB_CA.leaf("server", key=pki.rsa_key(2))
OPENED: dict[str, Any] = {
    **SIGNED,
    "encryption": {"use": "required"},
    "keys": {"decrypt": [{"file": "server.pem"}]},
    # So that the sentence can be held against the table; nobody should do it.
    "faults": {"detail": "standard"},
}
ADDRESSED = '<h:To xmlns:h="urn:h">here</h:To>'


def sealed(leaf: pki.Issued | None = PARTNER, octets: bytes | None = None, **plan: Any) -> bytes:
    """A message from ``leaf`` to ``SERVER``, secured by the building blocks of the client."""
    plan = {"timestamp": timedelta(minutes=5), "encrypt_for": SERVER.certificate, **plan}
    if leaf is not None:
        plan["sign"] = SigningKey(leaf.key, leaf.certificate)
    return secure(octets or envelope(None), Securing(**plan), NOW, Limits())


def tampered() -> bytes:
    """One octet of the Body's ciphertext is another."""
    octets = sealed()
    at = octets.rindex(b"<xenc:CipherValue>") + 60
    return octets[:at] + (b"B" if octets[at : at + 1] == b"A" else b"A") + octets[at + 1 :]


TEXT = {"username_token": {"password_types": ["PasswordText"]}}
NONCE = b"0123456789abcdef"
HABITS = {
    "no Timestamp unless you give one": Habit(lambda: secured(stamped=False), secured, {}),
    "sends the password itself": Habit(lambda: secured(kind="PasswordText"), secured, {}),
    "knows no PasswordDigest of its own": Habit(lambda: secured(kind="PasswordText"), secured, {}),
    "no nonce and no Created": Habit(
        lambda: secured(kind="PasswordText", parts={"Nonce": "", "Created": ""}),
        lambda: secured(kind="PasswordText"),
        TEXT,
    ),
    "base64 of a hexadecimal digest": Habit(
        lambda: secured(parts={"Password": digest_of(NONCE, hexadecimal=True)}),
        lambda: secured(parts={"Password": digest_of(NONCE, hexadecimal=False)}),
        {},
    ),
    "digest over the nonce in base64": Habit(
        lambda: secured(parts={"Password": digest_of(base64.b64encode(NONCE), hexadecimal=False)}),
        lambda: secured(parts={"Password": digest_of(NONCE, hexadecimal=False)}),
        {},
    ),
    "local time with a Z": Habit(
        lambda: envelope(security(timestamp(stamp(3600), stamp(3900)), Token(created=stamp(3600)).xml())), secured, {}
    ),
    "`wsse:Created`": Habit(lambda: secured(parts={"Created": f"<wsse:Created>{stamp()}</wsse:Created>"}), secured, {}),
    "`addUserToken` without its third argument": Habit(lambda: secured(kind="PasswordText"), secured, {}),
    "PasswordText unless told otherwise": Habit(lambda: secured(kind="PasswordText"), secured, {}),
    "PasswordText only, without nonce and Created": Habit(
        lambda: secured(kind="PasswordText", parts={"Nonce": "", "Created": ""}), secured, {}
    ),
    "action `UsernameToken` alone": Habit(lambda: secured(stamped=False), secured, {}),
    "a Signature that nobody asked for": Habit(
        lambda: signed(Signing.by(pki.authority("elsewhere").leaf()), token=Token()), secured, {}
    ),
    "signs with SHA-1 unless you name algorithms": OLD_HASH,
    "signs with SHA-1 unless told otherwise": OLD_HASH,
    "the algorithm suite `Basic256`, its default: SHA-1": OLD_HASH,
    "`signSoapDoc` digests with SHA-1": Habit(
        lambda: signing(parts=tuple(replace(part, digest="sha1") for part in (BODY, TIMESTAMP))), signing, SIGNED
    ),
    "signs, and cannot encrypt": Habit(lambda: sealed(encrypt_for=None), sealed, OPENED),
    "encrypts with CBC unless told otherwise": Habit(lambda: sealed(encryption="aes128-cbc"), sealed, OPENED),
    "encrypts for the old certificate of the service": Habit(
        lambda: sealed(encrypt_for=OLD_SERVER.certificate), sealed, OPENED
    ),
    "encrypts a header and not the Body": Habit(
        lambda: sealed(octets=envelope(ADDRESSED), encrypted_parts=("{urn:h}To",)), sealed, OPENED
    ),
    "transports keys by RSA 1.5 and nothing else": Habit(lambda: sealed(key_transport="rsa-1_5"), sealed, OPENED),
    "encrypts and does not sign": Habit(lambda: sealed(None), sealed, OPENED),
    "changes what is encrypted on its way": Habit(tampered, sealed, OPENED),
    "signs before the Timestamp is there": BODY_ONLY,
    "signs the Body only": BODY_ONLY,
    "signs Body and Timestamp, not the UsernameToken": Habit(
        lambda: signing(token=Token()),
        lambda: signing(token=Token(), parts=(BODY, TIMESTAMP, Part("#UT-1"))),
        BOTH,
    ),
    "names its certificate by issuer and serial number": Habit(
        lambda: signing(key_info=by_issuer_and_serial(PARTNER)), signing, SIGNED
    ),
    "indents or encodes the message again after it was signed": Habit(
        lambda: signing().replace(b"<e:text>", b"\n  <e:text>"), signing, SIGNED
    ),
    "signs with the key of another certificate": Habit(lambda: signing(key=pki.rsa_key(1)), signing, SIGNED),
    "a certificate without its intermediate authority": Habit(lambda: signing(BRANCH), signing, SIGNED),
    "one `timestamp_token` for many calls": Habit(
        lambda: envelope(security(timestamp(stamp(-400), stamp(-100)), Token().xml())), secured, {}
    ),
}
"""By what the table says that a client does."""
ELSEWHERE = {"wants a Security header in the answer", "the same message again after a timeout"}
"""Rows of the table that are not of one message."""


@pytest.mark.parametrize(
    "cells", rows("find-out-why", "client"), ids=lambda cells: f"{cells[0]}: {cells[1]}".replace("`", "")
)
def test_what_a_client_gets_wrong_is_refused_by_the_check_in_the_table(cells: list[str], reader: Reader) -> None:
    _, habit, named, _ = cells
    if habit in ELSEWHERE:
        return
    (reader.directory / "ca.pem").write_bytes(CLUB_CA.pem)
    (reader.directory / "server.pem").write_bytes(SERVER.key_pem + SERVER.pem)
    trust = {"ca_files": [reader.directory / "ca.pem"]}
    guarded = Guarded(trust=trust, **HABITS[habit].policy)
    answer = guarded.post(HABITS[habit].wrong())
    assert answer.check in re.findall(r"`([a-z_.]+)`", named)
    (sentence,) = [
        sentence for sentence in SENTENCES if sentence in answer.body.decode().replace("&lt;", "<").replace("&gt;", ">")
    ]
    listed = SENTENCES[sentence][2]
    assert answer.check in listed, "the sentence of the check is in the other table too"
    assert guarded.post(HABITS[habit].right()).status == "200 OK"


def test_every_row_of_the_table_of_clients_is_tried() -> None:
    assert {cells[1] for cells in rows("find-out-why", "client")} == set(HABITS) | ELSEWHERE


def test_the_exception_for_a_client_of_bare_passwords_takes_its_messages_and_is_warned_of(reader: Reader) -> None:
    config = reader.configure(shown("find-out-why", "toml")[1])
    guarded = wsguard.guard(Echo(), config)
    bare: dict[str, Any] = {"kind": "PasswordText", "parts": {"Nonce": "", "Created": ""}}
    octets = fresh(call("ask", "urn:partner"), **bare)
    assert [post(guarded, octets).status for _ in range(2)] == ["200 OK", "200 OK"]
    assert reader.refused_by(post(guarded, fresh(**bare))) == "username_token.password_type"
    done = CliRunner().invoke(command_line, ["check", str(config), "--json"])
    texts = [finding["text"] for finding in json.loads(done.stdout)["findings"]]
    assert any("can be sent again" in text for text in texts)


def test_the_check_stands_in_the_fault_where_the_page_says_so_and_the_check_command_warns(reader: Reader) -> None:
    config = reader.configure(shown("find-out-why", "toml")[0])
    assert b"(security.missing)" in post(wsguard.guard(Echo(), config), envelope(None)).body
    done = CliRunner().invoke(command_line, ["check", str(config), "--json"])
    assert "faults.detail" in [finding["setting"] for finding in json.loads(done.stdout)["findings"]]


def test_an_incident_leads_to_its_record_and_the_captured_message_to_the_same_verdict(reader: Reader) -> None:
    config = reader.configure()
    guarded = wsguard.guard(Echo(), config, clock=lambda: NOW)
    octets = messages.message(password="mistyped")
    reader.write("captured.xml", octets.decode())
    answer = post(guarded, octets)
    assert reader.refused_by(answer) == "username_token.authentication"
    (record,) = reader.records()
    assert record.message_sha256 == hashlib.sha256(octets).hexdigest()
    run = CliRunner().invoke

    told = run(command_line, ["audit", "show", str(config), record.incident])
    assert (told.exit_code, "Usual cause" in told.output, "mistyped password" in told.output) == (0, True, True)
    explained = run(command_line, ["explain", str(config), "--incident", record.incident])
    assert "username_token.authentication" in explained.output

    captured = ["explain", str(config), "captured.xml", "--json"]
    then = run(command_line, [*captured, "--at", stamp()])
    assert (then.exit_code, json.loads(then.stdout)["check"]) == (1, "username_token.authentication")
    later = run(command_line, [*captured, "--at", stamp(3600)])
    assert json.loads(later.stdout)["check"] == "timestamp.expired"
    assert len(reader.records()) == 1, "explaining records nothing"

    good = messages.message()
    reader.write("captured.xml", good.decode())
    assert [run(command_line, [*captured, "--at", stamp()]).exit_code for _ in range(2)] == [0, 0]
    assert post(guarded, good).status == "200 OK", "explaining remembers nothing"
    assert run(command_line, [*captured, "--at", stamp()]).exit_code == 0, "it does not say that this was a replay"


# --- docs/signatures.md -----------------------------------------------------------------------------------------------


def signatures(reader: Reader) -> None:
    """The directory that ``wsguard init`` makes, with the first configuration of the page in it."""
    made = CliRunner().invoke(command_line, ["init", "guard"])
    assert made.exit_code == 0, made.output
    stores = '\n[users]\nurl = "toml:users.toml"\n[audit]\nurl = "sqlite:///../wsguard-audit.db"\n'
    reader.write("guard/wsguard.toml", shown("signatures", "toml")[0] + stores)


@contextmanager
def listening(application: WSGIApplication) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        return


@WITH_SPYNE
def test_the_client_that_is_shown_is_served_and_nobody_without_its_signature(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    signatures(reader)
    module = reader.run("\n".join(shown("signatures", "python")))
    with listening(module["application"]) as address:
        client = module["signing_client"](f"{address}/?wsdl")
        with closing(client.transport.session):
            expected = "7 paid: Body and Timestamp signed by CN=wsguard development client"
            assert [client.service.pay("7") for _ in range(2)] == [expected] * 2
            client.wsse = None
            with pytest.raises(zeep.exceptions.Fault, match="An error was discovered"):
                client.service.pay("7")
    assert [record.check for record in reader.records()] == ["security.missing"]


def test_the_commands_of_the_page_on_signatures_are_content_with_its_configuration(reader: Reader) -> None:
    signatures(reader)
    done = CliRunner().invoke(command_line, ["check", "guard/wsguard.toml", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["ok"]) == (0, True)


PARTNER_CA = pki.authority("partner CA")
PAYMENTS = PARTNER_CA.leaf(
    pki.name("pay", organization_name="Partner", organizational_unit_name="Payments"), key=pki.rsa_key()
)
SALES = PARTNER_CA.leaf(pki.name("sell", organization_name="Partner", organizational_unit_name="Sales"))
OLD_MACHINE = pki.self_signed("old machine")


class Signers:
    """A guard with one configuration of the page, at ``NOW``, and the files that the page names."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.write("partner-ca.pem", PARTNER_CA.pem)
        self.write("partner.crl", PARTNER_CA.crl(SALES).public_bytes(Encoding.PEM))
        for name, leaf in (("partner", PAYMENTS), ("old-partner", PAYMENTS), ("old-machine", OLD_MACHINE)):
            self.write(f"{name}.pem", leaf.pem)

    def write(self, name: str, octets: bytes) -> None:
        (self.directory / name).write_bytes(octets)

    def guard(self, number: int | None = None, **policy: Any) -> Guarded:
        """With the block of this number of the page, and what it does not say."""
        block = {} if number is None else tomllib.loads(shown("signatures", "toml")[number])
        return Guarded(**{**SIGNED, "trust": {"ca_files": ["partner-ca.pem"]}, **policy, **block})


@pytest.fixture
def signers(reader: Reader) -> Signers:
    return Signers(reader.directory)


def test_an_authority_with_constraints_and_lists_and_a_pinned_certificate_are_trusted_as_the_page_says(
    signers: Signers,
) -> None:
    guarded = signers.guard(1)
    other = PARTNER_CA.leaf(pki.name("pay", organization_name="Partner", organizational_unit_name="Sales"))
    whom = {PAYMENTS: "", OLD_MACHINE: "", other: "certificate.constraint", SALES: "certificate.revoked"}
    for leaf, check in whom.items():
        assert guarded.post(signing(leaf)).check == check
    assert guarded.post(signing(pki.authority("elsewhere").leaf())).check == "certificate.untrusted"
    branch = PARTNER_CA.authority("branch")
    below = branch.leaf(PAYMENTS.certificate.subject)
    chain = x509_data(
        "".join(
            f"<ds:X509Certificate>{base64.b64encode(one.der).decode()}</ds:X509Certificate>" for one in (below, branch)
        )
    )
    signers.write("partner.crl", PARTNER_CA.crl().public_bytes(Encoding.DER))
    sent = signing(below, key_info=chain)
    assert signers.guard(1).post(sent).check == "certificate.revoked", "nobody has a list of the branch"
    trust = tomllib.loads(shown("signatures", "toml")[1])["trust"]
    assert Guarded(**SIGNED, trust={**trust, "crl_coverage": "listed"}).post(sent).status == "200 OK"


def test_a_stale_list_refuses_everybody_until_a_new_one_is_in_its_place(reader: Reader, signers: Signers) -> None:
    stale = PARTNER_CA.crl(since=pki.START, until=NOW - timedelta(days=1))
    signers.write("partner.crl", stale.public_bytes(Encoding.PEM))
    config = reader.configure(shown("signatures", "toml")[1] + _DEMANDED)
    guarded = wsguard.guard(Echo(), config, clock=lambda: NOW)
    assert reader.refused_by(post(guarded, signing(PAYMENTS))) == "certificate.revoked"
    signers.write("partner.crl.new", PARTNER_CA.crl().public_bytes(Encoding.PEM))
    (line,) = [line for line in shown("signatures", "console") if line.startswith("mv ")]
    subprocess.run(shlex.split(line), cwd=reader.directory, check=True)
    guarded.reload()
    assert post(guarded, signing(PAYMENTS)).status == "200 OK"
    signers.write("partner.crl", pki.authority("elsewhere").crl().public_bytes(Encoding.PEM))
    with pytest.raises(wsguard.ConfigError, match=re.escape("trust.crl_files[0]")):
        guarded.reload()
    again = signed(Signing.by(PAYMENTS), stamp=timestamp(stamp(-1), None))
    assert post(guarded, again).status == "200 OK", "the list from before is in force"


_DEMANDED = '\n[signature]\nuse = "required"\n[username_token]\nuse = "forbidden"\n'


def key_identifier(kind: str, octets: bytes) -> str:
    value = base64.b64encode(octets).decode()
    return (
        f'<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{kind}" EncodingType="{messages.BASE64}">{value}'
        "</wsse:KeyIdentifier></wsse:SecurityTokenReference>"
    )


def x509_data(inner: str) -> str:
    return f"<wsse:SecurityTokenReference><ds:X509Data>{inner}</ds:X509Data></wsse:SecurityTokenReference>"


def in_base64(leaf: pki.Issued) -> str:
    return f"<ds:X509Certificate>{base64.b64encode(leaf.der).decode()}</ds:X509Certificate>"


def key_value() -> str:
    numbers = pki.rsa_key().public_key().public_numbers()
    modulus, exponent = (
        base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()
        for number in (numbers.n, numbers.e)
    )
    return (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>{exponent}</ds:Exponent>"
        "</ds:RSAKeyValue></ds:KeyValue>"
    )


CARRIED = {
    "Reference": Signing.by(PAYMENTS).key_info,
    "Embedded": (
        "<wsse:SecurityTokenReference><wsse:Embedded>"
        f"{binary_token(PAYMENTS.certificate, id='X509-2')}</wsse:Embedded></wsse:SecurityTokenReference>"
    ),
    "X509Data": x509_data(in_base64(PAYMENTS)),
    "KeyIdentifier of type X509v3": key_identifier(X509_V3, PAYMENTS.der),
}
NAMED = {
    "X509IssuerSerial": by_issuer_and_serial(PAYMENTS),
    "X509SubjectName": x509_data("<ds:X509SubjectName>CN=pay,OU=Payments,O=Partner</ds:X509SubjectName>"),
    "subject key identifier": key_identifier(
        X509_SUBJECT_KEY_IDENTIFIER,
        x509.SubjectKeyIdentifier.from_public_key(PAYMENTS.certificate.public_key()).digest,
    ),
    "ThumbprintSHA1": key_identifier(THUMBPRINT_SHA1, hashlib.sha1(PAYMENTS.der).digest()),
}


@pytest.mark.parametrize("form", [*CARRIED, *NAMED, "KeyValue"])
def test_a_certificate_is_found_by_every_form_in_the_table(signers: Signers, form: str) -> None:
    (row,) = [cells for cells in rows("signatures", "in `ds:KeyInfo`") if form in cells[0]]
    sent = signing(PAYMENTS, key_info={**CARRIED, **NAMED, "KeyValue": key_value()}[form])
    trust: dict[str, Any] = {"ca_files": ["partner-ca.pem"]}
    assert signers.guard(trust=trust).post(sent).check == ("" if form in CARRIED else "certificate.unavailable")
    assert (row[1] == "nothing more") == (form in CARRIED)
    for key in ("known_certificates", "pinned_certificates"):
        check = signers.guard(trust={**trust, key: ["partner.pem"]}).post(sent).check
        assert check == ("" if form in CARRIED or f"`{key}`" in row[1] else "certificate.unavailable")


def test_a_client_is_known_by_its_certificate_and_others_are_refused(signers: Signers) -> None:
    guarded = signers.guard(2, audit={"url": "memory://", "record": "all"})
    answer = guarded.post(signed(Signing.by(PAYMENTS), body=PAY))
    assert answer.record is not None
    assert (answer.status, answer.record.client) == ("200 OK", "partner"), answer.record
    assert guarded.post(signed(Signing.by(SALES), body=PAY)).check == "client.mismatch"
    assert guarded.post(signed(Signing.by(PAYMENTS))).check == "client.operation"


@pytest.mark.parametrize("number", [3, 4])
def test_a_user_and_a_signer_are_bound_by_coverage_or_by_an_entry(signers: Signers, number: int) -> None:
    guarded = signers.guard(number)
    covered = (BODY, TIMESTAMP, Part("#UT-1"))
    beside, inside = (signing(PAYMENTS, token=Token(nonce=nonce), parts=parts) for nonce, parts in (
        (b"one", (BODY, TIMESTAMP)), (b"two", covered)
    ))  # fmt: skip
    assert guarded.post(inside).status == "200 OK"
    assert guarded.post(beside).check == ("signature.coverage" if number == 3 else "")
    message = guarded.echo.handed[0][0]["wsguard.message"]
    assert (message.principal.kind, message.username) == ("certificate", "alice")
    assert "UsernameToken" in message.signed_parts
    other = signing(PAYMENTS, token=Token("bob", "hunter2"), parts=covered)
    assert guarded.post(other).check == ("" if number == 3 else "client.mismatch")


def test_the_application_finds_the_signer_and_nothing_that_was_not_signed(signers: Signers) -> None:
    header = '<t:Trace xmlns:t="urn:trace">nobody</t:Trace>'
    sent = signed(Signing.by(PAYMENTS), header=header, envelope_attributes='xmlns:a="urn:a" a:b="c"')
    guarded = signers.guard()
    assert guarded.post(sent).status == "200 OK"
    environ, octets = guarded.echo.handed[0]
    message = environ["wsguard.message"]
    assert environ["REMOTE_USER"] == message.principal.name == "CN=pay,OU=Payments,O=Partner"
    assert (message.principal.kind, message.certificate) == ("certificate", PAYMENTS.der)
    assert (message.signed_parts, message.username, message.client) == ({"Body", "Timestamp"}, "", "")
    assert (b"Trace" in octets, b"a:b" in octets) == (False, False)
    keeping = signers.guard(handoff={"unsigned_headers": "keep"})
    keeping.post(sent)
    assert b"Trace" in keeping.handed
    named = {cells[0].strip("`") for cells in rows("signatures", "attribute")}
    assert named <= set(VerifiedMessage.__dataclass_fields__)


def test_a_prefix_in_a_value_has_to_be_bound_to_a_namespace_that_is_named(signers: Signers) -> None:
    body = (
        '<c:pay xmlns:c="urn:club" xmlns:t="urn:club:types" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<c:number xsi:type="t:Express">7</c:number></c:pay>'
    )
    sent = signed(Signing.by(PAYMENTS), body=body)
    assert signers.guard().post(sent).check == "signature.coverage"
    assert signers.guard(5).post(sent).status == "200 OK"
    listed = tuple(replace(part, prefixes="t") for part in (BODY, TIMESTAMP))
    assert signers.guard().post(signed(Signing.by(PAYMENTS, parts=listed), body=body)).status == "200 OK"


def test_an_old_algorithm_is_taken_from_one_client_until_a_day_and_recorded(reader: Reader, signers: Signers) -> None:
    trust = '\n[trust]\nca_files = ["partner-ca.pem"]\n'
    config = reader.configure(shown("signatures", "toml")[6] + _DEMANDED + trust)
    today = [NOW]
    guarded = wsguard.guard(Echo(), config, clock=lambda: today[0])
    old = tuple(replace(part, digest="sha1") for part in (BODY, TIMESTAMP))
    assert post(guarded, signing(PAYMENTS)).status == "200 OK"
    assert reader.records() == [], "accepted messages are not recorded"
    assert post(guarded, signing(PAYMENTS, method="rsa-sha1", parts=old)).status == "200 OK"
    (line,) = [line for line in shown("signatures", "console") if "audit list" in line]
    listed = CliRunner().invoke(
        command_line, [*shlex.split(line.replace("--since 7d", "--since 2026-11-01"))[1:], "--json"]
    )
    (record,) = json.loads(listed.stdout)
    noted = {step["seen"] for step in record["explanation"] if step["setting"].startswith("algorithms.legacy")}
    assert noted == {"rsa-sha1, by a dated permission", "sha1, by a dated permission"}
    today[0] = datetime(2031, 7, 1, tzinfo=UTC)
    stamped = timestamp("2031-07-01T00:00:00Z", None)
    late = signed(Signing.by(PAYMENTS, method="rsa-sha1", parts=old), stamp=stamped)
    assert reader.refused_by(post(guarded, late)) == "signature.algorithm"


def test_a_signature_is_taken_once(signers: Signers) -> None:
    guarded, sent = signers.guard(), signing(PAYMENTS)
    assert [guarded.post(sent).check for _ in range(2)] == ["", "replay.signature"]


def test_a_shared_key_is_taken_by_its_name(signers: Signers, monkeypatch: pytest.MonkeyPatch) -> None:
    key = b"0123456789abcdef-a-shared-key"
    monkeypatch.setenv("PARTNER_KEY", base64.b64encode(key).decode())
    guarded = signers.guard(7)
    named: dict[str, Any] = {"method": "hmac-sha256", "key_info": "<ds:KeyName>partner</ds:KeyName>"}
    assert guarded.post(signed(Signing(key=key, **named))).status == "200 OK"
    message = guarded.echo.handed[0][0]["wsguard.message"]
    assert (message.principal, message.certificate) == (Principal("partner", "shared_key"), None)
    assert guarded.post(signed(Signing(key=b"another" * 4, **named))).check == "signature.value"


def referring(uri: str) -> dict[str, Any]:
    return {"parts": (BODY, TIMESTAMP, Part(uri, value=base64.b64encode(bytes(32)).decode()))}


def transformed(identifier: str) -> dict[str, Any]:
    transform = f'<ds:Transforms><ds:Transform Algorithm="{identifier}"/></ds:Transforms>'
    return {"parts": (replace(BODY, transforms=transform),)}


MANIFEST = {"parts": (replace(BODY, attributes=f'Type="{messages.DS}Manifest"'), TIMESTAMP)}
TRUNCATED = "<ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>"
REFUSED: dict[str, list[dict[str, Any]]] = {
    'a reference to the whole document (`URI=""`), to another document, or by XPointer': [
        referring(uri) for uri in ("", "http://example.org/", "#xpointer(/)")
    ],
    "a reference to an element that holds its own signature": [referring("#SEC")],
    "two references to the same Id, or one to an Id that is not there": [referring("#body"), referring("#gone")],
    "Canonical XML 1.1 of an element below an `xml:base`": [{"parts": (replace(BODY, c14n="c14n11"), TIMESTAMP)}],
    "XPath, XSLT, base64 and other transforms": [
        transformed("http://www.w3.org/TR/1999/REC-xpath-19991116"),
        transformed("http://www.w3.org/TR/1999/REC-xslt-19991116"),
        transformed(f"{messages.DS}base64"),
    ],
    "MD5, DSA": [
        {"method": f"{messages.DS}dsa-sha1", "value": "AAAA"},
        {"parts": (replace(BODY, digest="md5"), TIMESTAMP)},
    ],
    "a Manifest, an Object": [MANIFEST, {"appended": "<ds:Object/>"}],
    "HMACOutputLength": [{"replaced": {"</ds:SignatureMethod>": TRUNCATED}}],
    "no KeyInfo, RetrievalMethod, PGPData": [
        {"replaced": {f"<ds:KeyInfo>{Signing.by(PAYMENTS).key_info}</ds:KeyInfo>": ""}},
        {"key_info": '<ds:RetrievalMethod URI="#X509-1"/>'},
        {"key_info": "<ds:PGPData/>"},
    ],
    "KeyValue with a key that is not pinned": [{"key_info": key_value()}],
    "KeyName where it is no HMAC": [{"key_info": "<ds:KeyName>partner</ds:KeyName>"}],
}


@pytest.mark.parametrize("cells", rows("signatures", "what"), ids=lambda cells: cells[0])
def test_what_is_refused_on_purpose_is_refused_by_the_check_in_the_table(signers: Signers, cells: list[str]) -> None:
    what, check = cells
    guarded = signers.guard(algorithms={"canonicalization": ["exc-c14n", "c14n11"]})
    for how in REFUSED[what]:
        based = 'xml:base="http://example.org/"' if "xml:base" in what else ""
        sent = sign(
            unsigned(binary_token(PAYMENTS.certificate), "@SIG-1@", timestamp(), envelope_attributes=based).replace(
                "<wsse:Security ", '<wsse:Security wsu:Id="SEC" '
            ),
            Signing.by(PAYMENTS, **how),
        )
        assert guarded.post(sent).check == check.strip("`"), how
    assert guarded.post(signing(PAYMENTS)).status == "200 OK"


def test_every_row_of_what_is_refused_on_purpose_is_tried() -> None:
    assert {cells[0] for cells in rows("signatures", "what")} == set(REFUSED)


def test_explain_writes_what_was_digested_and_diff_shows_what_changed(reader: Reader, signers: Signers) -> None:
    reader.configure('[trust]\nca_files = ["partner-ca.pem"]\n' + _DEMANDED)
    asked, compared = shown("signatures", "console")[-1].splitlines()
    assert [asked, compared] == shown("find-out-why", "console")[-1].splitlines()
    words = shlex.split(re.sub(r"--at \S+", f"--at {stamp()}", asked))
    honest = signing(PAYMENTS)
    for octets, status in ((honest, 0), (honest.replace(b"<e:text>", b"\n  <e:text>"), 1)):
        reader.write("captured.xml", octets.decode())
        assert CliRunner().invoke(command_line, [*words[1:], "--json"]).exit_code == status
        if status == 0:
            (reader.directory / "digested").rename(reader.directory / "client")
            (reader.directory / "client" / "01-Body.xml").rename(reader.directory / "client" / "Body.xml")
    assert [file.name for file in (reader.directory / "digested").iterdir()] == ["01-Body.xml"]
    done = subprocess.run(shlex.split(compared), cwd=reader.directory, capture_output=True, text=True)
    assert (done.returncode, ">   <e:text>" in done.stdout or "<   <e:text>" in done.stdout) == (1, True), done.stdout


# --- docs/encryption.md -----------------------------------------------------------------------------------------------


def sealing(reader: Reader, page: str) -> dict[str, Any]:
    """The directory after the commands of the page on encryption, with the first configuration of ``page`` and a
    module with everything that the two pages show."""
    for line in shown("encryption", "console")[0].splitlines():
        if line.startswith("wsguard init"):
            done = reader.command(*shlex.split(line)[1:])
        elif line.startswith("wsguard check"):
            done = reader.command(*shlex.split(line)[1:], "--json")
        else:
            done = subprocess.run(line, shell=True, cwd=reader.directory, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if line.startswith("wsguard init"):
            stores = '\n[users]\nurl = "toml:users.toml"\n[audit]\nurl = "sqlite:///../wsguard-audit.db"\n'
            reader.write("guard/wsguard.toml", shown(page, "toml")[0] + stores)
    return reader.run("\n".join([*shown("encryption", "python"), *shown("answers", "python")]))


@contextmanager
def calling(module: dict[str, Any], client: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, list[Any]]]:
    """The client of a page, and what came over the wire."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with listening(module["application"]) as address:
        made = module[client](f"{address}/?wsdl")
        seen: list[Any] = []
        made.transport.session.hooks["response"].append(lambda response, **_: seen.append(response))
        with closing(made.transport.session):
            yield made, seen


WITH_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@WITH_SPYNE
@WITH_OPENSSL
def test_the_client_that_encrypts_is_served_and_nobody_who_does_not(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with calling(sealing(reader, "encryption"), "encrypting_client", monkeypatch) as (client, seen):
        expected = "Sprained ankle: Body came encrypted, signed by CN=wsguard development client"
        assert client.service.report("Sprained ankle") == expected
        assert b"Sprained" not in seen[-1].request.body
        client.wsse = None
        with pytest.raises(zeep.exceptions.Fault, match="An error was discovered"):
            client.service.report("Sprained ankle")
    assert [record.check for record in reader.records()] == ["security.missing"]


@pytest.fixture
def partners(reader: Reader) -> Path:
    """The directory with the files that the page on encryption names."""
    files = {
        "partner-ca.pem": CLUB_CA.pem,
        "old-partner.pem": PARTNER.pem,
        "server.pem": SERVER.key_pem + SERVER.pem,
        "old-server.pem": OLD_SERVER.key_pem + OLD_SERVER.pem,
    }
    for name, octets in files.items():
        (reader.directory / name).write_bytes(octets)
    return reader.directory


def test_all_of_each_required_part_is_encrypted(partners: Path) -> None:
    guarded = Guarded(**tomllib.loads(shown("encryption", "toml")[2]), username_token={"use": "forbidden"})
    assert guarded.post(sealed(encrypted_parts=("Body", "Signature"))).check == ""
    message = guarded.echo.handed[-1][0]["wsguard.message"]
    assert message.encrypted_parts == {"Body", "Signature"}
    assert guarded.post(sealed()).check == "encryption.coverage"
    assert guarded.post(sealed(encrypt_for=None)).check == "encryption.missing"


OPENING: dict[str, Any] = {**OPENED, "faults": {}, "trust": {"ca_files": ["partner-ca.pem"]}}


@pytest.mark.parametrize("first", [True, False])
def test_either_order_is_taken_and_what_is_not_signed_refused_where_that_is_demanded(
    partners: Path, first: bool
) -> None:
    demanded = {"use": "required", "require_signed_encrypted_data": True}
    guarded = Guarded(**{**OPENING, "encryption": demanded})
    to_both: dict[str, Any] = {
        "octets": envelope(ADDRESSED),
        "encrypted_parts": ("Body", "{urn:h}To"),
        "sign_before_encrypting": first,
    }
    assert guarded.post(sealed(**to_both)).check == "signature.coverage"
    assert guarded.post(sealed(**to_both, signed_parts=("Body", "Timestamp", "{urn:h}To"))).check == ""


def test_a_signature_under_a_key_that_the_message_brings_counts_for_nobody(partners: Path) -> None:
    guarded = Guarded(**{**OPENING, "algorithms": {"signature": ["hmac-sha256"]}})
    encryption = Encryption.for_(SERVER).fixed()
    symmetric = Signing(key=encryption.session, method="hmac-sha256", key_info=to_id("EK-1").split(">", 1)[1][:-13])
    text = unsigned("@SIG-1@", timestamp(), encryption.key_xml(), body=encryption.data_xml())
    answer = guarded.post(sign(text, symmetric))
    assert answer.check == "signature.coverage"
    assert answer.record is not None
    assert "a key that anybody can make" in answer.record.explanation[-1]["seen"]


def test_an_old_cipher_is_for_one_client_until_a_day(partners: Path) -> None:
    permitted = tomllib.loads(shown("encryption", "toml")[3])
    guarded = Guarded(**OPENING, **permitted)
    old: dict[str, Any] = {"encryption": "tripledes-cbc"}
    answer = guarded.post(sealed(**old))
    assert (answer.status, answer.check) == ("200 OK", "encryption.algorithm"), "accepted, and recorded"
    assert guarded.post(sealed(CLUB_CA.leaf("other", key=pki.rsa_key(3)), **old)).check == "client.mismatch"
    named = {**permitted, "client": [*permitted["client"], {"name": "other", "certificate": "other.pem"}]}
    other = CLUB_CA.leaf("other", key=pki.rsa_key(3))
    (partners / "other.pem").write_bytes(other.pem)
    assert Guarded(**OPENING, **named).post(sealed(other, **old)).check == "encryption.algorithm"


@pytest.mark.parametrize("which", ["algorithms", "trust"])
def test_what_only_a_service_allows_is_refused_while_the_body_is_closed_and_check_finds_it(
    partners: Path, reader: Reader, which: str
) -> None:
    only = {
        "algorithms": 'algorithms.encryption = ["tripledes-cbc"]\n',
        "trust": 'trust.pinned_certificates = ["old-machine.pem"]\n',
    }
    (partners / "old-machine.pem").write_bytes(OLD_MACHINE.pem)
    service = f'\n[services.Echo]\noperations = ["{{urn:echo}}*"]\n{only[which]}'
    config = reader.configure(shown("encryption", "toml")[2].replace(', "Signature"', "") + service)
    guarded = wsguard.guard(Echo(), config, clock=lambda: NOW)
    sent = {"algorithms": lambda: sealed(encryption="tripledes-cbc"), "trust": lambda: sealed(OLD_MACHINE)}
    expected = {"algorithms": "encryption.algorithm", "trust": "certificate.untrusted"}
    assert reader.refused_by(post(guarded, sent[which]())) == expected[which]
    done = CliRunner().invoke(command_line, ["check", str(config), "--json"])
    texts = {finding["setting"]: finding["text"] for finding in json.loads(done.stdout)["findings"]}
    assert "before anybody can see" in texts[f"services.Echo.{which}"]


def test_two_keys_open_during_a_rotation_and_the_records_say_which(reader: Reader, partners: Path) -> None:
    decrypt = tomllib.loads(shown("encryption", "toml")[4])["keys"]["decrypt"]
    assert decrypt == tomllib.loads(shown("rotation", "toml")[3])["keys"]["decrypt"]
    for key, leaf in zip(decrypt, (OLD_SERVER, SERVER), strict=True):
        assert isinstance(leaf.key, rsa.RSAPrivateKey)
        locked = BestAvailableEncryption(b"demo")
        (partners / key["file"]).write_bytes(
            pkcs12.serialize_key_and_certificates(None, leaf.key, leaf.certificate, None, locked)
        )
        (partners / key["password_file"]).write_text("demo\n")
    guarded = Guarded(**{**OPENING, "keys": {"decrypt": decrypt}}, audit={"url": "memory://", "record": "all"})
    for number, leaf in enumerate((OLD_SERVER, SERVER)):
        answer = guarded.post(sealed(encrypt_for=leaf.certificate))
        assert answer.record is not None
        assert answer.check == ""
        opened = [step["setting"] for step in answer.record.explanation if step["check"] == "encryption"]
        assert opened == [f"keys.decrypt[{number}]"]
    text = (ROOT / "docs" / "encryption.md").read_text(encoding="utf-8")
    assert 'wsguard_key_last_used_timestamp_seconds{key="keys.decrypt[0]"}' in text


def bent(old: str, new: str, **changes: Any) -> bytes:
    """An encrypted Body in which some text is another."""
    octets = encrypted(Encryption.for_(SERVER, **changes)).decode()
    assert old in octets
    return octets.replace(old, new, 1).encode()


def bare(**changes: Any) -> bytes:
    return encrypted(Encryption.for_(SERVER, **changes))


RETRIEVAL = key_info(f'<ds:RetrievalMethod Type="{messages.XENC}EncryptedKey" URI="#EK-1"/>')
REFERENCE = '<xenc:DataReference URI="#ED-1"/>'
NOT_OPENED: dict[str, list[Callable[[], bytes]]] = {
    "CipherReference: ciphertext that would have to be fetched": [
        lambda: bent("<xenc:CipherValue>", '<xenc:CipherReference URI="file:///etc/passwd"/><xenc:CipherValue>')
    ],
    "RetrievalMethod: a key that would have to be searched": [lambda: bare(data_key_info=RETRIEVAL)],
    "a DataReference to another document, by XPointer, or to an Id that is not there": [
        lambda: bent('URI="#ED-1"', 'URI="http://example.org/"'),
        lambda: bent('URI="#ED-1"', 'URI="#xpointer(/)"'),
        lambda: bent('URI="#ED-1"', 'URI="#gone"'),
    ],
    "the same data named twice": [lambda: bent(REFERENCE, 2 * REFERENCE)],
    "encrypted content beside anything else in its parent": [
        lambda: bent("</S:Body>", "<e/></S:Body>"),
        lambda: bent("</S:Body>", "text</S:Body>"),
    ],
    "EncryptionProperties, KeyReference, an Encoding, compressed content": [
        lambda: bent("</xenc:EncryptedData>", "<xenc:EncryptionProperties/></xenc:EncryptedData>"),
        lambda: bent(REFERENCE, f'{REFERENCE}<xenc:KeyReference URI="#EK-1"/>'),
        lambda: bent(' Id="ED-1"', f' Id="ED-1" Encoding="{messages.DS}base64"'),
        lambda: bent(' Id="ED-1"', ' Id="ED-1" MimeType="application/gzip"'),
    ],
    "an EncryptedKey that is for another EncryptedKey": [lambda: bare(key_info=to_id("EK-1"))],
    "data encrypted under a certificate itself, without a key between": [
        lambda: bare(data_key_info=KEY_INFOS["IssuerSerial"](SERVER.certificate))
    ],
    "more keys than the limit": [
        lambda: encrypted(
            Encryption.for_(SERVER),
            *(Encryption.for_(SERVER, key_id=f"EX-{number}", references=()).fixed().key_xml() for number in range(6)),
        )
    ],
    "more data than the limit": [
        lambda: bent(REFERENCE, "".join(f'<xenc:DataReference URI="#ED-{number}"/>' for number in range(17)))
    ],
    "content that is not balanced by itself, or that is more than the limits of a message": [
        lambda: bare(plaintext=b"</S:Body><S:Body>"),
        lambda: bare(plaintext=b"<e>" + b"<e/>" * 50_000 + b"</e>"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("cells", rows("encryption", "what"), ids=lambda cells: cells[0])
def test_what_is_never_opened_is_refused_by_the_check_in_the_table(partners: Path, cells: list[str]) -> None:
    what, check = cells
    guarded = Guarded(keys=OPENED["keys"])
    for made in NOT_OPENED[what]:
        assert guarded.post(made()).check == check.strip("`")


def test_every_row_of_what_is_never_opened_is_tried() -> None:
    assert {cells[0] for cells in rows("encryption", "what")} == set(NOT_OPENED)


def test_every_check_of_encryption_is_explained_on_its_page() -> None:
    listed = {cells[0].strip("`") for cells in rows("encryption", "check")}
    assert {check for check in CHECKS if check.startswith("encryption.")} - listed == {"encryption.forbidden"}


def test_from_outside_every_failure_is_the_same(partners: Path) -> None:
    guarded = Guarded(**{**OPENING, "faults": {}})
    answers = {
        (answer.status, re.sub(rb"\[\w{26}\]", b"", answer.body))
        for answer in (
            guarded.post(octets)
            for octets in (
                tampered(),
                sealed(encrypt_for=OLD_SERVER.certificate),
                sealed(encryption="aes128-cbc"),
                sealed(encrypt_for=None),
                sealed(None),
                bare(plaintext=b"</S:Body>"),
                signing().replace(b"hello", b"hullo"),
            )
        )
    }
    assert len(answers) == 1


# --- docs/answers.md --------------------------------------------------------------------------------------------------


@WITH_SPYNE
@WITH_OPENSSL
def test_the_client_that_verifies_takes_the_answer_of_the_guard_and_of_nobody_else(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sealing(reader, "answers")
    with calling(module, "verifying_client", monkeypatch) as (client, seen):
        assert client.service.report("Sprained ankle").startswith("Sprained ankle: Body came encrypted")
        assert (b"Sprained" in seen[-1].content, b"EncryptedData" in seen[-1].content) == (False, True)
        header = etree.fromstring(seen[-1].content)[0][0]
        text = (ROOT / "docs" / "answers.md").read_text(encoding="utf-8").replace("\n", " ")
        assert f"from the top: {', '.join(etree.QName(child).localname for child in header)}." in text
        client.wsse = wsguard.client.from_files(
            sign="guard/client-both.pem", encrypt_for="guard/server.pem", server_certificate="guard/client.pem"
        )
        with pytest.raises(wsguard.client.AnswerRefused):
            client.service.report("Sprained ankle")


class Answering:
    """An application with one answer for everybody, and the guard of the page on answers before it."""

    def __init__(self, answer: bytes, headers: list[tuple[str, str]] | None = None, **policy: Any) -> None:
        self.answer = answer
        self.headers = headers or [("Content-Type", "text/xml")]
        everything = {"timestamp": True, "sign": True, "encrypt": "useReqSigCert", "signature_confirmation": True}
        usual = {"signature": {"use": "required"}, "username_token": {"use": "forbidden"}, "response": everything}
        keys = {"decrypt": [{"file": "server.pem"}], "sign": {"file": "server.pem"}}
        self.guarded = Guarded(
            self.application, trust={"ca_files": ["partner-ca.pem"]}, keys=keys, **{**usual, **policy}
        )

    def application(self, _: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", self.headers)
        return [self.answer] if self.answer else []


ELLIPTIC = CLUB_CA.leaf("elliptic", key=pki.ec_key())
UNSIGNED: dict[str, Any] = {"signature": {"use": "optional"}, "username_token": {"use": "required"}}
WITHHELD: dict[str, Callable[[], tuple[Answering, bytes]]] = {
    "nobody to encrypt for: the request was not signed": lambda: (
        Answering(envelope(None), **UNSIGNED), messages.message()
    ),
    "the recipient's key is no RSA key": lambda: (Answering(envelope(None)), sealed(ELLIPTIC, encrypt_for=None)),
    "larger than `limits.response_bytes`": lambda: (
        Answering(envelope(None), limits={"response_bytes": 20}), sealed(encrypt_for=None)
    ),
    "no SOAP envelope, a document type, a processing instruction, a compressed answer": lambda: (
        Answering(b"<html/>"), sealed(encrypt_for=None)
    ),
    "a Security header of the application's own": lambda: (
        Answering(envelope(security())), sealed(encrypt_for=None)
    ),
}  # fmt: skip


@pytest.mark.parametrize("cells", rows("answers", "why"), ids=lambda cells: cells[0])
def test_an_answer_that_cannot_be_secured_is_withheld(partners: Path, cells: list[str]) -> None:
    answering, request = WITHHELD[cells[0]]()
    answer = answering.guarded.post(request)
    assert (answer.status[:3], answer.check) == ("500", "response.not_secured")
    assert answer.record is not None
    assert (answer.record.outcome, b"hello" in answer.body) == ("error", False)


@pytest.mark.parametrize(
    ("answer", "headers"),
    [
        (b'<?pi?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body/></S:Envelope>', None),
        (b"<!DOCTYPE a>" + envelope(None), None),
        (gzip.compress(envelope(None)), [("Content-Type", "text/xml"), ("Content-Encoding", "gzip")]),
    ],
)
def test_what_is_no_plain_envelope_is_withheld_too(
    partners: Path, answer: bytes, headers: list[tuple[str, str]] | None
) -> None:
    assert Answering(answer, headers).guarded.post(sealed(encrypt_for=None)).check == "response.not_secured"


def test_an_answer_is_encrypted_for_the_client_that_is_named(partners: Path) -> None:
    (partners / "partner.pem").write_bytes(PARTNER.pem)
    block = tomllib.loads(shown("answers", "toml")[1])
    client = [*block["client"], {"name": "alice", "username": "alice"}]
    answering = Answering(
        envelope(None), **UNSIGNED, **{k: v for k, v in block.items() if k == "response"}, client=client
    )
    answer = answering.guarded.post(messages.message())
    assert answer.status == "200 OK", answer.record
    demanded = Answers(
        server_certificate=SERVER.certificate,
        decrypt=(DecryptionKey("partner", PARTNER.key, PARTNER.certificate),),
        encrypted_parts=("Body",),
        signature_confirmation=False,
    )
    assert b"hello" in verify_answer(answer.body, demanded, Sent(), NOW).octets


def test_answers_without_body_exempt_ones_and_the_wsdl_are_left_alone(partners: Path) -> None:
    exempt = [{"operations": ["{urn:echo}*"], "reason": "r", "owner": "o", "review": date(2031, 6, 30)}]
    plain = Answering(envelope(None), exempt=exempt).guarded
    assert plain.post(envelope(None)).body == envelope(None)
    wsdl = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_TYPE": None, "CONTENT_LENGTH": None}
    assert Answering(b"<wsdl/>").guarded.post(b"", **wsdl).body == b"<wsdl/>"
    answer = Answering(b"").guarded.post(sealed(encrypt_for=None))
    assert answer.check == "response.not_secured", "only 202 and 204 may say nothing"


def test_faults_are_secured_for_whom_is_known_and_left_alone_where_the_file_says_so(partners: Path) -> None:
    in_time = sealed(encrypt_for=None)
    guarded = Answering(envelope(None)).guarded
    assert guarded.post(in_time).status == "200 OK"
    again = guarded.post(in_time)
    assert (again.check, b"EncryptedData" in again.body) == ("replay.signature", True)
    unknown = guarded.post(sealed(pki.authority("elsewhere").leaf("x", key=pki.rsa_key(4)), encrypt_for=None))
    assert (b"EncryptedData" in unknown.body, b"SignatureValue" in unknown.body) == (False, True)
    top = Answering(envelope(None), response={}, services={"Echo": {
        "operations": ["{urn:echo}*"], "response": {"sign": True, "timestamp": True},
    }})  # fmt: skip
    assert b"SignatureValue" in top.guarded.post(signing().replace(b"hello", b"hullo")).body
    assert b"Signature" not in top.guarded.post(tampered()).body, "nobody knows for which service it was"
    plainly = {"sign": True, "timestamp": True, "secure_faults": False}
    assert b"Signature" not in Answering(envelope(None), response=plainly).guarded.post(b"<x/>").body


# --- docs/pega.md -----------------------------------------------------------------------------------------------------

PEGA = CLUB_CA.leaf("pega", key=pki.rsa_key(5))
PEGA_OLD = CLUB_CA.leaf("pega-old", key=pki.rsa_key(6))
SETTLE = call("settleClaim", "urn:example:club")


@pytest.fixture
def insurer(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory with the files that the page on Pega names."""
    assert isinstance(SERVER.key, rsa.RSAPrivateKey)
    locked = BestAvailableEncryption(b"demo")
    for name, octets in {
        "club.p12": pkcs12.serialize_key_and_certificates(None, SERVER.key, SERVER.certificate, None, locked),
        "pega.pem": PEGA.pem,
        "pega-old.pem": PEGA_OLD.pem,
    }.items():
        (reader.directory / name).write_bytes(octets)
    monkeypatch.setenv("CLUB_KEYSTORE", "demo")
    return reader.directory


class SoapEcho(Echo):
    """Answers with an envelope, and remembers what it was handed."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.handed.append((environ, environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [envelope(None, "<settled>85.00</settled>")]


def connected(leaf: pki.Issued, *, confirmed: bool, encryption: str = "aes256-gcm") -> ZeepSecurity:
    plan = Securing(
        timestamp=timedelta(minutes=5),
        sign=SigningKey(leaf.key, leaf.certificate),
        encrypt_for=SERVER.certificate,
        encryption=encryption,
    )
    demanded = Answers(
        server_certificate=SERVER.certificate,
        decrypt=(DecryptionKey("pega", leaf.key, leaf.certificate),),
        encrypted_parts=("Body",),
        signature_confirmation=confirmed,
        algorithms=AlgorithmDemands(encryption=(encryption,)),
    )
    return ZeepSecurity(plan, demanded)


def settled(guarded: Guard, security: Any) -> str:
    """The Body of a verified answer; or the check that refused."""
    request, _ = security.apply(etree.fromstring(envelope(None, SETTLE)), {})
    answer = post(guarded, etree.tostring(request))
    return etree.tostring(security.verify(etree.fromstring(answer.body))[-1], encoding="unicode")


@pytest.mark.parametrize("number", [0, 1])
def test_a_connector_is_served_and_its_answer_signed_and_encrypted(reader: Reader, insurer: Path, number: int) -> None:
    application = SoapEcho()
    guarded = wsguard.guard(application, reader.configure(shown("pega", "toml")[number]))
    assert "85.00" in settled(guarded, connected(PEGA, confirmed=number == 0))
    message = application.handed[0][0]["wsguard.message"]
    assert (message.client, message.service) == ("pega", "ClaimsService")
    assert (message.signed_parts, message.encrypted_parts) == ({"Body", "Timestamp"}, {"Body"})


def test_the_published_example_is_taken_from_the_old_one_and_from_nobody_else(reader: Reader, insurer: Path) -> None:
    application = SoapEcho()
    guarded = wsguard.guard(application, reader.configure(shown("pega", "toml")[1]))
    old: dict[str, Any] = {"confirmed": False, "encryption": "tripledes-cbc"}
    assert "85.00" in settled(guarded, AsPublished(connected(PEGA_OLD, **old)))
    assert application.handed[0][0]["wsguard.message"].legacy == ("tripledes-cbc",)
    for others in (connected(PEGA, **old), AsPublished(connected(PEGA, **old))):
        request, _ = others.apply(etree.fromstring(envelope(None, SETTLE)), {})
        assert post(guarded, etree.tostring(request)).status[:3] == "500"
    assert [record.check for record in reader.records()] == ["encryption.algorithm"] * 3
    assert [record.outcome for record in reader.records()] == ["accepted", "rejected", "rejected"]


def test_the_algorithms_to_choose_are_those_that_are_taken_and_the_old_ones_can_be_permitted() -> None:
    policy = Policy.model_validate({"username_token": {"use": "required"}})
    taken = {
        name
        for key in ("encryption", "key_transport", "signature", "digest")
        for name in getattr(policy.algorithms, key)
    }
    chosen = {name for cells in rows("pega", "what") for name in re.findall(r"`([a-z0-9_-]+)`", cells[2])}
    assert chosen <= taken
    permissions = {name for cells in rows("pega", "in the record") for name in re.findall(r"`([^`]+)`", cells[1])}
    assert permissions <= ALL_ALGORITHMS - taken
    (example,) = shown("pega", "xml")
    for part in ("tripledes-cbc", 'Type="http://www.w3.org/2001/04/xmlenc#Content"', 'URI="#EncKeyId-urn:uuid:'):
        assert part in example


# --- docs/rotation.md -------------------------------------------------------------------------------------------------


@dataclass
class Rotating:
    """The module of the page on a configuration that changes, and the time of its reloader."""

    reader: Reader
    module: dict[str, Any]
    clock: list[float]

    def wait(self, seconds: float) -> None:
        self.clock[0] += seconds
        # A change is taken when a second look finds it unchanged.
        assert self.module["guarded"].policy
        self.clock[0] += SETTLED

    def status(self, **token: Any) -> str:
        return post(self.module["guarded"], fresh(**token)).status[:3]

    def change(self, name: str, text: str) -> None:
        """As the page says: written beside, then moved."""
        self.reader.write(f"{name}.new", text).replace(self.reader.directory / name)


@pytest.fixture
def rotating(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Rotating:
    clock = [0.0]
    original = Reloader.__init__

    def with_our_clock(this: Reloader, build: Any, **keywords: Any) -> None:
        original(this, build, **keywords, monotonic=lambda: clock[0])

    monkeypatch.setattr(Reloader, "__init__", with_our_clock)
    reader.write("club.py", CLUB)
    reader.configure(shown("rotation", "toml")[1])
    return Rotating(reader, reader.run("\n".join(shown("rotation", "python"))), clock)


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "rotation.md").read_text(encoding="utf-8")
    assert f"every {INTERVAL:g} seconds" in text
    assert f"after {INTERVAL_WHILE_BROKEN:g} seconds" in text
    assert f"{SETTLED:g} second later" in text


def test_a_new_user_is_let_in_and_the_old_one_out_while_serving(rotating: Rotating) -> None:
    seen = fresh()
    assert post(rotating.module["guarded"], seen).status == "200 OK"
    rotating.change("users.toml", f'{USERS}"alice-2027" = "another"\n')
    rotating.wait(INTERVAL)
    both = {"alice": "secret", "alice-2027": "another"}
    assert [rotating.status(username=name, password=word) for name, word in both.items()] == ["200", "200"]
    assert post(rotating.module["guarded"], seen).status[:3] == "500", "what was seen stays seen"
    rotating.change(
        "users.toml", '["alice"]\npassword = "secret"\nenabled = false\n\n["alice-2027"]\npassword = "another"\n'
    )
    rotating.wait(INTERVAL)
    assert [rotating.status(username=name, password=word) for name, word in both.items()] == ["500", "200"]


def test_a_broken_file_is_reported_and_not_used_and_a_reload_says_why(
    rotating: Rotating, caplog: pytest.LogCaptureFixture
) -> None:
    rotating.change("wsguard.toml", "[timestamp]\nuse = 'perhaps'\n")
    rotating.wait(INTERVAL)
    assert (rotating.status(), rotating.status()) == ("200", "200")
    complaints = [record for record in caplog.records if record.name == "wsguard.reload"]
    assert [record.levelname for record in complaints] == ["ERROR"]
    assert "timestamp.use" in complaints[0].getMessage()
    assert rotating.module["take_the_new_configuration"]().startswith("still the old one: ")
    rotating.change("wsguard.toml", shown("rotation", "toml")[1])
    assert rotating.module["take_the_new_configuration"]() == "the new one is in force"


def test_another_replay_url_is_another_memory(rotating: Rotating) -> None:
    seen = fresh()
    assert post(rotating.module["guarded"], seen).status == "200 OK"
    rotating.change("wsguard.toml", shown("rotation", "toml")[1] + '\n[replay]\nurl = "sqlite:///other.db"\n')
    rotating.wait(INTERVAL)
    assert post(rotating.module["guarded"], seen).status == "200 OK"


def test_two_clients_are_named_while_a_partner_changes_from_one_to_the_other(reader: Reader) -> None:
    clients = shown("rotation", "toml")[0]
    service = '\n[services.MemberService]\noperations = ["{urn:club}*"]\n'
    reader.write("users.toml", '"partner-2026" = "old"\n"partner-2027" = "new"\n"partner-2028" = "next"\n')
    guarded = wsguard.guard(Echo(), reader.configure(clients + service))
    named = {"partner-2026": "old", "partner-2027": "new"}
    assert {post(guarded, fresh(RENEW, username=u, password=p)).status for u, p in named.items()} == {"200 OK"}
    answer = post(guarded, fresh(RENEW, username="partner-2028", password="next"))
    assert reader.refused_by(answer) == "client.mismatch"


def test_the_master_keys_of_a_database_are_changed_with_both_in_force(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = reader.configure('[users]\nurl = "sqlite:///users.db"\n')
    run = CliRunner().invoke
    old, new = (run(command_line, ["users", "new-key"]).output.strip() for _ in range(2))
    monkeypatch.setenv("WSGUARD_MASTER_KEY", old)
    assert run(command_line, ["users", "add", str(config), "alice"], input="secret\n").exit_code == 0
    monkeypatch.setenv("WSGUARD_MASTER_KEY", f"{new},{old}")
    during = wsguard.guard(Echo(), config)
    assert post(during, fresh()).status == "200 OK"
    assert run(command_line, ["users", "rekey", str(config)]).exit_code == 0
    monkeypatch.setenv("WSGUARD_MASTER_KEY", new)
    after = wsguard.guard(Echo(), config)
    assert {post(guarded, fresh()).status for guarded in (during, after)} == {"200 OK"}
    monkeypatch.setenv("WSGUARD_MASTER_KEY", old)
    with pytest.raises(wsguard.ConfigError, match="master key"):
        wsguard.guard(Echo(), config)
