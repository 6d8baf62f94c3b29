"""What speed is measured on: three profiles of a guarded service, and messages that its client makes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast
from wsgiref.types import WSGIApplication

import wsguard
from bench.orders import application
from tests.pki import authority, rsa_key
from tests.trust.trusting import as_pem
from wsguard.case import Request
from wsguard.engine import SecurityEngine
from wsguard.explanation import Explanation
from wsguard.incident import new_incident
from wsguard.middleware import Guard
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing, SigningKey, UsernameCredentials, secure

LARGEST: Final = 32 * 1024 * 1024
"""Octets of a message: ten megabytes and what security adds."""
ROOT: Final = authority("root")
CLIENT: Final = ROOT.leaf("client", key=rsa_key(1))
SERVER: Final = ROOT.leaf("server", key=rsa_key(0))
PASSWORD: Final = "secret"  # noqa: S105 - of nobody

# Stores as they are by default: SQLite for nonces and for the audit, which keeps refusals.
_LIMITS: Final = f"[limits]\nbody_bytes = {LARGEST}\nelements = 2000000\n"
_USERS: Final = '[users]\nurl = "toml:users.toml"\n'
_SIGNED: Final = '[username_token]\nuse = "forbidden"\n[trust]\nca_files = ["ca.pem"]\n[signature]\nuse = "required"\n'
_SEALED: Final = '[keys]\ndecrypt = [{ file = "server.pem" }]\n[encryption]\nuse = "required"\n'
POLICIES: Final[Mapping[str, str]] = {
    "UsernameToken + Timestamp": _LIMITS + _USERS,
    "signed Body and Timestamp": _LIMITS + _SIGNED,
    "signed and encrypted": _LIMITS + _SIGNED + _SEALED,
}


@dataclass(frozen=True)
class Profile:
    """One way to secure a message, and the guard that demands it."""

    name: str
    guard: Guard
    plan: Securing = field(repr=False)
    home: Path
    """Where its wsguard.toml is, and what that names."""

    def message(self, octets: bytes) -> bytes:
        """``octets`` secured now: no two are the same."""
        return secure(octets, self.plan, datetime.now(UTC), _OUTBOUND)

    @cached_property
    def engine(self) -> SecurityEngine:
        """The engine of the guard."""
        return self.guard._source.current().engine

    def judge(self, octets: bytes) -> Explanation:
        """What the engine alone does with a message.

        Raises:
            Fault: it refuses it.
        """
        now, explanation = datetime.now(UTC), Explanation()
        request = Request(incident=new_incident(now), octets=octets, path="/", charset="utf-8", actions=())
        self.engine.process(request, now, explanation)
        return explanation


_OUTBOUND: Final = Limits(response_bytes=LARGEST, body_bytes=LARGEST, elements=2_000_000)
_TIMESTAMP: Final = timedelta(minutes=5)


def _plans() -> dict[str, Securing]:
    signer = SigningKey(cast(Any, CLIENT.key), CLIENT.certificate)
    user = UsernameCredentials("alice", PASSWORD)
    return {
        "UsernameToken + Timestamp": Securing(timestamp=_TIMESTAMP, username=user),
        "signed Body and Timestamp": Securing(timestamp=_TIMESTAMP, sign=signer),
        "signed and encrypted": Securing(timestamp=_TIMESTAMP, sign=signer, encrypt_for=SERVER.certificate),
    }


@contextmanager
def profiles(directory: Path, behind: WSGIApplication | None = None) -> Iterator[tuple[Profile, ...]]:
    """Every profile, in front of an application of its own; files go to ``directory``.

    Args:
        directory: where the configuration and the stores are.
        behind: the application; None: a spyne application for each.
    """
    plans = _plans()
    made = []
    for number, (name, policy) in enumerate(POLICIES.items()):
        home = directory / str(number)
        home.mkdir()
        _write(home / "ca.pem", as_pem(ROOT))
        _write(home / "server.pem", SERVER.key_pem + SERVER.pem)
        _write(home / "users.toml", f'alice = "{PASSWORD}"\n'.encode())
        _write(home / "wsguard.toml", policy.encode())
        guard = wsguard.guard(behind or application(), home / "wsguard.toml")
        made.append(Profile(name, guard, plans[name], home))
    try:
        yield tuple(made)
    finally:
        for profile in made:
            profile.guard.close()


def _write(file: Path, octets: bytes) -> None:
    file.touch(0o600)
    file.write_bytes(octets)
