"""What a ds:KeyInfo may say of a key: every form that names a certificate, and a bare key."""

import base64
from typing import Final
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.messages import BASE64
from tests.pki import Issued
from tests.signing import X509_PROFILE, binary_token

DS11: Final = "http://www.w3.org/2009/xmldsig11#"


def in_base64(octets: bytes) -> str:
    """As text."""
    return base64.b64encode(octets).decode()


def x509_data(*certificates: Issued) -> str:
    """Certificates in a bare ds:X509Data."""
    inner = "".join(f"<ds:X509Certificate>{in_base64(one.der)}</ds:X509Certificate>" for one in certificates)
    return f"<ds:X509Data>{inner}</ds:X509Data>"


def issuer_serial(one: Issued, issuer: str | None = None, serial: str | None = None) -> str:
    """A ds:X509Data that names issuer and serial number, spelled as given."""
    issuer = one.certificate.issuer.rfc4514_string() if issuer is None else issuer
    return (
        f"<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>{escape(issuer)}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{one.certificate.serial_number if serial is None else serial}</ds:X509SerialNumber>"
        "</ds:X509IssuerSerial></ds:X509Data>"
    )


def referring(inner: str, attributes: str = "") -> str:
    """In a wsse:SecurityTokenReference."""
    return f"<wsse:SecurityTokenReference {attributes}>{inner}</wsse:SecurityTokenReference>"


def identifier(octets: bytes, value_type: str) -> str:
    """A wsse:KeyIdentifier."""
    return (
        f'<wsse:KeyIdentifier ValueType="{value_type}" EncodingType="{BASE64}">{in_base64(octets)}</wsse:KeyIdentifier>'
    )


def key_identifier(one: Issued) -> str:
    """The whole certificate, in a reference by wsse:KeyIdentifier."""
    return referring(identifier(one.der, f"{X509_PROFILE}#X509v3"))


def embedded(one: Issued) -> str:
    """A token that stands in the reference itself."""
    return referring(f"<wsse:Embedded>{binary_token(one.certificate, id='X509-2')}</wsse:Embedded>")


def key_value(one: Issued) -> str:
    """Its public key, and nobody who vouches for it."""
    key = one.certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        numbers = key.public_numbers()
        point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        return (
            f'<ds:KeyValue><e:ECKeyValue xmlns:e="{DS11}"><e:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
            f"<e:PublicKey>{in_base64(point)}</e:PublicKey></e:ECKeyValue></ds:KeyValue>"
        )
    assert isinstance(key, rsa.RSAPublicKey)
    modulus = key.public_numbers().n.to_bytes(256, "big")
    return (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{in_base64(modulus)}</ds:Modulus>"
        "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    )
