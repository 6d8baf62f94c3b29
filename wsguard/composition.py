"""Where the parts become a guard: stores opened, services resolved, everything that can fail failing now."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar
from wsgiref.types import WSGIApplication

from wsguard.audit import open_audit
from wsguard.config import load_policy, read_secret
from wsguard.engine import SecurityEngine
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import Application, AuditSink, Clock
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


def guard(
    application: WSGIApplication,
    config: str | os.PathLike[str] | Policy,
    *,
    clock: Clock | None = None,
    spyne_app: object | None = None,
) -> Guard:
    """Put a guard in front of a SOAP application.

    Args:
        application: any WSGI application.
        config: path of a ``wsguard.toml``, or a ``Policy``.
        clock: gives the time as an aware datetime; for tests.
        spyne_app: the ``spyne.server.wsgi.WsgiApplication`` inside ``application`` where that is something else.

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
        return _compose(application, policy, described, clock or _now)
    except ConfigError as error:
        raise (error if isinstance(config, Policy) else error.in_file(str(config))) from None


def _now() -> datetime:
    return datetime.now(UTC)


def _describe(application: object, spyne_app: object | None) -> Application | None:
    described = introspect(spyne_app if spyne_app is not None else application)
    if spyne_app is not None and described is None:
        raise TypeError("spyne_app is no spyne.server.wsgi.WsgiApplication")
    return described


def _compose(application: WSGIApplication, policy: Policy, described: Application | None, clock: Clock) -> Guard:
    attempt = _Attempt()
    attempt.problems += unmet_demands(policy)
    services = attempt("", ServiceTable, policy, described)
    _prove_keys(policy, attempt)
    users = _open(attempt, "users", policy.users, open_users)
    replay = _open(attempt, "replay", policy.replay, open_replay)
    audit = _open_audit(attempt, policy.audit)
    opened = [store for store in (users, replay, audit) if store is not None]
    if attempt.problems or services is None or users is None or replay is None or audit is None:
        for store in opened:
            store.close()
        raise ConfigError(attempt.problems)
    engine = SecurityEngine(
        policy, services, tokens=(UsernameTokenProcessor(users),), replay=replay, every_href=described is not None
    )

    def close() -> None:
        for store in opened:
            store.close()

    return Guard(application, policy, engine, audit, clock, close=close)


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


def _open(attempt: _Attempt, key: str, section: Location, opener: Callable[[str], T]) -> T | None:
    url = attempt(f"{key}.url", location, section, key)
    return None if url is None else attempt(f"{key}.url", opener, url)


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


def _open_audit(attempt: _Attempt, section: Audit) -> AuditSink | None:
    urls = attempt("audit.url", audit_urls, section)
    return None if urls is None else attempt("audit.url", open_audit, urls)


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
