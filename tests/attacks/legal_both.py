"""Legal: messages that are signed and encrypted in either order, and what is answered to them."""

from collections.abc import Callable
from typing import Final

from lxml import etree

from tests.answers.answering import SECRET as CANARY
from tests.attacks.cases import Built, Chapter, Sent
from tests.guard_encryption.sealing import (
    also,
    body_of,
    content_of,
    draft,
    element_of,
    encrypted_then_signed,
    for_server,
    sealed,
    signed_text,
    signed_then_encrypted,
)
from tests.guarding import Answer
from tests.messages import DS, SOAP12, WSSE, XENC, timestamp
from tests.signature.signatures import ALICE, rsa_client
from tests.signing import TIMESTAMP, Part, Signing, binary_token, sign

SEALED: Final = Chapter("legal", "sealed")
ANSWERED: Final = Chapter("legal", "answering")


_ORDERS: Final = {"signed, then encrypted": signed_then_encrypted, "encrypted, then signed": encrypted_then_signed}


@SEALED.each_accepted(_ORDERS)
def content(make: Callable[..., bytes]) -> Built:
    return make()


@SEALED.each_accepted(_ORDERS)
def by_rsa(make: Callable[..., bytes]) -> Built:
    return make(signing=Signing.by(rsa_client()))


@SEALED.each_accepted(_ORDERS)
def in_soap_1_2(make: Callable[..., bytes]) -> Built:
    return Sent(octets=make(soap=SOAP12), environ={"CONTENT_TYPE": "application/soap+xml; charset=utf-8"})


@SEALED.accepted(source="WSS4J: Element")
def a_body_that_was_signed_is_encrypted_itself() -> Built:
    text = signed_text()
    return sealed(text, (body_of(text), for_server(kind="Element")))


@SEALED.accepted()
def a_signature_over_the_data_in_the_place_of_the_body() -> Built:
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp())
    octets = sealed(text, (body_of(text), for_server(kind="Element"))).decode()
    return sign(octets, Signing.by(ALICE, parts=(Part("#ED-1"), TIMESTAMP)))


@SEALED.accepted(source="WSS4J: the signature too")
def the_signature_is_encrypted() -> Built:
    first = for_server(references=("ED-1", "ED-2"))
    text = signed_text()
    signature = element_of(text, "ds:Signature")
    return sealed(text, (content_of(text), first), (signature, also(first, "ED-2", kind="Element")))


@SEALED.accepted(source="WSS4J: an endorsed symmetric signature", site="every")
def a_signature_under_the_encrypted_key_beside_alices() -> Built:
    encryption = for_server()
    to_key = '<wsse:SecurityTokenReference><wsse:Reference URI="#EK-1"/></wsse:SecurityTokenReference>'
    inner = Signing(key=encryption.session, method="hmac-sha256", key_info=to_key, id="SIG-2")
    text = draft("@EK-1@", binary_token(ALICE.certificate), "@SIG-2@", "@SIG-1@", timestamp())
    text = sign(text, inner, Signing.by(ALICE)).decode()
    return sealed(text, (content_of(text), encryption))


@SEALED.accepted(site="every")
def an_element_that_was_signed_is_encrypted() -> Built:
    return sealed(signed_text(), ("<e:text>hello</e:text>", for_server(kind="Element")))


# --- Answered ---------------------------------------------------------------------------------------------------------


def _answered(answer: Answer) -> None:
    """Demand an answer that is signed, and that its client alone can read."""
    assert CANARY not in answer.body.decode()
    root = etree.fromstring(answer.body)
    assert root.find(f"*/{{{WSSE}}}Security/{{{DS}}}Signature") is not None
    assert root[-1][0].tag == f"{{{XENC}}}EncryptedData"


@ANSWERED.each_accepted(_ORDERS, also=_answered)
def what_is_answered_signed_and_encrypted_is(make: Callable[..., bytes]) -> Built:
    return make(signing=Signing.by(rsa_client()))


EVERY: Final = (*SEALED, *ANSWERED)
