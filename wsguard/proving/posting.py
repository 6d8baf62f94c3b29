"""Sending to the guard in process, and everything that came of it. The application behind it is a recorder."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from lxml import etree

from wsguard.audit.memory import MemoryAudit
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord
from wsguard.message.envelope import SOAP_1_2
from wsguard.middleware import Guard
from wsguard.names import ENCRYPTED_DATA, SOAP11, SOAP12
from wsguard.proving.letters import PROOF, block
from wsguard.proving.rows import ACCEPTED

DONE: Final = f"{{{PROOF}}}done"
"""In the Body of the recorder's answers."""
_FAULTS: Final = (f"{{{SOAP11}}}Fault", f"{{{SOAP12}}}Fault")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request."""

    octets: bytes = field(repr=False)
    path: str = "/"
    environ: Mapping[str, Any] = field(default_factory=dict)
    """What differs in the environ from that of an honest POST; None leaves a key out."""
    original: bytes = field(default=b"", repr=False)
    """The envelope before it was secured: what an application must get."""
    media_type: str = "text/xml"
    """That of its version of SOAP."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is behind the guard."""

    answer: bytes | None = None
    """What the application answers; None: an envelope."""
    audit_is_away: bool = False


AS_USUAL: Final = Stage()


class Recorder:
    """Stands where the application would, and keeps what it is handed."""

    def __init__(self, blocks: Iterable[str] = ()) -> None:
        """
        Args:
            blocks: ``{namespace}name`` of header blocks that its answers have.
        """
        self.handed: list[tuple[WSGIEnvironment, bytes]] = []
        """Environ and octets of each hand-off."""
        self.answer: bytes | None = None
        """In the place of an envelope."""
        self._blocks: Final = "".join(block(one, DONE) for one in blocks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.handed.append((environ, environ["wsgi.input"].read()))
        soap = SOAP12 if str(environ.get("CONTENT_TYPE")).startswith(SOAP_1_2.content_type) else SOAP11
        octets = (
            f'<S:Envelope xmlns:S="{soap}"><S:Header>{self._blocks}</S:Header>'
            f'<S:Body><p:done xmlns:p="{PROOF}"/></S:Body></S:Envelope>'
        ).encode()
        octets = octets if self.answer is None else self.answer
        start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(octets)))])
        return [octets]


class ProofAudit(MemoryAudit):
    """Keeps the records of the proof; or none of messages that were taken, and fails, while it is away."""

    away = False

    def write(self, record: AuditRecord) -> None:
        """As ``interfaces.AuditSink`` says."""
        if not self.away or record.outcome in ("rejected", "error"):
            super().write(record)
        if self.away:
            raise StoreUnavailable(seen="the proof took it away")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one request."""

    status: str
    octets: bytes = field(repr=False)
    records: tuple[AuditRecord, ...]
    handed: tuple[tuple[WSGIEnvironment, bytes], ...]

    @property
    def got(self) -> str:
        """The check that refused; ``accepted`` where the application was handed something."""
        if self.handed:
            return ACCEPTED
        return self.records[0].check if self.records else "refused by nothing that is recorded"

    @property
    def told(self) -> tuple[str, str, str]:
        """What a peer learns of a refusal: its status, and its fault without the incident."""
        name, text = self._fault()
        for record in self.records:
            text = text.replace(record.incident, "")
        return self.status, name, text

    def improper(self, *, sealed: bool, detailed: bool) -> list[str]:
        """What a refusal must not be like, and this one is.

        Args:
            sealed: faults are encrypted, so that nobody here can read them.
            detailed: faults name the check.
        """
        wrong = []
        if self.handed:
            wrong.append("the application got it")
        if len(self.records) != 1:
            wrong.append(f"{len(self.records)} audit records")
        if self.status[:1] not in ("4", "5"):
            wrong.append(f"status {self.status[:3]}")
        name, text = self._fault()
        if name not in _FAULTS and not (sealed and name == ENCRYPTED_DATA):
            wrong.append("no SOAP fault")
        elif not detailed and any(record.check in text for record in self.records):
            wrong.append("a fault that names the check")
        elif self.records and name != ENCRYPTED_DATA and self.records[0].incident not in text:
            wrong.append("a fault without the incident of its record")
        if any(record.outcome not in ("rejected",) for record in self.records):
            wrong.append(f"recorded as {self.records[0].outcome}")
        return wrong

    def _fault(self) -> tuple[str, str]:
        try:
            content = etree.fromstring(self.octets)[-1][0]
        except (etree.LxmlError, ValueError, IndexError):
            return "", ""
        return str(content.tag), "".join(content.itertext())


class Post:
    """Delivers to one guard, each request from a network of its own, so that no two count together."""

    def __init__(self, guard: Guard, recorder: Recorder, audit: ProofAudit, charsets: Sequence[str]) -> None:
        """
        Args:
            guard: what is attacked.
            recorder: what it guards.
            audit: where it records.
            charsets: that are taken; messages that say nothing of theirs are sent in one of them.
        """
        self._guard: Final = guard
        self._recorder: Final = recorder
        self._audit: Final = audit
        self._charset: Final = "utf-8" if "utf-8" in charsets else charsets[0]
        self._numbers: Final = itertools.count(1)

    def deliver(self, sent: Sent, stage: Stage = AS_USUAL) -> Outcome:
        """Send one request, and see what comes of it."""
        self._recorder.answer, self._audit.away = stage.answer, stage.audit_is_away
        self._recorder.handed.clear()
        self._audit.records.clear()
        started: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:  # noqa: ANN401
            started.append(status)
            return lambda octets: None

        answer = self._guard(self._environ(sent), start_response)
        try:
            octets = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return Outcome(
            status=started[-1] if started else "",
            octets=octets,
            records=tuple(self._audit.records),
            handed=tuple(self._recorder.handed),
        )

    def _environ(self, sent: Sent) -> WSGIEnvironment:
        octets = sent.octets if "CONTENT_TYPE" in sent.environ else _recoded(sent.octets, self._charset)
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": sent.path.encode().decode("latin-1"),
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            # RFC 3849: addresses for documents, which nobody has.
            "REMOTE_ADDR": f"2001:db8:{next(self._numbers) % 0xFFFF:x}::1",
            "CONTENT_TYPE": f"{sent.media_type}; charset={self._charset}",
            "CONTENT_LENGTH": str(len(octets)),
            "HTTP_SOAPACTION": '""',
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(octets),
            "wsgi.errors": StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **sent.environ,
        }
        return {key: value for key, value in environ.items() if value is not None}


def _recoded(octets: bytes, charset: str) -> bytes:
    """``octets`` of UTF-8 in another charset; what is no UTF-8 stays."""
    try:
        return octets if charset == "utf-8" else octets.decode().encode(charset, "xmlcharrefreplace")
    except UnicodeDecodeError:
        return octets
