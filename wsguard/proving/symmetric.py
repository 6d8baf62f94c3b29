"""Signatures and ciphertext under a key that both sides know: the product's own outbound side makes neither."""

import base64
import hmac
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from lxml.etree import _Element

from wsguard.interfaces import PrivateKey
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    DS,
    ENCRYPTED_CONTENT,
    ENCRYPTED_DATA,
    ENCRYPTED_ELEMENT,
    ENCRYPTED_KEY,
    ENCRYPTED_KEY_TOKEN,
    ENCRYPTION_ALGORITHMS,
    KEY_INFO,
    KEY_TRANSPORT_ALGORITHMS,
    MASK_GENERATION_ALGORITHMS,
    REFERENCE_LIST,
    SECURITY_TOKEN_REFERENCE,
    SIGNATURE_ALGORITHMS,
    TOKEN_TYPE,
    WSSE,
    XENC,
    XENC11,
)
from wsguard.proving.recipients import Recipient
from wsguard.securing.ciphers import encrypt, transport
from wsguard.securing.draft import Draft
from wsguard.securing.elements import add_key_info, child
from wsguard.securing.values import signature_value
from wsguard.signature.canonical import canonical_octets
from wsguard.signature.reading import Canonicalization

_KEY_OCTETS: Final = 32


def sign_again(signature: _Element, method: str, name: str, key: bytes) -> None:
    """Put an HMAC in the place of the SignatureValue, and the ds:KeyName ``name`` in that of the certificate.

    Args:
        signature: a ds:Signature; what it covers stays.
        method: short name of an HMAC.
        name: in keys.shared.
        key: the key of that name.
    """
    info, value, key_info = signature
    info[1].set("Algorithm", SIGNATURE_ALGORITHMS[method])
    value.text = base64.b64encode(hmac.digest(key, _canonical(info), method.removeprefix("hmac-"))).decode()
    for element in list(key_info):
        key_info.remove(element)
    child(key_info, f"{{{DS}}}KeyName", name)


def _canonical(info: _Element) -> bytes:
    by_identifier = {identifier: short for short, identifier in CANONICALIZATION_ALGORITHMS.items()}
    return canonical_octets(info, Canonicalization(by_identifier[info[0].get("Algorithm", "")]))


def sign_once_more(signature: _Element, method: str, key: PrivateKey) -> None:
    """Put a new SignatureValue over what SignedInfo says by now into ``signature``."""
    info, value = signature[0], signature[1]
    value.text = base64.b64encode(signature_value(method, key, _canonical(info))).decode()


def sign_by_anybodys_key(draft: Draft, method: str, recipient: Recipient, transport_by: str) -> None:
    """Sign by HMAC, under a key that comes along in an EncryptedKey (WSS 1.1 §7.7): it says of nobody whose it is.

    Args:
        draft: with a Signature; what it covers stays.
        method: short name of an HMAC.
        recipient: for whom the key is encrypted.
        transport_by: short name of a key transport.
    """
    key, identifier = secrets.token_bytes(_KEY_OCTETS), draft.new_id("EK")
    signature = draft.parts("Signature")[-1]
    sign_again(signature, method, "", key)
    _refer_to(signature[2], identifier)
    draft.security.insert(0, _encrypted_key(draft, recipient, transport_by, key, identifier))


def _refer_to(info: _Element, identifier: str) -> None:
    for element in list(info):
        info.remove(element)
    reference = child(info, SECURITY_TOKEN_REFERENCE)
    reference.set(TOKEN_TYPE, ENCRYPTED_KEY_TOKEN)
    child(reference, f"{{{WSSE}}}Reference", URI=f"#{identifier}")


def _encrypted_key(draft: Draft, recipient: Recipient, name: str, key: bytes, identifier: str) -> _Element:
    if recipient.certificate is None or not isinstance(public := recipient.certificate.public_key(), rsa.RSAPublicKey):
        raise ValueError("a key is encrypted for an RSA key")
    element = draft.security.makeelement(ENCRYPTED_KEY, {"Id": identifier}, nsmap={"xenc": XENC})
    method = child(element, f"{{{XENC}}}EncryptionMethod", Algorithm=KEY_TRANSPORT_ALGORITHMS[name])
    if name == "rsa-oaep":
        child(method, f"{{{DS}}}DigestMethod", Algorithm=DIGEST_ALGORITHMS["sha256"])
        child(method, f"{{{XENC11}}}MGF", Algorithm=MASK_GENERATION_ALGORITHMS["mgf1sha256"])
    add_key_info(element, recipient.certificate, recipient.identifier, None)
    value = base64.b64encode(transport(name, public, key)).decode()
    child(child(element, f"{{{XENC}}}CipherData"), f"{{{XENC}}}CipherValue", value)
    return element


def encrypt_under(draft: Draft, parts: tuple[str, ...], algorithm: str, name: str, key: bytes, place: int) -> bytes:
    """The message in UTF-8 with ``parts`` encrypted; a ReferenceList in the Security header says where.

    Args:
        draft: the message; it is changed.
        parts: of it, as ``encryption.required_parts`` names them.
        algorithm: short name.
        name: ds:KeyName of the key.
        key: the key of that name.
        place: of the ReferenceList in the Security header.
    """
    references = draft.security.makeelement(REFERENCE_LIST, nsmap={"xenc": XENC})
    elements = [(part, element) for part in parts for element in draft.parts(part)]
    for part, element in elements:
        identifier = draft.new_id("ED")
        child(references, f"{{{XENC}}}DataReference", URI=f"#{identifier}")
        content = part == "Body"
        octets = b"".join(etree.tostring(one) for one in element) if content else etree.tostring(element)
        data = element.makeelement(ENCRYPTED_DATA, nsmap={"xenc": XENC, "ds": DS})
        data.set("Id", identifier)
        data.set("Type", ENCRYPTED_CONTENT if content else ENCRYPTED_ELEMENT)
        child(data, f"{{{XENC}}}EncryptionMethod", Algorithm=ENCRYPTION_ALGORITHMS[algorithm])
        child(child(data, KEY_INFO), f"{{{DS}}}KeyName", name)
        cipher = base64.b64encode(encrypt(algorithm, key, octets, secrets.token_bytes)).decode()
        child(child(data, f"{{{XENC}}}CipherData"), f"{{{XENC}}}CipherValue", cipher)
        _put(data, element, content)
    draft.security.insert(place, references)
    return etree.tostring(draft.root, encoding="UTF-8")


def _put(data: _Element, element: _Element, content: bool) -> None:
    parent = element.getparent()
    if content:
        for one in list(element):
            element.remove(one)
        element.append(data)
    elif parent is not None:
        parent.replace(element, data)
