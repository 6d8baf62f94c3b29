"""The security engine: octets in, a verified message out. No HTTP, no files, no clock.

``SecurityEngine.process`` is the only place that builds a ``VerifiedMessage``, and it builds one only after:

1. Parse: bounded, hardened, one envelope of the right shape.
2. Resolve service and operation from the Body and the path; nothing may contradict them. An exempt message ends here.
   Where the Body is encrypted this comes after the next step.
3. Read the Security header, in which every element is understood or the message is refused; open what is encrypted and
   verify the signatures, in the order in which it stands there.
4. Timestamp: inside its window.
5. Tokens: read all, without a store; then authenticate.
6. Requirements: everything demanded is there; one signature covers all that must be signed, and its signer is whose
   message it is; what must be encrypted was; that peer may call this service, and use these algorithms. For a client in
   report mode what is missing is recorded instead, once that very client was authenticated.
7. Replay: last, so that nobody can burn what is not theirs.
8. Assemble the hand-off, of what was verified only.

Once anything was decrypted, whatever is wrong with what came out is answered like what could not be decrypted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.case import Addressed, Case, Judged, Request, Shown
from wsguard.certificates import CertificateReference
from wsguard.certificates.reference import octets_of
from wsguard.clients import ClientTable, Peer, reports
from wsguard.coverage import Parts
from wsguard.encryption import Decryptor
from wsguard.exchange import Exchange
from wsguard.explanation import Explanation, Facts, plain
from wsguard.faults import FailedCheck, Fault, InvalidSecurity, InvalidSecurityToken, MessageFault
from wsguard.interfaces import (
    Attempt,
    KeyMaterial,
    ReplayStore,
    TokenProcessor,
    TrustedCertificate,
    UserKey,
    all_at_once,
)
from wsguard.message.envelope import Outline, read_envelope, read_outline
from wsguard.message.key_info import check_binary_token
from wsguard.message.parse import Tree, parse
from wsguard.message.references import check_references
from wsguard.names import BINARY_SECURITY_TOKEN, TIMESTAMP, USERNAME_TOKEN
from wsguard.policy import Client, Demands, Policy
from wsguard.pruning import without
from wsguard.remembering import retention, signature_until, token_until
from wsguard.requirements import (
    check_encryption,
    check_meaning,
    check_opened_for_nobody,
    check_places,
    covering,
    covering_for_users,
    missing,
    peer_of,
    unsigned_blocks,
)
from wsguard.routing import ServiceTable
from wsguard.security_header import (
    Children,
    check_presence,
    read_security_header,
    refuse_what_stayed_closed,
)
from wsguard.signature import SignatureVerifier, VerifiedSignature
from wsguard.sparing import Spared
from wsguard.timestamp import verify_timestamp
from wsguard.token_keys import TokenKeys
from wsguard.verified import Principal, Timestamp, VerifiedMessage
from wsguard.walking import Walk, Walked

_Read = tuple[TokenProcessor[Any], Any]
"""A token that was read, behind what reads its kind."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A message that has all that is demanded, and may have been seen before."""

    judged: Judged
    parts: Parts
    counting: Sequence[VerifiedSignature]
    """Signatures that cover all that must be covered."""
    client: Client | None


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
            keys: whose signatures are believed, and what opens messages.
            tokens: one processor for each kind of token that is understood.
            replay: where what may be seen once is remembered.
            every_href: the application takes every href for a reference to an id, as spyne does.
            namespaces: those of the application's types, which prefixes in content may be bound to.
        """
        self._policy: Final = policy
        self._services: Final = services
        self._trust: Final = keys.trust
        self._decryptor: Final = Decryptor(keys.decrypt, keys.shared, policy.limits)
        self._tokens: Final[Mapping[str, TokenProcessor[Any]]] = {processor.tag: processor for processor in tokens}
        self._families: Final = {processor.tag: processor.family for processor in tokens}
        self._opens: Final = any(demands.encryption.use != "forbidden" for demands in policy.every_demand)
        self._signatures: Final = SignatureVerifier(keys.trust, keys.shared, policy.limits)
        self._remember_all: Final = all_at_once(replay)
        self._clients: Final = ClientTable(policy.client, keys.client_certificates)
        self._every_href: Final = every_href
        claimed = {operation for target in services.targets for operation in target.operations}
        self._namespaces: Final = namespaces | {operation[1:].rpartition("}")[0] for operation in claimed}
        self._retention: Final = retention(policy)

    def process(
        self, request: Request, now: datetime, explanation: Explanation, exchange: Exchange | None = None
    ) -> VerifiedMessage:
        """Hold one message against the policy.

        Args:
            request: the message.
            now: aware; the only time there is while it is processed.
            explanation: is told of every check, also of those before a refusal.
            exchange: is told what the answer depends on, also of a message that is refused.

        Returns:
            what the application may see.

        Raises:
            Fault: the message is refused; its ``check`` says by what.
        """
        spared = Spared(self._clients.anybody_reports(now))
        case = Case(request, now, explanation, spared, exchange or Exchange(self._policy))
        # 1. Parse.
        policy = self._policy
        tree = parse(request.octets, request.charset, policy.http.charsets, policy.limits)
        outline = read_outline(tree, policy.actor)
        explanation.facts.soap_version = outline.version.number
        # 2. Resolve.
        addressed = None
        if not outline.hides_its_operation:
            addressed = self._resolve(tree, outline, case)
            case.exchange.plain = addressed.target.demands
            if addressed.target.kind == "exempt":
                return self._assemble(Judged(addressed=addressed), case)
        # 3. to 7.
        judged = self._demand(tree, outline, addressed, case)
        # 8. Assemble.
        message = self._assemble(judged, case)
        explanation.stage("assemble")
        return message

    def _resolve(self, tree: Tree, outline: Outline, case: Case) -> Addressed:
        """Step 2.

        Raises:
            Fault: ``envelope.structure``, ``envelope.soap_action``, ``operation.unknown``.
        """
        explanation = case.explanation
        envelope = read_envelope(tree, self._policy.actor, outline)
        explanation.facts.operation = plain(envelope.operation)
        explanation.stage("parse")
        explanation.passed(
            "envelope",
            expected="one envelope within the limits",
            seen=f"SOAP {envelope.version.number}, {len(case.request.octets)} bytes",
            setting="limits",
        )
        target = self._services.resolve(case.request.path, envelope.operation, envelope.other_operations)
        explanation.facts.service = target.service
        case.exchange.demands, case.exchange.exempt = target.demands, target.kind == "exempt"
        actions = (*case.request.actions, *envelope.addressed_actions)
        self._services.check_actions((action.strip().strip('"') for action in actions), envelope.operation, target)
        check_references(tree, envelope.body, self._policy.limits, every_href=self._every_href)
        explanation.passed(
            "operation", expected="an operation that nothing contradicts", seen=envelope.operation, setting=target.key
        )
        if target.kind == "exempt":
            explanation.noted("exemption", seen=envelope.operation, setting=target.key)
        return Addressed(tree, envelope, target)

    def _demand(self, tree: Tree, outline: Outline, addressed: Addressed | None, case: Case) -> Judged:
        """Steps 3 to 7, with refusals in the words that a sender may hear."""
        demands = self._policy if addressed is None else addressed.target.demands
        algorithms = Algorithms(demands.algorithms, case.now, spared=case.spared.possible)
        attempt = Attempt(demands, case.request.remote_addr, case.now)
        keys = TokenKeys(self._tokens, attempt, case.explanation)
        opening = self._decryptor.message(algorithms, case.explanation, keys.of)
        try:
            # 3. Read the Security header, open and verify.
            found = read_security_header(outline, self._families)
            if addressed is not None or not self._opens:
                check_presence(outline, found, demands, self._families)
            walk = Walk(self._signatures, opening, demands, algorithms, case.now, case.explanation)
            walked = walk.through(tree, outline, self._policy.actor)
            keys.prove(walked.signatures)
            _note(walked, case.exchange)
            if addressed is None or walked.opened:
                found, addressed = self._opened(walked, demands, case)
                if addressed.target.kind == "exempt":
                    check_opened_for_nobody(walked.opened, addressed.envelope)
                    return Judged(addressed=addressed)
            for token in found.get(BINARY_SECURITY_TOKEN, ()):
                check_binary_token(token)
            case.explanation.stage("security")
            return self._judge(addressed, found, walked, algorithms, case)
        except Fault as fault:
            case.exchange.sealed = opening.begun
            keys.count()
            if opening.begun and not case.judged_tokens:
                self._judge_tokens_in_the_clear(outline, demands, case)
            raise _concealed(case.spared.first_or(fault), begun=opening.begun) from None

    def _judge_tokens_in_the_clear(self, outline: Outline, demands: Demands, case: Case) -> None:
        """Do for a message that was not decrypted what is done for one that was: a slow hash would tell them apart.

        Where the Body hides the service, the first that takes such a token stands for it. What comes of it changes
        nothing: the message is refused.
        """
        possible = self._policy.every_demand if demands is self._policy else (demands,)
        found = read_security_header(outline, self._families)
        for tag, processor in self._tokens.items():
            for element in found.get(tag, ()):
                for token, taking in islice(_readings(processor, element, possible, case.now), 1):
                    with suppress(Fault):
                        attempt = Attempt(taking, case.request.remote_addr, case.now)
                        processor.authenticate(token, attempt, Explanation())

    def _opened(self, walked: Walked, before: Demands, case: Case) -> tuple[Children, Addressed]:
        """The message after everything in it was opened, and whom it is for: only now can everybody see that.

        Raises:
            Fault: as ``_resolve``; ``encryption.malformed``; ``certificate.*``, a signer whom this service does not
                trust.
        """
        outline = read_outline(walked.tree, self._policy.actor)
        found = read_security_header(outline, self._families)
        refuse_what_stayed_closed(outline, found)
        addressed = self._resolve(walked.tree, outline, case)
        demands = addressed.target.demands
        if addressed.target.kind != "exempt":
            check_presence(outline, found, demands, self._families)
            if demands.trust != before.trust or demands.algorithms.min_rsa_bits != before.algorithms.min_rsa_bits:
                self._trust_again(walked, demands, case)
        return found, addressed

    def _trust_again(self, walked: Walked, demands: Demands, case: Case) -> None:
        for signature in walked.signatures:
            if isinstance(signature.signer, TrustedCertificate):
                signer = CertificateReference(form="a signature", presented=(signature.signer.certificate,))
                self._trust.choose(signer, demands, case.now, case.explanation)

    def _judge(
        self, addressed: Addressed, found: Children, walked: Walked, algorithms: Algorithms, case: Case
    ) -> Judged:
        """Steps 4 to 7."""
        demands = addressed.target.demands
        timestamp = self._judge_timestamp(found, demands, case)
        parts = Parts.of(addressed.envelope, found)
        by_users = covering_for_users(walked.signatures, parts, demands)
        shown = Shown(found=found, walked=walked, parts=parts, by_users=by_users)
        tokens, users = self._judge_tokens(shown, demands, case)
        standing = self._judge_requirements(addressed, shown, algorithms, users, case)
        self._judge_replay(standing, tokens, timestamp, demands, case)
        return replace(standing.judged, timestamp=timestamp)

    def _judge_timestamp(self, found: Children, demands: Demands, case: Case) -> Timestamp | None:
        """Step 4."""
        timestamp = None
        if TIMESTAMP in found:
            with case.spared.outside_the_window():
                timestamp = verify_timestamp(found[TIMESTAMP][0], demands.timestamp, case.now, case.explanation)
        elif demands.timestamp.use == "required":
            case.spared.put_off(missing("timestamp", InvalidSecurity))
        case.explanation.stage("check")
        return timestamp

    def _judge_tokens(self, shown: Shown, demands: Demands, case: Case) -> tuple[list[_Read], list[Principal]]:
        """Step 5: every token, and then whose each is."""
        found, now, explanation = shown.found, case.now, case.explanation
        read = [
            (processor, processor.read(element, demands, now, explanation))
            for tag, processor in self._tokens.items()
            for element in found.get(tag, ())
        ]
        for tag, processor in self._tokens.items():
            if tag not in found and getattr(demands, processor.family).use == "required":
                case.spared.put_off(missing(processor.family, InvalidSecurityToken))
        signed_by = frozenset(one.signer.user for one in shown.by_users if isinstance(one.signer, UserKey))
        attempt = Attempt(demands, case.request.remote_addr, now, signed_by)
        case.judged_tokens = True
        users = [processor.authenticate(token, attempt, explanation) for processor, token in read]
        explanation.stage("authenticate")
        return read, users

    def _judge_requirements(
        self,
        addressed: Addressed,
        shown: Shown,
        algorithms: Algorithms,
        users: list[Principal],
        case: Case,
    ) -> _Standing:
        """Step 6."""
        explanation, spared = case.explanation, case.spared
        envelope, target = addressed.envelope, addressed.target
        demands, parts, walked = target.demands, shown.parts, shown.walked
        counting = [*covering(walked.signatures, parts, demands, spared), *shown.by_users]
        check_places(counting, envelope)
        signature = counting[0] if counting else None
        if signature is not None and isinstance(signature.signer, TrustedCertificate):
            case.exchange.recipient = signature.signer.certificate
        encrypted = check_encryption(walked.opened, parts, envelope.root, signature, demands, spared)
        unsigned = None
        if signature is not None:
            check_meaning(envelope, signature, demands, self._namespaces)
            if demands.signature.use == "required" or isinstance(signature.signer, UserKey):
                unsigned = unsigned_blocks(envelope, signature, demands)
        user = users[0] if users else None
        peer = peer_of(user, signature, parts, demands, self._clients)
        if unsigned is not None and peer.user is None:
            unsigned += shown.found.get(USERNAME_TOKEN, ())
        if peer.principal is None:
            check_opened_for_nobody(walked.opened, envelope)
        client = self._clients.authorize(peer, user, target.service)
        explanation.facts.client = client.name if client else ""
        legacy = algorithms.judge(demands.algorithms, explanation.facts.client, explanation, spared.put_off)
        spared.decide(reports(client, case.now), explanation)
        _keep_who_counts(peer, signature, explanation.facts)
        judged = Judged(
            addressed=addressed,
            peer=peer,
            client=explanation.facts.client,
            signature=signature,
            signed_parts=parts.covered_by(signature.covered) if signature is not None else frozenset(),
            encrypted_parts=encrypted,
            unsigned=unsigned,
            legacy=legacy,
        )
        return _Standing(judged, parts, counting, client)

    def _judge_replay(
        self,
        standing: _Standing,
        tokens: list[_Read],
        timestamp: Timestamp | None,
        demands: Demands,
        case: Case,
    ) -> None:
        """Step 7."""
        now, client, counting = case.now, standing.client, standing.counting
        kept = now + self._retention
        for processor, token in tokens:
            keys = processor.replay_keys(token)
            self._remember("replay.nonce", keys, max(kept, token_until(client, demands, now)), now)
        for one in counting:
            covered = standing.parts.covered_by(one.covered)
            dated = timestamp is not None and timestamp.ends and "Timestamp" in covered
            until = max(kept, signature_until(one, dated, client, now))
            self._remember("replay.signature", (one.replay_key,), until, now)
        if tokens or counting:
            seen = "it was not" if len(tokens) + len(counting) == 1 else "none of them was"
            case.explanation.passed("replay", expected="nothing that was seen before", seen=seen, setting="replay")
        case.explanation.stage("replay")

    def _remember(self, check: str, keys: tuple[bytes, ...], until: datetime, now: datetime) -> None:
        if keys and not self._remember_all(keys, until, now):
            what = "a token" if check == "replay.nonce" else "a signature"
            raise InvalidSecurityToken(check, expected=f"{what} never seen before", seen="it was", setting="replay")

    def _assemble(self, judged: Judged, case: Case) -> VerifiedMessage:
        """The parsed tree without what was not verified, serialised by us: received octets are never handed on."""
        envelope, target, peer = judged.addressed.envelope, judged.addressed.target, judged.peer
        exempt, operation = target.kind == "exempt", envelope.operation
        signer = judged.signature.signer if judged.signature is not None else None
        certificate = signer.certificate if isinstance(signer, TrustedCertificate) else None
        octets = without(
            envelope, security=exempt or target.demands.handoff.remove_security_header, unsigned=judged.unsigned
        )
        return VerifiedMessage(
            incident=case.request.incident,
            service=target.service,
            operation=operation,
            soap_version=envelope.version.number,
            exempt=exempt,
            principal=peer.principal,
            username=peer.user.name if peer.user is not None else "",
            client=judged.client,
            reported=case.spared.checks,
            certificate=None if certificate is None else octets_of(certificate),
            signed_parts=judged.signed_parts,
            encrypted_parts=judged.encrypted_parts,
            timestamp=judged.timestamp,
            legacy=judged.legacy,
            octets=octets,
            tree=envelope.root,
        )


def _readings(
    processor: TokenProcessor[Any], element: _Element, possible: Sequence[Demands], now: datetime
) -> Iterator[tuple[Any, Demands]]:
    """The token as it is read under each of these demands that take it."""
    for demands in possible:
        with suppress(Fault):
            yield processor.read(element, demands, now, Explanation()), demands


def _keep_who_counts(peer: Peer, signature: VerifiedSignature | None, facts: Facts) -> None:
    """What a message said of itself and what nobody vouches for is no fact of one that is accepted."""
    facts.username = plain(peer.user.name) if peer.user is not None else ""
    facts.certificate_subject = facts.certificate_sha256 = ""
    if signature is not None and isinstance(signature.signer, TrustedCertificate):
        facts.certificate_subject = plain(signature.signer.subject)
        facts.certificate_sha256 = signature.signer.sha256


def _note(walked: Walked, exchange: Exchange) -> None:
    exchange.signature_values = tuple(signature.value for signature in walked.signatures)
    for part in walked.opened:
        exchange.encryption = part.algorithm
        transport = part.secret.method.partition(",")[0]  # ", derived" is how it went on from there
        exchange.key_transport = transport if transport.startswith("rsa-") else ""


def _concealed(fault: Fault, *, begun: bool) -> Fault:
    """The same refusal, in the audit; for the peer it is no longer told apart from one of decryption (FACTS S12)."""
    if not begun or not isinstance(fault, MessageFault):
        return fault
    return FailedCheck(fault.check, expected=fault.expected, seen=fault.seen, setting=fault.setting)
