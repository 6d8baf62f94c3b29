"""Others who read what we make: libxmlsec verifies and decrypts it, zeep verifies it. WSS4J: ``tests/interop``."""

from pathlib import Path
from typing import Any

import pytest
import xmlsec
import zeep.wsse.signature
from lxml import etree
from lxml.etree import _Element

from tests.messages import DS, PAYLOAD, SOAP11, SOAP12, XENC, envelope
from tests.pki import Issued
from tests.securing.receiving import ALICE, CREDENTIALS, ELLEN, IDENTIFIERS, SERVER, received, secured, signing
from tests.signature.test_oracle import XMLSEC_METHODS, xmlsec_verifies
from wsguard.names import DIGEST_ALGORITHMS, ENCRYPTION_ALGORITHMS, XSD, XSI

MESSAGE = envelope('<h:To xmlns:h="urn:h">urn:here</h:To>')
PARTS = ("Body", "Timestamp", "UsernameToken", "BinarySecurityToken", "{urn:h}To")


# --- Signed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", XMLSEC_METHODS)
@pytest.mark.parametrize("digest", DIGEST_ALGORITHMS)
def test_libxmlsec_verifies_every_method_and_digest(method: str, digest: str) -> None:
    signer = ALICE if method.startswith("rsa") else ELLEN
    octets = secured(
        MESSAGE, sign=signing(signer), signature_algorithm=method, digest=digest, username=CREDENTIALS,
        signed_parts=PARTS,
    )  # fmt: skip
    assert xmlsec_verifies(octets, signer)
    assert not xmlsec_verifies(octets.replace(b"hello", b"hullo"), signer)


@pytest.mark.parametrize("c14n", ["exc-c14n", "exc-c14n-with-comments", "c14n", "c14n-with-comments"])
@pytest.mark.parametrize("default", ["", ' xmlns="urn:default"', f' xmlns="{DS}"'])
def test_libxmlsec_verifies_every_canonicalization(c14n: str, default: str) -> None:
    around = f'<S:Envelope xml:lang="de"{default} xmlns:xs="{XSD}" xmlns:xsi="{XSI}" xmlns:unused="urn:u"'.encode()
    message = MESSAGE.replace(b"<S:Envelope", around)
    message = message.replace(b"<e:text>", b'<e:text xsi:type="xs:string"><x xsi:type="default"/>')
    octets = secured(message, canonicalization=c14n, username=CREDENTIALS, signed_parts=PARTS)
    assert xmlsec_verifies(octets, ALICE)


@pytest.mark.parametrize("declared", [f'xmlns:dsig="{DS}"', f'xmlns="{DS}"', f'xmlns:a="{DS}" xmlns:ds="urn:other"'])
@pytest.mark.parametrize("first", [True, False, None])
def test_libxmlsec_verifies_it_whatever_prefixes_the_envelope_has(declared: str, first: bool | None) -> None:
    """lxml gives elements that are moved the prefix of where they come to stand: after signing that would show."""
    message = MESSAGE.replace(b"<S:Envelope", f"<S:Envelope {declared}".encode())
    if first is None:
        octets = secured(message)
        assert xmlsec_verifies(octets, ALICE)
        return
    octets = secured(message, encrypt_for=SERVER.certificate, sign_before_encrypting=first)
    assert received(octets).signed_names == ["Body", "Timestamp"]
    assert first or xmlsec_verifies(octets, ALICE)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Alice's key and certificate."""
    (tmp_path / "alice.key").write_bytes(ALICE.key_pem)
    (tmp_path / "alice.pem").write_bytes(ALICE.pem)
    return str(tmp_path / "alice.key"), str(tmp_path / "alice.pem")


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_zeep_verifies_it(files: tuple[str, str], identifier: str, soap: str) -> None:
    message = secured(envelope(None, soap=soap), key_identifier=identifier)
    kinds: tuple[Any, ...] = (zeep.wsse.signature.Signature, zeep.wsse.signature.BinarySignature)
    for kind in kinds:
        kind(*files).verify(etree.fromstring(message))
        with pytest.raises(zeep.exceptions.SignatureVerificationFailed):
            kind(*files).verify(etree.fromstring(message.replace(b"hello", b"hullo")))


# --- Encrypted --------------------------------------------------------------------------------------------------------


def opened_by_xmlsec(octets: bytes, recipient: Issued) -> list[bytes]:
    """Each plaintext of a message, by libxmlsec: it unwraps the key, and decrypts copies without KeyInfo (FACTS S8)."""
    root = etree.fromstring(octets)
    (key,) = root.iter(f"{{{XENC}}}EncryptedKey")
    (value,) = key.findall(f"{{{XENC}}}CipherData")
    wrapped = _alone("EncryptedKey", key.find(f"{{{XENC}}}EncryptionMethod"), value)
    rsa = xmlsec.Key.from_memory(recipient.key_pem, xmlsec.constants.KeyDataFormatPem)
    session = _decrypted(wrapped, rsa)
    return [
        _decrypted(
            _alone("EncryptedData", data.find(f"{{{XENC}}}EncryptionMethod"), data.find(f"{{{XENC}}}CipherData")),
            xmlsec.Key.from_binary_data(_kind(data), session),
        )
        for data in root.iter(f"{{{XENC}}}EncryptedData")
    ]


def _alone(name: str, *children: _Element | None) -> _Element:
    text = b"".join(etree.tostring(child) for child in children if child is not None)
    return etree.fromstring(
        b'<xenc:%b xmlns:xenc="%b">%b</xenc:%b>' % (name.encode(), XENC.encode(), text, name.encode())
    )


def _decrypted(element: _Element, key: xmlsec.Key) -> bytes:
    context = xmlsec.EncryptionContext()
    context.key = key
    found: Any = context.decrypt(element)
    return bytes(found)


def _kind(data: _Element) -> Any:
    method = data.find(f"{{{XENC}}}EncryptionMethod")
    assert method is not None
    triple = method.get("Algorithm", "").endswith("tripledes-cbc")
    return xmlsec.constants.KeyDataDes if triple else xmlsec.constants.KeyDataAes


@pytest.mark.parametrize("transport", ["rsa-oaep-mgf1p", "rsa-1_5", "rsa-oaep"])
@pytest.mark.parametrize("encryption", ENCRYPTION_ALGORITHMS)
@pytest.mark.parametrize("first", [True, False])
def test_libxmlsec_unwraps_and_decrypts_it(transport: str, encryption: str, first: bool) -> None:
    octets = secured(
        MESSAGE, encrypt_for=SERVER.certificate, encryption=encryption, key_transport=transport,
        encrypted_parts=("Body", "{urn:h}To"), sign_before_encrypting=first,
    )  # fmt: skip
    block, body = opened_by_xmlsec(octets, SERVER)
    assert etree.tostring(etree.fromstring(body), method="c14n", exclusive=True) == PAYLOAD.encode()
    assert etree.fromstring(block).text == "urn:here"
    if not first:
        assert xmlsec_verifies(octets, ALICE)
