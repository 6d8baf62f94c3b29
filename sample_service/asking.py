"""What an operator asks the ``wsguard`` command afterwards: why was this message refused, and what goes on at all?

Each is a process of its own, as at a prompt.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from sample_service.application import CONFIG, SOURCES
from sample_service.demo_report import Result
from sample_service.verdicts import rejected

EXPLAINED: Final = rejected("timestamp.expired")
"""The verdict on the message that is explained."""
TIMEOUT: Final = 60.0
"""Seconds that a command may take."""
_COMMAND: Final = (sys.executable, "-c", "from wsguard.cli import main; main()")
"""What the console script does, which is not on everybody's path."""
_APPLICATION: Final = "sample_service.wsgi:application"


@dataclass(frozen=True, slots=True)
class Question:
    """A command and what came of it."""

    heading: str
    line: str
    """As somebody would type it."""
    said: str
    is_expected: bool


def explain(results: list[Result], directory: Path, console: Console) -> Question:
    """Ask ``wsguard explain`` for the first message that got the verdict ``EXPLAINED``, as at the time of it."""
    heading = f"Why was a message refused? The guard says it again of the captured body, for {EXPLAINED.check}:"
    line = "wsguard explain wsguard.toml captured.xml --at TIME --app sample_service.wsgi:application"
    found = next((result for result in results if result.verdict == EXPLAINED), None)
    if found is None or found.record is None:
        return Question(heading, line, "There is no such message.", is_expected=False)
    captured = directory / "captured.xml"
    captured.write_bytes(found.exchange.octets)
    at = found.record.time.isoformat()
    status, said = _ask(directory, console, "explain", CONFIG, captured.name, "--at", at, "--app", _APPLICATION)
    # A command that breaks down ends with 1 too, so what it says counts.
    return Question(heading, line, said, status == 1 and f"Refused by {EXPLAINED.check}." in said)


def stats(directory: Path, console: Console) -> Question:
    """Ask ``wsguard audit stats`` for the last minutes."""
    status, said = _ask(directory, console, "audit", "stats", CONFIG, "--since", "2m")
    line = "wsguard audit stats wsguard.toml --since 2m"
    return Question("What goes on? The audit as a picture:", line, said, status == 0 and "Refusals over time" in said)


def show(question: Question, console: Console) -> None:
    """Print a question and its answer."""
    console.print(f"\n[bold]{question.heading}[/]", highlight=False)
    console.print(Text(f"$ {question.line}", style="dim"))
    console.print(Text.from_ansi(question.said))
    if not question.is_expected:
        console.print("[bold red]✗ That is not what the command should say.")


def _ask(directory: Path, console: Console, *arguments: str) -> tuple[int, str]:
    """Exit status, and everything that was printed, as wide and as colourful as ``console``."""
    try:
        done = subprocess.run(
            (*_COMMAND, *arguments),
            cwd=directory,
            env=_environment(directory, console),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return -1, f"It took more than {TIMEOUT:g} seconds."
    return done.returncode, (done.stdout + done.stderr).rstrip()


def _environment(directory: Path, console: Console) -> Mapping[str, str]:
    paths = filter(None, (str(SOURCES.parent), os.environ.get("PYTHONPATH")))
    colours = {"FORCE_COLOR": "1"} if console.is_terminal else {}
    return {
        **os.environ,
        **colours,
        "COLUMNS": str(console.width),
        "PYTHONIOENCODING": "utf-8" if console.encoding.startswith("utf") else f"{console.encoding}:replace",
        "PYTHONPATH": os.pathsep.join(paths),
        "SAMPLE_SERVICE_DATA": str(directory),
    }
