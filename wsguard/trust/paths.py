"""Certification paths (RFC 5280 §6.1): from an anchor down to the certificate, found by us, judged by the library.

The search goes from what is trusted towards what is not: a certificate's key is computed with only after an authority
above it was found to have signed it. So a stranger's keys cost nothing, however large they are and however their
certificates sign each other. Each path that is found goes to ``cryptography.x509.verification`` by itself, without
anything else to choose from.
"""

import math
from collections import deque
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from wsguard.certificates.foreign import FOREIGN
from wsguard.certificates.reference import public_key_of
from wsguard.faults import FailedAuthentication

MOST_INTERMEDIATES: Final = 5
"""Between the certificate and its anchor: bridges between administrations have four."""
MOST_SIGNATURES: Final = 48
"""Verified in one search; eight certificates that all issued each other have 56, honest chains one or two each."""
MOST_PATHS: Final = 16
"""Judged for one certificate: one for each renewal of an authority, two or three where some are cross-certified."""

Path = tuple[x509.Certificate, ...]
"""The certificate, those above it, and the anchor."""


class PathFinder:
    """The authorities of one configuration, and the paths that lead to them."""

    def __init__(self, anchors: Iterable[x509.Certificate], intermediates: Iterable[x509.Certificate]) -> None:
        """
        Args:
            anchors: authorities that are trusted; they may share names and keys.
            intermediates: those that messages may leave out; trusted only by a path of their own.
        """
        # Dictionaries keep the order of the configuration.
        self._anchors: Final = dict.fromkeys(anchors)
        self._intermediates: Final = _distinct(intermediates, self._anchors)
        search = _Search({}, math.inf)
        search.grow(self._intermediates, self._intermediates, self._anchors)
        self._issuers: Final = search.issuers
        self._authorities: Final = dict.fromkeys((*self._anchors, *search.issuers))

    def validate(self, certificate: x509.Certificate, presented: Sequence[x509.Certificate], now: datetime) -> Path:
        """The first path to an anchor that is valid at ``now``; shorter ones are tried first.

        Args:
            certificate: whose path is asked for; any kind of end entity.
            presented: certificates of the message that may lie above it.
            now: aware.

        Raises:
            FailedAuthentication: ``certificate.expired``, a path would be valid but for the time;
                ``certificate.untrusted``, there is none.
        """
        paths = tuple(islice(self._paths(certificate, presented), MOST_PATHS))
        reason = _unsigned(certificate)
        for path in paths:
            try:
                return _verified(path, now)
            except _UNVERIFIED as error:
                reason = str(error)
        for path in paths:
            _refuse_expired(path, now)
        raise FailedAuthentication(
            "certificate.untrusted",
            expected="a chain to a certificate of trust.ca_files",
            seen=reason,
            setting="trust.ca_files",
        )

    def _paths(self, certificate: x509.Certificate, presented: Iterable[x509.Certificate]) -> Iterator[Path]:
        """Paths whose every signature is right, the shortest first; nothing else of them is known to be right."""
        issuers = self._search(_distinct((certificate, *presented), self._authorities))
        waiting: deque[Path] = deque([(certificate,)])
        while waiting:
            path = waiting.popleft()
            for issuer in issuers.get(path[-1], ()):
                if issuer in self._anchors:
                    yield (*path, issuer)
                elif len(path) <= MOST_INTERMEDIATES and not _comes_again(issuer, path):
                    waiting.append((*path, issuer))

    def _search(self, new: tuple[x509.Certificate, ...]) -> "_Issuers":
        search = _Search(self._issuers, MOST_SIGNATURES)
        search.grow(new, (*new, *self._intermediates), self._authorities)
        return search.issuers


def _distinct(
    certificates: Iterable[x509.Certificate], known: Container[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Those that are not known, each once; in their order, so that a search always ends alike."""
    return tuple(one for one in dict.fromkeys(certificates) if one not in known)


_Issuers = dict[x509.Certificate, list[x509.Certificate]]


class _Search:
    """Finds out who has issued whom. Authorities are taken in turns: those that are known, then those they issued."""

    def __init__(self, issuers: _Issuers, most_signatures: float) -> None:
        self.issuers: Final = {issued: list(found) for issued, found in issuers.items()}
        """Who is proven to be issued, if only indirectly, by an anchor -> by whom directly."""
        self._left = most_signatures

    def grow(
        self,
        first: Iterable[x509.Certificate],
        then: Iterable[x509.Certificate],
        authorities: Iterable[x509.Certificate],
    ) -> None:
        """
        Args:
            first: held against ``authorities``.
            then: held against those that were found.
            authorities: who may have issued them.
        """
        pool = first
        while authorities:
            named: dict[x509.Name, list[x509.Certificate]] = {}
            for authority in authorities:
                named.setdefault(authority.subject, []).append(authority)
            found = [one for one in pool if self._found(one, named.get(one.issuer, ()))]
            authorities, pool = found, then

    def _found(self, certificate: x509.Certificate, named: Iterable[x509.Certificate]) -> bool:
        """Whether one of ``named`` is the first that is known to have issued ``certificate``."""
        issued = [one for one in named if one != certificate and self._issued(certificate, one)]
        known = certificate in self.issuers
        if issued:
            self.issuers.setdefault(certificate, []).extend(issued)
        return bool(issued) and not known

    def _issued(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        try:
            certificate.verify_directly_issued_by(issuer)
        except FOREIGN:
            return False
        return True


def _comes_again(issuer: x509.Certificate, path: Path) -> bool:
    """RFC 4158 §2.4.2: a path that passes the same name and key twice is a loop."""
    key = public_key_of(issuer)
    return any(one.subject == issuer.subject and public_key_of(one) == key for one in path)


def _unsigned(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except FOREIGN:
        algorithm = None
    hashed = "" if algorithm is None else f", signed with {algorithm.name}"
    return (
        f"no authority of ours signed it: {certificate.subject.rfc4514_string()}, issued by "
        f"{certificate.issuer.rfc4514_string()}{hashed}"
    )


# --- Judged by the library --------------------------------------------------------------------------------------------

_UNVERIFIED: Final = (VerificationError, *FOREIGN)


def _demand_signer(_: Policy, __: x509.Certificate, extension: x509.KeyUsage | None) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("an authority whose key usage lacks keyCertSign")


# RFC 5280 and not the web's rules, which demand keyUsage, a critical basicConstraints and no issuer in the
# authorityKeyIdentifier: private authorities, as ``openssl req -x509`` makes them, have it otherwise. Extended key
# usage knows no purpose like ours and is not looked at. The library demands cA, and refuses critical
# extensions that it does not know.
_AUTHORITIES: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _demand_signer)
)


def _verified(path: Path, at: datetime) -> Path:
    certificate, *intermediates, anchor = path
    verifier = (
        PolicyBuilder()
        .store(Store([anchor]))
        .time(at)
        .max_chain_depth(len(intermediates))
        .extension_policies(ca_policy=_AUTHORITIES, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    return tuple(verifier.verify(certificate, intermediates).chain)


def _refuse_expired(path: Path, now: datetime) -> None:
    """Say so where the time is all that is wrong.

    Certificates of a path that were never valid together are called expired too: nobody can say what else is wrong.
    """
    since, until = max(one.not_valid_before_utc for one in path), min(one.not_valid_after_utc for one in path)
    if since <= now <= until:
        return
    if since <= until:
        try:
            _verified(path, since)
        except _UNVERIFIED:
            return
    raise expired(next(one for one in path if not is_valid(one, now)), now)


def is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether ``now`` is inside the validity of ``certificate``, both ends included (RFC 5280 §4.1.2.5)."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def expired(certificate: x509.Certificate, now: datetime) -> FailedAuthentication:
    """The fault for a certificate that is not valid now."""
    return FailedAuthentication(
        "certificate.expired",
        expected=f"a certificate valid at {now}",
        seen=f"{certificate.not_valid_before_utc} to {certificate.not_valid_after_utc} for "
        f"{certificate.subject.rfc4514_string()}",
    )
