"""Certificate revocation lists (RFC 5280 §5, §6.3): complete ones, of authorities that the configuration names.

A list speaks for its issuer's name. Where authorities share a name, or one has changed its key, a list that the very
issuer's key signed goes before those that another key of that name signed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal

from cryptography import x509

from wsguard.certificates.foreign import FOREIGN
from wsguard.certificates.reference import public_key_of
from wsguard.faults import FailedAuthentication
from wsguard.trust.key_usage import may

Coverage = Literal["listed", "chain"]

_UNDERSTOOD: Final = (x509.CRLReason, x509.InvalidityDate)
"""Extensions of an entry that do not change what it says."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A complete list whose signature was verified."""

    issuer: x509.Name
    signer: bytes = field(repr=False)
    """SubjectPublicKeyInfo of the key that signed it."""
    serials: frozenset[int] = field(repr=False)
    since: datetime
    until: datetime | None
    """nextUpdate; None where the list does not say, so that it is never current."""


def read_list(crl: x509.CertificateRevocationList, authorities: Iterable[x509.Certificate]) -> RevocationList:
    """What a list says, once it is proven to be one that is taken here.

    Args:
        crl: as read from a file.
        authorities: whose lists are taken.

    Raises:
        ValueError: a text for the operator: it is of no authority here, not signed by it, by a key that may not sign
            lists, not complete, or it cannot be read.
    """
    try:
        _demand_complete(crl)
        signer = _signer(crl, [one for one in authorities if one.subject == crl.issuer])
        serials = frozenset(entry.serial_number for entry in crl if _understood(entry))
        return RevocationList(crl.issuer, public_key_of(signer), serials, crl.last_update_utc, crl.next_update_utc)
    except TrustFileError:
        raise
    except FOREIGN as error:
        raise TrustFileError("a revocation list that cannot be read") from error


class TrustFileError(ValueError):
    """A revocation list or an authority of the configuration cannot be used; the text is for the operator."""


def _demand_complete(crl: x509.CertificateRevocationList) -> None:
    for extension in crl.extensions:
        partial = isinstance(extension.value, x509.DeltaCRLIndicator | x509.IssuingDistributionPoint)
        if extension.critical or partial:
            raise TrustFileError(
                f"the revocation list of {crl.issuer.rfc4514_string()} is a delta, a partitioned or an indirect one, "
                f"or has a critical extension ({extension.oid.dotted_string}): complete lists are taken only"
            )


def _understood(entry: x509.RevokedCertificate) -> bool:
    for extension in entry.extensions:
        if extension.critical and not isinstance(extension.value, _UNDERSTOOD):
            raise TrustFileError(
                f"an entry of the revocation list has a critical extension ({extension.oid.dotted_string}) that is not "
                "understood: complete lists of one issuer are taken only"
            )
    return True


def _signer(crl: x509.CertificateRevocationList, namesakes: Sequence[x509.Certificate]) -> x509.Certificate:
    issuer = crl.issuer.rfc4514_string()
    if not namesakes:
        raise TrustFileError(
            f"the issuer of the revocation list, {issuer}, is no certificate of trust.ca_files or "
            "trust.intermediate_files"
        )
    signers = [authority for authority in namesakes if _signed_by(crl, authority)]
    if not signers:
        raise TrustFileError(f"the revocation list of {issuer} is not signed with the key of that authority")
    able = [authority for authority in signers if may(authority, "crl_sign")]
    if not able:
        raise TrustFileError(f"the key usage of {issuer} does not permit it to sign revocation lists (cRLSign)")
    return able[0]


def _signed_by(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # others are a TypeError
    except FOREIGN:
        return False


# --- At run time ------------------------------------------------------------------------------------------------------


class Revocations:
    """The lists of one configuration: the newest of each issuer's key."""

    def __init__(self, lists: Iterable[RevocationList], coverage: Coverage) -> None:
        """
        Args:
            lists: read with ``read_list``.
            coverage: whether an issuer without a list refuses (``chain``) or is not asked (``listed``).
        """
        self._coverage: Final = coverage
        self._lists: Final[dict[x509.Name, dict[bytes, RevocationList]]] = {}
        for one in sorted(lists, key=lambda one: one.since):
            self._lists.setdefault(one.issuer, {})[one.signer] = one

    def check_chain(self, chain: Sequence[x509.Certificate], now: datetime) -> list[RevocationList]:
        """Demand that no certificate below the anchor is revoked.

        Args:
            chain: the certificate, those above it, and the anchor.
            now: aware.

        Returns:
            the lists that were used.

        Raises:
            FailedAuthentication: ``certificate.revoked``, also where a list is not current, or missing and demanded.
        """
        used = []
        for certificate, issuer in pairwise(chain):
            by_key = self._lists.get(certificate.issuer, {})
            exact = by_key.get(public_key_of(issuer))
            if exact is None and self._coverage == "chain":
                raise _revoked(
                    "a revocation list of every issuer in the chain",
                    f"none of {certificate.issuer.rfc4514_string()} for this key",
                    "trust.crl_coverage",
                )
            used += self._check(certificate, list(by_key.values()) if exact is None else [exact], now)
        return used

    def check_listed(self, certificate: x509.Certificate, now: datetime) -> list[RevocationList]:
        """Demand that a certificate without a chain is in no list of its issuer's name.

        Raises:
            FailedAuthentication: ``certificate.revoked``, also where a list is not current.
        """
        return self._check(certificate, list(self._lists.get(certificate.issuer, {}).values()), now)

    def _check(self, certificate: x509.Certificate, lists: list[RevocationList], now: datetime) -> list[RevocationList]:
        for one in lists:
            _demand_current(one, now)
            if certificate.serial_number in one.serials:
                subject = certificate.subject.rfc4514_string()
                raise _revoked("a certificate that is not revoked", f"{subject} is in the list of its issuer")
        return lists


def _demand_current(one: RevocationList, now: datetime) -> None:
    name = one.issuer.rfc4514_string()
    if one.until is None or one.until <= now:
        raise _revoked(f"a revocation list of {name} that is current", f"its next update was due {one.until}")
    if one.since > now:
        raise _revoked(f"a revocation list of {name} that is current", f"one that is made {one.since}")


def _revoked(expected: str, seen: str, setting: str = "trust.crl_files") -> FailedAuthentication:
    return FailedAuthentication("certificate.revoked", expected=expected, seen=seen, setting=setting)
