"""A [trust] made of files, and what it says of a certificate."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pki import NOW, Issued
from wsguard.certificates import CertificateReference
from wsguard.explanation import Explanation
from wsguard.faults import SecurityFault
from wsguard.interfaces import TrustedCertificate
from wsguard.opening import Attempt
from wsguard.policy import Policy
from wsguard.trust import CertificateTrust, load_trust

Anything = Issued | x509.Certificate | x509.CertificateRevocationList


def as_pem(one: Anything) -> bytes:
    """As it stands in a file."""
    return one.pem if isinstance(one, Issued) else one.public_bytes(Encoding.PEM)


def certificate_of(one: Issued | x509.Certificate) -> x509.Certificate:
    """The certificate itself."""
    return one.certificate if isinstance(one, Issued) else one


class Trusting:
    """One policy and its trust."""

    def __init__(
        self,
        directory: Path,
        *,
        own_keys: frozenset[bytes] = frozenset(),
        min_rsa_bits: int = 2048,
        services: dict[str, Any] | None = None,
        client: Iterable[dict[str, Any]] = (),
        **trust: Any,
    ) -> None:
        """
        Args:
            directory: where files are put.
            own_keys: SubjectPublicKeyInfo of our keys.
            min_rsa_bits: of [algorithms].
            services: raw [services].
            client: raw [[client]] entries.
            trust: raw [trust], but that the values of keys of files are certificates or lists, one file for each.
        """
        self._directory = directory
        raw = {
            key: self._files(value) if key.endswith(("_files", "_certificates")) else value
            for key, value in trust.items()
        }
        self.policy = Policy.model_validate(
            {
                "algorithms": {"min_rsa_bits": min_rsa_bits},
                "trust": raw,
                "services": services or {},
                "client": tuple(client),
            }
        )
        self.attempt = Attempt()
        self.trust: CertificateTrust = load_trust(self.policy, self.attempt, own_keys)
        self.explanation = Explanation()

    def _files(self, contents: Iterable[Anything | Path]) -> tuple[Path, ...]:
        return tuple(one if isinstance(one, Path) else self.file(one) for one in contents)

    def file(self, *contents: Anything) -> Path:
        """A new file of these."""
        file = self._directory / f"{len(list(self._directory.iterdir()))}.pem"
        file.write_bytes(b"".join(map(as_pem, contents)))
        return file

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Key path and reason of each mistake at start."""
        return [(problem.key, problem.reason) for problem in self.attempt.problems]

    def chosen(self, reference: CertificateReference, now: datetime = NOW) -> tuple[TrustedCertificate, ...]:
        """What is chosen; the configuration must be right."""
        assert self.problems == []
        self.explanation = Explanation()
        return self.trust.choose(reference, self.policy, now, self.explanation)

    def trusted(
        self, one: Issued | x509.Certificate, *above: Issued | x509.Certificate, now: datetime = NOW
    ) -> TrustedCertificate:
        """The only one that is trusted when a message presents it."""
        (trusted,) = self.chosen(presented(one, *above), now)
        return trusted

    def refusal(
        self,
        one: Issued | x509.Certificate | CertificateReference,
        *above: Issued | x509.Certificate,
        now: datetime = NOW,
    ) -> SecurityFault:
        """The fault for it."""
        reference = one if isinstance(one, CertificateReference) else presented(one, *above)
        with pytest.raises(SecurityFault) as caught:
            self.chosen(reference, now)
        return caught.value

    def check(
        self,
        one: Issued | x509.Certificate | CertificateReference,
        *above: Issued | x509.Certificate,
        now: datetime = NOW,
    ) -> str:
        """The name of the check that refuses it."""
        return self.refusal(one, *above, now=now).check


def presented(one: Issued | x509.Certificate, *above: Issued | x509.Certificate) -> CertificateReference:
    """A reference to a certificate that the message carries."""
    return CertificateReference(form="DirectReference", presented=tuple(map(certificate_of, (one, *above))))


def referred(**fields: Any) -> CertificateReference:
    """A reference to one that it does not carry."""
    return CertificateReference(form="IssuerSerial", **fields)
