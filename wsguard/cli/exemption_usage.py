"""Which exemptions the audit saw used."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from wsguard.audit import open_reader
from wsguard.faults import StoreUnavailable
from wsguard.lint.usage import Usage, let_pass
from wsguard.opening import audit_retention, audit_urls
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError

LEAST: Final = timedelta(days=30)
"""A younger audit says nothing: what is used once a month was not due."""
LONGEST: Final = timedelta(days=366)
"""What is not used within a year, a yearly run included, is not used."""
MOST: Final = 100_000
"""Records: where there are more, the audit is not asked further, and nothing is said."""

_UNASKED: Final = ("jsonl:", "stderr:", "memory:")
"""Not databases: read from end to end for every question, or not readable at all."""


def exemption_usage(policy: Policy, now: datetime) -> Usage | None:
    """What the first audit database of ``policy`` saw, as far back as its records are kept, and a year at most.

    Returns:
        None where nothing follows from what it saw: it is not there, cannot be read, is too young, or has too much.
    """
    if not policy.exempt:
        return None
    try:
        urls = [url for url in audit_urls(policy.audit) if not url.startswith(_UNASKED)]
        return _asked(policy, urls, now) if urls else None
    except (StoreUnavailable, ConfigError, ValueError):
        return None


def _asked(policy: Policy, urls: list[str], now: datetime) -> Usage | None:
    reader = open_reader(urls[:1])
    since = now - min(audit_retention(policy.audit), LONGEST)
    if not reader.read(limit=1, until=now - LEAST) or since > now - LEAST:
        return None
    used: set[int] = set()
    seen = 0
    for record in islice(reader.scan(since=since, outcome="exempt"), MOST):
        seen += 1
        used |= {index for index, entry in enumerate(policy.exempt) if let_pass(entry, record)}
        if len(used) == len(policy.exempt):
            break
    return None if seen == MOST else Usage(since=since, exemptions=frozenset(used))
