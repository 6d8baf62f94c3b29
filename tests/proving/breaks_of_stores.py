"""Stores that forget, tables that let everybody in, and a trust in everybody."""

import threading
from dataclasses import replace
from typing import Any

from tests.proving.breaks import Patch, original
from wsguard.certificates.reference import identity_of
from wsguard.clients import ClientTable
from wsguard.interfaces import TrustedCertificate, User
from wsguard.stores.replay_memory import MemoryReplayStore
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.tokens.username import UsernameTokenProcessor
from wsguard.trust import CertificateTrust

# --- Stores -----------------------------------------------------------------------------------------------------------


def forgetful_store(patch: Patch) -> None:
    """Forgets everything with every tenth key."""
    remember, calls = MemoryReplayStore.remember, iter(range(10**6))

    def forgetting(store: MemoryReplayStore, *key: Any) -> bool:
        if threading.current_thread() is threading.main_thread() and next(calls) % 10 == 9:
            store.__init__()  # type: ignore[misc]  # as new
        return remember(store, *key)

    patch.setattr(MemoryReplayStore, "remember", forgetting)


def store_in_two_steps(patch: Patch) -> None:
    """Looks first, and remembers then: eight threads look before the first of them remembers."""
    seen, all_have_looked = set[bytes](), threading.Barrier(8)

    def remember(store: MemoryReplayStore, key: bytes, *_: object) -> bool:
        new = key not in seen
        if threading.current_thread() is not threading.main_thread():
            all_have_looked.wait(timeout=60)
        seen.add(key)
        return new

    patch.setattr(MemoryReplayStore, "remember", remember)


def disabled_users_let_in(patch: Patch) -> None:
    find = MemoryUserStore.find

    def enabled(store: MemoryUserStore, name: str) -> Any:
        user = find(store, name)
        return user and replace(user, enabled=True)

    patch.setattr(MemoryUserStore, "find", enabled)


def everybody_known(patch: Patch) -> None:
    find = MemoryUserStore.find
    patch.setattr(MemoryUserStore, "find", lambda store, name: find(store, name) or User(name, b"x"))


def nonces_only(patch: Patch) -> None:
    keys = UsernameTokenProcessor.replay_keys
    patch.setattr(UsernameTokenProcessor, "replay_keys", lambda processor, token: keys(processor, token)[:1])


# --- Trust ------------------------------------------------------------------------------------------------------------


def everybody_trusted(patch: Patch) -> None:
    def choose(trust: object, reference: Any, *_: object) -> tuple[TrustedCertificate, ...]:
        (certificate, *_) = reference.presented
        return (
            TrustedCertificate(
                certificate=certificate,
                public_key=certificate.public_key(),
                subject=certificate.subject.rfc4514_string(),
                sha256="",
                identity=identity_of(certificate),
                how="",
            ),
        )

    patch.setattr(CertificateTrust, "choose", choose)


def own_keys_forgotten(patch: Patch) -> None:
    load = original("wsguard.opening.load_trust")
    patch.setattr("wsguard.opening.load_trust", lambda policy, attempt, own: load(policy, attempt, frozenset()))


def signers_without_certificate(patch: Patch) -> None:
    """A [[client]] fits whose user fits."""
    patch.setattr(ClientTable, "_fits", lambda table, client, peer: peer.user and client.username == peer.user.name)
