"""WSS4J, with the Basic Security Profile enforced, verifies and decrypts what ``wsguard.securing`` makes."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from tests.interop.documents import document
from tests.interop.java import Opened, Refused, Wss4j
from tests.interop.judging import body, replaced
from tests.interop.pki import Pki
from tests.messages import NOW, SOAP11, SOAP12, WSSE, WSU, envelope
from wsguard.names import SIGNATURE_CONFIRMATION, XSI
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing, SigningKey, UsernameCredentials, secure

IDENTIFIERS: Final = ("DirectReference", "IssuerSerial", "SKIKeyIdentifier", "Thumbprint", "X509KeyIdentifier")
CIPHERS: Final = ("aes128-gcm", "aes256-gcm", "aes128-cbc", "aes256-cbc", "tripledes-cbc", "aes192-gcm", "aes192-cbc")
TO: Final = "{urn:h}To"
MESSAGE: Final = envelope('<h:To xmlns:h="urn:h" S:mustUnderstand="0">urn:here</h:To>')
CREDENTIALS: Final = UsernameCredentials("alice", "secret")
PARTS: Final = ("Body", "Timestamp", "UsernameToken", TO)


def certificate(pki: Pki, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(pki.file(name, "pem")).read_bytes())


def key(pki: Pki, name: str, *above: str) -> SigningKey:
    private = load_pem_private_key(Path(pki.file(name, "key")).read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return SigningKey(private, certificate(pki, name), tuple(certificate(pki, one) for one in above))


def made(pki: Pki, octets: bytes = MESSAGE, *, signer: str = "client", recipient: str = "", **plan: Any) -> bytes:
    """A signed message, encrypted where there is a recipient; without a signer it is not signed."""
    plan = {"timestamp": timedelta(minutes=5), **plan}
    plan = {"sign": key(pki, signer), **plan} if signer else plan
    if recipient:
        plan["encrypt_for"] = certificate(pki, recipient)
    return secure(octets, Securing(**plan), NOW, Limits())


def content(octets: bytes) -> bytes:
    """The canonical Body without what securing put on it."""
    root = etree.fromstring(octets, etree.XMLParser(remove_comments=True))
    root[-1].attrib.pop(f"{{{WSU}}}Id", None)
    return body(etree.tostring(root, encoding="utf-8"))


def assert_opened(opened: Opened, original: bytes = MESSAGE) -> None:
    assert content(opened.envelope) == content(original)


# --- Signed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize(
    "signer, method",
    [
        *(("client", f"rsa-sha{bits}") for bits in (1, 256, 384, 512)),
        *(("ec", f"ecdsa-sha{bits}") for bits in (1, 256, 384, 512)),
    ],
)
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_it_verifies_every_signature(
    wss4j: Wss4j, pki: Pki, identifier: str, signer: str, method: str, soap: str
) -> None:
    octets = made(pki, envelope(None, soap=soap), signer=signer, signature_algorithm=method, key_identifier=identifier)
    assert wss4j.verify(octets) == [f"{{{soap}}}Body", f"{{{WSU}}}Timestamp"]
    with pytest.raises(Refused, match=r"^FailedCheck: "):
        wss4j.verify(replaced(octets, b"hello", b"hullo"))


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_it_verifies_every_part_and_digest(wss4j: Wss4j, pki: Pki, digest: str) -> None:
    parts = (*PARTS, "BinarySecurityToken")
    octets = made(pki, username=CREDENTIALS, signed_parts=parts, digest=digest, signature_confirmations=(b"1", b"2"))
    assert wss4j.verify(octets) == [
        f"{{{SOAP11}}}Body", f"{{{WSU}}}Timestamp", f"{{{WSSE}}}UsernameToken", TO, f"{{{WSSE}}}BinarySecurityToken",
        SIGNATURE_CONFIRMATION, SIGNATURE_CONFIRMATION,
    ]  # fmt: skip


def test_it_finds_a_path_to_an_authority_in_the_chain(wss4j: Wss4j, pki: Pki) -> None:
    chained = key(pki, "chained", "between")
    with pytest.raises(Refused):
        wss4j.verify(made(pki, sign=chained))
    assert wss4j.verify(made(pki, sign=chained, send_chain=True))


def test_it_reads_an_issuer_that_is_hard_to_spell(wss4j: Wss4j, pki: Pki) -> None:
    octets = made(pki, signer="odd", key_identifier="IssuerSerial")
    assert wss4j.verify(octets, known=("odd",), trust=[pki.file("odd-ca", "pem")])
    octets = made(pki, signer="", recipient="odd-server")
    assert_opened(wss4j.open(octets, recipient="odd-server"))


def test_it_reads_the_default_namespace_in_a_prefix_list(wss4j: Wss4j, pki: Pki) -> None:
    typed = MESSAGE.replace(b"<S:Envelope", f'<S:Envelope xmlns="urn:d" xmlns:x="{XSI}"'.encode())
    octets = made(pki, typed.replace(b"<e:text>", b'<e:text x:type="T">'))
    assert b'PrefixList="#default"' in octets
    assert wss4j.verify(octets)
    with pytest.raises(Refused):
        wss4j.verify(replaced(octets, b"urn:d", b"urn:e"))


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_signed_arrives(wss4j: Wss4j, pki: Pki, seed: int) -> None:
    assert wss4j.verify(made(pki, document(seed)))


# --- Encrypted --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize("encryption", CIPHERS)
@pytest.mark.parametrize("signer", ["", "client"])
def test_it_decrypts_every_cipher_and_identifier(
    wss4j: Wss4j, pki: Pki, identifier: str, encryption: str, signer: str
) -> None:
    octets = made(pki, signer=signer, recipient="server", encryption=encryption, encryption_key_identifier=identifier)
    assert b"hello" not in octets
    # BSP 1.1 R5620 has only 3DES and AES-128 and AES-256 in CBC: the others came later.
    opened = wss4j.open(octets, bsp="true" if encryption in ("aes128-cbc", "aes256-cbc", "tripledes-cbc") else "false")
    assert (bool(opened.signed), len(opened.encrypted)) == (bool(signer), 1)
    assert_opened(opened)


@pytest.mark.parametrize("transport", ["rsa-oaep-mgf1p", "rsa-1_5"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_it_opens_everything_in_either_order(wss4j: Wss4j, pki: Pki, transport: str, first: bool, soap: str) -> None:
    message = envelope('<h:To xmlns:h="urn:h">urn:here</h:To>', soap=soap)
    parts = ("Body", "UsernameToken", TO, *(("Signature",) if first else ()))
    octets = made(
        pki, message, recipient="server", username=CREDENTIALS, signed_parts=PARTS, encrypted_parts=parts,
        sign_before_encrypting=first, key_transport=transport,
    )  # fmt: skip
    opened = wss4j.open(octets, bsp="false")
    assert len(opened.signed) == len(PARTS)
    assert len(opened.encrypted) == len(parts)
    assert b"urn:here" in opened.envelope
    assert b">alice<" in opened.envelope
    assert_opened(opened, message)


@pytest.mark.parametrize("seed", range(100, 140))
def test_whatever_is_encrypted_arrives(wss4j: Wss4j, pki: Pki, seed: int) -> None:
    octets = made(pki, document(seed), recipient="server", sign_before_encrypting=seed % 2 == 0)
    assert_opened(wss4j.open(octets, bsp="false"), document(seed))


def test_it_refuses_what_was_changed(wss4j: Wss4j, pki: Pki) -> None:
    octets = made(pki, recipient="server")
    with pytest.raises(Refused):
        wss4j.open(octets, recipient="client")
    start = octets.index(b"CipherValue>", octets.index(b"EncryptedData ")) + 40
    with pytest.raises(Refused):
        wss4j.open(octets[:start] + (b"B" if octets[start:][:1] == b"A" else b"A") + octets[start + 1 :], bsp="false")
