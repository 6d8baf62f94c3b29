"""D: what a ds:KeyInfo says of keys: the sender's own, two at once, elsewhere, or of a kind that is not believed."""

from collections.abc import Callable
from typing import Final

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import WRAPPER
from tests.messages import DS, timestamp
from tests.pki import Issued
from tests.signature.key_infos import (
    DS11,
    embedded,
    in_base64,
    issuer_serial,
    key_value,
    referring,
    x509_data,
)
from tests.signature.signatures import ALICE, BOB, STRANGER, bent, honest, refers_to, rsa_client
from tests.signing import Signing, binary_token, sign, signed, unsigned

KEY_INFO: Final = Chapter("D", "signed")

XMLSEC: Final = "libxmlsec without a key of its own: a RetrievalMethod to the sender's RSAKeyValue verifies"
CRASH: Final = "libxmlsec: a RetrievalMethod that leads to itself ends the process"


def stranger(key_info: str, **changes: object) -> bytes:
    """Signed with a stranger's key, with Alice's certificate in the message."""
    return signed(
        Signing(key=STRANGER.key, certificate=ALICE.certificate, method="ecdsa-sha256", key_info=key_info, **changes)  # type: ignore[arg-type]
    )


# --- Bare keys --------------------------------------------------------------------------------------------------------

BARE: Final[dict[str, Callable[[], Issued]]] = {
    "a stranger's": lambda: STRANGER,
    "a client's": lambda: ALICE,
    "a client's RSA key": rsa_client,
}


@KEY_INFO.each_refused("certificate.unavailable", BARE)
def a_bare_key_in_key_value_is(make: Callable[[], Issued]) -> Built:
    one = make()
    return signed(Signing.by(one, key_info=key_value(one)))


def _explicit() -> str:
    """P-256 with the client's public key for a generator, so that its private key is 1."""
    named, own = '<e:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>', key_value(ALICE)
    point = own.partition("<e:PublicKey>")[2].partition("</e:PublicKey>")[0]
    base = f"<e:Base>{point}</e:Base><e:Order>{in_base64(bytes(32))}</e:Order>"
    curve = f"<e:Curve><e:A>AA==</e:A><e:B>AA==</e:B></e:Curve>{base}"
    field = "<e:FieldID><e:Prime><e:P>AA==</e:P></e:Prime></e:FieldID>"
    return own.replace(named, f"<e:ECParameters>{field}{curve}</e:ECParameters>")


NOT_TAKEN: Final[dict[str, Callable[[], str]]] = {
    "a curve of the sender's own": _explicit,
    "an RSA key with exponent 1": lambda: key_value(rsa_client()).replace("AQAB", "AQ=="),
    "an RSA key with an even modulus": lambda: (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{in_base64(bytes([255] * 255 + [254]))}</ds:Modulus>"
        "<ds:Exponent>AA==</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    ),
    "an RSA key of 60,000 octets": lambda: (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{in_base64(bytes([255]) * 60_000)}</ds:Modulus>"
        "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    ),
    "a point that is not on the curve": lambda: (
        f'<ds:KeyValue><e:ECKeyValue xmlns:e="{DS11}"><e:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
        f"<e:PublicKey>{in_base64(bytes([4] + [1] * 64))}</e:PublicKey></e:ECKeyValue></ds:KeyValue>"
    ),
    "the point at infinity": lambda: (
        f'<ds:KeyValue><e:ECKeyValue xmlns:e="{DS11}"><e:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
        "<e:PublicKey>AA==</e:PublicKey></e:ECKeyValue></ds:KeyValue>"
    ),
    "a DSA key": lambda: "<ds:KeyValue><ds:DSAKeyValue><ds:Y>AQ==</ds:Y></ds:DSAKeyValue></ds:KeyValue>",
    "two keys": lambda: key_value(ALICE).replace("</ds:KeyValue>", "<ds:RSAKeyValue/></ds:KeyValue>"),
    "a key in DER": lambda: (
        f'<e:DEREncodedKeyValue xmlns:e="{DS11}">{in_base64(STRANGER.public_key)}</e:DEREncodedKeyValue>'
    ),
    "PGPData": lambda: "<ds:PGPData><ds:PGPKeyID>AAAA</ds:PGPKeyID></ds:PGPData>",
    "SPKIData": lambda: "<ds:SPKIData><ds:SPKISexp>AAAA</ds:SPKISexp></ds:SPKIData>",
    "MgmtData": lambda: "<ds:MgmtData>AAAA</ds:MgmtData>",
    "a reference to another KeyInfo": lambda: f'<e:KeyInfoReference xmlns:e="{DS11}" URI="#SIG-1"/>',
}


@KEY_INFO.each_refused(
    "signature.malformed", NOT_TAKEN, source="CVE-2020-0601 and others: parameters of the sender's own"
)
def a_key_info_of(key_info: Callable[[], str]) -> Built:
    return stranger(key_info())


RETRIEVED: Final[dict[str, Callable[[], str]]] = {
    "the sender's own key": lambda: "#KV",
    "all of the document": lambda: "",
    "a file": lambda: canary().as_uri(),
    "a path": lambda: str(canary()),
    "a host": lambda: "http://192.0.2.1/key.crt",
}


@KEY_INFO.each_refused("signature.malformed", RETRIEVED, source=XMLSEC)
def a_retrieval_method_that_leads_to(uri: Callable[[], str]) -> Built:
    retrieval = f'<ds:RetrievalMethod Id="RM" URI="{uri()}" Type="{DS}RSAKeyValue"/>'
    key = key_value(STRANGER).replace("<ds:KeyValue>", '<ds:KeyValue Id="KV">')
    envelope = unsigned("@SIG-1@", timestamp(), header=WRAPPER.format(key))
    return sign(envelope, Signing(key=STRANGER.key, method="ecdsa-sha256", key_info=retrieval))


KEY_INFO.each_refused("signature.malformed", {"itself": lambda: "#RM"}, isolated=True, source=CRASH)(
    a_retrieval_method_that_leads_to
)


@KEY_INFO.refused("signature.malformed", source="CVE-2021-40690: Apache Santuario, KeyInfoReference")
def a_retrieval_method_beside_a_good_reference() -> Built:
    retrieval = f'<ds:RetrievalMethod URI="{canary().as_uri()}" Type="{DS}rawX509Certificate"/>'
    return signed(Signing.by(ALICE, key_info=refers_to("X509-1") + retrieval))


# --- Two at once ------------------------------------------------------------------------------------------------------

TWO_KEYS: Final[dict[str, Callable[[], str]]] = {
    "a stranger's key before a client's certificate": lambda: key_value(STRANGER) + refers_to("X509-1"),
    "a stranger's key behind a client's certificate": lambda: refers_to("X509-1") + key_value(STRANGER),
    "the certificates of a stranger and of a client": lambda: x509_data(STRANGER, ALICE),
    "the certificates of two clients": lambda: x509_data(BOB, ALICE),
    "a client's certificate, and the serial number of another": lambda: refers_to("X509-1") + issuer_serial(BOB),
    "a client's certificate in a reference that names another": lambda: referring(
        '<wsse:Reference URI="#X509-1"/>' + issuer_serial(BOB)
    ),
}


@KEY_INFO.each_refused("certificate.malformed", TWO_KEYS)
def a_key_info_that_names(key_info: Callable[[], str]) -> Built:
    return stranger(key_info())


TWO_FORMS: Final[dict[str, Callable[[], str]]] = {
    "X509Data of a client, and of a stranger": lambda: x509_data(ALICE) + x509_data(STRANGER),
    "two references": lambda: refers_to("X509-1") * 2,
    "two tokens in one reference": lambda: referring('<wsse:Reference URI="#X509-1"/>' * 2),
    "two embedded tokens": lambda: embedded(ALICE).replace(
        "</wsse:Embedded>", f"{binary_token(STRANGER.certificate, id='X509-3')}</wsse:Embedded>"
    ),
    "a certificate and a token": lambda: refers_to("X509-1") + x509_data(STRANGER),
    "a reference in a reference": lambda: referring(refers_to("X509-1")),
    "an empty reference": lambda: referring(""),
}


@KEY_INFO.each_refused("signature.malformed", TWO_FORMS)
def a_key_info_with(key_info: Callable[[], str]) -> Built:
    return stranger(key_info())


SIGNERS: Final = {
    "a client as another": (BOB, "X509-A", BOB),
    "a stranger as a client": (STRANGER, "X509-A", STRANGER),
    "a client as a stranger's victim": (ALICE, "X509-B", BOB),
}


@KEY_INFO.each_refused("signature.value", SIGNERS)
def of_two_tokens_the_one_that_is_meant_is_not_the_signers(how: tuple[Issued, str, Issued]) -> Built:
    signer, meant, other = how
    tokens = binary_token(ALICE.certificate, id="X509-A") + binary_token(other.certificate, id="X509-B")
    return sign(unsigned(tokens, "@SIG-1@", timestamp()), Signing.by(signer, key_info=refers_to(meant)))


@KEY_INFO.refused("certificate.untrusted")
def of_two_tokens_the_strangers_is_meant() -> Built:
    tokens = binary_token(ALICE.certificate, id="X509-A") + binary_token(STRANGER.certificate, id="X509-B")
    return sign(unsigned(tokens, "@SIG-1@", timestamp()), Signing.by(STRANGER, key_info=refers_to("X509-B")))


@KEY_INFO.each_refused("envelope.duplicate_id", {"first": True, "last": False})
def of_two_tokens_with_one_id_the_strangers_is(first: bool) -> Built:
    both = [binary_token(STRANGER.certificate), binary_token(ALICE.certificate)]
    tokens = both if first else both[::-1]
    return sign(unsigned(*tokens, "@SIG-1@", timestamp()), Signing.by(STRANGER))


@KEY_INFO.refused("signature.value")
def the_certificate_of_another_client_takes_the_place_of_the_signers() -> Built:
    return bent(honest(), (binary_token(ALICE.certificate), binary_token(BOB.certificate)))


EVERY: Final = (*KEY_INFO,)
