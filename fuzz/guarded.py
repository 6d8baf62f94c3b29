"""A guard in process, without anything between it and what is fuzzed, and what must hold of every answer."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from lxml import etree

import wsguard
from fuzz.silence import silent
from fuzz.target import demand
from wsguard.interfaces import AuditRecord, ReplayStore, RequestOutcome
from wsguard.names import SOAP11, SOAP12
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.verified import VerifiedMessage

NOW: Final = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
"""The only time there is."""
PASSWORD: Final = "Quittenmus+7"  # noqa: S105 - of nobody
USERS: Final = {"alice": PASSWORD, "bob": "Stachelbeer-42"}
SECRETS: Final = tuple(USERS.values())
STATUSES: Final = frozenset({"400", "405", "411", "413", "415", "500"})
"""Of refusals. 503 is none of them: nothing is away here."""

logging.getLogger("wsguard").addHandler(logging.NullHandler())


class Forgetful:
    """A replay store that has never seen anything, so that each input stands for itself."""

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        return True

    def close(self) -> None:
        return


@dataclass
class Records:
    """An audit that keeps what one request left."""

    written: list[AuditRecord] = field(default_factory=list)

    def write(self, record: AuditRecord) -> None:
        self.written.append(record)

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        return

    def close(self) -> None:
        return


@dataclass
class Application:
    """Keeps what it was handed."""

    handed: list[tuple[WSGIEnvironment, bytes]] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.handed.append((environ, environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [b"<ok/>"]


@dataclass(frozen=True)
class Outcome:
    """What came of a request."""

    status: str
    body: bytes
    record: AuditRecord | None
    environ: WSGIEnvironment | None
    """The application's; None where the request was refused."""
    handed: bytes = b""

    @property
    def message(self) -> VerifiedMessage | None:
        """What the application is told; None where nothing was verified."""
        return None if self.environ is None else self.environ.get("wsguard.message")


class Fuzzed:
    """A guard with a clock that stands still. What its answers must hold is demanded of each."""

    def __init__(self, replay: ReplayStore | None = None, *, secrets: Iterable[str] = (), **policy: Any) -> None:  # noqa: ANN401 - tables
        """
        Args:
            replay: None: one that forgets.
            secrets: texts that may stand in no answer and no record, beside the passwords.
            policy: sections.
        """
        usual = {"users": {"url": "memory://"}, "replay": {"url": "memory://"}, "audit": {"url": "memory://"}}
        audit = {"url": "memory://", "record": "all"}
        self.policy = wsguard.Policy.model_validate({**usual, "audit": audit, **policy})
        self.application = Application()
        self.records = Records()
        self._secrets = re.compile("|".join(map(re.escape, (*SECRETS, *secrets))))
        self.guard = wsguard.guard(
            self.application,
            self.policy,
            clock=lambda: NOW,
            users=MemoryUserStore(USERS),
            replay=replay or Forgetful(),
            audit=self.records,
        )

    def post(self, octets: bytes, **environ: Any) -> Outcome:  # noqa: ANN401 - environ values
        """What came of an honest POST, with ``environ`` changed.

        Raises:
            Broken: an invariant does not hold.
            Exception: whatever leaked.
        """
        return self.call(environ_for(octets, **environ))

    def call(self, environ: WSGIEnvironment) -> Outcome:
        """The same of any environ."""
        self.application.handed.clear()
        self.records.written.clear()
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:  # noqa: ANN401
            started.append((status, headers))
            return lambda data: None

        with silent():
            body = b"".join(self.guard(environ, start_response))
        demand(len(started) == 1, "start_response is called once")
        demand(not environ["wsgi.errors"].getvalue(), "nothing is written to wsgi.errors")
        records, handed = self.records.written, self.application.handed
        outcome = Outcome(started[0][0], body, records[0] if records else None, *(handed[0] if handed else (None,)))
        self._demand_of(outcome, started[0][1], len(records), len(handed))
        return outcome

    def _demand_of(self, outcome: Outcome, headers: list[tuple[str, str]], records: int, handed: int) -> None:
        if outcome.environ is not None and outcome.message is None:
            demand(records == 0 and outcome.handed == b"", "what passes unjudged is an empty request for the WSDL")
            return
        demand(records == 1 and outcome.record is not None, "one request leaves one record")
        told = repr(outcome.record) + outcome.body.decode("utf-8", "replace") + repr(headers)
        demand(not self._secrets.search(told), "no secret is answered or recorded")
        assert outcome.record is not None
        if outcome.environ is None:
            demand(outcome.record.outcome == "rejected", f"a refusal is no error of the guard's: {outcome.record}")
            demand(outcome.record.check, "a refusal has a check")
            _demand_fault(outcome, headers)
        else:
            demand(handed == 1, "the application is called once")
            demand(outcome.record.outcome in ("accepted", "exempt"), "what is handed on was accepted")
            demand(outcome.status == "200 OK", "the application's own answer is passed on")


def _demand_fault(outcome: Outcome, headers: list[tuple[str, str]]) -> None:
    demand(outcome.status[:3] in STATUSES, f"a refusal has a status of refusals, and no {outcome.status}")
    for name, value in headers:
        demand(f"{name}{value}".isprintable(), "headers have no control characters")
    if not outcome.body:
        return
    body = etree.fromstring(outcome.body)[-1]
    demand(len(body) == 1 and body[0].tag in (f"{{{SOAP11}}}Fault", f"{{{SOAP12}}}Fault"), "a refusal is a SOAP fault")
    incident = outcome.record.incident if outcome.record is not None else ""
    demand(f"[{incident}]" in "".join(body.itertext()), "the fault names the incident of the record")


def environ_for(octets: bytes, **changes: Any) -> WSGIEnvironment:  # noqa: ANN401 - environ values
    """What a server makes of an honest POST, with ``changes``; None leaves a key out."""
    sent = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/soap",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_TYPE": "text/xml",
        "CONTENT_LENGTH": str(len(octets)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(octets),
        "wsgi.errors": StringIO(),
        **changes,
    }
    return {key: value for key, value in sent.items() if value is not None}
