"""The security engine: octets in, a verified message out. No HTTP, no files, no clock.

``SecurityEngine.process`` is the only place that builds a ``VerifiedMessage``, and it builds one only after:

1. Parse: bounded, hardened, one envelope of the right shape.
2. Resolve service and operation from the Body and the path; nothing may contradict them. An exempt message ends here.
3. Read the Security header, in which every element is understood or the message is refused; verify its signatures in
   the order in which they stand.
4. Timestamp: inside its window.
5. Tokens: read all, without a store; then authenticate.
6. Requirements: everything demanded is there; one signature covers all that must be signed, and its signer is whose
   message it is; that peer may call this service, and use these algorithms. For a client in report mode what is missing
   is recorded instead, once that very client was authenticated.
7. Replay: last, so that nobody can burn what is not theirs.
8. Assemble the hand-off, of what was verified only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, Literal, cast

from cryptography.hazmat.primitives.serialization import Encoding
from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.clients import ClientTable, Peer, reports
from wsguard.content import check_content_prefixes
from wsguard.coverage import Parts
from wsguard.explanation import Explanation, plain
from wsguard.faults import (
    FailedCheck,
    Fault,
    InvalidSecurity,
    InvalidSecurityToken,
    SecurityFault,
)
from wsguard.interfaces import Attempt, KeyMaterial, ReplayStore, TokenProcessor, TrustedCertificate
from wsguard.message.envelope import Envelope, read_envelope
from wsguard.message.key_info import check_binary_token
from wsguard.message.parse import Tree, parse
from wsguard.message.references import check_references
from wsguard.names import BINARY_SECURITY_TOKEN, ENCRYPTED_DATA, SECURITY, SIGNATURE, TIMESTAMP
from wsguard.policy import Client, Demands, Policy
from wsguard.pruning import without
from wsguard.routing import ServiceTable, Target
from wsguard.security_header import not_understood, read_security_header
from wsguard.signature import MessageContext, SignatureVerifier, VerifiedSignature
from wsguard.sparing import Spared
from wsguard.timestamp import verify_timestamp
from wsguard.verified import Principal, Timestamp, VerifiedMessage

SKEW_MARGIN: Final = timedelta(seconds=60)
"""Kept beyond the last moment at which a message is taken: what the clocks of two of our machines may differ by."""

NEVER_EXPIRES: Final = timedelta(days=3650)
"""How long a signature is remembered that nothing but itself dates, where its key has no end either: ten years."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What steps 3 to 7 found."""

    peer: Peer = field(default_factory=Peer)
    client: str = ""
    timestamp: Timestamp | None = None
    signature: VerifiedSignature | None = None
    """The one that covers everything that must be signed, and whose signer counts."""
    parts: Parts = field(default_factory=lambda: Parts({}))
    legacy: tuple[str, ...] = ()


class SecurityEngine:
    """Holds messages against one policy. Immutable; the same object serves all threads."""

    def __init__(
        self,
        policy: Policy,
        services: ServiceTable,
        *,
        keys: KeyMaterial,
        tokens: tuple[TokenProcessor[Any], ...],
        replay: ReplayStore,
        every_href: bool,
        namespaces: frozenset[str] = frozenset(),
    ) -> None:
        """
        Args:
            policy: what is demanded.
            services: whom messages are for.
            keys: whose signatures are believed.
            tokens: one processor for each kind of token that is understood.
            replay: where what may be seen once is remembered.
            every_href: the application takes every href for a reference to an id, as spyne does.
            namespaces: those of the application's types, which prefixes in content may be bound to.
        """
        self._policy: Final = policy
        self._services: Final = services
        self._tokens: Final[Mapping[str, TokenProcessor[Any]]] = {processor.tag: processor for processor in tokens}
        self._understood: Final = {
            TIMESTAMP: "timestamp",
            SIGNATURE: "signature",
            BINARY_SECURITY_TOKEN: "signature",
            **{processor.tag: processor.family for processor in tokens},
        }
        self._signatures: Final = SignatureVerifier(keys.trust, keys.shared, policy.limits)
        self._replay: Final = replay
        self._clients: Final = ClientTable(policy.client, keys.client_certificates)
        self._every_href: Final = every_href
        self._namespaces: Final = namespaces
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
            return self._assemble(request, envelope, target, _Judged(), ())
        spared = Spared(self._clients.anybody_reports(now))
        try:
            judged = self._demand(tree, envelope, target, request, now, explanation, spared)
        except Fault as fault:
            raise spared.first_or(fault) from None
        explanation.stage("replay")

        # 8. Assemble.
        message = self._assemble(request, envelope, target, judged, spared.checks)
        explanation.stage("assemble")
        return message

    def _demand(
        self,
        tree: Tree,
        envelope: Envelope,
        target: Target,
        request: Request,
        now: datetime,
        explanation: Explanation,
        spared: Spared,
    ) -> _Judged:
        """Steps 3 to 7."""
        demands = target.demands
        # 3. Read the Security header, and verify its signatures.
        found = read_security_header(envelope, demands, self._understood)
        algorithms = Algorithms(demands.algorithms, now, spared=spared.possible)
        signatures: list[VerifiedSignature] = []
        if envelope.security is not None:
            context = MessageContext(
                security=envelope.security,
                ids=tree.ids,
                demands=demands,
                algorithms=algorithms,
                now=now,
                explanation=explanation,
            )
            signatures = self._verify_signatures(found, context)
        explanation.stage("signature")

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
        users = [processor.authenticate(token, attempt, explanation) for processor, token in read]
        explanation.stage("authenticate")

        # 6. Requirements.
        parts = Parts.of(envelope, found)
        covering = _covering(signatures, parts, demands, spared)
        signature = covering[0] if covering else None
        peer = self._peer(users[0] if users else None, signature, parts, demands)
        client = self._clients.authorize(peer, target.service)
        explanation.facts.client = client.name if client else ""
        if peer.certificate and peer.signer is not None:
            explanation.facts.certificate_subject = plain(peer.signer.name)
            explanation.facts.certificate_sha256 = peer.certificate
        legacy = algorithms.judge(demands.algorithms, explanation.facts.client, explanation, spared.put_off)
        spared.decide(reports(client, now), explanation)

        # 7. Replay.
        until = max(now + self._retention, _spared_until(client, demands, now))
        for processor, token in read:
            self._remember("replay.nonce", processor.replay_keys(token), until, now)
        for one in covering:
            self._remember(
                "replay.signature", (one.replay_key,), max(until, _signed_until(one, timestamp, parts, now)), now
            )
        if read or covering:
            seen = "it was not" if len(read) + len(covering) == 1 else "none of them was"
            explanation.passed("replay", expected="nothing that was seen before", seen=seen, setting="replay")
        return _Judged(
            peer=peer,
            client=explanation.facts.client,
            timestamp=timestamp,
            signature=signature,
            parts=parts,
            legacy=legacy,
        )

    def _verify_signatures(
        self, found: Mapping[str, Sequence[_Element]], context: MessageContext
    ) -> list[VerifiedSignature]:
        for token in found.get(BINARY_SECURITY_TOKEN, ()):
            check_binary_token(token)
        verified: list[VerifiedSignature] = []
        for element in found.get(SIGNATURE, ()):
            references = sum(signature.references for signature in verified)
            verified.append(self._signatures.verify(element, context, references))
        return verified

    def _peer(
        self, user: Principal | None, signature: VerifiedSignature | None, parts: Parts, demands: Demands
    ) -> Peer:
        """Who counts: beside a signer only a user that the signature covers, or that one entry names with the signer.

        Raises:
            FailedCheck: ``signature.coverage``, both are demanded, and nothing binds them to each other.
        """
        if signature is None:
            return Peer(user=user)
        signer, certificate = _principal_of(signature)
        bound = user is not None and (
            "UsernameToken" in parts.covered_by(signature.covered) or self._clients.binds(user.name, certificate)
        )
        if user is not None and not bound and "required" == demands.username_token.use == demands.signature.use:
            raise FailedCheck(
                "signature.coverage",
                expected="a UsernameToken that the signature covers, or a [[client]] entry that names both",
                seen=f"{user.name} beside {signer.name}",
                setting="client",
            )
        return Peer(user if bound else None, signer, certificate)

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

    def _remember(self, check: str, keys: tuple[bytes, ...], until: datetime, now: datetime) -> None:
        for key in keys:
            if not self._replay.remember(key, until, now):
                what = "a token" if check == "replay.nonce" else "a signature"
                raise InvalidSecurityToken(check, expected=f"{what} never seen before", seen="it was", setting="replay")

    def _assemble(
        self, request: Request, envelope: Envelope, target: Target, judged: _Judged, reported: tuple[str, ...]
    ) -> VerifiedMessage:
        """The parsed tree without what was not verified, serialised by us: received octets are never handed on."""
        demands, signature, operation = target.demands, judged.signature, envelope.operation
        exempt = target.kind == "exempt"
        unsigned = None
        if not exempt and demands.signature.use == "required" and signature is not None:
            unsigned = self._unsigned(envelope, signature, demands)
        certificate = signature.signer if signature is not None else None
        return VerifiedMessage(
            incident=request.incident,
            service=target.service,
            operation=operation,
            soap_version=cast(Literal["1.1", "1.2"], envelope.version.number),
            exempt=exempt,
            principal=judged.peer.principal,
            username=judged.peer.user.name if judged.peer.user is not None else "",
            client=judged.client,
            reported=reported,
            certificate=(
                certificate.certificate.public_bytes(Encoding.DER)
                if isinstance(certificate, TrustedCertificate)
                else None
            ),
            signed_parts=judged.parts.covered_by(signature.covered) if signature is not None else frozenset(),
            timestamp=judged.timestamp,
            legacy=judged.legacy,
            octets=without(envelope, security=exempt or demands.handoff.remove_security_header, unsigned=unsigned),
        )

    def _unsigned(self, envelope: Envelope, signature: VerifiedSignature, demands: Demands) -> list[_Element]:
        """The header blocks to take out; what stays and is signed has no prefix that could have been bound anew.

        Raises:
            FailedCheck: ``signature.coverage``.
        """
        blocks = [] if envelope.header is None else [b for b in envelope.header if b.tag != SECURITY]
        expected = {*self._namespaces, *demands.handoff.namespaces, envelope.operation[1:].rpartition("}")[0]}
        for element in (envelope.body, *blocks):
            method = signature.covered.get(element)
            if method is not None:
                check_content_prefixes(element, method.prefixes if method.exclusive else None, expected)
        keep = demands.handoff.unsigned_headers == "keep"
        return [] if keep else [block for block in blocks if block not in signature.covered]


def _covering(
    signatures: Sequence[VerifiedSignature], parts: Parts, demands: Demands, spared: Spared
) -> Sequence[VerifiedSignature]:
    """The signatures that cover everything that must be signed: the signer of the first is whose message it is.

    Where some client is in report mode and none of them does, it is put off, and all count if they have one signer.

    Raises:
        InvalidSecurity: ``signature.missing``.
        FailedCheck: ``signature.coverage``.
    """
    required = demands.signature.required_parts
    covering = [one for one in signatures if not parts.not_covered_by(one.covered, required)]
    if covering or demands.signature.use != "required":
        return covering
    if not signatures:
        spared.put_off(_missing("signature", InvalidSecurity))
        return []
    fewest = min((parts.not_covered_by(one.covered, required) for one in signatures), key=len)
    spared.put_off(
        FailedCheck(
            "signature.coverage",
            expected=f"one signature over {', '.join(required)}",
            seen=f"none over {', '.join(fewest)}",
            setting="signature.required_parts",
        )
    )
    return signatures if len({_principal_of(one) for one in signatures}) == 1 else []


def _principal_of(signature: VerifiedSignature) -> tuple[Principal, str]:
    """The signer, and the SHA-256 of the certificate where there is one."""
    signer = signature.signer
    if isinstance(signer, TrustedCertificate):
        return Principal(signer.subject, "certificate"), signer.sha256
    return Principal(signer.name, "shared_key"), ""


def _signed_until(signature: VerifiedSignature, timestamp: Timestamp | None, parts: Parts, now: datetime) -> datetime:
    """Until when nothing but the replay store stands against this signature.

    A Timestamp that it covers ends it. Without one anybody can put a fresh Timestamp beside it, as long as its key is
    taken.
    """
    dated = timestamp is not None and (timestamp.created is not None or timestamp.expires is not None)
    if dated and "Timestamp" in parts.covered_by(signature.covered):
        return now
    signer = signature.signer
    if isinstance(signer, TrustedCertificate):
        return signer.certificate.not_valid_after_utc + SKEW_MARGIN
    return now + NEVER_EXPIRES


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
    expected = {"timestamp": "a Timestamp", "username_token": "a UsernameToken", "signature": "a Signature"}
    return fault(f"{family}.missing", expected=expected[family], seen="none", setting=f"{family}.use")
