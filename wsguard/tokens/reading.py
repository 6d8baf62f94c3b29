"""wsse:UsernameToken read strictly: its shape, the kind of its password, its window. No store is asked."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from lxml.etree import _Element

from wsguard.explanation import Explanation, plain
from wsguard.faults import InvalidSecurityToken, MessageExpired
from wsguard.message.lexical import (
    at_most_one,
    decode_base64,
    exactly_one,
    leaf_text,
    only_attributes,
    only_children,
    parse_date_time,
)
from wsguard.names import (
    BASE64_BINARY,
    CREATED,
    IDS,
    ITERATION,
    NONCE,
    PASSWORD,
    PASSWORD_DIGEST,
    PASSWORD_TEXT,
    SALT,
    USERNAME,
)
from wsguard.policy.demands import PasswordType, UsernameTokenDemands
from wsguard.tokens.derivation import Derivation, read_derivation
from wsguard.window import place_in_window

malformed: Final = partial(InvalidSecurityToken, "username_token.malformed")
_WITH_PASSWORD: Final = frozenset({USERNAME, PASSWORD, NONCE, CREATED})
_WITH_SALT: Final = frozenset({USERNAME, SALT, ITERATION, NONCE, CREATED})
"""UsernameToken Profile 1.1 §4: no Password beside a Salt."""
_TYPES: Final[dict[str, PasswordType]] = {PASSWORD_DIGEST: "PasswordDigest", PASSWORD_TEXT: "PasswordText"}

LONGEST_NAME: Final = 256
"""Characters of a username: RFC 8265 bounds none; 254 is the longest mail address (RFC 5321)."""
LONGEST_NONCE: Final = 128
"""Bytes of a decoded nonce: the profile says nothing, clients send 8 to 64."""
_DIGEST_BYTES: Final = hashlib.sha1(usedforsecurity=False).digest_size


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """A well-formed token inside its window, of a type that is taken; authenticated by nobody yet."""

    username: str
    password_type: PasswordType
    password: bytes = field(repr=False)
    """The password, or the digest, as its type says; empty where a key is made of it."""
    nonce: bytes | None = field(repr=False)
    created_text: str | None
    """Created exactly as sent: the digest is over this."""
    derivation: Derivation | None = None
    """How a key is made of the password, where the token says that one is."""


def read_username_token(
    element: _Element, demands: UsernameTokenDemands, now: datetime, explanation: Explanation
) -> UsernameToken:
    """Read the token strictly and hold it against the policy and the window.

    Raises:
        InvalidSecurityToken: ``username_token.malformed``, ``.password_type``, ``.nonce_missing``,
            ``.created_missing``, ``.not_yet_valid``.
        MessageExpired: ``username_token.expired``.
    """
    only_attributes(element, IDS, malformed)
    derives = element.find(SALT) is not None
    only_children(element, _WITH_SALT if derives else _WITH_PASSWORD, malformed)
    username = _username(element)
    explanation.facts.username = plain(username)
    if derives:
        password_type, password = _demand_taken("DerivedKey", "", demands), b""
    else:
        password_type, password = _password(element, demands)
    nonce, created = _nonce(element), _created(element)
    _check_presence(password_type, nonce, created, demands)
    if created is not None:
        _check_window(created, demands, now, explanation)
    derivation = read_derivation(element, malformed) if derives else None
    return UsernameToken(username, password_type, password, nonce, created, derivation)


def _username(element: _Element) -> str:
    child = exactly_one(element, USERNAME, malformed)
    only_attributes(child, IDS, malformed)
    name = leaf_text(child, malformed)
    if not name or len(name) > LONGEST_NAME:
        raise malformed(expected=f"a Username of 1 to {LONGEST_NAME} characters", seen=f"{len(name)} characters")
    return name


def _demand_taken(password_type: PasswordType | None, identifier: str, demands: UsernameTokenDemands) -> PasswordType:
    if password_type not in demands.password_types:
        raise InvalidSecurityToken(
            "username_token.password_type",
            expected=" or ".join(demands.password_types),
            seen=password_type or identifier,
            setting="username_token.password_types",
        )
    return password_type


def _password(element: _Element, demands: UsernameTokenDemands) -> tuple[PasswordType, bytes]:
    child = exactly_one(element, PASSWORD, malformed)
    only_attributes(child, IDS | {"Type"}, malformed)
    # UsernameToken Profile 1.1 §3.1: a Password without Type is PasswordText.
    identifier = child.get("Type", PASSWORD_TEXT)
    password_type = _demand_taken(_TYPES.get(identifier), identifier, demands)
    text = leaf_text(child, malformed)
    if password_type == "PasswordText":
        return password_type, text.encode("utf-8")
    digest = decode_base64(text, "Password", malformed)
    if len(digest) != _DIGEST_BYTES:
        raise malformed(expected=f"a digest of {_DIGEST_BYTES} bytes", seen=f"{len(digest)} bytes")
    return password_type, digest


def _nonce(element: _Element) -> bytes | None:
    child = at_most_one(element, NONCE, malformed)
    if child is None:
        return None
    only_attributes(child, IDS | {"EncodingType"}, malformed)
    encoding = child.get("EncodingType", BASE64_BINARY)
    if encoding != BASE64_BINARY:
        raise malformed(expected="a Nonce in #Base64Binary", seen=encoding)
    nonce = decode_base64(leaf_text(child, malformed), "Nonce", malformed)
    if not 1 <= len(nonce) <= LONGEST_NONCE:
        raise malformed(expected=f"a Nonce of 1 to {LONGEST_NONCE} bytes", seen=f"{len(nonce)} bytes")
    return nonce


def _created(element: _Element) -> str | None:
    child = at_most_one(element, CREATED, malformed)
    if child is None:
        return None
    only_attributes(child, IDS, malformed)
    return leaf_text(child, malformed)


def _check_presence(
    password_type: PasswordType, nonce: bytes | None, created: str | None, demands: UsernameTokenDemands
) -> None:
    if password_type == "DerivedKey":
        return  # Its signature dates it, and is what may be seen once.
    digest = password_type == "PasswordDigest"
    if nonce is None and (digest or demands.require_nonce):
        setting = "" if digest else "username_token.require_nonce"
        raise InvalidSecurityToken("username_token.nonce_missing", expected="a Nonce", seen="none", setting=setting)
    if created is None and (digest or demands.require_created):
        setting = "" if digest else "username_token.require_created"
        raise InvalidSecurityToken("username_token.created_missing", expected="a Created", seen="none", setting=setting)


def _check_window(created: str, demands: UsernameTokenDemands, now: datetime, explanation: Explanation) -> None:
    instant = parse_date_time(created, malformed)
    if explanation.facts.clock_skew_s is None:
        explanation.facts.clock_skew_s = round((instant - now).total_seconds(), 3)
    place = place_in_window(instant, now, demands.time_to_live, demands.future_time_to_live)
    if place == "inside":
        return
    setting = "time_to_live" if place == "expired" else "future_time_to_live"
    side = "before" if place == "expired" else "after"
    fault = MessageExpired if place == "expired" else InvalidSecurityToken
    raise fault(
        f"username_token.{place}",
        expected=f"Created at most {getattr(demands, setting)} s {side} {now}",
        seen=f"Created {instant}",
        setting=f"username_token.{setting}",
    )
