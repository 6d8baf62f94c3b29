"""The command line: what it prints, what it writes, and its exit status: 0 fine, 1 bad news, 2 misuse."""

import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from tests.messages import timestamp
from tests.signing import Signing, signed
from wsguard.audit import open_audit
from wsguard.checks import CHECKS
from wsguard.cli import algorithms
from wsguard.cli import doctor as doctor_module
from wsguard.cli.application import application
from wsguard.cli.audit import since_when
from wsguard.interfaces import AuditRecord
from wsguard.keys import load_certificates, load_key
from wsguard.lint import BROKEN_ALGORITHMS
from wsguard.policy.demands import ALL_ALGORITHMS
from wsguard.policy.surroundings import KeyFile
from wsguard.version import __version__

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a wide terminal: status, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("WSGUARD_CONFIG", raising=False)

    def invoke(*arguments: object) -> tuple[int, str, str]:
        result = CliRunner().invoke(application, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return invoke


@pytest.fixture
def started(run: Run, tmp_path: Path) -> Path:
    """A directory that ``wsguard init`` made."""
    directory, before = tmp_path / "guard", os.umask(0o022)
    try:
        assert run("init", directory)[0] == 0
    finally:
        os.umask(before)
    return directory


def configured(directory: Path, text: str) -> Path:
    (directory / "users.toml").write_text('"alice" = "secret"\n')
    (directory / "users.toml").chmod(0o600)
    config = directory / "wsguard.toml"
    config.write_text(text if "[users]" in text else text + '\n[users]\nurl = "toml:users.toml"\n')
    return config


def real(*arguments: str, cwd: Path, code: str = "from wsguard.cli import main; main()") -> tuple[int, str, str]:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


# --- The command itself -----------------------------------------------------------------------------------------------


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version")[:2] == (0, f"wsguard {__version__}\n")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_its_extra_the_command_says_what_to_install(missing: str, tmp_path: Path) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from wsguard.cli import main; main()"
    status, _, error = real(cwd=tmp_path, code=code)
    assert (status, error) == (2, f"wsguard: the command line needs {missing}: pip install wsguard[cli]\n")


def test_a_module_that_is_missing_for_another_reason_is_not_hidden(tmp_path: Path) -> None:
    code = "import sys; sys.modules['lxml'] = None; from wsguard.cli import main; main()"
    status, _, error = real(cwd=tmp_path, code=code)
    assert status == 1
    assert "ModuleNotFoundError" in error


def test_misuse_has_status_2(run: Run) -> None:
    for arguments in (["frobnicate"], ["check"], ["init"], ["audit", "show"], ["check", "--no-such"]):
        assert run(*arguments)[0] == 2, arguments


# --- init -------------------------------------------------------------------------------------------------------------


def test_init_writes_a_configuration_that_check_is_content_with(run: Run, started: Path) -> None:
    status, output, error = run("check", started / "wsguard.toml", "--json")
    assert (status, error) == (0, "")
    assert {finding["risk"] for finding in json.loads(output)["findings"]} <= {"medium", "low"}


def test_init_and_check_work_as_a_program(tmp_path: Path) -> None:
    assert real("init", "guard", cwd=tmp_path)[0] == 0
    status, output, error = real("check", "guard/wsguard.toml", cwd=tmp_path)
    assert (status, error) == (0, "")
    assert "PasswordDigest" in output


def test_init_prints_the_password_of_the_user_once_and_makes_another_each_time(run: Run, tmp_path: Path) -> None:
    passwords = set()
    for name in ("one", "two"):
        _, output, _ = run("init", tmp_path / name, "--user", 'J"ö')
        ((user, password),) = tomllib.loads((tmp_path / name / "users.toml").read_text()).items()
        assert (user, output.count(password)) == ('J"ö', 1)
        assert len(password) >= 24
        passwords.add(password)
    assert len(passwords) == 2


def test_only_the_owner_can_read_the_secrets_that_init_writes(started: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in started.iterdir()}
    secret = {"users.toml", "development-ca-key.pem", "server.p12", "server-password.txt", "client-key.pem"}
    assert {name for name, mode in modes.items() if mode == 0o600} == secret
    assert set(modes) - secret == {"wsguard.toml", "development-ca.pem", "client.pem", ".gitignore"}


def test_the_key_that_init_makes_opens_with_its_password_and_stands_under_its_authority(started: Path) -> None:
    pair = load_key(KeyFile(file=started / "server.p12", password_file=started / "server-password.txt"))
    (authority,) = load_certificates(started / "development-ca.pem")
    assert pair.certificate is not None
    pair.certificate.verify_directly_issued_by(authority)
    assert pair.chain == (authority,)


def test_version_control_leaves_out_what_only_the_owner_can_read(started: Path) -> None:
    patterns = (started / ".gitignore").read_text().split()
    secret = [path for path in started.iterdir() if stat.S_IMODE(path.stat().st_mode) == 0o600]
    assert [path.name for path in secret if not any(path.match(pattern) for pattern in patterns)] == []


def signed_now(key: KeyFile, certificate: Path) -> bytes:
    created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    signing = Signing(key=load_key(key).private_key, certificate=load_certificates(certificate)[0])
    return signed(signing, stamp=timestamp(created, None))


def in_place_of_a_user(config: Path) -> None:
    """What the comment above [signature] says."""
    text = config.read_text()
    for section, before, after in (("signature", "optional", "required"), ("username_token", "required", "forbidden")):
        text = re.sub(rf'(\[{section}\]\n(?:#.*\n)*use = )"{before}"', rf'\1"{after}"', text)
    config.write_text(text)


def test_a_message_signed_with_the_key_that_init_makes_is_taken_where_a_signature_is_demanded(
    run: Run, started: Path
) -> None:
    message = started / "message.xml"
    message.write_bytes(signed_now(KeyFile(file=started / "client-key.pem"), started / "client.pem"))
    explained = ("explain", started / "wsguard.toml", message, "--json")
    assert json.loads(run(*explained)[1])["check"] == "username_token.missing"
    in_place_of_a_user(started / "wsguard.toml")
    status, output, _ = run(*explained)
    assert (status, json.loads(output)["certificate_subject"]) == (0, "CN=wsguard development client"), output
    assert run("check", started / "wsguard.toml")[0] == 0


def test_the_servers_certificate_is_nobody_who_may_sign(run: Run, started: Path) -> None:
    in_place_of_a_user(started / "wsguard.toml")
    key = KeyFile(file=started / "server.p12", password_file=started / "server-password.txt")
    certificate = load_key(key).certificate
    assert certificate is not None
    (started / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (started / "message.xml").write_bytes(signed_now(key, started / "server.pem"))
    _, output, _ = run("explain", started / "wsguard.toml", started / "message.xml", "--json")
    assert json.loads(output)["check"] == "certificate.constraint"


@pytest.mark.parametrize("there", ["wsguard.toml", "users.toml", "server.p12", "client.pem", ".gitignore"])
def test_init_overwrites_nothing_and_then_writes_nothing(run: Run, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    status, output, error = run("init", tmp_path)
    assert (status, output) == (2, "")
    assert f"{there} exists already; nothing was written" in error
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_init_says_where_it_cannot_write(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("init", tmp_path / "file" / "below")[0] == 2
    assert run("init", tmp_path / "x", "--user", "a\nb")[0] == 2


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_says_every_mistake_at_once_with_file_and_key(run: Run, tmp_path: Path) -> None:
    config = configured(tmp_path, '[timestamp]\nuse = "sometimes"\n[limits]\ndepth = "deep"\n[nonsense]\n')
    status, output, error = run("check", config)
    assert (status, output) == (2, "")
    for key in ("timestamp.use", "limits.depth", "nonsense"):
        assert f"{config}: {key}: " in error
    status, output, _ = run("check", config, "--json")
    report = json.loads(output)
    assert (status, report["ok"]) == (2, False)
    assert {problem["key"] for problem in report["problems"]} == {"timestamp.use", "limits.depth", "nonsense"}
    assert {problem["file"] for problem in report["problems"]} == {str(config)}


def test_check_refuses_what_the_guard_would_refuse(run: Run, tmp_path: Path) -> None:
    text = '[keys]\nsign = { file = "no.pem" }\n[replay]\nurl = "redis://localhost"\n'
    status, _, error = run("check", configured(tmp_path, text))
    lines = error.splitlines()[1:]
    assert status == 2
    assert [line.split(": ")[1] for line in lines] == ["keys.sign", "replay.url"]


def test_check_opens_nothing_that_it_would_have_to_make(run: Run, tmp_path: Path) -> None:
    config = configured(tmp_path, "")
    assert run("check", config)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"users.toml", "wsguard.toml"}


def test_claims_that_overlap_are_mistakes_with_file_and_key(run: Run, tmp_path: Path) -> None:
    text = SERVICES.replace("{urn:leads}submit", "{urn:orders}place")
    config = configured(tmp_path, text)
    status, _, error = run("check", config)
    assert status == 2
    assert f"{config}: services.Orders: " in error


def test_a_service_known_by_its_name_alone_is_listed_without_its_application(run: Run, tmp_path: Path) -> None:
    text = "[services.MemberService]\ntimestamp.time_to_live = 61\n" + EXEMPT_BY_NAME
    status, output, _ = run("check", configured(tmp_path, text), "--json")
    report = json.loads(output)
    assert status == 0
    assert [(line["service"], line["verdict"], line["operations"]) for line in report["matrix"]] == [
        ("LeadService", "exempt", []),
        ("MemberService", "guarded", []),
        ("", "default", []),
    ]


EXEMPT_BY_NAME = '[[exempt]]\nservice = "LeadService"\nreason = "form"\nowner = "me"\nreview = 2999-12-31\n'


def test_check_says_when_the_file_is_not_there_or_no_toml(run: Run, tmp_path: Path) -> None:
    assert run("check", tmp_path / "no.toml")[0] == 2
    (tmp_path / "bad.toml").write_text("= 1")
    status, _, error = run("check", tmp_path / "bad.toml")
    assert status == 2
    assert "bad.toml" in error


def test_the_configuration_may_stand_in_the_environment(
    run: Run, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGUARD_CONFIG", str(started / "wsguard.toml"))
    assert run("check")[0] == 0


SERVICES = """
[services.Orders]
operations = ["{urn:orders}place", "{urn:orders}cancel"]
paths = ["/orders"]
timestamp.time_to_live = 60
username_token.password_types = ["PasswordText"]

[[exempt]]
operations = ["{urn:leads}submit"]
reason = "public form"
owner = "marketing"
review = 2020-01-01
"""


def test_check_prints_what_each_service_demands_and_what_is_exempt(run: Run, tmp_path: Path) -> None:
    status, output, _ = run("check", configured(tmp_path, SERVICES))
    assert status == 1
    words = ("Orders", "{urn:orders}place", "on /orders", "60 s old", "300 s old", "PasswordText", "PasswordDigest")
    for text in (*words, "{urn:leads}submit", "public form", "marketing", "2020-01-01 OVERDUE", "exempt[0].review"):
        assert text in output


def test_check_prints_the_same_for_programs(run: Run, tmp_path: Path) -> None:
    status, output, error = run("check", configured(tmp_path, SERVICES), "--json")
    report = json.loads(output)
    assert (status, report["ok"], error) == (1, False, "")
    by_verdict = {line["verdict"]: line for line in report["matrix"]}
    assert set(by_verdict) == {"guarded", "exempt", "default"}
    guarded = by_verdict["guarded"]
    assert (guarded["service"], guarded["paths"]) == ("Orders", ["/orders"])
    assert sorted(guarded["operations"]) == ["{urn:orders}cancel", "{urn:orders}place"]
    assert guarded["demands"]["timestamp"]["time_to_live"] == 60
    assert by_verdict["default"]["demands"]["timestamp"]["time_to_live"] == 300
    assert by_verdict["exempt"]["demands"] is None
    assert [(entry["owner"], entry["overdue"]) for entry in report["exemptions"]] == [("marketing", True)]
    assert ("high", "exempt[0].review") in {(entry["risk"], entry["setting"]) for entry in report["findings"]}


def test_what_is_forbidden_is_said_in_one_word(run: Run, tmp_path: Path) -> None:
    text = 'unsafe_unauthenticated = true\n[timestamp]\nuse = "forbidden"\n[username_token]\nuse = "forbidden"\n'
    status, output, _ = run("check", configured(tmp_path, text))
    assert status == 1
    assert re.search(r"whatever no service claims +│ forbidden +│ forbidden +│ optional", output)


def test_a_user_file_that_is_not_there_or_wrong_is_a_mistake(run: Run, tmp_path: Path) -> None:
    for users, reason in (("none.toml", "No such file"), ("wsguard.toml", "users.url: ")):
        config = configured(tmp_path, f'[users]\nurl = "toml:{users}"\n')
        status, _, error = run("check", config)
        assert status == 2
        assert f"{config}: users.url: " in error
        assert reason in error


def test_a_url_in_an_environment_variable_that_is_not_set_is_a_mistake(run: Run, tmp_path: Path) -> None:
    status, _, error = run("check", configured(tmp_path, '[replay]\nurl_env = "NO_SUCH_VARIABLE"\n'))
    assert status == 2
    assert "NO_SUCH_VARIABLE" in error


def test_text_of_the_configuration_is_never_markup(run: Run, tmp_path: Path) -> None:
    text = SERVICES.replace("public form", "[red]public[/red] form")
    assert "[red]public[/red] form" in run("check", configured(tmp_path, text))[1]


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ("noattr", "MODULE:ATTR is expected"),
        (":app", "MODULE:ATTR is expected"),
        ("wsguard_no_such:app", "ModuleNotFoundError: No module named 'wsguard_no_such'"),
        ("wsguard.version:nothing", "AttributeError: module 'wsguard.version' has no attribute 'nothing'"),
        ("broken_app_of_this_test:app", "ZeroDivisionError: division by zero"),
    ],
)
def test_an_application_that_cannot_be_imported_is_misuse_and_the_error_is_shown(
    run: Run, started: Path, monkeypatch: pytest.MonkeyPatch, app: str, reason: str
) -> None:
    (started / "broken_app_of_this_test.py").write_text("1 / 0")
    monkeypatch.chdir(started)
    monkeypatch.setattr(sys, "path", list(sys.path))
    status, output, error = run("check", "wsguard.toml", "--app", app)
    assert (status, output) == (2, "")
    assert reason in error


def test_an_application_that_is_not_spynes_is_taken_as_it_is(
    run: Run, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (started / "plain_app_of_this_test.py").write_text("def app(environ, start_response): return []")
    monkeypatch.chdir(started)
    monkeypatch.setattr(sys, "path", list(sys.path))
    status, _, error = run("check", "wsguard.toml", "--app", "plain_app_of_this_test:app")
    assert status == 0
    assert "no spyne application" in error


SPYNE = """
from spyne import Application, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
import wsguard

class MemberService(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def get_member(ctx, name):
        return name

class LeadService(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def submit_lead(ctx, name):
        return name

soap = WsgiApplication(Application(
    [MemberService, LeadService], "urn:members", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11()
))
guarded = wsguard.guard(soap, "wsguard.toml")
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="spyne 2.14 does not import on Python 3.12")
@pytest.mark.parametrize("attribute", ["soap", "guarded"])
def test_check_knows_the_operations_of_a_spyne_application_also_behind_its_guard(
    tmp_path: Path, attribute: str
) -> None:
    text = '[services.MemberService]\ntimestamp.time_to_live = 60\n[[exempt]]\nservice = "LeadService"\n'
    configured(tmp_path, text)
    (tmp_path / "service.py").write_text(SPYNE)
    status, output, error = real("check", "wsguard.toml", "--app", f"service:{attribute}", "--json", cwd=tmp_path)
    assert (status, error) == (0, "")
    lines = {line["verdict"]: line for line in json.loads(output)["matrix"]}
    assert lines["guarded"]["operations"] == ["{urn:members}get_member"]
    assert lines["exempt"]["operations"] == ["{urn:members}submit_lead"]


# --- audit ------------------------------------------------------------------------------------------------------------


def record(incident: str, minutes_ago: int, check: str = "replay.nonce", **more: Any) -> AuditRecord:
    explanation = [
        {"check": "timestamp", "outcome": "passed", "expected": "in time", "seen": "[b]now[/b]", "setting": ""},
        {"check": check, "outcome": "refused", "expected": "a new nonce", "seen": "one seen", "setting": "replay.url"},
    ]
    return AuditRecord(
        incident=incident,
        time=datetime.now(UTC) - timedelta(minutes=minutes_ago),
        outcome=more.pop("outcome", "rejected"),
        check=check,
        fault="MessageExpired",
        operation="{urn:x}get",
        username="alice",
        explanation=explanation,
        **more,
    )


@pytest.fixture
def audited(tmp_path: Path) -> Path:
    """A configuration with three records."""
    config = configured(tmp_path, '[audit]\nurl = "jsonl:audit.jsonl"\n')
    sink = open_audit([f"jsonl:{tmp_path / 'audit.jsonl'}"])
    sink.write(record("old", 120))
    sink.write(record("middle", 45, "timestamp.expired"))
    sink.write(record("new", 1, "store.unavailable", outcome="error"))
    sink.close()
    return config


@pytest.mark.parametrize(
    ("options", "incidents"),
    [
        ([], ["new", "middle", "old"]),
        (["--since", "1h"], ["new", "middle"]),
        (["--since", "30m"], ["new"]),
        (["--since", "2000-01-01"], ["new", "middle", "old"]),
        (["--since", "2100-01-01T00:00:00Z"], []),
        (["--check", "replay.nonce"], ["old"]),
        (["--outcome", "error"], ["new"]),
        (["--limit", "2"], ["new", "middle"]),
    ],
)
def test_records_are_listed_newest_first_as_asked(
    run: Run, audited: Path, options: list[str], incidents: list[str]
) -> None:
    status, output, _ = run("audit", "list", audited, *options, "--json")
    assert (status, [entry["incident"] for entry in json.loads(output)]) == (0, incidents)


def test_records_are_listed_in_a_table_for_people(run: Run, audited: Path) -> None:
    _, output, _ = run("audit", "list", audited)
    for text in ("3 records", "middle", "timestamp.expired", "rejected", "{urn:x}get", "alice"):
        assert text in output
    assert run("audit", "list", audited, "--check", "limits.depth")[1] == "No record fits.\n"


@pytest.mark.parametrize(
    "options", [["--since", "yesterday"], ["--check", "replay.nonse"], ["--outcome", "good"], ["--limit", "0"]]
)
def test_a_filter_that_means_nothing_is_misuse(run: Run, audited: Path, options: list[str]) -> None:
    assert run("audit", "list", audited, *options)[0] == 2


def test_a_check_that_is_mistyped_is_answered_with_those_that_are_near(run: Run, audited: Path) -> None:
    assert "replay.nonce" in run("audit", "list", audited, "--check", "replay.nonse")[2]


def test_since_is_read_in_units_and_in_iso_8601() -> None:
    assert since_when("90s", NOW) == NOW - timedelta(seconds=90)
    assert since_when("7d", NOW) == NOW - timedelta(days=7)
    assert since_when("2026-06-01", NOW) == datetime(2026, 6, 1, tzinfo=UTC)
    assert since_when("2026-06-01T10:00:00+02:00", NOW) == datetime(2026, 6, 1, 8, tzinfo=UTC)
    for text in ("", "1", "1w", "-1h", "٣h", "999999999d"):
        with pytest.raises(typer.BadParameter):
            since_when(text, NOW)


def test_a_record_is_shown_whole_with_every_check_and_the_cure(run: Run, audited: Path) -> None:
    status, output, _ = run("audit", "show", audited, "old")
    assert status == 0
    check = CHECKS["replay.nonce"]
    for text in ("Incident old", "MessageExpired", "[b]now[/b]", "a new nonce", "one seen", "replay.url"):
        assert text in output
    assert f"Usual cause: {check.cause}." in output
    assert f"Cure: {check.cure}." in output


def test_a_record_is_shown_to_programs_as_it_was_kept(run: Run, audited: Path) -> None:
    shown = json.loads(run("audit", "show", audited, "old", "--json")[1])
    kept = {name: shown[name] for name in ("time", "writer", "seq", "prev", "mac")}
    assert shown == {**record("old", 120).as_dict(), **kept}


def test_show_takes_the_configuration_from_the_environment(
    run: Run, audited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("audit", "show", "old")[0] == 2
    monkeypatch.setenv("WSGUARD_CONFIG", str(audited))
    assert run("audit", "show", "old")[0] == 0
    assert run("audit", "show", audited, "old", "more")[0] == 2


def test_an_incident_without_record_is_bad_news(run: Run, audited: Path) -> None:
    status, _, error = run("audit", "show", audited, "nothing")
    assert (status, error) == (1, "There is no record of incident nothing.\n")


def test_an_audit_that_is_not_there_is_bad_news_and_one_that_cannot_be_read_again_is_misuse(
    run: Run, tmp_path: Path
) -> None:
    status, _, error = run("audit", "list", configured(tmp_path, ""))
    assert status == 1
    assert error.startswith("The audit cannot be read: ")
    status, _, error = run("audit", "list", configured(tmp_path, '[audit]\nurl = "stderr:"\n'))
    assert status == 2
    assert "no audit that can be read again" in error


# --- doctor -----------------------------------------------------------------------------------------------------------


def items(output: str) -> dict[tuple[str, str], dict[str, str]]:
    return {(item["group"], item["name"]): item for item in json.loads(output)["items"]}


def test_the_doctor_tries_every_algorithm_that_a_configuration_may_list(run: Run) -> None:
    status, output, _ = run("doctor", "--json")
    looked_at = items(output)
    assert (status, json.loads(output)["ok"]) == (0, True)
    assert {name for group, name in looked_at if group == "algorithm"} == ALL_ALGORITHMS
    missing = {name for (group, name), item in looked_at.items() if group == "algorithm" and item["state"] != "fine"}
    assert missing <= BROKEN_ALGORITHMS
    for name in ("python", "lxml", "xmlsec", "libxmlsec", "cryptography", "cryptography's OpenSSL", "spyne", "SQLite"):
        assert ("version", name) in looked_at


def test_an_algorithm_that_fails_is_missing_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise ValueError("not compiled in")

    monkeypatch.setattr(algorithms, "ATTEMPTS", {"one": lambda: True, "two": lambda: False, "three": fail})
    states = [(item.name, item.state, item.text) for item in doctor_module.algorithms()]
    assert states == [
        ("one", "fine", "works"),
        ("two", "missing", "what came back is not what went in"),
        ("three", "missing", "ValueError: not compiled in"),
    ]


def test_two_different_libxml2_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    import xmlsec

    monkeypatch.setattr(xmlsec, "get_libxml_version", lambda: (2, 9, 0))
    found = {item.name: item for item in doctor_module.versions()}
    assert found["one libxml2 for both"].state == "failed"
    assert found["xmlsec's libxml2"].state == "warning"


def test_a_clock_before_the_installation_is_a_failure() -> None:
    assert next(doctor_module.clock(datetime(2001, 1, 1, tzinfo=UTC))).state == "failed"
    assert next(doctor_module.clock(datetime(2101, 1, 1, tzinfo=UTC))).state == "fine"


def test_the_doctor_is_content_with_what_init_wrote_and_makes_no_file(run: Run, started: Path) -> None:
    before = sorted(started.iterdir())
    status, output, _ = run("doctor", started / "wsguard.toml", "--json")
    looked_at = items(output)
    assert status == 0
    assert looked_at["file", str(started / "users.toml")]["state"] == "fine"
    assert {name for group, name in looked_at if group == "store"} == {"users.url", "replay.url", "audit.url"}
    assert sorted(started.iterdir()) == before


def test_a_secret_that_others_can_read_fails(run: Run, started: Path) -> None:
    (started / "users.toml").chmod(0o640)
    status, output, _ = run("doctor", started / "wsguard.toml", "--json")
    assert status == 1
    assert "mode 0640" in items(output)["file", str(started / "users.toml")]["text"]


def test_every_file_that_holds_a_secret_is_looked_at(run: Run, tmp_path: Path) -> None:
    text = """
    [users]
    url = "toml:users.toml"
    [replay]
    url_file = "replay-url"
    [keys]
    sign = { file = "sign.pem", password_file = "sign-password" }
    shared = [{ name = "k", key_file = "shared" }]
    """
    config = configured(tmp_path, text)
    (tmp_path / "replay-url").write_text("memory://")
    (tmp_path / "shared").touch(0o600)
    _, output, _ = run("doctor", config, "--json")
    states = {Path(name).name: item["state"] for (group, name), item in items(output).items() if group == "file"}
    assert states == {
        "users.toml": "fine",
        "replay-url": "failed",
        "sign.pem": "failed",
        "sign-password": "failed",
        "shared": "fine",
    }
    assert items(output)["store", "replay.url"]["text"] == "memory: opens"


def test_a_machine_that_lacks_something_is_told_so_and_does_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import xmlsec

    monkeypatch.delattr(xmlsec, "get_libxmlsec_version")
    assert {item.name: item.state for item in doctor_module.versions()}["libxmlsec"] == "missing"
    monkeypatch.setattr(doctor_module, "SYNCHRONIZED", tmp_path)
    assert [item.state for item in doctor_module.clock(datetime.now(UTC))] == ["fine", "fine"]
    monkeypatch.setattr(doctor_module, "SYNCHRONIZED", tmp_path / "none")
    assert [item.state for item in doctor_module.clock(datetime.now(UTC))] == ["fine", "missing"]


def test_a_store_that_does_not_open_fails_for_people_too(run: Run, started: Path) -> None:
    (started / "wsguard-replay.db").write_text("this is no database at all, whatever its name says" * 100)
    status, output, _ = run("doctor", started / "wsguard.toml")
    assert status == 1
    assert re.search(r"store +│ replay.url +│ failed", output)


def test_a_store_in_a_directory_that_is_not_there_fails(run: Run, tmp_path: Path) -> None:
    status, output, _ = run("doctor", configured(tmp_path, '[replay]\nurl = "sqlite:///none/replay.db"\n'), "--json")
    assert status == 1
    assert "its directory is not writable" in items(output)["store", "replay.url"]["text"]


def test_a_store_whose_url_is_a_secret_that_is_not_there_fails(run: Run, tmp_path: Path) -> None:
    status, output, _ = run("doctor", configured(tmp_path, '[replay]\nurl_env = "NO_SUCH_VARIABLE"\n'), "--json")
    assert status == 1
    assert "NO_SUCH_VARIABLE" in items(output)["store", "replay.url"]["text"]


def test_keys_are_read_and_their_certificates_end_is_shown(run: Run, started: Path) -> None:
    config = started / "wsguard.toml"
    keys = 'decrypt = [{ file = "server.p12", password_file = "server-password.txt" }]\nsign = { file = "server.p12" }'
    config.write_text(config.read_text().replace("[keys]\n", f"[keys]\n{keys}\n"))
    status, output, _ = run("doctor", config, "--json")
    looked_at = items(output)
    assert status == 1
    assert looked_at["key", "keys.decrypt[0]"]["text"].startswith("certificate valid until 20")
    assert "no password was given" in looked_at["key", "keys.sign"]["text"]
    assert looked_at["file", str(started / "server-password.txt")]["state"] == "fine"


def test_people_see_all_working_algorithms_in_one_line(run: Run) -> None:
    _, output, _ = run("doctor")
    assert re.search(r"algorithm │ \d+ tried +│ fine", output)
    assert len([line for line in output.splitlines() if "│ algorithm" in line]) < len(ALL_ALGORITHMS)


def test_the_doctor_refuses_a_configuration_that_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("doctor", configured(tmp_path, "[nonsense]\n"))[0] == 2


def test_check_names_a_key_file_that_is_not_there_as_the_guard_would(tmp_path: Path) -> None:
    config = tmp_path / "wsguard.toml"
    config.write_text(
        '[users]\nurl = "memory://"\n[replay]\nurl = "memory://"\n[audit]\nurl = "memory://"\n'
        '[trust]\nca_files = ["no-ca.pem"]\n[keys]\ndecrypt = [{ file = "no-key.p12" }]\n'
    )
    result = CliRunner().invoke(application, ["check", str(config)])
    assert result.exit_code == 2
    assert "trust.ca_files[0]" in result.output
    assert "keys.decrypt[0]" in result.output
