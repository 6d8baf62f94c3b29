"""Start the guarded club, send it good and bad messages, and show what came of each and what the audit says of it.

The service is a process of its own, with its databases in a temporary directory. Exit status 0: every message got the
verdict that ``attempts.py`` expects, under the check that it names; 1: one did not.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

import wsguard
from sample_service.application import CONFIG, SOURCES
from sample_service.attempts import ATTEMPTS, Attempt, Verdict
from sample_service.client import ClubClient, Exchange
from wsguard.audit import open_reader
from wsguard.interfaces import AuditReader, AuditRecord

PATIENCE: Final = 10
"""Seconds that the service may take to stop."""
WIDTH: Final = 150
"""Columns where the output is not a terminal."""


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
        """Whether audit and client both say what they should."""
        return self.verdict == self.attempt.verdict and self.attempt.answer in self.exchange.answer


def main() -> int:
    """Run the demo; the exit status."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    with TemporaryDirectory(prefix="wsguard-demo-") as name:
        directory = Path(name)
        with served(directory) as address:
            club = ClubClient(address)
            console.print(f"{address}?wsdl came through the guard; zeep found {', '.join(club.operations)}.\n")
            audit = open_reader(wsguard.load_policy(directory / CONFIG).audit.url)
            results = [send(attempt, club, audit) for attempt in ATTEMPTS]
        console.print(table_of(results), summary_of(audit.read(limit=len(results) * 2)))
    unexpected = [result for result in results if not result.is_expected]
    if unexpected:
        console.print(f"[bold red]{len(unexpected)} of {len(results)} messages were not treated as expected.")
        return 1
    console.print(f"[bold green]{len(results)} messages, each treated as expected.")
    return 0


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """The address of the club, served by another process until the end of the ``with``.

    Raises:
        RuntimeError: it did not start; with what it printed.
    """
    command = [sys.executable, "-m", "sample_service", "--port", "0", "--data", str(directory)]
    log = directory / "server.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=SOURCES.parent, text=True) as server,
    ):
        try:
            yield _address(server, log)
        finally:
            _stop(server)


def _address(server: subprocess.Popen[str], log: Path) -> str:
    assert server.stdout is not None
    words = server.stdout.readline().split()
    if not words:
        raise RuntimeError(f"the service did not start:\n{log.read_text('utf-8', 'replace')}")
    return words[-1]


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


def send(attempt: Attempt, club: ClubClient, audit: AuditReader) -> Result:
    """Make an attempt, and look up what the audit has of it."""
    exchange = attempt.send(club)
    return Result(attempt, exchange, record_of(exchange, audit))


def record_of(exchange: Exchange, audit: AuditReader) -> AuditRecord | None:
    """The record of an exchange: by the incident in the fault, or by the digest of what was sent where none came."""
    if exchange.incident:
        return audit.find(exchange.incident)
    records = audit.read(limit=1)
    return next((record for record in records if record.message_sha256 == exchange.sha256), None)


# --- What is shown ----------------------------------------------------------------------------------------------------


def table_of(results: Sequence[Result]) -> Table:
    """One row for each attempt."""
    table = Table("", "What was sent, and the answer", "Verdict", "What the audit says", show_lines=True)
    for number, result in enumerate(results, 1):
        sent = f"[bold]{escape(result.attempt.title)}[/]\n{escape(result.exchange.answer)}"
        table.add_row(str(number), sent, _verdict(result), _explained(result.record))
    return table


def _verdict(result: Result) -> str:
    seen = escape("\n".join(filter(None, result.verdict)))
    if result.is_expected:
        return f"[green]{seen}[/]"
    expected = escape("\n".join(filter(None, (*result.attempt.verdict, f"“{result.attempt.answer}”"))))
    return f"[red]{seen}[/]\nexpected:\n{expected}"


def _explained(record: AuditRecord | None) -> str:
    return "" if record is None else f"{record.incident}\n{escape(explanation_of(record))}"


def explanation_of(record: AuditRecord) -> str:
    """Why, in one line."""
    last = record.explanation[-1]
    if last["outcome"] == "refused":
        return f"{last['check']}: expected {last['expected']}; seen {last['seen']}"
    if last["outcome"] == "noted":
        return f"{last['check']}: {last['setting']} lets {last['seen']} pass"
    return f"passed: {', '.join(step['check'] for step in record.explanation)}; user {record.username}"


def summary_of(records: Sequence[AuditRecord]) -> Table:
    """How often each outcome and check was recorded."""
    table = Table("Outcome", "Check", "Messages", title="The audit")
    for (outcome, check), count in sorted(Counter((record.outcome, record.check) for record in records).items()):
        table.add_row(outcome, check, str(count))
    return table


if __name__ == "__main__":
    sys.exit(main())
