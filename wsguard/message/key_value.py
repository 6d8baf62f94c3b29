"""ds:KeyValue (XML Signature §4.5.2): a public key without anybody who vouches for it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml.etree import _Element

from wsguard.message.lexical import Refusal, binary, exactly_one, only_attributes, only_children
from wsguard.names import DS, IDS

_DS11: Final = "http://www.w3.org/2009/xmldsig11#"
_RSA_KEY_VALUE: Final = f"{{{DS}}}RSAKeyValue"
_EC_KEY_VALUE: Final = f"{{{_DS11}}}ECKeyValue"
_RSA: Final = (f"{{{DS}}}Modulus", f"{{{DS}}}Exponent")
_EC: Final = (f"{{{_DS11}}}NamedCurve", f"{{{_DS11}}}PublicKey")
_CURVES: Final[Mapping[str, ec.EllipticCurve]] = MappingProxyType(
    {
        "urn:oid:1.2.840.10045.3.1.7": ec.SECP256R1(),
        "urn:oid:1.3.132.0.34": ec.SECP384R1(),
        "urn:oid:1.3.132.0.35": ec.SECP521R1(),
    }
)
_LARGEST_MODULUS: Final = 16_384
"""Bits: what OpenSSL takes."""


def read_key_value(element: _Element, malformed: Refusal) -> bytes:
    """The SubjectPublicKeyInfo in DER of the key in a ds:KeyValue.

    Raises:
        Fault: made by ``malformed``: neither an RSA key nor one on P-256, P-384 or P-521, or numbers that make no key.
    """
    only_attributes(element, IDS, malformed)
    only_children(element, frozenset({_RSA_KEY_VALUE, _EC_KEY_VALUE}), malformed)
    if len(element) != 1:
        raise malformed(expected="one key in KeyValue", seen=f"{len(element)} of them")
    build = _rsa_key if element[0].tag == _RSA_KEY_VALUE else _ec_key
    try:
        return build(element[0], malformed).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise malformed(expected="a key that exists in KeyValue", seen="numbers that make none") from None


def _rsa_key(element: _Element, malformed: Refusal) -> rsa.RSAPublicKey:
    only_children(element, frozenset(_RSA), malformed)
    modulus, exponent = (
        int.from_bytes(binary(exactly_one(element, tag, malformed), frozenset(), malformed), "big") for tag in _RSA
    )
    if modulus.bit_length() > _LARGEST_MODULUS:
        raise malformed(expected=f"a modulus of at most {_LARGEST_MODULUS} bits", seen="a longer one")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _ec_key(element: _Element, malformed: Refusal) -> ec.EllipticCurvePublicKey:
    only_children(element, frozenset(_EC), malformed)
    identifier = exactly_one(element, _EC[0], malformed).get("URI", "")
    curve = _CURVES.get(identifier)
    if curve is None:
        raise malformed(expected="P-256, P-384 or P-521", seen=identifier)
    return ec.EllipticCurvePublicKey.from_encoded_point(
        curve, binary(exactly_one(element, _EC[1], malformed), frozenset(), malformed)
    )
