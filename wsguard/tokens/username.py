"""wsse:UsernameToken (UsernameToken Profile 1.1): read strictly, then authenticated against the user table.

PasswordDigest is Base64(SHA-1(nonce + created + password)) with nothing between the three: bytes can move from Created
into the Nonce without changing it, and another user with the same password can be named. So Created is mandatory and
strictly spelled, the Nonce bounded, and the digest itself remembered beside (user, nonce).
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol, runtime_checkable

from lxml.etree import _Element

from wsguard.explanation import Explanation, plain
from wsguard.faults import FailedAuthentication, InvalidSecurityToken, MessageExpired
from wsguard.interfaces import Attempt, FailureCounter, PasswordVerifier, User, UserStore
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
    NONCE,
    PASSWORD,
    PASSWORD_DIGEST,
    PASSWORD_TEXT,
    USERNAME,
    USERNAME_TOKEN,
)
from wsguard.policy import Demands
from wsguard.policy.demands import PasswordType, UsernameTokenDemands
from wsguard.verified import Principal
from wsguard.window import place_in_window

_malformed = partial(InvalidSecurityToken, "username_token.malformed")
_CHILDREN: Final = frozenset({USERNAME, PASSWORD, NONCE, CREATED})
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
    """The password, or the digest, as its type says."""
    nonce: bytes | None = field(repr=False)
    created_text: str | None
    """Created exactly as sent: the digest is over this."""


@runtime_checkable
class SeenKeeper(Protocol):
    """Keeps when each user was last seen; user tables may do this too. The same object serves all threads."""

    def seen(self, name: str, now: datetime) -> None:
        """Take note that the password of the user ``name`` was right at ``now``. Nothing is raised."""
        ...


class UsernameTokenProcessor:
    """Reads UsernameTokens and authenticates them against a user table."""

    tag = USERNAME_TOKEN
    family = "username_token"

    def __init__(
        self,
        users: UserStore,
        failures: FailureCounter | None = None,
        verifier: PasswordVerifier | None = None,
        seen: SeenKeeper | None = None,
    ) -> None:
        """
        Args:
            users: the user table.
            failures: where wrong passwords are counted; None: they are not.
            verifier: for tables that may keep hashes; None: every password is kept as it is.
            seen: where it is kept when a user was last seen; None: nowhere.
        """
        self._users = users
        self._failures = failures
        self._verifier = verifier
        self._seen = seen

    def read(self, element: _Element, demands: Demands, now: datetime, explanation: Explanation) -> UsernameToken:
        """Read the token strictly and hold it against the policy and the window.

        Raises:
            InvalidSecurityToken: ``username_token.malformed``, ``.password_type``, ``.nonce_missing``,
                ``.created_missing``, ``.not_yet_valid``.
            MessageExpired: ``username_token.expired``.
        """
        only_attributes(element, IDS, _malformed)
        only_children(element, _CHILDREN, _malformed)
        username = _username(element)
        explanation.facts.username = plain(username)
        password_type, password = _password(element, demands.username_token)
        nonce, created = _nonce(element), _created(element)
        _check_presence(password_type, nonce, created, demands.username_token)
        if created is not None:
            _check_window(created, demands.username_token, now, explanation)
        return UsernameToken(username, password_type, password, nonce, created)

    def authenticate(self, token: UsernameToken, attempt: Attempt, explanation: Explanation) -> Principal:
        """Demand a known and enabled user with the right password; every other case takes the same work and answer.

        Raises:
            FailedAuthentication: ``username_token.authentication``.
            StoreUnavailable: the user table, or the count of failures, does not answer.
        """
        guesses = hashlib.sha256(f"{_origin(attempt.remote_addr)}\0{token.username}".encode()).digest()
        self._check_guesses(guesses, attempt)
        user = self._users.find(token.username)
        right = self._matches(token, user or _NOBODY)
        if user is None or not right or not user.enabled:
            self._count_failure(guesses, attempt)
            raise _unauthenticated(_reason(token, user))
        if self._seen is not None:
            self._seen.seen(user.name, attempt.now)
        explanation.passed(
            "username_token", expected=_AUTHENTIC, seen=f"{token.username}, {token.password_type}", setting="users"
        )
        return Principal(user.name, "username", user.services)

    def _check_guesses(self, guesses: bytes, attempt: Attempt) -> None:
        """Look at no password while there were too many wrong ones: a right one would tell itself by its answer."""
        demands = attempt.demands.username_token
        if self._failures is not None and self._failures.failures(guesses, attempt.now) >= demands.max_failures:
            seen = f"{demands.max_failures} wrong passwords in {demands.failure_window} s: not looked at"
            raise _unauthenticated(seen, setting="username_token.max_failures")

    def _count_failure(self, guesses: bytes, attempt: Attempt) -> None:
        if self._failures is not None:
            until = attempt.now + timedelta(seconds=attempt.demands.username_token.failure_window)
            self._failures.add_failure(guesses, until, attempt.now)

    def _matches(self, token: UsernameToken, user: User) -> bool:
        if token.password_type == "PasswordDigest":
            expected = password_digest(token.nonce or b"", token.created_text or "", user.password or _NO_PASSWORD)
            return hmac.compare_digest(expected, token.password) and user.password is not None
        hashed = False
        if self._verifier is not None:
            hashed = self._verifier.matches(user.password_hash or self._verifier.stand_in, token.password)
        # Hashed first: compare_digest takes a time that depends on the length.
        kept = hashlib.sha256(user.password or _NO_PASSWORD).digest()
        equal = hmac.compare_digest(kept, hashlib.sha256(token.password).digest())
        return equal if user.password is not None else hashed and bool(user.password_hash)

    def replay_keys(self, token: UsernameToken) -> tuple[bytes, ...]:
        """(user, decoded nonce), and the digest: whoever moves bytes or names another user changes one of them only."""
        keys = []
        if token.nonce is not None:
            name = token.username.encode("utf-8")
            keys.append(hashlib.sha256(b"nonce\0%d\0%b\0%b" % (len(name), name, token.nonce)).digest())
        if token.password_type == "PasswordDigest":
            keys.append(hashlib.sha256(b"digest\0" + token.password).digest())
        return tuple(keys)


_AUTHENTIC: Final = "a known, enabled user with the right password"
_NO_PASSWORD: Final = b"\0" * 16
_NOBODY: Final = User("", _NO_PASSWORD, enabled=False)


def password_digest(nonce: bytes, created: str, password: bytes) -> bytes:
    """The digest of UsernameToken Profile 1.1 §3.1, 20 bytes.

    Args:
        nonce: decoded.
        created: the text of wsu:Created exactly as sent.
        password: in UTF-8.
    """
    return hashlib.sha1(nonce + created.encode("utf-8") + password, usedforsecurity=False).digest()


def _unauthenticated(seen: str, *, setting: str = "users") -> FailedAuthentication:
    return FailedAuthentication(
        "username_token.authentication",
        expected=_AUTHENTIC,
        seen=seen,
        setting=setting,
    )


def _reason(token: UsernameToken, user: User | None) -> str:
    if user is None:
        return "no such user"
    return f"wrong {token.password_type}" if user.enabled else "the user is disabled"


def _username(element: _Element) -> str:
    child = exactly_one(element, USERNAME, _malformed)
    only_attributes(child, IDS, _malformed)
    name = leaf_text(child, _malformed)
    if not name or len(name) > LONGEST_NAME:
        raise _malformed(expected=f"a Username of 1 to {LONGEST_NAME} characters", seen=f"{len(name)} characters")
    return name


def _password(element: _Element, demands: UsernameTokenDemands) -> tuple[PasswordType, bytes]:
    child = exactly_one(element, PASSWORD, _malformed)
    only_attributes(child, IDS | {"Type"}, _malformed)
    # UsernameToken Profile 1.1 §3.1: a Password without Type is PasswordText.
    identifier = child.get("Type", PASSWORD_TEXT)
    password_type = _TYPES.get(identifier)
    if password_type not in demands.password_types:
        raise InvalidSecurityToken(
            "username_token.password_type",
            expected=" or ".join(demands.password_types),
            seen=password_type or identifier,
            setting="username_token.password_types",
        )
    text = leaf_text(child, _malformed)
    if password_type == "PasswordText":
        return password_type, text.encode("utf-8")
    digest = decode_base64(text, "Password", _malformed)
    if len(digest) != _DIGEST_BYTES:
        raise _malformed(expected=f"a digest of {_DIGEST_BYTES} bytes", seen=f"{len(digest)} bytes")
    return password_type, digest


def _nonce(element: _Element) -> bytes | None:
    child = at_most_one(element, NONCE, _malformed)
    if child is None:
        return None
    only_attributes(child, IDS | {"EncodingType"}, _malformed)
    encoding = child.get("EncodingType", BASE64_BINARY)
    if encoding != BASE64_BINARY:
        raise _malformed(expected="a Nonce in #Base64Binary", seen=encoding)
    nonce = decode_base64(leaf_text(child, _malformed), "Nonce", _malformed)
    if not 1 <= len(nonce) <= LONGEST_NONCE:
        raise _malformed(expected=f"a Nonce of 1 to {LONGEST_NONCE} bytes", seen=f"{len(nonce)} bytes")
    return nonce


def _created(element: _Element) -> str | None:
    child = at_most_one(element, CREATED, _malformed)
    if child is None:
        return None
    only_attributes(child, IDS, _malformed)
    return leaf_text(child, _malformed)


def _check_presence(
    password_type: PasswordType, nonce: bytes | None, created: str | None, demands: UsernameTokenDemands
) -> None:
    digest = password_type == "PasswordDigest"
    if nonce is None and (digest or demands.require_nonce):
        setting = "" if digest else "username_token.require_nonce"
        raise InvalidSecurityToken("username_token.nonce_missing", expected="a Nonce", seen="none", setting=setting)
    if created is None and (digest or demands.require_created):
        setting = "" if digest else "username_token.require_created"
        raise InvalidSecurityToken("username_token.created_missing", expected="a Created", seen="none", setting=setting)


def _check_window(created: str, demands: UsernameTokenDemands, now: datetime, explanation: Explanation) -> None:
    instant = parse_date_time(created, _malformed)
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


_SUBNET_BITS: Final = 64
"""Of an IPv6 address: RFC 6177 §2 gives every customer such a network at least, so who has one has 2^64 addresses."""


def _origin(address: str) -> str:
    """What wrong passwords are counted for: an IPv4 address, the /64 of an IPv6 one, or what else the server says."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), _SUBNET_BITS), strict=False).network_address)
