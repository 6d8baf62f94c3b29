"""Whose certificates are sent: clients that are not good any more, and strangers that try to look like clients.

What is good or bad by its dates depends on the sender's clock, and is made when it is asked for.
"""

from functools import cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.messages import sender_time, timestamp
from tests.pki import DAY, Extension, Issued, authority, key_usage, name, rsa_key
from tests.signature.signatures import ALICE, ROOT
from tests.signing import Signing, binary_token, sign, signed, unsigned

REVOKED: Final = ROOT.leaf("Rita")
"""A client whose certificate is on the authority's list."""
ISSUING: Final = ROOT.authority("Issuing")
"""An authority that no guard knows: its certificate comes along."""
EVIL_ROOT: Final = authority("Root", serial=ROOT.certificate.serial_number)
"""With the name and serial number of our authority."""

UNKNOWN: Final[Extension] = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
"""Critical, and nobody knows what it means."""


def expired(**options: Any) -> Issued:
    """A client whose certificate ended yesterday."""
    now = sender_time()
    return ROOT.leaf("Alice", not_before=now - 30 * DAY, not_after=now - DAY, **options)


def not_yet_valid() -> Issued:
    """A client whose certificate starts tomorrow."""
    now = sender_time()
    return ROOT.leaf("Alice", not_before=now + DAY, not_after=now + 30 * DAY)


def twin(**options: Any) -> Issued:
    """A stranger whose certificate has the names, serial number and key identifier of Alice's."""
    serial, identifier = ALICE.certificate.serial_number, key_identifier(ALICE)
    return EVIL_ROOT.leaf("Alice", **{"serial": serial, "ski": identifier, **options})


def key_identifier(one: Issued) -> bytes:
    """Its subjectKeyIdentifier."""
    return one.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


@cache
def small_exponent() -> Issued:
    """A client with an RSA key of exponent 3."""
    return ROOT.leaf("Edward", key=rsa.generate_private_key(3, 2048))


@cache
def rsa_authority() -> Issued:
    """An authority with an RSA key, that no guard knows."""
    return ROOT.authority("Old", key=rsa_key(4))


def with_public_key(modulus: int) -> x509.Certificate:
    """A certificate of our authority for an RSA key that nobody has."""
    key, subject = rsa.RSAPublicNumbers(65537, modulus).public_key(), name("Large")
    builder = x509.CertificateBuilder(
        issuer_name=ROOT.certificate.subject,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=ROOT.certificate.not_valid_before_utc,
        not_valid_after=ROOT.certificate.not_valid_after_utc,
    )
    return builder.add_extension(key_usage("digital_signature"), True).sign(ROOT.key, hashes.SHA256())


# --- What they send ---------------------------------------------------------------------------------------------------


def by(one: Issued) -> bytes:
    """Signed by ``one``, with its certificate."""
    return signed(Signing.by(one))


def with_chain(one: Issued, *above: Issued) -> bytes:
    """Signed by ``one``, with its certificate and those above it, the nearest to the root first."""
    octets = b"".join(each.der for each in (*above, one))
    content = b"\x30\x82" + len(octets).to_bytes(2, "big") + octets
    token = binary_token(id="X509-1", kind="X509PKIPathv1", octets=content)
    return sign(unsigned(token, "@SIG-1@", timestamp()), Signing.by(one))
