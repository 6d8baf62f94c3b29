"""What cannot be secured is refused with one exception, whatever is wrong; nothing else leaves ``secure``."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.messages import NOW, PAYLOAD, SOAP11, SOAP12, WSU, envelope, security, timestamp
from tests.pki import rsa_key
from tests.securing.receiving import ROOT, SERVER, plan, received, secured, signing
from wsguard.names import SOAP12_NEXT, SOAP_NEXT
from wsguard.policy.surroundings import Limits
from wsguard.securing import NotSecurable, Securing, elements, secure, securing
from wsguard.securing.ciphers import encrypt, transport

MESSAGE = envelope(None)


def refusal(octets: bytes, limits: Limits | None = None, **changes: Any) -> str:
    """Why it is not secured."""
    with pytest.raises(NotSecurable) as caught:
        secure(octets, plan(**changes), NOW, limits or Limits())
    return str(caught.value)


@pytest.mark.parametrize(
    "octets, reason",
    [
        (b"", "envelope.malformed"),
        (b"\xff\xff", "envelope.encoding"),
        (b"<html>", "envelope.malformed"),
        (b"<html/>", "not html"),
        (b'{"json": true}', "envelope.malformed"),
        (MESSAGE[:-1], "envelope.malformed"),
        (MESSAGE + b"<x/>", "envelope.malformed"),
        (b"<!DOCTYPE x>" + MESSAGE, "envelope.doctype"),
        (MESSAGE.replace(b"hello", b"<?php ?>"), "envelope.structure"),
        (MESSAGE + b"<?pi?>", "envelope.structure"),
        (envelope(None, soap="urn:soap"), "not {urn:soap}Envelope"),
        (envelope(None).replace(b"S:Body", b"S:Boddy"), "not Boddy"),
        (f'<S:Envelope xmlns:S="{SOAP11}"/>'.encode(), "not nothing"),
        (envelope("").replace(b"</S:Body>", b"</S:Body><S:Body/>"), "not Header, Body, Body"),
        (MESSAGE.replace(b"<e:text>", b'<e:text id="a"><x id="a"/>'), "envelope.duplicate_id"),
        (MESSAGE.replace(b"<S:Body>", f'<S:Body xmlns:u="{WSU}" u:Id="a b">'.encode()), "no NCName"),
        (MESSAGE.replace(b"<e:text>", b'<e:text xmlns="relative">'), "canonical form"),
    ],
)
def test_what_is_no_envelope_is_refused(octets: bytes, reason: str) -> None:
    assert reason in refusal(octets)


def test_the_text_never_quotes_what_the_parser_saw() -> None:
    assert "secret" not in refusal(MESSAGE.replace(b"hello", b"secret <"))


@pytest.mark.parametrize("setting", ["signed_parts", "encrypted_parts"])
def test_a_header_block_that_is_not_there_is_missed(setting: str) -> None:
    changes: dict[str, Any] = {setting: ("{urn:h}To",), "encrypt_for": SERVER.certificate}
    assert "{urn:h}To" in refusal(MESSAGE, **changes)
    assert "{urn:h}To" in refusal(envelope('<h:To xmlns:h="urn:other"/>'), **changes)


@pytest.mark.parametrize("soap, whose", [(SOAP11, "actor"), (SOAP12, "role")])
def test_a_security_header_of_the_application_is_not_overwritten(soap: str, whose: str) -> None:
    def message(actor: str) -> bytes:
        return envelope(security(timestamp(), attributes=f'S:{whose}="{actor}"'), soap=soap)

    assert "already" in refusal(envelope(security(timestamp()), soap=soap))
    for same in ("", SOAP_NEXT, SOAP12_NEXT):
        assert "already" in refusal(message(same))
    assert "already" in refusal(message(" urn:x "), actor="urn:x")
    other = secured(message("urn:x"))
    assert other.count(b"<wsse:Security ") == 2
    assert received(other).signed_names == ["Body", "Timestamp"]
    assert secured(message(""), actor="urn:x").count(b'="urn:x"') == 1


def test_limits_hold() -> None:
    assert "limits.response_bytes" in refusal(MESSAGE, Limits(response_bytes=len(MESSAGE) - 1))
    assert "limits.depth" in refusal(envelope(None, "<x>" * 9 + "</x>" * 9), Limits(depth=8))
    assert "limits.attributes_per_element" in refusal(
        envelope(None, '<x a="1" b="2"/>'), Limits(attributes_per_element=1)
    )
    assert "limits.elements" in refusal(envelope(None, "<x/>" * 900), Limits(elements=90, response_bytes=2_097_152))
    secure(envelope(None, "<x/>" * 900), Securing(timestamp=timedelta(1)), NOW, Limits(elements=900))


def test_an_answer_may_have_as_many_more_elements_as_it_may_be_longer() -> None:
    many = envelope(None, "<x/>" * 60_000)
    assert len(secured(many)) > len(many)


def test_a_key_that_is_too_short_is_refused() -> None:
    short = ROOT.leaf("short", key=rsa.generate_private_key(65537, 1024))
    assert "rsa-pss-sha512" in refusal(MESSAGE, sign=signing(short), signature_algorithm="rsa-pss-sha512")


def test_what_cryptography_refuses_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipient's key of 512 bits cannot be made any more, and may still be met."""

    class Short:
        def encrypt(self, session: bytes, scheme: object) -> bytes:
            raise ValueError("Encryption failed")

    key: Any = Short()
    with pytest.raises(NotSecurable, match="does not do for rsa-oaep"):
        transport("rsa-oaep", key, b"session")
    with pytest.raises(NotSecurable, match="aes256-gcm"):
        encrypt("aes256-gcm", b"short", b"", random.Random().randbytes)
    unreadable = {"SKIKeyIdentifier": lambda reference, certificate: int("none")}
    monkeypatch.setattr(elements, "_NAMED", unreadable)
    assert "no SKIKeyIdentifier that can be read" in refusal(MESSAGE, key_identifier="SKIKeyIdentifier")


@pytest.mark.parametrize("error", [etree.SerialisationError, MemoryError])
def test_what_libxml2_does_not_write_is_translated(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[str], Exception]
) -> None:
    def fail(root: object) -> bytes:
        raise error("IO_WRITE")

    monkeypatch.setattr(securing, "_written", fail)
    assert "libxml2 does not write it" in refusal(MESSAGE)


def test_ten_megabytes_in_one_text_are_more_than_libxml2_parses() -> None:
    """Of what was encrypted before it is signed, the ciphertext is parsed again."""
    message = envelope(None, "<e:Echo xmlns:e='urn:echo'>" + f"<a>{'x' * 1_000_000}</a>" * 8 + "</e:Echo>")
    made: dict[str, Any] = {"encrypt_for": SERVER.certificate}
    assert len(secured(message, **made)) > 10_000_000
    assert "envelope.malformed" in refusal(message, **made, sign_before_encrypting=False)
    assert "envelope.malformed" in refusal(envelope(None, "x" * 10_100_000))


def test_time_must_be_aware_and_end() -> None:
    made = Securing(timestamp=timedelta(minutes=5))
    with pytest.raises(ValueError, match="aware"):
        secure(MESSAGE, made, NOW.replace(tzinfo=None), Limits())
    with pytest.raises(ValueError, match="10000"):
        secure(MESSAGE, made, datetime(9999, 12, 31, 23, 59, tzinfo=UTC), Limits())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(MESSAGE)), st.binary(max_size=4), st.booleans())
def test_nothing_else_leaves(place: int, more: bytes, first: bool) -> None:
    try:
        octets = secured(
            MESSAGE[:place] + more + MESSAGE[place + 1 :], encrypt_for=SERVER.certificate, sign_before_encrypting=first
        )
    except NotSecurable:
        return
    received(octets)


# --- What is made -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "us-ascii"])
def test_every_charset_becomes_utf_8(charset: str) -> None:
    name = {"utf-8-sig": "utf-8"}.get(charset, charset)
    text = f'<?xml version="1.0" encoding="{name}"?>' + MESSAGE.decode().replace(
        "hello", "h&#233;llo" if charset == "us-ascii" else "h\u00e9llo"
    )
    octets = secured(text.encode(charset))
    assert octets.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<')
    assert "h\u00e9llo".encode() in octets


def test_the_same_randomness_makes_the_same_message() -> None:
    made = Securing(timestamp=timedelta(1), sign=signing(ROOT.leaf("r", key=rsa_key())))
    one, other, third = (secure(MESSAGE, made, NOW, Limits(), random=random.Random(n).randbytes) for n in (1, 1, 2))
    assert one == other != third


def test_ids_never_collide() -> None:
    repeated = iter([b"\1" * 16, b"\1" * 16, b"\2" * 16, b"\3" * 16, b"\4" * 16, b"\5" * 16])
    message = MESSAGE.replace(b"<e:text>", b'<e:text id="TS-%b">' % (b"01" * 16))
    octets = secure(message, Securing(timestamp=timedelta(1)), NOW, Limits(), random=lambda count: next(repeated))
    assert b'"TS-02020202' in octets
    assert len(set(received(octets).tree.ids)) == 2


@pytest.mark.parametrize("soap, whose", [(SOAP11, "actor"), (SOAP12, "role")])
def test_actor_and_must_understand_stand_on_the_header(soap: str, whose: str) -> None:
    octets = secured(envelope(None, soap=soap), actor="urn:x")
    assert b' S:mustUnderstand="1"' in octets
    assert f' S:{whose}="urn:x"'.encode() in octets
    assert b"mustUnderstand" not in secured(MESSAGE, must_understand=False)


def test_a_soap_namespace_without_a_prefix_gets_one_for_attributes() -> None:
    message = f'<Envelope xmlns="{SOAP11}"><Body>{PAYLOAD}</Body></Envelope>'.encode()
    octets = secured(message, encrypt_for=SERVER.certificate)
    assert b' soap:mustUnderstand="1"' in octets
    assert received(octets).signed_names == ["Body", "Timestamp"]


def test_prefixes_are_the_usual_ones_unless_they_are_taken() -> None:
    assert b"<S:Body wsu:Id=" in secured(MESSAGE)
    taken = MESSAGE.replace(b"<S:Envelope", b'<S:Envelope xmlns:wsu="urn:x" xmlns:wsse="urn:y" xmlns:ds="urn:z"')
    assert received(secured(taken, encrypt_for=SERVER.certificate)).signed_names == ["Body", "Timestamp"]
    commented = b"<!-- first -->" + MESSAGE
    assert received(secured(commented)).signed_names == ["Body", "Timestamp"]
