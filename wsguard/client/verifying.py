"""From the octets of an answer to a verified one: the steps of the engine, in its order, with a server in the place of
a client.

1. Parse within limits: one envelope. A Body may hold a Fault, several elements, or nothing.
2. Read the Security header; open what is encrypted and verify the signatures, in the order in which it stands there.
3. Timestamp: inside its window.
4. One signature under one trusted key covers all that must be signed. It is not by the key that signed the request (our
   own message come back), and by the one certificate that may sign, where there is one.
5. SignatureConfirmation: signed, and of the signatures of this very request.
6. What must be encrypted was.
7. Hand on: the tree that was verified, without everything that was not.

Answers are not remembered. What keeps an old answer from being taken for a new one is SignatureConfirmation, for
requests that were signed, and TLS.
"""

from dataclasses import dataclass, field
from datetime import datetime

from wsguard.algorithms import Algorithms
from wsguard.certificates.reference import public_key_of
from wsguard.client.answers import Answers
from wsguard.client.confirming import check_confirmations
from wsguard.client.refusals import AnswerRefused, FaultClaim, UnverifiedFault, fault_of
from wsguard.client.sending import Sent
from wsguard.coverage import Parts
from wsguard.encryption import Decryptor
from wsguard.explanation import Explanation
from wsguard.faults import Fault, InvalidSecurity, MessageFault
from wsguard.interfaces import TrustedCertificate
from wsguard.message.envelope import Envelope, Outline, read_outline
from wsguard.message.key_info import check_binary_token
from wsguard.message.lexical import has_text, name_of
from wsguard.message.parse import Tree, parse
from wsguard.message.references import check_references
from wsguard.names import BINARY_SECURITY_TOKEN, SIGNATURE_CONFIRMATION, TIMESTAMP
from wsguard.policy import Demands
from wsguard.policy.demands import EncryptionDemands
from wsguard.pruning import without
from wsguard.requirements import (
    check_encryption,
    check_meaning,
    check_places,
    covering,
    keep_inherited,
    missing,
    unsigned_blocks,
)
from wsguard.security_header import Children, check_presence, read_security_header, refuse_what_stayed_closed
from wsguard.signature import SignatureVerifier, VerifiedSignature
from wsguard.sparing import Spared
from wsguard.timestamp import verify_timestamp
from wsguard.verified import Timestamp
from wsguard.walking import Walk, Walked

_ACTOR = ""
_CHARSETS = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")
_TOKENS = {SIGNATURE_CONFIRMATION: "signature"}
"""What the guard does not take from clients, and the section of ``Demands`` that governs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAnswer:
    """An answer that has everything that was demanded. Built by ``verify_answer`` and nowhere else."""

    octets: bytes = field(repr=False)
    """The envelope without what was not verified, decrypted, in UTF-8 without XML declaration."""
    fault: FaultClaim | None
    """What the fault says that the answer is; of a signed answer it is the server's word. None: it is no fault."""
    signer: TrustedCertificate | None
    """Who signed what had to be signed; None only where nothing had to be."""
    confirmed: bool
    """It confirms the signatures of the request."""
    signed_parts: frozenset[str]
    encrypted_parts: frozenset[str]
    timestamp: Timestamp | None
    explanation: Explanation = field(repr=False)
    """Check by check, for people."""


@dataclass(frozen=True, slots=True)
class _Shape(Envelope):
    """An envelope whose Body may hold whatever an answer may."""

    @property
    def operation(self) -> str:
        return name_of(self.body[0]) if len(self.body) else ""


def verify_answer(
    octets: bytes, expected: Answers, sent: Sent, now: datetime, *, charset: str | None = None
) -> VerifiedAnswer:
    """Hold one answer against what is demanded of answers.

    Args:
        octets: the answer as it came.
        expected: what is demanded.
        sent: the request that it answers.
        now: aware; the only time there is while it is judged.
        charset: of Content-Type, if any.

    Returns:
        what the caller may see.

    Raises:
        UnverifiedFault: it is a SOAP fault that nobody vouches for.
        AnswerRefused: it is anything else that was not demanded.
        ValueError: ``now`` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    claim: FaultClaim | None = None
    try:
        tree = parse(octets, charset, _CHARSETS, expected.limits)
        outline = read_outline(tree, _ACTOR)
        claim = fault_of(outline)
        return _Case(expected, sent, now).verify(tree, outline)
    except Fault as fault:
        refused = AnswerRefused.because_of(fault)
    except AnswerRefused as own:
        refused = own
    raise refused if claim is None else UnverifiedFault(refused, claim)


class _Case:
    """One answer while it is judged."""

    def __init__(self, expected: Answers, sent: Sent, now: datetime) -> None:
        self._expected = expected
        self._sent = sent
        self._now = now
        self._explanation = Explanation()
        self._spared = Spared(False)
        self._algorithms = Algorithms(expected.algorithms, now, spared=False)

    def verify(self, tree: Tree, outline: Outline) -> VerifiedAnswer:
        """Steps 2 to 7."""
        demands = self._expected.demands
        read_security_header(outline, _TOKENS)
        walked = self._walk(tree, outline, demands)
        outline = read_outline(walked.tree, _ACTOR)
        found = read_security_header(outline, _TOKENS)
        refuse_what_stayed_closed(outline, found, anywhere=bool(self._expected.decrypt))
        check_presence(outline, found, demands, _TOKENS)
        for token in found.get(BINARY_SECURITY_TOKEN, ()):
            check_binary_token(token)
        envelope = _read_shape(walked.tree, outline, self._expected)
        return self._judge(envelope, found, walked)

    def _walk(self, tree: Tree, outline: Outline, demands: Demands) -> Walked:
        expected, explanation = self._expected, self._explanation
        verifier = SignatureVerifier(expected.authority, {}, expected.limits)
        opening = Decryptor(expected.decrypt, {}, expected.limits).message(self._algorithms, explanation)
        walk = Walk(verifier, opening, demands, self._algorithms, self._now, explanation)
        return walk.through(tree, outline, _ACTOR)

    def _judge(self, envelope: Envelope, found: Children, walked: Walked) -> VerifiedAnswer:
        """Steps 3 to 7."""
        fault = fault_of(envelope)
        demands = self._expected.demands if fault is None else _of_faults(self._expected.demands)
        timestamp = self._timestamp(found, demands)
        parts = Parts.of(envelope, found)
        signature = self._signature(walked, parts, found, demands)
        confirmed = check_confirmations(
            found.get(SIGNATURE_CONFIRMATION, ()), self._sent, demanded=self._expected.signature_confirmation
        )
        encrypted = check_encryption(walked.opened, parts, envelope.root, signature, demands, self._spared)
        self._algorithms.judge(demands.algorithms, "", self._explanation, self._spared.put_off)
        unsigned = None
        if signature is not None:
            check_places((signature,), envelope)
            check_meaning(envelope, signature, demands, frozenset())
            if demands.signature.use == "required":
                unsigned = unsigned_blocks(envelope, signature, demands)
                keep_inherited(envelope, signature)
        return VerifiedAnswer(
            octets=without(envelope, security=True, unsigned=unsigned),
            fault=fault,
            signer=_signer(signature),
            confirmed=confirmed and signature is not None,
            signed_parts=frozenset() if signature is None else parts.covered_by(signature.covered),
            encrypted_parts=encrypted,
            timestamp=timestamp,
            explanation=self._explanation,
        )

    def _timestamp(self, found: Children, demands: Demands) -> Timestamp | None:
        if TIMESTAMP in found:
            return verify_timestamp(found[TIMESTAMP][0], demands.timestamp, self._now, self._explanation)
        if demands.timestamp.use == "required":
            raise missing("timestamp", InvalidSecurity)
        return None

    def _signature(self, walked: Walked, parts: Parts, found: Children, demands: Demands) -> VerifiedSignature | None:
        """The one that covers everything, by whom it may be; None only where none is demanded.

        Raises:
            Fault, AnswerRefused: there is none.
        """
        for signature in walked.signatures:
            self._check_signer(signature)
        counting = covering(walked.signatures, parts, demands, self._spared)
        confirmations = found.get(SIGNATURE_CONFIRMATION, ())
        # WSS 1.1 §8.5: a confirmation that nobody signed confirms nothing.
        confirming = [one for one in counting if all(element in one.covered for element in confirmations)]
        if counting and not confirming:
            raise AnswerRefused("signature.coverage", expected="a signed SignatureConfirmation", seen="an unsigned one")
        return confirming[0] if confirming else None

    def _check_signer(self, signature: VerifiedSignature) -> None:
        """Every signature is by whom it may be, also one that adds nothing.

        Raises:
            AnswerRefused: it is not.
        """
        signer, only = _signer(signature), self._expected.server_certificate
        if signer is None:
            return
        if public_key_of(signer.certificate) == self._sent.signer:
            seen = "our own key: our own message came back"
            raise AnswerRefused("certificate.untrusted", expected="the server's certificate", seen=seen)
        if only is not None and signer.certificate != only:
            expected = f"the server's certificate, {only.subject.rfc4514_string()}"
            raise AnswerRefused("certificate.untrusted", expected=expected, seen=f"that of {signer.subject}")


def _signer(signature: VerifiedSignature | None) -> TrustedCertificate | None:
    signer = None if signature is None else signature.signer
    return signer if isinstance(signer, TrustedCertificate) else None


def _of_faults(demands: Demands) -> Demands:
    """A server that could not tell whose the request was has nobody to encrypt for."""
    return demands.model_copy(update={"encryption": EncryptionDemands()})


def _read_shape(tree: Tree, outline: Outline, expected: Answers) -> Envelope:
    """The envelope with its Body judged.

    Raises:
        MessageFault: ``envelope.structure``.
    """
    body, soap = outline.body, outline.version.namespace
    names = [name_of(child) for child in body]
    if has_text(body):
        raise MessageFault("envelope.structure", expected="no text in the Body", seen="text")
    if f"{{{soap}}}Fault" in names and len(names) > 1:
        raise MessageFault("envelope.structure", expected="a Fault alone in the Body", seen=", ".join(names[:4]))
    check_references(tree, body, expected.limits, every_href=False)
    return _Shape(outline.version, outline.root, outline.header, body, outline.security, outline.foreign_security)
