"""From what a policy names to what is opened: stores, keys and secrets, each failure with its key path."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, ParamSpec, Protocol, TypeVar, runtime_checkable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsguard.config import read_secret
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import DecryptionKey, KeyMaterial, PasswordVerifier, UserStore
from wsguard.keys import PrivateKey, load_key, load_shared_key
from wsguard.policy import Audit, Policy, Users
from wsguard.policy.problems import ConfigError, Problem
from wsguard.policy.surroundings import KeyFile, Location
from wsguard.securing import SigningKey
from wsguard.stores import is_database, open_users, open_verifier
from wsguard.trust import load_trust

P = ParamSpec("P")
T = TypeVar("T")

_LONGEST_RETENTION: Final = 100_000
"""Days: longer ago there is no datetime."""


class Attempt:
    """Runs what may fail and keeps every problem."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def __call__(self, key: str, build: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return build(*args, **kwargs)
        except ConfigError as error:
            self.problems += error.problems
        except StoreUnavailable as fault:
            self.problems.append(Problem(key, fault.seen))
        except (ValueError, OSError) as error:
            self.problems.append(Problem(key, str(error)))
        return None


def location(section: Location, key: str) -> str:
    """The URL of a store, wherever the configuration keeps it.

    Raises:
        ConfigError: the environment variable or file that holds it is not there.
    """
    secret = read_secret(section.url_env, section.url_file, f"{key}.url")
    return section.url if secret is None else secret


def open_user_table(url: str, section: Users) -> UserStore:
    """Open the user table at ``url`` with the master keys that ``section`` names.

    Raises:
        ConfigError: it is a database, and there are no master keys in the environment.
        ValueError: the table, or a master key, cannot be used.
        StoreUnavailable: the table cannot be opened.
    """
    return open_users(url, master_keys(section) if is_database(url) else ())


def master_keys(section: Users) -> tuple[str, ...]:
    """The master keys in the environment, the one that encrypts first; at least one.

    Raises:
        ConfigError: the environment variable is not there, or holds none.
    """
    text = read_secret(section.master_key_env, None, "users.master_key") or ""
    keys = tuple(filter(None, map(str.strip, text.split(","))))
    if not keys:
        reason = f"a database of users needs a master key in {section.master_key_env or 'an environment variable'}"
        raise ConfigError([Problem("users.master_key_env", reason)])
    return keys


def fingerprint(keys: tuple[str, ...]) -> str:
    """What tells one set of keys from another without telling them."""
    return hashlib.sha256(",".join(keys).encode()).hexdigest()


def audit_urls(section: Audit) -> tuple[str, ...]:
    """The URLs of the audit, wherever the configuration keeps them.

    Raises:
        ConfigError: the environment variable or file that holds one is not there.
    """
    secret = read_secret(section.url_env, section.url_file, "audit.url")
    return section.url if secret is None else (secret,)


def audit_key(section: Audit) -> bytes:
    """The key of the audit's chain; empty where none is configured.

    Raises:
        ConfigError: the environment variable that holds it is not there, or is empty.
    """
    if not section.key_env:
        return b""
    text = read_secret(section.key_env, None, "audit.key") or ""
    if not text:
        raise ConfigError([Problem("audit.key_env", f"the variable {section.key_env} is empty")])
    return text.encode("utf-8", "surrogateescape")


def audit_retention(section: Audit) -> timedelta:
    """How long the audit keeps its records at least."""
    return timedelta(days=min(section.retention_days, _LONGEST_RETENTION))


@runtime_checkable
class _HashKeeper(Protocol):
    """A user table that may keep hashes of passwords."""

    def has_hashes(self) -> bool:
        """Whether it does."""
        ...


class _WhereHashesAre:
    """Spends the time of a slow hash on a user without one only while there are users with one to be told from."""

    def __init__(self, verifier: PasswordVerifier, users: _HashKeeper) -> None:
        self.stand_in = verifier.stand_in
        self._verifier = verifier
        self._users = users

    def matches(self, password_hash: str, password: bytes) -> bool:
        if password_hash == self.stand_in and not self._users.has_hashes():
            return False
        return self._verifier.matches(password_hash, password)


def verifier_for(policy: Policy, users: UserStore | None) -> PasswordVerifier | None:
    """What holds PasswordTexts against hashes; None where the table keeps none, or the policy takes no PasswordText.

    Raises:
        ValueError: argon2-cffi is missing, and the table has hashes.
    """
    if users is None or not isinstance(users, _HashKeeper):
        return None
    if any("PasswordText" in demands.username_token.password_types for demands in policy.every_demand):
        verifier = open_verifier(needed=users.has_hashes())
        return None if verifier is None else _WhereHashesAre(verifier, users)
    return None


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key of one configuration."""

    material: KeyMaterial
    """What messages are held against and opened with."""
    sign: SigningKey | None
    """What answers are signed with."""
    recipients: Mapping[str, x509.Certificate]
    """Name of a ``[[client]]`` entry -> its certificate."""


def open_keyring(policy: Policy, attempt: Attempt) -> Keyring | None:
    """Read every key, certificate and list of ``policy``, each file once.

    Args:
        policy: the configuration.
        attempt: keeps what cannot be used, by its key path.

    Returns:
        None where anything of it cannot be used.
    """
    before = len(attempt.problems)
    sources = policy.keys.decrypt
    pairs = [attempt(f"keys.decrypt[{index}]", load_key, source) for index, source in enumerate(sources)]
    sign = attempt("keys.sign", _signing_key, policy.keys.sign) if policy.keys.sign is not None else None
    own = [pair.private_key for pair in pairs if pair is not None]
    # The certificates of our own keys are nobody else's: what we signed may come back.
    trust = load_trust(policy, attempt, frozenset(map(_public, [*own, *([sign.private_key] if sign else [])])))
    shared = {
        key.name: attempt(f"keys.shared[{index}]", load_shared_key, key) for index, key in enumerate(policy.keys.shared)
    }
    for name in _twice(shared):
        attempt.problems.append(Problem("keys.shared", f"{name!r} has the key of another name"))
    if len(attempt.problems) > before:
        return None
    decrypt = [
        DecryptionKey(f"keys.decrypt[{index}]", pair.private_key, pair.certificate)
        for index, pair in enumerate(pairs)
        if pair is not None
    ]
    known = {name: key for name, key in shared.items() if key is not None}
    material = KeyMaterial(trust, known, trust.client_certificates, tuple(decrypt))
    return Keyring(material, sign, trust.clients)


def _twice(shared: Mapping[str, bytes | None]) -> list[str]:
    """Names of keys that an earlier name has; zeros behind a key make no other of it (RFC 2104 §2)."""
    seen: set[bytes] = set()
    again = []
    for name, key in shared.items():
        if key is not None and key.rstrip(b"\0") in seen:
            again.append(name)
        seen.add((key or b"").rstrip(b"\0"))
    return again


def _signing_key(source: KeyFile) -> SigningKey:
    pair = load_key(source)
    if pair.certificate is None:
        raise ValueError(f"{source.file}: no certificate in it, by which those who verify could know the key")
    return SigningKey(pair.private_key, pair.certificate, pair.chain)


def _public(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def unreadable_keys(policy: Policy) -> list[Problem]:
    """Every key, certificate and list that ``policy`` names and that cannot be used."""
    attempt = Attempt()
    open_keyring(policy, attempt)
    return attempt.problems
