"""What a Security header says of the message and its sender: Timestamp, SignatureConfirmation, UsernameToken."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.names import (
    BASE64_BINARY,
    CREATED,
    EXPIRES,
    ITERATION,
    NONCE,
    PASSWORD,
    PASSWORD_DIGEST,
    PASSWORD_TEXT,
    SALT,
    SIGNATURE_CONFIRMATION,
    TIMESTAMP,
    USERNAME,
    USERNAME_TOKEN,
    WSSE11,
    WSU_ID,
)
from wsguard.securing.draft import Draft
from wsguard.securing.elements import base64_of, child
from wsguard.securing.plan import UsernameCredentials
from wsguard.tokens.derivation import (
    FOR_SIGNATURES,
    SALT_LENGTH,
    Derivation,
    username_token_key,
)
from wsguard.tokens.username import password_digest

_NONCE_OCTETS: Final = 16
_ITERATIONS: Final = 1_000
"""The default of UsernameToken Profile 1.1 §4, which every stack takes."""


def add_timestamp(draft: Draft, now: datetime, lifetime: timedelta) -> None:
    """A wsu:Timestamp (WSS 1.1 §10), created ``now`` and valid for ``lifetime``.

    Raises:
        ValueError: it would end after the year 9999.
    """
    try:
        expires = now + lifetime
    except OverflowError:
        raise ValueError("a Timestamp ends before the year 10000") from None
    timestamp = _identified(draft, TIMESTAMP, "TS")
    child(timestamp, CREATED, date_time(now))
    child(timestamp, EXPIRES, date_time(expires))


def add_confirmations(draft: Draft, values: tuple[bytes, ...]) -> list[_Element]:
    """A wsse11:SignatureConfirmation for each of ``values``, or one without Value where there are none (WSS 1.1 §8.5).

    Args:
        draft: the answer.
        values: the SignatureValues of the request, decoded.
    """
    confirmations = []
    for value in values or (None,):
        confirmation = etree.SubElement(draft.security, SIGNATURE_CONFIRMATION, nsmap={"wsse11": WSSE11})
        confirmation.set(WSU_ID, draft.new_id("SC"))
        if value is not None:
            confirmation.set("Value", base64_of(value))
        confirmations.append(confirmation)
    return confirmations


@dataclass(frozen=True, slots=True)
class PasswordKey:
    """A key that is made of a password, and the wsse:UsernameToken that says how."""

    octets: bytes = field(repr=False)
    token: _Element


def add_salted_token(draft: Draft, credentials: UsernameCredentials) -> PasswordKey:
    """A wsse:UsernameToken with a fresh Salt and no password (UsernameToken Profile 1.1 §4), and the key it makes."""
    salt = bytes([FOR_SIGNATURES]) + draft.random(SALT_LENGTH - 1)
    token = etree.SubElement(draft.security, USERNAME_TOKEN, nsmap={"wsse11": WSSE11})
    token.set(WSU_ID, draft.new_id("UT"))
    child(token, USERNAME, credentials.username)
    child(token, SALT, base64_of(salt))
    child(token, ITERATION, str(_ITERATIONS))
    return PasswordKey(username_token_key(credentials.password.encode(), Derivation(salt, _ITERATIONS)), token)


def add_username_token(draft: Draft, now: datetime, credentials: UsernameCredentials) -> None:
    """A wsse:UsernameToken (UsernameToken Profile 1.1 §3.1) with a fresh Nonce, created ``now``."""
    nonce, created = draft.random(_NONCE_OCTETS), date_time(now)
    token = _identified(draft, USERNAME_TOKEN, "UT")
    child(token, USERNAME, credentials.username)
    if credentials.password_type == "PasswordDigest":  # noqa: S105 - a kind of password
        digest = password_digest(nonce, created, credentials.password.encode())
        child(token, PASSWORD, base64_of(digest), Type=PASSWORD_DIGEST)
    else:
        child(token, PASSWORD, credentials.password, Type=PASSWORD_TEXT)
    child(token, NONCE, base64_of(nonce), EncodingType=BASE64_BINARY)
    child(token, CREATED, created)


def date_time(instant: datetime) -> str:
    """``instant`` as xsd:dateTime in UTC with milliseconds, which every stack reads (BSP 1.1 R3217, R3220)."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _identified(draft: Draft, tag: str, kind: str) -> _Element:
    element = child(draft.security, tag)
    element.set(WSU_ID, draft.new_id(kind))
    return element
