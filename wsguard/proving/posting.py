"""Sending to the guard in process, and everything that came of it. The application behind it is a recorder."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from lxml import etree

from wsguard.audit.memory import MemoryAudit
from wsguard.interfaces import AuditRecord
from wsguard.middleware import Guard
from wsguard.names import ENCRYPTED_DATA
from wsguard.proving.letters import PROOF, SOAP
from wsguard.proving.rows import ACCEPTED

_ANSWER: Final = f'<S:Envelope xmlns:S="{SOAP}"><S:Body><p:done xmlns:p="{PROOF}"/></S:Body></S:Envelope>'.encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """One request."""

    octets: bytes = field(repr=False)
    path: str = "/"
    environ: Mapping[str, Any] = field(default_factory=dict)
    """What differs in the environ from that of an honest POST; None leaves a key out."""
    original: bytes = field(default=b"", repr=False)
    """The envelope before it was secured: what an application must get."""


class Recorder:
    """Stands where the application would, and keeps what it is handed."""

    def __init__(self) -> None:
        self.handed: list[tuple[WSGIEnvironment, bytes]] = []
        """Environ and octets of each hand-off."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.handed.append((environ, environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(_ANSWER)))])
        return [_ANSWER]


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

    def improper(self, *, sealed: bool) -> list[str]:
        """What a refusal must not be like, and this one is.

        Args:
            sealed: faults are encrypted, so that nobody here can read them.
        """
        wrong = []
        if self.handed:
            wrong.append("the application got it")
        if len(self.records) != 1:
            wrong.append(f"{len(self.records)} audit records")
        if self.status[:1] not in ("4", "5"):
            wrong.append(f"status {self.status[:3]}")
        name, text = self._fault()
        if name != f"{{{SOAP}}}Fault" and not (sealed and name == ENCRYPTED_DATA):
            wrong.append("no SOAP fault")
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
    """Delivers to one guard, each request from an address of its own, so that no two count together."""

    def __init__(self, guard: Guard, recorder: Recorder, audit: MemoryAudit, charsets: Sequence[str]) -> None:
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

    def deliver(self, sent: Sent) -> Outcome:
        """Send one request, and see what comes of it."""
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
            "REMOTE_ADDR": f"2001:db8::{next(self._numbers):x}",
            "CONTENT_TYPE": f"text/xml; charset={self._charset}",
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
