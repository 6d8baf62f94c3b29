"""``wsguard audit verify``, ``purge`` and ``export``."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from wsguard.audit import open_reader, purge_audit
from wsguard.audit.verification import MEANINGS, Finding, Verification, WriterReport
from wsguard.audit.verification import verify as verify_entries
from wsguard.cli.arguments import Config, Json
from wsguard.cli.audit_reading import (
    Check,
    Client,
    OneOutcome,
    Service,
    Since,
    Until,
    Username,
    asked,
    audit_section,
    open_audit_reader,
    said_in_words,
)
from wsguard.cli.moments import Utc, shown, since_when, zone
from wsguard.cli.screen import complain, print_json, print_table, say
from wsguard.opening import audit_key, audit_retention, audit_urls

_FINDINGS: Final = 20
"""Printed for people; --json has all."""


# --- verify -----------------------------------------------------------------------------------------------------------


def verify(
    config: Config,
    file: Annotated[Path | None, typer.Option(help="A rotated file of JSON lines instead.")] = None,
    utc: Utc = False,
    as_json: Json = False,
) -> None:
    """Verify the chains of the audit: exit 0 they hold, 1 they do not."""
    section = audit_section(config)
    with said_in_words():
        urls = audit_urls(section) if file is None else (f"jsonl:{file}",)
        done = verify_entries(open_reader(urls).entries(), audit_key(section))
    if as_json:
        print_json({"ok": done.holds, **asdict(done)})
    else:
        _print(done, utc, keyed=bool(section.key_env))
    if not done.holds:
        raise typer.Exit(1)


def _print(done: Verification, utc: bool, *, keyed: bool) -> None:
    where = f"({zone(utc=utc)})"
    columns = ("Writer", "Entries", "Numbers", f"From {where}", f"To {where}", "Purged", "Missing", "End", "Verdict")
    rows = [_row(report, utc) for report in done.writers]
    print_table(f"{done.entries} entries of {len(rows)} writers", columns, rows, lines=False)
    _print_findings(done)
    if done.unchained:
        say(f"{done.unchained} records of releases before 0.2 stand outside of any chain: nothing is known of them.")
    if not keyed:
        say("There is no audit.key_env: whoever can write to the audit can make its chains anew.")
    if done.entries and all(len(report.findings) >= report.entries for report in done.writers) and done.writers:
        say("No entry at all has the mac that it should: was the key another one then?")
    say("The chains hold." if done.holds else "The chains do not hold: exit status 1.")


def _row(report: WriterReport, utc: bool) -> tuple[str, ...]:
    numbers = f"{report.first_seq}-{report.last_seq}" if report.entries else ""
    times = (_time(text, utc) for text in (report.first_time, report.last_time))
    end = "closed" if report.closed else "open"
    verdict = "failed" if report.findings else "fine"
    return (
        report.writer, str(report.entries), numbers, *times, str(report.purged), str(report.missing), end, verdict,
    )  # fmt: skip


def _time(text: str, utc: bool) -> str:
    try:
        return shown(datetime.fromisoformat(text), utc=utc)
    except ValueError:
        return ""


def _print_findings(done: Verification) -> None:
    found = [(report.writer, finding) for report in done.writers for finding in report.findings]
    found = [*(("", finding) for finding in done.findings), *found]
    if not found:
        return
    rows = [(writer, _numbers(finding), finding.place, MEANINGS[finding.flaw]) for writer, finding in found]
    title = f"{len(found)} findings" + (f", of which {_FINDINGS} are shown" if len(found) > _FINDINGS else "")
    print_table(title, ("Writer", "Entry", "Where", "What"), rows[:_FINDINGS], lines=False)


def _numbers(finding: Finding) -> str:
    if finding.first == finding.last:
        return str(finding.first or "")
    return f"{finding.first}-{finding.last}"


# --- purge ------------------------------------------------------------------------------------------------------------


def purge(
    config: Config,
    older_than: Annotated[
        str, typer.Option(help="90d, 12h or a time in ISO 8601; otherwise audit.retention_days.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    utc: Utc = False,
) -> None:
    """Remove old records from a database, after a checkpoint that keeps the rest verifiable."""
    section, now = audit_section(config), datetime.now(UTC)
    before = (
        since_when(older_than, now, utc=utc, option="--older-than") if older_than else now - audit_retention(section)
    )
    with said_in_words("purged"):
        urls, key = audit_urls(section), audit_key(section)
        moment = f"{shown(before, utc=utc)} {zone(utc=utc)}"
        if not yes:
            typer.confirm(f"Remove every record before {moment}?", abort=True)
        removed = purge_audit(urls, before, key)
    say(f"{removed} entries before {moment} were removed.")


# --- export -----------------------------------------------------------------------------------------------------------


def export(
    config: Config,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A new file; otherwise standard output.")
    ] = None,
    since: Since = "",
    until: Until = "",
    check: Check = "",
    outcome: OneOutcome = None,
    client: Client = "",
    service: Service = "",
    username: Username = "",
    utc: Utc = False,
) -> None:
    """Write records as JSON lines, in the order of writing."""
    which = asked(since, until, check, outcome, client, service, username, utc=utc)
    count = 0
    with open_audit_reader(config) as reader, _opened(output) as file:
        for record in reader.scan(oldest_first=True, **which):
            count += 1
            typer.echo(json.dumps(record.as_dict()), file=file)
    if output is not None:
        say(f"{count} records were written to {output}.")


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO | None]:
    if output is None:
        yield None
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        complain(f"{output}: cannot be written: {error.strerror}")
        raise typer.Exit(2) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        yield file
