"""``wsguard audit``: read what was recorded."""

import difflib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from wsguard.audit import open_reader
from wsguard.checks import CHECKS
from wsguard.cli.arguments import CONFIG_VARIABLE, Config, Json, read_policy
from wsguard.cli.screen import complain, print_json, print_table, say
from wsguard.composition import audit_urls
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditReader, AuditRecord
from wsguard.policy import Policy

application = typer.Typer(name="audit", help="Read the audit.", no_args_is_help=True, pretty_exceptions_enable=False)

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FACTS: Final = (
    "outcome", "check", "fault", "time", "service", "operation", "soap_version", "client", "username",
    "certificate_subject", "certificate_sha256", "remote_addr", "path", "message_sha256", "message_bytes",
    "duration_ms", "clock_skew_s",
)  # fmt: skip


class Outcome(StrEnum):
    """The outcomes of a request."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXEMPT = "exempt"
    ERROR = "error"
    REPORTED = "reported"


def since_when(text: str, now: datetime) -> datetime:
    """The time that ``--since`` means: ``90s``, ``30m``, ``1h``, ``7d``, or ISO 8601 (UTC where it has no zone).

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        if match := re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter("30m, 1h, 7d or a time in ISO 8601 is expected", param_hint="--since") from error


@application.command("list")
def list_records(
    config: Config,
    since: Annotated[str, typer.Option(help="Only newer ones: 30m, 1h, 7d or a time in ISO 8601.")] = "",
    check: Annotated[str, typer.Option(help="Only those that this check decided.")] = "",
    outcome: Annotated[Outcome | None, typer.Option(help="Only those with this outcome.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 100,
    as_json: Json = False,
) -> None:
    """List the newest records, newest first."""
    start = since_when(since, datetime.now(UTC)) if since else None
    _demand_known(check)
    with _reader(config) as reader:
        records = reader.read(since=start, check=check, outcome=outcome.value if outcome else "", limit=limit)
    if as_json:
        print_json([record.as_dict() for record in records])
    elif records:
        columns = ("Incident", "Time (UTC)", "Outcome", "Check", "Operation", "Who", "From")
        print_table(f"{len(records)} records", columns, map(_row, records))
    else:
        say("No record fits.")


@application.command("show")
def show(
    arguments: Annotated[
        list[str], typer.Argument(metavar="[CONFIG] INCIDENT", help=f"CONFIG may stand in {CONFIG_VARIABLE}.")
    ],
    as_json: Json = False,
) -> None:
    """Show one record whole, with every check and the cure of the one that refused."""
    config, incident = _config_and_incident(arguments)
    with _reader(config) as reader:
        record = reader.find(incident)
    if record is None:
        complain(f"There is no record of incident {incident}.")
        raise typer.Exit(1)
    if as_json:
        print_json(record.as_dict())
    else:
        _print_record(record)


def _config_and_incident(arguments: list[str]) -> tuple[Path, str]:
    if len(arguments) == 2:
        return Path(arguments[0]), arguments[1]
    config = os.environ.get(CONFIG_VARIABLE)
    if len(arguments) != 1 or not config:
        raise typer.BadParameter(f"CONFIG (or {CONFIG_VARIABLE}) and one INCIDENT are expected")
    return Path(config), arguments[0]


def _demand_known(check: str) -> None:
    if check and check not in CHECKS:
        near = difflib.get_close_matches(check, CHECKS, 3)
        hint = f"; near to it: {', '.join(near)}" if near else ""
        raise typer.BadParameter(f"there is no check {check!r}{hint}", param_hint="--check")


@contextmanager
def _reader(config: Path) -> Iterator[AuditReader]:
    policy = read_policy(config)
    try:
        yield _open(policy)
    except StoreUnavailable as error:
        complain(f"The audit cannot be read: {error.seen}")
        raise typer.Exit(1) from error


def _open(policy: Policy) -> AuditReader:
    try:
        return open_reader(audit_urls(policy.audit))
    except ValueError as error:
        complain(str(error))
        raise typer.Exit(2) from error


def _row(record: AuditRecord) -> tuple[str, ...]:
    who = record.client or record.username or record.certificate_subject
    time = record.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return (record.incident, time, record.outcome, record.check, record.operation, who, record.remote_addr)


def _print_record(record: AuditRecord) -> None:
    plain = record.as_dict()
    facts = [(key, str(plain[key])) for key in _FACTS if plain[key] not in ("", None)]
    print_table(f"Incident {record.incident}", ("Field", "Value"), facts)
    keys = ("check", "outcome", "expected", "seen", "setting")
    rows = [[entry.get(key, "") for key in keys] for entry in record.explanation]
    print_table("What was checked, in order", [key.capitalize() for key in keys], rows)
    if check := CHECKS.get(record.check):
        say(f"{check.name} demands {check.demands}.")
        if check.cause:
            say(f"  Usual cause: {check.cause}.")
        if check.cure:
            say(f"  Cure: {check.cure}.")
