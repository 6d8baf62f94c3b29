"""Where the parts become a guard: stores opened, services resolved, everything that can fail failing now."""

import logging
import os
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar, cast
from wsgiref.types import WSGIApplication

from wsguard.audit import open_audit
from wsguard.config import load_policy, read_secret
from wsguard.engine import SecurityEngine
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import Application, AuditSink, Clock, Closable, Observer, ReplayStore, UserStore
from wsguard.keys import load_certificates, load_crls, load_key, load_shared_key
from wsguard.middleware import Guard, Serving
from wsguard.pending import unmet_demands
from wsguard.policy import Audit, Policy
from wsguard.policy.demands import TrustDemands
from wsguard.policy.problems import ConfigError, Problem
from wsguard.policy.surroundings import Location
from wsguard.reloading import Reloader, file_state
from wsguard.routing import ServiceTable
from wsguard.spyne import introspect
from wsguard.stores import open_replay, open_users
from wsguard.tokens.username import UsernameTokenProcessor

P = ParamSpec("P")
T = TypeVar("T")
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
        observers: told of every verdict: metrics, traces.

    Returns:
        a WSGI application.

    Raises:
        ConfigError: the configuration is wrong, does not fit the application, demands what this version cannot do, or
            names a store or key that cannot be used; every mistake at once.
        TypeError: ``spyne_app`` is no spyne application.
    """
    described = _describe(application, spyne_app)
    given = _Given(users, replay, audit)

    def build(before: Serving | None) -> Serving:
        policy = config if isinstance(config, Policy) else load_policy(config)
        try:
            serving = _Parts(policy, described, given, before).serving
        except ConfigError as error:
            raise (error if isinstance(config, Policy) else error.in_file(str(config))) from None
        _say_what_is_unsafe(policy)
        return serving

    file = None if isinstance(config, Policy) else Path(config)
    return Guard(application, Reloader(build, config=file), clock or _now, tuple(observers))


@dataclass(frozen=True, slots=True)
class _Given:
    """Stores that the caller opened and closes."""

    users: UserStore | None
    replay: ReplayStore | None
    audit: AuditSink | None


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
            given: stores that are used instead of the configured ones.
            before: what is in force; its stores are used again where the configuration names the same.

        Raises:
            ConfigError: with every problem; what was opened anew is closed.
        """
        self._attempt = _Attempt()
        self._before = before.parts if before is not None else {}
        self._parts: dict[str, tuple[Hashable, Closable]] = {}
        self._attempt.problems += unmet_demands(policy)
        services = self._attempt("", ServiceTable, policy, described)
        _prove_keys(policy, self._attempt)
        users = given.users or self._users(policy)
        replay = given.replay or self._replay(policy)
        audit = given.audit or self._audit(policy)
        if self._attempt.problems or services is None or users is None or replay is None or audit is None:
            self._close_new()
            raise ConfigError(self._attempt.problems)
        tokens = (UsernameTokenProcessor(users),)
        engine = SecurityEngine(policy, services, tokens=tokens, replay=replay, every_href=described is not None)
        self.serving = Serving(policy, engine, audit, self._parts)

    def _users(self, policy: Policy) -> UserStore | None:
        url = self._attempt("users.url", location, policy.users, "users")
        if url is None:
            return None
        # A table in a file is read once, so another state of the file is another table.
        source = (url, file_state(Path(url.removeprefix("toml:")))) if url.startswith("toml:") else (url,)
        return self._open("users", source, open_users, url)

    def _replay(self, policy: Policy) -> ReplayStore | None:
        url = self._attempt("replay.url", location, policy.replay, "replay")
        return None if url is None else self._open("replay", url, open_replay, url)

    def _audit(self, policy: Policy) -> AuditSink | None:
        urls = self._attempt("audit.url", audit_urls, policy.audit)
        return None if urls is None else self._open("audit", urls, open_audit, urls)

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


class _Attempt:
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
    return read_secret(section.url_env, section.url_file, f"{key}.url") or section.url


def audit_urls(section: Audit) -> tuple[str, ...]:
    """The URLs of the audit, wherever the configuration keeps them.

    Raises:
        ConfigError: the environment variable or file that holds one is not there.
    """
    secret = read_secret(section.url_env, section.url_file, "audit.url")
    return section.url if secret is None else (secret,)


def _prove_keys(policy: Policy, attempt: _Attempt) -> None:
    """Read every key, certificate and list that is named, so that a missing one is found now."""
    for index, key in enumerate(policy.keys.decrypt):
        attempt(f"keys.decrypt[{index}]", load_key, key)
    if policy.keys.sign is not None:
        attempt("keys.sign", load_key, policy.keys.sign)
    for index, shared in enumerate(policy.keys.shared):
        attempt(f"keys.shared[{index}]", load_shared_key, shared)
    _prove_trust(policy.trust, "", attempt)
    for name, service in policy.services.items():
        if service.trust != policy.trust:
            _prove_trust(service.trust, f"services.{name}.", attempt)


def _prove_trust(trust: TrustDemands, prefix: str, attempt: _Attempt) -> None:
    for name in ("ca_files", "intermediate_files", "known_certificates", "pinned_certificates"):
        for index, file in enumerate(getattr(trust, name)):
            attempt(f"{prefix}trust.{name}[{index}]", load_certificates, file)
    for index, file in enumerate(trust.crl_files):
        attempt(f"{prefix}trust.crl_files[{index}]", load_crls, file)
