"""Certificates with something wrong in each, by which a judge refuses it: its own fault, or one of who is above it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from wsguard.interfaces import PrivateKey
from wsguard.policy import Demands
from wsguard.proving.authorities import Authority, named, stranger_to
from wsguard.securing import SigningKey

WEAK_BITS: Final = 1152
"""Short, and long enough to sign with PSS and SHA-512."""
_REVOKED: Final = "under a revoked authority"
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bent:
    """What one authority should not have issued, and its lists say of that."""

    signers: Mapping[str, SigningKey] = field(default_factory=dict, repr=False)
    """What is wrong -> a certificate with nothing else wrong, and those above it."""
    revoked: tuple[int, ...] = ()
    """Serial numbers that the authority revoked."""
    lists: tuple[x509.CertificateRevocationList, ...] = field(default=(), repr=False)
    """Of the authorities below it."""
    subordinates: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    """Those authorities."""

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """Those of the signers."""
        return tuple(one.certificate for one in self.signers.values())


@dataclass(frozen=True, slots=True)
class Bender:
    """Makes them for one target."""

    demands: Demands
    revokes: bool
    """Whether revocation lists are asked."""
    subject: x509.Name
    authority: Authority
    key: PrivateKey = field(repr=False)
    weak: rsa.RSAPrivateKey = field(repr=False)
    serial: int | None
    """Of an honest certificate with this subject: one is not taken for the other."""

    def bend(self) -> Bent:
        """Everything that is judged under these demands."""
        signers = dict(self._themselves())
        if not self.demands.trust.ca_files:
            return Bent(signers)
        signers |= dict(self._names())
        signers |= {how: self._below(one) for how, one in self._above()}
        if not self.revokes:
            return Bent(signers)
        above = dict(self._above_with_lists())
        signers["revoked"] = SigningKey(self.key, self._certificate())
        signers |= {how: self._below(one) for how, (one, _) in above.items()}
        revoked = (signers["revoked"].certificate, above[_REVOKED][0].certificate)
        return Bent(
            signers,
            revoked=tuple(one.serial_number for one in revoked),
            lists=tuple(one for _, lists in above.values() for one in lists),
            subordinates=tuple(one.certificate for one, _ in above.values()),
        )

    def _certificate(self, **bent: object) -> x509.Certificate:
        return self.authority.certify(self.subject, self.key.public_key(), **bent)  # type: ignore[arg-type]  # named so

    def _themselves(self) -> Iterator[tuple[str, SigningKey]]:
        now, serial = self.authority.now, self.serial
        yield "not valid yet", SigningKey(self.key, self._certificate(since=now + _A_DAY, serial=serial))
        yield "expired", SigningKey(self.key, self._certificate(until=now - _A_DAY, serial=serial))
        usage = ("key_encipherment",)
        yield "for encryption only", SigningKey(self.key, self._certificate(usage=usage, serial=serial))
        if self.demands.algorithms.min_rsa_bits > WEAK_BITS and isinstance(self.key, rsa.RSAPrivateKey):
            weak = self.authority.certify(self.subject, self.weak.public_key())
            yield "of a short key", SigningKey(self.weak, weak)

    def _names(self) -> Iterator[tuple[str, SigningKey]]:
        yield "of an authority", SigningKey(self.key, self._certificate(authority=True))
        other = stranger_to(self.demands.trust.subject_cert_constraints)
        if other is not None:
            yield "of another subject", SigningKey(self.key, self.authority.certify(other, self.key.public_key()))

    def _above(self) -> Iterator[tuple[str, Authority]]:
        yield "under an expired authority", self.authority.subordinate(until=self.authority.now - _A_DAY)
        yield "under an authority for other names", self.authority.subordinate(only=named("wsguard proof elsewhere"))
        usage = ("digital_signature", "key_cert_sign", "crl_sign")
        yield "under what is no authority", self.authority.subordinate(authority=False, usage=usage)

    def _above_with_lists(self) -> Iterator[tuple[str, tuple[Authority, tuple[x509.CertificateRevocationList, ...]]]]:
        revoked, stale = self.authority.subordinate(), self.authority.subordinate()
        yield _REVOKED, (revoked, (revoked.revoke(),))
        old = stale.revoke(until=self.authority.now - _A_DAY)
        yield "under an authority with an old list", (stale, (old,))
        if self.demands.trust.crl_coverage == "chain":
            # Of a name of its own: lists of its namesakes would be asked for it.
            silent = self.authority.subordinate(named("wsguard proof without a list"))
            yield "under an authority without a list", (silent, ())

    def _below(self, authority: Authority) -> SigningKey:
        certificate = authority.certify(self.subject, self.key.public_key())
        return SigningKey(self.key, certificate, (authority.certificate,))
