"""What was secured is what arrives: in every form, through our own verification and decryption."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from tests.messages import PAYLOAD, SOAP11, SOAP12, WSU, envelope
from tests.pki import ec_key
from tests.securing.receiving import (
    ADDRESS,
    ADDRESSED,
    ALICE,
    ALL,
    CREDENTIALS,
    ELLEN,
    IDENTIFIERS,
    MESSAGE,
    ORDERS,
    ROOT,
    TO_SERVER,
    received,
    secured,
    signing,
)
from tests.signature.mutations import seen, types
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
    XSD,
    XSI,
)
from wsguard.securing import encrypting
from wsguard.securing.ciphers import encrypt
from wsguard.securing.draft import Random


def assert_same(octets: bytes, original: bytes = MESSAGE) -> None:
    """What arrives says what was sent."""
    arrived, sent = seen(received(octets).envelope), seen(_with_header(original))
    assert arrived == sent


def _with_header(octets: bytes) -> bytes:
    root = etree.fromstring(octets)
    if len(root) == 1:
        root.insert(0, root.makeelement(f"{{{etree.QName(root).namespace}}}Header"))
    return etree.tostring(root, encoding="utf-8")


def children(octets: bytes) -> list[str]:
    """The local names in the Security header, as it was sent."""
    security = etree.fromstring(octets)[0][0]
    return [etree.QName(child).localname for child in security]


# --- Signed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize("signer", [ALICE, ELLEN], ids=["rsa", "ec"])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_every_key_identifier_is_read(identifier: str, signer: Any, soap: str) -> None:
    message = envelope(None, soap=soap)
    octets = secured(message, sign=signing(signer), key_identifier=identifier)
    assert received(octets).signed_names == ["Body", "Timestamp"]
    assert_same(octets, message)


@pytest.mark.parametrize("method", [name for name in SIGNATURE_ALGORITHMS if not name.startswith("hmac")])
def test_every_signature_method_fits(method: str) -> None:
    signer = ALICE if method.startswith("rsa") else ELLEN
    assert_same(secured(MESSAGE, sign=signing(signer), signature_algorithm=method))


@pytest.mark.parametrize("digest, c14n", [*product(DIGEST_ALGORITHMS, CANONICALIZATION_ALGORITHMS)])
def test_every_digest_and_canonicalization_fits(digest: str, c14n: str) -> None:
    assert_same(secured(ADDRESSED, digest=digest, canonicalization=c14n), ADDRESSED)


@pytest.mark.parametrize(
    "curve, method",
    [(ec.SECP256R1(), "ecdsa-sha256"), (ec.SECP384R1(), "ecdsa-sha384"), (ec.SECP521R1(), "ecdsa-sha512")],
)
def test_the_usual_method_is_as_strong_as_the_curve(curve: ec.EllipticCurve, method: str) -> None:
    octets = secured(MESSAGE, sign=signing(ROOT.leaf("other", key=ec_key(curve))))
    assert SIGNATURE_ALGORITHMS[method].encode() in octets


def test_everything_that_can_be_signed_is_signed() -> None:
    parts = ("Body", "Timestamp", "UsernameToken", "BinarySecurityToken", ADDRESS)
    octets = secured(ADDRESSED, signed_parts=parts, username=CREDENTIALS)
    assert received(octets).signed_names == [
        "Body", "Timestamp", "UsernameToken", "BinarySecurityToken", "To",
    ]  # fmt: skip
    assert_same(octets, ADDRESSED)


def test_both_tokens_are_signed_where_there_are_two() -> None:
    for first in ORDERS:
        octets = secured(
            MESSAGE, **TO_SERVER, encryption_key_identifier="DirectReference", sign_before_encrypting=first,
            signed_parts=("Body", "BinarySecurityToken"),
        )  # fmt: skip
        names = [name for name in received(octets).signed_names if name == "BinarySecurityToken"]
        assert len(names) == 2


def test_several_blocks_of_one_name_are_all_signed_and_encrypted() -> None:
    message = envelope('<h:To xmlns:h="urn:h">1</h:To><h:To xmlns:h="urn:h">2</h:To>')
    octets = secured(message, signed_parts=(ADDRESS,), **TO_SERVER, encrypted_parts=(ADDRESS,))
    result = received(octets)
    assert (result.signed_names, result.encrypted_names) == (["To", "To"], ["To", "To"])
    assert_same(octets, message)


# --- Encrypted --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize("transport", ["rsa-oaep-mgf1p", "rsa-oaep", "rsa-1_5"])
@pytest.mark.parametrize("encryption", ENCRYPTION_ALGORITHMS)
def test_every_way_to_encrypt_is_read(identifier: str, transport: str, encryption: str) -> None:
    octets = secured(
        MESSAGE, sign=None, **TO_SERVER, encryption_key_identifier=identifier, key_transport=transport,
        encryption=encryption,
    )  # fmt: skip
    assert b"hello" not in octets
    assert received(octets).encrypted_names == ["Body"]
    assert_same(octets)


@pytest.mark.parametrize("first", ORDERS)
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_everything_that_can_be_encrypted_is_encrypted(first: bool, soap: str) -> None:
    message = envelope('<h:To xmlns:h="urn:h">urn:here</h:To>', soap=soap)
    parts = ("Body", "UsernameToken", ADDRESS, *(("Signature",) if first else ()))
    signed = ("Body", "Timestamp", "UsernameToken", ADDRESS)
    octets = secured(
        message, username=CREDENTIALS, signed_parts=signed, **TO_SERVER, encrypted_parts=parts,
        sign_before_encrypting=first,
    )  # fmt: skip
    for secret in (b"hello", b"urn:here", b"UsernameToken", *((b"SignatureValue",) if first else ())):
        assert secret not in octets
    result = received(octets)
    assert sorted(result.encrypted_names) == sorted(name.rpartition("}")[2] for name in parts)
    assert result.signed_names == [name.rpartition("}")[2] for name in signed]
    assert_same(octets, message)


def test_what_is_encrypted_first_is_signed_as_ciphertext() -> None:
    plain, cipher = (received(secured(MESSAGE, **TO_SERVER, sign_before_encrypting=first)) for first in ORDERS)
    assert [b"EncryptedData" in octets for octets in plain.signed.values()] == [False, False]
    assert [b"EncryptedData" in octets for octets in cipher.signed.values()] == [True, False]


def test_soap_attributes_of_an_encrypted_block_stand_on_what_is_there_instead() -> None:
    message = envelope(
        '<h:To xmlns:h="urn:h" S:mustUnderstand="1" S:actor="urn:&quot;x" h:own="secret">urn:here</h:To>'
    )
    octets = secured(message, **TO_SERVER, encrypted_parts=(ADDRESS,))
    block = etree.fromstring(octets)[0][1]
    said = {name: value for name, value in block.attrib.items() if SOAP11 in str(name)}
    assert etree.QName(block).localname == "EncryptedHeader"
    assert said == {f"{{{SOAP11}}}mustUnderstand": "1", f"{{{SOAP11}}}actor": 'urn:"x'}
    assert b"secret" not in octets
    assert_same(octets, message)


CONTENTS = (
    "",
    "text only &#13; &lt;",
    " \n ",
    f"before{PAYLOAD}between<x/>after",
    "<S:Fault><faultcode>S:Server</faultcode><faultstring>no</faultstring></S:Fault>",
    "<!-- gone -->" + PAYLOAD,
    PAYLOAD.replace("hello", "\U0001f600 \u00e9 &#x20AC; <![CDATA[<&]]>"),
)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("first", ORDERS)
def test_whatever_a_body_holds_comes_back(content: str, first: bool) -> None:
    message = envelope(None, content)
    octets = secured(message, **TO_SERVER, sign_before_encrypting=first)
    assert_same(octets, message.replace(b"<!-- gone -->", b""))


@pytest.mark.parametrize("first", ORDERS)
@pytest.mark.parametrize(
    "on_body, on_payload",
    [("", ""), (f' xmlns="{XSD}"', ""), (' xmlns=""', ""), ("", ' xmlns=""'), ("", f' xmlns:xs="{XSD}"')],
)
def test_prefixes_in_values_keep_their_meaning(first: bool, on_body: str, on_payload: str) -> None:
    message = (
        f'<S:Envelope xmlns:S="{SOAP11}" xmlns:xs="{XSD}" xmlns:xsi="{XSI}" xmlns="urn:default" xmlns:o="urn:o">'
        f'<S:Body{on_body}><e:Echo xmlns:e="urn:echo"{on_payload} xsi:type="o:T"><a xsi:type="xs:decimal">1</a>'
        f'<b xsi:type="string"/></e:Echo><c xsi:type="xs:int">2</c></S:Body></S:Envelope>'
    ).encode()
    octets = secured(message, **TO_SERVER, sign_before_encrypting=first)
    result = received(octets)
    assert types(result.tree.root[-1]) == types(etree.fromstring(message)[-1])
    assert_same(octets, message)


def test_a_plaintext_can_be_parsed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    message = envelope(None).replace(b"<S:Envelope", f'<S:Envelope xmlns:xs="{XSD}" xmlns:xsi="{XSI}"'.encode())
    message = message.replace(b"<e:text>", b'<e:text xsi:type="xs:string">')
    pieces: list[bytes] = []

    def kept(algorithm: str, key: bytes, octets: bytes, random: Random) -> bytes:
        pieces.append(octets)
        return encrypt(algorithm, key, octets, random)

    monkeypatch.setattr(encrypting, "encrypt", kept)
    secured(message, **TO_SERVER)
    (piece,) = pieces
    assert types(etree.fromstring(piece)) == [(XSD, "string")]


# --- Together ---------------------------------------------------------------------------------------------------------


def test_the_order_is_the_one_that_receivers_work_in() -> None:
    parts: dict[str, Any] = {
        "username": CREDENTIALS, **TO_SERVER, "signature_confirmations": (b"1", b"2"),
    }  # fmt: skip
    confirmed = ["Timestamp", "SignatureConfirmation", "SignatureConfirmation"]
    assert children(secured(MESSAGE, **parts)) == [
        *confirmed, "EncryptedKey", "UsernameToken", "BinarySecurityToken", "Signature",
    ]  # fmt: skip
    assert children(secured(MESSAGE, **parts, sign_before_encrypting=False)) == [
        *confirmed, "BinarySecurityToken", "Signature", "EncryptedKey", "UsernameToken",
    ]  # fmt: skip
    parts["encryption_key_identifier"] = "DirectReference"
    assert children(secured(MESSAGE, **parts))[3:5] == ["BinarySecurityToken", "EncryptedKey"]
    assert children(secured(MESSAGE, **{**parts, "sign": None, "sign_before_encrypting": False}))[3:] == [
        "BinarySecurityToken", "EncryptedKey", "UsernameToken",
    ]  # fmt: skip


@pytest.mark.parametrize("values", [(), (b"one",), (b"one", b"two")])
@pytest.mark.parametrize("first", ORDERS)
def test_confirmations_are_signed_with_whatever_is(values: tuple[bytes, ...], first: bool) -> None:
    octets = secured(
        MESSAGE, signature_confirmations=values, signed_parts=("Body",), **TO_SERVER, sign_before_encrypting=first
    )
    result = received(octets)
    assert result.signed_names == ["Body", *["SignatureConfirmation"] * max(1, len(values))]
    expected: list[str | None] = [{b"one": "b25l", b"two": "dHdv"}[value] for value in values]
    found = [child.get("Value") for child in result.security if "Confirmation" in str(child.tag)]
    assert found == (expected or [None])


def test_the_chain_is_sent_where_the_plan_says_so() -> None:
    between = ROOT.authority("between")
    client = between.leaf("client")
    octets = secured(MESSAGE, sign=replace(signing(client), chain=(between.certificate,)), send_chain=True)
    assert b"X509PKIPathv1" in octets


@pytest.mark.parametrize("first", ORDERS)
def test_ids_that_are_there_stay(first: bool) -> None:
    message = MESSAGE.replace(b"<S:Body>", f'<S:Body xmlns:u="{WSU}" u:Id="mine">'.encode())
    message = message.replace(b"<e:text>", b'<e:text id="TS-1">')
    octets = secured(message, **TO_SERVER, sign_before_encrypting=first)
    assert b'URI="#mine"' in octets
    assert received(octets).tree.ids["mine"].tag == f"{{{SOAP11}}}Body"
    assert "TS-1" in received(octets).tree.ids


def test_other_ids_stay_and_get_a_wsu_id_beside_them() -> None:
    message = MESSAGE.replace(b"<S:Body>", b'<S:Body id="mine">')
    octets = secured(message)
    body = etree.fromstring(octets)[-1]
    assert body.get("id") == "mine"
    assert f'URI="#{body.get(f"{{{WSU}}}Id")}"'.encode() in octets


@pytest.mark.parametrize("prefix", ["wsse", "wsu", "ds", "xenc", "ec", "wsse11", "soap"])
@pytest.mark.parametrize("first", ORDERS)
def test_soap_may_have_any_prefix(prefix: str, first: bool) -> None:
    message = ADDRESSED.replace(b"S:", f"{prefix}:".encode()).replace(b"xmlns:S=", f"xmlns:{prefix}=".encode())
    octets = secured(
        message, username=CREDENTIALS, signed_parts=ALL, **TO_SERVER,
        encrypted_parts=("Body", "UsernameToken", ADDRESS), sign_before_encrypting=first, actor="urn:x",
    )  # fmt: skip
    assert len(received(octets).signed_names) == len(ALL)
    assert_same(octets, message)
