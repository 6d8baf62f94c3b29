"""Data decryption (XML Encryption 1.1 §5.1, §5.2), by ``cryptography``: octets in, octets out or one refusal.

A key of another length than the algorithm's is replaced by a random one, so that a key that could not be unwrapped
fails here, in the same place and with the same work as data that were changed (RFC 5246 §7.4.7.1 does the same).
"""

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from wsguard.encryption.methods import KEY_LENGTHS
from wsguard.encryption.refusals import failed

_GCM_IV: Final = 12
"""Octets: XML Encryption 1.1 §5.2.4."""
_GCM_TAG: Final = 16


def decrypt(algorithm: str, key: bytes, cipher: bytes) -> bytes:
    """The octets that ``cipher`` is the encryption of.

    Args:
        algorithm: short name out of ``ENCRYPTION_ALGORITHMS``.
        key: octets; of any length.
        cipher: initialisation vector and ciphertext, and the tag where there is one.

    Raises:
        FailedCheck: ``encryption.failed``: another key, or data that were changed.
    """
    another = secrets.token_bytes(KEY_LENGTHS[algorithm])
    try:
        return _DECRYPT[algorithm](key if len(key) == len(another) else another, cipher)
    except (InvalidTag, ValueError, UnsupportedAlgorithm, OverflowError):
        raise failed() from None


def _gcm(key: bytes, cipher: bytes) -> bytes:
    if len(cipher) < _GCM_IV + _GCM_TAG:
        raise ValueError("no room for a vector and a tag")
    return AESGCM(key).decrypt(cipher[:_GCM_IV], cipher[_GCM_IV:], None)


def _cbc(block_cipher: Callable[[bytes], BlockCipherAlgorithm], key: bytes, cipher: bytes) -> bytes:
    algorithm = block_cipher(key)
    size = algorithm.block_size // 8
    if len(cipher) < 2 * size or len(cipher) % size:
        raise ValueError("no whole blocks")
    decryptor = Cipher(algorithm, CBC(cipher[:size])).decryptor()
    padded = decryptor.update(cipher[size:]) + decryptor.finalize()
    # XML Encryption 1.1 §5.2.1: the last octet counts the padding, the others of it are arbitrary.
    if not 1 <= padded[-1] <= size:
        raise ValueError("no padding")
    return padded[: -padded[-1]]


_DECRYPT: Final[Mapping[str, Callable[[bytes, bytes], bytes]]] = MappingProxyType(
    {
        **{f"aes{bits}-gcm": _gcm for bits in (128, 192, 256)},
        **{f"aes{bits}-cbc": partial(_cbc, AES) for bits in (128, 192, 256)},
        "tripledes-cbc": partial(_cbc, TripleDES),
    }
)
