"""K: signatures by what is weaker, and proofs that anybody can make in the place of a client's."""

from dataclasses import replace
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.attacks.cases import Built, Chapter
from tests.attacks.sites import SHARED
from tests.deriving_passwords import by_password, salted
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import (
    content_of,
    draft,
    element_of,
    for_server,
    sealed,
    signed_text,
)
from tests.messages import DS, envelope, security, timestamp
from tests.pki import rsa_key
from tests.signature.signatures import ALICE, ROOT, bent, honest, refers_to, rsa_client
from tests.signing import BODY, METHODS, TIMESTAMP, Part, Signing, sign, signed

WEAK: Final = Chapter("K", "signed")
PERMITTED: Final = Chapter("K", "every")

CONFUSION: Final = (
    "key confusion: a public key is taken for the secret of an HMAC (as CVE-2015-9235 of JSON web tokens)"
)
TRUNCATION: Final = "CVE-2009-0217, HMAC truncation"


# --- Weaker signatures ------------------------------------------------------------------------------------------------

_DSA: Final = f"{DS}dsa-sha1"
_MD5: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"


@WEAK.each_refused(
    "signature.algorithm",
    {
        "RSA with SHA-1": METHODS["rsa-sha1"],
        "RSA with MD5": _MD5,
        "DSA": _DSA,
        "ECDSA with SHA-1": METHODS["ecdsa-sha1"],
        "HMAC": METHODS["hmac-sha256"],
        "a digest": "http://www.w3.org/2001/04/xmlenc#sha256",
        "the name in capitals": METHODS["ecdsa-sha256"].upper(),
        "a short name": "ecdsa-sha256",
        "none": "none",
        "nothing": "",
    },
    source="downgrade of a captured message",
)
def the_method_of_a_signature_is_changed_to(method: str) -> Built:
    return bent(honest(), (METHODS["ecdsa-sha256"], method))


@WEAK.each_refused(
    "signature.value", {"of the other hash": METHODS["ecdsa-sha512"], "of another kind": METHODS["rsa-sha256"]}
)
def the_method_of_a_signature_is_changed_to_one_that_is_permitted(method: str) -> Built:
    return bent(honest(), (METHODS["ecdsa-sha256"], method))


@WEAK.each_refused("signature.algorithm", {"SHA-1": "rsa-sha1", "ECDSA": "ecdsa-sha1"})
def alice_herself_signs_with(method: str) -> Built:
    signer = rsa_client() if method.startswith("rsa") else ALICE
    return signed(Signing.by(signer, method=method))


@WEAK.each_refused("signature.algorithm", {"SHA-1": "sha1", "MD5": "md5"})
def alice_digests_with(digest: str) -> Built:
    return signed(Signing.by(ALICE, parts=(replace(BODY, digest=digest), TIMESTAMP)))


@WEAK.each_refused(
    "signature.algorithm",
    {"c14n": "c14n", "c14n 1.1": "c14n11", "with comments": "exc-c14n-with-comments"},
    elsewhere=False,
)
def alice_canonicalizes_by(method: str) -> Built:
    return signed(Signing.by(ALICE, parts=(replace(BODY, c14n=method), TIMESTAMP)))


@WEAK.each_refused("certificate.key_size", {"1024 bits": (5, 1024), "1536 bits": (6, 1536)})
def alice_has_an_rsa_key_of(key: tuple[int, int]) -> Built:
    return signed(Signing.by(ROOT.leaf("Alice", key=rsa_key(*key))))


def _public(form: str) -> bytes:
    certificate = rsa_client().certificate
    encoding, what = form.split()
    if what == "certificate":
        return certificate.public_bytes(getattr(Encoding, encoding))
    return certificate.public_key().public_bytes(getattr(Encoding, encoding), PublicFormat.SubjectPublicKeyInfo)


_FORMS: Final = {form: form for form in ("PEM key", "DER key", "PEM certificate", "DER certificate")}


@WEAK.each_refused("signature.algorithm", _FORMS, source=CONFUSION)
def an_hmac_under_the_public_key_in(form: str) -> Built:
    return signed(Signing.by(rsa_client(), key=_public(form), method="hmac-sha256"))


@PERMITTED.each_refused("certificate.unavailable", _FORMS, source=CONFUSION)
def an_hmac_where_it_is_permitted_under_the_public_key_in(form: str) -> Built:
    return signed(Signing.by(rsa_client(), key=_public(form), method="hmac-sha256"))


def by_carol(**changes: Any) -> bytes:
    """Signed under the key that she shares with the guard."""
    carol: dict[str, Any] = {
        "key": SHARED.encode(),
        "method": "hmac-sha256",
        "key_info": "<ds:KeyName>carol</ds:KeyName>",
    }
    return signed(Signing(**{**carol, **changes}))


@PERMITTED.each_refused("signature.malformed", {"1 bit": 1, "8 bits": 8, "80 bits": 80, "none": 0}, source=TRUNCATION)
def an_hmac_of_no_more_than(bits: int) -> Built:
    method = METHODS["hmac-sha256"]
    short = f'Algorithm="{method}"><ds:HMACOutputLength>{bits}</ds:HMACOutputLength></ds:SignatureMethod>'
    return by_carol(replaced={f'Algorithm="{method}"></ds:SignatureMethod>': short}, value="AAAA")


@PERMITTED.each_refused(
    "signature.value", {"nothing": b"", "no letters": b"", "Alice's name": b"alice", "zeros": bytes(32)}
)
def an_hmac_under_a_key_of(key: bytes) -> Built:
    return by_carol(key=key or b"\0")


# --- Weaker proofs ----------------------------------------------------------------------------------------------------

_TO_KEY: Final = refers_to("EK-1")


def _under_the_session(site_method: str, derived: str = "") -> bytes:
    """Signed under the session key of an EncryptedKey, which anybody can make for the server."""
    encryption = for_server()
    key = derived_octets(encryption.session) if derived else encryption.session
    signing = Signing(key=key, method=site_method, key_info=refers_to("DK-1") if derived else _TO_KEY)
    text = sign(draft("@EK-1@", derived, "@SIG-1@", timestamp()), signing).decode()
    return sealed(text, (content_of(text), encryption))


@WEAK.refused("signature.algorithm", site="sealed", source="anybody can encrypt a key for the server")
def a_signature_under_the_encrypted_key() -> Built:
    return _under_the_session("hmac-sha256")


@PERMITTED.each_refused(
    "signature.coverage",
    {"itself": "", "by derivation": derived_token()},
    source="anybody can encrypt a key for the server",
)
def a_signature_where_hmac_is_permitted_under_the_encrypted_key(derived: str) -> Built:
    return _under_the_session("hmac-sha256", derived)


@PERMITTED.refused("signature.coverage", source="anybody can encrypt a key for the server")
def a_signature_of_alices_over_the_timestamp_and_one_under_the_encrypted_key_over_the_body() -> Built:
    encryption = for_server()
    inner = Signing(key=encryption.session, method="hmac-sha256", key_info=_TO_KEY, id="SIG-2", parts=(BODY,))
    text = signed_text(None).replace("@EK-1@", "@EK-1@@SIG-2@")
    outer = Signing.by(ALICE, parts=(TIMESTAMP,))
    plain = draft("@EK-1@", element_of(text, "wsse:BinarySecurityToken"), "@SIG-2@", "@SIG-1@", timestamp())
    return sealed(sign(plain, inner, outer).decode(), ("hello", encryption))


@PERMITTED.refused("username_token.password_type", source="UsernameToken Profile 1.1 §4: keys derived from passwords")
def a_signature_under_a_key_derived_from_a_password() -> Built:
    return salted(None, by_password(method="hmac-sha1"))


@WEAK.refused("security.unknown_token", source="a ticket of somebody else's in the place of a signature")
def an_assertion_in_the_place_of_the_signature() -> Built:
    saml = '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" AssertionID="a"/>'
    return envelope(security(timestamp(), saml))


@WEAK.refused("signature.coverage")
def alice_signs_the_timestamp_alone() -> Built:
    return signed(Signing.by(ALICE, parts=(TIMESTAMP,)))


@WEAK.refused("signature.coverage")
def alice_signs_the_body_alone() -> Built:
    return signed(Signing.by(ALICE, parts=(BODY,)))


@WEAK.refused("signature.coverage")
def alice_signs_her_token_alone() -> Built:
    return signed(Signing.by(ALICE, parts=(Part("#X509-1"),)))


EVERY: Final = (*WEAK, *PERMITTED)
