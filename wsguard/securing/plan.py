"""How a message is secured: what is put into its Security header, what is signed and what is encrypted.

A plan that nobody can carry out is refused when it is made, with ``ValueError``: a part that is to be signed and is not
there, an algorithm that the key has nothing to do with, a certificate that is not the key's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from wsguard.certificates.foreign import FOREIGN
from wsguard.interfaces import PrivateKey
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTED_HEADER,
    ENCRYPTION_ALGORITHMS,
    SECURITY,
    SIGNATURE_ALGORITHMS,
)
from wsguard.policy.demands import KeyIdentifier, PasswordType

KEY_TRANSPORTS: Final = ("rsa-oaep-mgf1p", "rsa-oaep", "rsa-1_5")
KEY_IDENTIFIERS: Final = ("DirectReference", "IssuerSerial", "SKIKeyIdentifier", "Thumbprint", "X509KeyIdentifier")
_SIGNED: Final = ("Body", "Timestamp", "UsernameToken", "BinarySecurityToken")
_ENCRYPTED: Final = ("Body", "UsernameToken", "Signature")
_BLOCK: Final = re.compile(r"\{[^{}\s]+\}[^{}\s:]+")
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""XML 1.0 §2.2."""
_BY_CURVE: Final = {"secp256r1": "ecdsa-sha256", "secp384r1": "ecdsa-sha384", "secp521r1": "ecdsa-sha512"}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key that signs, and what vouches for it."""

    private_key: PrivateKey = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()
    """The certificates above it, nearest first; sent where ``Securing.send_chain`` says so."""

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: the certificate is not the key's, or the key is on a curve that has no signature method.
        """
        if _public_key(self.certificate) != self.private_key.public_key():
            raise ValueError("the certificate is not that of the private key")
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey) and self.private_key.curve.name not in _BY_CURVE:
            raise ValueError(f"EC keys on {self.private_key.curve.name} are not supported; P-256, P-384 and P-521 are")

    @property
    def usual_method(self) -> str:
        """The signature method that goes with the key where the plan names none; short name."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return "rsa-sha256"
        return _BY_CURVE[self.private_key.curve.name]


@dataclass(frozen=True, slots=True)
class UsernameCredentials:
    """Who the sender says to be (UsernameToken Profile 1.1 §3). A token with a password has a Nonce and Created.

    One of the type DerivedKey has a Salt instead (§4): the message is signed with the key that is made with it.
    """

    username: str
    password: str = field(repr=False)
    password_type: PasswordType = "PasswordDigest"  # noqa: S105 - a kind of password

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: there is no username, no such type, or a character that XML cannot carry.
        """
        _demand_known("password_type", self.password_type, get_args(PasswordType))
        if not self.username:
            raise ValueError("a username has at least one character")
        if _NOT_XML.search(self.username) or _NOT_XML.search(self.password):
            raise ValueError("the username or the password has a character that XML cannot carry")

    @property
    def signs(self) -> bool:
        """Whether the message is signed with a key that is made of the password."""
        return self.password_type == "DerivedKey"  # noqa: S105 - a kind of password


@dataclass(frozen=True, slots=True, kw_only=True)
class Securing:
    """How a message is secured. Algorithms by their short names, parts as ``[response]`` and the policy name them."""

    timestamp: timedelta | None = None
    """From Created to Expires; None: there is no Timestamp."""
    username: UsernameCredentials | None = None
    signature_confirmations: tuple[bytes, ...] | None = None
    """The SignatureValues of the request that this answers (WSS 1.1 §8.5); empty where it had no Signature, None where
    nothing is confirmed. Where there is a Signature it covers them."""

    sign: SigningKey | None = None
    signed_parts: tuple[str, ...] = ("Body", "Timestamp")
    """Body, Timestamp, UsernameToken, BinarySecurityToken, ``{namespace}Header``."""
    signature_algorithm: str = ""
    """Empty: ``rsa-sha256``, or ``ecdsa-sha256``, ``-sha384`` or ``-sha512`` as the curve is long; under a password
    ``hmac-sha256``."""
    digest: str = "sha256"
    canonicalization: str = "exc-c14n"
    key_identifier: KeyIdentifier = "DirectReference"
    """How the Signature names the certificate; DirectReference sends it in a BinarySecurityToken."""
    send_chain: bool = False
    """Send the certificates above the signer's too, in an X509PKIPathv1 token. Not every stack reads one."""

    encrypt_for: x509.Certificate | None = None
    """Whose RSA key opens it."""
    encrypted_parts: tuple[str, ...] = ("Body",)
    """Body (its content), UsernameToken, Signature, ``{namespace}Header``."""
    encryption: str = "aes256-gcm"
    key_transport: str = "rsa-oaep-mgf1p"
    """The default, with SHA-1 (sound in OAEP: RFC 8017 §7.1), is what every stack but gSOAP reads, which wants
    ``rsa-1_5``. ``rsa-oaep`` is with SHA-256 and MGF1 with SHA-256, which WSS4J 1.6 cannot read."""
    encryption_key_identifier: KeyIdentifier = "IssuerSerial"
    """How the EncryptedKey names the recipient's certificate."""
    sign_before_encrypting: bool = True

    must_understand: bool = True
    actor: str = ""
    """SOAP actor or role that the Security header is for; empty: the ultimate receiver."""

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: nobody could secure a message so.
        """
        if self.timestamp is not None and self.timestamp <= timedelta(0):
            raise ValueError("a Timestamp lasts longer than no time")
        if _NOT_XML.search(self.actor):
            raise ValueError("the actor has a character that XML cannot carry")
        nothing = (self.timestamp, self.username, self.signature_confirmations, self.sign, self.encrypt_for)
        if all(one is None for one in nothing):
            raise ValueError("this secures nothing")
        if self.sign is not None:
            self._check_key(self.sign)
        if self.signs_by_password:
            self._check_password()
        if self.signature_method:
            self._check_signature()
        if self.encrypt_for is not None:
            self._check_encryption(self.encrypt_for)

    @property
    def signs_by_password(self) -> bool:
        """Whether the Signature is under a key that is made of the password."""
        return self.username is not None and self.username.signs

    @property
    def signature_method(self) -> str:
        """The short name of the signature method; empty where nothing is signed."""
        if self.sign is not None:
            return self.signature_algorithm or self.sign.usual_method
        return (self.signature_algorithm or "hmac-sha256") if self.signs_by_password else ""

    def _check_password(self) -> None:
        if self.sign is not None:
            raise ValueError("a DerivedKey signs by itself: either it or sign")
        if not self.signature_method.startswith("hmac-"):
            raise ValueError(f"{self.signature_method} is not for a password, which takes hmac-…")
        if self.encrypt_for is not None and not self.sign_before_encrypting:
            raise ValueError("a DerivedKey signs before something is encrypted")
        if "BinarySecurityToken" in self.signed_parts:
            raise ValueError("signed_parts names BinarySecurityToken, but no certificate signs")

    def _check_signature(self) -> None:
        _demand_known("signature_algorithm", self.signature_method, SIGNATURE_ALGORITHMS)
        _demand_known("digest", self.digest, DIGEST_ALGORITHMS)
        _demand_known("canonicalization", self.canonicalization, CANONICALIZATION_ALGORITHMS)
        _demand_parts("signed_parts", self.signed_parts, _SIGNED)
        self._demand_there("signed_parts", self.signed_parts)

    def _check_key(self, key: SigningKey) -> None:
        _demand_known("signature_algorithm", self.signature_method, SIGNATURE_ALGORITHMS)
        _demand_known("key_identifier", self.key_identifier, KEY_IDENTIFIERS)
        kind = "rsa-" if isinstance(key.private_key, rsa.RSAPrivateKey) else "ecdsa-"
        if not self.signature_method.startswith(kind):
            raise ValueError(f"{self.signature_method} is not for the key, which takes {kind}…")
        direct = self.key_identifier == "DirectReference"
        if self.send_chain and not (direct and key.chain):
            raise ValueError("send_chain needs a chain, and DirectReference as key_identifier")
        if "BinarySecurityToken" in self.signed_parts and not direct:
            raise ValueError("signed_parts names BinarySecurityToken, but key_identifier is not DirectReference")

    def _check_encryption(self, recipient: x509.Certificate) -> None:
        _demand_known("encryption", self.encryption, ENCRYPTION_ALGORITHMS)
        _demand_known("key_transport", self.key_transport, KEY_TRANSPORTS)
        _demand_known("encryption_key_identifier", self.encryption_key_identifier, KEY_IDENTIFIERS)
        if not isinstance(_public_key(recipient), rsa.RSAPublicKey):
            raise ValueError("encrypt_for needs the certificate of an RSA key")
        _demand_parts("encrypted_parts", self.encrypted_parts, _ENCRYPTED)
        self._demand_there("encrypted_parts", self.encrypted_parts)
        if "Signature" in self.encrypted_parts and not (self.signature_method and self.sign_before_encrypting):
            raise ValueError("encrypted_parts names Signature, but there is none before something is encrypted")

    def _demand_there(self, setting: str, parts: tuple[str, ...]) -> None:
        for part, there in (("Timestamp", self.timestamp), ("UsernameToken", self.username)):
            if part in parts and there is None:
                raise ValueError(f"{setting} names {part}, but there is none")


def _demand_known(setting: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise ValueError(f"{setting}: {value!r} is not one of {', '.join(known)}")


def _demand_parts(setting: str, parts: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not parts or len(set(parts)) < len(parts):
        raise ValueError(f"{setting} names at least one part, and each once")
    for part in parts:
        if part in (SECURITY, ENCRYPTED_HEADER) or (part not in known and not _BLOCK.fullmatch(part)):
            raise ValueError(f'{setting}: {part!r} is not one of {", ".join(known)}, nor "{{namespace}}name"')


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except FOREIGN:
        raise ValueError("the public key of the certificate cannot be read") from None
