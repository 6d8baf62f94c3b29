"""SignatureValue over the canonical SignedInfo (XML Signature §4.3, §6): the one thing that libxmlsec is asked for.

RSA with SHA-2 goes through ``cryptography``: libxmlsec's Python binding has no RSA-PSS, and for RSA of PKCS #1 v1.5 it
takes twice the time, since it copies the key for each value. HMAC is only ever computed with a shared key
of ours, never with the octets of a public key.
"""

import hmac
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import xmlsec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsguard.faults import FailedCheck
from wsguard.interfaces import PublicKey

_TRANSFORMS: Final = MappingProxyType(
    {
        "rsa-sha1": xmlsec.constants.TransformRsaSha1,
        "ecdsa-sha1": xmlsec.constants.TransformEcdsaSha1,
        "ecdsa-sha256": xmlsec.constants.TransformEcdsaSha256,
        "ecdsa-sha384": xmlsec.constants.TransformEcdsaSha384,
        "ecdsa-sha512": xmlsec.constants.TransformEcdsaSha512,
    }
)
_SHA2: Final[tuple[hashes.HashAlgorithm, ...]] = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
_RSA: Final[Mapping[str, tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]]] = MappingProxyType(
    {f"rsa-{sha2.name}": (padding.PKCS1v15(), sha2) for sha2 in _SHA2}
    # RFC 6931 §2.3.10: MGF1 with the same digest, and a salt as long as it.
    | {f"rsa-pss-{sha2.name}": (padding.PSS(padding.MGF1(sha2), padding.PSS.DIGEST_LENGTH), sha2) for sha2 in _SHA2}
)
_HMAC_HASHES: Final = MappingProxyType(
    {"hmac-sha1": "sha1", "hmac-sha256": "sha256", "hmac-sha384": "sha384", "hmac-sha512": "sha512"}
)


def is_symmetric(method: str) -> bool:
    """Whether the signature method with this short name needs a shared key."""
    return method in _HMAC_HASHES


def verify_value(method: str, key: PublicKey, octets: bytes, value: bytes) -> None:
    """Demand that ``value`` is a signature over ``octets`` under ``key``.

    Args:
        method: short name of an asymmetric signature method.
        key: the signer's.
        octets: the canonical SignedInfo.
        value: the SignatureValue, decoded: of exactly the length that the key has.

    Raises:
        FailedCheck: ``signature.value``, it is not, or the key is of another kind than the method.
    """
    if isinstance(key, rsa.RSAPublicKey):
        fits, length = method.startswith("rsa-"), (key.key_size + 7) // 8
    else:
        # XML Signature §6.4.3: r and s, each as long as the order of the curve, and never shorter or padded further.
        fits, length = method.startswith("ecdsa-"), 2 * ((key.curve.key_size + 7) // 8)
    if not fits:
        kind = "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC"
        raise _wrong(f"a key for {method}", f"an {kind} key")
    if len(value) != length:
        raise _wrong(f"{length} octets", f"{len(value)}")
    if isinstance(key, rsa.RSAPublicKey) and method in _RSA:
        _verify_rsa(method, key, octets, value)
    else:
        _verify_by_xmlsec(method, key, octets, value)


def verify_shared(method: str, key: bytes, octets: bytes, value: bytes) -> None:
    """Demand that ``value`` is the whole HMAC of ``octets`` under ``key``.

    Raises:
        FailedCheck: ``signature.value``.
    """
    if not hmac.compare_digest(hmac.digest(key, octets, _HMAC_HASHES[method]), value):
        raise _wrong(_EXPECTED, "another")


_EXPECTED: Final = "the value of SignedInfo under the signer's key"


def _wrong(expected: str, seen: str) -> FailedCheck:
    return FailedCheck("signature.value", expected=expected, seen=seen)


def _verify_rsa(method: str, key: rsa.RSAPublicKey, octets: bytes, value: bytes) -> None:
    scheme, algorithm = _RSA[method]
    try:
        key.verify(value, octets, scheme, algorithm)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise _wrong(_EXPECTED, "another") from None


def _verify_by_xmlsec(method: str, key: PublicKey, octets: bytes, value: bytes) -> None:
    context = xmlsec.SignatureContext()
    try:
        context.key = _xmlsec_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        context.verify_binary(octets, _TRANSFORMS[method], value)
    except (xmlsec.Error, ValueError, TypeError):
        raise _wrong(_EXPECTED, "another") from None


@lru_cache(maxsize=256)
def _xmlsec_key(pem: bytes) -> xmlsec.Key:
    """A key as libxmlsec has it: setting it as a context's key makes a copy, so that threads may share it."""
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
