"""End to end, what an operator does with a guard all day: the sample under two gunicorn workers, and the real command.

Users, a refusal found out about, metrics, keys and a policy that change while it serves, and the chain of the audit.
"""

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import wsguard
from wsguard.stores.secrets_at_rest import new_master_key

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

from sample_service.client import ClubClient, Exchange, credentials, octets

ROOT = Path(wsguard.__file__).parents[1]
PATIENCE = 15.0
"""Seconds that anything here may take before it is broken."""
LATE = 2.0
"""Seconds that two processes and a slow machine may add to what is promised."""
TOGETHER = 8
"""Messages sent at once, so that each worker gets some."""
PASSWORD = "Quittenmus & 7 żółwi"
AUDIT_KEY = "the key of this audit: Waldmeister"
OLD, NEW = new_master_key(), new_master_key()
SECRETS = (PASSWORD, "Quittenmus", AUDIT_KEY, "Waldmeister", OLD, NEW)

APPLICATION = """
from pathlib import Path

from werkzeug.middleware.dispatcher import DispatcherMiddleware

import wsguard
from sample_service.application import soap_application
from sample_service.data import Club
from wsguard.metrics import PrometheusObserver, metrics_application

club = soap_application(Club(Path("club.db")))
guarded = wsguard.guard(club, "wsguard.toml", observers=[PrometheusObserver()])
application = DispatcherMiddleware(guarded, {"/metrics": metrics_application()})
"""
CONFIG = """
[users]
url = "sqlite:///users.db"
master_key_env = "{keys}"
[replay]
url = "sqlite:///replay.db"
[audit]
url = "sqlite:///audit.db"
record = "all"
key_env = "CLUB_AUDIT_KEY"
[username_token]
password_types = {types}
# zeep sends neither with a PasswordText.
require_nonce = false
require_created = false
max_failures = 1000
[[exempt]]
service = "ProspectManagerService"
"""
DIGEST, BOTH_TYPES = '["PasswordDigest"]', '["PasswordDigest", "PasswordText"]'
KEYS = {"CLUB_KEY_2030": OLD, "CLUB_KEYS_BETWEEN": f"{NEW},{OLD}", "CLUB_KEY_2031": NEW}
"""Variable -> master keys: a process that has them all changes from one to the next with its configuration."""


@dataclass
class Done:
    """What a command printed."""

    status: int
    output: str
    error: str


@dataclass
class Operated:
    """The club behind two workers, and the operator's prompt beside it."""

    directory: Path
    port: int
    environment: dict[str, str]
    told: list[str] = field(default_factory=list)
    """Everything that was printed, answered and scraped."""

    @property
    def config(self) -> Path:
        return self.directory / "wsguard.toml"

    @property
    def log(self) -> str:
        return (self.directory / "gunicorn.log").read_text()

    def configure(self, text: str) -> None:
        """Put another configuration in place in one step, as the page on rotation says."""
        (self.directory / "wsguard.toml.new").write_text(text)
        (self.directory / "wsguard.toml.new").replace(self.config)

    def command(self, *arguments: object, given: str | None = None) -> Done:
        done = subprocess.run(
            [sys.executable, "-c", "from wsguard.cli import main; main()", *map(str, arguments)],
            cwd=self.directory,
            env=self.environment,
            input="" if given is None else given,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )
        self.told += (done.stdout, done.stderr)
        return Done(done.returncode, done.stdout, done.stderr)

    def commands(self, *lines: tuple[object, ...]) -> list[Done]:
        """Several at once."""
        with ThreadPoolExecutor(len(lines)) as pool:
            return list(pool.map(lambda line: self.command(*line), lines))

    def json(self, *arguments: object) -> Any:
        done = self.command(*arguments, "--json")
        assert done.status == 0, done.error
        return json.loads(done.output)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, {"Content-Type": "text/xml; charset=utf-8"})
            response = connection.getresponse()
            text = response.read().decode()
        self.told.append(text)
        return response.status, text

    def call(self, club: ClubClient, *, digest: bool = True) -> Exchange:
        """Ask for a member, as zeep does it."""
        exchange = club.call("getMember", credentials("alice", PASSWORD, digest=digest), number=1001)
        self.told.append(exchange.answer)
        return exchange

    def calls(self, club: ClubClient, *, digest: bool = True) -> Counter[int]:
        """Send several of zeep's messages at once: how often each status was answered."""
        security = (credentials("alice", PASSWORD, digest=digest) for _ in range(TOGETHER))
        messages = [octets(club.message("getMember", one, number=1001)) for one in security]
        with ThreadPoolExecutor(TOGETHER) as pool:
            return Counter(status for status, _ in pool.map(lambda one: self.ask("POST", "/", one), messages))

    def scrape(self) -> Counter[str]:
        """The verdicts of all workers, by outcome and check."""
        status, text = self.ask("GET", "/metrics")
        assert status == 200
        verdicts: Counter[str] = Counter()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "wsguard_verdicts_total":
                    verdicts[f"{sample.labels['outcome']} {sample.labels['check']}".rstrip()] += int(sample.value)
        return verdicts


@pytest.fixture
def operated(tmp_path: Path) -> Iterator[Operated]:
    (tmp_path / "served.py").write_text(APPLICATION)
    (tmp_path / "gunicorn.conf.py").write_text("from wsguard.metrics import child_exit\n")
    (tmp_path / "wsguard.toml").write_text(CONFIG.format(keys="CLUB_KEY_2030", types=DIGEST))
    (tmp_path / "counts").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WSGUARD_")},
        **KEYS,
        "CLUB_AUDIT_KEY": AUDIT_KEY,
        "COLUMNS": "200",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
    }
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "served:application", "--workers", "2", "--graceful-timeout", "5"),
                *("--bind", f"fd://{listener.fileno()}", "--worker-tmp-dir", str(tmp_path), "--no-control-socket"),
            ],
            cwd=tmp_path,
            env={**environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counts")},
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        try:
            # The socket listens already: requests wait in its queue until a worker takes them.
            yield Operated(tmp_path, listener.getsockname()[1], environment)
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) == 0, (tmp_path / "gunicorn.log").read_text()
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(PATIENCE)


def seconds_until(true: Callable[[], bool], *, within: float = PATIENCE) -> float:
    """How long it took; it is asked again and again."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + within, f"not within {within:g} s"
        time.sleep(0.1)
    return time.monotonic() - began


def test_the_day_of_an_operator(operated: Operated) -> None:
    config = operated.config
    added = operated.command("users", "add", config, "alice", "--service", "MemberService", given=f"{PASSWORD}\n")
    assert (added.status, added.output) == (0, "Added alice.\n")
    with closing(ClubClient(f"http://127.0.0.1:{operated.port}/")) as club:
        assert "Ada Lovelace" in operated.call(club).answer
        both_workers_accept(operated, club)
        incident = alice_is_disabled(operated, club)
        the_refusal_is_found_out_about(operated, incident)
        the_verdicts_of_both_workers_are_scraped(operated)
        alice_is_enabled_and_gets_two_master_keys(operated, club)
        the_master_key_and_the_policy_are_changed(operated, club)
        a_broken_configuration_changes_nothing(operated, club)
    the_chain_is_verified_and_a_forgery_found(operated)
    assert operated.log.count("Booting worker") == 2, "nothing was restarted"
    assert [secret for secret in SECRETS if secret in "\n".join((*operated.told, operated.log))] == []


def both_workers_accept(operated: Operated, club: ClubClient) -> None:
    """Each worker keeps alice now, and writes a chain of its own."""

    def answered() -> bool:
        assert operated.calls(club) == {200: TOGETHER}
        with closing(sqlite3.connect(operated.directory / "audit.db")) as audit:
            return len(audit.execute("SELECT DISTINCT writer FROM audit").fetchall()) == 2

    seconds_until(answered)


def alice_is_disabled(operated: Operated, club: ClubClient) -> str:
    """Out within the seconds that the command says: the incident of a refusal."""
    disabled = operated.command("users", "disable", operated.config, "alice")
    stated = re.fullmatch(r"Disabled alice: out within (\d+) seconds\.\n", disabled.output)
    assert stated is not None
    assert seconds_until(lambda: operated.calls(club) == {500: TOGETHER}) <= int(stated[1]) + LATE
    refused = operated.call(club)
    assert refused.answer.startswith("wsse:FailedAuthentication: ")
    assert re.fullmatch(r"\w{26}", refused.incident)
    return refused.incident


def the_refusal_is_found_out_about(operated: Operated, incident: str) -> None:
    shown, explained, stats, listed = operated.commands(
        ("audit", "show", operated.config, incident),
        ("explain", operated.config, "--incident", incident),
        ("audit", "stats", operated.config, "--since", "10m"),
        ("users", "list", operated.config, "--json"),
    )
    for said, status in ((shown, 0), (explained, 1)):
        assert (said.status, said.error) == (status, "")
        assert f"Incident {incident}" in said.output
        assert re.search(
            r"│ username_token\.authentication +│ refused +│ a known, enabled user with the right password +"
            r"│ the user is disabled +│ users +│",
            said.output,
        )
        assert "Cure: " in said.output
    assert stats.status == 0
    assert "Refusals over time" in stats.output
    assert re.search(r"│ username_token\.authentication +│ \d+ +│", stats.output)
    (alice,) = json.loads(listed.output)
    assert (alice["name"], alice["enabled"], alice["services"]) == ("alice", False, ["MemberService"])
    assert alice["last_seen"] is not None
    assert f"incident {incident}: username_token.authentication: " in operated.log


def the_verdicts_of_both_workers_are_scraped(operated: Operated) -> None:
    """The sum of the workers' counts is what the audit, which has everything, counts."""
    counted = operated.json("audit", "stats", operated.config, "--since", "10m")
    scraped = operated.scrape()
    assert scraped == {
        "accepted": counted["outcomes"]["accepted"],
        "rejected username_token.authentication": counted["outcomes"]["rejected"],
    }
    assert min(scraped.values()) >= TOGETHER
    assert len(list((operated.directory / "counts").glob("counter_*.db"))) == 2


def alice_is_enabled_and_gets_two_master_keys(operated: Operated, club: ClubClient) -> None:
    """Both keys are known to both workers before the table is encrypted anew."""
    assert operated.command("users", "enable", operated.config, "alice").output == "Enabled alice.\n"
    in_force_in_both(operated, club, CONFIG.format(keys="CLUB_KEYS_BETWEEN", types=DIGEST))
    seconds_until(lambda: operated.calls(club) == {200: TOGETHER})
    rekeyed = operated.command("users", "rekey", operated.config)
    assert rekeyed.output.startswith("1 passwords are under the first master key now")


def the_master_key_and_the_policy_are_changed(operated: Operated, club: ClubClient) -> None:
    """With the new key alone, and PasswordText from now on."""
    refused = operated.call(club, digest=False)
    assert refused.answer.startswith("wsse:InvalidSecurityToken: ")
    in_force_in_both(operated, club, CONFIG.format(keys="CLUB_KEY_2031", types=BOTH_TYPES))
    assert operated.calls(club) == {200: TOGETHER}
    assert operated.calls(club, digest=False) == {200: TOGETHER}
    old = operated.directory / "old.toml"
    old.write_text(CONFIG.format(keys="CLUB_KEY_2030", types=DIGEST))
    listed = operated.command("users", "list", old)
    assert listed.status == 2
    assert "the master key is not the one that the table of users was made with" in listed.error


def a_broken_configuration_changes_nothing(operated: Operated, club: ClubClient) -> None:
    broken = CONFIG.format(keys="CLUB_KEY_2032", types='["PasswordDigset"]')
    complaint = "the changed configuration cannot be used; the last one stays in force"
    operated.configure(broken)
    seconds_until(lambda: operated.calls(club) == {200: TOGETHER} and operated.log.count(complaint) == 2)
    assert "username_token.password_types" in operated.log
    assert operated.calls(club, digest=False) == {200: TOGETHER}
    checked = operated.command("check", operated.config)
    assert (checked.status, checked.output) == (2, "")
    assert "username_token.password_types" in checked.error
    operated.configure(CONFIG.format(keys="CLUB_KEY_2031", types=BOTH_TYPES))


def in_force_in_both(operated: Operated, club: ClubClient, text: str) -> None:
    """Put a configuration in place, and send messages until both workers say that they serve with it."""
    said = "a changed configuration is in force"
    before = operated.log.count(said)
    operated.configure(text)
    seconds_until(lambda: bool(operated.calls(club)) and operated.log.count(said) == before + 2)


def the_chain_is_verified_and_a_forgery_found(operated: Operated) -> None:
    verified = operated.command("audit", "verify", operated.config)
    assert (verified.status, verified.error) == (0, "")
    assert verified.output.endswith("The chains hold.\n")
    (entry,) = operated.json("audit", "list", operated.config, "--outcome", "rejected", "--limit", "1")
    with closing(sqlite3.connect(operated.directory / "audit.db")) as audit, audit:
        changed = audit.execute("UPDATE audit SET username = 'bob' WHERE incident = ?", (entry["incident"],))
        assert changed.rowcount == 1
    forged = operated.command("audit", "verify", operated.config)
    assert forged.status == 1
    assert re.search(rf"│ {entry['writer']} +│ {entry['seq']} +│ row \d+ +│ it is not as it was written", forged.output)
