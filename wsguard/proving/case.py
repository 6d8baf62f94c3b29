"""One target attacked in one way: what an honest message of it is, and how an attack differs from that."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from wsguard.interfaces import Application
from wsguard.message.envelope import SOAP_1_1, SoapVersion
from wsguard.opening import Keyring
from wsguard.policy import Demands, Policy
from wsguard.proving.allowed import Kind, allowed
from wsguard.proving.cast import Cast, Casting
from wsguard.proving.letters import PROOF, Algorithms, Letter
from wsguard.proving.posting import Sent
from wsguard.proving.recipients import Recipient
from wsguard.proving.timing import ProofClock
from wsguard.proving.trusting import Configured
from wsguard.proving.users import Person
from wsguard.proving.ways import Way, WayFinder
from wsguard.routing import Target
from wsguard.securing import SigningKey

MADE_UP: Final = f"{{{PROOF}}}call"
"""An operation that nobody has."""
_NOBODY: Final = Person("", "")
_LIFETIME: Final = 300
"""Seconds from Created to Expires of an honest message, where so many are allowed: WSS4J's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that the targets of one configuration have in common."""

    policy: Policy
    """With the entries of everybody who was made up."""
    application: Application | None
    configured: Configured
    keyring: Keyring
    casting: Casting
    finder: WayFinder
    recipients: tuple[Recipient, ...]
    clock: ProofClock
    targets: tuple[Target, ...] = ()
    casts: Mapping[tuple[str, str, tuple[str, ...]], Cast] = field(default_factory=dict)
    """Of every target that demands something, by ``key_of`` it."""

    def operation_of(self, target: Target) -> str:
        """One that ``target`` claims."""
        if not target.operations:
            return MADE_UP
        operation = target.operations[0]
        if not operation.endswith("}*"):
            return operation
        every = () if self.application is None else frozenset().union(*self.application.operations.values())
        known = sorted(one for one in every if one.startswith(operation[:-1]))
        return known[0] if known else f"{operation[:-1]}wsguardProof"

    def path_of(self, target: Target) -> str:
        """A path that leads to ``target``, and to nothing else that is claimed by its path."""
        if target.paths:
            return target.paths[0]
        taken = {path.casefold().rstrip("/") for one in self.targets for path in one.paths}
        return "/" if "" not in taken else "/wsguard-proof"

    def other_path_of(self, target: Target) -> str:
        """Another one that leads to it; empty where there is none."""
        if target.paths:
            return "".join(target.paths[1:2])
        return f"{self.path_of(target).rstrip('/')}/wsguard-proof-too"

    @property
    def detail(self) -> str:
        """How much a peer is told."""
        faults, keys = self.policy.faults, self.policy.keys
        if faults.detail != "auto":
            return faults.detail
        return "unified" if keys.decrypt or keys.shared else "standard"

    @property
    def guarded(self) -> tuple[Target, ...]:
        """Targets that demand something, each with an operation of its own."""
        return tuple(
            one
            for one in self.targets
            if one.kind != "exempt" and not one.demands.unsafe_unauthenticated and (one.operations or one.paths)
        )


def key_of(target: Target) -> tuple[str, str, tuple[str, ...]]:
    """What tells targets of one configuration from each other."""
    return target.service, target.key, target.operations


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A target, and a way in which messages reach it."""

    scene: Scene
    target: Target
    cast: Cast | None = None
    """None: for a target that demands nothing."""
    way: Way | None = None
    """None: nothing is secured."""
    version: SoapVersion = SOAP_1_1
    marker: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def demands(self) -> Demands:
        """Those of the target."""
        return self.target.demands

    @property
    def now(self) -> datetime:
        """The time, asked anew."""
        return self.scene.clock()

    @property
    def people(self) -> Cast:
        """Everybody who was made up for the target."""
        if self.cast is None:
            raise ValueError("nobody was made up for a target that demands nothing")
        return self.cast

    @property
    def honest(self) -> Way:
        """The way."""
        if self.way is None:
            raise ValueError("nothing is secured in the way to this target")
        return self.way

    def allowed(self, kind: Kind) -> tuple[str, ...]:
        """Algorithms that the sender may use in this way."""
        client = self.honest.sender.client
        if self.honest.recipient is not None:
            return self.scene.finder.usable(kind, self.demands, client)
        return allowed(kind, self.demands, client, self.now.date())

    def method_for(self, signer: SigningKey) -> str:
        """The signature method for a key; empty where none of its kind is allowed."""
        kind = "rsa-" if isinstance(signer.private_key, rsa.RSAPrivateKey) else "ecdsa-"
        return next((name for name in self.allowed("signature") if name.startswith(kind)), "")

    @property
    def shape(self) -> tuple[object, ...]:
        """All that an attack may meet in this way, but for who the sender is."""
        way = self.honest
        entry = way.sender.entry
        kinds: tuple[Kind, ...] = ("signature", "digest", "canonicalization", "encryption", "key_transport")
        named = (bool(entry.username), bool(entry.certificate), entry.mode, entry.report_until) if entry else ()
        permitted = tuple(self.allowed(kind) for kind in kinds)
        recipient = way.recipient.name if way.recipient else ""
        return (way.timestamp, way.password_type, way.signed_by, recipient, named, permitted)

    def letter(self, **changes: Any) -> Letter:  # noqa: ANN401 - fields of a Letter
        """An honest message, with ``changes``."""
        way, demands = self.honest, self.demands
        signer = self._signer()
        seconds = min(_LIFETIME, demands.timestamp.max_lifetime)
        honest = Letter(
            operation=self.scene.operation_of(self.target),
            marker=self.marker,
            soap=self.version.namespace,
            blocks=self._blocks(),
            actor=self.scene.policy.actor,
            created=self.now,
            lifetime=timedelta(seconds=seconds) if way.timestamp else None,
            person=way.sender.person,
            password_type=way.password_type,
            signer=signer,
            secret=way.sender.shared if way.signed_by == "shared key" else None,
            signed_parts=self.signed_parts if signer is not None else (),
            recipient=way.recipient,
            encrypted_parts=self.encrypted_parts,
            algorithms=self._algorithms(signer),
        )
        return replace(honest, **changes)

    def sent(self, *, path: str = "", environ: Mapping[str, Any] | None = None, **changes: Any) -> Sent:  # noqa: ANN401
        """The same as a request.

        Args:
            path: empty: one that leads to the target.
            environ: what differs in the environ.
            **changes: of the letter.
        """
        letter = self.letter(**changes)
        there = path or self.scene.path_of(self.target)
        return Sent(letter.write(), there, environ or {}, letter.envelope, self.version.content_type)

    def bare(self, operation: str = "", **changes: Any) -> Sent:  # noqa: ANN401 - fields of a Sent
        """A message without anything secured; for the target, unless ``operation`` says otherwise."""
        letter = Letter(
            operation=operation or self.scene.operation_of(self.target),
            marker=self.marker,
            soap=self.version.namespace,
            blocks=self._blocks(),
            created=self.now,
            lifetime=None,
            person=_NOBODY,
        )
        octets = letter.envelope
        sent = Sent(octets, self.scene.path_of(self.target), {}, octets, self.version.content_type)
        return replace(sent, **changes)

    @property
    def signed_parts(self) -> tuple[str, ...]:
        """What an honest sender signs in this way: everything that there is, and what is demanded."""
        way = self.honest
        parts = ("Body", "Timestamp" if way.timestamp else "", "UsernameToken" if way.password_type else "")
        return tuple(dict.fromkeys(filter(None, (*parts, *self.demands.signature.required_parts))))

    @property
    def encrypted_parts(self) -> tuple[str, ...]:
        """What an honest sender encrypts."""
        encryption, way = self.demands.encryption, self.honest
        parts = encryption.required_parts if encryption.use == "required" else ("Body",)
        return tuple(part for part in parts if part != "UsernameToken" or way.password_type)

    def _signer(self) -> SigningKey | None:
        way = self.honest
        if way.signed_by == "shared key":
            return self.scene.casting.bystander
        return way.sender.signer if way.signed_by else None

    def _blocks(self) -> tuple[str, ...]:
        demands = self.demands
        named = (*demands.signature.required_parts, *demands.encryption.required_parts)
        return tuple(dict.fromkeys(part for part in named if part.startswith("{")))

    def _algorithms(self, signer: SigningKey | None) -> Algorithms:
        way, usual = self.honest, Algorithms()
        method = ""
        if way.signed_by == "shared key":
            method = next((name for name in self.allowed("signature") if name.startswith("hmac-")), "")
        elif signer is not None:
            method = self.method_for(signer)
        chosen = {
            "digest": next(iter(self.allowed("digest")), usual.digest),
            "canonicalization": next(iter(self.allowed("canonicalization")), usual.canonicalization),
        }
        if way.recipient is not None:
            kinds: tuple[Kind, ...] = ("encryption", "key_transport")
            for kind in kinds:
                names = way.recipient.usable(kind, self.allowed(kind))
                chosen[kind] = next(iter(names), getattr(usual, kind))
        return Algorithms(signature=method, **chosen)
