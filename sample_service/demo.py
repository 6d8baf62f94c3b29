"""Start the guarded club, send it good and bad messages, and show what came of each and what the audit says of it.

The service is a process of its own, with its databases in a temporary directory; both are gone afterwards, whatever
ends the demo. At the end the ``wsguard`` command explains one refusal and draws the audit. Exit status 0: every message
got the verdict that ``attempts.py`` expects, under the check that it names, and the commands did what they should; 1:
one did not, or the service failed.
"""

import io
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

from requests import RequestException
from rich.console import Console
from rich.text import Text

import wsguard
from sample_service import asking
from sample_service.application import CERTIFICATES, CONFIG, SOURCES
from sample_service.attempts import ATTEMPTS
from sample_service.client import ClubClient, Exchange
from sample_service.demo_report import Result, summary_of, table_of
from sample_service.verdicts import Attempt
from wsguard.audit import open_reader
from wsguard.interfaces import AuditReader, AuditRecord

START: Final = 60.0
"""Seconds that the service may take to start."""
STOP: Final = 10.0
"""Seconds that the service may take to stop."""
WIDTH: Final = 160
"""Columns where the output is not a terminal."""


class ServiceFailed(RuntimeError):
    """The service did not start, or does not answer; with what it printed."""


def main() -> int:
    """Run the demo; the exit status.

    Raises:
        ServiceFailed: there was nothing to send messages to.
    """
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    with TemporaryDirectory(prefix="wsguard-demo-") as name:
        directory = Path(name)
        with served(directory) as address, closing(ClubClient(address, directory / CERTIFICATES)) as club:
            console.print(f"{address}?wsdl came through the guard; zeep found {', '.join(club.operations)}.\n")
            audit = open_reader(wsguard.load_policy(directory / CONFIG).audit.url)
            results = [send(attempt, club, audit) for attempt in ATTEMPTS]
        console.print(table_of(results), summary_of(audit.read(limit=len(results) * 2)))
        questions = (asking.explain(results, directory, console), asking.stats(directory, console))
    for question in questions:
        asking.show(question, console)
    unexpected = [result for result in results if not result.is_expected]
    if unexpected:
        console.print(f"[bold red]{len(unexpected)} of {len(results)} messages were not treated as expected.")
    failed = [question.line for question in questions if not question.is_expected]
    if failed:
        console.print(Text(f"Failed: {'; '.join(failed)}", style="bold red"))
    if unexpected or failed:
        return 1
    console.print(f"[bold green]{len(results)} messages, each treated as expected.")
    return 0


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """The address of the club, served by another process until the end of the ``with``.

    Raises:
        ServiceFailed: it did not start in time, or stopped answering.
    """
    command = [sys.executable, "-m", "sample_service", "--port", "0", "--data", str(directory)]
    said, log = directory / "server.out", directory / "server.log"
    with (
        said.open("wb") as output,
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=output, stderr=errors, cwd=SOURCES.parent) as server,
    ):
        try:
            yield _address(server, said)
        except (RequestException, TimeoutError) as error:
            raise ServiceFailed(f"{error}\nThe service said:\n{log.read_text('utf-8', 'replace')}") from error
        finally:
            _stop(server)


def _address(server: subprocess.Popen[bytes], said: Path) -> str:
    deadline = time.monotonic() + START
    while server.poll() is None and time.monotonic() < deadline:
        line = said.read_text("utf-8")
        if line.endswith("\n"):
            return line.split()[-1]
        time.sleep(0.02)
    raise TimeoutError("the service did not start")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP)
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


def run() -> int:
    """``main`` as a program: signals and a service that fails end it in order, and no traceback is shown."""
    signal.signal(signal.SIGTERM, _leave)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Where an old encoding cannot say a name, the demo still can say its verdict.
        sys.stdout.reconfigure(errors="replace")
    try:
        return main()
    except ServiceFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _leave(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(run())
