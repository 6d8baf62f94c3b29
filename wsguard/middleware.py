"""The WSGI shell: it reads HTTP, asks the engine, and hands on only what the engine verified.

Whatever happens, a refusal is a SOAP fault and one audit record under one incident. The application's own answers and
exceptions pass through untouched.
"""

import hashlib
import logging
import signal
import time
import traceback
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsguard.algorithms import LEGACY_SETTING
from wsguard.answers import AnswerSecurer
from wsguard.case import Request
from wsguard.engine import SecurityEngine
from wsguard.exchange import Exchange
from wsguard.explanation import Explanation, plain
from wsguard.faults import Fault, InternalFault, StoreUnavailable, UnsecuredAnswer
from wsguard.handoff import Captured, Watched, capture, handed_on, headers_for
from wsguard.incident import new_incident
from wsguard.interfaces import AuditRecord, AuditSink, Clock, Closable, Observer, RequestOutcome
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, SoapVersion
from wsguard.policy import Policy
from wsguard.received import check_method, check_path, is_wsdl_request, path_of, read_body, version_of
from wsguard.refusal_log import RefusalLog
from wsguard.securing import NotSecurable
from wsguard.soapfault import Detail, FaultAnswer, answer
from wsguard.verified import MESSAGE_KEY, VerifiedMessage

_log: Final = logging.getLogger("wsguard")


@dataclass(frozen=True, slots=True)
class Serving:
    """What one configuration makes a guard serve with; replaced as a whole when the configuration changes."""

    policy: Policy
    engine: SecurityEngine
    audit: AuditSink
    answers: AnswerSecurer
    parts: Mapping[str, tuple[Hashable, Closable]] = field(default_factory=dict)
    """What was opened for it: name -> what it was opened from, and the store."""
    files: frozenset[Path] = frozenset()
    """What was read for it: a change of one is a change of the configuration."""

    @property
    def detail(self) -> Detail:
        """How much a peer is told."""
        faults, keys = self.policy.faults, self.policy.keys
        if faults.detail != "auto":
            return faults.detail
        return "unified" if keys.decrypt or keys.shared else "standard"


_WITHOUT_BODY: Final = ("202", "204")
"""Status of answers that say nothing (RFC 9110 §15.3; SOAP 1.2 part 2 §7.4.1.3): there is nothing in them to secure."""


class ServingSource(Protocol):
    """Gives each request what it is served with."""

    def current(self) -> Serving:
        """The newest that can be used; raises nothing."""
        ...

    def reload(self) -> None:
        """Take the configuration as it is now.

        Raises:
            ConfigError: it cannot be used; what was in force stays in force.
        """
        ...

    def soon(self) -> None:
        """Have the next request take the configuration as it is then."""
        ...

    def close(self) -> None:
        """Close every store that is still open."""
        ...


@dataclass(slots=True)
class _Case:
    """One request from its arrival to its record."""

    serving: Serving
    path: str
    remote_addr: str
    version: SoapVersion
    incident: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.perf_counter)
    explanation: Explanation = field(default_factory=Explanation)
    octets: bytes = b""
    exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        self.exchange = Exchange(self.serving.policy)

    def begin(self, now: datetime) -> None:
        """Give the request its one time and its identifier.

        Raises:
            TypeError, AttributeError: ``now`` is no datetime.
        """
        self.incident, self.now = new_incident(now), now

    def record(self, outcome: RequestOutcome, check: str = "", fault: str = "") -> AuditRecord:
        """What the audit keeps of it."""
        facts = self.explanation.facts
        return AuditRecord(
            incident=self.incident,
            time=self.now,
            outcome=outcome,
            check=check,
            fault=fault,
            service=facts.service,
            operation=facts.operation,
            soap_version=facts.soap_version,
            client=facts.client,
            username=facts.username,
            certificate_subject=facts.certificate_subject,
            certificate_sha256=facts.certificate_sha256,
            remote_addr=plain(self.remote_addr),
            path=plain(self.path),
            message_sha256=hashlib.sha256(self.octets).hexdigest() if self.octets else "",
            message_bytes=len(self.octets),
            duration_ms=self.duration_ms,
            clock_skew_s=facts.clock_skew_s,
            explanation=self.explanation.as_list(),
        )

    @property
    def permissions_used(self) -> tuple[str, ...]:
        """The checks that only a dated permission let it pass."""
        return tuple(result.check for result in self.explanation.results if result.setting.startswith(LEGACY_SETTING))

    @property
    def duration_ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 3)


class Guard:
    """A WSGI application that stands in front of ``application``. Made by ``wsguard.guard``."""

    def __init__(
        self,
        application: WSGIApplication,
        source: ServingSource,
        clock: Clock,
        observers: tuple[Observer, ...] = (),
    ) -> None:
        self._source: Final = source
        self._clock: Final = clock
        self._refusals: Final = RefusalLog()
        self._observers: Final = observers
        self.application: Final = application
        """What stands behind this guard."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._source.current().policy

    @property
    def audit(self) -> AuditSink:
        """Where this guard records."""
        return self._source.current().audit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        remote_addr = str(environ.get("REMOTE_ADDR", ""))
        case = _Case(self._source.current(), path_of(environ), remote_addr, version_of(environ))
        try:
            case.begin(self._clock())
            check_path(case.path)
            message = None if is_wsdl_request(environ) else self._judge(environ, case)
            recorded = message is not None and self._record_before_handoff(case, message)
        except Fault as fault:
            return self._refuse(fault, case, environ, start_response)
        except Exception as error:  # noqa: BLE001 - a defect of ours is a refusal too
            if not case.incident:
                case.begin(datetime.now(UTC))
            _log.error("incident %s: the guard failed: %s", case.incident, _where(error))
            return self._refuse(InternalFault(type(error).__name__), case, environ, start_response)
        if message is None:
            return self.application(handed_on(environ, b""), start_response)
        return self._hand_off(message, case, recorded, environ, start_response)

    def reload(self) -> None:
        """Take the configuration as it is now; changed files are also picked up without this.

        Raises:
            ConfigError: it cannot be used; what was in force stays in force.
        """
        self._source.reload()

    def reload_on(self, number: int) -> None:
        """Take the configuration anew after a signal, with the next request; for example ``signal.SIGHUP``.

        Not under a server that has its own use for that signal, as gunicorn has for SIGHUP.

        Raises:
            ValueError: not called in the main thread.
        """
        signal.signal(number, lambda number, frame: self._source.soon())

    def close(self) -> None:
        """Close the stores and the audit. The guard is not used again."""
        self._source.close()
        self._refusals.close()

    def _judge(self, environ: WSGIEnvironment, case: _Case) -> VerifiedMessage:
        check_method(environ)
        policy = case.serving.policy
        body = read_body(environ, policy.http, policy.limits.body_bytes)
        case.octets = body.octets
        case.explanation.stage("read")
        actions = (str(environ.get("HTTP_SOAPACTION", "")), body.action)
        request = Request(
            incident=case.incident,
            octets=body.octets,
            path=case.path,
            charset=body.charset,
            actions=actions,
            remote_addr=case.remote_addr,
        )
        try:
            return case.serving.engine.process(request, case.now, case.explanation, case.exchange)
        finally:
            if case.explanation.facts.soap_version:
                case.version = SOAP_1_2 if case.explanation.facts.soap_version == SOAP_1_2.number else SOAP_1_1

    def _record_before_handoff(self, case: _Case, message: VerifiedMessage) -> bool:
        """Whether there is a record now.

        Raises:
            Fault: there should be one, and the policy refuses requests without.
        """
        outcome: RequestOutcome = "exempt" if message.exempt else "reported" if message.reported else "accepted"
        check = "exemption" if message.exempt else "".join((*message.reported, *case.permissions_used)[:1])
        wanted = outcome != "accepted" or bool(message.legacy) or case.serving.policy.audit.record == "all"
        if not wanted and not self._observers:
            return False
        record = case.record(outcome, check)
        unwritten = self._write(record, case.serving) if wanted else None
        if unwritten is not None:
            raise unwritten
        self._observe(record, case)
        return wanted

    def _observe(self, record: AuditRecord, case: _Case) -> None:
        for observer in (self._refusals, *self._observers):
            try:
                observer.judged(record, case.explanation.stages)
            except Exception as error:  # noqa: BLE001 - watching changes no verdict
                _log.error("incident %s: an observer failed: %s", record.incident, _where(error))

    def _write(self, record: AuditRecord, serving: Serving) -> Fault | None:
        """Write a record; what keeps the request from being served where that failed."""
        try:
            serving.audit.write(record)
        except StoreUnavailable as fault:
            _log.error("incident %s: not recorded: %s", record.incident, fault.seen)
            return fault if serving.policy.audit.on_failure == "refuse" else None
        except Exception as error:  # noqa: BLE001 - a sink of somebody else's may raise anything
            _log.error("incident %s: not recorded: %s", record.incident, _where(error))
            return InternalFault(type(error).__name__) if serving.policy.audit.on_failure == "refuse" else None
        return None

    def _refuse(
        self, fault: Fault, case: _Case, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        case.explanation.refused(fault.check, expected=fault.expected, seen=fault.seen, setting=fault.setting)
        shown = answer(fault, case.version, case.incident, case.serving.detail)
        outcome: RequestOutcome = "error" if isinstance(fault, StoreUnavailable | InternalFault) else "rejected"
        record = case.record(outcome, fault.check, shown.code)
        unwritten = self._write(record, case.serving)
        self._observe(record, case)
        if unwritten is not None:
            shown = answer(unwritten, case.version, case.incident, case.serving.detail)
        return _send(self._secured_fault(shown, case), environ, start_response)

    def _secured_fault(self, shown: FaultAnswer, case: _Case) -> FaultAnswer:
        """``shown``, secured as its service's answers are. It is constant text: where that fails it goes as it is."""
        try:
            return shown.with_octets(case.serving.answers.fault(shown.octets, case.exchange, case.now))
        except Exception as error:  # noqa: BLE001 - a fault must get out
            _log.error("incident %s: the fault was not secured: %s", case.incident, _where(error))
            return shown

    def _hand_off(
        self,
        message: VerifiedMessage,
        case: _Case,
        recorded: bool,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        inner = handed_on(environ, message.octets)
        inner["CONTENT_TYPE"] = f"{case.version.content_type}; charset=utf-8"
        inner[MESSAGE_KEY] = message
        if message.principal is not None:
            inner["REMOTE_USER"] = message.principal.name
            inner["AUTH_TYPE"] = "WS-Security"
        if case.serving.answers.secures(case.exchange):
            return self._hand_off_and_secure(inner, case, recorded, environ, start_response)
        try:
            given = self.application(inner, start_response)
        except Exception:
            self._failed(case, recorded)
            raise
        # A list cannot fail while it is read, and servers take its length for Content-Length.
        return given if isinstance(given, list | tuple) else Watched(given, lambda: self._failed(case, recorded))

    def _hand_off_and_secure(
        self,
        inner: WSGIEnvironment,
        case: _Case,
        recorded: bool,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """The application's answer as a whole, secured; or a fault in its place."""
        try:
            captured = capture(self.application, inner, case.serving.policy.limits.response_bytes)
            if not captured.octets and captured.status[:3] in _WITHOUT_BODY:
                start_response(captured.status, list(captured.headers))
                return []
            octets = self._secured(captured, case)
        except UnsecuredAnswer as fault:
            return self._withhold(fault, case, recorded, environ, start_response)
        except Exception:
            self._failed(case, recorded)
            raise
        left_alone = octets is captured.octets
        headers = list(captured.headers) if left_alone else headers_for(captured, case.version.content_type, octets)
        start_response(captured.status, headers)
        return [octets]

    def _secured(self, captured: Captured, case: _Case) -> bytes:
        """The octets to send.

        Raises:
            UnsecuredAnswer: it cannot be secured as demanded.
        """
        try:
            return case.serving.answers.answer(captured.octets, case.exchange, self._clock())
        except NotSecurable as error:
            raise UnsecuredAnswer(str(error)) from None

    def _withhold(
        self,
        fault: UnsecuredAnswer,
        case: _Case,
        recorded: bool,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """The fault that goes in the place of an answer, and what the audit has of it."""
        _log.error("incident %s: the answer was withheld: %s", case.incident, fault.seen)
        shown = answer(fault, case.version, case.incident, case.serving.detail)
        self._failed(case, recorded, fault, shown.code)
        return _send(self._secured_fault(shown, case), environ, start_response)

    def _failed(self, case: _Case, recorded: bool, fault: UnsecuredAnswer | None = None, code: str = "") -> None:
        """The application raised, or gave an answer that cannot go: the record says so."""
        if fault is not None:
            case.explanation.refused(fault.check, expected=fault.expected, seen=fault.seen, setting=fault.setting)
        else:
            case.explanation.noted("application", seen="it raised an exception")
        if not recorded:
            self._write(case.record("error", fault.check if fault is not None else "", code), case.serving)
            return
        try:
            check = fault.check if fault is not None else ""
            case.serving.audit.amend(case.incident, "error", case.duration_ms, check)
        except Exception as error:  # noqa: BLE001 - the exception goes on, and the fault out
            _log.error("incident %s: not recorded: %s", case.incident, _where(error))


def _where(error: Exception) -> str:
    """The kind of an exception and where it was raised, without its text: somebody's store may put a secret there."""
    return type(error).__name__ + "\n" + "".join(traceback.format_tb(error.__traceback__))


def _send(shown: FaultAnswer, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    headers = list(shown.headers)
    if shown.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "POST"))
    start_response(f"{shown.status.value} {shown.status.phrase}", headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [shown.octets]
