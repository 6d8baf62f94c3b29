"""Opens the certificates and revocation lists of a configuration, and asks its own trust what it makes of them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsguard.faults import SecurityFault
from wsguard.keys import KeyPair, load_certificates, load_crls, load_key
from wsguard.lint.material import Material, OpenedCertificate, OpenedList, RefusedCertificate, Role
from wsguard.opening import Attempt
from wsguard.policy import Demands, Policy
from wsguard.policy.demands import TrustDemands
from wsguard.trust.judging import Judge
from wsguard.trust.material import MaterialLoader

_ROLES: Final[tuple[tuple[str, Role], ...]] = (
    ("ca_files", "anchor"),
    ("intermediate_files", "intermediate"),
    ("known_certificates", "known"),
    ("pinned_certificates", "pinned"),
)

_SAID: Final = frozenset({"certificate.expired"})
"""Checks whose refusal follows from a date, which is a finding of its own."""


def open_material(policy: Policy, now: datetime) -> Material:
    """What the files of ``policy`` hold, each file once, and what its trust refuses at ``now``.

    Args:
        policy: a guard would start with it, so what cannot be read now was readable before, and is left out.
        now: aware.
    """
    attempt = Attempt()
    own = tuple(_own(policy, attempt))
    certificates = tuple(
        OpenedCertificate(setting=setting, role=role, certificate=certificate)
        for setting, role, file in _files(policy)
        for certificate in attempt(setting, load_certificates, file) or ()
    )
    lists = tuple(
        OpenedList(setting=setting, crl=crl)
        for setting, file in _lists(policy)
        for crl in attempt(setting, load_crls, file) or ()
    )
    judges = _Judges(policy, attempt, frozenset(_public(pair) for _, _, pair in own), now)
    return Material(
        certificates=(*_of_pairs(own), *certificates),
        lists=lists,
        refused=(*judges.refused_signers(), *judges.refused_clients()),
    )


def _own(policy: Policy, attempt: Attempt) -> Iterator[tuple[str, Role, KeyPair]]:
    for index, source in enumerate(policy.keys.decrypt):
        if (pair := attempt(f"keys.decrypt[{index}]", load_key, source)) is not None:
            yield f"keys.decrypt[{index}]", "decrypt", pair
    if policy.keys.sign is not None and (pair := attempt("keys.sign", load_key, policy.keys.sign)) is not None:
        yield "keys.sign", "sign", pair


def _of_pairs(own: tuple[tuple[str, Role, KeyPair], ...]) -> Iterator[OpenedCertificate]:
    for setting, role, pair in own:
        if pair.certificate is not None:
            yield OpenedCertificate(setting=setting, role=role, certificate=pair.certificate)


def _files(policy: Policy) -> Iterator[tuple[str, Role, Path]]:
    """Every file of certificates, where it is named first."""
    seen: set[tuple[Role, Path]] = set()
    for prefix, demands in _every(policy):
        for key, role in _ROLES:
            for index, file in enumerate(getattr(demands.trust, key)):
                if (role, file) not in seen:
                    seen.add((role, file))
                    yield f"{prefix}trust.{key}[{index}]", role, file
    for index, client in enumerate(policy.client):
        if client.certificate is not None:
            yield f"client[{index}].certificate", "client", client.certificate


def _lists(policy: Policy) -> Iterator[tuple[str, Path]]:
    seen: set[Path] = set()
    for prefix, demands in _every(policy):
        for index, file in enumerate(demands.trust.crl_files):
            if file not in seen:
                seen.add(file)
                yield f"{prefix}trust.crl_files[{index}]", file


def _every(policy: Policy) -> Iterator[tuple[str, Demands]]:
    yield "", policy
    yield from ((f"services.{name}.", service) for name, service in policy.services.items())


def _public(pair: KeyPair) -> bytes:
    return pair.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class _Judges:
    """Asks each [trust] of one configuration, as it would be asked for a message that carries the certificate alone."""

    def __init__(self, policy: Policy, attempt: Attempt, own_keys: frozenset[bytes], now: datetime) -> None:
        self._policy = policy
        self._attempt = attempt
        self._own_keys = own_keys
        self._now = now
        self._loader = MaterialLoader(attempt)
        self._judges: dict[TrustDemands, Judge] = {}

    def refused_signers(self) -> Iterator[RefusedCertificate]:
        """The known and pinned certificates that the [trust] which names them refuses."""
        seen: set[tuple[TrustDemands, int]] = set()
        for prefix, demands in _every(self._policy):
            asked = (demands.trust, demands.algorithms.min_rsa_bits)
            if demands.signature.use == "forbidden" or asked in seen:
                continue
            seen.add(asked)
            for key in ("known_certificates", "pinned_certificates"):
                for index, file in enumerate(getattr(demands.trust, key)):
                    setting = f"{prefix}trust.{key}[{index}]"
                    for certificate in self._attempt(setting, load_certificates, file) or ():
                        yield from self._refused(setting, "", certificate, (demands,))

    def refused_clients(self) -> Iterator[RefusedCertificate]:
        """The certificates of clients that every service which the client may call refuses."""
        policy = self._policy
        certificates = self._loader.clients(policy)
        for index, client in enumerate(policy.client):
            named = tuple(policy.services.get(name, policy) for name in client.services)
            may_sign = tuple(one for one in named or policy.every_demand if one.signature.use != "forbidden")
            if client.name in certificates and may_sign:
                certificate = certificates[client.name]
                yield from self._refused(f"client[{index}].certificate", client.name, certificate, may_sign)

    def _refused(
        self, setting: str, name: str, certificate: x509.Certificate, asked: tuple[Demands, ...]
    ) -> Iterator[RefusedCertificate]:
        faults = [self._fault(certificate, demands) for demands in asked]
        first = faults[0]
        if first is None or None in faults or first.check in _SAID:
            return
        subject = certificate.subject.rfc4514_string()
        whose = f"{name}, {subject}," if name else subject
        yield RefusedCertificate(setting=setting, whose=whose, check=first.check, seen=first.seen)

    def _fault(self, certificate: x509.Certificate, demands: Demands) -> SecurityFault | None:
        trust = demands.trust
        if trust not in self._judges:
            self._judges[trust] = Judge(trust, self._loader.material(trust, ""), self._own_keys)
        try:
            self._judges[trust].judge(certificate, (), demands.algorithms.min_rsa_bits, self._now)
        except SecurityFault as fault:
            return fault
        return None
