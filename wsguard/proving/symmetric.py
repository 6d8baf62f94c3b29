"""Signatures and ciphertext under a key that both sides know: the product's own outbound side makes neither."""

import base64
import hmac
import secrets

from lxml import etree
from lxml.etree import _Element

from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DS,
    ENCRYPTED_CONTENT,
    ENCRYPTED_DATA,
    ENCRYPTED_ELEMENT,
    ENCRYPTION_ALGORITHMS,
    KEY_INFO,
    REFERENCE_LIST,
    SIGNATURE_ALGORITHMS,
    XENC,
)
from wsguard.securing.ciphers import encrypt
from wsguard.securing.draft import Draft
from wsguard.securing.elements import child
from wsguard.signature.canonical import canonical_octets
from wsguard.signature.reading import Canonicalization

_SIGNED_INFO = f"{{{DS}}}SignedInfo"


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
    by_identifier = {identifier: short for short, identifier in CANONICALIZATION_ALGORITHMS.items()}
    octets = canonical_octets(info, Canonicalization(by_identifier[info[0].get("Algorithm", "")]))
    value.text = base64.b64encode(hmac.digest(key, octets, method.removeprefix("hmac-"))).decode()
    for element in list(key_info):
        key_info.remove(element)
    child(key_info, f"{{{DS}}}KeyName", name)


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
