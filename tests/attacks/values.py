"""C: SignatureValues that fit for a verifier that does not look closely, made without the private key."""

import base64
from collections.abc import Callable
from itertools import count
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.attacks.cases import Built, Chapter
from tests.attacks.people import small_exponent
from tests.pki import ec_key
from tests.signature.signatures import ROOT, honest, rewritten, rsa_client
from tests.signing import Signing, signed

VALUES: Final = Chapter("C", "signed")

PSYCHIC: Final = "CVE-2022-21449: Java, psychic signatures"

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (SEC 2 §2.4.2)."""
GENERATOR: Final = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
"""The first coordinate of its generator."""

Write = Callable[[bytes], bytes]
"""Makes a value of the right one."""


def _halves(r: int, s: int) -> Write:
    return lambda value: r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _der(r: int, s: int) -> Write:
    return lambda value: encode_dss_signature(r, s)


def _right_in_der(value: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))


# --- ECDSA ------------------------------------------------------------------------------------------------------------

FITTING_EVERYTHING: Final[dict[str, Write]] = {
    "zero and zero": _halves(0, 0),
    "zero and one": _halves(0, 1),
    "one and zero": _halves(1, 0),
    "one and one": _halves(1, 1),
    "the order twice": _halves(ORDER, ORDER),
    "the order and one": _halves(ORDER, 1),
    "zero and the order": _halves(0, ORDER),
    "the order less one twice": _halves(ORDER - 1, ORDER - 1),
    "the generator and one": _halves(GENERATOR, 1),
    "the generator and the order": _halves(GENERATOR, ORDER),
    "the largest numbers": _halves(2**256 - 1, 2**256 - 1),
    "zero and zero in DER": _der(0, 0),
    "the order twice in DER": _der(ORDER, ORDER),
}


@VALUES.each_refused("signature.value", FITTING_EVERYTHING, source=PSYCHIC)
def an_ecdsa_value_of(write: Write) -> Built:
    return rewritten(honest().encode(), write)


def _larger(half: bytes) -> bytes:
    """The same number modulo the order, and another."""
    return (int.from_bytes(half, "big") + ORDER).to_bytes(33, "big")


OTHER_SPELLINGS: Final[dict[str, Write]] = {
    "in DER": _right_in_der,
    "in DER, cut to the right length": lambda value: _right_in_der(value)[:64],
    "with a zero before each half": lambda value: b"\0" + value[:32] + b"\0" + value[32:],
    "with zeros before it": lambda value: bytes(2) + value,
    "with an octet behind it": lambda value: value + b"\0",
    "without its last octet": lambda value: value[:-1],
    "twice": lambda value: value * 2,
    "with the halves exchanged": lambda value: value[32:] + value[:32],
    "with the order added to each half": lambda value: _larger(value[:32]) + _larger(value[32:]),
    "with only the first half": lambda value: value[:32],
    "with the first half zero": lambda value: bytes(32) + value[32:],
    "with the second half zero": lambda value: value[:32] + bytes(32),
    "with the first half negated": lambda value: (
        (ORDER - int.from_bytes(value[:32], "big")).to_bytes(32, "big") + value[32:]
    ),
    "as nothing": lambda value: b"",
}


@VALUES.each_refused("signature.value", OTHER_SPELLINGS)
def a_right_ecdsa_value(write: Write) -> Built:
    return rewritten(honest().encode(), write)


@VALUES.refused("signature.value")
def a_right_value_on_p521_without_the_zeros_before_its_halves() -> Built:
    sent = signed(Signing.by(ROOT.leaf("Alice", key=ec_key(ec.SECP521R1()))))
    return rewritten(sent, lambda value: value[1:66] + value[67:])


# --- RSA --------------------------------------------------------------------------------------------------------------


def _public() -> rsa.RSAPublicNumbers:
    key = rsa_client().certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key.public_numbers()


OTHER_NUMBERS: Final[dict[str, Write]] = {
    "of zero": lambda value: bytes(256),
    "of one": lambda value: bytes(255) + b"\1",
    "of the modulus less one": lambda value: (_public().n - 1).to_bytes(256, "big"),
    "of the modulus": lambda value: _public().n.to_bytes(256, "big"),
    "of all ones": lambda value: b"\xff" * 256,
    "with the modulus added": lambda value: (int.from_bytes(value, "big") + _public().n).to_bytes(257, "big"),
    "negated": lambda value: (_public().n - int.from_bytes(value, "big")).to_bytes(256, "big"),
    "with a zero before it": lambda value: b"\0" + value,
    "with a zero behind it": lambda value: value + b"\0",
    "without its last octet": lambda value: value[:-1],
    "without its first octet": lambda value: value[1:],
    "as nothing": lambda value: b"",
    "as what it is the signature of": lambda value: pow(int.from_bytes(value, "big"), 65537, _public().n).to_bytes(
        256, "big"
    ),
}


@VALUES.each_refused("signature.value", OTHER_NUMBERS)
def an_rsa_value(write: Write) -> Built:
    return rewritten(signed(Signing.by(rsa_client())), write)


@VALUES.each_refused(
    "signature.value", {name: OTHER_NUMBERS[name] for name in ("of zero", "of one", "with a zero before it")}
)
def a_pss_value(write: Write) -> Built:
    return rewritten(signed(Signing.by(rsa_client(), method="rsa-pss-sha256")), write)


# --- PKCS #1 with exponent 3 ------------------------------------------------------------------------------------------

SHA256_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER before a SHA-256 in a DigestInfo (RFC 8017 §9.2)."""
_OID: Final = bytes.fromhex("0609608648016503040201")
LENGTH: Final = 256
"""Octets of the modulus."""

FORGERIES: Final[dict[str, tuple[str, Callable[[bytes], tuple[bytes, bytes]]]]] = {
    "garbage behind the digest": (
        "CVE-2006-4339: OpenSSL, Bleichenbacher's forgery",
        lambda digest: (b"\0\1" + b"\xff" * 8 + b"\0" + SHA256_INFO + digest, b""),
    ),
    "garbage in the parameters of the hash": (
        "CVE-2006-4790: GnuTLS, parameters of the hash",
        lambda digest: (
            b"\0\1" + b"\xff" * 8 + b"\0" + b"\x30\x81\xf2" + b"\x30\x81\xcd" + _OID + b"\x04\x81\xbf",
            b"\x04\x20" + digest,
        ),
    ),
    "garbage for padding": (
        "CVE-2016-1494: python-rsa, padding that nobody looks at",
        lambda digest: (b"\0\1", b"\0" + SHA256_INFO + digest),
    ),
    "garbage before the end": (
        "Chau et al., symbolic execution of PKCS#1 v1.5 verification, 2019",
        lambda digest: (b"\0", b"\0" + SHA256_INFO + digest),
    ),
}
"""Source, and what a block of PKCS #1 starts and ends with, with garbage between."""


def forged(prefix: bytes, suffix: bytes) -> bytes:
    """A number whose cube starts with ``prefix`` and ends with ``suffix``, which is odd: no private key is needed."""
    shift, bits = 8 * (LENGTH - len(prefix)), 8 * len(suffix)
    root = _cube_root((int.from_bytes(prefix, "big") << shift) + (1 << (shift - 1)))
    if suffix:
        # Cubing permutes the odd numbers modulo 2**bits, whose group has the exponent 2**(bits - 2).
        end = pow(int.from_bytes(suffix, "big"), pow(3, -1, 1 << (bits - 2)), 1 << bits)
        root = (root >> bits << bits) | end
    cube = (root**3).to_bytes(LENGTH, "big")
    assert cube.startswith(prefix)
    assert cube.endswith(suffix)
    return root.to_bytes(LENGTH, "big")


def _cube_root(number: int) -> int:
    """The largest whole number whose cube is not larger."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


def _digest_in(value: bytes) -> bytes:
    key = small_exponent().certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return pow(int.from_bytes(value, "big"), 3, key.public_numbers().n).to_bytes(LENGTH, "big")[-32:]


def _odd() -> tuple[bytes, bytes]:
    """A message of Edward's, and an odd SHA-256 of its SignedInfo."""
    for number in count():
        signing = Signing.by(small_exponent(), replaced={"<ds:SignedInfo>": f'<ds:SignedInfo Id="SI-{number}">'})
        message = signed(signing)
        digest = _digest_in(value_in(message))
        if digest[-1] & 1:
            return message, digest
    raise AssertionError


def value_in(message: bytes) -> bytes:
    """The SignatureValue."""
    return base64.b64decode(message.partition(b"<ds:SignatureValue>")[2].partition(b"<")[0])


def a_forged_value_under_exponent_3_with(block: Callable[[bytes], tuple[bytes, bytes]]) -> Built:
    message, digest = _odd()
    return rewritten(message, lambda value: forged(*block(digest)))


for _name, (_source, _block) in FORGERIES.items():
    VALUES.each_refused("signature.value", {_name: _block}, source=_source)(a_forged_value_under_exponent_3_with)


EVERY: Final = (*VALUES,)
