"""C: Signatures of another shape than the standard's: doubled, cut, commented, empty, or with something in them."""

import base64
import hashlib
from typing import Final

from lxml import etree

from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import WRAPPER
from tests.attacks.references import OF_NOTHING
from tests.messages import PAYLOAD
from tests.signature.signatures import ALICE, EVIL, bent, honest
from tests.signing import C14N, METHODS, Signing, algorithm, canonical, signed

SIGNED_INFO: Final = Chapter("C", "signed")

TWO_SIGNED_INFOS: Final = "CVE-2025-29774: xml-crypto, several SignedInfo"

KEY_INFO: Final = f"<ds:KeyInfo>{Signing.by(ALICE).key_info}</ds:KeyInfo>"
VALUE: Final = "<ds:SignatureValue>@value@</ds:SignatureValue>"
METHOD: Final = algorithm("SignatureMethod", METHODS["ecdsa-sha256"])
CANONICALIZATION: Final = algorithm("CanonicalizationMethod", C14N["exc-c14n"])
DIGEST: Final = "<ds:DigestValue>@digest-0@</ds:DigestValue>"


def element(text: str, name: str) -> str:
    """The first ds element of this name."""
    start, close = text.index(f"<ds:{name}"), f"</ds:{name}>"
    return text[start : text.index(close, start) + len(close)]


def digest_of_body(text: str) -> str:
    """Its SHA-256, in base64."""
    (body,) = etree.fromstring(text.encode()).iterfind("{*}Body")
    return base64.b64encode(hashlib.sha256(canonical(body)).digest()).decode()


def evil() -> tuple[str, str, str]:
    """Alice's message with another Body; the DigestValue that she signed, and the one of that Body."""
    text = bent(honest(), (PAYLOAD, EVIL)).decode()
    right = element(text, "DigestValue").removeprefix("<ds:DigestValue>").removesuffix("</ds:DigestValue>")
    return text, right, digest_of_body(text)


def replaced(old: str, new: str) -> bytes:
    """Signed by Alice, after the text of her ds:Signature was changed."""
    return signed(Signing.by(ALICE, replaced={old: new}))


# --- Two of what there is one of --------------------------------------------------------------------------------------


def _two_signed_infos(template: str) -> bytes:
    """Another SignedInfo, of the evil Body, where ``template`` puts it beside the signed one."""
    text, right, wrong = evil()
    mine = element(text, "SignedInfo")
    return bent(text, (mine, template.format(mine=mine, evil=mine.replace(right, wrong))))


@SIGNED_INFO.each_refused(
    "signature.malformed",
    {
        "before the signed one": "{evil}{mine}",
        "behind the signed one": "{mine}{evil}",
        "around the signed one": "<ds:SignedInfo>{evil}{mine}</ds:SignedInfo>",
        "in the signed one": "{mine}<ds:Object>{evil}</ds:Object>",
    },
    source=TWO_SIGNED_INFOS,
)
def a_second_signed_info(template: str) -> Built:
    return _two_signed_infos(template)


@SIGNED_INFO.refused(
    "signature.digest", source="CVE-2024-45409: ruby-saml takes the DigestValue that XPath finds first"
)
def a_digest_value_of_the_evil_body_stands_in_a_header_block() -> Built:
    text, _, wrong = evil()
    reference = f'<ds:Reference URI="#body"><ds:DigestValue>{wrong}</ds:DigestValue></ds:Reference>'
    return bent(text, ("<S:Header>", f"<S:Header>{WRAPPER.format(reference)}"))


TWICE: Final = {
    "SignatureValue, an empty one first": (VALUE, f"<ds:SignatureValue/>{VALUE}"),
    "SignatureValue, an empty one last": (VALUE, f"{VALUE}<ds:SignatureValue/>"),
    "SignatureValue in SignatureValue": (VALUE, f"<ds:SignatureValue>{VALUE}</ds:SignatureValue>"),
    "KeyInfo": (KEY_INFO, KEY_INFO * 2),
    "SignatureMethod": (METHOD, METHOD * 2),
    "CanonicalizationMethod": (CANONICALIZATION, CANONICALIZATION * 2),
    "DigestValue, a false one first": (DIGEST, f"<ds:DigestValue>{OF_NOTHING}</ds:DigestValue>{DIGEST}"),
    "DigestValue, a false one last": (DIGEST, f"{DIGEST}<ds:DigestValue>{OF_NOTHING}</ds:DigestValue>"),
    "Signature in Signature": ("<ds:SignedInfo>", '<ds:Signature Id="SIG-2"/><ds:SignedInfo>'),
}


@SIGNED_INFO.each_refused("signature.malformed", TWICE)
def two_of(change: tuple[str, str]) -> Built:
    return replaced(*change)


# --- Missing, elsewhere, too much -------------------------------------------------------------------------------------

SHAPES: Final = {
    "no KeyInfo": (KEY_INFO, ""),
    "an empty KeyInfo": (KEY_INFO, "<ds:KeyInfo/>"),
    "no SignatureValue": (VALUE, ""),
    "no SignatureMethod": (METHOD, ""),
    "no CanonicalizationMethod": (CANONICALIZATION, ""),
    "no DigestValue": (DIGEST, ""),
    "KeyInfo before SignatureValue": (VALUE + KEY_INFO, KEY_INFO + VALUE),
    "SignatureMethod before CanonicalizationMethod": (CANONICALIZATION + METHOD, METHOD + CANONICALIZATION),
    "an empty Object": (KEY_INFO, f"{KEY_INFO}<ds:Object/>"),
    "properties in an Object": (
        KEY_INFO,
        f'{KEY_INFO}<ds:Object><ds:SignatureProperties Id="P"/></ds:Object>',
    ),
    "an extension": (KEY_INFO, f'{KEY_INFO}<x:y xmlns:x="urn:x"/>'),
    "text": (KEY_INFO, f"{KEY_INFO}text"),
    "text in SignedInfo": ("<ds:SignedInfo>", "<ds:SignedInfo>text"),
    "an unknown attribute": ('<ds:Signature Id="SIG-1">', '<ds:Signature Id="SIG-1" URI="#evil">'),
    "an unknown attribute of SignedInfo": ("<ds:SignedInfo>", '<ds:SignedInfo URI="#evil">'),
    "an element in DigestValue": (DIGEST, DIGEST.replace("@digest", "<ds:x/>@digest")),
    "an element in SignatureValue": (VALUE, VALUE.replace("@value@", "<ds:x/>@value@")),
    "HMACOutputLength for a certificate's key": (
        METHOD,
        METHOD.replace("></", "><ds:HMACOutputLength>8</ds:HMACOutputLength></"),
    ),
}


@SIGNED_INFO.each_refused("signature.malformed", SHAPES)
def a_signature_with(change: tuple[str, str]) -> Built:
    return replaced(*change)


@SIGNED_INFO.refused("signature.malformed", source="CVE-2013-2153: Apache Santuario C++, references without children")
def a_reference_without_children() -> Built:
    text, _, _ = evil()
    return bent(text, (element(text, "Reference"), '<ds:Reference URI="#body"/>'))


@SIGNED_INFO.refused("signature.malformed")
def a_signature_without_references() -> Built:
    return signed(Signing.by(ALICE, parts=()))


EVERY: Final = (*SIGNED_INFO,)
