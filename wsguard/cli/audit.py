"""``wsguard audit``: read what was recorded."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from wsguard.audit.entries import StoredAudit
from wsguard.checks import CHECKS
from wsguard.cli.arguments import CONFIG_VARIABLE, Config, Json
from wsguard.cli.audit_keeping import export, purge, verify
from wsguard.cli.audit_reading import (
    Check,
    Client,
    OneOutcome,
    Service,
    Since,
    Until,
    Username,
    asked,
    open_audit_reader,
)
from wsguard.cli.audit_stats import stats
from wsguard.cli.moments import Utc, shown, since_when, zone
from wsguard.cli.screen import complain, print_json, print_table, printable, say
from wsguard.interfaces import AuditFilter, AuditRecord

__all__ = ["application", "open_audit_reader", "print_explanation", "print_record", "since_when"]

application = typer.Typer(name="audit", help="Read the audit.", no_args_is_help=True, pretty_exceptions_enable=False)

_FACTS: Final = (
    "outcome", "check", "fault", "time", "service", "operation", "soap_version", "client", "username",
    "certificate_subject", "certificate_sha256", "remote_addr", "path", "message_sha256", "message_bytes",
    "duration_ms", "clock_skew_s",
)  # fmt: skip

_SECONDS_BETWEEN_LOOKS: Final = 1.0
_LATE: Final = timedelta(minutes=10)
"""How long after its time a record may be written and is still followed."""


@application.command("list")
def list_records(
    config: Config,
    since: Since = "",
    until: Until = "",
    check: Check = "",
    outcome: OneOutcome = None,
    client: Client = "",
    service: Service = "",
    username: Username = "",
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 100,
    utc: Utc = False,
    as_json: Json = False,
) -> None:
    """List the newest records, newest first."""
    which = asked(since, until, check, outcome, client, service, username, utc=utc)
    with open_audit_reader(config) as reader:
        records = reader.read(limit=limit, **which)
    if as_json:
        print_json([record.as_dict() for record in records])
    elif records:
        columns = ("Incident", f"Time ({zone(utc=utc)})", "Outcome", "Check", "Operation", "Who", "From")
        print_table(f"{len(records)} records", columns, [_row(record, utc) for record in records])
    else:
        say("No record fits.")


@application.command("show")
def show(
    arguments: Annotated[
        list[str], typer.Argument(metavar="[CONFIG] INCIDENT", help=f"CONFIG may stand in {CONFIG_VARIABLE}.")
    ],
    utc: Utc = False,
    as_json: Json = False,
) -> None:
    """Show one record whole, with every check and the cure of the one that refused."""
    config, incident = _config_and_incident(arguments)
    with open_audit_reader(config) as reader:
        record = reader.find(incident)
    if record is None:
        complain(f"There is no record of incident {incident}.")
        raise typer.Exit(1)
    if as_json:
        print_json(record.as_dict())
    else:
        print_record(record, utc=utc)


@application.command("tail")
def tail(
    config: Config,
    check: Check = "",
    outcome: OneOutcome = None,
    client: Client = "",
    service: Service = "",
    username: Username = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many older ones first.")] = 10,
    follow: Annotated[bool, typer.Option(help="Wait for further ones, until interrupted.")] = True,
    utc: Utc = False,
    as_json: Json = False,
) -> None:
    """Print the last records, oldest first and a line each, and then every new one."""
    which = asked("", "", check, outcome, client, service, username, utc=utc)
    try:
        with open_audit_reader(config) as reader:
            for record in _followed(reader, which, lines, follow):
                say(json.dumps(record.as_dict()) if as_json else _line(record, utc))
    except KeyboardInterrupt:
        return


application.command("stats")(stats)
application.command("verify")(verify)
application.command("purge")(purge)
application.command("export")(export)


def print_record(record: AuditRecord, *, utc: bool = False) -> None:
    """Print a record for people: its facts, and every check with the cure of the one that refused."""
    plain = record.as_dict() | {"time": f"{shown(record.time, utc=utc)} {zone(utc=utc)}"}
    facts = [(key, str(plain[key])) for key in _FACTS if plain[key] not in ("", None)]
    if record.writer:
        facts.append(("entry", f"{record.seq} of writer {record.writer}"))
    print_table(f"Incident {record.incident}", ("Field", "Value"), facts)
    print_explanation(record.explanation, record.check)


def print_explanation(explanation: Iterable[dict[str, str]], refused: str) -> None:
    """Print what was checked, and the cure of check ``refused`` where there is one."""
    keys = ("check", "outcome", "expected", "seen", "setting")
    rows = [[entry.get(key, "") for key in keys] for entry in explanation]
    print_table("What was checked, in order", [key.capitalize() for key in keys], rows)
    if check := CHECKS.get(refused):
        say(f"{check.name} demands {check.demands}.")
        if check.cause:
            say(f"  Usual cause: {check.cause}.")
        if check.cure:
            say(f"  Cure: {check.cure}.")


def _config_and_incident(arguments: list[str]) -> tuple[Path, str]:
    if len(arguments) == 2:
        return Path(arguments[0]), arguments[1]
    config = os.environ.get(CONFIG_VARIABLE)
    if len(arguments) != 1 or not config:
        raise typer.BadParameter(f"CONFIG (or {CONFIG_VARIABLE}) and one INCIDENT are expected")
    return Path(config), arguments[0]


def _followed(reader: StoredAudit, which: AuditFilter, lines: int, follow: bool) -> Iterator[AuditRecord]:
    """The last ``lines`` records that fit, oldest first; then, if ``follow``, each that is written, without end."""
    recent = AuditFilter(**{**which, "since": datetime.now(UTC) - _LATE})
    known = [record.incident for record in reader.scan(**recent)]
    yield from reversed(reader.read(limit=lines, **which))
    while follow:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        recent["since"] = datetime.now(UTC) - _LATE
        found = list(reader.scan(**recent))
        yield from (record for record in reversed(found) if record.incident not in known)
        known = [record.incident for record in found]


def _row(record: AuditRecord, utc: bool) -> tuple[str, ...]:
    who = record.client or record.username or record.certificate_subject
    moment = shown(record.time, utc=utc)
    return (record.incident, moment, record.outcome, record.check, record.operation, who, record.remote_addr)


def _line(record: AuditRecord, utc: bool) -> str:
    """The record in one line, whatever it says."""
    return printable("  ".join(filter(None, _row(record, utc)[1:])), kept="")
