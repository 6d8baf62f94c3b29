"""The security engine: octets in, a verified message out. No HTTP, no files, no clock.

``SecurityEngine.process`` is the only place that builds a ``VerifiedMessage``, and it builds one only after:

1. Parse: bounded, hardened, one envelope of the right shape.
2. Resolve service and operation from the Body and the path; nothing may contradict them. An exempt message ends here.
3. Read the Security header: every element in it is understood, or the message is refused.
4. Timestamp: inside its window.
5. Tokens: read all, without a store; then authenticate.
6. Requirements: everything demanded is there, and the peer may call this service. For a client in report mode what is
   missing or outside the Timestamp's window is recorded instead, once that very client was authenticated.
7. Replay: last, so that nobody can burn what is not theirs.
8. Assemble the hand-off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, Literal, cast

from lxml import etree

from wsguard.clients import ClientTable, reports
from wsguard.explanation import Explanation, plain
from wsguard.faults import (
    Fault,
    InvalidSecurity,
    InvalidSecurityToken,
    SecurityFault,
)
from wsguard.interfaces import Attempt, ReplayStore, TokenProcessor
from wsguard.message.envelope import Envelope, read_envelope
from wsguard.message.parse import Tree, parse
from wsguard.message.references import check_references
from wsguard.names import ENCRYPTED_DATA, TIMESTAMP
from wsguard.policy import Client, Demands, Policy
from wsguard.routing import ServiceTable, Target
from wsguard.security_header import not_understood, read_security_header
from wsguard.sparing import Spared
from wsguard.timestamp import verify_timestamp
from wsguard.verified import Principal, Timestamp, VerifiedMessage

SKEW_MARGIN: Final = timedelta(seconds=60)
"""Kept beyond the last moment at which a message is taken: what the clocks of two of our machines may differ by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the shell knows of a message."""

    incident: str
    octets: bytes = field(repr=False)
    path: str
    """SCRIPT_NAME and PATH_INFO."""
    charset: str | None
    """``charset`` of Content-Type, if any."""
    actions: tuple[str, ...]
    """SOAPAction, and ``action`` of Content-Type."""
    remote_addr: str = ""
    """Address of the peer."""


class SecurityEngine:
    """Holds messages against one policy. Immutable; the same object serves all threads."""

    def __init__(
        self,
        policy: Policy,
        services: ServiceTable,
        *,
        tokens: tuple[TokenProcessor[Any], ...],
        replay: ReplayStore,
        every_href: bool,
    ) -> None:
        """
        Args:
            policy: what is demanded.
            services: whom messages are for.
            tokens: one processor for each kind of token that is understood.
            replay: where what may be seen once is remembered.
            every_href: the application takes every href for a reference to an id, as spyne does.
        """
        self._policy: Final = policy
        self._services: Final = services
        self._tokens: Final[Mapping[str, TokenProcessor[Any]]] = {processor.tag: processor for processor in tokens}
        self._understood: Final = {TIMESTAMP: "timestamp"} | {processor.tag: processor.family for processor in tokens}
        self._replay: Final = replay
        self._clients: Final = ClientTable(policy.client)
        self._every_href: Final = every_href
        self._retention: Final = _retention(policy)

    def process(self, request: Request, now: datetime, explanation: Explanation) -> VerifiedMessage:
        """Hold one message against the policy.

        Args:
            request: the message.
            now: aware; the only time there is while it is processed.
            explanation: is told of every check, also of those before a refusal.

        Returns:
            what the application may see.

        Raises:
            Fault: the message is refused; its ``check`` says by what.
        """
        # 1. Parse.
        policy = self._policy
        tree = parse(request.octets, request.charset, policy.http.charsets, policy.limits)
        envelope = read_envelope(tree, policy.actor)
        explanation.facts.soap_version = envelope.version.number
        explanation.facts.operation = plain(envelope.operation)
        explanation.stage("parse")
        explanation.passed(
            "envelope",
            expected="one envelope within the limits",
            seen=f"SOAP {envelope.version.number}, {len(request.octets)} bytes",
            setting="limits",
        )

        # 2. Resolve.
        target = self._resolve(tree, envelope, request, explanation)
        if target.kind == "exempt":
            explanation.noted("exemption", seen=envelope.operation, setting=target.key)
            return self._assemble(request, envelope, target, None, None, "", ())
        spared = Spared(self._clients.anybody_reports(now))
        try:
            timestamp, principal, client = self._demand(envelope, target, request, now, explanation, spared)
        except Fault as fault:
            raise spared.first_or(fault) from None
        explanation.stage("replay")

        # 8. Assemble.
        message = self._assemble(request, envelope, target, timestamp, principal, client, spared.checks)
        explanation.stage("assemble")
        return message

    def _demand(
        self,
        envelope: Envelope,
        target: Target,
        request: Request,
        now: datetime,
        explanation: Explanation,
        spared: Spared,
    ) -> tuple[Timestamp | None, Principal | None, str]:
        """Steps 3 to 7."""
        demands = target.demands
        # 3. Read the Security header.
        found = read_security_header(envelope, demands, self._understood)

        # 4. Timestamp.
        timestamp = None
        if TIMESTAMP in found:
            with spared.outside_the_window():
                timestamp = verify_timestamp(found[TIMESTAMP][0], demands.timestamp, now, explanation)
        elif demands.timestamp.use == "required":
            spared.put_off(_missing("timestamp", InvalidSecurity))
        explanation.stage("check")

        # 5. Tokens.
        read = [
            (processor, processor.read(element, demands, now, explanation))
            for tag, processor in self._tokens.items()
            for element in found.get(tag, ())
        ]
        for tag, processor in self._tokens.items():
            if tag not in found and getattr(demands, processor.family).use == "required":
                spared.put_off(_missing(processor.family, InvalidSecurityToken))
        attempt = Attempt(demands, request.remote_addr, now)
        principals = [processor.authenticate(token, attempt, explanation) for processor, token in read]
        explanation.stage("authenticate")

        # 6. Requirements.
        principal = principals[0] if principals else None
        client = self._clients.authorize(principal, target.service)
        explanation.facts.client = client.name if client else ""
        spared.decide(reports(client, now), explanation)

        # 7. Replay.
        until = max(now + self._retention, _spared_until(client, demands, now))
        for processor, token in read:
            self._remember(processor.replay_keys(token), until, now)
        if read:
            explanation.passed("replay", expected="a token never seen before", seen="it was not", setting="replay")
        return timestamp, principal, explanation.facts.client

    def _resolve(self, tree: Tree, envelope: Envelope, request: Request, explanation: Explanation) -> Target:
        if envelope.operation == ENCRYPTED_DATA:
            raise not_understood(envelope.operation)
        target = self._services.resolve(request.path, envelope.operation, envelope.other_operations)
        explanation.facts.service = target.service
        actions = (*request.actions, *envelope.addressed_actions)
        self._services.check_actions((action.strip().strip('"') for action in actions), envelope.operation, target)
        check_references(tree, envelope.body, self._policy.limits, every_href=self._every_href)
        explanation.passed(
            "operation", expected="an operation that nothing contradicts", seen=envelope.operation, setting=target.key
        )
        return target

    def _remember(self, keys: tuple[bytes, ...], until: datetime, now: datetime) -> None:
        for key in keys:
            if not self._replay.remember(key, until, now):
                raise InvalidSecurityToken(
                    "replay.nonce", expected="a token never seen before", seen="it was", setting="replay"
                )

    def _assemble(
        self,
        request: Request,
        envelope: Envelope,
        target: Target,
        timestamp: Timestamp | None,
        principal: Principal | None,
        client: str,
        reported: tuple[str, ...],
    ) -> VerifiedMessage:
        """The parsed tree without what was not verified, serialised by us: received octets are never handed on."""
        operation = envelope.operation
        header = envelope.header
        if header is not None:
            dropped = list(envelope.foreign_security)
            if envelope.security is not None and (
                target.kind == "exempt" or target.demands.handoff.remove_security_header
            ):
                dropped.append(envelope.security)
            for block in dropped:
                header.remove(block)
        return VerifiedMessage(
            incident=request.incident,
            service=target.service,
            operation=operation,
            soap_version=cast(Literal["1.1", "1.2"], envelope.version.number),
            exempt=target.kind == "exempt",
            principal=principal,
            client=client,
            reported=reported,
            timestamp=timestamp,
            octets=etree.tostring(envelope.root, encoding="UTF-8", xml_declaration=False),
        )


def _retention(policy: Policy) -> timedelta:
    """How long what was seen must be remembered: until no service could take the message again.

    A Timestamp without Created binds by Expires alone, which lies at most ``max_lifetime`` ahead.
    """
    sections = [section for demands in policy.every_demand for section in (demands.timestamp, demands.username_token)]
    lifetime = max(section.time_to_live for section in sections)
    ahead = max(section.future_time_to_live for section in sections)
    by_expires = [d.timestamp.max_lifetime for d in policy.every_demand if not d.timestamp.require_created]
    return timedelta(seconds=max(lifetime + ahead, *by_expires, 0)) + SKEW_MARGIN


def _spared_until(client: Client | None, demands: Demands, now: datetime) -> datetime:
    """Until when nothing but the replay store stands against a token without Created, its Timestamp being spared."""
    token = demands.username_token
    unbound = "PasswordText" in token.password_types and not token.require_created
    if client is None or client.report_until is None or not (unbound and reports(client, now)):
        return now
    return datetime.combine(client.report_until, time.max, UTC) + SKEW_MARGIN


def _missing(family: str, fault: type[SecurityFault]) -> SecurityFault:
    expected = {"timestamp": "a Timestamp", "username_token": "a UsernameToken"}.get(family, family)
    return fault(f"{family}.missing", expected=expected, seen="none", setting=f"{family}.use")
