"""Verification of one ds:Signature, in an order that costs a stranger more than us.

1. Shape: by allow-list; algorithms that nobody may use are refused before anything is computed.
2. Key: the certificate that is meant, found trusted; or a key that both sides know. Nobody without one gets further.
3. SignatureValue: over the canonical SignedInfo, which is small and bounded.
4. References: each element is digested where it stands, by ourselves, so that it is known which ones are covered.

What comes out names the very elements that were digested: coverage is judged by identity, never by Id or name.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.certificates.reference import fits, octets_of
from wsguard.explanation import Digested, Explanation, plain
from wsguard.faults import FailedCheck, SecurityTokenUnavailable
from wsguard.interfaces import Trust, TrustedCertificate, UserKey
from wsguard.message.key_info import KeyInfo, KeyInfoReader
from wsguard.message.lexical import local_name, name_of
from wsguard.names import BINARY_SECURITY_TOKEN, SECURITY_TOKEN_REFERENCE
from wsguard.policy import Demands
from wsguard.policy.surroundings import Limits
from wsguard.signature.canonical import canonical_octets, certificate_octets, token_octets
from wsguard.signature.reading import DIGEST_SIZES, Canonicalization, Reference, Signature, malformed, read_signature
from wsguard.signature.value import is_symmetric, verify_shared, verify_value


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A symmetric key that both sides know."""

    name: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AnybodysKey:
    """A symmetric key that the sender made up and encrypted for us, as anybody could: it says nobody's name."""

    octets: bytes = field(repr=False)


Symmetric = SharedKey | UserKey | AnybodysKey
"""A key that its owner and we know."""

Signer = TrustedCertificate | Symmetric
"""Whose key a signature fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """What verification needs to know of the message that a signature is in."""

    security: _Element
    """Our Security header."""
    ids: Mapping[str, _Element]
    """Every Id of the message, and the one element that has it."""
    demands: Demands
    algorithms: Algorithms
    now: datetime
    explanation: Explanation
    symmetric: Callable[[KeyInfo], Symmetric]
    """Finds the symmetric key that a KeyInfo leads to in the message: an EncryptedKey, a UsernameToken, or one derived
    from these."""


@dataclass(frozen=True, slots=True)
class OpenedLater:
    """Something that was ciphertext when a signature over it was verified."""

    element: _Element
    """It, or what holds it."""
    content: bool
    """The content of the element was ciphertext, and not the element."""
    authentic: bool
    """Under any other key nothing would have come out: the algorithm authenticates its data, or they are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSignature:
    """A signature that was verified. Which of what it covers counts is not its business."""

    signer: Signer
    covered: Mapping[_Element, Canonicalization] = field(repr=False)
    """The elements that were digested, and how they became octets."""
    references: int
    """How many references it has."""
    opened_later: tuple["OpenedLater", ...] = field(default=(), repr=False)
    """What was ciphertext when the signature was verified. Set by who opened it."""
    value: bytes = field(repr=False)
    """The SignatureValue: what a SignatureConfirmation repeats."""
    replay_key: bytes = field(repr=False)
    """The same for the same SignedInfo under the same key, and for nothing else: 32 bytes."""


class SignatureVerifier:
    """Verifies signatures against one configuration. Immutable; the same object serves all threads."""

    def __init__(self, trust: Trust, shared_keys: Mapping[str, bytes], limits: Limits) -> None:
        """
        Args:
            trust: decides whose certificates are believed.
            shared_keys: ds:KeyName -> the key.
            limits: ``references`` and ``prefix_list`` of these.
        """
        self._trust: Final = trust
        self._shared: Final = shared_keys
        self._limits: Final = limits

    def verify(self, element: _Element, context: MessageContext, references_before: int) -> VerifiedSignature:
        """Verify one ds:Signature.

        Args:
            element: it.
            context: the message it is in.
            references_before: how many references the signatures before it had.

        Raises:
            SecurityFault: ``signature.malformed``, ``.algorithm``, ``.reference``, ``.value``, ``.digest``;
                ``certificate.*``; ``security.unknown_token``; ``username_token.authentication``, it does not fit the
                key of a user.
            MessageFault: ``limits.references``, ``limits.prefix_list``.
        """
        # 1. Shape.
        left = self._limits.references - references_before
        signature = read_signature(element, context.algorithms, self._limits, left)
        # 2. Key.
        reader = KeyInfoReader(context.security, context.ids, malformed)
        signers = self._signers(reader.read(signature.key_info), signature.method, context)
        # 3. SignatureValue.
        octets = canonical_octets(signature.signed_info, signature.canonicalization)
        signer = _fitting(signers, signature, octets)
        # 4. References.
        digester = _Digester(signature, signer, reader, context)
        covered: dict[_Element, Canonicalization] = {}
        for reference in signature.references:
            covered |= digester.digest(reference)
        context.explanation.passed(
            "signature",
            expected="a trusted signature over what arrived",
            seen=f"{signature.method} by {_name(signer)} over {', '.join(local_name(name_of(e)) for e in covered)}",
            setting="signature",
        )
        return VerifiedSignature(
            signer=signer,
            covered=covered,
            references=len(signature.references),
            value=signature.value,
            replay_key=hashlib.sha256(_identity(signer) + octets).digest(),
        )

    def _signers(self, key_info: KeyInfo, method: str, context: MessageContext) -> tuple[Signer, ...]:
        if is_symmetric(method):
            return (self._symmetric(key_info, context),)
        if key_info.certificate is None:
            raise _unavailable("a reference to a certificate", key_info.key_name or "another key", "")
        return self._trust.choose(key_info.certificate, context.demands, context.now, context.explanation)

    def _symmetric(self, key_info: KeyInfo, context: MessageContext) -> Symmetric:
        if key_info.certificate is None and (key_info.token is not None or key_info.encrypted_key):
            return context.symmetric(key_info)
        key = self._shared.get(key_info.key_name)
        if key is None or key_info.certificate is not None:
            seen = key_info.key_name or "no KeyName"
            raise _unavailable("the KeyName of a key in keys.shared", seen, "keys.shared")
        return SharedKey(key_info.key_name, key)


def _unavailable(expected: str, seen: str, setting: str) -> SecurityTokenUnavailable:
    return SecurityTokenUnavailable("certificate.unavailable", expected=expected, seen=seen, setting=setting)


def _fitting(signers: tuple[Signer, ...], signature: Signature, octets: bytes) -> Signer:
    """The first signer under whose key the value fits: twins share what a message names of a certificate."""
    refusal = FailedCheck("signature.value", expected="a signer", seen="none")
    for signer in signers:
        try:
            if isinstance(signer, Symmetric):
                verify_shared(signature.method, signer.octets, octets, signature.value)
            else:
                verify_value(signature.method, signer.public_key, octets, signature.value)
        except FailedCheck as fault:
            refusal = _wrong_password(signer) if isinstance(signer, UserKey) else fault
        else:
            return signer
    raise refusal


def _wrong_password(key: UserKey) -> FailedCheck:
    """For the peer it is a signature that does not fit, like every other (FACTS S12)."""
    return FailedCheck(
        "username_token.authentication",
        expected="a signature under a key of the right password of a known, enabled user",
        seen=key.otherwise,
        setting="users",
    )


def _name(signer: Signer) -> str:
    if isinstance(signer, TrustedCertificate):
        return signer.subject
    if isinstance(signer, UserKey):
        return f"the password of {plain(signer.user)}"
    return f"shared key {signer.name}" if isinstance(signer, SharedKey) else "a key that anybody could make"


def _identity(signer: Signer) -> bytes:
    """The signer's key in a form that no other key has, and that ends where it ends."""
    if isinstance(signer, SharedKey):
        # Not the octets: HMAC takes those of a key with zeros behind it for the same (RFC 2104 §2).
        return b"shared\0" + hashlib.sha256(signer.name.encode()).digest()
    if isinstance(signer, AnybodysKey):
        return b"anybody"
    if isinstance(signer, UserKey):
        # Not the name: another user may have the same password. And without the zeros, see above.
        return b"user\0" + hashlib.sha256(signer.octets.rstrip(b"\0")).digest()
    return signer.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


_DIGESTS: Final = {name: getattr(hashlib, name) for name in DIGEST_SIZES}


@dataclass(frozen=True, slots=True)
class _Digester:
    """Holds the references of one signature against the elements they name."""

    signature: Signature
    signer: Signer
    reader: KeyInfoReader
    context: MessageContext
    digested: list[_Element] = field(default_factory=list)

    def digest(self, reference: Reference) -> dict[_Element, Canonicalization]:
        """The elements that ``reference`` covers: one, or none where a certificate outside of the message was signed.

        Raises:
            FailedCheck: ``signature.reference``, ``signature.digest``.
        """
        element = self.context.ids.get(reference.target)
        if element is None:
            raise _bad_reference("the Id of an element in this message", f"#{reference.target}")
        if isinstance(self.signer, AnybodysKey):
            self._demand_apart(element)
        if any(ancestor is element for ancestor in self.signature.element.iterancestors()):
            # A signature that is not in its own canonical form would have to be cut out of the tree and back.
            raise _bad_reference("an element that does not hold its own signature", f"#{reference.target}")
        covered, octets = self._octets(element, reference)
        self._compare(element, octets, reference)
        self.digested.append(element)
        return covered

    def _demand_apart(self, element: _Element) -> None:
        """Whom nobody knows has nothing digested twice, which thirty references inside of each other would."""
        for other in self.digested:
            if element is other or other in element.iterancestors() or element in other.iterancestors():
                raise _bad_reference("elements that do not hold each other", f"{name_of(element)} and {name_of(other)}")

    def _octets(self, element: _Element, reference: Reference) -> tuple[dict[_Element, Canonicalization], bytes]:
        method = reference.canonicalization
        if not reference.dereferences:
            return {element: method}, canonical_octets(element, method)
        if element.tag != SECURITY_TOKEN_REFERENCE:
            raise _bad_reference("STR-Transform on a SecurityTokenReference", name_of(element))
        named = self.reader.read_reference(element)
        if named.token is not None:
            # Only what stands in our header under its own name is covered: an embedded token has no place there.
            in_place = named.token.getparent() is self.context.security and named.token.tag == BINARY_SECURITY_TOKEN
            return ({named.token: method} if in_place else {}), token_octets(named.token, method)
        signer = self.signer
        if isinstance(signer, TrustedCertificate) and _is_of(named, signer):
            return {}, certificate_octets(octets_of(signer.certificate), element.prefix)
        raise _bad_reference("a SecurityTokenReference to the signer's certificate", f"#{reference.target}")

    def _compare(self, element: _Element, octets: bytes, reference: Reference) -> None:
        computed = _DIGESTS[reference.digest_method](octets).digest()
        if self.context.explanation.digested is not None:
            self.context.explanation.digested.append(
                Digested(
                    f"#{reference.target}",
                    name_of(element),
                    reference.transforms,
                    reference.digest_method,
                    reference.digest_value,
                    computed,
                    octets,
                )
            )
        if not hmac.compare_digest(computed, reference.digest_value):
            raise FailedCheck(
                "signature.digest",
                expected=f"the {reference.digest_method} of {local_name(name_of(element))} as it was signed",
                seen=f"another digest of #{reference.target}",
            )


def _is_of(named: KeyInfo, signer: TrustedCertificate) -> bool:
    return named.certificate is not None and fits(named.certificate, signer.certificate)


def _bad_reference(expected: str, seen: str) -> FailedCheck:
    return FailedCheck("signature.reference", expected=expected, seen=seen)
