"""Certificates and revocation lists. Whoever opens the files gives what is in them as values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wsguard.certificates.foreign import FOREIGN
from wsguard.lint.finding import SOON, Finding, Rule

T = TypeVar("T", bound=x509.ExtensionType)

Role = Literal["sign", "decrypt", "anchor", "intermediate", "known", "pinned", "client"]

_DEVELOPMENT: Final = "wsguard development "
"""How the names begin that ``wsguard init`` gives."""

_EXPIRED: Final = Rule(
    name="lint.certificate_expired",
    risk="high",
    finds="a certificate has expired",
    cure="renew it, and put the new one beside the old one first: docs/rotation.md",
)
_EXPIRES: Final = Rule(
    name="lint.certificate_expires",
    risk="medium",
    finds=f"a certificate expires within {SOON.days} days",
    cure="renew it, and put the new one beside the old one first: docs/rotation.md",
)
_NOT_YET: Final = Rule(
    name="lint.certificate_not_yet_valid",
    risk="medium",
    finds="a certificate is not valid yet",
    cure="wait with it, or set the clock",
)
_LIST_STALE: Final = Rule(
    name="lint.crl_stale",
    risk="high",
    finds="a revocation list is not current, so whoever it speaks of is refused",
    cure="fetch the authority's list again; see that it is fetched before every nextUpdate",
)
_LIST_ENDS: Final = Rule(
    name="lint.crl_ends",
    risk="medium",
    finds=f"a revocation list is in the last quarter of its time, and in its last {SOON.days} days",
    cure="fetch the authority's list again; see that it is fetched before every nextUpdate",
)
_KEY_WEAK: Final = Rule(
    name="lint.key_weak",
    risk="medium",
    finds="a certificate has an RSA key of less than 2048 bits",
    cure="have a certificate made for a longer key",
)
_KEY_USAGE: Final = Rule(
    name="lint.own_key_usage",
    risk="medium",
    finds="the key usage of our own certificate does not fit what its key is used for",
    cure="have a certificate made with digitalSignature for keys.sign, keyEncipherment (EC: keyAgreement) for"
    " keys.decrypt",
)
_TWO_PURPOSES: Final = Rule(
    name="lint.key_for_two_purposes",
    risk="low",
    finds="answers are signed with a key that messages are encrypted for",
    cure="use two keys (NIST SP 800-57 part 1, §5.2)",
)
_FOR_SERVERS: Final = Rule(
    name="lint.extended_key_usage",
    risk="low",
    finds="the certificate of a signer is made for TLS servers only, which is not looked at",
    cure="have one made for signing; extended key usages are not looked at, so narrow names: docs/signatures.md",
)
_REFUSED: Final = Rule(
    name="lint.certificate_refused",
    risk="medium",
    finds="a configured certificate is refused by the [trust] it is meant for, so its owner cannot call",
    cure="mend what the check names: docs/checks.md",
)
_FOR_DEVELOPMENT: Final = Rule(
    name="lint.development_certificate",
    risk="medium",
    finds="a certificate that wsguard init made is in use",
    cure="replace it before anybody depends on the service: its authority's private key lies beside it",
)

MATERIAL_CATALOGUE: Final = (
    _EXPIRED, _EXPIRES, _NOT_YET, _LIST_STALE, _LIST_ENDS, _KEY_WEAK, _KEY_USAGE, _TWO_PURPOSES, _FOR_SERVERS,
    _REFUSED, _FOR_DEVELOPMENT,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCertificate:
    """A certificate, where it stands and what it is for. Every field of it can be read."""

    setting: str
    role: Role
    certificate: x509.Certificate

    @property
    def subject(self) -> str:
        """RFC 4514."""
        return self.certificate.subject.rfc4514_string()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedList:
    """A revocation list and where it stands."""

    setting: str
    crl: x509.CertificateRevocationList


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCertificate:
    """A certificate that no [trust] which it is meant for believes."""

    setting: str
    whose: str
    check: str
    """The check that refuses it."""
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What the files of one configuration hold."""

    certificates: tuple[OpenedCertificate, ...] = ()
    lists: tuple[OpenedList, ...] = ()
    refused: tuple[RefusedCertificate, ...] = ()


def material_findings(material: Material, now: datetime) -> Iterator[Finding]:
    """Everything worth a second look in ``material`` at ``now``, which is aware."""
    for one in material.certificates:
        yield from _dates(one, now)
        yield from _strength(one)
        yield from _purpose(one)
        yield from _origin(one)
    for opened in material.lists:
        yield from _list_dates(opened, now)
    yield from _double_use(material)
    for refused in material.refused:
        text = f"{refused.whose} is refused by {refused.check}: {refused.seen}"
        yield _REFUSED.at(refused.setting, text)


def _dates(one: OpenedCertificate, now: datetime) -> Iterator[Finding]:
    since, until = one.certificate.not_valid_before_utc, one.certificate.not_valid_after_utc
    if until < now:
        yield _EXPIRED.at(one.setting, f"{one.subject} expired on {until:%Y-%m-%d}: {_outage(one.role)}")
    elif until - now <= SOON:
        yield _EXPIRES.at(one.setting, f"{one.subject} expires on {until:%Y-%m-%d}: then {_outage(one.role)}")
    if now < since:
        yield _NOT_YET.at(one.setting, f"{one.subject} is valid from {since:%Y-%m-%d}: until then {_outage(one.role)}")


def _outage(role: Role) -> str:
    match role:
        case "sign":
            return "clients refuse our answers"
        case "decrypt":
            return "clients refuse to encrypt for it"
        case "anchor" | "intermediate":
            return "whoever it vouches for is refused"
        case "known" | "pinned" | "client":
            return "its signatures are refused"


def _list_dates(opened: OpenedList, now: datetime) -> Iterator[Finding]:
    since, until = opened.crl.last_update_utc, opened.crl.next_update_utc
    issuer = opened.crl.issuer.rfc4514_string()
    if until is None:
        yield _LIST_STALE.at(opened.setting, f"the list of {issuer} does not say until when it holds, so it never does")
    elif until <= now:
        yield _LIST_STALE.at(opened.setting, f"the next list of {issuer} was due on {until:%Y-%m-%d %H:%M} UTC")
    elif since > now:
        yield _LIST_STALE.at(opened.setting, f"the list of {issuer} is made on {since:%Y-%m-%d %H:%M} UTC only")
    elif until - now <= min(SOON, (until - since) / 4):
        text = f"the list of {issuer} holds until {until:%Y-%m-%d %H:%M} UTC: then whoever it speaks of is refused"
        yield _LIST_ENDS.at(opened.setting, text)


def _strength(one: OpenedCertificate) -> Iterator[Finding]:
    key = one.certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        yield _KEY_WEAK.at(one.setting, f"{one.subject} has an RSA key of {key.key_size} bits: it can be computed")


def _purpose(one: OpenedCertificate) -> Iterator[Finding]:
    if one.role in ("sign", "decrypt"):
        usage = _extension(one.certificate, x509.KeyUsage)
        if usage is not None and not _fits(one.role, usage):
            what = "sign" if one.role == "sign" else "have keys encrypted for it"
            yield _KEY_USAGE.at(
                one.setting, f"the key usage of {one.subject} does not let it {what}: strict peers refuse"
            )
    elif one.role in ("known", "pinned", "client"):
        extended = _extension(one.certificate, x509.ExtendedKeyUsage)
        if extended is not None and set(extended) == {ExtendedKeyUsageOID.SERVER_AUTH}:
            text = f"{one.subject} is a TLS server's: whoever has that server's key can sign messages"
            yield _FOR_SERVERS.at(one.setting, text)


def _fits(role: Role, usage: x509.KeyUsage) -> bool:
    """RFC 5280 §4.2.1.3."""
    if role == "sign":
        return usage.digital_signature or usage.content_commitment
    return usage.key_encipherment or usage.key_agreement


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *FOREIGN):
        return None


def _origin(one: OpenedCertificate) -> Iterator[Finding]:
    names = one.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if any(str(name.value).startswith(_DEVELOPMENT) for name in names):
        text = f"{one.subject} is for development: whoever has the directory that wsguard init made can call"
        yield _FOR_DEVELOPMENT.at(one.setting, text)


def _double_use(material: Material) -> Iterator[Finding]:
    encrypted_for = {_public(one) for one in material.certificates if one.role == "decrypt"}
    for one in material.certificates:
        if one.role == "sign" and _public(one) in encrypted_for:
            text = f"the key of {one.subject} opens messages too: whoever makes it open one way attacks the other"
            yield _TWO_PURPOSES.at(one.setting, text)


def _public(one: OpenedCertificate) -> bytes:
    return one.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
