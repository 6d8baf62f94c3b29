"""What these tests share: an application whose answer a test says, and a guard that secures it.

The service signs as Alice of ``tests.securing.receiving`` and the client is its Server, so that ``received`` there is
the client's side: it trusts that signature, and opens what is encrypted for that key.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.encrypting import Encryption
from tests.guard_encryption.sealing import content_of, draft, new_server, sealed
from tests.guarding import Answer, Echo
from tests.messages import PAYLOAD, SOAP11, SOAP12, envelope, timestamp
from tests.pki import Issued
from tests.securing.receiving import ALICE, ROOT, SERVER
from tests.signature.signatures import SignedGuard, guarding
from tests.signing import Signing, binary_token, sign, signed

SERVICE: Final = ALICE
"""Signs answers."""
CLIENT: Final = SERVER
"""Signs requests with RSA, and opens answers."""
ELLIPTIC: Final = ROOT.leaf("Elliptic")
"""Another client, whose key nothing can be encrypted for."""
SECRET: Final = "kanarienvogel"
"""Stands in what the application answers."""
RESPONSE: Final = f'<e:EchoResponse xmlns:e="urn:echo"><e:text>{SECRET}</e:text></e:EchoResponse>'
ANSWER: Final = envelope(None, RESPONSE)
XML: Final = ("Content-Type", "text/xml; charset=utf-8")


def _started_later(*_: object) -> Callable[[bytes], object]:
    return lambda data: None


@dataclass
class Application(Echo):
    """Answers what a test says."""

    octets: bytes = ANSWER
    status: str = "200 OK"
    headers: list[tuple[str, str]] = field(default_factory=lambda: [XML])
    closed: int = 0
    """How often what it returned was closed."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        super().__call__(environ, _started_later)
        return Closing(self.reply(start_response), self)

    def reply(self, start_response: StartResponse) -> Iterable[bytes]:
        """The body; a test may put another in its place."""
        start_response(self.status, list(self.headers))
        return [self.octets]


@dataclass
class Closing:
    """An iterable that must be closed."""

    chunks: Iterable[bytes]
    application: Application

    def __iter__(self) -> Any:
        return iter(self.chunks)

    def close(self) -> None:
        self.application.closed += 1


class AnsweringGuard(SignedGuard):
    """A guard in front of an ``Application``."""

    application: Application

    def withheld(self, octets: bytes, **environ: Any) -> Answer:
        """The answer to a message that is accepted, and whose own answer must not go."""
        before, records = len(self.echo.handed), len(self.records)
        answer = self.post(octets, **environ)
        assert len(self.echo.handed) == before + 1
        assert answer.status.startswith("500 ")
        assert SECRET not in answer.body.decode()
        assert SECRET not in repr(answer.headers)
        (record,) = self.records[records:]
        assert record.outcome == "error"
        assert SECRET not in repr(record)
        assert record.incident.encode() in answer.body or b"EncryptedData" in answer.body
        return answer


Answering = Callable[..., AnsweringGuard]
"""Makes a guard: ``application``, ``response``, and other sections of the policy."""


def answering(directory: Path) -> Answering:
    """Makes guards whose files are in ``directory``."""
    for name in ("keys", "trust"):
        (directory / name).mkdir()
    make = guarding(directory / "trust")

    def file(one: Issued) -> dict[str, Path]:
        path = directory / "keys" / f"{len(list((directory / 'keys').iterdir()))}.pem"
        path.write_bytes(one.key_pem + one.pem)
        return {"file": path}

    def make_answering(application: Application | None = None, **policy: Any) -> AnsweringGuard:
        application = application or Application()
        guard = make(
            application=application,
            keys={"decrypt": [file(new_server())], "sign": file(policy.pop("signer", SERVICE))},
            trust={"ca_files": [ROOT], **policy.pop("trust", {})},
            **policy,
        )
        guard.__class__ = AnsweringGuard
        guard.echo = application
        assert isinstance(guard, AnsweringGuard)
        guard.application = application
        return guard

    return make_answering


def request(signer: Issued = CLIENT, **changes: Any) -> bytes:
    """A signed request."""
    return signed(Signing.by(signer), **changes)


def encrypted_request(signer: Issued = CLIENT, **changes: Any) -> bytes:
    """A request whose Body was signed, then encrypted."""
    text = draft("@EK-1@", binary_token(signer.certificate), "@SIG-1@", timestamp())
    text = sign(text, Signing.by(signer)).decode()
    return sealed(text, (content_of(text), Encryption.for_(new_server(), **changes).fixed()))


def unsigned_request(body: str = PAYLOAD, soap: str = SOAP11) -> bytes:
    return draft(timestamp(), body=body, soap=soap).encode()


def soap_12(octets: bytes) -> bytes:
    return octets.replace(SOAP11.encode(), SOAP12.encode())
