"""Encrypted messages, made part by part from primitives so that a test can bend one part and leave the rest honest.

server = authority("root").leaf("server", key=rsa_key())
octets = encrypted(Encryption.for_(server, algorithm="aes256-cbc", kind="Element"))

What is made here is held against libxmlsec and WSS4J by the tests of decryption, so that an error of both sides cannot
hide.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.messages import BASE64, DS, PAYLOAD, WSSE, XENC, envelope, security, timestamp
from tests.signing import X509_PROFILE

XENC11 = "http://www.w3.org/2009/xmlenc11#"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSS11 = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1"

DATA_METHODS = {
    **{f"aes{bits}-gcm": f"{XENC11}aes{bits}-gcm" for bits in (128, 192, 256)},
    **{f"aes{bits}-cbc": f"{XENC}aes{bits}-cbc" for bits in (128, 192, 256)},
    "tripledes-cbc": f"{XENC}tripledes-cbc",
}
KEY_METHODS = {
    "rsa-oaep-mgf1p": f"{XENC}rsa-oaep-mgf1p",
    "rsa-oaep": f"{XENC11}rsa-oaep",
    "rsa-1_5": f"{XENC}rsa-1_5",
    **{f"kw-aes{bits}": f"{XENC}kw-aes{bits}" for bits in (128, 192, 256)},
}
OAEP_DIGESTS = {
    "sha1": f"{DS}sha1",
    "sha256": f"{XENC}sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": f"{XENC}sha512",
}
MASKS = {name: f"{XENC11}mgf1{name}" for name in ("sha1", "sha224", "sha256", "sha384", "sha512")}
CURVES = {"secp256r1": "1.2.840.10045.3.1.7", "secp384r1": "1.3.132.0.34", "secp521r1": "1.3.132.0.35"}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(), "sha224": hashes.SHA224(), "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(), "sha512": hashes.SHA512(),
}  # fmt: skip


class Leaf(Protocol):
    """A key with its certificate."""

    @property
    def key(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey: ...
    @property
    def certificate(self) -> x509.Certificate: ...


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


# --- Data -------------------------------------------------------------------------------------------------------------


def key_length(algorithm: str) -> int:
    """Octets of the key of a data or key wrap algorithm."""
    return 24 if algorithm == "tripledes-cbc" else int("".join(c for c in algorithm if c.isdigit())) // 8


def encrypt(algorithm: str, key: bytes, octets: bytes) -> bytes:
    """What a CipherValue holds: vector, ciphertext, and the tag where there is one. The padding is arbitrary."""
    if algorithm.endswith("-gcm"):
        vector = os.urandom(12)
        return vector + AESGCM(key).encrypt(vector, octets, None)
    kind: Callable[[bytes], BlockCipherAlgorithm] = TripleDES if algorithm == "tripledes-cbc" else AES
    size = kind(key).block_size // 8
    count = size - len(octets) % size
    return encrypt_blocks(kind(key), octets + os.urandom(count - 1) + bytes([count]))


def encrypt_blocks(algorithm: BlockCipherAlgorithm, blocks: bytes) -> bytes:
    """Whole blocks by CBC, behind their vector."""
    vector = os.urandom(algorithm.block_size // 8)
    encryptor = Cipher(algorithm, CBC(vector)).encryptor()
    return vector + encryptor.update(blocks) + encryptor.finalize()


def cipher_data(octets: bytes) -> str:
    return f"<xenc:CipherData><xenc:CipherValue>{b64(octets)}</xenc:CipherValue></xenc:CipherData>"


# --- Keys -------------------------------------------------------------------------------------------------------------


def transport(
    method: str, key: object, session: bytes, digest: str = "sha1", mask: str = "sha1", label: bytes = b""
) -> bytes:
    """``session`` for the owner of ``key``: an RSA key, or octets for AES key wrap."""
    if isinstance(key, bytes):
        return aes_key_wrap(key, session)
    assert isinstance(key, rsa.RSAPrivateKey)
    if method == "rsa-1_5":
        return key.public_key().encrypt(session, PKCS1v15())
    return key.public_key().encrypt(session, OAEP(MGF1(_HASHES[mask]), _HASHES[digest], label or None))


def key_method(
    method: str, digest: str | None = None, mask: str | None = None, label: bytes = b"", inner: str = ""
) -> str:
    """The EncryptionMethod of an EncryptedKey."""
    parts = f"<xenc:OAEPparams>{b64(label)}</xenc:OAEPparams>" if label else ""
    if digest is not None:
        parts += f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{OAEP_DIGESTS.get(digest, digest)}"/>'
    if mask is not None:
        parts += f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{MASKS.get(mask, mask)}"/>'
    return (
        f'<xenc:EncryptionMethod Algorithm="{KEY_METHODS.get(method, method)}">{parts}{inner}</xenc:EncryptionMethod>'
    )


def key_info(inner: str) -> str:
    return f'<ds:KeyInfo xmlns:ds="{DS}">{inner}</ds:KeyInfo>' if inner else ""


def token_reference(inner: str) -> str:
    """A ds:KeyInfo with a SecurityTokenReference."""
    return key_info(f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}">{inner}</wsse:SecurityTokenReference>')


def to_id(target: str) -> str:
    """A ds:KeyInfo that refers to the token with this Id."""
    return token_reference(f'<wsse:Reference URI="#{target}"/>')


def key_name(text: str) -> str:
    return key_info(f"<ds:KeyName>{text}</ds:KeyName>")


def _identifier(value_type: str, octets: bytes) -> str:
    return token_reference(
        f'<wsse:KeyIdentifier ValueType="{value_type}" EncodingType="{BASE64}">{b64(octets)}</wsse:KeyIdentifier>'
    )


def _issuer_serial(certificate: x509.Certificate) -> str:
    issuer = escape(certificate.issuer.rfc4514_string())
    return (
        f"<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>{issuer}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{certificate.serial_number}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
    )


def _ski(certificate: x509.Certificate) -> bytes:
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


KEY_INFOS: Mapping[str, Callable[[x509.Certificate], str]] = {
    "none": lambda certificate: "",
    "IssuerSerial": lambda certificate: token_reference(_issuer_serial(certificate)),
    "bare IssuerSerial": lambda certificate: key_info(_issuer_serial(certificate)),
    "SKIKeyIdentifier": lambda c: _identifier(f"{X509_PROFILE}#X509SubjectKeyIdentifier", _ski(c)),
    "Thumbprint": lambda c: _identifier(f"{WSS11}#ThumbprintSHA1", hashlib.sha1(_der(c)).digest()),
    "X509KeyIdentifier": lambda c: _identifier(f"{X509_PROFILE}#X509v3", _der(c)),
    "X509Data": lambda c: key_info(
        f"<ds:X509Data><ds:X509Certificate>{b64(_der(c))}</ds:X509Certificate></ds:X509Data>"
    ),
    "DirectReference": lambda certificate: to_id("X509-1"),
}
"""Every way to name a certificate. The last needs ``binary_token(certificate)`` in the Security header."""


# --- ECDH-ES ----------------------------------------------------------------------------------------------------------


def concat_kdf(secret: bytes, length: int, other_info: bytes, digest: str) -> bytes:
    """NIST SP 800-56A §5.8.1, written down again."""
    stream = b""
    for counter in range(1, 2 + length // hashlib.new(digest).digest_size):
        stream += hashlib.new(digest, counter.to_bytes(4, "big") + secret + other_info).digest()
    return stream[:length]


def ec_key_value(key: ec.EllipticCurvePublicKey) -> str:
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return (
        '<ds:KeyValue><e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#">'
        f'<e:NamedCurve URI="urn:oid:{CURVES[key.curve.name]}"/><e:PublicKey>{b64(point)}</e:PublicKey>'
        "</e:ECKeyValue></ds:KeyValue>"
    )


@dataclass(frozen=True)
class Agreement:
    """ECDH-ES with ConcatKDF between a key of one message and the recipient's."""

    recipient: ec.EllipticCurvePublicKey
    originator: ec.EllipticCurvePrivateKey
    digest: str = "sha256"
    info: Mapping[str, bytes] = field(default_factory=lambda: {"AlgorithmID": b"", "PartyUInfo": b"\x12\x34"})
    recipient_info: str = ""
    """The inside of RecipientKeyInfo; empty: there is none."""

    def key(self, length: int) -> bytes:
        order = ("AlgorithmID", "PartyUInfo", "PartyVInfo", "SuppPubInfo", "SuppPrivInfo")
        other_info = b"".join(self.info.get(name, b"") for name in order)
        return concat_kdf(self.originator.exchange(ec.ECDH(), self.recipient), length, other_info, self.digest)

    def xml(self) -> str:
        info = "".join(f' {name}="00{octets.hex()}"' for name, octets in self.info.items())
        recipient = f"<xenc:RecipientKeyInfo>{self.recipient_info}</xenc:RecipientKeyInfo>"
        return (
            f'<xenc:AgreementMethod xmlns:xenc="{XENC}" xmlns:xenc11="{XENC11}" Algorithm="{XENC11}ECDH-ES">'
            f'<xenc11:KeyDerivationMethod Algorithm="{XENC11}ConcatKDF"><xenc11:ConcatKDFParams{info}>'
            f'<ds:DigestMethod Algorithm="{OAEP_DIGESTS[self.digest]}"/></xenc11:ConcatKDFParams>'
            "</xenc11:KeyDerivationMethod>"
            f"<xenc:OriginatorKeyInfo>{ec_key_value(self.originator.public_key())}</xenc:OriginatorKeyInfo>"
            f"{recipient if self.recipient_info else ''}</xenc:AgreementMethod>"
        )


# --- Whole messages ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """How one part of a message is encrypted; every piece can be replaced by text of the test's own."""

    key: rsa.RSAPrivateKey | bytes
    """For whom: a recipient's RSA key, or the octets of a key for AES key wrap."""
    key_info: str = ""
    """ds:KeyInfo of the EncryptedKey."""
    plaintext: bytes = PAYLOAD.encode()
    algorithm: str = "aes128-gcm"
    session: bytes = b""
    """The session key; empty: a random one of the right length."""
    method: str = "rsa-oaep-mgf1p"
    digest: str | None = None
    """OAEP's; None leaves the element out."""
    mask: str | None = None
    label: bytes = b""
    kind: str | None = "Content"
    """Fragment of Type, or all of it; None leaves it out."""
    id: str = "ED-1"
    key_id: str = "EK-1"
    references: tuple[str, ...] | None = None
    """Ids in the ReferenceList of the EncryptedKey; None: that of the data; empty: there is no list."""
    data_key_info: str | None = None
    """ds:KeyInfo of the EncryptedData; None: it refers to the EncryptedKey."""
    cipher: bytes | None = None
    """The CipherValue of the data; None: the right one."""
    key_cipher: bytes | None = None
    """That of the key."""
    replaced: Mapping[str, str] = field(default_factory=dict)
    """Text of the finished EncryptedKey or EncryptedData -> what stands in its place."""

    @classmethod
    def for_(cls, leaf: Leaf, form: str = "IssuerSerial", **changes: Any) -> "Encryption":
        """For the owner of ``leaf``, named in one of ``KEY_INFOS``."""
        return cls(**{"key": leaf.key, "key_info": KEY_INFOS[form](leaf.certificate), **changes})

    def fixed(self) -> "Encryption":
        """The same with a session key that does not change from call to call."""
        return self if self.session else replace(self, session=os.urandom(key_length(self.algorithm)))

    def key_xml(self) -> str:
        """The EncryptedKey; of ``fixed()`` encryptions it goes with ``data_xml``."""
        cipher = self.key_cipher
        if cipher is None:
            digest, mask = self.digest or "sha1", self.mask or "sha1"
            cipher = transport(self.method, self.key, self.session, digest, mask, self.label)
        references = (self.id,) if self.references is None else self.references
        return self._bent(
            f'<xenc:EncryptedKey xmlns:xenc="{XENC}" Id="{self.key_id}">'
            f"{key_method(self.method, self.digest, self.mask, self.label)}{self.key_info}{cipher_data(cipher)}"
            f"{reference_list(*references) if references else ''}</xenc:EncryptedKey>"
        )

    def data_xml(self) -> str:
        """The EncryptedData."""
        cipher = encrypt(self.algorithm, self.session, self.plaintext) if self.cipher is None else self.cipher
        kind = "" if self.kind is None else f' Type="{self.kind if ":" in self.kind else XENC + self.kind}"'
        info = to_id(self.key_id) if self.data_key_info is None else self.data_key_info
        return self._bent(
            f'<xenc:EncryptedData xmlns:xenc="{XENC}" Id="{self.id}"{kind}>'
            f'<xenc:EncryptionMethod Algorithm="{DATA_METHODS.get(self.algorithm, self.algorithm)}"/>'
            f"{info}{cipher_data(cipher)}</xenc:EncryptedData>"
        )

    def _bent(self, text: str) -> str:
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        return text


def reference_list(*targets: str) -> str:
    """An xenc:ReferenceList."""
    references = "".join(f'<xenc:DataReference URI="#{target}"/>' for target in targets)
    return f'<xenc:ReferenceList xmlns:xenc="{XENC}">{references}</xenc:ReferenceList>'


def encrypted(encryption: Encryption, *more: str, order: Callable[[str, str], str] | None = None) -> bytes:
    """A message with an encrypted Body: a Security header of EncryptedKey, ``more`` and a Timestamp.

    Args:
        encryption: of the Body's content, or of what the test says.
        more: elements of the Security header.
        order: makes the Security header's content of the EncryptedKey and the rest.
    """
    fixed = encryption.fixed()
    rest = "".join((*more, timestamp()))
    content = (order or (lambda key, others: key + others))(fixed.key_xml(), rest)
    return envelope(security(content), fixed.data_xml())


def key_after(encryption: Encryption, *more: str) -> bytes:
    """The same with the EncryptedKey last, as gSOAP sends it."""
    return encrypted(encryption, *more, order=lambda key, others: others + key)
