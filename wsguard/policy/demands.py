"""What is demanded of a message: the sections that each service may override."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)
from wsguard.policy.values import (
    QNAME_PATTERN,
    Count,
    Day,
    File,
    Name,
    Pattern,
    PositiveSeconds,
    Presence,
    Seconds,
    Section,
    Switch,
    Text,
)

ALL_ALGORITHMS = frozenset(
    [
        *SIGNATURE_ALGORITHMS,
        *DIGEST_ALGORITHMS,
        *CANONICALIZATION_ALGORITHMS,
        *ENCRYPTION_ALGORITHMS,
        *KEY_TRANSPORT_ALGORITHMS,
    ]
)


def _one_of(*known: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"{value!r} is not one of {', '.join(known)}")
        return value

    return AfterValidator(check)


def _part(*known: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known and not QNAME_PATTERN.fullmatch(value):
            raise ValueError(
                f'{value!r} is not one of {", ".join(known)}, nor a header block written "{{namespace}}name"'
            )
        return value

    return AfterValidator(check)


SignedPart = Annotated[str, Field(strict=True), _part("Body", "Timestamp", "UsernameToken", "BinarySecurityToken")]
EncryptedPart = Annotated[str, Field(strict=True), _part("Body", "UsernameToken", "Signature")]
SignatureAlgorithm = Annotated[str, Field(strict=True), _one_of(*SIGNATURE_ALGORITHMS)]
DigestAlgorithm = Annotated[str, Field(strict=True), _one_of(*DIGEST_ALGORITHMS)]
CanonicalizationAlgorithm = Annotated[str, Field(strict=True), _one_of(*CANONICALIZATION_ALGORITHMS)]
EncryptionAlgorithm = Annotated[str, Field(strict=True), _one_of(*ENCRYPTION_ALGORITHMS)]
KeyTransportAlgorithm = Annotated[str, Field(strict=True), _one_of(*KEY_TRANSPORT_ALGORITHMS)]
AnyAlgorithm = Annotated[str, Field(strict=True), _one_of(*sorted(ALL_ALGORITHMS))]


class TimestampDemands(Section):
    """``[timestamp]``: the window of ``wsu:Timestamp`` (WSS 1.1 §10)."""

    use: Presence = "required"
    """Whether a message must, may or must not carry a Timestamp."""
    require_created: Switch = True
    """Refuse a Timestamp without Created."""
    require_expires: Switch = False
    """Refuse a Timestamp without Expires."""
    time_to_live: PositiveSeconds = 300
    """Seconds after Created in which a message is taken."""
    future_time_to_live: Seconds = 60
    """Seconds that Created may lie ahead of our clock."""
    max_lifetime: PositiveSeconds = 3600
    """Longest time in seconds from Created, or from now where there is none, to Expires."""


PasswordType = Literal["PasswordDigest", "PasswordText", "DerivedKey"]


class UsernameTokenDemands(Section):
    """``[username_token]``: who may say who they are, and how (UsernameToken Profile 1.1 §3)."""

    use: Presence = "required"
    """Whether a message must, may or must not carry a UsernameToken."""
    password_types: Annotated[tuple[PasswordType, ...], Field(min_length=1)] = ("PasswordDigest",)
    """How a password may be shown. A Password without Type is PasswordText. DerivedKey: a Salt is sent and no Password,
    and the message is signed with a key that is made of both (UsernameToken Profile 1.1 §4)."""
    require_nonce: Switch = True
    """Refuse a PasswordText without Nonce. A PasswordDigest always needs one."""
    require_created: Switch = True
    """Refuse a PasswordText without Created. A PasswordDigest always needs one."""
    time_to_live: PositiveSeconds = 300
    """Seconds after Created in which a token is taken."""
    future_time_to_live: Seconds = 60
    """Seconds that Created may lie ahead of our clock."""
    max_failures: Count = 10
    """Wrong passwords for one user from one address in ``failure_window``, after which more are refused unseen."""
    failure_window: PositiveSeconds = 60
    """Seconds over which ``max_failures`` counts."""

    @property
    def makes_keys(self) -> bool:
        """Whether keys are made of passwords, to sign with."""
        return self.use != "forbidden" and "DerivedKey" in self.password_types


class SignatureDemands(Section):
    """``[signature]``: whether and what a client must sign."""

    use: Presence = "optional"
    """Whether a message must, may or must not carry a Signature."""
    required_parts: Annotated[tuple[SignedPart, ...], Field(min_length=1)] = ("Body", "Timestamp")
    """What one trusted Signature must cover: Body, Timestamp, UsernameToken, BinarySecurityToken, {namespace}Header."""


class EncryptionDemands(Section):
    """``[encryption]``: whether and what a client must encrypt."""

    use: Presence = "optional"
    """Whether a message must, may or must not carry encrypted parts."""
    required_parts: Annotated[tuple[EncryptedPart, ...], Field(min_length=1)] = ("Body",)
    """What must be encrypted: Body, UsernameToken, Signature or {namespace}Header."""
    require_signed_encrypted_data: Switch = False
    """Refuse encrypted data that no trusted Signature covers."""


class LegacyPermission(Section):
    """``[[algorithms.legacy]]``: an algorithm that some clients may still use until a date."""

    algorithm: AnyAlgorithm
    """Short name of the algorithm."""
    clients: tuple[Name, ...] = ()
    """Names of the ``[[client]]`` entries it is for; empty: all."""
    until: Day
    """Last day (UTC) on which it is taken."""


class AlgorithmDemands(Section):
    """``[algorithms]``: what is taken. What is not listed is refused."""

    signature: tuple[SignatureAlgorithm, ...] = (
        "rsa-sha256", "rsa-sha384", "rsa-sha512",
        "rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512",
        "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512",
    )  # fmt: skip
    """Signature methods."""
    digest: tuple[DigestAlgorithm, ...] = ("sha256", "sha384", "sha512")
    """Digest methods of ds:Reference."""
    canonicalization: tuple[CanonicalizationAlgorithm, ...] = ("exc-c14n",)
    """Canonicalization methods and transforms."""
    encryption: tuple[EncryptionAlgorithm, ...] = ("aes128-gcm", "aes192-gcm", "aes256-gcm")
    """Data encryption."""
    key_transport: tuple[KeyTransportAlgorithm, ...] = ("rsa-oaep-mgf1p", "rsa-oaep")
    """Key transport, wrap and agreement."""
    min_rsa_bits: Annotated[int, Field(strict=True, ge=1024, le=16384)] = 2048
    """Smallest RSA modulus in bits."""
    legacy: tuple[LegacyPermission, ...] = ()
    """Dated permissions for algorithms that are not listed above."""


class TrustDemands(Section):
    """``[trust]``: whose certificates are believed. The system's authorities never are."""

    ca_files: tuple[File, ...] = ()
    """PEM files of trust anchors."""
    intermediate_files: tuple[File, ...] = ()
    """PEM files of intermediate authorities that messages may leave out."""
    known_certificates: tuple[File, ...] = ()
    """Certificates that messages may name by issuer and serial, key identifier or thumbprint; still validated."""
    pinned_certificates: tuple[File, ...] = ()
    """Exact certificates that need no chain."""
    crl_files: tuple[File, ...] = ()
    """Revocation lists; a stale one refuses."""
    crl_coverage: Literal["listed", "chain"] = "listed"
    """listed: issuers with a list are checked; chain: every issuer in the chain must have one."""
    subject_cert_constraints: tuple[Pattern, ...] = ()
    """Anchored regular expressions over the subject (RFC 4514); one must match."""
    issuer_cert_constraints: tuple[Pattern, ...] = ()
    """Anchored regular expressions over the issuer (RFC 4514); one must match."""


KeyIdentifier = Literal["DirectReference", "IssuerSerial", "SKIKeyIdentifier", "Thumbprint", "X509KeyIdentifier"]


class ResponseDemands(Section):
    """``[response]``: how answers are secured."""

    timestamp: Switch = False
    """Add a Timestamp."""
    sign: Switch = False
    """Sign ``signed_parts`` with keys.sign."""
    signed_parts: Annotated[tuple[SignedPart, ...], Field(min_length=1)] = ("Body", "Timestamp")
    """What a signed answer signs."""
    encrypt: Text = ""
    """Empty: not; ``useReqSigCert``: for the request's signer; else the name of a ``[[client]]`` entry."""
    signature_confirmation: Switch = False
    """Confirm the request's signatures (WSS 1.1 §8.5)."""
    secure_faults: Switch = True
    """Secure faults like answers."""
    key_identifier: KeyIdentifier = "DirectReference"
    """How a signature names our certificate."""


class HandoffDemands(Section):
    """``[handoff]``: what the application is given."""

    remove_security_header: Switch = True
    """Take our Security header out of what the application sees. One for another actor is always taken out."""
    namespaces: tuple[Text, ...] = ()
    """Namespaces that prefixes in content (xsi:type) may be bound to in a signed message."""
    unsigned_headers: Literal["drop", "keep"] = "drop"
    """What becomes of header blocks that were not signed, where a signature is required."""


class Demands(Section):
    """Everything demanded of a message for one service: the top of the file, overridden by ``[services.NAME]``."""

    unsafe_unauthenticated: Switch = False
    """Demand neither a UsernameToken nor a Signature. Without it such a policy is refused."""
    timestamp: TimestampDemands = TimestampDemands()
    """The Timestamp."""
    username_token: UsernameTokenDemands = UsernameTokenDemands()
    """The UsernameToken."""
    signature: SignatureDemands = SignatureDemands()
    """The Signature."""
    encryption: EncryptionDemands = EncryptionDemands()
    """The encryption."""
    algorithms: AlgorithmDemands = AlgorithmDemands()
    """The algorithms."""
    trust: TrustDemands = TrustDemands()
    """The certificates."""
    response: ResponseDemands = ResponseDemands()
    """The answer."""
    handoff: HandoffDemands = HandoffDemands()
    """The hand-off."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        problems = [reason for broken, reason in self._impossible() if broken]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _impossible(self) -> list[tuple[bool, str]]:
        by_users = self.username_token.makes_keys
        signed = self.signature.required_parts if by_users or self.signature.use == "required" else ()
        encrypted = self.encryption.required_parts if self.encryption.use == "required" else ()
        unauthenticated = "required" not in (self.username_token.use, self.signature.use)
        return [
            (
                unauthenticated and not self.unsafe_unauthenticated,
                (
                    "neither username_token.use nor signature.use is required, so nobody would be authenticated: "
                    "require one, or set unsafe_unauthenticated = true"
                ),
            ),
            (
                "Timestamp" in signed and self.timestamp.use == "forbidden",
                'signature.required_parts names "Timestamp", but timestamp.use is forbidden',
            ),
            (
                by_users and self.signature.use == "forbidden",
                'username_token.password_types names "DerivedKey", but signature.use is forbidden',
            ),
            (
                "UsernameToken" in {*signed, *encrypted} and self.username_token.use == "forbidden",
                'required_parts name "UsernameToken", but username_token.use is forbidden',
            ),
            (
                "Signature" in encrypted and self.signature.use == "forbidden",
                'encryption.required_parts names "Signature", but signature.use is forbidden',
            ),
            (
                self.response.signature_confirmation and not self.response.sign,
                "response.signature_confirmation needs response.sign",
            ),
        ]


OVERRIDABLE = frozenset(Demands.model_fields)
"""The keys of the top level that ``[services.NAME]`` may override."""


def overridden(top: dict[str, Any], service: dict[str, Any]) -> dict[str, Any]:
    """The raw tables of ``service`` over those of ``top``: tables are merged, everything else is replaced."""
    merged = dict(top)
    for key, value in service.items():
        below = merged.get(key)
        merged[key] = overridden(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
