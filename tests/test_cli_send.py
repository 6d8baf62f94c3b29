"""``wsguard send``: secured messages over real HTTP to a live guard, and answers that are worth something or not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from typer.testing import CliRunner

from tests.client.echo import FAILS, answer, enveloped, fault
from tests.client.serving import CLIENT, OTHER, SERVER, STRANGER, Live, live
from tests.client.test_round_trips import served
from tests.messages import SOAP11, SOAP12
from wsguard.cli.application import application

PASSWORD = "the-password-of-alice"
ASK = '<e:Echo xmlns:e="urn:echo"><e:text>{}</e:text></e:Echo>'


@dataclass
class Sender:
    """Somebody at a command line, in a directory with keys, and the address of a service."""

    directory: Path
    service: Live
    url: str = ""

    def write(self, name: str, content: str | bytes) -> None:
        """A file in the directory."""
        (self.directory / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def send(self, *arguments: object, text: str = "hello", given: str | None = None) -> tuple[int, str, str]:
        """Run the command: status, standard output, standard error."""
        self.write("body.xml", ASK.format(text))
        said = CliRunner().invoke(application, ["send", self.url, "body.xml", *map(str, arguments)], input=given)
        if said.exception is not None and not isinstance(said.exception, SystemExit):
            raise said.exception
        assert "hunter22" not in said.output
        return said.exit_code, said.stdout, said.stderr

    def json(self, *arguments: object, **keywords: Any) -> tuple[int, dict[str, Any]]:
        """The same with --json."""
        status, output, _ = self.send(*arguments, "--json", **keywords)
        return status, json.loads(output)


SIGNED = ("--sign", "client.pem", "--ca", "ca.pem")
ENCRYPTED = ("--encrypt-for", "server-certificate.pem")
USER = ("--username", "alice", "--password-env", "ALICE")


@pytest.fixture
def sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """Before a guard that demands everything and secures its answers altogether."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("ALICE", "secret")
    service = live(tmp_path)
    service.guarded.clock.now = datetime.now(UTC)
    (tmp_path / "stranger.pem").write_bytes(STRANGER.key_pem + STRANGER.pem)
    (tmp_path / "other.pem").write_bytes(OTHER.pem)
    with served(service.guarded.guard) as address:
        yield Sender(tmp_path, service, address)
    service.guarded.guard.close()


@pytest.fixture
def answering(sender: Sender) -> Iterator[Callable[..., None]]:
    """Puts somebody else in the place of the service, who answers anything by these octets."""
    with pytest.MonkeyPatch.context() as patch:
        said: list[tuple[str, bytes, list[tuple[str, str]]]] = []

        def somebody(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            status, octets, headers = said[-1]
            start_response(status, [("Content-Type", "text/xml"), *headers])
            return [octets]

        with served(somebody) as address:
            patch.setattr(sender, "url", address)
            yield lambda octets, status="200 OK", *headers: said.append((status, octets, list(headers)))


class TestAccepted:
    @pytest.mark.parametrize("soap", [(), ("--soap12",)], ids=["1.1", "1.2"])
    def test_a_payload_is_enveloped_secured_sent_and_its_answer_verified(
        self, sender: Sender, soap: tuple[str, ...]
    ) -> None:
        status, output, error = sender.send(*SIGNED, *ENCRYPTED, *USER, *soap, "--action", "urn:echo:Echo")
        assert (status, error) == (0, "")
        assert '<e:text xsi:type="xs:string">hello</e:text>' in output
        assert (SOAP12 if soap else SOAP11) in output
        accepted = "Accepted: Body, Timestamp signed by CN=Server; Body encrypted; our signature confirmed."
        assert output.splitlines()[-1] == accepted

    def test_an_envelope_is_taken_as_it_is(self, sender: Sender) -> None:
        sender.write("envelope.xml", enveloped(ASK.format("whole"), SOAP12))
        sender_arguments = ["send", sender.url, "envelope.xml", *SIGNED, *ENCRYPTED, *USER, "--json"]
        done = CliRunner().invoke(application, sender_arguments)
        assert done.exit_code == 0, done.output
        assert SOAP12 in json.loads(done.stdout)["answer"]

    def test_json_says_everything(self, sender: Sender) -> None:
        status, said = sender.json(*SIGNED, *ENCRYPTED, *USER, "--server-certificate", "server-certificate.pem")
        assert (status, said["verdict"], said["http_status"], said["fault"]) == (0, "accepted", 200, None)
        assert said["signer"]["subject"] == "CN=Server"
        assert said["confirmed"] is True
        assert (set(said["signed_parts"]) >= {"Body", "Timestamp"}, said["encrypted_parts"]) == (True, ["Body"])
        assert "request" not in said
        assert {line["check"] for line in said["explanation"]} >= {"timestamp", "certificate"}

    def test_the_password_may_be_the_line_of_standard_input(self, sender: Sender) -> None:
        assert sender.send(*SIGNED, *ENCRYPTED, "--username", "alice", given="secret\n")[0] == 0

    def test_other_algorithms_are_taken_in_the_answer_too(self, tmp_path: Path, sender: Sender) -> None:
        older = live(tmp_path, algorithms={"encryption": ["aes256-cbc"], "key_transport": ["rsa-oaep"]})
        older.guarded.clock.now = datetime.now(UTC)
        chosen = ("--encryption", "aes256-cbc", "--key-transport", "rsa-oaep", "--signature-algorithm", "rsa-sha512")
        with served(older.guarded.guard) as address:
            sender.url = address
            assert sender.send(*SIGNED, *ENCRYPTED, *USER, *chosen)[0] == 0
        older.guarded.guard.close()

    def test_the_request_is_shown_without_a_password_in_the_clear(self, sender: Sender, watch: Any) -> None:
        watch.keep(PASSWORD)
        arguments = (*SIGNED, "--username", "alice", "--password-text", "--show-request")
        status, output, _ = sender.send(*arguments, given=PASSWORD)
        assert status == 1
        assert output.count("(not shown)") == 1
        assert output.startswith("<S:Envelope")
        status, said = sender.json(*arguments, given=PASSWORD)
        assert "SignatureValue" in said["request"]

    def test_an_answer_that_nobody_signed_proves_nothing(self, sender: Sender, answering: Callable[..., None]) -> None:
        answering(enveloped(answer("hello")))
        status, output, _ = sender.send(*USER, "--unsafe-unsigned")
        assert (status, output.splitlines()[-1]) == (
            0, "Accepted: nobody signed the answer, so that it proves nothing.",
        )  # fmt: skip


class TestRefused:
    def test_by_the_guard_with_an_incident_to_look_up(self, sender: Sender) -> None:
        status, output, error = sender.send(*SIGNED, *USER)
        (record,) = sender.service.guarded.records
        assert (status, error, record.check) == (1, "", "encryption.missing")
        assert "The service answers by a fault: wsse:InvalidSecurity: " in output
        assert output.endswith(f"wsguard explain CONFIG --incident {record.incident}\n")

    def test_by_a_guard_that_does_not_know_us(self, sender: Sender) -> None:
        status, said = sender.json("--sign", "stranger.pem", "--ca", "ca.pem", *ENCRYPTED, *USER)
        (record,) = sender.service.guarded.records
        assert (status, said["verdict"], said["check"]) == (1, "unverified fault", "confirmation.mismatch")
        assert (said["fault"]["incident"], said["answer"], said["signer"]) == (record.incident, None, None)
        status, output, error = sender.send("--sign", "stranger.pem", "--ca", "ca.pem", *ENCRYPTED, *USER)
        assert "Somebody answers, unproven, by a fault: wsse:InvalidSecurity" in output
        assert "the answer is refused by confirmation.mismatch" in error

    def test_by_the_application(self, sender: Sender) -> None:
        status, said = sender.json(*SIGNED, *ENCRYPTED, *USER, text=FAILS)
        assert (status, said["verdict"]) == (1, "fault")
        assert said["fault"] == {"code": "S:Server", "text": "asked for", "incident": ""}
        assert said["signer"]["subject"] == "CN=Server"

    @pytest.mark.parametrize(
        ("octets", "check"),
        [
            (enveloped(answer("hello")), "security.missing"),
            (enveloped(fault(SOAP11, "\x1b[2Jx".replace("\x1b", "\x9b"))), "security.missing"),
            (b"", "envelope.malformed"),
            (b"<html>no</html>", "envelope.structure"),
            (b"<a>" + b" " * 16_777_216 + b"</a>", "limits.body_bytes"),
        ],
        ids=["unsigned", "fault", "empty", "page", "flood"],
    )
    def test_what_proves_nothing(
        self, sender: Sender, answering: Callable[..., None], octets: bytes, check: str
    ) -> None:
        answering(octets)
        status, output, error = sender.send(*SIGNED)
        assert status == 1
        assert f"HTTP 200: the answer is refused by {check}." in error
        assert "hello" not in output
        assert "\x9b" not in output

    def test_an_answer_by_another_than_the_one(self, sender: Sender) -> None:
        status, said = sender.json(*SIGNED, *ENCRYPTED, *USER, "--server-certificate", "other.pem")
        assert (status, said["verdict"], said["check"]) == (1, "refused", "certificate.untrusted")

    @pytest.mark.parametrize("where", ["http://localhost:1/", "file:///etc/hosts", "http://["])
    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(
        self, sender: Sender, answering: Callable[..., None], code: int, where: str
    ) -> None:
        answering(b"", f"{code} Elsewhere", ("Location", where))
        status, said = sender.json(*SIGNED)
        assert (status, said["http_status"], said["verdict"]) == (1, code, "refused")

    def test_nobody_answers(self, sender: Sender) -> None:
        sender.url = "http://127.0.0.1:1/soap"
        status, output, error = sender.send(*SIGNED)
        assert (status, output) == (1, "")
        assert error.startswith("There is no answer: 127.0.0.1:1: ")
        assert sender.json(*SIGNED)[1]["verdict"] == "unreachable"


class TestMisuse:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--sign", "client.pem"), "nobody's signature would be believed"),
            (("--ca", "nowhere.pem"), "--ca: nowhere.pem: cannot be read"),
            (("--ca", "ca.pem", "--sign", "nowhere.pem"), "--sign: nowhere.pem: cannot be read"),
            (("--ca", "ca.pem", "--encrypt-for", "body.xml"), "--encrypt-for: body.xml: no certificate"),
            (("--ca", "ca.pem", "--username", "a", "--password-env", "NO"), "--password-env: the environment has no"),
            (("--ca", "ca.pem", "--expect", "everything"), "--expect: 'everything' is not one of"),
            (("--ca", "ca.pem", "--expect", "timestamp"), "--expect: an answer that nobody signed proves nothing"),
            (("--ca", "ca.pem", "--encryption", "rot13"), "rot13"),
            (("--unsafe-unsigned", "--timestamp", "0"), "this secures nothing"),
            (("--ca", "ca.pem", "--password", "hunter22"), "No such option"),
            (("--ca", "ca.pem", "--action", "a\r\nX: b"), "URL or --action"),
            (("--ca", "ca.pem", "--sign", "client.pem", "--key-identifier", "Colour"), "'Colour' is not one of"),
        ],
    )
    def test_is_told_apart(self, sender: Sender, arguments: tuple[str, ...], said: str) -> None:
        status, output, error = sender.send(*arguments)
        assert (status, output) == (2, "")
        assert said in error

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "soap", "http://", "ftp://localhost/", "http://a:hunter22@localhost/"]
    )
    def test_of_a_url(self, sender: Sender, url: str) -> None:
        sender.url = url
        status, _, error = sender.send(*SIGNED)
        assert (status, "URL" in error) == (2, True)

    @pytest.mark.parametrize("content", [b"", b"<a>", b"<!DOCTYPE a []><a/>", b"<?p i?><a/>"])
    def test_of_a_body(self, sender: Sender, content: bytes) -> None:
        sender.write("bad.xml", content)
        done = CliRunner().invoke(application, ["send", sender.url, "bad.xml", *SIGNED])
        assert (done.exit_code, "BODY" in done.stderr) == (2, True)

    def test_an_envelope_of_the_other_version(self, sender: Sender) -> None:
        sender.write("old.xml", enveloped(ASK.format("x"), SOAP11))
        done = CliRunner().invoke(application, ["send", sender.url, "old.xml", *SIGNED, "--soap12"])
        assert (done.exit_code, "Envelope of SOAP 1.1" in done.stderr) == (2, True)

    @pytest.mark.parametrize("given", ["", "\n", "one\ntwo\n"])
    def test_a_password_is_one_line(self, sender: Sender, given: str) -> None:
        assert sender.send(*SIGNED, "--username", "alice", given=given)[0] == 2


def test_the_key_of_a_file_with_a_password(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    sender.write(
        "client.p12",
        pkcs12.serialize_key_and_certificates(
            b"ours", CLIENT.key, CLIENT.certificate, None, BestAvailableEncryption(b"hunter22-of-key")
        ),
    )
    monkeypatch.setenv("KEY_PASSWORD", "hunter22-of-key")
    key = ("--sign", "client.p12", "--key-password-env", "KEY_PASSWORD", "--ca", "ca.pem")
    assert sender.send(*key, *ENCRYPTED, *USER)[0] == 0
    monkeypatch.setenv("KEY_PASSWORD", "hunter22-of-another")
    assert "--sign: client.p12: wrong password" in sender.send(*key, *ENCRYPTED, *USER)[2]
    assert SERVER.certificate != CLIENT.certificate
