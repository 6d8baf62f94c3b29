"""What the demo shows: a row for each message, and what the audit counts."""

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.markup import escape
from rich.table import Column, Table

from sample_service.client import Exchange
from sample_service.verdicts import Attempt, Verdict
from wsguard.interfaces import AuditRecord

ANSWER: Final = 95
"""Characters of an answer that are shown."""
INCIDENT: Final = 8
"""Characters of an incident that are shown: the last ones, for it begins with the time."""


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt and what came of it."""

    attempt: Attempt
    exchange: Exchange
    record: AuditRecord | None

    @property
    def verdict(self) -> Verdict:
        """What the audit says."""
        return Verdict("not recorded", "") if self.record is None else Verdict(self.record.outcome, self.record.check)

    @property
    def is_expected(self) -> bool:
        """Whether audit and client both say what they should: an incident to the client, where it was refused."""
        is_answered = self.attempt.answer in self.exchange.answer
        is_refused = bool(self.exchange.incident)
        return (
            self.verdict == self.attempt.verdict and is_answered and is_refused == (self.verdict.outcome == "rejected")
        )


def table_of(results: Sequence[Result]) -> Table:
    """One row for each attempt."""
    # In this proportion the longest names of checks and faults stay whole down to 100 columns.
    columns = (
        Column("What was sent", ratio=6),
        Column("Answer", ratio=7),
        Column("Incident", no_wrap=True),
        Column("What the audit says", ratio=10),
    )
    table = Table("", *columns, "", caption="✓ as expected, ✗ not", show_lines=True, expand=True)
    for number, result in enumerate(results, 1):
        table.add_row(
            str(number),
            escape(result.attempt.title),
            escape(_in_short(result.exchange.answer)),
            "" if result.record is None else f"…{result.record.incident[-INCIDENT:]}",
            _audit(result),
            "[green]✓[/]" if result.is_expected else "[bold red]✗[/]",
        )
    return table


def _in_short(answer: str) -> str:
    """Without the prefix of a fault's code, and cut."""
    return textwrap.shorten(re.sub(r"^\w+:(?=[A-Z])", "", answer), ANSWER, placeholder=" …")


def _audit(result: Result) -> str:
    said = "not recorded" if result.record is None else explanation_of(result.record)
    if result.is_expected:
        return escape(said)
    expected = " ".join(filter(None, result.attempt.verdict))
    return f"{escape(said)}\n[red]expected: {escape(expected)}, and “{escape(result.attempt.answer)}” for an answer[/]"


def explanation_of(record: AuditRecord) -> str:
    """The outcome, and why, in one line."""
    last = record.explanation[-1]
    if last["outcome"] == "refused":
        return f"{record.outcome}: {last['check']}: expected {last['expected']}; seen {last['seen']}"
    if record.outcome == "exempt":
        return f"{record.outcome}: {last['setting']} lets {last['seen']} pass"
    who = record.username or record.certificate_subject
    if record.check:
        needed = [step for step in record.explanation if (step["check"], step["outcome"]) == (record.check, "noted")]
        said = "; ".join(f"{step['seen']}, {step['setting']}" for step in needed)
        return f"{record.outcome}: {who}; {record.check}: {said}"
    return f"{record.outcome}: {who} passed {', '.join(step['check'] for step in record.explanation)}"


def summary_of(records: Sequence[AuditRecord]) -> Table:
    """How often each outcome and check was recorded."""
    table = Table("Outcome", "Check", "Messages", title=f"The audit of {len(records)} messages")
    for (outcome, check), count in sorted(Counter((record.outcome, record.check) for record in records).items()):
        table.add_row(outcome, check, str(count))
    return table
