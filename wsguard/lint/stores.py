"""Where users, nonces and records are kept."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from wsguard.lint.finding import Finding, Look, Looker, Rule

SHORT_RETENTION: Final = 30
"""Days. PCI DSS 4.0 §10.5.1 asks for three months at hand; within one month nobody has noticed."""
LONG_RETENTION: Final = 3650
"""Days. Records name people and their addresses: GDPR art. 5 (1) e."""

SLOW: Final = 30
"""Seconds. gunicorn's own patience with a worker."""

_FAILING_OVER: Final = ("redis+sentinel:", "rediss+sentinel:", "redis+cluster:", "rediss+cluster:")
_HERE: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
"""Values of libpq's sslmode that never go on without TLS."""

_PASSWORDS_READABLE: Final = Rule(
    name="lint.passwords_readable",
    risk="medium",
    finds="passwords lie readable in a file",
    cure="keep users in a database, where passwords are encrypted: wsguard users import",
)
_REPLAYS_FORGOTTEN: Final = Rule(
    name="lint.replays_forgotten",
    risk="high",
    finds="what was seen is remembered in memory only",
    cure="use sqlite:///FILE, or a server that all processes share",
)
_REPLAYS_EVICTED: Final = Rule(
    name="lint.replays_evicted",
    risk="high",
    finds="what was seen is thrown away when a Redis server is full",
    cure="set the server's maxmemory-policy to noeviction, and take replay.unsafe_eviction out",
)
_REPLAYS_LOST: Final = Rule(
    name="lint.replays_lost",
    risk="medium",
    finds="what was seen is on one Redis server only, and another takes over when it fails",
    cure="set replay.wait_replicas to 1 or more",
)
_STORE_SLOW: Final = Rule(
    name="lint.store_slow",
    risk="low",
    finds=f"a request may wait more than {SLOW} seconds for a store",
    cure="lower the deadline; 3 seconds are the default",
)
_USERS_FORGOTTEN: Final = Rule(
    name="lint.users_forgotten",
    risk="medium",
    finds="the user table is in memory only",
    cure="use toml:FILE or a database",
)
_RECORDS_FORGOTTEN: Final = Rule(
    name="lint.records_forgotten",
    risk="medium",
    finds="audit records are in memory only",
    cure="use sqlite:///FILE",
)
_RECORDS_UNREADABLE: Final = Rule(
    name="lint.records_unreadable",
    risk="low",
    finds="audit records are written where wsguard audit cannot read them again",
    cure="list a database or jsonl:FILE beside it",
)
_RECORDS_DISPENSABLE: Final = Rule(
    name="lint.records_dispensable",
    risk="high",
    finds="requests are served although no record of them can be written",
    cure='set audit.on_failure = "refuse"',
)
_RETENTION_UNUSUAL: Final = Rule(
    name="lint.retention_unusual",
    risk="low",
    finds=f"records are kept for less than {SHORT_RETENTION} days, or for more than {LONG_RETENTION}",
    cure="keep them for three months to a few years, as your rules say; 90 days are the default",
)
_STORE_IN_THE_CLEAR: Final = Rule(
    name="lint.store_in_the_clear",
    risk="medium",
    finds="a store on another machine is spoken to without TLS",
    cure="use rediss:// or, for PostgreSQL, ?sslmode=verify-full",
)
_STORE_SHARED: Final = Rule(
    name="lint.store_shared",
    risk="low",
    finds="two stores are in one SQLite file",
    cure="give each a file of its own",
)

STORE_CATALOGUE: Final = (
    _PASSWORDS_READABLE, _REPLAYS_FORGOTTEN, _REPLAYS_EVICTED, _REPLAYS_LOST, _STORE_SLOW, _USERS_FORGOTTEN,
    _RECORDS_FORGOTTEN, _RECORDS_UNREADABLE, _RECORDS_DISPENSABLE, _RETENTION_UNUSUAL, _STORE_IN_THE_CLEAR,
    _STORE_SHARED,
)  # fmt: skip


def _users_lie_in_a_file(look: Look) -> Iterator[Finding]:
    if look.policy.users.url.startswith("toml:"):
        yield _PASSWORDS_READABLE.at("users.url", "whoever reads the file has every user's password")


def _stores_forget(look: Look) -> Iterator[Finding]:
    if look.policy.replay.url.startswith("memory:"):
        yield _REPLAYS_FORGOTTEN.at(
            "replay.url",
            "memory:// forgets at every restart and is not shared: each process takes a replayed message once",
        )
    if look.policy.users.url.startswith("memory:"):
        yield _USERS_FORGOTTEN.at("users.url", "memory:// starts without a user in it")


def _a_server_forgets(look: Look) -> Iterator[Finding]:
    replay = look.policy.replay
    if replay.unsafe_eviction:
        text = "whoever fills the server's memory has it forget, and sends what was seen again"
        yield _REPLAYS_EVICTED.at("replay.unsafe_eviction", text)
    if replay.url.startswith(_FAILING_OVER) and replay.wait_replicas == 0:
        text = "after a failover nothing is known of the last messages: whoever recorded them sends them again"
        yield _REPLAYS_LOST.at("replay.wait_replicas", text)
    for section in ("users", "replay", "audit"):
        seconds = getattr(look.policy, section).deadline
        if seconds > SLOW:
            text = f"a server that hangs holds each worker for {seconds} seconds, and soon all of them"
            yield _STORE_SLOW.at(f"{section}.deadline", text)


def _audit_is_not_kept(look: Look) -> Iterator[Finding]:
    audit = look.policy.audit
    if all(url.startswith("memory:") for url in audit.url):
        yield _RECORDS_FORGOTTEN.at("audit.url", "memory:// loses the records at every restart")
    elif all(url.startswith("stderr:") for url in audit.url):
        text = "records go to standard error only: wsguard audit finds no incident, and the chain is never verified"
        yield _RECORDS_UNREADABLE.at("audit.url", text)
    if audit.on_failure == "unsafe_continue":
        text = "requests are served although no record of them can be written: fill the disk, then come"
        yield _RECORDS_DISPENSABLE.at("audit.on_failure", text)
    if audit.retention_days < SHORT_RETENTION:
        text = f"after {audit.retention_days} days nothing is left of an attack that nobody noticed at once"
        yield _RETENTION_UNUSUAL.at("audit.retention_days", text)
    elif audit.retention_days > LONG_RETENTION:
        text = f"who called from where is kept for {audit.retention_days} days, for whoever gets at it"
        yield _RETENTION_UNUSUAL.at("audit.retention_days", text)


def _stores_are_spoken_to_in_the_clear(look: Look) -> Iterator[Finding]:
    for setting, url in _urls(look):
        if _is_in_the_clear(url):
            text = (
                f"{url.partition(':')[0]} without TLS: whoever is on the way reads and changes what the guard relies on"
            )
            yield _STORE_IN_THE_CLEAR.at(setting, text)


def _urls(look: Look) -> Iterator[tuple[str, str]]:
    yield "users.url", look.policy.users.url
    yield "replay.url", look.policy.replay.url
    yield from (("audit.url", url) for url in look.policy.audit.url)


def _is_in_the_clear(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    asked = parse_qs(parts.query)
    if host in _HERE or "host" in asked:
        return False
    if parts.scheme.partition("+")[0] == "postgresql":
        return not _ENCRYPTED.intersection(asked.get("sslmode", ()))
    return parts.scheme.partition("+")[0] == "redis"


def _stores_share_a_file(look: Look) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for setting, url in _urls(look):
        if not url.startswith("sqlite") or ":memory:" in url:
            continue
        if url in seen and seen[url] != setting:
            text = f"the same file as {seen[url]}: each waits while the other writes, and both are lost together"
            yield _STORE_SHARED.at(setting, text)
        seen.setdefault(url, setting)


STORE_RULES: Final[tuple[Looker, ...]] = (
    _users_lie_in_a_file,
    _stores_forget,
    _a_server_forgets,
    _audit_is_not_kept,
    _stores_are_spoken_to_in_the_clear,
    _stores_share_a_file,
)
