"""ds:KeyInfo and wsse:SecurityTokenReference (WSS 1.1 §7; X.509 Token Profile 1.1 §3; XML Signature §4.5).

They say which key is meant and never whether it is a good one. Nothing is fetched: what a reference leads to stands in
our own Security header. ds:RetrievalMethod, ds:PGPData and their like are refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Final

from cryptography import x509
from lxml.etree import _Element

from wsguard.certificates import CertificateReference
from wsguard.certificates.decoding import decode, leaf_first
from wsguard.faults import SecurityTokenUnavailable, UnsupportedSecurityToken
from wsguard.message.key_value import read_key_value
from wsguard.message.lexical import (
    Refusal,
    at_most_one,
    binary,
    bounded_text,
    exactly_one,
    local_name,
    name_of,
    only_attributes,
    only_children,
)
from wsguard.names import (
    BINARY_SECURITY_TOKEN,
    DS,
    ENCRYPTED_KEY_SHA1,
    IDS,
    PKCS7,
    SECURITY_TOKEN_REFERENCE,
    THUMBPRINT_SHA1,
    WSSE,
    WSSE11,
    X509_PKI_PATH,
    X509_SUBJECT_KEY_IDENTIFIER,
    X509_V3,
)

_TOKEN_TYPE: Final = f"{{{WSSE11}}}TokenType"
_USAGE: Final = f"{{{WSSE}}}Usage"
_CERTIFICATE_TYPES: Final = frozenset({X509_V3, X509_PKI_PATH, PKCS7})

_NOTHING: Final = ((), "", b"", None)
LONGEST_SERIAL: Final = 60
"""Digits: RFC 5280 §4.1.2.2 allows 20 octets, which are 49 digits; leading zeros occur."""
LONGEST_NAME: Final = 2048
"""Characters of a distinguished name or a ds:KeyName."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """Which key is meant."""

    certificate: CertificateReference | None = None
    """How its certificate is named, where one is."""
    key_name: str = ""
    """ds:KeyName: a key that both sides know by this name."""
    token: _Element | None = field(default=None, repr=False)
    """The element that a wsse:SecurityTokenReference leads to, or embeds."""
    encrypted_key: bytes = b""
    """EncryptedKeySHA1: the digest of a key that was sent before."""


@dataclass(frozen=True, slots=True)
class KeyInfoReader:
    """Reads KeyInfo and what it refers to in one message."""

    security: _Element
    """Our Security header: what a reference leads to is a child of it."""
    ids: Mapping[str, _Element]
    """Every Id of the message."""
    malformed: Refusal
    """Makes the fault for a shape that is not taken."""

    def read(self, element: _Element) -> KeyInfo:
        """Which key a ds:KeyInfo means; all that it says is about the same key.

        Raises:
            SecurityFault: made by ``malformed``; ``certificate.malformed``, ``certificate.unavailable``,
                ``security.unknown_token``.
        """
        only_attributes(element, IDS, self.malformed)
        return self._merged(element, _IN_KEY_INFO)

    def read_reference(self, element: _Element) -> KeyInfo:
        """Which key a wsse:SecurityTokenReference means.

        Raises:
            SecurityFault: as ``read``.
        """
        only_attributes(element, IDS | {_TOKEN_TYPE, _USAGE}, self.malformed)
        return self._merged(element, _IN_REFERENCE)

    def _merged(self, element: _Element, readers: Mapping[str, "_Reader"]) -> KeyInfo:
        only_children(element, frozenset(readers), self.malformed)
        what = local_name(name_of(element))
        if not len(element):
            raise self.malformed(expected=f"a key in {what}", seen="nothing")
        first, *others = element
        merged = readers[name_of(first)](self, first)
        for child in others:
            at_most_one(element, name_of(child), self.malformed)
            merged = self._both(merged, readers[name_of(child)](self, child))
        return merged

    def _both(self, one: KeyInfo, other: KeyInfo) -> KeyInfo:
        """Everything that two forms say.

        A ds:KeyName beside a certificate is a hint that nothing depends on (XML Signature §4.5.1).
        """
        if one.token is not None and other.token is not None:
            raise self.malformed(expected="one token", seen="two")
        for info, beside in ((one, other), (other, one)):
            if info.token is not None and info.certificate is None and beside.certificate is not None:
                raise self.malformed(expected="one key", seen=f"a certificate beside {name_of(info.token)}")
        merged = CertificateReference(form="")
        for info in (one, other):
            if info.certificate is not None:
                merged = self._both_certificates(merged, info.certificate)
        return KeyInfo(
            merged if merged.form else None,
            one.key_name or other.key_name,
            one.token if other.token is None else other.token,
            one.encrypted_key or other.encrypted_key,
        )

    def _both_certificates(self, one: CertificateReference, other: CertificateReference) -> CertificateReference:
        changes: dict[str, object] = {}
        for name in ("presented", "issuer", "serial", "subject", "key_identifier", "thumbprint", "public_key"):
            before, added = getattr(one, name), getattr(other, name)
            if before not in _NOTHING and added not in _NOTHING and before != added:
                raise self.malformed(expected="forms that name one certificate", seen=f"two of {name}")
            changes[name] = before if added in _NOTHING else added
        form = f"{one.form} and {other.form}" if one.form else other.form
        return replace(one, form=form, **changes)  # type: ignore[arg-type]  # fields by their names

    # --- In ds:KeyInfo ------------------------------------------------------------------------------------------------

    def _key_name(self, element: _Element) -> KeyInfo:
        only_attributes(element, frozenset(), self.malformed)
        return KeyInfo(key_name=self._text(element, LONGEST_NAME))

    def _key_value(self, element: _Element) -> KeyInfo:
        return KeyInfo(CertificateReference(form="KeyValue", public_key=read_key_value(element, self.malformed)))

    def _reference(self, element: _Element) -> KeyInfo:
        return self.read_reference(element)

    # --- ds:X509Data --------------------------------------------------------------------------------------------------

    def _x509_data(self, element: _Element) -> KeyInfo:
        only_attributes(element, frozenset(), self.malformed)
        only_children(element, frozenset(_X509_DATA), self.malformed)
        if not 1 <= len(element) <= _MOST_X509_DATA:
            raise self.malformed(expected=f"1 to {_MOST_X509_DATA} elements in X509Data", seen=f"{len(element)}")
        certificates: list[x509.Certificate] = []
        for child in element.iterchildren(_X509_CERTIFICATE):
            certificates += decode(self._octets(child), X509_V3)
        issuer, serial = self._issuer_serial(at_most_one(element, _ISSUER_SERIAL, self.malformed))
        identifier = at_most_one(element, _X509_SKI, self.malformed)
        subject = at_most_one(element, _X509_SUBJECT, self.malformed)
        return KeyInfo(
            CertificateReference(
                form=" and ".join(dict.fromkeys(_X509_DATA[name_of(child)] for child in element)),
                presented=leaf_first(certificates) if certificates else (),
                issuer=issuer,
                serial=serial,
                key_identifier=b"" if identifier is None else self._octets(identifier),
                subject="" if subject is None else self._text(subject, LONGEST_NAME),
            )
        )

    def _issuer_serial(self, element: _Element | None) -> tuple[str, int | None]:
        if element is None:
            return "", None
        only_children(element, frozenset({_ISSUER_NAME, _SERIAL_NUMBER}), self.malformed)
        issuer = self._text(exactly_one(element, _ISSUER_NAME, self.malformed), LONGEST_NAME)
        digits = self._text(exactly_one(element, _SERIAL_NUMBER, self.malformed), LONGEST_SERIAL)
        if not (digits.isascii() and digits.isdigit()):
            raise self.malformed(expected="a decimal X509SerialNumber", seen=digits)
        return issuer, int(digits)

    # --- In wsse:SecurityTokenReference -------------------------------------------------------------------------------

    def _direct(self, element: _Element) -> KeyInfo:
        only_attributes(element, IDS | {"URI", "ValueType"}, self.malformed)
        uri = element.get("URI", "")
        token = self.ids.get(uri[1:]) if uri.startswith("#") else None
        if token is None or token.getparent() is not self.security:
            raise SecurityTokenUnavailable(
                "certificate.unavailable", expected="a reference to a token in this Security header", seen=uri
            )
        return self._of_token(token)

    def _embedded(self, element: _Element) -> KeyInfo:
        only_attributes(element, IDS | {"ValueType"}, self.malformed)
        if len(element) != 1:
            raise self.malformed(expected="one token in Embedded", seen=f"{len(element)} elements")
        return self._of_token(element[0])

    def _of_token(self, token: _Element) -> KeyInfo:
        if token.tag != BINARY_SECURITY_TOKEN:
            return KeyInfo(token=token)
        certificates = decode(self._octets(token, IDS | _TYPED), check_binary_token(token))
        return KeyInfo(CertificateReference(form="DirectReference", presented=certificates), token=token)

    def _key_identifier(self, element: _Element) -> KeyInfo:
        octets = self._octets(element, IDS | _TYPED)
        value_type = element.get("ValueType", "")
        if value_type == ENCRYPTED_KEY_SHA1:
            return KeyInfo(encrypted_key=octets)
        build = _KEY_IDENTIFIERS.get(value_type)
        if build is None:
            raise UnsupportedSecurityToken(
                "security.unknown_token",
                expected="a KeyIdentifier of X509v3, X509SubjectKeyIdentifier or ThumbprintSHA1",
                seen=value_type,
            )
        if not octets:
            raise self.malformed(expected="octets in KeyIdentifier", seen="none")
        return KeyInfo(build(octets))

    def _text(self, element: _Element, longest: int) -> str:
        return bounded_text(element, longest, self.malformed)

    def _octets(self, element: _Element, attributes: frozenset[str] = frozenset()) -> bytes:
        return binary(element, attributes, self.malformed)


def check_binary_token(element: _Element) -> str:
    """The ValueType of a wsse:BinarySecurityToken that holds certificates; X509v3 where it says none.

    Raises:
        UnsupportedSecurityToken: ``security.unknown_token``.
    """
    value_type = element.get("ValueType", X509_V3)
    if value_type not in _CERTIFICATE_TYPES:
        raise UnsupportedSecurityToken(
            "security.unknown_token", expected="a BinarySecurityToken of certificates", seen=value_type
        )
    return value_type


_TYPED: Final = frozenset({"ValueType", "EncodingType"})
_X509_DATA_ELEMENT: Final = f"{{{DS}}}X509Data"
_X509_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"
_ISSUER_SERIAL: Final = f"{{{DS}}}X509IssuerSerial"
_ISSUER_NAME: Final = f"{{{DS}}}X509IssuerName"
_SERIAL_NUMBER: Final = f"{{{DS}}}X509SerialNumber"
_X509_SKI: Final = f"{{{DS}}}X509SKI"
_X509_SUBJECT: Final = f"{{{DS}}}X509SubjectName"
_X509_DATA: Final = MappingProxyType(
    {
        _X509_CERTIFICATE: "X509Data",
        _ISSUER_SERIAL: "IssuerSerial",
        _X509_SKI: "SKIKeyIdentifier",
        _X509_SUBJECT: "SubjectName",
    }
)
"""What X509Data may hold, and what we call the form."""
_MOST_X509_DATA: Final = 16
"""Elements in ds:X509Data: a chain of eight, and what names its first."""


def _by_octets(form: str, name: str, octets: bytes) -> CertificateReference:
    return replace(CertificateReference(form=form), **{name: octets})  # type: ignore[arg-type]  # a field by its name


_KEY_IDENTIFIERS: Final[Mapping[str, Callable[[bytes], CertificateReference]]] = {
    X509_V3: lambda octets: CertificateReference(form="X509KeyIdentifier", presented=decode(octets, X509_V3)),
    X509_SUBJECT_KEY_IDENTIFIER: partial(_by_octets, "SKIKeyIdentifier", "key_identifier"),
    THUMBPRINT_SHA1: partial(_by_octets, "Thumbprint", "thumbprint"),
}

_Reader = Callable[[KeyInfoReader, _Element], KeyInfo]
_ANYWHERE: Final[Mapping[str, _Reader]] = {
    f"{{{DS}}}KeyName": KeyInfoReader._key_name,
    _X509_DATA_ELEMENT: KeyInfoReader._x509_data,
}
_IN_KEY_INFO: Final[Mapping[str, _Reader]] = {
    **_ANYWHERE,
    f"{{{DS}}}KeyValue": KeyInfoReader._key_value,
    SECURITY_TOKEN_REFERENCE: KeyInfoReader._reference,
}
_IN_REFERENCE: Final[Mapping[str, _Reader]] = {
    **_ANYWHERE,
    f"{{{WSSE}}}Reference": KeyInfoReader._direct,
    f"{{{WSSE}}}Embedded": KeyInfoReader._embedded,
    f"{{{WSSE}}}KeyIdentifier": KeyInfoReader._key_identifier,
}
