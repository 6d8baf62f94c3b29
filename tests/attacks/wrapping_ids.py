"""A: Ids that some library could take for the signed one, on the Body that takes the place of the signed one."""

import unicodedata
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import EVIL_BODY, SPOTS, WRAPPER, evil_body, moved
from tests.messages import PAYLOAD
from tests.signature.signatures import ALICE, bent, honest
from tests.signing import TIMESTAMP, Part, Signing, signed

IDS: Final = Chapter("A", "signed")

IDNESS: Final = (
    "Jensen et al., On the effectiveness of XML Schema validation for countering XML signature wrapping, 2011"
)

SAME: Final = 'wsu:Id="body"'
TAKEN_FOR_IT: Final = {
    "Id": 'Id="body"',
    "ID": 'ID="body"',
    "id": 'id="body"',
    "xml id": 'xml:id="body"',
    "wsu id": 'wsu:id="body"',
    "wsu ID": 'wsu:ID="body"',
    "Id of the namespace of SOAP": 'S:Id="body"',
    "Id of the namespace of XML Signature": 'ds:Id="body"',
    "Id of a namespace of the sender's own": 'x:Id="body" xmlns:x="urn:x"',
    "xml id of a namespace that looks like it": 'x:id="body" xmlns:x="http://www.w3.org/XML/1998/namespaces"',
    "white space around it": 'wsu:Id=" body&#9;"',
    "line feeds around it": 'wsu:Id="&#10;body&#10;"',
    "a letter as a character reference": 'wsu:Id="b&#111;dy"',
    "both Id and another wsu Id": 'wsu:Id="evil" Id="body"',
}
NOT_TAKEN_FOR_IT: Final = {
    "another case": 'wsu:Id="Body"',
    "an attribute name that nobody takes for one": 'wsu:iD="body"',
    "AssertionID, an Id of SAML 1.1": 'AssertionID="body"',
    "a Cyrillic letter": 'wsu:Id="bоdy"',
    "full-width letters": 'wsu:Id="ｂｏｄｙ"',
    "a number sign before it": 'wsu:Id="#body"',
    "percent encoding": 'wsu:Id="b%6Fdy"',
    "a zero-width space behind it": 'wsu:Id="body&#x200B;"',
    "a no-break space before it": 'wsu:Id="&#xA0;body"',
    "a soft hyphen in it": 'wsu:Id="bo&#xAD;dy"',
    "a pointer to it": "wsu:Id=\"xpointer(id('body'))\"",
    "a list that has it": 'wsu:Id="evil body"',
    "Name": 'Name="body"',
}


@IDS.each_refused("envelope.duplicate_id", TAKEN_FOR_IT, source=IDNESS)
def the_body_that_takes_the_place_of_the_signed_one_has_its_id_too(attribute: str) -> Built:
    return moved(SPOTS["the first header block"], evil_body(attribute))


@IDS.each_refused("signature.coverage", NOT_TAKEN_FOR_IT, source=IDNESS)
def the_body_that_takes_the_place_of_the_signed_one_has_something_like_its_id(attribute: str) -> Built:
    return moved(SPOTS["the first header block"], evil_body(attribute))


NAMES: Final = {
    "composed and decomposed": ("b\u00f6dy", unicodedata.normalize("NFD", "b\u00f6dy")),
    "compatible characters": ("of\ufb01ce", "office"),
    "letters that one lower-case letter has": ("\u212aelvin", "kelvin"),
    "with and without dot": ("\u0131d-1", "id-1"),
    "with a combining character that has no effect": ("body", "body\u034f"),
}
"""The signed Id, and the other's."""


@IDS.each_refused("signature.coverage", NAMES)
def ids_that_unicode_calls_alike(names: tuple[str, str]) -> Built:
    mine, evil = names
    body = f'<S:Body wsu:Id="{mine}">{PAYLOAD}</S:Body>'
    parts = (Part(f"#{mine}"), TIMESTAMP)
    text = signed(Signing.by(ALICE, parts=parts), body_attributes=f'wsu:Id="{mine}"').decode()
    return bent(text, (body, evil_body(f'wsu:Id="{evil}"')), ("<S:Header>", f"<S:Header>{WRAPPER.format(body)}"))


# --- Ids of other elements --------------------------------------------------------------------------------------------


@IDS.refused("envelope.duplicate_id")
def the_evil_operation_has_the_id_of_the_signed_body() -> Built:
    evil = EVIL_BODY.replace("<e:Echo ", '<e:Echo id="body" ')
    return moved(SPOTS["the first header block"], evil)


@IDS.refused("envelope.duplicate_id")
def the_signature_has_the_id_of_the_signed_body() -> Built:
    """Whoever looks Ids up in the Signature first, as libxmlsec does, digests another element."""
    return bent(honest(), ('<ds:Signature Id="SIG-1">', '<ds:Signature Id="body">'))


@IDS.refused("envelope.duplicate_id")
def the_key_info_has_the_id_of_the_signed_body() -> Built:
    return bent(honest(), ("<ds:KeyInfo>", '<ds:KeyInfo Id="body">'))


@IDS.refused("envelope.duplicate_id")
def the_envelope_has_the_id_of_the_signed_body() -> Built:
    return bent(honest(), ("<S:Envelope ", '<S:Envelope Id="body" '))


@IDS.refused("signature.digest")
def the_signed_body_is_given_the_id_of_another_and_the_evil_one_its_own() -> Built:
    text = bent(honest(), ('<S:Body wsu:Id="body">', '<S:Body wsu:Id="other">')).decode()
    return bent(text, ("<S:Header>", f"<S:Header>{WRAPPER.format(evil_body(SAME))}"))


EVERY: Final = (*IDS,)
