"""Messages that are built to cost much before anybody is trusted: 100 KB of them cost a few milliseconds.

Whoever knows a client's certificate can name it, and is stopped by SignatureValue only: so SignedInfo is cheap too.
"""

import base64
import re
import time
from functools import cache
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from tests.messages import BASE64, timestamp
from tests.pki import Issued, authority, rsa_key
from tests.signature.mutations import Forgetful
from tests.signature.signatures import ALICE, Guarding, SignedGuard, honest, refers_to
from tests.signing import (
    C14N,
    DIGESTS,
    ENVELOPED,
    METHODS,
    TIMESTAMP,
    X509_PROFILE,
    Part,
    Signing,
    algorithm,
    binary_token,
    inclusive,
    signed,
    unsigned,
)
from wsguard.names import XSD, XSI

MOST_SECONDS: Final = 0.2
"""Four times what a message of 100 KB may cost, for machines that are busy or slow."""
MANY: Final = 59
"""Of namespaces: with four that ``unsigned`` declares and one of a PrefixList, as many as ``limits.namespaces`` is."""


@pytest.fixture(scope="module")
def warm(guarded: Guarding) -> SignedGuard:
    """Has judged messages before, and knows Alice's certificate."""
    guard = guarded(replay_store=Forgetful(), trust={"known_certificates": [ALICE]})
    guard.accepted(honest().encode())
    guard.refusal(message(signature(key_info=KNOWN)))
    return guard


def seconds_of(guard: SignedGuard, octets: bytes, check: str) -> float:
    """The time of this process that a message takes until ``check`` refuses it; accepted where that is empty."""
    started = time.process_time()
    answer = guard.post(octets)
    spent = time.process_time() - started
    assert answer.check == check, answer.record
    return spent


# --- Parts ------------------------------------------------------------------------------------------------------------


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


ZEROS: Final = b64(bytes(32))
PREFIXES: Final = " ".join(f"n{i}" for i in range(32))
_IDENTIFIER: Final = x509.SubjectKeyIdentifier.from_public_key(ALICE.certificate.public_key()).digest
KNOWN: Final = (
    f'<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{X509_PROFILE}#X509SubjectKeyIdentifier" '
    f'EncodingType="{BASE64}">{b64(_IDENTIFIER)}</wsse:KeyIdentifier></wsse:SecurityTokenReference>'
)
TOKEN: Final = refers_to("X509-1")


def namespaces(count: int, prefix: str = "n") -> str:
    return " ".join(f'xmlns:{prefix}{i}="urn:{i}"' for i in range(count))


def references(count: int = 1, prefixes: str | None = None, value: str = ZEROS, transforms: int = 1) -> str:
    transform = algorithm("Transform", C14N["exc-c14n"], inclusive(prefixes))
    return "".join(
        f'<ds:Reference URI="#r{i}"><ds:Transforms>{transform * transforms}</ds:Transforms>'
        f"{algorithm('DigestMethod', DIGESTS['sha256'])}<ds:DigestValue>{value}</ds:DigestValue></ds:Reference>"
        for i in range(count)
    )


def signature(
    inside: str | None = None, key_info: str = "<ds:KeyName>x</ds:KeyName>", value: str = b64(bytes(64)), **c14n: str
) -> str:
    """A signature of the right shape whose value nobody made."""
    method = algorithm("CanonicalizationMethod", C14N["exc-c14n"], inclusive(c14n.get("prefixes")))
    return (
        f"<ds:Signature><ds:SignedInfo>{method}{algorithm('SignatureMethod', METHODS['ecdsa-sha256'])}"
        f"{references() if inside is None else inside}</ds:SignedInfo><ds:SignatureValue>{value}</ds:SignatureValue>"
        f"<ds:KeyInfo>{key_info}</ds:KeyInfo></ds:Signature>"
    )


def message(*security: str, header: str = "", declared: str | None = None) -> bytes:
    """With as many namespaces in scope as may be, unless others are given."""
    attributes = namespaces(MANY) if declared is None else declared
    return unsigned(*security, timestamp(), header=header, envelope_attributes=attributes).encode()


def x509_data(*children: str) -> str:
    return f"<ds:X509Data>{''.join(children)}</ds:X509Data>"


def certificate(octets: bytes) -> str:
    return f"<ds:X509Certificate>{b64(octets)}</ds:X509Certificate>"


def key_value(modulus: bytes, exponent: bytes = b"\1\0\1") -> str:
    numbers = f"<ds:Modulus>{b64(modulus)}</ds:Modulus><ds:Exponent>{b64(exponent)}</ds:Exponent>"
    return f"<ds:KeyValue><ds:RSAKeyValue>{numbers}</ds:RSAKeyValue></ds:KeyValue>"


@cache
def chain() -> tuple[Issued, ...]:
    """Eight certificates, each of the size that is just taken, that issued each other; ours issued none of them."""
    issuer = authority("Root", key=rsa_key(40))
    found = []
    for number in range(8):
        units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"u{i:03}") for i in range(150)]
        names = x509.SubjectAlternativeName([x509.DNSName(f"a{i}.example") for i in range(200)])
        subject = x509.Name([*units, x509.NameAttribute(NameOID.COMMON_NAME, f"c{number}")])
        issue = issuer.authority if number < 7 else issuer.leaf
        issuer = issue(subject, key=rsa_key(41 + number % 2), extensions=[(names, False)])
        found.append(issuer)
    return tuple(found)


def pki_path() -> bytes:
    """The chain in a SEQUENCE."""
    octets = b"".join(one.der for one in chain())
    return b"\x30\x83" + len(octets).to_bytes(3, "big") + octets


def bound_anew() -> str:
    """References in which every element binds the prefixes of the PrefixList anew."""
    numbers = iter(range(10_000))

    def binding(start: re.Match[str]) -> str:
        return f"{start[0]} {namespaces(32)}".replace('"urn:', f'"urn:{next(numbers)}:')

    return re.sub(r"<ds:\w+", binding, references(9))


# --- Nobody -----------------------------------------------------------------------------------------------------------

STRANGE: Final = [
    ("many signatures", "certificate.unavailable", signature() * 120),
    ("many tokens", "certificate.unavailable", "<wsse:BinarySecurityToken/>" * 3_500 + signature()),
    ("references and namespaces", "certificate.unavailable", signature(references(30, PREFIXES))),
    ("more references", "limits.references", signature(references(250))),
    ("many transforms", "signature.malformed", signature(references(30, PREFIXES, transforms=8))),
    ("more prefixes", "limits.prefix_list", signature(references(1, " ".join(f"a{i}" for i in range(15_000))))),
    ("a long prefix", "signature.malformed", signature(references(1, "a" * 90_000))),
    ("SignatureValue", "certificate.unavailable", signature(value=b64(bytes(74_000)))),
    ("no base64", "signature.malformed", signature(value="A" * 99_999 + "!")),
    ("DigestValue", "signature.malformed", signature(references(value=b64(bytes(74_000))))),
    ("token", "certificate.malformed", binary_token(octets=bytes(65_000)) + signature(key_info=TOKEN)),
    ("nested DER", "certificate.malformed", binary_token(octets=b"\x30\x80" * 32_000) + signature(key_info=TOKEN)),
    (
        "sixteen certificates",
        "certificate.malformed",
        signature(key_info=x509_data(*(certificate(bytes([i]) * 4_500) for i in range(16)))),
    ),
    ("KeyValue", "certificate.unavailable", signature(key_info=key_value(b"\xff" * 2_048))),
    ("exponent", "certificate.unavailable", signature(key_info=key_value(b"\xff" * 2_048, b"\xff" * 2_047))),
    ("KeyValue of 600,000 bits", "signature.malformed", signature(key_info=key_value(b"\xff" * 75_000))),
    ("URI", "certificate.unavailable", signature(references().replace("#r0", "#" + "r" * 95_000))),
    ("URI of a token", "certificate.unavailable", signature(key_info=refers_to("r" * 95_000))),
    ("X509Data", "signature.malformed", signature(key_info=x509_data() * 6_000)),
    ("X509Certificate", "signature.malformed", signature(key_info=x509_data("<ds:X509Certificate/>" * 4_500))),
    ("references to tokens", "signature.malformed", signature(key_info="<wsse:SecurityTokenReference/>" * 3_000)),
]


@pytest.mark.parametrize("check, security", [pytest.param(*rest, id=name) for name, *rest in STRANGE])
def test_a_stranger_costs_little(warm: SignedGuard, check: str, security: str) -> None:
    assert seconds_of(warm, message(security), check) < MOST_SECONDS


def test_header_blocks_of_a_stranger_cost_little(warm: SignedGuard) -> None:
    octets = message(signature(), header="<a/>" * 45_000)
    assert seconds_of(warm, octets, "certificate.unavailable") < 2 * MOST_SECONDS, "180 KB"


@pytest.mark.parametrize("form", ["X509Data", "X509PKIPathv1", "PKCS7"])
def test_a_chain_of_nobody_costs_little(warm: SignedGuard, form: str) -> None:
    if form == "X509Data":
        security = signature(key_info=x509_data(*(certificate(one.der) for one in chain())))
    else:
        certificates = [one.certificate for one in chain()]
        octets = pki_path() if form != "PKCS7" else pkcs7.serialize_certificates(certificates, Encoding.DER)
        security = binary_token(octets=octets, kind=form) + signature(key_info=TOKEN)
    assert seconds_of(warm, message(security), "certificate.untrusted") < MOST_SECONDS


# --- A known certificate, and a value that nobody made ----------------------------------------------------------------

LONG: Final = "p" * 120
TWICE: Final = f"<ds:Transforms>{algorithm('Transform', ENVELOPED)}"
NAMED: Final = [
    ("many signatures", signature(key_info=KNOWN) * 90),
    ("references and namespaces", signature(references(30, PREFIXES), KNOWN, prefixes=PREFIXES)),
    (
        "two transforms each",
        signature(references(30, PREFIXES).replace("<ds:Transforms>", TWICE), KNOWN, prefixes=PREFIXES),
    ),
    ("prefixes bound anew", signature(bound_anew(), KNOWN, prefixes=PREFIXES)),
    ("white space", signature(" " * 95_000 + references(), KNOWN)),
    ("line ends", signature("&#13;" * 19_000 + references(), KNOWN)),
    ("URI", signature(references().replace("#r0", "#" + "&quot;" * 15_000), KNOWN)),
]


@pytest.mark.parametrize("security", [pytest.param(one, id=name) for name, one in NAMED])
def test_a_known_certificate_costs_little(warm: SignedGuard, security: str) -> None:
    assert seconds_of(warm, message(security), "signature.value") < MOST_SECONDS


def test_long_prefixes_cost_little(warm: SignedGuard) -> None:
    listed = " ".join(f"{LONG}{i}" for i in range(32))
    octets = message(signature(references(30), KNOWN, prefixes=listed), declared=namespaces(MANY, LONG))
    assert seconds_of(warm, octets, "signature.value") < MOST_SECONDS


# --- A trusted signer -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c14n", ["exc-c14n", "c14n"])
def test_a_body_of_many_types_costs_in_proportion(guarded: Guarding, c14n: str) -> None:
    guard = guarded(replay_store=Forgetful(), algorithms={"canonicalization": ["exc-c14n", "c14n"]})
    guard.accepted(honest().encode())
    content = '<e:v xsi:type="xs:string">1</e:v>' * 10_000
    body = f'<e:Echo xmlns:e="urn:echo" xmlns:xsi="{XSI}" xmlns:xs="{XSD}">{content}</e:Echo>'
    octets = signed(Signing.by(ALICE, parts=(Part("#body", c14n=c14n), TIMESTAMP)), body=body)
    assert seconds_of(guard, octets, "") < 1
