"""Honest messages of a user, the same in every process."""

import base64
import hashlib
from typing import Final

from fuzz.guarded import PASSWORD
from tests.messages import BASE64, PROFILE, SOAP11, WSSE, WSU

CREATED: Final = "2026-11-21T12:00:00Z"
NONCE: Final = base64.b64encode(b"0123456789abcdef").decode()
TIMESTAMP: Final = f"<wsu:Timestamp><wsu:Created>{CREATED}</wsu:Created></wsu:Timestamp>"
PAYLOAD: Final = '<e:Echo xmlns:e="urn:echo"><e:text>hello</e:text></e:Echo>'


def password_digest(nonce: bytes, created: str, password: str = PASSWORD) -> str:
    """UsernameToken Profile 1.1 §3.1, written down again."""
    return base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()  # noqa: S324


def token(
    username: str = "alice", nonce: str = NONCE, created: str = CREATED, password: str | None = None, more: str = ""
) -> str:
    """A UsernameToken of these texts, none of them escaped; without a password it is the right digest."""
    secret = password_digest(base64.b64decode(nonce), created) if password is None else password
    return (
        f"<wsse:UsernameToken><wsse:Username>{username}</wsse:Username>"
        f'<wsse:Password Type="{PROFILE}#PasswordDigest">{secret}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{BASE64}">{nonce}</wsse:Nonce>'
        f"<wsu:Created>{created}</wsu:Created>{more}</wsse:UsernameToken>"
    )


def message(*security: str, body: str = PAYLOAD, soap: str = SOAP11, header: str = "") -> str:
    """An envelope with these children of its Security header."""
    return (
        f'<S:Envelope xmlns:S="{soap}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}"><S:Header>{header}'
        f"<wsse:Security>{''.join(security)}</wsse:Security></S:Header><S:Body>{body}</S:Body></S:Envelope>"
    )
