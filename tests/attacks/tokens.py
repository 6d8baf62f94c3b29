"""UsernameTokens that are honest, each with a nonce of its own, and the parts of them that a case bends."""

import os
from typing import Any

from tests.messages import BASE64, PROFILE, Token, envelope, security, timestamp


def user(**changes: Any) -> Token:
    """A token of Alice's, made now."""
    return Token(**{"nonce": os.urandom(16), **changes})


def nonce(text: str, attributes: str = f'EncodingType="{BASE64}"') -> str:
    """A wsse:Nonce with this text."""
    return f"<wsse:Nonce {attributes}>{text}</wsse:Nonce>"


def password(text: str, attributes: str = f'Type="{PROFILE}#PasswordDigest"') -> str:
    """A wsse:Password with this text."""
    return f"<wsse:Password {attributes}>{text}</wsse:Password>"


def created(text: str) -> str:
    """A wsu:Created with this text."""
    return f"<wsu:Created>{text}</wsu:Created>"


def with_token(*tokens: Token | str, **more: Any) -> bytes:
    """A message with a Timestamp and these tokens.

    Args:
        more: of ``tests.messages.envelope``.
    """
    texts = (token if isinstance(token, str) else token.xml() for token in tokens)
    return envelope(security(timestamp(), *texts), **more)
