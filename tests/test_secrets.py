"""Nothing of a secret in any output, path by path; and the watch of tests/conftest.py over the whole suite can fail."""

import base64
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest
from typer.testing import CliRunner

import wsguard
from tests.conftest import Watch, forms
from tests.guarding import Answer, Echo, environ_for, post
from tests.messages import NOW, PROFILE, Token, digest, envelope, message, security, stamp, timestamp
from wsguard.audit import open_audit
from wsguard.cli.application import application
from wsguard.engine import SecurityEngine
from wsguard.faults import StoreUnavailable
from wsguard.metrics import PrometheusObserver
from wsguard.middleware import Guard
from wsguard.stores.replay_sqlite import SqliteReplayStore
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_sql import SqlUserStore
from wsguard.tracing import TracingObserver

ROOT = Path(wsguard.__file__).parents[1]
RIGHT = "Quittenmus+7 żółwi"
WRONG = "Stachelbeer-42 <&> Grütze"
URL_PASSWORD = "Waldmeister-1312"
KEY, OTHER_KEY = new_master_key(), new_master_key()
AUDIT_KEY = "Brombeer 88 Chutney"
NONCE = b"Nonce-of-16-byte"
CONFIG = """
[users]
url = "sqlite:///users.db"
[replay]
url = "sqlite:///replay.db"
[audit]
url = ["sqlite:///audit.db", "jsonl:audit.jsonl", "stderr:"]
record = "all"
key_env = "CLUB_AUDIT_KEY"
[username_token]
password_types = ["PasswordDigest", "PasswordText"]
[faults]
detail = "detailed"
"""


class Told:
    """A guard with users in SQL, every kind of audit and every observer; and all that anybody can read of it."""

    def __init__(self, directory: Path, watch: Watch, capfd: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.watch = watch
        self.config = directory / "wsguard.toml"
        self.config.write_text(CONFIG)
        self.registry = CollectorRegistry()
        self.spans = InMemorySpanExporter()
        self._capfd = capfd
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.guard: Guard = wsguard.guard(
            Echo(),
            self.config,
            clock=lambda: NOW,
            observers=[PrometheusObserver(self.registry), TracingObserver(provider)],
        )

    def post(self, octets: bytes, **environ: Any) -> Answer:
        answer = post(self.guard, octets, **environ)
        self.watch.hear("answers", f"{answer.status} {answer.headers} {answer.body!r}")
        return answer

    def command(self, *arguments: object, given: str = "") -> tuple[int, str]:
        """Status and output, which the watch hears of by itself."""
        result = CliRunner().invoke(application, [str(argument) for argument in arguments], input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    def checks(self) -> list[str]:
        """The check of each record, oldest first."""
        status, output = self.command("audit", "export", self.config)
        assert status == 0
        return [json.loads(line)["check"] for line in output.splitlines()]

    def demand_silence(self) -> None:
        """Hear everything that there is, by now, and demand that it holds no secret."""
        incidents = [
            json.loads(line)["incident"] for line in self.command("audit", "export", self.config)[1].splitlines()
        ]
        for arguments in (("list",), ("list", "--json"), ("stats",), ("verify",), ("tail", "--no-follow")):
            self.command("audit", arguments[0], self.config, *arguments[1:])
        for incident in incidents[-3:]:
            self.command("audit", "show", self.config, incident)
            self.command("explain", self.config, "--incident", incident)
        for name in (
            "audit.db",
            "audit.db-wal",
            "audit.jsonl",
            "replay.db",
            "replay.db-wal",
            "users.db",
            "users.db-wal",
        ):
            file = self.directory / name
            self.watch.hear(name, file.read_bytes().decode("latin-1") if file.exists() else "")
        self.watch.hear("metrics", generate_latest(self.registry).decode())
        self.watch.hear("spans", "\n".join(span.to_json() for span in self.spans.get_finished_spans()))
        output = self._capfd.readouterr()
        self.watch.hear("standard output and error", output.out + output.err)
        assert self.watch.leaks() == []


@pytest.fixture
def told(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Told]:
    watch.keep(RIGHT, WRONG, escape(WRONG), URL_PASSWORD, KEY, OTHER_KEY, AUDIT_KEY, NONCE)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("WSGUARD_MASTER_KEY", KEY)
    monkeypatch.setenv("CLUB_AUDIT_KEY", AUDIT_KEY)
    monkeypatch.delenv("WSGUARD_CONFIG", raising=False)
    with closing(SqlUserStore(f"sqlite:///{tmp_path / 'users.db'}", [KEY])) as users:
        users.add("alice", RIGHT)
        users.add("carol", RIGHT, text_only=True)
    told = Told(tmp_path, watch, capfd)
    with closing(told.guard):
        yield told


def token(**changes: Any) -> Token:
    return Token(**{"password": RIGHT, "nonce": NONCE, **changes})


def password_xml(content: str, kind: str = "PasswordText") -> dict[str, str]:
    return {"Password": f'<wsse:Password Type="{PROFILE}#{kind}">{content}</wsse:Password>'}


# --- Messages ---------------------------------------------------------------------------------------------------------

BAD_TOKENS: dict[str, tuple[dict[str, Any], str]] = {
    "the right digest": ({}, ""),
    "the right password": ({"kind": "PasswordText"}, ""),
    "the right password of a hash": ({"kind": "PasswordText", "username": "carol"}, ""),
    "a wrong digest": ({"password": WRONG}, "username_token.authentication"),
    "a digest for a hash": ({"username": "carol"}, "username_token.authentication"),
    "a wrong password": ({"password": escape(WRONG), "kind": "PasswordText"}, "username_token.authentication"),
    "a wrong password of a hash": (
        {"password": escape(WRONG), "kind": "PasswordText", "username": "carol"},
        "username_token.authentication",
    ),
    "nobody": ({"username": "nobody", "kind": "PasswordText"}, "username_token.authentication"),
    "late": ({"created": stamp(-3600)}, "username_token.expired"),
    "early": ({"created": stamp(3600), "kind": "PasswordText"}, "username_token.not_yet_valid"),
    "no time": ({"created": WRONG.partition(" ")[0]}, "username_token.malformed"),
    "a password for a digest": ({"parts": password_xml(RIGHT, "PasswordDigest")}, "username_token.malformed"),
    "another type": ({"parts": password_xml(RIGHT, "PasswordHash")}, "username_token.password_type"),
    "two passwords": ({"extra": password_xml(RIGHT)["Password"]}, "username_token.malformed"),
    "text beside": ({"extra": RIGHT}, "username_token.malformed"),
    "a password for a nonce": ({"parts": {"Nonce": f"<wsse:Nonce>{RIGHT}</wsse:Nonce>"}}, "username_token.malformed"),
    "no nonce": ({"parts": {"Nonce": ""}}, "username_token.nonce_missing"),
    "no time at all": ({"parts": {"Created": ""}, "kind": "PasswordText"}, "username_token.created_missing"),
    "markup": ({"parts": password_xml("Stachelbeer-42<b/>")}, "username_token.malformed"),
    "unescaped ampersand": ({"parts": password_xml(f"x&{URL_PASSWORD};y")}, "envelope.malformed"),
    "unescaped bracket": ({"parts": password_xml(f"x<{URL_PASSWORD}")}, "envelope.malformed"),
    "unescaped bracket in a digest": (
        {"parts": password_xml("x<Waldmeister-1312>y", "PasswordDigest")},
        "envelope.malformed",
    ),
    "an element": ({"parts": password_xml(f"x<{URL_PASSWORD}/>y")}, "username_token.malformed"),
    "an attribute": ({"parts": password_xml(f'x<y {URL_PASSWORD}="1"/>')}, "username_token.malformed"),
    "a comment": ({"parts": password_xml(f"x<!--{URL_PASSWORD}-- >")}, "envelope.malformed"),
    "an instruction": ({"parts": password_xml(f"x<?{URL_PASSWORD} ?>y")}, "envelope.structure"),
    "an unknown prefix": ({"parts": password_xml(f"x<{URL_PASSWORD}:z/>y")}, "envelope.malformed"),
}


@pytest.mark.parametrize(("changes", "check"), BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_no_message_has_its_secrets_told(told: Told, changes: dict[str, Any], check: str) -> None:
    sent = message(token(**changes))
    captured = told.directory / "captured.xml"
    captured.write_bytes(sent)
    for _ in range(2):
        told.post(sent)
    assert told.checks() == [check, check or "replay.nonce"]
    for as_json in ((), ("--json",)):
        status, said = told.command("explain", told.config, captured, "--at", NOW.isoformat(), *as_json)
        assert (status, check in said) == (1 if check else 0, True)
    told.demand_silence()


@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
def test_guessing_tells_nothing_before_and_after_the_bound(told: Told, kind: str) -> None:
    for number in range(12):
        told.post(message(token(password=f"Stachelbeer-{number}", kind=kind, nonce=b"Nonce-of-byte-%02d" % number)))
    assert told.checks() == ["username_token.authentication"] * 12
    told.demand_silence()


def test_a_message_cut_anywhere_has_nothing_told(told: Told, watch: Watch) -> None:
    sent = message(token(kind="PasswordText"))
    start, end = sent.index(b"<wsse:UsernameToken>"), sent.index(b"</wsse:UsernameToken>")
    for cut in range(start, end, 7):
        assert b"envelope.malformed" in told.post(sent[:cut]).body
    told.demand_silence()


@pytest.mark.parametrize("place", ["header", "body", "action", "path", "content type", "address"])
def test_a_digest_that_is_sent_where_it_does_not_belong_is_content(told: Told, place: str) -> None:
    """The application's part of a message is told as little as its token."""
    lost = digest(NONCE, stamp(), RIGHT)
    header = security(timestamp(), token(kind="PasswordText", parts={"Username": ""}).xml())
    sent = {
        "header": lambda: told.post(envelope(header + f"<x>{lost}{WRONG[:14]}</x>")),
        "body": lambda: told.post(envelope(header, f'<e:Echo xmlns:e="urn:echo">{lost}</e:Echo>')),
        "action": lambda: told.post(envelope(header), HTTP_AUTHORIZATION=f"Basic {lost}"),
        "path": lambda: told.post(envelope(header), QUERY_STRING=f"password={RIGHT}"),
        "content type": lambda: told.post(envelope(header), HTTP_COOKIE=f"session={lost}"),
        "address": lambda: told.post(envelope(header), HTTP_X_FORWARDED_FOR=lost),
    }
    assert b"username_token.malformed" in sent[place]().body
    told.demand_silence()


# --- What breaks ------------------------------------------------------------------------------------------------------


def away(*_: object, **__: object) -> Any:
    raise StoreUnavailable("the disk is gone")


def broken(*_: object, **__: object) -> Any:
    raise RuntimeError("a defect")


@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
@pytest.mark.parametrize(
    ("owner", "name", "how", "check"),
    [
        (SqlUserStore, "find", away, "store.unavailable"),
        (SqlUserStore, "find", broken, "internal.error"),
        (SqliteReplayStore, "remember_all", away, "store.unavailable"),
        (SqliteReplayStore, "failures", broken, "internal.error"),
        (SecurityEngine, "process", broken, "internal.error"),
    ],
)
def test_what_fails_tells_nothing_also_in_its_traceback(
    told: Told,
    owner: type,
    name: str,
    how: Callable[..., Any],
    check: str,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(owner, name, how)
    assert check.encode() in told.post(message(token(kind=kind))).body
    assert ("the guard failed" in caplog.text) == (check == "internal.error")
    monkeypatch.undo()
    monkeypatch.setenv("CLUB_AUDIT_KEY", AUDIT_KEY)
    told.demand_silence()


def test_rows_that_do_not_open_tell_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table was encrypted anew by somebody else, and this process does not know the key."""
    with closing(SqlUserStore(f"sqlite:///{told.directory / 'users.db'}", [OTHER_KEY, KEY])) as users:
        users.rekey()
    assert b"store.unavailable" in told.post(message(token())).body
    assert "master key" in told.command("users", "list", told.config)[1]
    told.demand_silence()


def test_an_application_that_fails_has_nothing_of_the_token(told: Told) -> None:
    told.guard.application = broken  # type: ignore[misc]  # it is final outside of tests
    with pytest.raises(RuntimeError, match="a defect"):
        told.guard(environ_for(message(token())), lambda *_: lambda _: None)
    assert told.command("audit", "list", told.config, "--outcome", "error")[0] == 0
    told.demand_silence()


def test_an_audit_that_fails_tells_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    for how, check in ((away, b"store.unavailable"), (broken, b"internal.error")):
        with monkeypatch.context() as patch:
            patch.setattr(type(told.guard.audit), "write", how)
            assert check in told.post(message(token(nonce=b"Nonce-%010d" % len(check)))).body
    told.demand_silence()


# --- Configuration ----------------------------------------------------------------------------------------------------

WRONG_CONFIGURATIONS = {
    "[users] a database": f'[users]\nurl = "postgresql+psycopg://joe:{URL_PASSWORD}@127.0.0.1:1/club"\n',
    "[users] no driver": f'[users]\nurl = "nosuch://joe:{URL_PASSWORD}@db/club"\n',
    "[users] a port": f'[users]\nurl = "postgresql+psycopg://joe:{URL_PASSWORD}@db:port/club"\n',
    "[users] no URL": f'[users]\nurl = "{URL_PASSWORD}"\n',
    "[replay] redis": f'[replay]\nurl = "redis://:{URL_PASSWORD}@cache/0"\n',
    "[audit] a database": f'[audit]\nurl = "postgresql+psycopg://joe:{URL_PASSWORD}@127.0.0.1:1/club"\n',
    "[audit] a list": f'[audit]\nurl = ["stderr:", "mysql+nosuch://joe:{URL_PASSWORD}@db/club"]\n',
    "a wrong type": f"[users]\nurl = {{password = '{URL_PASSWORD}'}}\n",
    "a secret for a variable": f'[users]\nurl_env = "{URL_PASSWORD}"\nmaster_key = "{KEY}"\n',
    "no TOML": f'[users]\nurl = "{URL_PASSWORD}\n',
    "two tables": f'[users]\nurl = "{URL_PASSWORD}"\nurl = "{URL_PASSWORD}"\n',
}


@pytest.mark.parametrize("text", WRONG_CONFIGURATIONS.values(), ids=WRONG_CONFIGURATIONS)
def test_no_mistake_in_a_configuration_is_told_with_its_secret(
    text: str, told: Told, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("users", "replay", "audit"):
        text += "" if f"[{name}]" in text else f'[{name}]\nurl = "memory://"\n'
    config = told.directory / "wrong.toml"
    config.write_text(text)
    with pytest.raises(wsguard.ConfigError) as caught:
        wsguard.guard(Echo(), config)
    watch.hear("errors", f"{caught.value} {caught.value!r}")
    assert told.command("check", config)[0] in (0, 1, 2)
    for command in (("doctor",), ("users", "list"), ("audit", "list"), ("audit", "verify"), ("db", "upgrade")):
        told.command(*command, config)
    told.config.write_text(text)
    with pytest.raises(wsguard.ConfigError):
        told.guard.reload()
    told.config.write_text(CONFIG)
    told.demand_silence()


def test_a_changed_file_that_cannot_be_used_is_logged_without_its_secret(
    told: Told, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.config.write_text(f'[users]\nurl = "postgresql+psycopg://joe:{URL_PASSWORD}@127.0.0.1:1/club"\n')
    for _ in range(2):  # seen once, and seen unchanged
        monkeypatch.setattr(told.guard._source, "_next_look", 0.0)
        assert told.guard.policy
    assert told.post(message(token())).status == "200 OK"
    assert "the last one stays in force" in caplog.text
    told.config.write_text(CONFIG)
    told.demand_silence()


@pytest.mark.parametrize("wrong", [URL_PASSWORD, KEY[:-2], OTHER_KEY, f"{KEY},{URL_PASSWORD}"], ids=range(4))
def test_no_wrong_master_key_is_told(told: Told, wrong: str, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUARD_MASTER_KEY", wrong)
    watch.keep(wrong)
    with pytest.raises(wsguard.ConfigError, match="master key") as caught:
        wsguard.guard(Echo(), told.config)
    watch.hear("errors", f"{caught.value} {caught.value!r}")
    for command in (("users", "list"), ("check",), ("doctor",)):
        told.command(*command, told.config)
    told.demand_silence()


def test_a_wrong_key_of_the_audit_is_not_told(told: Told, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    told.post(message(token()))
    told.guard.close()
    watch.keep(URL_PASSWORD)
    monkeypatch.setenv("CLUB_AUDIT_KEY", URL_PASSWORD)
    assert told.command("audit", "verify", told.config)[0] == 1
    with closing(open_audit([f"sqlite:///{told.directory / 'audit.db'}"], URL_PASSWORD.encode())):
        pass
    told.demand_silence()


# --- Users ------------------------------------------------------------------------------------------------------------


def test_the_commands_for_users_tell_no_password(told: Told, tmp_path: Path) -> None:
    users, config = ("users",), told.config
    file = tmp_path / "users.toml"
    file.write_text(f'dave = "{RIGHT}"\nalice = "{RIGHT}"\n')
    for arguments, given, status in (
        (("add", config, "bob"), f"{WRONG}\n", 0),
        (("add", config, "bob"), f"{WRONG}\n", 1),
        (("add", config, "erin", "--text-only"), f"{WRONG}\n", 0),
        (("add", config, "frank"), f"{WRONG}\n{RIGHT}\n", 1),
        (("password", config, "bob"), f"{RIGHT}\n", 0),
        (("password", config, "nobody"), f"{RIGHT}\n", 1),
        (("import", config, file), "", 1),
        (("list", config), "", 0),
        (("list", config, "--json"), "", 0),
        (("disable", config, "bob"), "", 0),
        (("rekey", config), "", 0),
        (("remove", config, "bob"), "", 0),
    ):
        assert told.command(*users, *arguments, given=given)[0] == status, arguments
    for text in (f"dave = {RIGHT}\n", f'[dave]\npassword = ["{RIGHT}"]\n', f'[dave]\nsecret = "{RIGHT}"\n'):
        file.write_text(text)
        assert told.command(*users, "import", config, file)[0] == 1
    told.demand_silence()


# --- The watch itself -------------------------------------------------------------------------------------------------

LEAKING = f"""
import logging

from typer import Typer, echo
from typer.testing import CliRunner

from tests.guarding import Guarded
from tests.messages import Token, digest, message, stamp
from wsguard.explanation import Explanation
from wsguard.faults import FailedAuthentication
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.tokens.username import UsernameTokenProcessor

KEY = new_master_key()


def test_fine():
    assert Guarded().post(message()).status == "200 OK"
    assert Guarded().post(message(password="{URL_PASSWORD}")).check == "username_token.authentication"


def test_log():
    logging.getLogger("wsguard.users").debug("the master key is %s", KEY)


def test_traceback():
    try:
        raise ValueError("{URL_PASSWORD}")
    except ValueError:
        logging.getLogger("wsguard").exception("refused %s", Token(password="{URL_PASSWORD}").xml()[:20])


def test_record(monkeypatch):
    def seen(self, token, attempt, explanation):
        raise FailedAuthentication("username_token.authentication", expected="x", seen=token.password.hex())
    monkeypatch.setattr(UsernameTokenProcessor, "authenticate", seen)
    assert Guarded().post(message()).check == "username_token.authentication"


def test_fault(monkeypatch):
    sent = message(password="{URL_PASSWORD}")
    monkeypatch.setattr(FailedAuthentication, "sentence", "It was {URL_PASSWORD}.")
    assert Guarded().post(sent).check == "username_token.authentication"


def test_command():
    application = Typer()
    application.command()(lambda: echo("alice hunter2"))
    assert CliRunner().invoke(application, []).exit_code == 0


def test_fixture(watch):
    watch.keep("Himbeergeist 5")
    logging.getLogger("wsguard").info("Himbeergeist%%205".replace("%%", "%"))
"""


def test_the_watch_fails_each_test_that_lets_a_secret_out(tmp_path: Path) -> None:
    (tmp_path / "test_leaking.py").write_text(LEAKING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--tb=short"]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    failed = [line.split("::")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("ERROR test_")]
    assert failed == ["test_log", "test_traceback", "test_record", "test_fault", "test_command", "test_fixture"]
    assert "7 passed, 6 errors" in done.stdout
    assert "log lines tell the secret" in done.stdout


@pytest.mark.parametrize(
    "written",
    [
        RIGHT,
        f"seen={RIGHT!r}",
        json.dumps({"seen": RIGHT}),
        ascii(RIGHT),
        base64.b64encode(RIGHT.encode()).decode(),
        RIGHT.encode().hex(),
        "password=Quittenmus%2B7%20%C5%BC%C3%B3%C5%82wi",
    ],
)
def test_a_secret_is_found_however_it_is_written(written: str) -> None:
    watch = Watch()
    watch.begin()
    watch.keep(RIGHT)
    watch.hear("lines", f"something {written} something")
    assert len(watch.leaks()) >= 1
    watch.begin()
    watch.hear("lines", written)
    assert watch.leaks() == []


def test_octets_are_found_as_outputs_write_them() -> None:
    octets = bytes(range(90, 110))
    for written in (octets.hex(), base64.b64encode(octets).decode(), repr(octets)):
        assert any(form in f"x {written} x" for form in forms(octets)), written


def test_a_short_word_is_not_looked_for_as_it_is() -> None:
    assert "secret" not in forms("secret")


def test_the_watch_listens_to_every_logger_of_ours(watch: Watch) -> None:
    for name in ("wsguard", "wsguard.refusal", "wsguard.reload", "wsguard.users"):
        logging.getLogger(name).debug("heard of %s", name)
    assert sum("heard of" in line for line in watch.told["log lines"]) == 4
