"""SignatureValue (XML Signature §6), by ``cryptography``: octets in, octets out."""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from wsguard.interfaces import PrivateKey
from wsguard.securing.refusals import NotSecurable

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - for peers with a dated permission
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def signature_value(method: str, key: PrivateKey, octets: bytes) -> bytes:
    """The signature over ``octets``.

    Args:
        method: short name of a method for keys of this kind.
        key: the signer's.
        octets: the canonical SignedInfo.

    Raises:
        NotSecurable: the key is too short for the method, or OpenSSL does not do it.
    """
    algorithm = _HASHES[method.rpartition("-")[2]]
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(octets, _padding(method, algorithm), algorithm)
        return _joined(key.sign(octets, ec.ECDSA(algorithm)), key.curve.key_size)
    except (ValueError, UnsupportedAlgorithm):
        raise NotSecurable(f"the key cannot sign by {method}") from None


def _padding(method: str, algorithm: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if not method.startswith("rsa-pss-"):
        return padding.PKCS1v15()
    # RFC 6931 §2.3.10: MGF1 with the same digest, and a salt as long as it.
    return padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)


def _joined(der: bytes, bits: int) -> bytes:
    """XML Signature §6.4.3: r and s, each as long as the order of the curve."""
    length = (bits + 7) // 8
    return b"".join(number.to_bytes(length, "big") for number in decode_dss_signature(der))
