"""xenc:EncryptedKey, and xenc:EncryptedData in the place of what was encrypted (XML Encryption 1.1 §3; WSS 1.1 §9).

A plaintext declares every namespace that is in scope where it stood, so that it means the same by itself: also those
that only values in it use, as ``xsi:type="xs:decimal"`` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from lxml.etree import _Element

from wsguard.encryption.methods import KEY_LENGTHS
from wsguard.message.lexical import local_name
from wsguard.names import (
    DIGEST_ALGORITHMS,
    DS,
    ENCRYPTED_CONTENT,
    ENCRYPTED_ELEMENT,
    ENCRYPTED_KEY,
    ENCRYPTED_KEY_TOKEN,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    MASK_GENERATION_ALGORITHMS,
    REFERENCE_LIST,
    WSSE,
    WSSE11,
    WSU,
    XENC,
    XENC11,
)
from wsguard.securing.ciphers import encrypt, transport
from wsguard.securing.draft import Draft
from wsguard.securing.elements import add_key_info, base64_of, child
from wsguard.securing.plan import Securing
from wsguard.securing.substituting import Substitute, substituted

_ENCRYPTION_METHOD: Final = f"{{{XENC}}}EncryptionMethod"
_OF_BLOCKS: Final = ("mustUnderstand", "actor", "role", "relay")


@dataclass(frozen=True, slots=True)
class _Session:
    """The symmetric key of one message."""

    algorithm: str
    octets: bytes = field(repr=False)
    key_id: str
    """The Id of its EncryptedKey."""


def encrypted(draft: Draft, plan: Securing, recipient: x509.Certificate, place: int) -> bytes:
    """The message in UTF-8 without XML declaration, with the parts of the plan encrypted.

    For ``DirectReference`` the first BinarySecurityToken of the Security header is the recipient's.

    Args:
        draft: the message; its tree gets an EncryptedKey and is otherwise as it was.
        plan: parts, algorithms and key identifier.
        recipient: whose RSA key opens it.
        place: where in the Security header the EncryptedKey comes to stand.

    Raises:
        NotSecurable: a part is not there, or the recipient's key does not do.
    """
    targets = [(element, name, draft.new_id("ED")) for name in plan.encrypted_parts for element in draft.parts(name)]
    session = _Session(plan.encryption, draft.random(KEY_LENGTHS[plan.encryption]), draft.new_id("EK"))
    key = _encrypted_key(draft, plan, recipient, session)
    references = child(key, REFERENCE_LIST)
    for _, _, identifier in targets:
        child(references, f"{{{XENC}}}DataReference", URI=f"#{identifier}")
    draft.security.insert(place, key)
    substitutes = [_substitute(element, name, identifier, session, draft) for element, name, identifier in targets]
    return substituted(draft.root, substitutes)


def _encrypted_key(draft: Draft, plan: Securing, recipient: x509.Certificate, session: _Session) -> _Element:
    public = recipient.public_key()
    assert isinstance(public, rsa.RSAPublicKey)  # the plan saw to it
    element = draft.security.makeelement(ENCRYPTED_KEY, {"Id": session.key_id}, nsmap={"xenc": XENC})
    method = child(element, _ENCRYPTION_METHOD, Algorithm=KEY_TRANSPORT_ALGORITHMS[plan.key_transport])
    if plan.key_transport != "rsa-1_5":
        digest = "sha1" if plan.key_transport == "rsa-oaep-mgf1p" else "sha256"
        etree.SubElement(method, f"{{{DS}}}DigestMethod", {"Algorithm": DIGEST_ALGORITHMS[digest]}, nsmap={"ds": DS})
    if plan.key_transport == "rsa-oaep":
        mask = {"Algorithm": MASK_GENERATION_ALGORITHMS["mgf1sha256"]}
        etree.SubElement(method, f"{{{XENC11}}}MGF", mask, nsmap={"xenc11": XENC11})
    direct = plan.encryption_key_identifier == "DirectReference"
    token = draft.parts("BinarySecurityToken")[0] if direct else None
    add_key_info(element, recipient, plan.encryption_key_identifier, token)
    value = base64_of(transport(plan.key_transport, public, session.octets))
    child(child(element, f"{{{XENC}}}CipherData"), f"{{{XENC}}}CipherValue", value)
    return element


def _substitute(element: _Element, name: str, identifier: str, session: _Session, draft: Draft) -> Substitute:
    if name == "Body":
        data = _data(_content_of(element), ENCRYPTED_CONTENT, identifier, session, draft)
        return Substitute(element, content=True, octets=data.encode())
    octets = etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)
    data = _data(octets, ENCRYPTED_ELEMENT, identifier, session, draft)
    if name.startswith("{"):
        data = _wrapped(data, element, draft)
    return Substitute(element, content=False, octets=data.encode())


def _content_of(element: _Element) -> bytes:
    children: Sequence[bytes] = [etree.tostring(one, encoding="UTF-8", xml_declaration=False) for one in element]
    # escape leaves a carriage return as it is, which parsers would make a line feed of.
    text = escape(element.text or "", {"\r": "&#13;"})
    return b"".join((text.encode(), *children))


def _data(octets: bytes, kind: str, identifier: str, session: _Session, draft: Draft) -> str:
    """xenc:EncryptedData whose KeyInfo refers to the EncryptedKey (WSS 1.1 §9.2), as Pega and WSS4J write it."""
    cipher = base64_of(encrypt(session.algorithm, session.octets, octets, draft.random))
    return (
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Id="{identifier}" Type="{kind}">'
        f'<xenc:EncryptionMethod Algorithm="{ENCRYPTION_ALGORITHMS[session.algorithm]}"/>'
        f'<ds:KeyInfo xmlns:ds="{DS}"><wsse:SecurityTokenReference xmlns:wsse="{WSSE}" xmlns:wsse11="{WSSE11}"'
        f' wsse11:TokenType="{ENCRYPTED_KEY_TOKEN}"><wsse:Reference URI="#{session.key_id}"/>'
        f"</wsse:SecurityTokenReference></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{cipher}</xenc:CipherValue>"
        "</xenc:CipherData></xenc:EncryptedData>"
    )


def _wrapped(data: str, block: _Element, draft: Draft) -> str:
    """wsse11:EncryptedHeader around an encrypted header block, with what SOAP says to whom it is (WSS 1.1 §9.4)."""
    soap = draft.version.namespace
    said = "".join(
        f" S:{local_name(str(name))}={quoteattr(value)}"
        for name, value in block.attrib.items()
        if name in {f"{{{soap}}}{one}" for one in _OF_BLOCKS}
    )
    return (
        f'<wsse11:EncryptedHeader xmlns:wsse11="{WSSE11}" xmlns:wsu="{WSU}" xmlns:S="{soap}"'
        f' wsu:Id="{draft.new_id("EH")}"{said}>{data}</wsse11:EncryptedHeader>'
    )
