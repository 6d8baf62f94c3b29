"""``interfaces.Trust``: from how a message names a certificate to those that are trusted."""

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from wsguard.certificates import CertificateReference, fits
from wsguard.certificates.decoding import malformed
from wsguard.certificates.foreign import FOREIGN
from wsguard.certificates.naming import key_of, name_key
from wsguard.certificates.reference import identity_of, key_identifier_of, public_key_of, thumbprint_of
from wsguard.explanation import Explanation, plain
from wsguard.faults import SecurityFault, SecurityTokenUnavailable
from wsguard.interfaces import TrustedCertificate
from wsguard.policy import Demands, Policy
from wsguard.policy.demands import TrustDemands
from wsguard.trust.judging import Judge
from wsguard.trust.material import Attempt, Material, MaterialLoader
from wsguard.trust.verdicts import Verdict

MOST_TWINS: Final = 8
"""Certificates that are tried for one reference: the newest; a key that was certified ten times is seldom used so."""

_TELLING: Final = (
    "certificate.malformed",
    "certificate.key_size",
    "certificate.untrusted",
    "certificate.expired",
    "certificate.key_usage",
    "certificate.revoked",
    "certificate.constraint",
)
"""Refusals in the order in which certificates are judged: the further one came, the more its refusal tells."""


class Catalogue:
    """Certificates that messages may name without carrying them, found by what names them."""

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        """
        Args:
            certificates: whose every field can be read.
        """
        # The newest first: a certificate that was renewed shares its key identifier with the one before.
        newest = sorted(dict.fromkeys(certificates), key=lambda one: one.not_valid_before_utc, reverse=True)
        self._found: Final[dict[tuple[str, Hashable], list[x509.Certificate]]] = {}
        for certificate in newest:
            for name in _names(certificate):
                self._found.setdefault(name, []).append(certificate)

    def find(self, reference: CertificateReference) -> list[x509.Certificate]:
        """Those that ``reference`` fits, the newest first; none, where it names nothing."""
        for kind, value in (
            ("serial", reference.serial),
            ("thumbprint", reference.thumbprint),
            ("key_identifier", reference.key_identifier),
            ("public_key", reference.public_key),
            ("subject", reference.subject and name_key(reference.subject)),
        ):
            if value not in (None, "", b""):
                candidates = self._found.get((kind, value), ())
                return [one for one in candidates if fits(reference, one)][:MOST_TWINS]
        return []


def _names(certificate: x509.Certificate) -> tuple[tuple[str, Hashable], ...]:
    return (
        ("serial", certificate.serial_number),
        ("thumbprint", thumbprint_of(certificate)),
        ("key_identifier", key_identifier_of(certificate)),
        ("public_key", public_key_of(certificate)),
        ("subject", key_of(certificate.subject)),
    )


@dataclass(frozen=True, slots=True)
class _Realm:
    """One [trust], ready to be asked."""

    judge: Judge
    known: Catalogue
    pinned: Catalogue


class CertificateTrust:
    """Trusts what the files of one policy say. Everything was read when it was made."""

    def __init__(
        self,
        materials: Mapping[TrustDemands, Material],
        clients: Mapping[str, x509.Certificate],
        own_keys: frozenset[bytes],
    ) -> None:
        """
        Args:
            materials: for each [trust] of the policy, what its files hold.
            clients: name of a [[client]] -> its certificate; they may be named, and are trusted as others are.
            own_keys: SubjectPublicKeyInfo in DER of our own keys.
        """
        self.client_certificates: Final[Mapping[str, str]] = MappingProxyType(
            {name: identity_of(certificate) for name, certificate in clients.items()}
        )
        """Name of a [[client]] -> SHA-256 of its certificate in DER, in hexadecimal."""
        self.clients: Final[Mapping[str, x509.Certificate]] = MappingProxyType(dict(clients))
        """Name of a [[client]] -> its certificate."""
        self._realms: Final = {
            trust: _Realm(
                Judge(trust, material, own_keys),
                Catalogue((*material.known, *material.pinned, *clients.values())),
                Catalogue(material.pinned),
            )
            for trust, material in materials.items()
        }

    def choose(
        self, reference: CertificateReference, demands: Demands, now: datetime, explanation: Explanation
    ) -> tuple[TrustedCertificate, ...]:
        """The certificates that ``reference`` fits and that are trusted, as ``interfaces.Trust`` says.

        Raises:
            SecurityTokenUnavailable: ``certificate.unavailable``, none is here.
            InvalidSecurityToken: ``certificate.malformed``.
            FailedAuthentication: any other ``certificate.*``; of several, that of the one which came closest.
            KeyError: ``demands`` are of another policy.
        """
        realm = self._realms[demands.trust]
        candidates = _candidates(reference, realm)
        verdicts: list[Verdict] = []
        refusals: list[tuple[x509.Certificate, SecurityFault]] = []
        for candidate in candidates:
            try:
                verdicts.append(
                    realm.judge.judge(candidate, reference.presented[1:], demands.algorithms.min_rsa_bits, now)
                )
            except SecurityFault as fault:
                refusals.append((candidate, fault))
        if not verdicts:
            closest, refusal = max(refusals, key=lambda one: _TELLING.index(one[1].check))
            _claim(closest, explanation)
            raise refusal
        _explain(verdicts, reference, explanation)
        return tuple(verdict.trusted for verdict in verdicts)


def load_trust(policy: Policy, attempt: Attempt, own_keys: frozenset[bytes]) -> CertificateTrust:
    """Read everything that ``policy`` trusts, each file once.

    Args:
        policy: names the files.
        attempt: keeps the problems, by the key that names the file: ``trust.ca_files[0]``,
            ``services.X.trust.crl_files[1]``, ``client[0].certificate``.
        own_keys: SubjectPublicKeyInfo in DER of our own keys.

    Returns:
        what could be read; not to be used where ``attempt`` has kept a problem.
    """
    loader = MaterialLoader(attempt)
    materials = {policy.trust: loader.material(policy.trust, "")}
    for name, service in policy.services.items():
        if service.trust != policy.trust:
            materials[service.trust] = loader.material(service.trust, f"services.{name}.")
    return CertificateTrust(materials, loader.clients(policy), own_keys)


def _candidates(reference: CertificateReference, realm: _Realm) -> list[x509.Certificate]:
    if reference.presented:
        presented = reference.presented[0]
        if not fits(reference, presented):
            raise malformed("forms that name one certificate", f"{reference.form} that name different ones")
        return [presented]
    # A key without a certificate proves nothing that a chain could vouch for.
    found = (realm.pinned if reference.public_key else realm.known).find(reference)
    if not found:
        setting = "trust.pinned_certificates" if reference.public_key else "trust.known_certificates"
        raise SecurityTokenUnavailable(
            "certificate.unavailable",
            expected=f"a certificate that {setting} has",
            seen=f"a reference by {reference.form} to none of them",
            setting=setting,
        )
    return found


def _claim(certificate: x509.Certificate, explanation: Explanation) -> None:
    """Say which certificate it is about, as far as it can be read."""
    explanation.facts.certificate_sha256 = _sha256(certificate)
    with suppress(*FOREIGN):
        explanation.facts.certificate_subject = plain(certificate.subject.rfc4514_string())


def _sha256(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _explain(verdicts: list[Verdict], reference: CertificateReference, explanation: Explanation) -> None:
    trusted, setting = verdicts[0].trusted, verdicts[0].setting
    explanation.facts.certificate_subject = plain(trusted.subject)
    explanation.facts.certificate_sha256 = trusted.sha256
    twins = f", and {len(verdicts) - 1} more that it fits" if len(verdicts) > 1 else ""
    explanation.passed(
        "certificate",
        expected="a trusted certificate",
        seen=f"{trusted.subject} by {reference.form}, {trusted.how}{twins}",
        setting=setting,
    )
