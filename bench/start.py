"""What a process pays before its first message: interleaved, each in an interpreter of its own."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Final

CONFIG: Final = """
[users]
url = "toml:users.toml"
[replay]
url = "sqlite:///replay.db"
[audit]
url = "sqlite:///audit.db"
"""
USERS: Final = 'alice = "a-long-secret"\n'
PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "an interpreter": "",
        "import sqlalchemy, which the audit in SQLite is kept by": "import sqlalchemy",
        "import wsguard": "import wsguard",
        "a guard with users in TOML, replay and audit in SQLite": (
            "import wsguard; wsguard.guard(lambda environ, start: [], 'wsguard.toml')"
        ),
    }
)
"""What is timed, and the program."""
GOAL: Final = 0.5
"""Seconds, of the last one."""
_CLOCK: Final = "; import time, sys; sys.stdout.write(str(time.process_time()))"


@dataclass(frozen=True)
class Start:
    """Processor time of one program, its interpreter with it."""

    what: str
    seconds: float
    goal: float | None = None


def starts(directory: Path, rounds: int) -> list[Start]:
    """Each program in turn, ``rounds`` times: medians.

    Args:
        directory: an empty one; a configuration and its stores come into it.
        rounds: at least one.
    """
    (directory / "wsguard.toml").write_text(CONFIG, encoding="utf-8")
    users = directory / "users.toml"
    users.touch(mode=0o600)
    users.write_text(USERS, encoding="utf-8")
    taken: dict[str, list[float]] = {what: [] for what in PARTS}
    for _ in range(rounds):
        for what, program in PARTS.items():
            taken[what].append(_run(program, directory))
    last = list(PARTS)[-1]
    return [Start(what, round(median(times), 3), GOAL if what == last else None) for what, times in taken.items()]


def _run(program: str, directory: Path) -> float:
    command = [sys.executable, "-c", (program or "pass") + _CLOCK]
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout)
