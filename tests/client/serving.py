"""A live guard that secures its answers, and a zeep client that calls it in process through wsgiref's validator."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import zeep
from requests import Response
from requests.structures import CaseInsensitiveDict
from zeep.transports import Transport

from tests.client.echo import PORTS, WSDL, echo
from tests.guarding import Guarded
from tests.pki import Issued, authority, rsa_key
from wsguard.client import Answers, Material, Securing, SigningKey, UsernameCredentials, ZeepSecurity
from wsguard.interfaces import DecryptionKey

ROOT = authority("Root", key=rsa_key(9))
SERVER = ROOT.leaf("Server", key=rsa_key(1), usage=("digital_signature", "key_encipherment"))
CLIENT = ROOT.leaf("Client", key=rsa_key(2), usage=("digital_signature", "key_encipherment"))
OTHER = ROOT.leaf("Other Client", key=rsa_key(3))
"""Trusted, and somebody else."""
STRANGER = authority("Elsewhere").leaf("Server", key=rsa_key(4))
USER = UsernameCredentials("alice", "secret")
LIFETIME = timedelta(minutes=5)

ZEEP: Any = zeep
"""It has no types."""
Change = Callable[[bytes], bytes]
"""What somebody on the way makes of an answer."""
RESPONSE = {"timestamp": True, "sign": True, "signature_confirmation": True, "encrypt": "useReqSigCert"}


def signing(one: Issued) -> SigningKey:
    return SigningKey(one.key, one.certificate)


def opening(one: Issued) -> DecryptionKey:
    return DecryptionKey("key.pem", one.key, one.certificate)


def plan(**changes: Any) -> Securing:
    """Everything at once, with ``changes``."""
    usual = {"timestamp": LIFETIME, "username": USER, "sign": signing(CLIENT), "encrypt_for": SERVER.certificate}
    parts = ("Body", "Timestamp", "UsernameToken")
    return Securing(**{**usual, "signed_parts": parts, **changes})


def answers(**changes: Any) -> Answers:
    """Everything at once, with ``changes``."""
    usual = {"trusted": Material(anchors=(ROOT.certificate,)), "encrypted_parts": ("Body",)}
    return Answers(**{**usual, "decrypt": (opening(CLIENT),), **changes})


@dataclass
class Wire(Transport):
    """Calls a guard in process, and lets a test change what comes back."""

    guarded: Guarded
    change: Change = field(default=bytes)
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    """Answers as the guard sent them."""

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Response:
        """What zeep calls."""
        self.sent.append(message)
        action = headers.get("SOAPAction")
        answer = self.guarded.post(message, CONTENT_TYPE=headers["Content-Type"], HTTP_SOAPACTION=action)
        self.received.append(answer.body)
        return respond(int(answer.status[:3]), answer.headers, self.change(answer.body))


def respond(status: int, headers: dict[str, str], octets: bytes) -> Response:
    """What requests would make of an answer."""
    response = Response()
    response.status_code, response.headers, response._content = status, CaseInsensitiveDict(headers), octets
    return response


@dataclass
class Live:
    """A guard, and the key files of its configuration."""

    guarded: Guarded

    def client(self, security: Any, change: Change = bytes) -> "Calling":
        """A zeep client with this ``wsse=``, behind whose back ``change`` is done to answers."""
        wire = Wire(self.guarded, change)
        return Calling(ZEEP.Client(io.BytesIO(WSDL.encode()), wsse=security, transport=wire), wire, security)

    def security(self, securing: Any = None, expected: Answers | None = None) -> ZeepSecurity:
        """With the guard's own clock."""
        return ZeepSecurity(securing or plan(), expected or answers(), clock=self.guarded.clock)


@dataclass
class Calling:
    """A client and its wire."""

    zeep: Any
    wire: Wire
    security: ZeepSecurity

    def echo(self, text: str = "hello", version: str = "1.1") -> Any:
        """What the service answers."""
        return self.zeep.bind("Service", PORTS[version]).Echo(text=text)


def live(directory: Path, **policy: Any) -> Live:
    """A guard that demands everything and secures its answers altogether, unless ``policy`` says otherwise."""
    files = {"ca.pem": ROOT.pem, "server.pem": SERVER.key_pem + SERVER.pem, "client.pem": CLIENT.key_pem + CLIENT.pem}
    for name, octets in (*files.items(), ("server-certificate.pem", SERVER.pem)):
        (directory / name).write_bytes(octets)
    server = {"file": str(directory / "server.pem")}
    usual = {
        "signature": {"use": "required"},
        "encryption": {"use": "required"},
        "keys": {"sign": server, "decrypt": [server]},
        "trust": {"ca_files": [str(directory / "ca.pem")]},
        "response": RESPONSE,
    }
    return Live(Guarded(echo, **{**usual, **policy}))
