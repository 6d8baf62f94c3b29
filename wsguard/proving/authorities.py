"""Throw-away authorities, certificates and revocation lists: nothing of them outlives the proof."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from wsguard.interfaces import PrivateKey, PublicKey
from wsguard.policy.demands import TrustDemands
from wsguard.securing import SigningKey
from wsguard.trust.judging import unambiguous

_AGE: Final = timedelta(days=30)
"""How long made-up certificates are valid already, and still."""
_PRETENCE: Final = "wsguard proof"


def named(common_name: str = _PRETENCE) -> x509.Name:
    """A name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def new_key(bits: int) -> rsa.RSAPrivateKey:
    """A new RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority that was made up, and its key."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    now: datetime

    @classmethod
    def make(cls, name: x509.Name, now: datetime) -> "Authority":
        """A new one that signed itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, name, key.public_key(), now - _AGE, now + _AGE)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        return cls(builder.sign(key, hashes.SHA256()), key, now)

    def certify(
        self,
        name: x509.Name,
        key: PublicKey,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        authority: bool = False,
        usage: Sequence[str] = ("digital_signature",),
        serial: int | None = None,
        only: x509.Name | None = None,
    ) -> x509.Certificate:
        """A certificate for ``key``, bent as the other arguments say.

        Args:
            name: whose.
            key: theirs.
            since: from when it is valid.
            until: till when.
            authority: whether it says that it is one.
            usage: of the key.
            serial: its serial number.
            only: under which name an authority may certify names.
        """
        start, end = since or self.now - _AGE, until or self.now + _AGE
        builder = _builder(name, self.certificate.subject, key, start, end, serial)
        if only is not None:
            # Not critical, as private authorities have it: RFC 5280 §4.2.1.10 has it critical.
            constraints = x509.NameConstraints(permitted_subtrees=[x509.DirectoryName(only)], excluded_subtrees=None)
            builder = builder.add_extension(constraints, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(_usage(*usage, *(("key_cert_sign",) if authority else ())), critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return builder.add_extension(issuer, critical=False).sign(self.key, hashes.SHA256())

    def subordinate(self, name: x509.Name | None = None, **bent: Any) -> "Authority":  # noqa: ANN401 - of ``certify``
        """An authority that it certified, of its own name or of ``name``, bent as arguments of ``certify`` say."""
        key = ec.generate_private_key(ec.SECP256R1())
        how = {"authority": True, "usage": ("digital_signature", "crl_sign"), **bent}
        return Authority(self.certify(name or self.certificate.subject, key.public_key(), **how), key, self.now)

    def revoke(self, serials: Iterable[int] = (), until: datetime | None = None) -> x509.CertificateRevocationList:
        """A list of what is revoked, which is good for as long as the authority, or until then."""
        end = until or self.now + _AGE
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, self.now - _AGE, end)
        for serial in serials:
            entry = x509.RevokedCertificateBuilder(serial, self.now - _AGE).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256())


def twin_of(certificate: x509.Certificate, key: PrivateKey) -> SigningKey:
    """``certificate`` as somebody without its key makes it anew: all that it says but the key, signed by themselves."""
    builder = x509.CertificateBuilder(
        issuer_name=certificate.issuer,
        subject_name=certificate.subject,
        public_key=key.public_key(),
        serial_number=certificate.serial_number,
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return SigningKey(key, builder.sign(key, hashes.SHA256()))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PublicKey,
    since: datetime,
    until: datetime,
    serial: int | None = None,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=serial or x509.random_serial_number(),
        not_valid_before=since,
        not_valid_after=until,
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*usages: str) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{one: one in usages for one in every})


# --- Names that a [trust] takes ---------------------------------------------------------------------------------------


def subject_for(trusts: Sequence[TrustDemands], known: Iterable[x509.Certificate]) -> x509.Name | None:
    """A subject that every one of ``trusts`` takes, or at least the first; None where none comes to mind."""
    patterns = [trust.subject_cert_constraints for trust in trusts]
    candidates = [named(), *(one.subject for one in known), *_guessed(patterns[0])]
    return _fitting(candidates, patterns) or _fitting(candidates, patterns[:1])


def issuer_for(trusts: Sequence[TrustDemands], authorities: Iterable[x509.Certificate]) -> x509.Name | None:
    """The same for the name of an issuer."""
    patterns = [trust.issuer_cert_constraints for trust in trusts]
    candidates = [*(one.subject for one in authorities), named("wsguard proof authority"), *_guessed(patterns[0])]
    return _fitting(candidates, patterns) or _fitting(candidates, patterns[:1])


def stranger_to(patterns: Sequence[str]) -> x509.Name | None:
    """A subject that none of ``patterns`` takes; None where no such name comes to mind, or there are no patterns."""
    candidates = [named("wsguard proof stranger"), named("?"), named("-")]
    return next((one for one in candidates if patterns and not fits(one, patterns)), None)


def _fitting(candidates: Iterable[x509.Name], patterns: Iterable[Sequence[str]]) -> x509.Name | None:
    return next((one for one in candidates if all(fits(one, several) for several in patterns)), None)


def fits(name: x509.Name, patterns: Sequence[str]) -> bool:
    """Whether one of ``patterns`` takes ``name``, or there are none."""
    text = unambiguous(name.rfc4514_string())
    return not patterns or any(re.fullmatch(pattern, text) for pattern in patterns)


_ANYTHING: Final = re.compile(r"(?:\[\^?[^\]]+\]|\\w|\.)[*+]\??")
_CHOICE: Final = re.compile(r"\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)")


def _guessed(patterns: Sequence[str]) -> Iterator[x509.Name]:
    """Names made of simple patterns: "anything" becomes a word, a choice its first part, an escape what it escapes."""
    for pattern in patterns:
        text = _CHOICE.sub(r"\1", _ANYTHING.sub("proof", pattern.removeprefix("^").removesuffix("$")))
        try:
            yield x509.Name.from_rfc4514_string(re.sub(r"\\([^\w,+])", r"\1", text))
        except ValueError:
            continue
