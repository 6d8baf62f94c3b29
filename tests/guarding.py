"""A guard around an echo, driven in process through wsgiref's validator, and what came of one request."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

import wsguard
from tests.messages import NOW
from wsguard.interfaces import AuditRecord, Observer, ReplayStore
from wsguard.middleware import Guard
from wsguard.stores.users_memory import MemoryUserStore

USERS = {"alice": "secret", "bob": "hunter2", "carol": "secret"}


@dataclass
class Echo:
    """A SOAP application that remembers what it was handed."""

    handed: list[tuple[WSGIEnvironment, bytes]] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.handed.append((environ, environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))))
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [b"<ok/>"]


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Answer:
    """What the client got, and what the audit has of it."""

    status: str
    headers: dict[str, str]
    body: bytes
    record: AuditRecord | None

    @property
    def check(self) -> str:
        """The check that refused; empty where none did."""
        return "" if self.record is None else self.record.check


class Guarded:
    """A guard with users in memory, a clock to set, and the application it stands before."""

    def __init__(
        self,
        application: WSGIApplication | None = None,
        *,
        spyne_app: object | None = None,
        replay_store: ReplayStore | None = None,
        observers: Iterable[Observer] = (),
        **policy: Any,
    ) -> None:
        self.echo = Echo()
        self.clock = Clock()
        defaults = {"users": {"url": "memory://"}, "replay": {"url": "memory://"}, "audit": {"url": "memory://"}}
        self.policy = wsguard.Policy.model_validate({**defaults, **policy})
        self.guard: Guard = wsguard.guard(
            application or self.echo,
            self.policy,
            clock=self.clock,
            spyne_app=spyne_app,
            users=MemoryUserStore(USERS),
            replay=replay_store,
            observers=observers,
        )

    @property
    def records(self) -> list[AuditRecord]:
        """Everything recorded so far."""
        records: list[AuditRecord] = self.guard.audit.records  # type: ignore[attr-defined]  # memory://
        return records

    def post(self, octets: bytes, **environ: Any) -> Answer:
        """Send a message as an honest HTTP client would, with ``environ`` changed; None leaves a key out."""
        return self.call(environ_for(octets, **environ))

    def call(self, environ: WSGIEnvironment) -> Answer:
        """Send an environ as it is, and look at what is recorded of it."""
        before = len(self.records)
        answer = call(self.guard, environ)
        records = self.records[before:]
        assert len(records) <= 1, "one request makes one record at most"
        return replace(answer, record=records[0] if records else None)

    @property
    def handed(self) -> bytes:
        """The octets of the last hand-off."""
        return self.echo.handed[-1][1]


class Bare(Guarded):
    """Driven without wsgiref's validator, which stops requests that real servers let through."""

    def call(self, environ: WSGIEnvironment) -> Answer:
        before = len(self.records)
        started: list[tuple[str, dict[str, str]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            started.append((status, dict(headers)))
            return written.append

        iterable = self.guard(environ, start_response)
        try:
            body = b"".join(iterable)
        finally:
            close = getattr(iterable, "close", None)
            if close is not None:
                close()
        records = self.records[before:]
        assert len(records) <= 1
        status, headers = started[-1]
        return Answer(status, headers, b"".join(written) + body, records[0] if records else None)


def environ_for(octets: bytes, **changes: Any) -> WSGIEnvironment:
    """What a server makes of an honest POST, with ``changes``; None leaves a key out."""
    sent = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/soap",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(octets)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(octets),
        "wsgi.errors": StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **changes,
    }
    return {key: value for key, value in sent.items() if value is not None}


def post(application: WSGIApplication, octets: bytes, **environ: Any) -> Answer:
    """Send a message as an honest HTTP client would; the record is left alone."""
    return call(application, environ_for(octets, **environ))


def call(application: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Send an environ as it is, through wsgiref's validator on the outside."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append((status, headers))
        return lambda data: None

    iterable = validator(application)(environ, start_response)
    try:
        body = b"".join(iterable)
    finally:
        iterable.close()  # type: ignore[attr-defined]  # the validator's iterable has it
    status, headers = started[-1]
    return Answer(status, dict(headers), body, None)
