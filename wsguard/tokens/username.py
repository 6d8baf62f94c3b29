"""wsse:UsernameToken (UsernameToken Profile 1.1): authenticated against the user table.

PasswordDigest is Base64(SHA-1(nonce + created + password)) with nothing between the three: bytes can move from Created
into the Nonce without changing it, and another user with the same password can be named. So Created is mandatory and
strictly spelled, the Nonce bounded, and the digest itself remembered beside (user, nonce).

A token with a Salt shows nothing of the password. A key is made of both, and whoever signs the message with that key
knows the password; the token alone says no more than a name.
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol, runtime_checkable

from lxml.etree import _Element

from wsguard.explanation import Explanation
from wsguard.faults import FailedAuthentication
from wsguard.interfaces import Attempt, FailureCounter, PasswordVerifier, User, UserKey, UserStore
from wsguard.names import USERNAME_TOKEN
from wsguard.policy import Demands
from wsguard.tokens.derivation import FOR_SIGNATURES, username_token_key
from wsguard.tokens.reading import UsernameToken, read_username_token
from wsguard.verified import Principal


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
        return read_username_token(element, demands.username_token, now, explanation)

    def authenticate(self, token: UsernameToken, attempt: Attempt, explanation: Explanation) -> Principal:
        """Demand a known and enabled user with the right password; every other case takes the same work and answer.

        Raises:
            FailedAuthentication: ``username_token.authentication``.
            StoreUnavailable: the user table, or the count of failures, does not answer.
        """
        user = (self._who_knows if token.derivation is None else self._who_signed)(token, attempt)
        if self._seen is not None:
            self._seen.seen(user.name, attempt.now)
        explanation.passed(
            "username_token", expected=_AUTHENTIC, seen=f"{token.username}, {token.password_type}", setting="users"
        )
        return Principal(user.name, "username", user.services)

    def key(self, token: UsernameToken, attempt: Attempt) -> UserKey:
        """The key that is made of the user's password; takes the same work for everybody, whoever is known.

        Raises:
            FailedAuthentication: ``username_token.authentication``, there were too many failures, or no key is made of
                such a token.
            StoreUnavailable: the user table, or the count of failures, does not answer.
        """
        if token.derivation is None:
            raise _unauthenticated(f"a key of a {token.password_type}")
        self._check_guesses(_guesses(token, attempt), attempt)
        user = self._users.find(token.username)
        octets = username_token_key((user or _NOBODY).password or _NO_PASSWORD, token.derivation)
        nobody = secrets.token_bytes(len(octets))
        may = user is not None and user.enabled and bool(user.password)
        signs = token.derivation.salt[0] == FOR_SIGNATURES
        return UserKey(token.username, octets if may else nobody, signs, _reason(token, user))

    def not_proven(self, token: UsernameToken, attempt: Attempt) -> None:
        """Count a wrong password.

        Raises:
            StoreUnavailable: it was not counted.
        """
        self._count_failure(_guesses(token, attempt), attempt)

    def _who_knows(self, token: UsernameToken, attempt: Attempt) -> User:
        guesses = _guesses(token, attempt)
        self._check_guesses(guesses, attempt)
        user = self._users.find(token.username)
        right = self._matches(token, user or _NOBODY)
        if user is None or not right or not user.enabled:
            self._count_failure(guesses, attempt)
            raise _unauthenticated(_reason(token, user))
        return user

    def _who_signed(self, token: UsernameToken, attempt: Attempt) -> User:
        self._check_guesses(_guesses(token, attempt), attempt)
        user = self._users.find(token.username) if token.username in attempt.signed_by else None
        if user is None or not user.enabled:
            raise _unauthenticated("a Salt, and no signature under the key that is made with it")
        return user

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
            return hmac.compare_digest(expected, token.password) and bool(user.password)
        hashed = False
        if self._verifier is not None:
            hashed = self._verifier.matches(user.password_hash or self._verifier.stand_in, token.password)
        # Hashed first: compare_digest takes a time that depends on the length.
        kept = hashlib.sha256(user.password or _NO_PASSWORD).digest()
        equal = hmac.compare_digest(kept, hashlib.sha256(token.password).digest())
        return equal if user.password else hashed and bool(user.password_hash)

    def replay_keys(self, token: UsernameToken) -> tuple[bytes, ...]:
        """(user, decoded nonce), and the digest: whoever moves bytes or names another user changes one of them only.

        Nothing of a token with a Salt: its Nonce is proven by nobody, so whoever repeats a message could put another's
        there. What may be seen once is the signature.
        """
        if token.derivation is not None:
            return ()
        keys = []
        if token.nonce is not None:
            name = token.username.encode("utf-8")
            keys.append(hashlib.sha256(b"nonce\0%d\0%b\0%b" % (len(name), name, token.nonce)).digest())
        if token.password_type == "PasswordDigest":
            keys.append(hashlib.sha256(b"digest\0" + token.password).digest())
        return tuple(keys)


def _guesses(token: UsernameToken, attempt: Attempt) -> bytes:
    """What wrong passwords are counted for."""
    return hashlib.sha256(f"{_origin(attempt.remote_addr)}\0{token.username}".encode()).digest()


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
    if token.derivation is not None and not user.password:
        return "only a hash of the password is kept"
    return f"wrong {token.password_type}" if user.enabled else "the user is disabled"


_SUBNET_BITS: Final = 64
"""Of an IPv6 address: RFC 6177 §2 gives every customer such a network at least, so who has one has 2^64 addresses."""
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052 §2.1: the whole of IPv4 as a translator shows it (RFC 7755), in one /64."""
_WITH_PORT: Final = re.compile(r"\[([^\]]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)
"""RFC 7239 §6: some proxies write it so into X-Forwarded-For too, and each connection has another port."""


@lru_cache(maxsize=1024)
def _origin(address: str) -> str:
    """What wrong passwords are counted for: an IPv4 address, the /64 of an IPv6 one, or what else the server says."""
    with_port = _WITH_PORT.fullmatch(address)
    try:
        found = ip_address((with_port[1] or with_port[2]) if with_port else address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found in _TRANSLATED:
        return str(IPv4Address(found.packed[-4:]))
    return str(found.ipv4_mapped or IPv6Network((int(found), _SUBNET_BITS), strict=False).network_address)
