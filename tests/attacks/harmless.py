"""Legal: what anybody on the way can do to a signed message without breaking its signature, and without effect."""

from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import FOREIGN, SECURITY, WRAPPER, evil_body
from tests.attacks.signed_info import element
from tests.attacks.tokens import user
from tests.attacks.values import ORDER
from tests.messages import PAYLOAD
from tests.signature.key_infos import key_value
from tests.signature.signatures import EVIL, STRANGER, bent, honest, rewritten
from tests.signing import binary_token

HARMLESS: Final = Chapter("legal", "signed")

HEADERS: Final = {
    "a block with an evil Body": WRAPPER.format(evil_body('wsu:Id="evil"')),
    "an evil Body": evil_body(),
    "a block with a look-alike of the operation": EVIL,
    "a Security header for somebody else": FOREIGN.format(WRAPPER.format(EVIL)),
    "a block with a key of a stranger's": WRAPPER.format(f"{key_value(STRANGER)}evil"),
}


@HARMLESS.each_accepted(HEADERS, withheld="evil", source="Somorovsky et al., 2012: XSW7, and nobody looks there")
def a_header_block_that_nobody_signed_is_not_handed_on(block: str) -> Built:
    return bent(honest(), ("<S:Header>", f"<S:Header>{block}"))


OUTSIDE: Final = {
    "the Envelope": ("<S:Envelope ", '<S:Envelope S:encodingStyle="urn:evil" xml:lang="evil" '),
    "the Header": ("<S:Header>", '<S:Header S:encodingStyle="urn:evil" Name="evil">'),
    "the Security header": (SECURITY, SECURITY.replace(">", ' Name="evil">')),
}


@HARMLESS.each_accepted(OUTSIDE, withheld="evil")
def an_attribute_that_nobody_signed_is_not_handed_on(change: tuple[str, str]) -> Built:
    return bent(honest(), change)


INSIDE: Final = {
    "a comment in a text": (">hello<", ">hel<!-- evil -->lo<"),
    "a comment around an element": ("<e:text>", "<!-- evil --><e:text>"),
    "a comment beside the operation": (PAYLOAD, f"<!-- {EVIL} -->{PAYLOAD}"),
    "a CDATA section": (">hello<", "><![CDATA[hel]]>lo<"),
    "character references": (">hello<", ">&#104;el&#x6C;o<"),
    "white space in tags": ("<e:text>hello</e:text>", "<e:text\n>hello</e:text\t>"),
}


@HARMLESS.each_accepted(INSIDE, withheld="evil", source="CVE-2017-11427 and others: text that a comment cuts in two")
def the_signed_body_is_handed_on_as_it_was_signed_whatever_is_written_for_it(change: tuple[str, str]) -> Built:
    return bent(honest(), change)


@HARMLESS.accepted(source="CVE-2025-29775: xml-crypto, comment in DigestValue")
def a_comment_in_the_values_of_a_message_that_nobody_changed() -> Built:
    text = honest()
    for name in ("DigestValue", "SignatureValue"):
        value = element(text, name)
        text = bent(text, (value, f"{value[:30]}<!-- AAAA -->{value[30:]}")).decode()
    return text.encode()


@HARMLESS.accepted()
def a_strangers_certificate_that_nothing_refers_to() -> Built:
    return bent(honest(), (SECURITY, SECURITY + binary_token(STRANGER.certificate, id="X509-2")))


@HARMLESS.accepted()
def the_username_token_of_another_beside_a_signature_that_does_not_cover_it() -> Built:
    """Where a signature says who it is, it makes nobody anybody else."""
    token = user(username="bob", password="hunter2").xml()
    return bent(honest(), ("</wsse:Security>", f"{token}</wsse:Security>"))


def negated(value: bytes) -> bytes:
    """(r, n - s), which fits wherever (r, s) does."""
    return value[:32] + (ORDER - int.from_bytes(value[32:], "big")).to_bytes(32, "big")


@HARMLESS.accepted(source="SEC 1 §4.1: two values fit")
def the_other_value_that_fits_the_signature() -> Built:
    return rewritten(honest().encode(), negated)


LEGAL: Final = (*HARMLESS,)
