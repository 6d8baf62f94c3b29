"""Encryption of data and of keys (XML Encryption 1.1 §5.2, §5.5), by ``cryptography``: octets in, octets out."""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from wsguard.securing.draft import Random
from wsguard.securing.refusals import NotSecurable

_GCM_IV: Final = 12
"""Octets: XML Encryption 1.1 §5.2.4."""
_PADDINGS: Final[dict[str, AsymmetricPadding]] = {
    "rsa-1_5": PKCS1v15(),
    "rsa-oaep-mgf1p": OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303 - RFC 8017 §7.1: sound there
    "rsa-oaep": OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None),
}


def encrypt(algorithm: str, key: bytes, octets: bytes, random: Random) -> bytes:
    """What a CipherValue holds: initialisation vector and ciphertext, and the tag where there is one.

    Args:
        algorithm: short name out of ``ENCRYPTION_ALGORITHMS``.
        key: of the length that it takes.
        octets: any.
        random: for the vector.

    Raises:
        NotSecurable: OpenSSL does not do it.
    """
    try:
        if algorithm.endswith("-gcm"):
            vector = random(_GCM_IV)
            return vector + AESGCM(key).encrypt(vector, octets, None)
        return _cbc(TripleDES if algorithm == "tripledes-cbc" else AES, key, octets, random)
    except (ValueError, OverflowError, UnsupportedAlgorithm):
        raise NotSecurable(f"this cannot be encrypted by {algorithm}") from None


def _cbc(block_cipher: Callable[[bytes], BlockCipherAlgorithm], key: bytes, octets: bytes, random: Random) -> bytes:
    algorithm = block_cipher(key)
    size = algorithm.block_size // 8
    # XML Encryption 1.1 §5.2.1: all but the last octet of the padding are arbitrary. These are those of PKCS #7, since
    # gSOAP takes no others.
    count = size - len(octets) % size
    vector = random(size)
    encryptor = Cipher(algorithm, CBC(vector)).encryptor()
    return vector + encryptor.update(octets + count * bytes([count])) + encryptor.finalize()


def transport(method: str, key: rsa.RSAPublicKey, session: bytes) -> bytes:
    """``session`` encrypted for the owner of ``key``.

    Args:
        method: ``rsa-oaep-mgf1p`` (SHA-1 and MGF1 with SHA-1), ``rsa-oaep`` (both with SHA-256), or ``rsa-1_5``.
        key: the recipient's.
        session: the key of the data.

    Raises:
        NotSecurable: the recipient's key is too short.
    """
    try:
        return key.encrypt(session, _PADDINGS[method])
    except (ValueError, UnsupportedAlgorithm):
        raise NotSecurable(f"the recipient's key does not do for {method}") from None
