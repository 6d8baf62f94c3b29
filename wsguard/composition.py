"""Where the parts become a guard: stores opened, services resolved, everything that can fail failing now."""

import logging
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final, ParamSpec, TypeVar
from wsgiref.types import WSGIApplication

from wsguard.audit import open_audit
from wsguard.config import load_policy, read_secret
from wsguard.engine import SecurityEngine
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import Application, AuditSink, Clock, Observer, ReplayStore, UserStore
from wsguard.keys import load_certificates, load_crls, load_key, load_shared_key
from wsguard.middleware import Guard
from wsguard.pending import unmet_demands
from wsguard.policy import Audit, Policy
from wsguard.policy.demands import TrustDemands
from wsguard.policy.problems import ConfigError, Problem
from wsguard.policy.surroundings import Location
from wsguard.routing import ServiceTable
from wsguard.spyne import introspect
from wsguard.stores import open_replay, open_users
from wsguard.tokens.username import UsernameTokenProcessor

P = ParamSpec("P")
T = TypeVar("T")
ClosableT = TypeVar("ClosableT", UserStore, ReplayStore)

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
    policy = config if isinstance(config, Policy) else load_policy(config)
    described = _describe(application, spyne_app)
    try:
        parts = _Parts(policy, described, users, replay, audit)
    except ConfigError as error:
        raise (error if isinstance(config, Policy) else error.in_file(str(config))) from None
    _say_what_is_unsafe(policy)
    return Guard(
        application, policy, parts.engine, parts.audit, clock or _now, observers=tuple(observers), close=parts.close
    )


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

    def __init__(
        self,
        policy: Policy,
        described: Application | None,
        users: UserStore | None,
        replay: ReplayStore | None,
        audit: AuditSink | None,
    ) -> None:
        attempt = _Attempt()
        attempt.problems += unmet_demands(policy)
        services = attempt("", ServiceTable, policy, described)
        _prove_keys(policy, attempt)
        self._opened = ExitStack()
        users = users or self._open(attempt, "users", policy.users, open_users)
        replay = replay or self._open(attempt, "replay", policy.replay, open_replay)
        audit = audit or self._open_audit(attempt, policy.audit)
        if attempt.problems or services is None or users is None or replay is None or audit is None:
            self._opened.close()
            raise ConfigError(attempt.problems)
        self.audit = audit
        self.engine = SecurityEngine(
            policy, services, tokens=(UsernameTokenProcessor(users),), replay=replay, every_href=described is not None
        )
        self.close = self._opened.close

    def _open(
        self, attempt: "_Attempt", key: str, section: Location, opener: Callable[[str], ClosableT]
    ) -> ClosableT | None:
        url = attempt(f"{key}.url", location, section, key)
        store = None if url is None else attempt(f"{key}.url", opener, url)
        if store is not None:
            self._opened.callback(store.close)
            if url == MEMORY:
                _log.warning("%s.url is %s: good for one process, and forgotten when it ends", key, MEMORY)
        return store

    def _open_audit(self, attempt: "_Attempt", section: Audit) -> AuditSink | None:
        urls = attempt("audit.url", audit_urls, section)
        sink = None if urls is None else attempt("audit.url", open_audit, urls)
        if sink is not None:
            self._opened.callback(sink.close)
        return sink


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
