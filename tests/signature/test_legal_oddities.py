"""What honest clients send, odd as it looks: every message here is signed as its sender meant it, and accepted."""

import textwrap

import pytest
from lxml import etree

from tests.messages import PAYLOAD, SOAP12, timestamp
from tests.signature.signatures import ALICE, BOTH, SignedGuard, bent, honest
from tests.signing import (
    Signing,
    binary_token,
    sign,
    unsigned,
)

SECURITY = '<wsse:Security S:mustUnderstand="1">'
COMMENT = "<!-- a comment -->"


TOKEN = binary_token(ALICE.certificate)


# --- What may stand between elements ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("<S:Header>", f"{COMMENT}<S:Header>{COMMENT}"), id="around the Header"),
        pytest.param(("</S:Envelope>", f"</S:Envelope>{COMMENT}"), id="behind the Envelope"),
        pytest.param((SECURITY, f"{SECURITY}{COMMENT}"), id="in the Security header"),
        pytest.param(("<ds:SignedInfo>", f"{COMMENT}<ds:SignedInfo>{COMMENT}"), id="in the Signature"),
        pytest.param(("<ds:KeyInfo>", f"<ds:KeyInfo>{COMMENT}"), id="in KeyInfo"),
        pytest.param(("<wsu:Expires>", f"<wsu:Expires>{COMMENT}"), id="in the Timestamp"),
        pytest.param(("<e:text>", f"{COMMENT}<e:text>"), id="in the Body"),
        pytest.param(("hello", f"hel{COMMENT}lo"), id="in a text"),
        pytest.param(("hello", "<![CDATA[hello]]>"), id="CDATA"),
        pytest.param(("hello", "hel<![CDATA[lo]]>"), id="CDATA for a part of a text"),
        pytest.param(("hello", "&#104;ell&#x6f;"), id="character references"),
        pytest.param(('#X509-1"/>', '#X509-1"></wsse:Reference>'), id="an end tag for an empty element"),
        pytest.param(('<S:Body wsu:Id="body">', "<S:Body\n\twsu:Id = 'body'  >"), id="white space in a tag"),
        pytest.param(("</S:Body>", "</S:Body >"), id="white space in an end tag"),
    ],
)
def test_what_canonicalization_does_not_see(guard: SignedGuard, change: tuple[str, str]) -> None:
    message = guard.accepted(bent(honest(), change))
    assert message.signed_parts == BOTH
    assert b"hello" in guard.handed


@pytest.mark.parametrize("end", [pytest.param("\n", id="LF"), pytest.param("\r\n", id="CRLF")])
def test_a_line_for_each_element(guard: SignedGuard, end: str) -> None:
    """XML 1.0 §2.11: a parser makes line feeds of all line ends."""
    names = ("SignedInfo", "Reference", "SignatureValue", "KeyInfo")
    signing = Signing.by(ALICE, replaced={f"<ds:{name}": f"\n  <ds:{name}" for name in names})
    envelope = unsigned(TOKEN, "@SIG-1@", timestamp()).replace("><", ">\n  <")
    text = sign(envelope, signing).replace(b"\n", end.encode())
    assert guard.accepted(text).signed_parts == BOTH


def test_a_wrapped_certificate_and_value(guard: SignedGuard) -> None:
    """76 characters a line, as MIME has it, with CRLF: also where it was signed."""
    sent = honest()
    certificate = sent[sent.index('#X509v3">') + 9 : sent.index("</wsse:BinarySecurityToken>")]
    value = sent[sent.index("<ds:SignatureValue>") + 19 : sent.index("</ds:SignatureValue>")]
    wrapped = [(text, "\r\n" + "\r\n".join(textwrap.wrap(text, 76)) + "\r\n") for text in (certificate, value)]
    assert guard.accepted(bent(sent, *wrapped)).signed_parts == BOTH


def test_a_carriage_return_that_was_signed(guard: SignedGuard) -> None:
    body = PAYLOAD.replace("hello", "hel&#13;lo")
    guard.accepted(honest(body=body).encode())
    assert etree.fromstring(guard.handed).findtext(".//{*}text") == "hel\rlo"


# --- Order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(("@SIG-1@", TOKEN, timestamp()), id="the Signature before its certificate"),
        pytest.param((timestamp(), TOKEN, "@SIG-1@"), id="the Timestamp first"),
        pytest.param((timestamp(), "@SIG-1@", TOKEN), id="the certificate last"),
        pytest.param((TOKEN, timestamp(), "@SIG-1@"), id="the Signature last"),
    ],
)
def test_the_children_of_the_security_header_come_in_any_order(guard: SignedGuard, order: tuple[str, ...]) -> None:
    assert guard.accepted(sign(unsigned(*order), Signing.by(ALICE))).signed_parts == BOTH


@pytest.mark.parametrize("place", ["<S:Header>", "</S:Header>"])
def test_the_security_header_is_first_or_last(guard: SignedGuard, place: str) -> None:
    other = '<h:H xmlns:h="urn:h">1</h:H>'
    change = place + other if place == "<S:Header>" else other + place
    assert guard.accepted(bent(honest(), (place, change))).signed_parts == BOTH


def test_a_second_security_header_for_another_actor(guard: SignedGuard) -> None:
    other = f'<wsse:Security S:actor="urn:else">{timestamp().replace("TS-1", "TS-2")}<x/></wsse:Security>'
    assert guard.accepted(bent(honest(), ("<S:Header>", f"<S:Header>{other}"))).signed_parts == BOTH


# --- Encodings and versions -------------------------------------------------------------------------------------------

UMLAUTS = PAYLOAD.replace("hello", "grüße")


@pytest.mark.parametrize(
    ("charset", "encoding", "declaration"),
    [
        pytest.param("utf-16", "utf-16", '<?xml version="1.0" encoding="utf-16"?>', id="UTF-16"),
        pytest.param("utf-8", "utf-8-sig", "", id="a byte order mark"),
        pytest.param("iso-8859-1", "iso-8859-1", '<?xml version="1.0" encoding="iso-8859-1"?>', id="ISO-8859-1"),
        pytest.param("utf-8", "utf-8", '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n', id="declared"),
    ],
)
def test_a_signature_holds_in_every_charset(guard: SignedGuard, charset: str, encoding: str, declaration: str) -> None:
    """Canonical forms are UTF-8, whatever a message comes in."""
    octets = (declaration + honest(body=UMLAUTS)).encode(encoding)
    guard.accepted(octets, CONTENT_TYPE=f"text/xml; charset={charset}")
    assert "grüße".encode() in guard.handed


def test_soap_1_2(guard: SignedGuard) -> None:
    message = guard.accepted(honest(soap=SOAP12).encode(), CONTENT_TYPE="application/soap+xml; charset=utf-8")
    assert (message.soap_version, message.signed_parts) == ("1.2", BOTH)
