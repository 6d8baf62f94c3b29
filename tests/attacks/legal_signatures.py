"""Legal: signatures by every permitted algorithm, with every way to name a key."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from tests.attacks.cases import Built, Chapter
from tests.attacks.sites import SHARED
from tests.attacks.tokens import user
from tests.encrypting import WSS11
from tests.messages import WSSE, WSU, timestamp
from tests.pki import ec_key, rsa_key
from tests.signature.key_infos import embedded, identifier, issuer_serial, key_identifier, referring, x509_data
from tests.signature.shapes import STR_OCTETS
from tests.signature.signatures import ALICE, ROOT, honest, refers_to, rsa_client
from tests.signing import (
    BODY,
    C14N,
    ENVELOPED,
    EXC_C14N,
    TIMESTAMP,
    X509_PROFILE,
    Part,
    Signing,
    algorithm,
    binary_token,
    sign,
    signed,
    unsigned,
)

SIGNED: Final = Chapter("legal", "signed")
PERMITTED: Final = Chapter("legal", "every")


# --- Algorithms -------------------------------------------------------------------------------------------------------


_METHODS: Final = [(name, bits) for name in ("rsa", "rsa-pss", "ecdsa") for bits in (256, 384, 512)]


@SIGNED.each_accepted({f"{name} with SHA-{bits}": f"{name}-sha{bits}" for name, bits in _METHODS})
def a_signature_by(method: str) -> Built:
    signer = ALICE if method.startswith("ecdsa") else rsa_client()
    return signed(Signing.by(signer, method=method))


@SIGNED.each_accepted({"P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()})
def a_signature_on(curve: ec.EllipticCurve) -> Built:
    return signed(Signing.by(ROOT.leaf("Alice", key=ec_key(curve))))


@SIGNED.each_accepted({"3072 bits": (3, 3072), "4096 bits": (4, 4096)})
def a_signature_by_rsa_with(key: tuple[int, int]) -> Built:
    return signed(Signing.by(ROOT.leaf("Rosa", key=rsa_key(*key))))


@SIGNED.each_accepted({"SHA-384": "sha384", "SHA-512": "sha512"})
def a_body_digested_by(digest: str) -> Built:
    return signed(Signing.by(ALICE, parts=(replace(BODY, digest=digest), TIMESTAMP)))


@PERMITTED.each_accepted({"RSA with SHA-1": "rsa-sha1", "ECDSA with SHA-1": "ecdsa-sha1"}, source="WSS4J 1.6")
def where_it_is_permitted_a_signature_by(method: str) -> Built:
    signer = ALICE if method.startswith("ecdsa") else rsa_client()
    parts = (replace(BODY, digest="sha1"), replace(TIMESTAMP, digest="sha1"))
    return signed(Signing.by(signer, method=method, parts=parts))


@PERMITTED.each_accepted({f"SHA-{name[3:]}": f"hmac-{name}" for name in ("sha1", "sha256", "sha384", "sha512")})
def an_hmac_under_a_shared_key_with(method: str) -> Built:
    return signed(Signing(key=SHARED.encode(), method=method, key_info="<ds:KeyName>carol</ds:KeyName>"))


@PERMITTED.each_accepted({name: name for name in C14N}, source="as node-soap and PHP canonicalize")
def canonicalization_by(name: str) -> Built:
    parts = tuple(replace(part, c14n=name) for part in (BODY, TIMESTAMP))
    return signed(Signing.by(ALICE, parts=parts, c14n=name))


# --- Transforms and references ----------------------------------------------------------------------------------------

_ENVELOPED: Final = (
    f"<ds:Transforms>{algorithm('Transform', ENVELOPED)}{algorithm('Transform', EXC_C14N)}</ds:Transforms>"
)


@SIGNED.accepted(source="node-soap")
def an_enveloped_signature_transform_on_every_reference() -> Built:
    parts = tuple(Part(part.uri, transforms=_ENVELOPED) for part in (BODY, TIMESTAMP))
    return signed(Signing.by(ALICE, parts=parts))


@SIGNED.each_accepted(
    {
        "one prefix": "S", "several": "S wsu wsse", "white space around": "  S\twsu\n ", "a prefix twice": "S S",
        "the default namespace": "#default", "nothing": "", "a prefix of nobody": "S nobody",
    },
    source="Exclusive XML Canonicalization §4: NMTOKENS; WSS4J",
)  # fmt: skip
def a_prefix_list_of(prefixes: str) -> Built:
    parts = tuple(replace(part, prefixes=prefixes) for part in (BODY, TIMESTAMP))
    return signed(Signing.by(ALICE, parts=parts, prefixes=prefixes))


@SIGNED.each_accepted(
    {
        "the token": "#X509-1", "a block": "#block", "the user": "#UT-1",
    },
    source="WSS4J signs them too",
)  # fmt: skip
def signed_beside_the_body_is(uri: str) -> Built:
    block = '<h:To xmlns:h="urn:h" wsu:Id="block">here</h:To>'
    return signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part(uri))), token=user(), header=block)


@SIGNED.accepted(source="WSS 1.1 §8.3, STR-Transform; WSS4J")
def the_token_is_signed_by_its_reference() -> Built:
    key_info = refers_to("X509-1").replace(">", ' wsu:Id="STR-1">', 1)
    token = binary_token(ALICE.certificate).replace(
        "<wsse:BinarySecurityToken ", f'<wsse:BinarySecurityToken xmlns="" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" '
    )
    octets = _canonical(token)
    parts = (BODY, TIMESTAMP, Part("#STR-1", transforms=STR_OCTETS, octets=octets))
    return signed(Signing.by(ALICE, parts=parts, key_info=key_info))


def _canonical(token: str) -> bytes:
    octets = etree.tostring(etree.fromstring(token), method="c14n", exclusive=True)
    return octets.replace(b"<wsse:BinarySecurityToken ", b'<wsse:BinarySecurityToken xmlns="" ', 1)


@SIGNED.each_accepted({one: one for one in ("Id", "ID", "id", "xml:id")}, source="seen from node-soap and .NET")
def the_id_of_the_body_in(attribute: str) -> Built:
    return honest(body_attributes=f'{attribute}="body"').encode()


@SIGNED.each_accepted(
    {
        "a digit first": "5c7a9d10-uuid", "a colon": "id:body", "a URN": "urn:uuid:5c7a9d10", "dots": "_5002.body-1",
        "letters beyond ASCII": "Körper", "500 characters": "x" * 500,
    },
    source="seen from node-soap and CXF",
)  # fmt: skip
def an_id_with(id: str) -> Built:
    return signed(Signing.by(ALICE, parts=(Part(f"#{id}"), TIMESTAMP)), body_attributes=f'wsu:Id="{id}"')


# --- KeyInfo ----------------------------------------------------------------------------------------------------------


def _ski() -> str:
    octets = x509.SubjectKeyIdentifier.from_public_key(ALICE.certificate.public_key()).digest
    return referring(identifier(octets, f"{X509_PROFILE}#X509SubjectKeyIdentifier"))


def _thumbprint() -> str:
    return referring(identifier(hashlib.sha1(ALICE.der).digest(), f"{WSS11}#ThumbprintSHA1"))


_KEY_INFOS: Final[dict[str, Callable[[], str]]] = {
    "a reference with a ValueType": lambda: refers_to("X509-1", f"{X509_PROFILE}#X509v3"),
    "a reference with an Id": lambda: refers_to("X509-1").replace(">", ' wsu:Id="STR-1">', 1),
    "X509Data": lambda: x509_data(ALICE),
    "X509Data with the authority": lambda: x509_data(ALICE, ROOT),
    "a KeyIdentifier with the certificate": lambda: key_identifier(ALICE),
    "an embedded token": lambda: embedded(ALICE),
    "issuer and serial": lambda: referring(issuer_serial(ALICE)),
    "issuer and serial, bare": lambda: issuer_serial(ALICE),
    "issuer and serial and the certificate": lambda: referring(
        issuer_serial(ALICE).removesuffix("</ds:X509Data>") + x509_data(ALICE).removeprefix("<ds:X509Data>")
    ),
    "a subject key identifier": _ski,
    "a thumbprint": _thumbprint,
}


@PERMITTED.each_accepted(_KEY_INFOS, source="WSS X.509 Token Profile 1.1 §3.2; seen from WSS4J, zeep, gSOAP and .NET")
def the_certificate_by(key_info: Callable[[], str]) -> Built:
    return signed(Signing.by(ALICE, key_info=key_info()))


@SIGNED.accepted(source="WSS X.509 Token Profile 1.1 §3.1.3")
def a_path_of_certificates_in_one_token() -> Built:
    middle = ROOT.authority("Issuing")
    leaf = middle.leaf("Carol")
    token = binary_token(kind="X509PKIPathv1", octets=_path(middle.der, leaf.der))
    return sign(unsigned(token, "@SIG-1@", timestamp()), Signing.by(leaf))


def _path(*certificates: bytes) -> bytes:
    """A DER SEQUENCE of them, nearest to the root first."""
    content = b"".join(certificates)
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


EVERY: Final = (*SIGNED, *PERMITTED)
