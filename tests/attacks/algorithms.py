"""C: algorithms that are weak, none, unknown or for something else, and keys that are for other algorithms."""

import base64
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.attacks.cases import Built, Chapter
from tests.attacks.sites import SHARED
from tests.messages import DS
from tests.pki import Issued
from tests.signature.key_infos import x509_data
from tests.signature.signatures import ALICE, bent, honest, rewritten, rsa_client
from tests.signing import BODY, DIGESTS, EXC_C14N, METHODS, TIMESTAMP, Part, Signing, algorithm, signed

ALGORITHMS: Final = Chapter("C", "signed")
CONFUSION: Final = Chapter("C", "every")
"""Before a guard to which every algorithm is right that can be."""

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
TRUNCATION: Final = "CVE-2009-0217: HMACOutputLength"
JWT: Final = "CVE-2016-10555 and its kin: HMAC under a public key"
SPOOFED: Final = "CVE-2013-2172: Apache Santuario, any CanonicalizationMethod"

# --- Methods that nobody may use --------------------------------------------------------------------------------------

UNKNOWN: Final = {
    "none at all": "",
    "none by name": "none",
    "a null cipher": "http://www.w3.org/2000/09/xmldsig#null",
    "rsa-md5": f"{_MORE}rsa-md5",
    "rsa-md2": f"{_MORE}rsa-md2",
    "rsa-ripemd160": f"{_MORE}rsa-ripemd160",
    "rsa-sha224": f"{_MORE}rsa-sha224",
    "rsa-pss with parameters": "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
    "rsa-pss with SHA-1": "http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1",
    "dsa-sha1": f"{DS}dsa-sha1",
    "dsa-sha256": "http://www.w3.org/2009/xmldsig11#dsa-sha256",
    "hmac-md5": f"{_MORE}hmac-md5",
    "ecdsa-ripemd160": "http://www.w3.org/2007/05/xmldsig-more#ecdsa-ripemd160",
    "esign": f"{_MORE}esign-sha1",
    "a short name": "ecdsa-sha256",
    "another case": METHODS["ecdsa-sha256"].upper(),
    "white space before it": f" {METHODS['ecdsa-sha256']}",
    "white space behind it": f"{METHODS['ecdsa-sha256']}&#10;",
    "https": METHODS["ecdsa-sha256"].replace("http:", "https:"),
    "a digest method": DIGESTS["sha256"],
    "a transform": f"{DS}enveloped-signature",
    "a class of Java": "org.apache.xml.security.algorithms.implementations.SignatureBaseRSA",
}


@CONFUSION.each_refused("signature.algorithm", UNKNOWN, source="RFC 9231, identifiers of algorithms")
def the_signature_method_is(identifier: str) -> Built:
    return bent(
        honest(),
        (f'SignatureMethod Algorithm="{METHODS["ecdsa-sha256"]}"', f'SignatureMethod Algorithm="{identifier}"'),
    )


NO_DIGESTS: Final = {
    "none at all": "",
    "none by name": "none",
    "sha224": f"{_MORE}sha224",
    "ripemd160": "http://www.w3.org/2001/04/xmlenc#ripemd160",
    "a checksum": "urn:crc32",
    "a signature method": METHODS["rsa-sha256"],
    "an HMAC": METHODS["hmac-sha256"],
    "a canonicalization": EXC_C14N,
    "white space behind it": f"{DIGESTS['sha256']} ",
}


@CONFUSION.each_refused("signature.algorithm", NO_DIGESTS)
def the_digest_method_is(identifier: str) -> Built:
    method = algorithm("DigestMethod", DIGESTS["sha256"])
    return signed(Signing.by(ALICE, replaced={method: algorithm("DigestMethod", identifier)}))


@CONFUSION.refused("signature.algorithm")
def the_digest_of_the_body_is_a_right_md5() -> Built:
    return signed(Signing.by(ALICE, parts=(Part("#body", digest="md5"), TIMESTAMP)))


NO_CANONICALIZATIONS: Final = {
    "none at all": "",
    "minimal": f"{DS}minimal",
    "base64": f"{DS}base64",
    "XSLT": "http://www.w3.org/TR/1999/REC-xslt-19991116",
    "XPath": "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "enveloped-signature": f"{DS}enveloped-signature",
    "a digest method": DIGESTS["sha256"],
    "a physical one": "http://santuario.apache.org/c14n/physical",
    "an unknown one": "urn:constant",
}


@CONFUSION.each_refused("signature.algorithm", NO_CANONICALIZATIONS, source=SPOOFED)
def the_canonicalization_method_is(identifier: str) -> Built:
    method = algorithm("CanonicalizationMethod", EXC_C14N)
    return bent(honest(), (method, algorithm("CanonicalizationMethod", identifier)))


# --- Methods that are weak, or not permitted --------------------------------------------------------------------------

WEAK: Final[dict[str, Callable[[], Signing]]] = {
    "rsa-sha1": lambda: Signing.by(rsa_client(), method="rsa-sha1"),
    "ecdsa-sha1": lambda: Signing.by(ALICE, method="ecdsa-sha1"),
    "hmac-sha1": lambda: Signing(key=SHARED.encode(), method="hmac-sha1", key_info=CAROL),
    "hmac-sha256": lambda: Signing(key=SHARED.encode(), method="hmac-sha256", key_info=CAROL),
    "sha1 for the Body": lambda: Signing.by(ALICE, parts=(Part("#body", digest="sha1"), TIMESTAMP)),
    "sha1 for the Timestamp": lambda: Signing.by(ALICE, parts=(BODY, Part("#TS-1", digest="sha1"))),
    "c14n for SignedInfo": lambda: Signing.by(ALICE, c14n="c14n"),
    "c14n with comments for SignedInfo": lambda: Signing.by(ALICE, c14n="c14n-with-comments"),
    "c14n for the Body": lambda: Signing.by(ALICE, parts=(Part("#body", c14n="c14n"), TIMESTAMP)),
    "c14n11 for the Body": lambda: Signing.by(ALICE, parts=(Part("#body", c14n="c14n11"), TIMESTAMP)),
    "comments for the Body": lambda: Signing.by(ALICE, parts=(Part("#body", c14n="exc-c14n-with-comments"), TIMESTAMP)),
    "no transform for the Body": lambda: Signing.by(
        ALICE, parts=(Part("#body", transforms="", c14n="c14n"), TIMESTAMP)
    ),
}
CAROL: Final = "<ds:KeyName>carol</ds:KeyName>"


@ALGORITHMS.each_refused("signature.algorithm", WEAK)
def what_is_not_permitted_is_right_otherwise(signing: Callable[[], Signing]) -> Built:
    return signed(signing())


# --- Keys of another kind ---------------------------------------------------------------------------------------------


def _in(encoding: Encoding) -> Callable[[Issued], bytes]:
    return lambda one: one.certificate.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def _modulus(one: Issued) -> bytes:
    key = one.certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key.public_numbers().n.to_bytes(256, "big")


PUBLIC: Final[dict[str, tuple[Callable[[], Issued], Callable[[Issued], bytes]]]] = {
    "the RSA key in DER": (rsa_client, _in(Encoding.DER)),
    "the RSA key in PEM": (rsa_client, _in(Encoding.PEM)),
    "the RSA key in PEM without line feed": (rsa_client, lambda one: _in(Encoding.PEM)(one).rstrip()),
    "the modulus": (rsa_client, _modulus),
    "the RSA certificate in DER": (rsa_client, lambda one: one.der),
    "the RSA certificate in PEM": (rsa_client, lambda one: one.pem),
    "the RSA certificate in base64": (rsa_client, lambda one: base64.b64encode(one.der)),
    "the EC key in DER": (lambda: ALICE, _in(Encoding.DER)),
    "the EC key in PEM": (lambda: ALICE, _in(Encoding.PEM)),
    "the EC certificate in DER": (lambda: ALICE, lambda one: one.der),
}


@CONFUSION.each_refused("certificate.unavailable", PUBLIC, source=JWT)
def an_hmac_under_what_is_public(what: tuple[Callable[[], Issued], Callable[[Issued], bytes]]) -> Built:
    one, octets = what[0](), what[1]
    return signed(Signing(key=octets(one), certificate=one.certificate, method="hmac-sha256"))


@CONFUSION.each_refused("signature.value", PUBLIC, source=JWT)
def an_hmac_by_the_name_of_the_shared_key_under(what: tuple[Callable[[], Issued], Callable[[Issued], bytes]]) -> Built:
    return signed(Signing(key=what[1](what[0]()), method="hmac-sha256", key_info=CAROL))


@CONFUSION.each_refused(
    "signature.value", {"empty": b"", "zeros": bytes(32), "its name": b"carol", "a part of it": SHARED.encode()[:16]}
)
def an_hmac_under_a_key_that_is(key: bytes) -> Built:
    return signed(Signing(key=key, method="hmac-sha256", key_info=CAROL))


@CONFUSION.refused("certificate.unavailable")
def an_hmac_under_the_shared_key_beside_a_certificate() -> Built:
    return signed(Signing(key=SHARED.encode(), method="hmac-sha256", key_info=CAROL + x509_data(ALICE)))


@CONFUSION.refused("certificate.unavailable")
def a_signature_of_a_clients_key_by_the_name_of_the_shared_key() -> Built:
    return signed(Signing.by(ALICE, key_info=CAROL))


@CONFUSION.each_refused(
    "signature.malformed", {f"{bits} bits": bits for bits in (0, 1, 8, 80, 128, 255, 256, -1)}, source=TRUNCATION
)
def an_hmac_cut_to(bits: int) -> Built:
    """Of 0, 1 and 8 bits everybody guesses the right value."""
    method = algorithm("SignatureMethod", METHODS["hmac-sha256"])
    cut = method.replace("></", f"><ds:HMACOutputLength>{bits}</ds:HMACOutputLength></")
    sent = signed(Signing(key=SHARED.encode(), method="hmac-sha256", key_info=CAROL, replaced={method: cut}))
    return rewritten(sent, lambda value: value[: max(bits, 0) // 8])


@CONFUSION.each_refused(
    "signature.value", {"nothing": 0, "one octet": 1, "half": 16, "all but one octet": 31}, source=TRUNCATION
)
def an_hmac_of_which_there_is(octets: int) -> Built:
    sent = signed(Signing(key=SHARED.encode(), method="hmac-sha256", key_info=CAROL))
    return rewritten(sent, lambda value: value[:octets])


OTHER_KINDS: Final[dict[str, tuple[Callable[[], Issued], str]]] = {
    "an EC key for RSA": (lambda: ALICE, "rsa-sha256"),
    "an EC key for PSS": (lambda: ALICE, "rsa-pss-sha256"),
    "an RSA key for ECDSA": (rsa_client, "ecdsa-sha256"),
}


@ALGORITHMS.each_refused("signature.value", OTHER_KINDS)
def a_signature_with(kind: tuple[Callable[[], Issued], str]) -> Built:
    return signed(Signing.by(kind[0](), method=kind[1]))


CLAIMED: Final = {
    "another hash": ("rsa-sha256", "rsa-sha512"),
    "PKCS #1 for PSS": ("rsa-sha256", "rsa-pss-sha256"),
    "PSS for PKCS #1": ("rsa-pss-sha256", "rsa-sha256"),
    "PSS with another hash": ("rsa-pss-sha256", "rsa-pss-sha384"),
}


@ALGORITHMS.each_refused("signature.value", CLAIMED)
def a_value_that_is_passed_off_as_of_another_method(methods: tuple[str, str]) -> Built:
    made, claimed = methods
    sent = signed(Signing.by(rsa_client(), method=made)).decode()
    return bent(sent, (METHODS[made], METHODS[claimed]))


EVERY: Final = (*ALGORITHMS, *CONFUSION)
