"""C: values in a Signature: of changed messages, of other lengths, cut by comments, from entities, or of nothing."""

import base64
from typing import Final

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.attacks.references import OF_NOTHING
from tests.attacks.signed_info import element, evil, replaced
from tests.messages import PAYLOAD
from tests.signature.signatures import ALICE, EVIL, bent, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed

DIGESTS: Final = Chapter("C", "signed")

COMMENTED: Final = "CVE-2025-29775: xml-crypto, comment in DigestValue"
FRAGILE_LOCK: Final = "CVE-2025-66568: ruby-saml, void canonicalization"


# --- A changed message ------------------------------------------------------------------------------------------------

CHANGES: Final = {
    "a text": (PAYLOAD, EVIL),
    "a name": ("e:text>hello</e:text", "e:Text>hello</e:Text"),
    "an attribute": ("<e:text>", '<e:text e:a="1">'),
    "an element": ("<e:text>hello", "<e:text/><e:text>hello"),
    "a carriage return": (">hello<", ">hello&#13;<"),
    "a no-break space": (">hello<", ">hello&#xA0;<"),
    "white space behind the operation": (PAYLOAD, f"{PAYLOAD} "),
    "the namespace of a prefix": ('xmlns:e="urn:echo"', 'xmlns:e="urn:echO"'),
    "an attribute of the Body": ('<S:Body wsu:Id="body">', '<S:Body wsu:Id="body" S:encodingStyle="urn:evil">'),
}


@DIGESTS.each_refused("signature.digest", CHANGES)
def the_signed_body_is_changed_in(change: tuple[str, str]) -> Built:
    return bent(honest(), change)


@DIGESTS.refused("signature.value")
def the_signed_body_is_changed_and_its_digest_with_it() -> Built:
    text, right, wrong = evil()
    return bent(text, (right, wrong))


@DIGESTS.refused("signature.value")
def the_signature_value_is_of_another_message() -> Built:
    other = signed(Signing.by(ALICE, parts=(BODY,))).decode()
    text = honest()
    return bent(text, (element(text, "SignatureValue"), element(other, "SignatureValue")))


# --- Values -----------------------------------------------------------------------------------------------------------

COMMENTS: Final = {
    "the evil digest before the signed one": "<!--{evil}-->{mine}",
    "the evil digest behind the signed one": "{mine}<!--{evil}-->",
    "the evil digest in the signed one": "{mine:.10}<!--{evil}-->{rest}",
}


@DIGESTS.each_refused("signature.digest", COMMENTS, source=COMMENTED)
def a_comment_in_digest_value_with(template: str) -> Built:
    text, right, wrong = evil()
    return bent(text, (right, template.format(mine=right, evil=wrong, rest=right[10:])))


@DIGESTS.refused("signature.value", source=COMMENTED)
def the_signed_digest_in_a_comment_behind_the_evil_one() -> Built:
    text, right, wrong = evil()
    return bent(text, (right, f"{wrong}<!--{right}-->"))


@DIGESTS.refused("signature.malformed", source=COMMENTED)
def both_digests_in_one_digest_value() -> Built:
    text, right, wrong = evil()
    return bent(text, (right, right + wrong))


@DIGESTS.refused("envelope.structure")
def a_processing_instruction_in_digest_value() -> Built:
    text, right, wrong = evil()
    return bent(text, (right, f"<?evil {wrong}?>{right}"))


@DIGESTS.refused("envelope.malformed")
def an_undeclared_entity_in_digest_value() -> Built:
    text, right, _ = evil()
    return bent(text, (right, f"&evil;{right}"))


@DIGESTS.refused(
    "envelope.doctype", source="CVE-2025-25291: ruby-saml, document types that two parsers see differently"
)
def an_entity_in_digest_value_that_a_document_type_declares() -> Built:
    text, right, wrong = evil()
    return b'<!DOCTYPE e [<!ENTITY evil "' + wrong.encode() + b'">]>' + bent(text, (right, "&evil;"))


@DIGESTS.refused("envelope.doctype")
def an_entity_in_signature_value_that_is_a_file() -> Built:
    text = honest()
    value = element(text, "SignatureValue")
    declared = f'<!DOCTYPE e [<!ENTITY evil SYSTEM "{canary().as_uri()}">]>'
    return declared.encode() + bent(text, (value, "<ds:SignatureValue>&evil;</ds:SignatureValue>"))


DIGESTS_OF_OTHER_LENGTHS: Final = {
    "nothing": b"",
    "one octet": bytes(1),
    "a SHA-1": bytes(20),
    "an octet less": bytes(31),
    "an octet more": bytes(33),
    "a SHA-512": bytes(64),
}


@DIGESTS.each_refused("signature.malformed", DIGESTS_OF_OTHER_LENGTHS)
def a_digest_of_sha256_as_long_as(octets: bytes) -> Built:
    return replaced("@digest-0@", base64.b64encode(octets).decode())


# --- Void canonicalization --------------------------------------------------------------------------------------------


@DIGESTS.refused("signature.reference", source=FRAGILE_LOCK)
def a_body_that_has_no_canonical_form_with_the_digest_of_nothing() -> Built:
    """Canonical XML §1.3: a relative namespace name is an error, which some libraries answer with no octets."""
    parts = (Part("#body", value=OF_NOTHING), TIMESTAMP)
    return bent(signed(Signing.by(ALICE, parts=parts)).decode(), ("<S:Body ", '<S:Body xmlns:r="1" '))


@DIGESTS.refused("signature.reference", source=FRAGILE_LOCK)
def a_signed_info_that_has_no_canonical_form() -> Built:
    text, right, wrong = evil()
    return bent(text, (right, wrong), ("<ds:SignedInfo>", '<ds:SignedInfo xmlns:r="1">'))


@DIGESTS.refused("signature.digest", source=FRAGILE_LOCK)
def a_body_with_the_digest_of_nothing() -> Built:
    return signed(Signing.by(ALICE, parts=(Part("#body", value=OF_NOTHING), TIMESTAMP)))


OVER_ITSELF: Final = {
    "the Signature": ("SIG-1", "<ds:Signature Id=", "<ds:Signature Id="),
    "SignedInfo": ("SI", "<ds:SignedInfo>", '<ds:SignedInfo Id="SI">'),
    "SignatureValue": ("SV", "<ds:SignatureValue>", '<ds:SignatureValue Id="SV">'),
}


@DIGESTS.each_refused("signature.digest", OVER_ITSELF)
def a_signature_over_its_own(named: tuple[str, str, str]) -> Built:
    id, old, new = named
    parts = (BODY, TIMESTAMP, Part(f"#{id}", value=OF_NOTHING))
    return signed(Signing.by(ALICE, parts=parts, replaced={old: new}))


EVERY: Final = (*DIGESTS,)
