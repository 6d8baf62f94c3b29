"""Legal: signed messages in every order and spelling that the standards allow."""

import textwrap
from collections.abc import Callable
from typing import Any, Final

from tests.attacks.cases import Built, Chapter
from tests.messages import DS, PAYLOAD, timestamp
from tests.signature.signatures import ALICE, BOB, both_sign, honest
from tests.signing import (
    TIMESTAMP,
    Part,
    Signing,
    binary_token,
    sign,
    signed,
    unsigned,
)

SPELLINGS: Final = Chapter("legal", "signed")

_COMMENT: Final = "<!-- a comment -->"
_SECURITY: Final = '<wsse:Security S:mustUnderstand="1">'


@SPELLINGS.each_accepted(
    {
        "the signature before its certificate": ("@SIG-1@", "token", "stamp"),
        "the Timestamp first": ("stamp", "token", "@SIG-1@"),
        "the certificate last": ("stamp", "@SIG-1@", "token"),
        "the signature last": ("token", "stamp", "@SIG-1@"),
    },
    source="WSS 1.1 §5 gives no order; seen from zeep",
)
def in_the_security_header(order: tuple[str, ...]) -> Built:
    made = {"token": binary_token(ALICE.certificate), "stamp": timestamp()}
    return sign(unsigned(*(made.get(one, one) for one in order)), Signing.by(ALICE))


def _in_lines(text: str, start: str, end: str) -> str:
    at = text.index(start) + len(start)
    value = text[at : text.index(end, at)]
    return text.replace(value, "\r\n" + "\r\n".join(textwrap.wrap(value, 76)) + "\r\n")


@SPELLINGS.each_accepted(
    {
        "comments around": lambda t: t.replace("<S:Header>", f"{_COMMENT}<S:Header>{_COMMENT}"),
        "comments in it": lambda t: t.replace("<ds:SignedInfo>", f"{_COMMENT}<ds:SignedInfo>{_COMMENT}"),
        "a comment in what was signed": lambda t: t.replace("hello", f"hel{_COMMENT}lo"),
        "CDATA in what was signed": lambda t: t.replace("hello", "<![CDATA[hello]]>"),
        "character references in what was signed": lambda t: t.replace("hello", "&#104;ell&#x6f;"),
        "its value in lines": lambda t: _in_lines(t, "<ds:SignatureValue>", "</"),
        "its certificate in lines": lambda t: _in_lines(t, "#X509v3\">", "</"),
        "an unused certificate": lambda t: t.replace(_SECURITY, _SECURITY + binary_token(BOB.certificate, id="X509-2")),
        "white space in tags": lambda t: t.replace("</S:Body>", "</S:Body >").replace("<S:Body ", "<S:Body\n\t"),
        "declarations that nobody uses": lambda t: t.replace("<S:Envelope ", '<S:Envelope xmlns:unused="urn:unused" '),
    },
)  # fmt: skip
def a_signed_message_with(change: Callable[[str], str]) -> Built:
    return change(honest()).encode()


@SPELLINGS.each_accepted(
    {
        "the default namespace": {
            "replaced": {"ds:": "", '<Signature Id="SIG-1">': f'<Signature xmlns="{DS}" Id="SIG-1">'}
        },
        "another prefix": {"replaced": {"ds:": "dsig:", "<dsig:Signature ": f'<dsig:Signature xmlns:dsig="{DS}" '}},
        "a line for each element": {"replaced": {"><": ">\n    <"}},
        "an Id on KeyInfo": {"replaced": {"<ds:KeyInfo>": '<ds:KeyInfo Id="KI-1">'}},
    },
    source="seen from zeep, .NET, PHP and WSS4J",
)
def a_signature_in(changes: dict[str, Any]) -> Built:
    return signed(Signing.by(ALICE, **changes))


@SPELLINGS.accepted(source="WSS4J: an endorsing signature")
def two_signatures_of_two_people() -> Built:
    return both_sign(Signing.by(ALICE), Signing.by(BOB))


@SPELLINGS.accepted(source="WSS4J: a signature over a signature")
def a_signature_over_a_signature() -> Built:
    return both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#SIG-A"), TIMESTAMP)))


@SPELLINGS.accepted(handed="grüße")
def a_signed_text_beyond_ascii() -> Built:
    return honest(body=PAYLOAD.replace("hello", "grüße")).encode()


@SPELLINGS.accepted(handed="hel&#13;lo", source="XML 1.0 §2.11: a carriage return by reference stays")
def a_carriage_return_that_was_signed() -> Built:
    return honest(body=PAYLOAD.replace("hello", "hel&#13;lo")).encode()


EVERY: Final = (*SPELLINGS,)
