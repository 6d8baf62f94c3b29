"""Symmetric keys, in base64."""

import base64
import binascii
from typing import Final

from wsguard.keys.errors import KeyFileError
from wsguard.keys.files import one_line, variable
from wsguard.policy.surroundings import SharedKey

SMALLEST_SHARED_KEY: Final = 16
"""Bytes. NIST SP 800-131A revision 2, §10, asks 112 bits of an HMAC key; 128 is the shortest AES key."""


def load_shared_key(source: SharedKey) -> bytes:
    """The symmetric key that ``source`` names, decoded from base64.

    Raises:
        KeyFileError: the variable or file cannot be read, is not base64, or holds fewer than 16 bytes.
    """
    where = f"environment variable {source.key_env}" if source.key_env else str(source.key_file)
    text = variable(source.key_env, "key_env") if source.key_file is None else one_line(source.key_file)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # The decoder's own error is cut off: it may quote what it read.
        raise KeyFileError(f"{where}: the shared key {source.name!r} is not base64") from None
    if len(key) < SMALLEST_SHARED_KEY:
        raise KeyFileError(
            f"{where}: the shared key {source.name!r} is weak: {len(key)} bytes, at least {SMALLEST_SHARED_KEY} needed"
        )
    return key
