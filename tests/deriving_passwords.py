"""Messages of users who show no password: a Salt, and a signature under the key that is made of both."""

import hashlib
from dataclasses import replace
from typing import Any, Final

from tests.encrypting import WSSE11, b64
from tests.messages import timestamp
from tests.signing import Part, Signing, sign, unsigned

SALT: Final = bytes([1, *range(2, 17)])
"""Its first octet says that the key is for signatures."""
TO_TOKEN: Final = '<wsse:SecurityTokenReference><wsse:Reference URI="#UT-1"/></wsse:SecurityTokenReference>'
DERIVED: Final[dict[str, Any]] = {
    "username_token": {"use": "required", "password_types": ["DerivedKey"]},
    "signature": {"use": "optional"},
    "algorithms": {"signature": ["hmac-sha256", "hmac-sha1", "ecdsa-sha256"]},
}
"""Sections of a policy that takes such users and no others."""
WITH_TOKEN: Final = tuple(Part(uri) for uri in ("#body", "#TS-1", "#UT-1"))


def key_of(password: str = "secret", salt: bytes = SALT, iterations: int = 1000) -> bytes:
    """The key, written down again from UsernameToken Profile 1.1 §4."""
    key = hashlib.sha1(password.encode() + salt).digest()
    for _ in range(iterations - 1):
        key = hashlib.sha1(key).digest()
    return key


def salted_token(
    username: str = "alice", salt: bytes = SALT, iterations: str | None = "1000", more: str = "", id: str = "UT-1"
) -> str:
    """A wsse:UsernameToken without Password."""
    iteration = "" if iterations is None else f"<wsse11:Iteration>{iterations}</wsse11:Iteration>"
    return (
        f'<wsse:UsernameToken xmlns:wsse11="{WSSE11}" wsu:Id="{id}"><wsse:Username>{username}</wsse:Username>{more}'
        f"<wsse11:Salt>{b64(salt)}</wsse11:Salt>{iteration}</wsse:UsernameToken>"
    )


def by_password(key: bytes | None = None, **changes: Any) -> Signing:
    """A signature under the key of the token."""
    return replace(Signing(key=key or key_of(), method="hmac-sha256", key_info=TO_TOKEN), **changes)


def salted(token: str | None = None, signing: Signing | None = None, *more: str, **envelope: str) -> bytes:
    """What such a client sends: UsernameToken, Signature over Body and Timestamp, Timestamp."""
    signing = signing or by_password()
    return sign(unsigned(token or salted_token(), *more, f"@{signing.id}@", timestamp(), **envelope), signing)
