"""Whom a proof makes up: for each target somebody in the place of each peer that may call it, and some who may not.

Each has a user, a certificate and where it is configured a shared key; which of them a message makes use of is said by
the way it is secured in. Those who stand for a ``[[client]]`` have an entry like it, with their user and certificate.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from wsguard.certificates.reference import identity_of
from wsguard.interfaces import Clock, PrivateKey, User
from wsguard.opening import Keyring
from wsguard.policy import Client, Demands, Policy
from wsguard.policy.demands import TrustDemands
from wsguard.proving.allowed import allowed
from wsguard.proving.authorities import Authority, issuer_for, named, new_key, subject_for
from wsguard.proving.bent import WEAK_BITS, Bender, Bent
from wsguard.proving.trusting import Configured, Issued, revokes
from wsguard.proving.users import Person
from wsguard.routing import Target
from wsguard.securing import SigningKey

DemandsT = TypeVar("DemandsT", bound=Demands)


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A key of ``keys.shared``."""

    name: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Somebody made up."""

    label: str
    """In whose place: the name of a ``[[client]]``; empty where there are none."""
    entry: Client | None = None
    """The entry that was made for them."""
    person: Person
    signer: SigningKey | None = field(default=None, repr=False)
    """None: nobody could have a certificate that is taken here."""
    shared: SharedSecret | None = None

    @property
    def client(self) -> str:
        """Name of their entry; empty where they have none."""
        return "" if self.entry is None else self.entry.name

    @property
    def taken_for(self) -> tuple[str, ...]:
        """Names of entries that fit their messages: who is known by a shared key alone cannot be told from its twin."""
        by_key = self.entry is not None and self.entry.shared_key != "" and not self.entry.username
        return (self.client, self.label) if by_key else (self.client,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody who sends something to one target."""

    senders: tuple[Sender, ...]
    """They may call it."""
    elsewhere: Sender | None
    """May call other services; None: there is no such ``[[client]]``."""
    stranger: Sender
    """Authenticates well, and has no entry."""
    disabled: Person
    namesake: Person
    """Has the password of the first sender."""
    confined: Person
    """May call a service that does not exist."""
    guessed: Person
    """Whose password is guessed."""
    bent: Bent = field(repr=False)
    issued: Issued | None = field(repr=False)
    missing: str = ""
    """Why there are no certificates."""

    @property
    def users(self) -> Iterable[User]:
        """Rows of a user table for everybody."""
        for sender in self.everybody:
            yield sender.person.as_user()
        yield self.disabled.as_user(enabled=False)
        yield self.confined.as_user(services=("wsguard-proof-nowhere",))
        yield self.namesake.as_user()
        yield self.guessed.as_user()

    @property
    def everybody(self) -> tuple[Sender, ...]:
        """Every sender."""
        return (*self.senders, self.stranger, *((self.elsewhere,) if self.elsewhere else ()))


class Casting:
    """Makes up everybody for one configuration."""

    def __init__(self, policy: Policy, configured: Configured, keyring: Keyring, clock: Clock) -> None:
        """
        Args:
            policy: as it was read.
            configured: what its [trust] names.
            keyring: its keys.
            clock: certificates are good from some days before it to some days after.
        """
        self._policy: Final = policy
        self._configured: Final = configured
        self._keyring: Final = keyring
        self._now: Final = clock()
        bits = max(2048, *(demands.algorithms.min_rsa_bits for demands in policy.every_demand))
        self.key: Final[PrivateKey] = new_key(bits)
        """Of everybody who is honest."""
        self.attackers_key: Final[PrivateKey] = new_key(bits)
        bystander = Authority.make(named(), self._now).certify(named(), self.attackers_key.public_key())
        self.bystander: Final = SigningKey(self.attackers_key, bystander)
        """Signs where only the form of a Signature counts; nobody trusts it."""
        self._weak: Final = new_key(WEAK_BITS)
        self._curve: Final = ec.generate_private_key(ec.SECP256R1())

    def cast(self, target: Target) -> Cast:
        """Everybody for ``target``."""
        trusts = [target.demands.trust, self._policy.trust]
        authorities = self._configured.authorities(trusts[0])
        subject = subject_for(trusts, self._configured.known(trusts[0]))
        issuer = issuer_for(trusts, authorities)
        missing = self._why_not(target.demands, subject, issuer)
        authority = None if missing or issuer is None else Authority.make(issuer, self._now)
        makers = _Makers(self._honest_key(target.demands), subject, authority)
        able = [one for one in self._policy.client if not one.services or target.service in one.services]
        unable = [one for one in self._policy.client if one not in able]
        first = Person.make()
        senders = [self._sender(entry, makers) for entry in able]
        if not self._policy.client:
            senders = [Sender(label="", person=first, signer=makers.signer(), shared=self._some_secret())]
        first_signer = senders[0].signer if senders else None
        bent = Bent()
        if authority is not None and subject is not None:
            serial = None if first_signer is None else first_signer.certificate.serial_number
            bent = self._bender(target.demands, subject, authority, serial).bend()
        cast = Cast(
            senders=tuple(senders),
            elsewhere=self._sender(_almost(unable[0], target.service), makers) if unable else None,
            stranger=Sender(label="a stranger", person=Person.make(), signer=makers.signer()),
            disabled=Person.make(),
            namesake=Person(Person.make().name, senders[0].person.password if senders else first.password),
            confined=Person.make(),
            guessed=Person.make(),
            bent=bent,
            issued=None,
            missing=missing,
        )
        return cast if authority is None else replace(cast, issued=_issued(cast, trusts[0], authority))

    def _why_not(self, demands: Demands, subject: x509.Name | None, issuer: x509.Name | None) -> str:
        if not (demands.trust.ca_files or demands.trust.pinned_certificates):
            return "nobody's certificate is trusted here"
        if subject is None:
            return "no subject that trust.subject_cert_constraints take could be made up"
        return "" if issuer else "no issuer that trust.issuer_cert_constraints take could be made up"

    def _honest_key(self, demands: Demands) -> PrivateKey:
        names = allowed("signature", demands, "", self._now.date())
        return self.key if any(name.startswith("rsa-") for name in names) else self._curve

    def _sender(self, entry: Client, makers: "_Makers") -> Sender:
        person = Person.make()
        name = f"{entry.name} (proof {secrets.token_hex(8)})"
        twin = entry.model_copy(update={"name": name, "username": person.name if entry.username else ""})
        shared = self._keyring.material.shared
        secret = SharedSecret(entry.shared_key, shared[entry.shared_key]) if entry.shared_key else None
        return Sender(label=entry.name, entry=twin, person=person, signer=makers.signer(), shared=secret)

    def _some_secret(self) -> SharedSecret | None:
        return next((SharedSecret(*item) for item in sorted(self._keyring.material.shared.items())), None)

    def _bender(self, demands: Demands, subject: x509.Name, authority: Authority, serial: int | None) -> Bender:
        key = self._honest_key(demands)
        return Bender(demands, revokes(demands.trust), subject, authority, key, self._weak, serial)


def _almost(entry: Client, service: str) -> Client:
    """``entry``, which may not call ``service``, for services of names like its name too."""
    alike = (f"{service}-proof", service[:-1]) if service else ()
    return entry.model_copy(update={"services": (*entry.services, *filter(None, alike))})


@dataclass(frozen=True, slots=True)
class _Makers:
    key: PrivateKey = field(repr=False)
    subject: x509.Name | None
    authority: Authority | None

    def signer(self) -> SigningKey | None:
        if self.subject is None or self.authority is None:
            return None
        return SigningKey(self.key, self.authority.certify(self.subject, self.key.public_key()))


def _issued(cast: Cast, trust: TrustDemands, authority: Authority) -> Issued:
    good = tuple(one.signer.certificate for one in cast.everybody if one.signer is not None)
    return Issued(trust=trust, authority=authority, good=good, bent=cast.bent)


# --- The configuration with their entries -----------------------------------------------------------------------------


def with_entries(policy: Policy, casts: Iterable[Cast]) -> Policy:
    """``policy`` with an entry for each of them that has one, and with the dated permissions of whom they stand for."""
    twins = [one for cast in casts for one in cast.everybody if one.entry is not None]
    changed = policy.model_copy(
        update={
            "client": (*policy.client, *(one.entry for one in twins)),
            "services": MappingProxyType({name: _permitted(one, twins) for name, one in policy.services.items()}),
        }
    )
    return _permitted(changed, twins)


def _permitted(demands: DemandsT, twins: Sequence[Sender]) -> DemandsT:
    legacy = tuple(
        one.model_copy(update={"clients": (*one.clients, *(t.client for t in twins if t.label in one.clients))})
        for one in demands.algorithms.legacy
    )
    return demands.model_copy(update={"algorithms": demands.algorithms.model_copy(update={"legacy": legacy})})


def certificate_names(casts: Iterable[Cast]) -> dict[str, str]:
    """Name of an entry -> identity of its certificate, of every entry that names one."""
    return {
        one.client: identity_of(one.signer.certificate)
        for cast in casts
        for one in cast.everybody
        if one.entry is not None and one.entry.certificate is not None and one.signer is not None
    }
