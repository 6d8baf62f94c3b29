"""Elements of a Security header, and how they name a certificate (WSS 1.1 §7; X.509 Token Profile 1.1 §3)."""

import base64
from collections.abc import Callable, Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from lxml.etree import _Element

from wsguard.certificates.foreign import FOREIGN
from wsguard.certificates.reference import key_identifier_of, thumbprint_of
from wsguard.names import (
    BASE64_BINARY,
    BINARY_SECURITY_TOKEN,
    DS,
    KEY_INFO,
    SECURITY_TOKEN_REFERENCE,
    THUMBPRINT_SHA1,
    TOKEN_TYPE,
    WSSE,
    WSSE11,
    WSU_ID,
    X509_PKI_PATH,
    X509_SUBJECT_KEY_IDENTIFIER,
    X509_V3,
)
from wsguard.policy.demands import KeyIdentifier
from wsguard.securing.draft import Draft
from wsguard.securing.refusals import NotSecurable


def child(parent: _Element, tag: str, text: str | None = None, **attributes: str) -> _Element:
    """A new last child of ``parent``."""
    element = etree.SubElement(parent, tag, attributes)
    element.text = text
    return element


def base64_of(octets: bytes) -> str:
    """As xsd:base64Binary, in one line."""
    return base64.b64encode(octets).decode("ascii")


def add_token(draft: Draft, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...] = ()) -> None:
    """A wsse:BinarySecurityToken at the end of the Security header.

    Args:
        draft: the message.
        certificate: the one that is referred to.
        chain: those above it, nearest first; where there are any the token is an X509PKIPathv1.
    """
    octets = certificate.public_bytes(Encoding.DER)
    if chain:
        octets = _path(certificate, *chain)
    token = child(draft.security, BINARY_SECURITY_TOKEN, base64_of(octets), EncodingType=BASE64_BINARY)
    token.set("ValueType", X509_PKI_PATH if chain else X509_V3)
    token.set(WSU_ID, draft.new_id("X509"))


def _path(*certificates: x509.Certificate) -> bytes:
    """A PkiPath (ITU-T X.509 §7.12): a SEQUENCE of certificates, the one nearest to the root first."""
    content = b"".join(one.public_bytes(Encoding.DER) for one in reversed(certificates))
    length = len(content).to_bytes(4, "big").lstrip(b"\0")
    return b"\x30" + (length if len(content) < 128 else bytes([0x80 | len(length)]) + length) + content


def add_key_info(parent: _Element, certificate: x509.Certificate, form: KeyIdentifier, token: _Element | None) -> None:
    """A ds:KeyInfo with a wsse:SecurityTokenReference at the end of ``parent``.

    Args:
        parent: a Signature or EncryptedKey.
        certificate: the one that is meant.
        form: how it is named.
        token: the BinarySecurityToken that holds it; None where it is named otherwise.

    Raises:
        NotSecurable: a field of the certificate that ``form`` needs cannot be read.
    """
    info = etree.SubElement(parent, KEY_INFO, nsmap={"ds": DS})
    if token is not None:
        _refer(info, token, token.get("ValueType", ""))
        return
    reference = etree.SubElement(info, SECURITY_TOKEN_REFERENCE, nsmap={"wsse": WSSE})
    try:
        _NAMED[form](reference, certificate)
    except FOREIGN:
        raise NotSecurable(f"the certificate has no {form} that can be read") from None


def add_token_reference(parent: _Element, token: _Element, value_type: str) -> None:
    """A ds:KeyInfo with a wsse:SecurityTokenReference to ``token`` at the end of ``parent``.

    Args:
        parent: a Signature.
        token: of the Security header, with a wsu:Id.
        value_type: what it is.
    """
    _refer(etree.SubElement(parent, KEY_INFO, nsmap={"ds": DS}), token, value_type)


def _refer(info: _Element, token: _Element, value_type: str) -> None:
    path = value_type == X509_PKI_PATH
    prefixes = {"wsse": WSSE, "wsse11": WSSE11} if path else {"wsse": WSSE}
    reference = etree.SubElement(info, SECURITY_TOKEN_REFERENCE, nsmap=prefixes)
    if path:
        # BSP 1.1 R5215: a reference to a path says that it is one. WSS4J insists.
        reference.set(TOKEN_TYPE, value_type)
    child(reference, f"{{{WSSE}}}Reference", URI=f"#{token.get(WSU_ID)}", ValueType=value_type)


def _issuer_serial(reference: _Element, certificate: x509.Certificate) -> None:
    data = child(reference, f"{{{DS}}}X509Data")
    both = child(data, f"{{{DS}}}X509IssuerSerial")
    child(both, f"{{{DS}}}X509IssuerName", certificate.issuer.rfc4514_string())
    child(both, f"{{{DS}}}X509SerialNumber", str(certificate.serial_number))


def _key_identifier(value_type: str, octets: Callable[[x509.Certificate], bytes]) -> "_Name":
    def name(reference: _Element, certificate: x509.Certificate) -> None:
        text = base64_of(octets(certificate))
        child(reference, f"{{{WSSE}}}KeyIdentifier", text, EncodingType=BASE64_BINARY, ValueType=value_type)

    return name


_Name = Callable[[_Element, x509.Certificate], None]
_NAMED: Final[Mapping[str, _Name]] = {
    "IssuerSerial": _issuer_serial,
    "SKIKeyIdentifier": _key_identifier(X509_SUBJECT_KEY_IDENTIFIER, key_identifier_of),
    "Thumbprint": _key_identifier(THUMBPRINT_SHA1, thumbprint_of),
    "X509KeyIdentifier": _key_identifier(X509_V3, lambda certificate: certificate.public_bytes(Encoding.DER)),
}
