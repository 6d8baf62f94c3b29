"""D: certificates that a guard must not believe, however right the signature under their keys is."""

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from tests.attacks.cases import Built, Chapter
from tests.attacks.people import (
    EVIL_ROOT,
    ISSUING,
    REVOKED,
    UNKNOWN,
    by,
    expired,
    not_yet_valid,
    with_public_key,
)
from tests.guard_encryption.sealing import server
from tests.pki import Issued, ec_key, rsa_key, self_signed
from tests.signature.key_infos import embedded, in_base64, key_identifier, x509_data
from tests.signature.signatures import ALICE, BOB, ROOT, STRANGER, bent, honest, refers_to
from tests.signing import Signing, binary_token, signed

TRUST: Final = Chapter("D", "signed")
REVOKING: Final = Chapter("D", "revoking")
REFLECTING: Final = Chapter("D", "every")


# --- Who vouches for himself ------------------------------------------------------------------------------------------

OWN: Final[dict[str, Callable[[], Issued]]] = {
    "of an authority with the name of ours": lambda: STRANGER,
    "of an authority with the name and serial number of ours": lambda: EVIL_ROOT.leaf("Alice"),
    "self-signed with a client's name": lambda: self_signed(ALICE.certificate.subject),
    "self-signed with our authority's name": lambda: self_signed(ROOT.certificate.subject, ca=True, usage=None),
    "issued by a client": lambda: ALICE.leaf("Mallory"),
}
FORMS: Final[dict[str, Callable[[Issued], str]]] = {
    "a token": lambda one: refers_to("X509-1"),
    "X509Data": x509_data,
    "a KeyIdentifier": key_identifier,
    "an embedded token": embedded,
}


def _own(form: str) -> dict[str, tuple[Callable[[], Issued], Callable[[Issued], str]]]:
    return {f"{label}, in {form}": (make, FORMS[form]) for label, make in OWN.items()}


@TRUST.each_refused(
    "certificate.untrusted",
    {label: one for form in FORMS for label, one in _own(form).items()},
    source="SAML Raider, faked certificates",
)
def a_certificate(how: tuple[Callable[[], Issued], Callable[[Issued], str]]) -> Built:
    one = how[0]()
    return signed(Signing.by(one, key_info=how[1](one)))


@TRUST.refused("certificate.untrusted")
def the_root_itself_signs() -> Built:
    return by(ROOT)


@TRUST.refused("certificate.key_usage")
def an_authority_below_the_root_signs() -> Built:
    return by(ISSUING)


# --- Changed certificates ---------------------------------------------------------------------------------------------

_POINT: Final = 65
"""Octets of a point on P-256."""


def _point(one: Issued) -> bytes:
    return one.public_key[-_POINT:]


CHANGED: Final[dict[str, tuple[Issued, Callable[[bytes, Issued], bytes]]]] = {
    "with another subject": (ALICE, lambda der, other: der.replace(b"Alice", b"Mally")),
    "with the key of a stranger": (STRANGER, lambda der, other: der.replace(_point(ALICE), _point(other))),
    "with a damaged signature": (ALICE, lambda der, other: der[:-1] + bytes([der[-1] ^ 1])),
    "with another end": (ALICE, lambda der, other: der.replace(b"360101000000Z", b"460101000000Z")),
}


@TRUST.each_refused("certificate.untrusted", CHANGED)
def a_clients_certificate(how: tuple[Issued, Callable[[bytes, Issued], bytes]]) -> Built:
    signer, change = how
    octets = change(ALICE.der, signer)
    assert octets != ALICE.der
    text = signed(Signing.by(signer)).decode()
    return bent(text, (binary_token(signer.certificate), binary_token(octets=octets)))


UNREADABLE: Final[dict[str, Callable[[], bytes]]] = {
    "nothing": lambda: b"",
    "something behind it": lambda: ALICE.der + b"\0",
    "another behind it": lambda: ALICE.der + BOB.der,
    "PEM": lambda: ALICE.pem,
    "all but its last octet": lambda: ALICE.der[:-1],
    "a length that is open": lambda: b"\x30\x80" + ALICE.der[4:] + bytes(2),
    "a public key": lambda: ALICE.public_key,
    "fifty thousand zeros": lambda: bytes(50_000),
    "fifty thousand nested sequences": lambda: b"\x30\x80" * 25_000,
}


@TRUST.each_refused("certificate.malformed", UNREADABLE)
def a_certificate_that_is(octets: Callable[[], bytes]) -> Built:
    token = binary_token(ALICE.certificate)
    start = token.index(">") + 1
    other = token[:start] + binary_token(octets=octets() or b" ")[start:]
    return bent(honest(), (token, other if octets() else token[:start] + "</wsse:BinarySecurityToken>"))


# --- Certificates that are not good -----------------------------------------------------------------------------------

NOT_GOOD: Final[dict[str, tuple[str, Callable[[], Issued]]]] = {
    "that ended yesterday": ("certificate.expired", expired),
    "that starts tomorrow": ("certificate.expired", not_yet_valid),
    "with an RSA key of 1,024 bits": ("certificate.key_size", lambda: ROOT.leaf("Alice", key=rsa_key(1, 1024))),
    "with a key on a curve of Bitcoin's": (
        "certificate.key_size",
        lambda: ROOT.leaf("Alice", key=ec_key(ec.SECP256K1())),
    ),
    "with a key on a small curve": ("certificate.key_size", lambda: ROOT.leaf("Alice", key=ec_key(ec.SECP192R1()))),
    "for the encryption of keys": ("certificate.key_usage", lambda: ROOT.leaf("Alice", usage=("key_encipherment",))),
    "for agreement": ("certificate.key_usage", lambda: ROOT.leaf("Alice", usage=("key_agreement",))),
    "for revocation lists": ("certificate.key_usage", lambda: ROOT.leaf("Alice", usage=("crl_sign",))),
    "with a critical extension that nobody knows": (
        "certificate.untrusted",
        lambda: ROOT.leaf("Alice", extensions=[UNKNOWN]),
    ),
}


def a_certificate_of_our_authority(make: Callable[[], Issued]) -> Built:
    return by(make())


for _label, (_check, _make) in NOT_GOOD.items():
    TRUST.each_refused(_check, {_label: _make})(a_certificate_of_our_authority)


@TRUST.refused("certificate.malformed")
def a_certificate_with_a_key_that_no_method_is_for() -> Built:
    other = ROOT.leaf("Alice", key=ed25519.Ed25519PrivateKey.generate())
    return bent(honest(), (binary_token(ALICE.certificate), binary_token(other.certificate)))


@TRUST.refused("certificate.key_size", isolated=True, source="CVE-2011-2516: Apache Santuario C++, large RSA keys")
def a_certificate_with_an_rsa_key_of_16384_bits() -> Built:
    return bent(honest(), (binary_token(ALICE.certificate), binary_token(with_public_key(2**16383 + 1))))


@REVOKING.refused("certificate.revoked")
def a_certificate_that_was_revoked() -> Built:
    return by(REVOKED)


@REVOKING.refused("certificate.revoked")
def a_certificate_that_was_revoked_in_x509_data() -> Built:
    return signed(Signing.by(REVOKED, key_info=x509_data(REVOKED)))


@REVOKING.refused("signature.malformed")
def a_certificate_that_was_revoked_with_a_list_that_says_nothing_of_it() -> Built:
    own = in_base64(ROOT.crl().public_bytes(Encoding.DER))
    key_info = x509_data(REVOKED).replace("</ds:X509Data>", f"<ds:X509CRL>{own}</ds:X509CRL></ds:X509Data>")
    return signed(Signing.by(REVOKED, key_info=key_info))


@REFLECTING.refused("certificate.untrusted", source="Reflection: the guard's own answers are sent back to it")
def the_certificate_of_the_guard_itself() -> Built:
    return by(server())


EVERY: Final = (*TRUST, *REVOKING, *REFLECTING)
