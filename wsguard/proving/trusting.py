"""Trust in what the proof makes up, beside the real one: the same policy and the same code, with other anchors."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509

from wsguard.certificates import CertificateReference
from wsguard.explanation import Explanation
from wsguard.interfaces import Trust, TrustedCertificate
from wsguard.opening import Attempt
from wsguard.policy import Demands, Policy
from wsguard.policy.demands import TrustDemands
from wsguard.proving.authorities import Authority
from wsguard.proving.bent import Bent
from wsguard.trust import CertificateTrust
from wsguard.trust.material import Material, MaterialLoader
from wsguard.trust.revocation import read_list


class TrustBeside:
    """Judges what the proof's own authorities issued by the proof's own anchors, and asks the real one of all else."""

    def __init__(self, real: Trust, own: Trust, issued: Collection[x509.Certificate]) -> None:
        """
        Args:
            real: of the configuration.
            own: takes the throw-away anchors in the place of the configured ones.
            issued: what those issued.
        """
        self._real: Final = real
        self._own: Final = own
        self._issued: Final = frozenset(issued)

    def choose(
        self, reference: CertificateReference, demands: Demands, now: datetime, explanation: Explanation
    ) -> tuple[TrustedCertificate, ...]:
        """As ``interfaces.Trust`` says."""
        ours = bool(reference.presented) and reference.presented[0] in self._issued
        return (self._own if ours else self._real).choose(reference, demands, now, explanation)


@dataclass(frozen=True, slots=True)
class Configured:
    """What each [trust] of a policy names, read once more: the names in it are those that attackers borrow."""

    materials: Mapping[TrustDemands, Material] = field(repr=False)
    clients: Mapping[str, x509.Certificate] = field(repr=False)

    @classmethod
    def read(cls, policy: Policy) -> "Configured":
        """Everything could be read before."""
        loader = MaterialLoader(Attempt())
        trusts = dict.fromkeys(demands.trust for demands in policy.every_demand)
        return cls({trust: loader.material(trust, "") for trust in trusts}, loader.clients(policy))

    def known(self, trust: TrustDemands) -> tuple[x509.Certificate, ...]:
        """Certificates that messages may name, those of clients first."""
        material = self.materials[trust]
        return tuple(dict.fromkeys((*self.clients.values(), *material.known, *material.pinned)))

    def authorities(self, trust: TrustDemands) -> tuple[x509.Certificate, ...]:
        """Whose certificates are taken; without any, who issued the pinned ones is nobody's business."""
        material = self.materials[trust]
        return (*material.anchors, *material.intermediates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What one throw-away authority issued in the name of the anchors of one [trust]."""

    trust: TrustDemands
    authority: Authority
    good: tuple[x509.Certificate, ...]
    bent: Bent


def own_trust(issued: Iterable[Issued], trusts: Iterable[TrustDemands]) -> CertificateTrust:
    """Trust under the same demands: an authority stands for the files whose names it took."""
    everything = tuple(issued)
    return CertificateTrust({trust: _material(trust, everything) for trust in trusts}, {}, frozenset())


def _material(trust: TrustDemands, everything: tuple[Issued, ...]) -> Material:
    anchored = [one for one in everything if set(one.trust.ca_files) & set(trust.ca_files)]
    pinned = [one for one in everything if set(one.trust.pinned_certificates) & set(trust.pinned_certificates)]
    anchors = tuple(one.authority.certificate for one in anchored)
    lists, authorities = [], list(anchors)
    for one in anchored if revokes(trust) else ():
        lists += [one.authority.revoke(one.bent.revoked), *one.bent.lists]
        authorities += one.bent.subordinates
    exactly = [one for one in pinned if not one.trust.ca_files]
    return Material(
        anchors=anchors,
        pinned=tuple(certificate for one in exactly for certificate in (*one.good, *one.bent.certificates)),
        lists=tuple(read_list(one, authorities) for one in lists),
    )


def revokes(trust: TrustDemands) -> bool:
    """Whether revocation lists are asked."""
    return bool(trust.crl_files) or trust.crl_coverage == "chain"
