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

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from wsguard.algorithms import Algorithms
from wsguard.case import Addressed, Case, Judged, Request
from wsguard.certificates import CertificateReference
from wsguard.certificates.reference import octets_of
from wsguard.clients import ClientTable, Peer
from wsguard.encryption import Decryptor
from wsguard.exchange import Exchange
from wsguard.explanation import Explanation, plain
from wsguard.faults import FailedCheck, Fault, MessageFault
from wsguard.interfaces import (
    Attempt,
    KeyMaterial,
    ReplayStore,
    TokenProcessor,
    TrustedCertificate,
)
from wsguard.judging import MessageJudge, keep_who_counts
from wsguard.message.envelope import Outline, read_envelope, read_outline
from wsguard.message.key_info import check_binary_token
from wsguard.message.parse import Tree, parse
from wsguard.message.references import check_references
from wsguard.names import BINARY_SECURITY_TOKEN
from wsguard.policy import Demands, Policy
from wsguard.pruning import without
from wsguard.requirements import (
    check_opened_for_nobody,
)
from wsguard.routing import ServiceTable
from wsguard.security_header import (
    Children,
    check_presence,
    read_security_header,
    refuse_what_stayed_closed,
)
from wsguard.signature import SignatureVerifier
from wsguard.sparing import Spared
from wsguard.token_keys import TokenKeys
from wsguard.verified import VerifiedMessage
from wsguard.walking import Walk, Walked


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
        types: frozenset[str] = frozenset(),
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
            types: ``{namespace}name`` of these, as far as they are known.
        """
        self._policy: Final = policy
        self._services: Final = services
        self._trust: Final = keys.trust
        self._decryptor: Final = Decryptor(keys.decrypt, keys.shared, policy.limits)
        self._tokens: Final[Mapping[str, TokenProcessor[Any]]] = {processor.tag: processor for processor in tokens}
        self._families: Final = {processor.tag: processor.family for processor in tokens}
        self._opens: Final = any(demands.encryption.use != "forbidden" for demands in policy.every_demand)
        self._has_keys: Final = bool(keys.decrypt or keys.shared)
        self._signatures: Final = SignatureVerifier(keys.trust, keys.shared, policy.limits)
        self._clients: Final = ClientTable(policy.client, keys.client_certificates)
        self._every_href: Final = every_href
        self._taken_by_any: Final = _taken_by_any(policy)
        claimed = {operation for target in services.targets for operation in target.operations}
        expected = namespaces | {operation[1:].rpartition("}")[0] for operation in claimed}
        self._judge: Final = MessageJudge(
            policy, self._clients, tokens=self._tokens, replay=replay, namespaces=expected, types=types
        )

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
        envelope = read_envelope(tree, outline)
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
        return Addressed(envelope, target)

    def _demand(self, tree: Tree, outline: Outline, addressed: Addressed | None, case: Case) -> Judged:
        """Steps 3 to 7, with refusals in the words that a sender may hear."""
        demands = self._policy if addressed is None else addressed.target.demands
        algorithms = Algorithms(demands.algorithms, case.now, spared=case.spared.possible)
        taken = demands if addressed is not None else self._taken_by_any
        attempt = Attempt(taken, case.request.remote_addr, case.now)
        keys = TokenKeys(self._tokens, attempt, case.explanation)
        opening = self._decryptor.message(algorithms, case.explanation, keys.of)
        try:
            # 3. Read the Security header, open and verify.
            found = read_security_header(outline, self._families)
            if addressed is not None or not self._opens:
                check_presence(outline, found, demands, self._families)
            walk = Walk(self._signatures, opening, demands, algorithms, case.now, case.explanation)
            try:
                walked = walk.through(tree, outline, self._policy.actor)
            finally:
                keys.prove(walk.signers)
            _note(walked, case.exchange)
            if addressed is None or walked.opened:
                found, addressed = self._opened(walked, demands, case)
                if addressed.target.kind == "exempt":
                    check_opened_for_nobody(walked.opened, addressed.envelope)
                    keep_who_counts(Peer(), None, case.explanation.facts)
                    return Judged(addressed=addressed)
            elif self._has_keys and demands.encryption.use != "forbidden":
                refuse_what_stayed_closed(outline, found, anywhere=True)
            for token in found.get(BINARY_SECURITY_TOKEN, ()):
                check_binary_token(token)
            case.explanation.stage("security")
            return self._judge.judge(addressed, found, walked, algorithms, case)
        except Fault as fault:
            case.exchange.sealed = opening.begun
            keys.count()
            if opening.begun and not case.judged_tokens:
                self._judge.judge_tokens_in_the_clear(outline, demands, case)
            raise _concealed(case.spared.first_or(fault), begun=opening.begun) from None

    def _opened(self, walked: Walked, before: Demands, case: Case) -> tuple[Children, Addressed]:
        """The message after everything in it was opened, and whom it is for: only now can everybody see that.

        Raises:
            Fault: as ``_resolve``; ``encryption.malformed``; ``certificate.*``, a signer whom this service does not
                trust.
        """
        outline = read_outline(walked.tree, self._policy.actor)
        found = read_security_header(outline, self._families)
        refuse_what_stayed_closed(outline, found, anywhere=True)
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


def _taken_by_any(policy: Policy) -> Demands:
    """For a token whose service is not known yet: it is read if any service may take it, with the fewest guesses."""
    every = [demands.username_token for demands in policy.every_demand]
    update = {
        "password_types": tuple(dict.fromkeys(kind for one in every for kind in one.password_types)),
        "time_to_live": max(one.time_to_live for one in every),
        "future_time_to_live": max(one.future_time_to_live for one in every),
        "max_failures": min(one.max_failures for one in every),
        "failure_window": max(one.failure_window for one in every),
    }
    return policy.model_copy(update={"username_token": policy.username_token.model_copy(update=update)})


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
