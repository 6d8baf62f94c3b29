"""wsc:DerivedKeyToken, made as WS-SecureConversation says."""

import hmac
from typing import Final

from tests.encrypting import b64

WSC: Final = "http://schemas.xmlsoap.org/ws/2005/02/sc"
NONCE: Final = b"0123456789abcdef"
LABEL: Final = "WS-SecureConversationWS-SecureConversation"


def derived_octets(secret: bytes, length: int = 32) -> bytes:
    """P_SHA1 (RFC 2246 §5), written down again."""
    seed = LABEL.encode() + NONCE
    stream, a = b"", seed
    while len(stream) < length:
        a = hmac.digest(secret, a, "sha1")
        stream += hmac.digest(secret, a + seed, "sha1")
    return stream[:length]


def derived_token(key_id: str = "EK-1", id: str = "DK-1", length: int = 32) -> str:
    """A token whose key is derived from the EncryptedKey with ``key_id``."""
    return (
        f'<wsc:DerivedKeyToken xmlns:wsc="{WSC}" wsu:Id="{id}"><wsse:SecurityTokenReference>'
        f'<wsse:Reference URI="#{key_id}"/></wsse:SecurityTokenReference><wsc:Offset>0</wsc:Offset>'
        f"<wsc:Length>{length}</wsc:Length><wsc:Nonce>{b64(NONCE)}</wsc:Nonce></wsc:DerivedKeyToken>"
    )
