"""What the commands that read the audit have in common: their options, and an audit to read."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from wsguard.audit import open_reader
from wsguard.audit.entries import StoredAudit
from wsguard.checks import CHECKS
from wsguard.cli.arguments import read_policy
from wsguard.cli.moments import since_when
from wsguard.cli.screen import complain
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditFilter
from wsguard.opening import audit_urls
from wsguard.policy import Audit
from wsguard.policy.problems import ConfigError

FAMILIES: Final = frozenset(name.partition(".")[0] for name in CHECKS)
"""First parts of the names of checks."""


class Outcome(StrEnum):
    """The outcomes of a request."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXEMPT = "exempt"
    ERROR = "error"
    REPORTED = "reported"


Since = Annotated[str, typer.Option(help="Only newer ones: 30m, 1h, 7d or a time in ISO 8601.")]
Until = Annotated[str, typer.Option(help="Only older ones, written likewise.")]
Check = Annotated[str, typer.Option(help="Only those that this check decided, or one of this family: timestamp.")]
OneOutcome = Annotated[Outcome | None, typer.Option(help="Only those with this outcome.")]
Client = Annotated[str, typer.Option(help="Only those of this client.")]
Service = Annotated[str, typer.Option(help="Only those for this service.")]
Username = Annotated[str, typer.Option(help="Only those of this user.")]


def asked(
    since: str, until: str, check: str, outcome: Outcome | None, client: str, service: str, username: str, *, utc: bool
) -> AuditFilter:
    """What the options ask for.

    Raises:
        typer.BadParameter: a time cannot be read, or there is no such check.
    """
    _demand_known(check)
    now = datetime.now(UTC)
    return AuditFilter(
        since=since_when(since, now, utc=utc) if since else None,
        until=since_when(until, now, utc=utc, option="--until") if until else None,
        check=check,
        outcome=outcome.value if outcome else "",
        client=client,
        service=service,
        username=username,
    )


@contextmanager
def open_audit_reader(config: Path) -> Iterator[StoredAudit]:
    """The audit that can be read. What fails is printed: exit status 2 where it cannot be used, 1 where not be read."""
    with said_in_words():
        yield open_reader(audit_urls(audit_section(config)))


def audit_section(config: Path) -> Audit:
    """``[audit]`` of a configuration.

    Raises:
        typer.Exit: (status 2) the configuration is refused.
    """
    return read_policy(config).audit


@contextmanager
def said_in_words(done: str = "read") -> Iterator[None]:
    """What the audit raises becomes a sentence and an exit status: 2 where it cannot be used, 1 where it fails.

    Args:
        done: what is done to the audit, as a participle.

    Raises:
        typer.Exit: something was raised.
    """
    try:
        yield
    except StoreUnavailable as error:
        complain(f"The audit cannot be {done}: {error.seen}")
        raise typer.Exit(1) from error
    except (ConfigError, ValueError) as error:
        complain(str(error))
        raise typer.Exit(2) from error


def _demand_known(check: str) -> None:
    if check and check not in CHECKS and check not in FAMILIES:
        near = difflib.get_close_matches(check, [*CHECKS, *FAMILIES], 3)
        hint = f"; near to it: {', '.join(near)}" if near else ""
        raise typer.BadParameter(f"there is no check {check!r}{hint}", param_hint="--check")
