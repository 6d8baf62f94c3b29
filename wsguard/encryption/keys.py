"""Our keys, and which of them a message means. A reference only selects: unwrapping decides.

What a reference says of a certificate must fit that of the key; a key without one is found by what can be worked out
from the key itself. Without any reference every key may be meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsguard.certificates import CertificateReference, fits
from wsguard.certificates.foreign import FOREIGN
from wsguard.interfaces import DecryptionKey, UserKey


@dataclass(frozen=True, slots=True)
class Secret:
    """A symmetric key that a message uses."""

    octets: bytes = field(repr=False)
    """Random ones where nothing could be unwrapped: what they are used for fails."""
    key: str
    """For people: the name of our key that it came by, or of the shared key that it is."""
    method: str
    """How it came, by short names: ``rsa-oaep``, ``ecdh-es and kw-aes128``, ``KeyName``."""
    shared: str = ""
    """The name of the key of ``keys.shared`` that whoever made this one must know."""
    user: UserKey | None = None
    """The key of a user that whoever made this one must know. Without it and without ``shared`` anybody could make this
    one, so what is signed under it proves nobody's identity."""


def keys_for(reference: CertificateReference | None, keys: Sequence[DecryptionKey]) -> tuple[DecryptionKey, ...]:
    """Those of ``keys`` that ``reference`` may mean; all of them where there is none.

    Raises:
        InvalidSecurityToken: ``certificate.malformed``, a field that is asked for cannot be read.
    """
    return tuple(key for key in keys if reference is None or _is_for(reference, key))


def _is_for(reference: CertificateReference, key: DecryptionKey) -> bool:
    if key.certificate is None:
        return _names_bare_key(reference, key)
    if reference.presented and reference.presented[0] != key.certificate:
        return False
    return fits(reference, key.certificate)


def _names_bare_key(reference: CertificateReference, key: DecryptionKey) -> bool:
    """Whether everything that ``reference`` says can be, and is, said of a key without certificate."""
    if reference.issuer or reference.serial is not None or reference.subject or reference.thumbprint:
        return False
    public = key.private_key.public_key()
    octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # RFC 5280 §4.2.1.2 (1).
    identifier = x509.SubjectKeyIdentifier.from_public_key(public).digest
    return (
        reference.key_identifier in (b"", identifier)
        and reference.public_key in (b"", octets)
        and (not reference.presented or _public_octets(reference.presented[0]) == octets)
    )


def _public_octets(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except FOREIGN:
        return None
