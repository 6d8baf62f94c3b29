"""End to end: two gunicorn workers that share a store, a real zeep client, and two hundred replays at once."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import zeep
import zeep.wsse.username
import zeep.wsse.utils
from lxml import etree

import wsguard
from tests.messages import WSSE, WSU
from wsguard.audit import open_reader
from wsguard.interfaces import AuditRecord

ZEEP: Any = zeep
"""Without types."""
PATIENCE = 15.0
"""Seconds that anything here may take before it is broken."""
REPLAYS = 200

APPLICATION = """
import os
import wsguard

WSDL = open("echo.wsdl", "rb").read()
ANSWER = (
    b'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
    b'<e:EchoResponse xmlns:e="urn:echo"><e:text>%d</e:text></e:EchoResponse></S:Body></S:Envelope>'
)


def echo(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8")])
    if environ["REQUEST_METHOD"] == "GET":
        return [WSDL]
    assert environ["REMOTE_USER"] == "alice"
    assert b"hello" in environ["wsgi.input"].read()
    return [ANSWER % os.getpid()]


application = wsguard.guard(echo, "wsguard.toml")
"""

CONFIG = """
[users]
url = "toml:users.toml"
[replay]
url = "REPLAY"
deadline = 10
[audit]
url = "sqlite:///audit.db"
record = "all"
"""

WSDL = """
<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:e="urn:echo" targetNamespace="urn:echo">
  <w:types><x:schema targetNamespace="urn:echo" elementFormDefault="qualified">
    <x:element name="Echo"><x:complexType><x:sequence><x:element name="text" type="x:string"/></x:sequence>
    </x:complexType></x:element>
    <x:element name="EchoResponse"><x:complexType><x:sequence><x:element name="text" type="x:string"/></x:sequence>
    </x:complexType></x:element>
  </x:schema></w:types>
  <w:message name="In"><w:part name="parameters" element="e:Echo"/></w:message>
  <w:message name="Out"><w:part name="parameters" element="e:EchoResponse"/></w:message>
  <w:portType name="Port"><w:operation name="Echo"><w:input message="e:In"/><w:output message="e:Out"/></w:operation>
  </w:portType>
  <w:binding name="Binding" type="e:Port">
    <s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <w:operation name="Echo"><s:operation soapAction="urn:echo/Echo"/>
      <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>
  </w:binding>
  <w:service name="EchoService"><w:port name="EchoPort" binding="e:Binding">
    <s:address location="http://127.0.0.1:PORT/soap"/></w:port></w:service>
</w:definitions>
"""


class TimestampedToken:
    """zeep's own UsernameToken, with the Timestamp that zeep leaves to others."""

    def __init__(self) -> None:
        self._token: Any = ZEEP.wsse.username.UsernameToken("alice", "secret", use_digest=True)

    def apply(self, envelope: Any, headers: Any) -> tuple[Any, Any]:
        envelope, headers = self._token.apply(envelope, headers)
        now = datetime.now(UTC)
        stamp: Any = etree.SubElement(ZEEP.wsse.utils.get_security_header(envelope), f"{{{WSU}}}Timestamp")
        for name, instant in (("Created", now), ("Expires", now + timedelta(seconds=300))):
            child: Any = etree.SubElement(stamp, f"{{{WSU}}}{name}")
            child.text = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
        return envelope, headers

    def verify(self, envelope: Any) -> None:
        """The answer is not secured."""


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def replay(request: pytest.FixtureRequest) -> str:
    """The URL of a replay store."""
    if request.param == "sqlite":
        return "sqlite:///replay.db"
    if request.param == "redis":
        redis: str = request.getfixturevalue("redis_server").url
        return redis
    postgres: str = request.getfixturevalue("postgres_url")
    return postgres


@pytest.fixture
def port(tmp_path: Path, replay: str) -> Iterator[int]:
    """A port on which two workers serve the guarded echo."""
    chosen = free_port()
    (tmp_path / "served.py").write_text(APPLICATION)
    (tmp_path / "wsguard.toml").write_text(CONFIG.replace("REPLAY", replay))
    (tmp_path / "users.toml").write_text('alice = "secret"\n')
    (tmp_path / "users.toml").chmod(0o600)
    (tmp_path / "echo.wsdl").write_text(WSDL.replace("PORT", str(chosen)))
    command = [
        *(sys.executable, "-m", "gunicorn", "served:application", "--workers", "2", "--threads", "4"),
        *("--bind", f"127.0.0.1:{chosen}", "--chdir", str(tmp_path), "--graceful-timeout", "5", "--timeout", "30"),
        *("--worker-tmp-dir", str(tmp_path), "--no-control-socket"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(wsguard.__file__).parents[1])}
    with (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=tmp_path,
            env=environment,
            start_new_session=True,
        )
        try:
            wait_for(server, chosen, tmp_path / "gunicorn.log")
            yield chosen
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) == 0, "a clean shutdown"
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(PATIENCE)


def wait_for(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Until it serves, or for no longer than ``PATIENCE``."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with closing(socket.create_connection(("127.0.0.1", port), 1)):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"gunicorn does not serve: {log.read_text()}")


def post(port: int, octets: bytes, *, chunked: bool = False) -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        sent = {"Content-Type": "text/xml; charset=utf-8"}
        if chunked:
            sent["Transfer-Encoding"] = "chunked"
        body = (octets[start : start + 100] for start in range(0, len(octets), 100)) if chunked else octets
        connection.request("POST", "/soap", body, sent, encode_chunked=chunked)
        response = connection.getresponse()
        return response.status, response.read()


def client_for(port: int) -> Any:
    transport = ZEEP.Transport(timeout=PATIENCE, operation_timeout=PATIENCE)
    transport.session.trust_env = False
    return ZEEP.Client(f"http://127.0.0.1:{port}/soap?wsdl", wsse=TimestampedToken(), transport=transport)


def message_of(client: Any) -> bytes:
    """What zeep would send."""
    return etree.tostring(client.create_message(client.service, "Echo", text="hello"))


def test_two_workers_accept_a_message_once_between_them(port: int, tmp_path: Path) -> None:
    with client_for(port) as client:
        assert client.service.Echo(text="hello").isdigit()
        octets, chunked = message_of(client), message_of(client)
    assert WSSE.encode() in octets

    barrier = Barrier(REPLAYS)

    def replay(number: int) -> tuple[int, bytes]:
        barrier.wait(PATIENCE)
        return post(port, octets)

    with ThreadPoolExecutor(REPLAYS) as pool:
        answers = list(pool.map(replay, range(REPLAYS)))
    assert Counter(status for status, _ in answers) == {200: 1, 500: REPLAYS - 1}
    assert all(b"Fault>" in body for status, body in answers if status == 500)

    assert post(port, chunked, chunked=True)[0] == 200
    status, body = post(port, chunked)
    assert (status, b"Fault>" in body) == (500, True)

    records = records_of(tmp_path)
    assert Counter(record.outcome for record in records) == {"accepted": 3, "rejected": REPLAYS}
    assert Counter(record.check for record in records) == {"": 3, "replay.nonce": REPLAYS}
    assert {record.username for record in records} == {"alice"}
    assert len({record.incident for record in records}) == REPLAYS + 3
    assert all(any(record.incident.encode() in body for record in records) for status, body in answers if status == 500)


def records_of(directory: Path) -> list[AuditRecord]:
    reader = open_reader([f"sqlite:///{directory / 'audit.db'}"])
    try:
        return reader.read(limit=1000)
    finally:
        close = getattr(reader, "close", None)
        if close is not None:
            close()
