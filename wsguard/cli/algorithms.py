"""Which algorithms the libraries here really have: each is tried, none is looked up.

``xmlsec`` is used directly, since the question is what it can do.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Final

import xmlsec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from xmlsec import constants

_MESSAGE: Final = b"0123456789abcdef"
"""Sixteen bytes: a whole number of blocks for AES key wrap (RFC 3394 §2)."""


def try_all() -> dict[str, str]:
    """Short name of each algorithm that a configuration may list -> empty where it works, else why it does not."""
    return {name: _try(attempt) for name, attempt in ATTEMPTS.items()}


def _try(attempt: Callable[[], bool]) -> str:
    try:
        return "" if attempt() else "what came back is not what went in"
    except (xmlsec.Error, UnsupportedAlgorithm, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _key(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> xmlsec.Key:
    octets = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return xmlsec.Key.from_memory(octets, constants.KeyDataFormatPem)


def _rsa_key() -> xmlsec.Key:
    return _key(_rsa())


def _ec_key() -> xmlsec.Key:
    return _key(ec.generate_private_key(ec.SECP256R1()))


def _secret_key(kind: str, size: int) -> xmlsec.Key:
    return xmlsec.Key.from_binary_data(getattr(constants, f"KeyData{kind}"), os.urandom(size))


def _signs(transform: str, make_key: Callable[[], xmlsec.Key]) -> bool:
    method, key = getattr(constants, f"Transform{transform}"), make_key()
    signer, verifier = xmlsec.SignatureContext(), xmlsec.SignatureContext()
    signer.key = verifier.key = key
    verifier.verify_binary(_MESSAGE, method, signer.sign_binary(_MESSAGE, method))
    return True


def _encrypts(transform: str, make_key: Callable[[], xmlsec.Key]) -> bool:
    template = xmlsec.template.encrypted_data_create(etree.Element("x"), getattr(constants, f"Transform{transform}"))
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    sender, receiver = xmlsec.EncryptionContext(), xmlsec.EncryptionContext()
    sender.key = receiver.key = make_key()
    sealed = etree.fromstring(etree.tostring(sender.encrypt_binary(template, _MESSAGE)))
    return bytes(receiver.decrypt(sealed)) == _MESSAGE  # type: ignore[arg-type]


def _signs_pss(digest: hashes.HashAlgorithm) -> bool:
    scheme = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    _rsa().public_key().verify(_rsa().sign(_MESSAGE, scheme, digest), _MESSAGE, scheme, digest)
    return True


def _digests(algorithm: hashes.HashAlgorithm) -> bool:
    digest = hashes.Hash(algorithm)
    digest.update(_MESSAGE)
    return len(digest.finalize()) == algorithm.digest_size


def _canonicalizes(*, exclusive: bool = False, comments: bool = False) -> bool:
    root = etree.fromstring(b'<a xmlns:n="urn:n"><n:b z="1" a="2"/><!--c--></a>')
    scope, comment = (b"", b' xmlns:n="urn:n"'), b"<!--c-->" if comments else b""
    outer, inner = scope if exclusive else scope[::-1]
    expected = b"<a" + outer + b"><n:b" + inner + b' a="2" z="1"></n:b>' + comment + b"</a>"
    return etree.tostring(root, method="c14n", exclusive=exclusive, with_comments=comments) == expected


def _canonicalizes_11() -> bool:
    """lxml has no Canonical XML 1.1, so this one is tried inside a signature of libxmlsec."""
    root = etree.fromstring(b"<a/>")
    signature = xmlsec.template.create(root, constants.TransformInclC14N11, constants.TransformHmacSha256)
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, constants.TransformSha256, uri="")
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, constants.TransformInclC14N11)
    signer, verifier = xmlsec.SignatureContext(), xmlsec.SignatureContext()
    signer.key = verifier.key = _secret_key("Hmac", 32)
    signer.sign(signature)
    verifier.verify(signature)
    return True


def _agrees() -> bool:
    one, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def derived(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> bytes:
        secret = private.exchange(ec.ECDH(), public)
        return ConcatKDFHash(hashes.SHA256(), length=16, otherinfo=_MESSAGE).derive(secret)

    return derived(one, other.public_key()) == derived(other, one.public_key())


def _attempts() -> Mapping[str, Callable[[], bool]]:
    bits = ("1", "256", "384", "512")
    sizes = (128, 192, 256)
    return MappingProxyType(
        {
            **{f"rsa-sha{n}": partial(_signs, f"RsaSha{n}", _rsa_key) for n in bits},
            **{
                f"rsa-pss-{digest.name}": partial(_signs_pss, digest)
                for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
            },
            **{f"ecdsa-sha{n}": partial(_signs, f"EcdsaSha{n}", _ec_key) for n in bits},
            **{f"hmac-sha{n}": partial(_signs, f"HmacSha{n}", partial(_secret_key, "Hmac", 32)) for n in bits},
            "sha1": partial(_digests, hashes.SHA1()),  # noqa: S303
            **{
                digest.name: partial(_digests, digest) for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
            },
            "exc-c14n": partial(_canonicalizes, exclusive=True),
            "exc-c14n-with-comments": partial(_canonicalizes, exclusive=True, comments=True),
            "c14n": _canonicalizes,
            "c14n-with-comments": partial(_canonicalizes, comments=True),
            "c14n11": _canonicalizes_11,
            **{
                f"aes{n}-{mode.lower()}": partial(_encrypts, f"Aes{n}{mode}", partial(_secret_key, "Aes", n // 8))
                for mode in ("Gcm", "Cbc")
                for n in sizes
            },
            "tripledes-cbc": partial(_encrypts, "Des3Cbc", partial(_secret_key, "Des", 24)),
            "rsa-oaep-mgf1p": partial(_encrypts, "RsaOaep", _rsa_key),
            "rsa-oaep": _wraps_oaep_sha256,
            "rsa-1_5": partial(_encrypts, "RsaPkcs1", _rsa_key),
            **{f"kw-aes{n}": partial(_encrypts, f"KWAes{n}", partial(_secret_key, "Aes", n // 8)) for n in sizes},
            "ecdh-es": _agrees,
        }
    )


def _wraps_oaep_sha256() -> bool:
    scheme = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return _rsa().decrypt(_rsa().public_key().encrypt(_MESSAGE, scheme), scheme) == _MESSAGE


ATTEMPTS: Final = _attempts()
"""Every algorithm of ``wsguard.names``, with what tries it."""
