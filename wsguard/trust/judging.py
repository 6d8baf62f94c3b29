"""Whether one certificate is trusted to sign, under one [trust]."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from wsguard.certificates.decoding import malformed
from wsguard.certificates.foreign import FOREIGN
from wsguard.certificates.reference import identity_of, octets_of, public_key_of
from wsguard.faults import FailedAuthentication
from wsguard.interfaces import PublicKey, TrustedCertificate
from wsguard.policy.demands import TrustDemands
from wsguard.trust.constraints import check_name_constraints
from wsguard.trust.key_usage import is_authority, may
from wsguard.trust.material import Material
from wsguard.trust.paths import PathFinder, expired, is_valid
from wsguard.trust.revocation import RevocationList, Revocations
from wsguard.trust.verdicts import Verdict, Verdicts

_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


class Judge:
    """Judges certificates under one [trust]. The same object serves all threads."""

    def __init__(self, trust: TrustDemands, material: Material, own_keys: frozenset[bytes]) -> None:
        """
        Args:
            trust: what is demanded.
            material: what its files hold.
            own_keys: SubjectPublicKeyInfo in DER of our keys: whoever presents one of them reflects our own message.
        """
        self._pinned: Final = frozenset(material.pinned)
        self._paths: Final = PathFinder(material.anchors, material.intermediates)
        self._revocations: Final = Revocations(material.lists, trust.crl_coverage)
        self._subjects: Final = tuple(map(re.compile, trust.subject_cert_constraints))
        self._issuers: Final = tuple(map(re.compile, trust.issuer_cert_constraints))
        self._own_keys: Final = own_keys
        self._verdicts: Final = Verdicts()

    def judge(
        self, certificate: x509.Certificate, presented: Sequence[x509.Certificate], min_rsa_bits: int, now: datetime
    ) -> Verdict:
        """Trust ``certificate``, or say why not.

        Args:
            certificate: whose key is to be trusted.
            presented: certificates of the message that may lie above it.
            min_rsa_bits: smallest RSA modulus.
            now: aware.

        Raises:
            InvalidSecurityToken: ``certificate.malformed``.
            FailedAuthentication: ``certificate.key_size``, ``untrusted``, ``expired``, ``key_usage``, ``revoked``,
                ``constraint``; the first of them in this order.
        """
        try:
            key = _strong_key(certificate, min_rsa_bits)
            octets = hashlib.sha256(octets_of(certificate)).digest()
            verdict = self._verdicts.get(octets, now)
            if verdict is None:
                verdict = self._verdict(certificate, key, presented, now)
                self._verdicts.put(octets, verdict)
        except FOREIGN:
            raise malformed("a certificate whose every field can be read", "one with a field that cannot") from None
        return verdict

    def _verdict(
        self, certificate: x509.Certificate, key: PublicKey, presented: Sequence[x509.Certificate], now: datetime
    ) -> Verdict:
        if public_key_of(certificate) in self._own_keys:
            raise FailedAuthentication(
                "certificate.untrusted", expected="a peer's certificate", seen="our own key reflected", setting="keys"
            )
        if certificate in self._pinned:
            return self._pinned_verdict(certificate, key, now)
        chain = self._paths.validate(certificate, presented, now)
        check_name_constraints(chain)
        if is_authority(certificate):
            raise _usage("an end entity's certificate, or a pinned one", "a certificate of an authority")
        _demand_signing(certificate)
        lists = self._revocations.check_chain(chain, now)
        self._check_constraints(certificate)
        how = f"chain to {chain[-1].subject.rfc4514_string()}"
        return _verdict_of(certificate, key, how, "trust.ca_files", chain, lists)

    def _pinned_verdict(self, certificate: x509.Certificate, key: PublicKey, now: datetime) -> Verdict:
        if not is_valid(certificate, now):
            raise expired(certificate, now)
        _demand_signing(certificate)
        lists = self._revocations.check_listed(certificate, now)
        return _verdict_of(certificate, key, "pinned", "trust.pinned_certificates", (certificate,), lists)

    def _check_constraints(self, certificate: x509.Certificate) -> None:
        for patterns, name, whose in (
            (self._subjects, certificate.subject, "subject"),
            (self._issuers, certificate.issuer, "issuer"),
        ):
            text = unambiguous(name.rfc4514_string())
            if patterns and not any(pattern.fullmatch(text) for pattern in patterns):
                raise FailedAuthentication(
                    "certificate.constraint",
                    expected=f"{whose} like {' or '.join(pattern.pattern for pattern in patterns)}",
                    seen=text,
                    setting=f"trust.{whose}_cert_constraints",
                )


_ESCAPED: Final = re.compile(r"\\(.)")


def unambiguous(text: str) -> str:
    """The same name with commas and plus signs that are part of a value as hexadecimal digits (RFC 4514 §2.4).

    So a pattern ``CN=.*,O=Ours`` does not fit somebody whose CN is ``Mallory,O=Ours``.
    """
    return _ESCAPED.sub(lambda found: {",": r"\2C", "+": r"\2B"}.get(found[1], found[0]), text)


def _strong_key(certificate: x509.Certificate, min_rsa_bits: int) -> PublicKey:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < min_rsa_bits:
            raise _size(f"an RSA key of at least {min_rsa_bits} bits", f"{key.key_size} bits")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, _CURVES):
            raise _size("an EC key on P-256, P-384 or P-521", f"one on {key.curve.name}", setting="")
        return key
    raise malformed("an RSA or EC key", f"a key of kind {type(key).__name__.removesuffix('PublicKey')}")


def _demand_signing(certificate: x509.Certificate) -> None:
    if not may(certificate, "digital_signature", "content_commitment"):
        raise _usage("a key usage of digitalSignature or nonRepudiation", "a key usage without either")


def _usage(expected: str, seen: str) -> FailedAuthentication:
    return FailedAuthentication("certificate.key_usage", expected=expected, seen=seen)


def _size(expected: str, seen: str, setting: str = "algorithms.min_rsa_bits") -> FailedAuthentication:
    return FailedAuthentication("certificate.key_size", expected=expected, seen=seen, setting=setting)


def _verdict_of(
    certificate: x509.Certificate,
    key: PublicKey,
    how: str,
    setting: str,
    chain: Sequence[x509.Certificate],
    lists: Sequence[RevocationList],
) -> Verdict:
    since = [one.not_valid_before_utc for one in chain] + [one.since for one in lists]
    # A list that was used is current, so it says until when.
    until = [one.not_valid_after_utc for one in chain] + [one.until for one in lists if one.until is not None]
    trusted = TrustedCertificate(
        certificate=certificate,
        public_key=key,
        subject=certificate.subject.rfc4514_string(),
        sha256=hashlib.sha256(octets_of(certificate)).hexdigest(),
        identity=identity_of(certificate),
        how=how,
    )
    return Verdict(trusted, setting, max(since), min(until))
