"""D: certificates that are named and not sent: who has the same name, number or identifier is not the same."""

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tests.attacks.cases import Built, Chapter
from tests.attacks.people import EVIL_ROOT, key_identifier, twin
from tests.messages import timestamp
from tests.pki import Issued
from tests.signature.key_infos import identifier, in_base64, issuer_serial, referring, x509_data
from tests.signature.signatures import ALICE, BOB, STRANGER, refers_to
from tests.signing import Signing, binary_token, sign, unsigned
from wsguard.names import THUMBPRINT_SHA1, X509_SUBJECT_KEY_IDENTIFIER

NAMED: Final = Chapter("D", "every")
"""Before a guard that knows Alice's certificate."""

COLLISION: Final = "SAML Raider, cloned certificates"

SERIAL: Final = ALICE.certificate.serial_number


def thumbprint(one: Issued) -> bytes:
    """SHA-1 of the certificate."""
    return one.certificate.fingerprint(hashes.SHA1())


def by_identifier(octets: bytes) -> str:
    """A reference by key identifier."""
    return referring(identifier(octets, X509_SUBJECT_KEY_IDENTIFIER))


def by_thumbprint(octets: bytes) -> str:
    """A reference by thumbprint."""
    return referring(identifier(octets, THUMBPRINT_SHA1))


def naming(key_info: str, one: Issued, *tokens: str) -> bytes:
    """Signed by ``one``, named as ``key_info`` does, with more tokens in the message."""
    return sign(unsigned(*tokens, "@SIG-1@", timestamp()), Signing.by(one, key_info=key_info))


# --- Whoever is called like Alice -------------------------------------------------------------------------------------

HER_NAMES: Final[dict[str, Callable[[], str]]] = {
    "issuer and serial number": lambda: issuer_serial(ALICE),
    "issuer and serial number in a reference": lambda: referring(issuer_serial(ALICE)),
    "key identifier": lambda: by_identifier(key_identifier(ALICE)),
    "key identifier in X509Data": lambda: (
        f"<ds:X509Data><ds:X509SKI>{in_base64(key_identifier(ALICE))}</ds:X509SKI></ds:X509Data>"
    ),
    "thumbprint": lambda: by_thumbprint(thumbprint(ALICE)),
    "subject": lambda: "<ds:X509Data><ds:X509SubjectName>CN=Alice</ds:X509SubjectName></ds:X509Data>",
}


@NAMED.each_refused("signature.value", HER_NAMES, source=COLLISION)
def a_stranger_signs_with_a_certificate_that_has_hers_in_common(key_info: Callable[[], str]) -> Built:
    """His certificate comes along, and nothing refers to it."""
    one = twin()
    return naming(key_info(), one, binary_token(one.certificate))


@NAMED.refused("certificate.untrusted", source=COLLISION)
def a_stranger_whose_certificate_has_all_names_of_hers_refers_to_his_own() -> Built:
    one = twin()
    return naming(refers_to("X509-1"), one, binary_token(one.certificate))


@NAMED.refused("certificate.untrusted", source=COLLISION)
def a_strangers_certificate_beside_her_issuer_and_serial_number() -> Built:
    one = twin()
    return naming(refers_to("X509-1") + issuer_serial(ALICE), one, binary_token(one.certificate))


@NAMED.refused("certificate.malformed")
def a_strangers_certificate_beside_her_thumbprint() -> Built:
    one = twin()
    return naming(x509_data(one) + by_thumbprint(thumbprint(ALICE)), one)


# --- Names of nobody --------------------------------------------------------------------------------------------------

NOBODY: Final[dict[str, Callable[[], str]]] = {
    "another serial number": lambda: issuer_serial(BOB),
    "a serial number that is hers in 64 bits": lambda: issuer_serial(ALICE, serial=str(SERIAL % 2**64)),
    "a serial number that is hers modulo 2^160": lambda: issuer_serial(ALICE, serial=str(SERIAL + 2**160)),
    "another issuer": lambda: issuer_serial(ALICE, "CN=Other"),
    "an issuer whose name hers is a part of": lambda: issuer_serial(ALICE, "CN=Root,O=Evil"),
    "an issuer with her issuer's name in a value": lambda: issuer_serial(ALICE, r"CN=x\,CN\=Root"),
    "an issuer with a null character in percent encoding": lambda: issuer_serial(ALICE, "CN=Root%00.evil"),
    "an issuer with a null character": lambda: issuer_serial(ALICE, r"CN=Root\00.evil"),
    "the start of her thumbprint": lambda: by_thumbprint(thumbprint(ALICE)[:8]),
    "her thumbprint, and an octet": lambda: by_thumbprint(thumbprint(ALICE) + b"\0"),
    "her thumbprint of SHA-256": lambda: by_thumbprint(ALICE.certificate.fingerprint(hashes.SHA256())),
    "her key identifier for a thumbprint": lambda: by_thumbprint(key_identifier(ALICE)),
    "the start of her key identifier": lambda: by_identifier(key_identifier(ALICE)[:8]),
    "a KeyName with her subject": lambda: "<ds:KeyName>CN=Alice</ds:KeyName>",
    "a KeyName with her thumbprint": lambda: f"<ds:KeyName>{thumbprint(ALICE).hex()}</ds:KeyName>",
}


@NAMED.each_refused("certificate.unavailable", NOBODY)
def she_signs_and_is_named_by(key_info: Callable[[], str]) -> Built:
    return naming(key_info(), ALICE)


MALFORMED: Final[dict[str, Callable[[], str]]] = {
    "a negative serial number": lambda: issuer_serial(ALICE, serial=f"-{SERIAL}"),
    "a serial number with a sign": lambda: issuer_serial(ALICE, serial=f"+{SERIAL}"),
    "a hexadecimal serial number": lambda: issuer_serial(ALICE, serial=hex(SERIAL)),
    "a serial number in digits of another script": lambda: issuer_serial(
        ALICE, serial="".join(chr(0x0660 + int(digit)) for digit in str(SERIAL))
    ),
    "a serial number of a hundred thousand digits": lambda: issuer_serial(ALICE, serial="9" * 100_000),
    "no serial number": lambda: issuer_serial(ALICE, serial=""),
    "no issuer": lambda: issuer_serial(ALICE, issuer=""),
    "an issuer of a hundred thousand letters": lambda: issuer_serial(ALICE, issuer="CN=" + "x" * 100_000),
    "an empty thumbprint": lambda: by_thumbprint(b""),
    "an empty key identifier": lambda: by_identifier(b""),
    "an empty KeyName": lambda: "<ds:KeyName/>",
}


@NAMED.each_refused("signature.malformed", MALFORMED)
def a_reference_by(key_info: Callable[[], str]) -> Built:
    return naming(key_info(), ALICE)


# --- Several certificates in one token --------------------------------------------------------------------------------


def _path(*certificates: Issued) -> str:
    content = b"".join(one.der for one in certificates)
    octets = b"\x30\x82" + len(content).to_bytes(2, "big") + content
    return binary_token(id="X509-1", kind="X509PKIPathv1", octets=octets)


def _bag(*certificates: Issued) -> str:
    octets = pkcs7.serialize_certificates([one.certificate for one in certificates], Encoding.DER)
    return binary_token(id="X509-1", kind="PKCS7", octets=octets)


@NAMED.refused("certificate.untrusted")
def a_path_from_a_client_to_a_stranger_who_signs() -> Built:
    return naming(refers_to("X509-1"), STRANGER, _path(ALICE, STRANGER))


@NAMED.refused("signature.value")
def a_path_from_a_stranger_who_signs_to_a_client() -> Built:
    return naming(refers_to("X509-1"), STRANGER, _path(STRANGER, ALICE))


@NAMED.refused("certificate.malformed")
def a_bag_of_the_certificates_of_a_client_and_a_stranger() -> Built:
    return naming(refers_to("X509-1"), STRANGER, _bag(ALICE, STRANGER))


@NAMED.refused("certificate.untrusted")
def a_bag_of_the_certificates_of_a_stranger_and_his_root() -> Built:
    one = EVIL_ROOT.leaf("Alice")
    return naming(refers_to("X509-1"), one, _bag(EVIL_ROOT, one))


@NAMED.refused("certificate.malformed")
def a_path_of_a_hundred_certificates() -> Built:
    return naming(refers_to("X509-1"), ALICE, _path(*[BOB] * 99, ALICE))


@NAMED.refused("certificate.malformed")
def a_bag_of_a_hundred_certificates() -> Built:
    return naming(refers_to("X509-1"), ALICE, _bag(*[EVIL_ROOT.leaf(f"{n}") for n in range(99)], ALICE))


EVERY: Final = (*NAMED,)
