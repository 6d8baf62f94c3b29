"""Where the parts become a guard: stores opened, services resolved, everything that can fail failing now."""

import hashlib
import logging
import math
import os
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar, cast
from wsgiref.types import WSGIApplication

from wsguard.answers import AnswerSecurer
from wsguard.audit import open_audit
from wsguard.config import load_policy
from wsguard.engine import SecurityEngine
from wsguard.instruments import Instruments
from wsguard.interfaces import (
    Application,
    AuditSink,
    Clock,
    Closable,
    FailureCounter,
    Observer,
    ReplayStore,
    UserStore,
)
from wsguard.keys import out_of_date
from wsguard.middleware import Guard, Serving
from wsguard.opening import (
    Attempt,
    Keyring,
    audit_key,
    audit_retention,
    audit_urls,
    fingerprint,
    location,
    master_keys,
    open_keyring,
    verifier_for,
)
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError
from wsguard.reloading import Reloader, file_state, files_of
from wsguard.routing import ServiceTable
from wsguard.spyne import introspect, take_trees
from wsguard.stores import is_database, open_replay, open_users, replay_source
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.tokens.username import SeenKeeper, UsernameTokenProcessor

P = ParamSpec("P")
ClosableT = TypeVar("ClosableT", bound=Closable)

MEMORY: Final = "memory://"
_log: Final = logging.getLogger("wsguard")


def guard(
    application: WSGIApplication,
    config: str | os.PathLike[str] | Policy,
    *,
    clock: Clock | None = None,
    spyne_app: object | None = None,
    users: UserStore | None = None,
    replay: ReplayStore | None = None,
    audit: AuditSink | None = None,
    observers: Iterable[Observer] = (),
) -> Guard:
    """Put a guard in front of a SOAP application.

    Args:
        application: any WSGI application.
        config: path of a ``wsguard.toml``, or a ``Policy``.
        clock: gives the time as an aware datetime; for tests.
        spyne_app: the ``spyne.server.wsgi.WsgiApplication`` inside ``application`` where that is something else.
        users: a user table of your own, instead of the configured one. You close it; so with the next two.
        replay: a replay store of your own.
        audit: an audit of your own.
        observers: told of every verdict: metrics, traces. Those that are an ``Instrument`` also time the replay store.

    Returns:
        a WSGI application.

    Raises:
        ConfigError: the configuration is wrong, does not fit the application, demands what this version cannot do, or
            names a store or key that cannot be used; every mistake at once.
        TypeError: ``spyne_app`` is no spyne application.
    """
    described = _describe(application, spyne_app)
    take_trees(application)
    observers = tuple(observers)
    given = _Given(users, replay, audit, Instruments(observers))

    def build(before: Serving | None) -> Serving:
        policy = config if isinstance(config, Policy) else load_policy(config)
        try:
            parts = _Parts(policy, described, given, before)
        except ConfigError as error:
            raise (error if isinstance(config, Policy) else error.in_file(str(config))) from None
        _say_what_is_unsafe(policy)
        _say_what_is_out_of_date(parts.keyring, clock or _now)
        return parts.serving

    file = None if isinstance(config, Policy) else Path(config)
    return Guard(application, Reloader(build, config=file), clock or _now, observers)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a configuration named and what was opened for it, before it becomes a guard."""

    policy: Policy
    keyring: Keyring
    users: UserStore
    replay: ReplayStore


Beside = Callable[[Opened], Opened]
"""Puts something beside what was opened: whom a proof makes up."""


def guard_beside(
    application: WSGIApplication,
    policy: Policy,
    described: Application | None,
    beside: Beside,
    *,
    audit: AuditSink,
    clock: Clock,
) -> Guard:
    """A guard of everything that ``policy`` names, with something beside it.

    Args:
        application: what stands behind it.
        policy: the configuration; it is never read again.
        described: what introspection found of the real application; None: services that only it could name are left
            out.
        beside: called once.
        audit: records in the place of the configured one.
        clock: gives the time.

    Raises:
        ConfigError: as ``guard``.
    """
    given = _Given(None, None, audit, Instruments(()), beside)
    # Nothing is looked at again: what stands beside belongs to these very stores and keys.
    source = Reloader(lambda before: _Parts(policy, described, given, before).serving, config=None, interval=math.inf)
    return Guard(application, source, clock)


@dataclass(frozen=True, slots=True)
class _Given:
    """Stores that the caller opened and closes, and what measures them."""

    users: UserStore | None
    replay: ReplayStore | None
    audit: AuditSink | None
    instruments: Instruments
    beside: Beside | None = None


def _say_what_is_unsafe(policy: Policy) -> None:
    for name, demands in (("", policy), *policy.services.items()):
        if demands.unsafe_unauthenticated:
            _log.warning("unsafe_unauthenticated is set for %s: anybody may call it", name or "what no service claims")
    for client in policy.client:
        if client.mode == "report":
            _log.warning(
                "client %s is in report mode until %s: what it lacks is recorded only", client.name, client.report_until
            )
    if policy.audit.on_failure == "unsafe_continue":
        _log.warning("audit.on_failure is unsafe_continue: requests are served without a record")


def _say_what_is_out_of_date(keyring: Keyring, clock: Clock) -> None:
    """Not refused: a key whose certificate has expired still opens what it is sent, and a restart must not fail."""
    own = {key.name: key.certificate for key in keyring.material.decrypt}
    if keyring.sign is not None:
        own["keys.sign"] = keyring.sign.certificate
    for setting, certificate in own.items():
        reason = out_of_date(certificate, clock()) if certificate is not None else ""
        if reason:
            _log.warning("%s: %s: peers will refuse it", setting, reason)


def _now() -> datetime:
    return datetime.now(UTC)


def _describe(application: object, spyne_app: object | None) -> Application | None:
    described = introspect(spyne_app if spyne_app is not None else application)
    if spyne_app is not None and described is None:
        raise TypeError("spyne_app is no spyne.server.wsgi.WsgiApplication")
    return described


class _Parts:
    """Everything that a guard is made of, opened and proven; or every reason why not."""

    def __init__(self, policy: Policy, described: Application | None, given: _Given, before: Serving | None) -> None:
        """
        Args:
            policy: the configuration.
            described: what introspection found.
            given: stores that are used instead of the configured ones, and what measures them.
            before: what is in force; its stores are used again where the configuration names the same.

        Raises:
            ConfigError: with every problem; what was opened anew is closed.
        """
        self._attempt = Attempt()
        self._before = before.parts if before is not None else {}
        self._parts: dict[str, tuple[Hashable, Closable]] = {}
        self._files = set(files_of(policy))
        offline = given.beside is not None and described is None
        services = self._attempt("", ServiceTable, policy, described, offline=offline)
        keys = open_keyring(policy, self._attempt)
        # A store that has a length is false while it is empty.
        users = given.users if given.users is not None else self._users(policy)
        replay = given.replay if given.replay is not None else self._replay(policy)
        audit = given.audit if given.audit is not None else self._audit(policy)
        verifier = self._attempt("users.url", verifier_for, policy, users)
        if (
            self._attempt.problems
            or services is None
            or keys is None
            or users is None
            or replay is None
            or audit is None
        ):
            self._close_new()
            raise ConfigError(self._attempt.problems)
        if given.beside is not None:
            laid = given.beside(Opened(policy, keys, users, replay))
            policy, keys, users, replay = laid.policy, laid.keyring, laid.users, laid.replay
            services = ServiceTable(policy, described, offline=offline)
        replay = self._measured(given.instruments, policy, services, replay)
        seen = users if isinstance(users, SeenKeeper) else None
        tokens = (UsernameTokenProcessor(users, _counter(replay), verifier, seen),)
        engine = SecurityEngine(
            policy,
            services,
            keys=keys.material,
            tokens=tokens,
            replay=replay,
            every_href=described is not None,
            namespaces=described.namespaces if described is not None else frozenset(),
            types=described.types if described is not None else frozenset(),
        )
        self.keyring: Final = keys
        self.serving = Serving(
            policy,
            engine,
            audit,
            AnswerSecurer(policy, keys.sign, keys.recipients),
            self._parts,
            frozenset(self._files),
        )

    def _users(self, policy: Policy) -> UserStore | None:
        if all(demands.username_token.use == "forbidden" for demands in policy.every_demand):
            return MemoryUserStore({})
        url = self._attempt("users.url", location, policy.users, "users")
        if url is None:
            return None
        if is_database(url):
            keys = self._attempt("users.master_key_env", master_keys, policy.users)
            if keys is None:
                return None
            deadline = policy.users.deadline
            return self._open("users", (url, fingerprint(keys), deadline), open_users, url, keys, deadline)
        if not url.startswith("toml:"):
            return self._open("users", url, open_users, url)
        # Such a table is read once, so another state of the file is another table.
        file = Path(url.removeprefix("toml:"))
        self._files.add(file)
        return self._open("users", (url, file_state(file)), open_users, url)

    def _replay(self, policy: Policy) -> ReplayStore | None:
        url = self._attempt("replay.url", location, policy.replay, "replay")
        if url is None:
            return None
        return self._open("replay", replay_source(url, policy.replay), open_replay, url, policy.replay)

    def _audit(self, policy: Policy) -> AuditSink | None:
        urls = self._attempt("audit.url", audit_urls, policy.audit)
        key = self._attempt("audit.key_env", audit_key, policy.audit)
        if urls is None or key is None:
            return None
        retention = audit_retention(policy.audit)
        deadline = policy.audit.deadline
        source = (urls, hashlib.sha256(key).digest(), retention, deadline)
        return self._open("audit", source, open_audit, urls, key, retention=retention, deadline=deadline)

    def _measured(
        self, instruments: Instruments, policy: Policy, services: ServiceTable, replay: ReplayStore
    ) -> ReplayStore:
        """The replay store with what measures it.

        Raises:
            ConfigError: what is to be measured cannot be read.
        """
        names = frozenset(target.service for target in services.targets)
        self._parts["observers"] = ("observers", instruments)
        measured = self._attempt("observers", instruments.attach, policy, names, replay)
        if measured is None:
            self._close_new()
            raise ConfigError(self._attempt.problems)
        return measured

    def _open(
        self, key: str, source: Hashable, opener: Callable[P, ClosableT], *args: P.args, **kwargs: P.kwargs
    ) -> ClosableT | None:
        """The store that ``source`` names: the one in force where it names the same, else a new one."""
        opened_from, store = self._before.get(key, (None, None))
        if store is None or opened_from != source:
            store = self._attempt(f"{key}.url", opener, *args, **kwargs)
            if MEMORY in str(source):
                _log.warning("%s.url is %s: good for one process, and forgotten when it ends", key, MEMORY)
        if store is None:
            return None
        self._parts[key] = (source, store)
        return cast(ClosableT, store)

    def _close_new(self) -> None:
        for key, (_, store) in self._parts.items():
            if store is not self._before.get(key, (None, None))[1]:
                store.close()


def _counter(replay: ReplayStore) -> FailureCounter | None:
    if isinstance(replay, FailureCounter):
        return replay
    _log.warning("the replay store counts no failures: username_token.max_failures has no effect")
    return None
