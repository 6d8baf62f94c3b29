"""The page about the client does what it says: its code against its configuration, over real HTTP."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

import wsguard
from tests.client.echo import ADDRESS, WSDL, answer, echo, enveloped
from tests.client.serving import CLIENT, ROOT, SERVER
from tests.client.test_round_trips import served
from tests.pki import Issued
from tests.test_docs import blocks

PASSWORDS = {"SERVER_KEY_PASSWORD": "of-the-server", "CLIENT_KEY_PASSWORD": "of-the-client"}
STORES = """
[users]
url = "toml:users.toml"
[replay]
url = "memory://"
[audit]
url = "memory://"
"""


def shown(language: str) -> list[str]:
    return [block.text for block in blocks(language) if block.page == "docs/client.md"]


def keystore(of: Issued, password: str) -> bytes:
    protection = BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"key", of.key, of.certificate, None, protection)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watch: Any) -> Path:
    """Where a reader has laid out what the page names."""
    watch.keep(*PASSWORDS.values())
    for name, value in (*PASSWORDS.items(), ("ALICES_PASSWORD", "secret")):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (configuration,) = shown("toml")
    files = {
        "server.p12": keystore(SERVER, PASSWORDS["SERVER_KEY_PASSWORD"]),
        "client.p12": keystore(CLIENT, PASSWORDS["CLIENT_KEY_PASSWORD"]),
        "server.pem": SERVER.pem,
        "clients-ca.pem": ROOT.pem,
        "users.toml": b'"alice" = "secret"\n',
        "wsguard.toml": (configuration + STORES).encode(),
    }
    for name, octets in files.items():
        (tmp_path / name).write_bytes(octets)
    return tmp_path


def test_the_client_that_is_shown_is_served(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask, careful, stricter = shown("python")
    names: dict[str, Any] = {}
    guard = wsguard.guard(echo, "wsguard.toml")
    with served(guard) as address:
        (directory / "service.wsdl").write_text(WSDL.replace(ADDRESS, address))
        exec(ask, names)
        assert capsys.readouterr().out == "hello\n"
        exec(careful, names)
        assert capsys.readouterr().out == ""
        names["client"].transport.session.close()
        exec(stricter, names)
        assert capsys.readouterr().out == "hello\n"
    guard.close()
    names["client"].transport.session.close()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (answer("hello"), "Refused by security.missing: none\n"),
        (
            "<S:Fault><faultcode>S:Server</faultcode><faultstring>away</faultstring></S:Fault>",
            "Somebody says, unproven: away\n",
        ),
    ],
    ids=["answer", "fault"],
)
def test_what_is_shown_for_refusals(directory: Path, capsys: pytest.CaptureFixture[str], body: str, said: str) -> None:
    ask, careful, _ = shown("python")
    names: dict[str, Any] = {}

    def somebody(environ: Any, start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [enveloped(body)]

    with served(somebody) as address:
        (directory / "service.wsdl").write_text(WSDL.replace(ADDRESS, address))
        exec(ask.replace("print(client", "#"), names)
        exec(careful, names)
    assert capsys.readouterr().out == said
    names["client"].transport.session.close()


def test_every_name_of_the_package_that_the_page_uses_is_there() -> None:
    page = (Path(__file__).parents[2] / "docs" / "client.md").read_text("utf-8")
    import wsguard.client

    named = set(re.findall(r"wsguard\.client\.(\w+)", page)) | {"secure_request", "verify_answer"}
    assert named <= set(wsguard.client.__all__)
