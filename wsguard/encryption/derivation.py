"""Keys made of keys: WS-SecureConversation's P_SHA1. A pure function."""

import hmac


def p_sha1(secret: bytes, seed: bytes, offset: int, length: int) -> bytes:
    """``length`` octets from ``offset`` of the stream of P_SHA1 (WS-SecureConversation 1.3 §7; RFC 2246 §5).

    Args:
        secret: the key to derive from.
        seed: label and nonce.
        offset: octets to skip.
        length: octets wanted.
    """
    stream, chained = b"", seed
    while len(stream) < offset + length:
        chained = hmac.digest(secret, chained, "sha1")
        stream += hmac.digest(secret, chained + seed, "sha1")
    return stream[offset : offset + length]
