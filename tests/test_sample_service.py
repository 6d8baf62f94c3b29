"""The sample is a real service, and its demo proves every verdict that it shows."""

import io
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from rich.console import Console
from werkzeug.test import Client, TestResponse

import wsguard
from tests.encrypting import Encryption
from tests.messages import NOW, Token, envelope, message, timestamp
from tests.signing import Signing, signed
from wsguard.audit import open_reader
from wsguard.checks import CHECKS
from wsguard.client import ZeepSecurity
from wsguard.interfaces import AuditRecord
from wsguard.keys import load_certificates, load_key
from wsguard.lint import findings
from wsguard.policy.surroundings import KeyFile
from wsguard.spyne import introspect

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

from sample_service import asking, demo, demo_report
from sample_service.application import BOOKS, CERTIFICATES, CONFIG, USERS, lay_out, soap_application
from sample_service.attempts import ATTEMPTS, FRONT_DESK, NEWSLETTER, RETIRED, get_member, replay
from sample_service.certificates import (
    ACCOUNTING,
    CA,
    CANTEEN,
    CLUB,
    PEGA_OLD,
    STRANGER,
    key_pair,
    keystore,
    make_certificates,
)
from sample_service.client import ClubClient, Exchange, credentials, in_one_line
from sample_service.connector import OLD, AsPublished, connector
from sample_service.data import Charge, Claim, Club, Prospect, Renewal, UnknownMember
from sample_service.verdicts import ACCEPTED, Attempt, Verdict, rejected

ROOT = Path(__file__).parents[1]
TODAY = date(2026, 11, 21)
RENEW = '<c:renewMembership xmlns:c="urn:example:club"><c:number>{}</c:number><c:years>{}</c:years></c:renewMembership>'
ASK = '<c:getMember xmlns:c="urn:example:club"><c:number>{}</c:number></c:getMember>'
CHARGE = (
    '<c:chargeMember xmlns:c="urn:example:club"><c:number>{}</c:number><c:amount>{}</c:amount>'
    "<c:purpose>Court 3</c:purpose></c:chargeMember>"
)
ACCOUNTING_SYSTEM = "CN=accounting,OU=Accounting,O=Example Club"
SETTLE = (
    '<c:settleClaim xmlns:c="urn:example:club"><c:number>{}</c:number><c:injury>Sprained ankle</c:injury>'
    "<c:amount>85.00</c:amount></c:settleClaim>"
)
CASE_SYSTEM = "CN=pega,OU=Claims,O=Example Club"
LEAD = (
    '<c:addProspect xmlns:c="urn:example:club"><c:prospect><c:name>Emmy</c:name><c:email>e@example.org</c:email>'
    "</c:prospect></c:addProspect>"
)


@pytest.fixture
def club(tmp_path: Path) -> Club:
    return Club(tmp_path / BOOKS)


@pytest.fixture
def browser(tmp_path: Path, club: Club) -> Iterator[Client]:
    """The guarded club at ``NOW``."""
    lay_out(tmp_path)
    with closing(wsguard.guard(soap_application(club), tmp_path / CONFIG, clock=lambda: NOW)) as guarded:
        yield Client(guarded)


def post(browser: Client, octets: bytes) -> TestResponse:
    return browser.post("/", data=octets, content_type="text/xml; charset=utf-8")


@pytest.fixture
def today(tmp_path: Path, club: Club) -> Iterator[Client]:
    """The guarded club at this moment: certificates are made when they are needed."""
    lay_out(tmp_path)
    with closing(wsguard.guard(soap_application(club), tmp_path / CONFIG)) as guarded:
        yield Client(guarded)


Sign = Callable[..., bytes]


@pytest.fixture
def signed_by(tmp_path: Path, today: Client) -> Sign:
    """Signs a Body now, as one of the clients that the club's authority knows."""

    def sign(client: str, body: str, **how: object) -> bytes:
        files = key_pair(tmp_path / CERTIFICATES, client)
        key = load_key(KeyFile(file=files.key)).private_key
        (certificate,) = load_certificates(files.certificate)
        created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        signing = Signing(key=key, certificate=certificate, **how)  # type: ignore[arg-type]
        return signed(signing, stamp=timestamp(created, None), body=body)

    return sign


def from_the_front_desk(body: str) -> bytes:
    return message(Token(*FRONT_DESK), body)


# --- The books --------------------------------------------------------------------------------------------------------


def test_books_that_are_opened_again_are_as_they_were_left(tmp_path: Path) -> None:
    Club(tmp_path / BOOKS).renew(1001, 1, TODAY, "frontdesk", "i1")
    again = Club(tmp_path / BOOKS)
    assert again.member(1001).paid_until == date(2027, 11, 21)
    assert len(again.members()) == 4


def test_a_renewal_starts_where_the_membership_ends_and_charges_each_year(club: Club) -> None:
    made = club.renew(1002, 2, TODAY, "frontdesk", "i1")
    assert made == Renewal(1002, date(2033, 12, 31), Decimal("960.00"), "frontdesk", "i1")
    assert club.renewals(1002) == [made]


def test_a_renewal_of_a_lapsed_membership_starts_today(club: Club) -> None:
    assert club.renew(1003, 1, TODAY, "frontdesk", "i1").paid_until == date(2027, 11, 21)


def test_nobody_is_renewed_who_is_no_member(club: Club) -> None:
    with pytest.raises(UnknownMember):
        club.renew(9, 1, TODAY, "frontdesk", "i1")
    with pytest.raises(UnknownMember):
        club.member(9)
    assert club.renewals(9) == []


def test_those_who_have_not_paid_are_found_by_day(club: Club) -> None:
    assert [member.number for member in club.members(unpaid_on=date(2026, 3, 31))] == [1003]
    assert [member.number for member in club.members(unpaid_on=date(2026, 4, 1))] == [1001, 1003]


def test_each_prospect_gets_a_number(club: Club) -> None:
    prospect = Prospect("Emmy", "e@example.org", visit=date(2031, 5, 4))
    assert [club.add_prospect(prospect), club.add_prospect(prospect)] == [1, 2]


def test_what_a_member_is_charged_is_kept_in_order(club: Club) -> None:
    made = [club.charge(1001, Decimal(amount), "Court 3", "accounting", "i1") for amount in ("12.50", "0.10")]
    assert made[0] == Charge(1, 1001, Decimal("12.50"), "Court 3", "accounting", "i1")
    assert club.charges(1001) == made
    assert club.charges(1002) == []


def test_nobody_is_charged_who_is_no_member(club: Club) -> None:
    with pytest.raises(UnknownMember):
        club.charge(9, Decimal("12.50"), "Court 3", "accounting", "i1")
    assert club.charges(9) == []


def test_what_was_paid_for_injuries_is_kept_in_order(club: Club) -> None:
    made = [club.settle(1001, injury, Decimal("85.00"), "pega", "i1") for injury in ("Ankle", "Wrist")]
    assert made[0] == Claim(1, 1001, "Ankle", Decimal("85.00"), "pega", "i1")
    assert club.claims(1001) == made
    assert club.claims(1002) == []


def test_no_claim_is_settled_of_who_is_no_member(club: Club) -> None:
    with pytest.raises(UnknownMember):
        club.settle(9, "Ankle", Decimal("85.00"), "pega", "i1")
    assert club.claims(9) == []


# --- The services -----------------------------------------------------------------------------------------------------


def test_a_renewal_notes_who_asked_for_it_and_in_which_request(browser: Client, club: Club, tmp_path: Path) -> None:
    answer = post(browser, from_the_front_desk(RENEW.format(1001, 1)))
    assert answer.status_code == 200, answer.text
    (renewal,) = club.renewals(1001)
    assert renewal.renewed_by == "frontdesk"
    record = open_reader(wsguard.load_policy(tmp_path / CONFIG).audit.url).find(renewal.incident)
    assert record is not None
    assert (record.outcome, record.service, record.username) == ("accepted", "MemberService", "frontdesk")


def test_a_client_that_claims_to_be_somebody_is_nobody_without_a_security_header(browser: Client, club: Club) -> None:
    octets = envelope(None, RENEW.format(1001, 1))
    claims = {"REMOTE_USER": "frontdesk", "wsguard.message": "forged"}
    answer = browser.post("/", data=octets, content_type="text/xml", environ_base=claims)
    assert "wsse:InvalidSecurity" in answer.text
    assert club.renewals(1001) == []


def test_a_charge_notes_whose_signature_asked_for_it_and_in_which_request(
    today: Client, signed_by: Sign, club: Club, tmp_path: Path
) -> None:
    answer = post(today, signed_by(ACCOUNTING, CHARGE.format(1001, "12.50")))
    assert answer.status_code == 200, answer.text
    (charge,) = club.charges(1001)
    assert (charge.amount, charge.charged_by) == (Decimal("12.50"), ACCOUNTING_SYSTEM)
    record = open_reader(wsguard.load_policy(tmp_path / CONFIG).audit.url).find(charge.incident)
    assert record is not None
    assert (record.outcome, record.service, record.username) == ("accepted", "BillingService", "")
    assert record.certificate_subject == ACCOUNTING_SYSTEM


def test_a_charge_is_taken_from_accounting_only(today: Client, signed_by: Sign, club: Club, tmp_path: Path) -> None:
    body = CHARGE.format(1001, "12.50")
    post(today, from_the_front_desk(body))
    post(today, signed_by(CANTEEN, body))
    post(today, signed_by(ACCOUNTING, body).replace(b"12.50", b"99.50"))
    post(today, envelope(None, body))
    checks = [record.check for record in open_reader(wsguard.load_policy(tmp_path / CONFIG).audit.url).read()][::-1]
    expected = ["username_token.forbidden", "certificate.constraint", "signature.digest", "security.missing"]
    assert (checks, club.charges(1001)) == (expected, [])


def test_a_charge_of_a_member_that_is_none_is_a_fault_of_the_service(today: Client, signed_by: Sign) -> None:
    assert "Client.UnknownMember" in post(today, signed_by(ACCOUNTING, CHARGE.format(9, "12.50"))).text
    assert "SchemaValidationError" in post(today, signed_by(ACCOUNTING, CHARGE.format(1001, "-1"))).text


def test_without_its_guard_the_service_renews_and_charges_for_nobody(club: Club) -> None:
    for body in (RENEW.format(1001, 1), CHARGE.format(1001, "12.50"), SETTLE.format(1001)):
        assert post(Client(soap_application(club)), envelope(None, body)).status_code == 500
    assert (club.renewals(1001), club.charges(1001), club.claims(1001)) == ([], [], [])


# --- The connector ----------------------------------------------------------------------------------------------------


Wsse = ZeepSecurity | AsPublished


def sent_by(security: Wsse, body: str) -> bytes:
    """What a connector makes of a message with this Body."""
    secured, _ = security.apply(etree.fromstring(envelope(None, body)), {})
    return etree.tostring(secured)


def opened(security: Wsse, answer: TestResponse) -> str:
    """An answer after it was verified and decrypted."""
    return etree.tostring(security.verify(etree.fromstring(answer.data)), encoding="unicode")


def record_of(directory: Path) -> AuditRecord:
    """The newest."""
    return open_reader(wsguard.load_policy(directory / CONFIG).audit.url).read(limit=1)[0]


def test_a_claim_is_kept_and_nothing_of_it_travels_in_the_clear(today: Client, club: Club, tmp_path: Path) -> None:
    security = connector(tmp_path / CERTIFICATES)
    request = sent_by(security, SETTLE.format(1001))
    answer = post(today, request)
    assert answer.status_code == 200, answer.text
    assert (b"Sprained" in request, "Sprained" in answer.text, "EncryptedData" in answer.text) == (False, False, True)
    assert "Sprained ankle</" in opened(security, answer)
    (claim,) = club.claims(1001)
    assert (claim.amount, claim.settled_by) == (Decimal("85.00"), CASE_SYSTEM)
    record = open_reader(wsguard.load_policy(tmp_path / CONFIG).audit.url).find(claim.incident)
    assert record is not None
    assert (record.outcome, record.service, record.client) == ("accepted", "ClaimsService", "pega")


def test_the_published_example_is_written_as_it_is_published_and_answered_in_the_same_algorithm(
    today: Client, club: Club, tmp_path: Path
) -> None:
    security = AsPublished(connector(tmp_path / CERTIFICATES, PEGA_OLD, encryption=OLD))
    request = sent_by(security, SETTLE.format(1001)).decode()
    for pattern in (
        r'<\S+:Body [^>]*:Id="Id-\d+"',
        r'<xenc:EncryptedData [^>]*Id="EncDataId-\d+" Type="http://www.w3.org/2001/04/xmlenc#Content">',
        (
            r'<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#tripledes-cbc"/>'
            r"<ds:KeyInfo [^>]*><wsse:SecurityTokenReference [^>]*>"
            r'<wsse:Reference URI="#EncKeyId-urn:uuid:[0-9A-F]{32}"/>'
        ),
    ):
        assert re.search(pattern, request), pattern
    answer = post(today, request.encode())
    assert "xmlenc#tripledes-cbc" in answer.text
    assert "settledBy>CN=pega-old,OU=Claims" in opened(security, answer)
    record = record_of(tmp_path)
    assert (record.outcome, record.check, record.client) == ("accepted", "encryption.algorithm", "pega-old")


def test_a_fault_of_the_service_is_encrypted_too(today: Client, tmp_path: Path) -> None:
    security = connector(tmp_path / CERTIFICATES)
    answer = post(today, sent_by(security, SETTLE.format(9)))
    assert ("UnknownMember" in answer.text, answer.status_code) == (False, 500)
    assert "Client.UnknownMember" in opened(security, answer)


@pytest.mark.parametrize(
    ("client", "check"),
    [(ACCOUNTING, "certificate.constraint"), (CANTEEN, "certificate.constraint"), (STRANGER, "certificate.untrusted")],
)
def test_a_claim_is_taken_from_the_case_system_only(
    client: str, check: str, today: Client, signed_by: Sign, club: Club, tmp_path: Path
) -> None:
    key = load_key(KeyFile.model_validate(keystore(tmp_path / CERTIFICATES, CLUB).source)).private_key
    assert isinstance(key, rsa.RSAPrivateKey)
    body = SETTLE.format(1001)
    for_the_club = Encryption(key=key, plaintext=body.encode()).fixed()
    octets = signed_by(client, body)
    octets = octets.replace(body.encode(), for_the_club.data_xml().encode())
    octets = re.sub(rb"(<wsse:Security\b[^>]*>)", rb"\1" + for_the_club.key_xml().encode(), octets, count=1)
    assert post(today, octets).status_code == 500
    assert (record_of(tmp_path).check, club.claims(1001)) == (check, [])


def test_an_answer_of_another_service_is_left_as_it_is(today: Client, signed_by: Sign) -> None:
    assert "Security" not in post(today, signed_by(ACCOUNTING, CHARGE.format(1001, "12.50"))).text


def test_what_a_member_does_not_have_is_left_out(browser: Client) -> None:
    answer = post(browser, from_the_front_desk(ASK.format(1004)))
    assert "Ἀγνοδίκη" in answer.text
    assert "email" not in answer.text


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (ASK.format(9), "Client.UnknownMember"),
        (RENEW.format(9, 1), "Client.UnknownMember"),
        (RENEW.format(1001, 6), "SchemaValidationError"),
    ],
)
def test_what_the_service_refuses_is_a_fault_of_its_own(browser: Client, club: Club, body: str, fault: str) -> None:
    assert fault in post(browser, from_the_front_desk(body)).text
    assert club.renewals(1001) == []


def test_the_lead_form_needs_no_security_header(browser: Client) -> None:
    answer = post(browser, envelope(None, LEAD))
    assert "addProspectResult>1<" in answer.text


def test_a_prospect_is_kept(browser: Client, tmp_path: Path) -> None:
    post(browser, envelope(None, LEAD))
    with closing(sqlite3.connect(tmp_path / BOOKS)) as books:
        assert books.execute("SELECT name, email, phone, visit FROM prospects").fetchall() == [
            ("Emmy", "e@example.org", None, None)
        ]


def test_the_wsdl_passes_the_guard_and_is_no_message(browser: Client, tmp_path: Path) -> None:
    answer = browser.get("/?wsdl")
    assert (answer.status_code, "renewMembership" in answer.text) == (200, True)
    assert open_reader(wsguard.load_policy(tmp_path / CONFIG).audit.url).read() == []


# --- The directory it runs in -----------------------------------------------------------------------------------------


def test_passwords_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    lay_out(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data" / USERS).stat().st_mode & 0o777 == 0o600
    names = sorted(file.name for file in (tmp_path / "new" / "data").iterdir())
    assert names == [CERTIFICATES, USERS, CONFIG]


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    make_certificates(tmp_path / "made")
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "made").iterdir()}
    secret = ("-key.pem", ".p12", ".password")
    assert {name for name, mode in modes.items() if mode == 0o600} == {name for name in modes if name.endswith(secret)}
    assert len(modes) == 21
    assert list(tmp_path.iterdir()) == [tmp_path / "made"]


def test_several_workers_that_start_together_agree_on_one_authority(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make_certificates, [tmp_path / "made"] * 4))
    (authority,) = load_certificates(tmp_path / "made" / CA)
    (certificate,) = load_certificates(key_pair(tmp_path / "made", ACCOUNTING).certificate)
    certificate.verify_directly_issued_by(authority)
    assert list(tmp_path.iterdir()) == [tmp_path / "made"]


def test_certificates_that_are_there_are_kept_and_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    make_certificates(tmp_path / "made")
    assert list((tmp_path / "made").iterdir()) == []
    with pytest.raises(OSError, match="nowhere"):
        make_certificates(tmp_path / "nowhere" / "made")


def test_a_configuration_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("# mine\n")
    lay_out(tmp_path)
    assert (tmp_path / CONFIG).read_text() == "# mine\n"


def test_the_configuration_has_nothing_of_high_risk(tmp_path: Path, club: Club) -> None:
    lay_out(tmp_path)
    application = introspect(soap_application(club))
    assert application is not None
    found = findings(wsguard.load_policy(tmp_path / CONFIG), application.operations, TODAY)
    assert [finding.setting for finding in found if finding.risk == "high"] == []


def test_several_workers_of_one_server_share_the_directory_and_take_a_message_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "--workers", "3", "--bind", "127.0.0.1:0", "sample_service.wsgi"]
    # HOME: gunicorn puts a control socket there.
    environ = {**os.environ, "SAMPLE_SERVICE_DATA": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            lines = iter(server.stderr.readline, "")
            address = next(found[1] for line in lines if (found := re.search(r"Listening at: (\S+)", line)))
            with closing(ClubClient(f"{address}/")) as client:
                recorded = client.call("getMember", credentials(*FRONT_DESK), number=1001)
                again = [client.post(recorded.octets, "getMember") for _ in range(9)]
        finally:
            server.terminate()
    assert "Ada Lovelace" in recorded.answer
    refused = "wsse:InvalidSecurity: An error was discovered processing the <wsse:Security> header"
    assert {exchange.answer for exchange in again} == {refused}


# --- The demo ---------------------------------------------------------------------------------------------------------


REPLAYED = 3
"""Attempts that send something good first, to send it again."""


def test_the_demo_shows_what_it_promises_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sample_service.demo"]
    environ = {**os.environ, "TMPDIR": str(tmp_path), "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://x:9"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    rows = re.findall(r"^│ (\d+) .* │ …\w{8} │ .* │ ✓ │$", done.stdout, re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, len(ATTEMPTS) + 1))
    shown = re.sub(r"\s", "", done.stdout)
    assert [attempt.verdict for attempt in ATTEMPTS if f"{attempt.verdict.outcome}:" not in shown] == []
    assert [check for _, check in {attempt.verdict for attempt in ATTEMPTS} if check not in shown] == []
    assert f"{len(ATTEMPTS)} messages, each treated as expected" in done.stdout
    assert list(tmp_path.iterdir()) == []
    _, commands = done.stdout.split("\n$ wsguard explain ")
    explained, pictured = commands.split("\n$ wsguard audit stats ")
    assert re.search(r"^│ timestamp\.expired +│ refused +│ Created at most 300 s before ", explained, re.MULTILINE)
    assert "Cure: synchronise clocks" in explained
    assert "Refused by timestamp.expired." in explained
    assert "Refusals over time" in pictured
    accepted = sum(attempt.verdict.outcome == "accepted" for attempt in ATTEMPTS) + REPLAYED
    assert re.search(rf"^│ accepted +│ {accepted} +│$", pictured, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= 160
    assert not any(password in commands for _, password in (FRONT_DESK, RETIRED, NEWSLETTER))


def test_the_demo_fails_when_one_verdict_is_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = get_member(lambda: credentials(*FRONT_DESK))
    wrong = (
        Attempt("another outcome", honest, Verdict("rejected", "replay.nonce"), "Ada"),
        Attempt("another check", replay, Verdict("rejected", "timestamp.expired"), "Expired"),
        Attempt("another answer", honest, ACCEPTED, "Alan"),
        Attempt("right", honest, ACCEPTED, "Ada"),
    )
    monkeypatch.setattr(demo, "ATTEMPTS", wrong)
    assert demo.main() == 1
    assert "3 of 4 messages were not treated as expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("raise SystemExit(1)", ["explain", "audit stats"]),
        ("raise SystemExit(0)", ["explain", "audit stats"]),
        ("raise ValueError('[b]a defect[/b]')", ["explain", "audit stats", "ValueError: [b]a defect[/b]"]),
        ("import time; time.sleep(60)", ["explain", "audit stats", "It took more than 0.5 seconds."]),
        ("print('Refused by timestamp.expired.'); raise SystemExit(1)", ["audit stats"]),
        ("print('Refusals over time')", ["explain"]),
    ],
    ids=["refuses", "says nothing", "breaks down", "does not end", "only explains", "only draws"],
)
def test_the_demo_fails_when_a_command_does(
    command: str, said: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    late = next(attempt for attempt in ATTEMPTS if attempt.verdict == asking.EXPLAINED)
    monkeypatch.setattr(demo, "ATTEMPTS", (late,))
    monkeypatch.setattr(asking, "_COMMAND", (sys.executable, "-c", command))
    monkeypatch.setattr(asking, "TIMEOUT", 0.5 if "sleep" in command else 60)
    assert demo.main() == 1
    output = capsys.readouterr().out
    assert [text for text in said if text not in output] == []
    failed = next(line for line in output.splitlines() if line.startswith("Failed: "))
    assert [f"wsguard {name} " in failed for name in ("explain", "audit stats")] == [
        name in said for name in ("explain", "audit stats")
    ]
    assert "treated as expected" not in output


def test_a_demo_without_the_message_that_is_to_be_explained_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt = Attempt("no header", get_member(), rejected("security.missing"), "InvalidSecurity")
    monkeypatch.setattr(demo, "ATTEMPTS", (attempt,))
    assert demo.main() == 1
    assert "There is no such message." in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "utf-8"])
def test_the_demo_fits_the_encoding_of_its_terminal(encoding: str, tmp_path: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "sample_service.demo"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"treated as expected" in done.stdout
    done.stdout.decode(encoding)


@pytest.mark.parametrize("width", [100, 160])
def test_nothing_that_counts_is_cut_off(width: int) -> None:
    check = max((attempt.verdict.check for attempt in ATTEMPTS), key=len)
    explanation = [{"check": check, "outcome": "refused", "expected": "[b]", "seen": "x" * 20}]
    record = AuditRecord("i" * 18 + "ABCDEFGH", NOW, "rejected", check, explanation=explanation)
    attempt = Attempt("title", replay, Verdict("rejected", check), "Failed")
    result = demo_report.Result(attempt, Exchange(b"", "wsse:InvalidSecurity: Failed", record.incident), record)
    screen = io.StringIO()
    Console(file=screen, width=width).print(demo_report.table_of([result] * 10))
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) == width
    for part in (f"{check}:", "[b]", "x" * 20, "InvalidSecurity:", "…ABCDEFGH", "✓"):
        assert any(part in line for line in lines), part


def test_a_refusal_that_the_client_was_not_told_of_is_not_as_expected() -> None:
    record = AuditRecord("i" * 26, NOW, "rejected", "replay.nonce")
    attempt = Attempt("title", replay, Verdict("rejected", "replay.nonce"), "Ada")
    assert not demo_report.Result(attempt, Exchange(b"", "Ada", ""), record).is_expected
    assert not demo_report.Result(attempt, Exchange(b"", "Ada", "i" * 26), None).is_expected
    assert demo_report.Result(attempt, Exchange(b"", "Ada", "i" * 26), record).is_expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_stops_its_service_and_leaves_nothing_behind(number: int, tmp_path: Path) -> None:
    code = (
        "import time, sample_service.demo as demo; demo.send = lambda *_: time.sleep(60); raise SystemExit(demo.run())"
    )
    command = [sys.executable, "-u", "-c", code]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        address = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (128 + number, "")
    assert list(tmp_path.iterdir()) == []
    assert address is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address[1])), timeout=5)


def test_a_service_that_says_nothing_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(silent))
    monkeypatch.setattr(demo, "START", 0.1)
    with pytest.raises(demo.ServiceFailed, match="did not start"), demo.served(tmp_path):
        pytest.fail("it started")


def test_the_demo_as_a_program_says_in_words_that_its_service_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise demo.ServiceFailed("gone")

    monkeypatch.setattr(demo, "main", fail)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert demo.run() == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == "gone\n"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_knows_the_demo() -> None:
    done = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "-m sample_service.demo" in done.stdout


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("surprise = 1\n")
    with pytest.raises(RuntimeError, match="surprise"), demo.served(tmp_path):
        pytest.fail("it started")


def test_every_verdict_of_the_demo_names_a_check_that_there_is() -> None:
    assert {attempt.verdict.check for attempt in ATTEMPTS} - {""} <= CHECKS.keys()


def test_an_answer_is_told_in_one_line() -> None:
    assert in_one_line([{"number": 1, "email": None, "name": "Ada"}, 2]) == "1, Ada; 2"
