"""The configured stores, asked directly: with random keys that nothing else has, and without changing what is there."""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wsguard.audit import open_audit
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import FailureCounter, ReplayStore, UserStore
from wsguard.opening import audit_key, audit_urls
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError
from wsguard.proving.rows import Row
from wsguard.remembering import retention

_THREADS: Final = 8
_OTHERS: Final = 64
"""Keys that are remembered before the first one is asked for again."""
_KEY_OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class Stores:
    """What was opened for the guard that is attacked."""

    policy: Policy
    replay: ReplayStore
    users: UserStore
    now: datetime


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of a store."""

    target: str
    name: str
    attack: str
    demanded: str
    got: Callable[[Stores], str]
    """What it did; the promise holds where that is what is demanded."""


def prove_stores(stores: Stores) -> Iterable[Row]:
    """A row for each promise of a store."""
    for promise in PROMISES:
        reason = ""
        try:
            got = promise.got(stores)
        except StoreUnavailable as fault:
            got, reason = "store.unavailable", fault.seen
        except (ConfigError, ValueError) as error:
            got, reason = type(error).__name__, str(error)
        yield Row(
            target=promise.target,
            control=promise.name,
            attack=promise.attack,
            demanded=(promise.demanded,),
            got=got,
            verdict="holds" if got == promise.demanded else "DOES NOT HOLD",
            reason=reason,
        )


def _remember(stores: Stores, key: bytes) -> bool:
    return stores.replay.remember(key, stores.now + retention(stores.policy), stores.now)


def _new_key() -> bytes:
    return secrets.token_bytes(_KEY_OCTETS)


def _answers(answers: Iterable[bool]) -> str:
    told = list(answers)
    return f"new {told.count(True)} of {len(told)} times"


def _twice(stores: Stores) -> str:
    key = _new_key()
    return _answers([_remember(stores, key), _remember(stores, key)])


def _after_others(stores: Stores) -> str:
    key = _new_key()
    first = _remember(stores, key)
    for _ in range(_OTHERS):
        _remember(stores, _new_key())
    return _answers([first, _remember(stores, key)])


def _at_once(stores: Stores) -> str:
    key, answers, start = _new_key(), list[bool](), threading.Barrier(_THREADS)
    faults = list[StoreUnavailable]()

    def ask() -> None:
        start.wait()
        try:
            answers.append(_remember(stores, key))
        except StoreUnavailable as fault:
            faults.append(fault)

    threads = [threading.Thread(target=ask) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return _answers(answers)


def _counted(stores: Stores) -> str:
    if not isinstance(stores.replay, FailureCounter):
        return "not counted"
    key, until = _new_key(), stores.now + retention(stores.policy)
    for _ in range(2):
        stores.replay.add_failure(key, until, stores.now)
    return f"{stores.replay.failures(key, stores.now)} counted"


def _nobody(stores: Stores) -> str:
    name = f"wsguard-proof-{secrets.token_hex(16)}"
    return "nobody" if stores.users.find(name) is None else "somebody"


def _opened(stores: Stores) -> str:
    section = stores.policy.audit
    open_audit(audit_urls(section), audit_key(section), deadline=section.deadline).close()
    return "opened"


PROMISES: Final = (
    Promise("replay store", "replay.once", "one key twice", "new 1 of 2 times", _twice),
    Promise("replay store", "replay.kept", f"a key again after {_OTHERS} others", "new 1 of 2 times", _after_others),
    Promise(
        "replay store",
        "replay.threads",
        f"one key by {_THREADS} threads at once",
        f"new 1 of {_THREADS} times",
        _at_once,
    ),
    Promise("replay store", "failures.counted", "two wrong passwords", "2 counted", _counted),
    Promise("user table", "users.asked", "a name that nobody has", "nobody", _nobody),
    Promise("audit", "audit.writable", "opened for writing", "opened", _opened),
)
