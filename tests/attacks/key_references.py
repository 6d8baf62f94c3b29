"""D: references that lead to no certificate, or to one that is not where it belongs, and tokens of other kinds."""

from collections.abc import Callable
from typing import Final

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.attacks.key_info import stranger
from tests.attacks.moving import FOREIGN, WRAPPER
from tests.attacks.people import EVIL_ROOT
from tests.messages import BASE64, PAYLOAD, timestamp
from tests.signature.key_infos import identifier, in_base64, key_identifier, referring
from tests.signature.signatures import ALICE, bent, honest
from tests.signing import X509_PROFILE, Signing, binary_token, sign, signed, unsigned

KEY_REFERENCES: Final = Chapter("D", "signed")

# --- Elsewhere --------------------------------------------------------------------------------------------------------

TARGETS: Final[dict[str, Callable[[], str]]] = {
    "nothing": lambda: "#nobody",
    "the Timestamp": lambda: "#TS-1",
    "the Signature": lambda: "#SIG-1",
    "the Body": lambda: "#body",
    "an empty URI": lambda: "",
    "an Id without number sign": lambda: "X509-1",
    "a file": lambda: canary().as_uri(),
    "a host": lambda: "http://192.0.2.1/alice.crt",
    "an xpointer": lambda: "#xpointer(id('X509-1'))",
}


@KEY_REFERENCES.each_refused("certificate.unavailable", TARGETS)
def a_reference_to_a_token_leads_to(uri: Callable[[], str]) -> Built:
    return signed(Signing.by(ALICE, key_info=referring(f'<wsse:Reference URI="{uri()}"/>')))


@KEY_REFERENCES.each_refused(
    "certificate.unavailable",
    {"a header block": "{}", "a wrapper": WRAPPER, "a Security header for somebody else": FOREIGN},
)
def the_token_stands_in(around: str) -> Built:
    token = binary_token(ALICE.certificate)
    return bent(honest(), (token, ""), ("<S:Header>", f"<S:Header>{around.format(token)}"))


@KEY_REFERENCES.refused("certificate.unavailable")
def the_token_stands_in_the_signed_body() -> Built:
    body = PAYLOAD.replace("</e:Echo>", f"{binary_token(ALICE.certificate)}</e:Echo>")
    return sign(unsigned("@SIG-1@", timestamp(), body=body), Signing.by(ALICE))


# --- Kinds of tokens --------------------------------------------------------------------------------------------------

KINDS: Final = {
    "Kerberos": "http://docs.oasis-open.org/wss/oasis-wss-kerberos-token-profile-1.1#GSS_Kerberosv5_AP_REQ",
    "a name of its own": "urn:own",
    "nothing": "",
}


@KEY_REFERENCES.each_refused("security.unknown_token", KINDS)
def a_binary_token_of_the_type_of(value_type: str) -> Built:
    return bent(honest(), (f'ValueType="{X509_PROFILE}#X509v3"', f'ValueType="{value_type}"'))


@KEY_REFERENCES.refused("signature.malformed")
def a_binary_token_in_hexadecimal() -> Built:
    token = binary_token(ALICE.certificate)
    other = token.replace(BASE64, BASE64.replace("Base64Binary", "HexBinary"))
    return bent(honest(), (token, other.replace(in_base64(ALICE.der), ALICE.der.hex())))


@KEY_REFERENCES.refused(
    "security.unknown_token", source="CVE-2014-3623: WSS4J, SAML assertions whose subject nobody confirms"
)
def a_saml_assertion_of_the_senders_own() -> Built:
    saml = "urn:oasis:names:tc:SAML:2.0:assertion"
    assertion = f'<a:Assertion xmlns:a="{saml}" ID="A-1" Version="2.0"><a:Issuer>Alice</a:Issuer></a:Assertion>'
    return bent(honest(), ("</wsse:Security>", f"{assertion}</wsse:Security>"))


@KEY_REFERENCES.refused("security.unknown_token")
def a_key_identifier_of_a_saml_assertion() -> Built:
    value_type = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"
    return stranger(referring(identifier(b"A-1", value_type)))


@KEY_REFERENCES.refused("certificate.untrusted")
def a_key_identifier_that_is_a_strangers_certificate() -> Built:
    return stranger(key_identifier(EVIL_ROOT.leaf("Alice")))


EVERY: Final = (*KEY_REFERENCES,)
