"""From an encrypted key to its octets (XML Encryption 1.1 §5.5, §5.6), by ``cryptography``. It never refuses.

A key that cannot be unwrapped yields None here, and random octets for whoever uses it, so that an attacker who changes
encrypted keys learns nothing from the answer (Bleichenbacher 1998; XML Encryption 1.1 §6.1.2). OpenSSL 3.2 and later
return random octets for bad rsa-1_5 blocks by themselves (FACTS S16); their length does not fit, or the data do not
decrypt.
"""

from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from wsguard.encryption.agreement import Agreement, agreed_key
from wsguard.encryption.methods import KEY_LENGTHS, KeyMethod
from wsguard.interfaces import DecryptionKey

_FOREIGN: Final = (ValueError, TypeError, UnsupportedAlgorithm, InvalidUnwrap)

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - the default of RFC 8017 §A.2.1, where it need not resist collisions
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def transported(
    method: KeyMethod, cipher: bytes, keys: Sequence[DecryptionKey]
) -> tuple[bytes | None, DecryptionKey | None]:
    """What was encrypted for one of ``keys`` by RSA, and for which; None where it was for none of them.

    Every RSA key is tried, whatever the ones before it yielded.

    Args:
        method: ``rsa-oaep-mgf1p``, ``rsa-oaep`` or ``rsa-1_5``.
        cipher: the CipherValue.
        keys: those of other kinds are left out.
    """
    scheme = _padding(method)
    return _first(keys, lambda key: _decrypt_rsa(key, cipher, scheme))


def wrapped(cipher: bytes, wrapping: bytes) -> bytes | None:
    """What was wrapped under the key ``wrapping`` by AES (RFC 3394); None where it was not.

    Args:
        cipher: the CipherValue.
        wrapping: of the length that the algorithm takes.
    """
    try:
        return aes_key_unwrap(wrapping, cipher)
    except _FOREIGN:
        return None


def agreed_and_wrapped(
    method: KeyMethod, cipher: bytes, agreement: Agreement, keys: Sequence[DecryptionKey]
) -> tuple[bytes | None, DecryptionKey | None]:
    """What was wrapped under a key that was agreed with one of ``keys``, and with which.

    Args:
        method: ``kw-aes128``, ``kw-aes192`` or ``kw-aes256``.
        cipher: the CipherValue.
        agreement: with the originator.
        keys: those that are not on its curve are left out.
    """

    def unwrap(key: DecryptionKey) -> bytes | None:
        agreed = agreed_with(agreement, key, KEY_LENGTHS[method.algorithm])
        return None if agreed is None else wrapped(cipher, agreed)

    return _first(keys, unwrap)


def agreed_with(agreement: Agreement, key: DecryptionKey, length: int) -> bytes | None:
    """``length`` octets that were agreed with ``key``; None where it is of another kind or curve."""
    if not isinstance(key.private_key, ec.EllipticCurvePrivateKey):
        return None
    try:
        return agreed_key(agreement, key.private_key, length)
    except _FOREIGN:
        return None


def _first(
    keys: Sequence[DecryptionKey], unwrap: Callable[[DecryptionKey], bytes | None]
) -> tuple[bytes | None, DecryptionKey | None]:
    found = [(unwrap(key), key) for key in keys]
    return next(((octets, key) for octets, key in found if octets is not None), (None, None))


def _decrypt_rsa(key: DecryptionKey, cipher: bytes, scheme: AsymmetricPadding) -> bytes | None:
    if not isinstance(key.private_key, rsa.RSAPrivateKey):
        return None
    try:
        return key.private_key.decrypt(cipher, scheme)
    except _FOREIGN:
        return None


def _padding(method: KeyMethod) -> AsymmetricPadding:
    if method.algorithm == "rsa-1_5":
        return PKCS1v15()
    mask = _HASHES[method.mask.removeprefix("mgf1")]
    return OAEP(mgf=MGF1(mask), algorithm=_HASHES[method.digest], label=method.label or None)
