"""What the configuration trusts, read from its files once, at start: every mistake with the key that names its file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, ParamSpec, Protocol, TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from wsguard.certificates.foreign import FOREIGN
from wsguard.keys import SMALLEST_RSA_BITS, load_certificates, load_crls
from wsguard.policy import Policy
from wsguard.policy.demands import TrustDemands
from wsguard.trust.key_usage import is_authority, may
from wsguard.trust.revocation import RevocationList, TrustFileError, read_list

P = ParamSpec("P")
T = TypeVar("T")
Certificates = tuple[x509.Certificate, ...]

_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


class Attempt(Protocol):
    """Runs what may fail, and keeps every problem."""

    def __call__(self, key: str, build: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What ``build`` returns; None where it raised ``ValueError``, which is kept as a problem of ``key``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What one [trust] is made of. Every field of every certificate could be read."""

    anchors: Certificates = ()
    intermediates: Certificates = ()
    known: Certificates = ()
    pinned: Certificates = ()
    lists: tuple[RevocationList, ...] = field(default=(), repr=False)


class MaterialLoader:
    """Reads the files of one policy, each of them once, whoever names it."""

    def __init__(self, attempt: Attempt) -> None:
        """
        Args:
            attempt: keeps the problems.
        """
        self._attempt: Final = attempt
        self._read: Final[dict[tuple[Callable[[Path], object], Path], object]] = {}

    def clients(self, policy: Policy) -> Mapping[str, x509.Certificate]:
        """Name of a [[client]] -> its certificate, the first one of its file; without those that cannot be read."""
        found = {}
        for index, client in enumerate(policy.client):
            if client.certificate is not None:
                certificates = self._attempt(f"client[{index}].certificate", self._certificates, client.certificate)
                if certificates:
                    found[client.name] = certificates[0]
        return found

    def material(self, trust: TrustDemands, prefix: str) -> Material:
        """What the files of ``trust`` hold, as far as they can be used.

        Args:
            trust: names the files.
            prefix: of its key paths: ``services.NAME.`` or nothing.
        """
        anchors = self._all(trust.ca_files, f"{prefix}trust.ca_files", self._authorities)
        intermediates = self._all(trust.intermediate_files, f"{prefix}trust.intermediate_files", self._certificates)
        known = self._all(trust.known_certificates, f"{prefix}trust.known_certificates", self._certificates)
        pinned = self._all(trust.pinned_certificates, f"{prefix}trust.pinned_certificates", self._certificates)
        # Without a file that names authorities, lists would be called nobody's.
        complete = None not in (*anchors, *intermediates)
        authorities = (*_flat(anchors), *_flat(intermediates))
        lists = self._all(
            trust.crl_files,
            f"{prefix}trust.crl_files",
            lambda file: self._lists(file, authorities if complete else None),
        )
        return Material(
            anchors=_flat(anchors),
            intermediates=_flat(intermediates),
            known=_flat(known),
            pinned=_flat(pinned),
            lists=_flat(lists),
        )

    def _all(self, files: Iterable[Path], key: str, load: Callable[[Path], T]) -> list[T | None]:
        return [self._attempt(f"{key}[{index}]", load, file) for index, file in enumerate(files)]

    def _certificates(self, file: Path) -> Certificates:
        certificates = self._once(load_certificates, file)
        for certificate in certificates:
            _demand_readable(certificate, file)
        return certificates

    def _authorities(self, file: Path) -> Certificates:
        certificates = self._certificates(file)
        for certificate in certificates:
            _demand_authority(certificate, file)
        return certificates

    def _lists(self, file: Path, authorities: Certificates | None) -> tuple[RevocationList, ...]:
        lists = self._once(load_crls, file)
        if authorities is None:
            return ()
        try:
            return tuple(read_list(one, authorities) for one in lists)
        except TrustFileError as error:
            raise TrustFileError(f"{file}: {error}") from error

    def _once(self, load: Callable[[Path], T], file: Path) -> T:
        """What ``load`` returns, or raises: the file is read once, and may be named by several keys."""
        if (load, file) not in self._read:
            try:
                self._read[load, file] = load(file)
            except ValueError as error:
                self._read[load, file] = error
        found = self._read[load, file]
        if isinstance(found, ValueError):
            raise found
        return cast(T, found)


def _flat(found: Iterable[tuple[T, ...] | None]) -> tuple[T, ...]:
    return tuple(one for several in found if several is not None for one in several)


def _demand_readable(certificate: x509.Certificate, file: Path) -> None:
    try:
        _ = (certificate.subject, certificate.issuer, certificate.extensions, certificate.serial_number)
        _ = (certificate.public_key(), certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except FOREIGN as error:
        raise TrustFileError(f"{file}: a certificate in it has a field that cannot be read") from error


def _demand_authority(certificate: x509.Certificate, file: Path) -> None:
    """Refuse an anchor that no chain can ever lead to (RFC 5280 §4.2.1.9; keys as ``cryptography`` verifies them)."""
    reason = _why_no_authority(certificate)
    if reason:
        raise TrustFileError(f"{file}: {certificate.subject.rfc4514_string()} is no authority for chains: {reason}")


def _why_no_authority(certificate: x509.Certificate) -> str:
    if certificate.version is not x509.Version.v3:
        return "it is of X.509 version 1, which does not say what is an authority; pin the certificates it issued"
    if not is_authority(certificate):
        return (
            "its basicConstraints do not say so; to trust this very certificate, put it into trust.pinned_certificates"
        )
    if not may(certificate, "key_cert_sign"):
        return "its key usage does not permit it to sign certificates (keyCertSign)"
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA_BITS:
        return ""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return ""
    return f"its key is neither RSA of {SMALLEST_RSA_BITS} bits or more nor EC on P-256, P-384 or P-521"
