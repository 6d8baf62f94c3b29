"""``wsguard check --profile``: what a published list of demands says of a configuration."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

import typer

from wsguard.cli.screen import print_table, say
from wsguard.lint.stig import WHOLE, Row, Subject, stig_rows
from wsguard.policy import Policy
from wsguard.routing import Target

COLUMNS: Final = ("Rule", "Demands", "Service", "Status", "Settings", "Cure")


class Profile(StrEnum):
    """A published list of demands."""

    STIG = "stig"


ProfileOption = Annotated[
    Profile | None,
    typer.Option("--profile", help="Measure it by this too: stig, the DISA rules for WS-Security. Exit 1 if not met."),
]


def profile_rows(profile: Profile | None, policy: Policy, targets: Sequence[Target], today: date) -> list[Row]:
    """What each rule of ``profile`` says of each service; nothing without a profile."""
    if profile is None:
        return []
    subjects = [
        Subject(
            service=target.service or target.key,
            demands=target.demands,
            key=target.key,
            exemption=target.exemption,
        )
        for target in targets
    ]
    return stig_rows(policy, subjects, today)


def is_met(rows: Sequence[Row]) -> bool:
    """Whether nothing that is demanded is missing."""
    return all(row.status != "not met" for row in rows)


def profile_report(rows: Sequence[Row]) -> dict[str, object]:
    """What ``--json`` has more because of a profile."""
    return {"profile": {"met": is_met(rows), "rules": [asdict(row) for row in rows]}} if rows else {}


def print_profile(rows: Sequence[Row]) -> None:
    """Print a table, and how it ends; nothing without a profile."""
    if not rows:
        return
    print_table("What the STIG demands", COLUMNS, [_cells(row) for row in rows])
    missed = list(dict.fromkeys(row.id for row in rows if row.status == "not met"))
    say(f"Not met: {', '.join(missed)}: exit status 1." if missed else "Everything that applies is met.")


def _cells(row: Row) -> tuple[str, ...]:
    service = "all" if row.service == WHOLE else row.service or "whatever no service claims"
    return (f"{row.id}\n{row.category}", row.title, service, row.status, "\n".join(row.evidence), row.cure)
