"""What an answer must have, and whose it may be.

Nothing here trusts by default: an answer is signed, over its Body at least, by somebody who is named here, or somebody
wrote ``unsafe_unsigned``. What an answer carries beyond that is verified as well, or the answer is refused.
"""

from dataclasses import dataclass, field, replace

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsguard.interfaces import DecryptionKey, Trust
from wsguard.policy import Demands
from wsguard.policy.demands import (
    AlgorithmDemands,
    EncryptionDemands,
    HandoffDemands,
    SignatureDemands,
    TimestampDemands,
    TrustDemands,
    UsernameTokenDemands,
)
from wsguard.policy.surroundings import Limits
from wsguard.trust.choosing import CertificateTrust
from wsguard.trust.material import Material


def usual_limits() -> Limits:
    """Those of requests, and room for larger answers."""
    return Limits(body_bytes=16_777_216)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is demanded of every answer. Immutable; the same object serves all threads.

    Who may sign: whoever ``trusted`` trusts, narrowed by ``server_certificate`` and by the constraints of ``trust``.
    An authority that certifies clients too makes each of them a server, unless it is narrowed.
    """

    trusted: Material = field(default_factory=Material)
    """Authorities, intermediates, known and pinned certificates, revocation lists."""
    server_certificate: x509.Certificate | None = None
    """The one certificate that may sign. Without authorities it needs no chain; with them it does."""
    trust: TrustDemands = field(default_factory=TrustDemands)
    """Constraints on subject and issuer, ``crl_coverage``. Its files are read by nobody here: see ``from_files``."""
    timestamp: TimestampDemands = field(default_factory=TimestampDemands)
    """Whether there is a Timestamp, and its window."""
    signed_parts: tuple[str, ...] = ("Body", "Timestamp")
    """What one signature covers: Body, and Timestamp, BinarySecurityToken, ``{namespace}Header``."""
    encrypted_parts: tuple[str, ...] = ()
    """What must be encrypted: Body, Signature, ``{namespace}Header``. Not asked of faults: a server that could not tell
    whose a request is has nobody to encrypt for."""
    signature_confirmation: bool = True
    """The answer confirms, signed, the signatures of the very request (WSS 1.1 §8.5): without it, an old answer that is
    still inside the window of its Timestamp can be sent for another request."""
    unsafe_unsigned: bool = False
    """No signature is demanded: whoever can write to the connection can write the answer. TLS may keep them off."""
    decrypt: tuple[DecryptionKey, ...] = field(default=(), repr=False)
    """Keys that answers are encrypted for."""
    algorithms: AlgorithmDemands = field(default_factory=AlgorithmDemands)
    """What is taken; permissions in ``legacy`` that name clients are for nobody."""
    namespaces: tuple[str, ...] = ()
    """Those that prefixes in content (xsi:type) may be bound to, beside the answer's own and XML Schema's."""
    limits: Limits = field(default_factory=usual_limits)
    """Bounds on one answer; ``body_bytes`` is that of its octets."""

    demands: Demands = field(init=False, repr=False)
    """The same in the words of a policy."""
    authority: Trust = field(init=False, repr=False)
    """The same of ``trusted``, ready to be asked."""

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: nobody could be trusted, nothing could be opened, or a demand proves nothing.
        """
        self._check()
        object.__setattr__(self, "demands", self._demands())
        material, own = self._material(), frozenset(map(_public_key, self.decrypt))
        object.__setattr__(self, "authority", CertificateTrust({self.trust: material}, {}, own))

    def _check(self) -> None:
        if not self.unsafe_unsigned:
            self._check_signature()
        elif self.signature_confirmation:
            raise ValueError("signature_confirmation proves nothing in an answer that is not signed")
        if self.encrypted_parts and not self.decrypt:
            raise ValueError("encrypted_parts are demanded, but there is no key in decrypt to open them with")

    def _check_signature(self) -> None:
        trusted = self.trusted
        if not (trusted.anchors or trusted.pinned or self.server_certificate):
            raise ValueError(
                "nobody's signature would be believed: give authorities, or the server's certificate; "
                "unsafe_unsigned takes answers that nobody signed"
            )
        if "Body" not in self.signed_parts:
            raise ValueError("signed_parts has no Body, so that anybody could write it")
        if self.timestamp.use == "required" and "Timestamp" not in self.signed_parts:
            raise ValueError("a Timestamp is demanded, but signed_parts has none, so that anybody could write it")

    def _demands(self) -> Demands:
        signature = "optional" if self.unsafe_unsigned else "required"
        encryption = "required" if self.encrypted_parts else "optional"
        return Demands(
            unsafe_unauthenticated=self.unsafe_unsigned,
            timestamp=self.timestamp,
            username_token=UsernameTokenDemands(use="forbidden"),
            signature=SignatureDemands(use=signature, required_parts=self.signed_parts),
            encryption=EncryptionDemands(use=encryption, required_parts=self.encrypted_parts or ("Body",)),
            algorithms=self.algorithms,
            trust=self.trust,
            handoff=HandoffDemands(namespaces=self.namespaces),
        )

    def _material(self) -> Material:
        only, trusted = self.server_certificate, self.trusted
        if only is None:
            return trusted
        pinned = trusted.pinned if trusted.anchors else (*trusted.pinned, only)
        return replace(trusted, known=(*trusted.known, only), pinned=pinned)


def _public_key(key: DecryptionKey) -> bytes:
    return key.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
