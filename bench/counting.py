"""How many instructions of its own a program takes, by perf or by valgrind, whichever this machine has."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

PATIENCE: Final = 300
"""Seconds that a counted program may take before something is wrong; valgrind needs some twenty."""
ENVIRONMENT: Final[Mapping[str, str]] = {
    # Sets are in the same order each time.
    "PYTHONHASHSEED": "0",
    # Numbers have points.
    "LC_ALL": "C",
    # OpenSSL calculates alike on every x86-64 with AVX2: of the features of CPUID's leaf 7 it uses BMI1, AVX2 and BMI2.
    "OPENSSL_ia32cap": ":~0xfffffffffffffed7:0:0:0",
}
"""Of what is counted."""
_ROOT: Final = Path(__file__).parents[1]
_EVENT: Final = "instructions:u"


@dataclass(frozen=True, kw_only=True)
class Way:
    """A tool that counts."""

    name: str
    few: int
    many: int
    """Messages of two runs: what one message takes is a part of the difference, so that start-up is in neither."""
    missing: Callable[[], str]
    """Why it cannot be had here; empty where it can."""
    count: Callable[[Sequence[str], Sequence[str]], dict[str, int]]
    """Instructions of each named run of a program (its arguments to Python), with the start of the program.

    Raises RuntimeError where the program or the tool fails.
    """


def available(ways: Sequence[Way]) -> tuple[Way | None, Mapping[str, str]]:
    """The first way that can be gone here, and why each one before it cannot."""
    reasons: dict[str, str] = {}
    for way in ways:
        reason = way.missing()
        if not reason:
            return way, reasons
        reasons[way.name] = reason
    return None, reasons


def finished(command: Sequence[str]) -> str:
    """What a command wrote to stdout.

    Raises:
        RuntimeError: it failed, or was not done in time.
    """
    environment = {**os.environ, **ENVIRONMENT}
    try:
        done = subprocess.run(  # noqa: S603 - commands of this directory
            command, check=False, capture_output=True, text=True, timeout=PATIENCE, cwd=_ROOT, env=environment
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not done in {PATIENCE} s: {' '.join(command)}") from None
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done.stdout


# --- perf -------------------------------------------------------------------------------------------------------------


def _perf_missing() -> str:
    """Why perf cannot count: it is not there, the kernel does not let it, or the processor has no counters."""
    if shutil.which("perf") is None:
        return "it is not installed"
    try:
        with TemporaryDirectory() as directory:
            _perf(["-c", ""], [], Path(directory, "probe"))
    except RuntimeError as error:
        return f"it counts nothing here: {str(error).strip().splitlines()[-1]}"
    return ""


def _perf_count(program: Sequence[str], runs: Sequence[str]) -> dict[str, int]:
    with TemporaryDirectory() as directory:
        return {run: _perf(program, [run], Path(directory, "counted")) for run in runs}


def _perf(program: Sequence[str], runs: Sequence[str], output: Path) -> int:
    command = ["perf", "stat", "-e", _EVENT, "-x", ",", "-o", str(output), "--", sys.executable, *program, *runs]
    finished(command)
    # perf-stat(1), CSV FORMAT: value, unit, event. A processor with two kinds of cores has a line for each.
    lines = [line.split(",") for line in output.read_text().splitlines() if "instructions" in line]
    counted = [int(line[0]) for line in lines if line[0].isdecimal()]
    if not sum(counted):
        raise RuntimeError(f"perf stat says {', '.join(line[0] for line in lines) or 'nothing'} of {_EVENT}")
    return sum(counted)


# --- valgrind ---------------------------------------------------------------------------------------------------------


def _valgrind_missing() -> str:
    if shutil.which("valgrind") is None:
        return "it is not installed"
    try:
        finished(["valgrind", "--tool=cachegrind", "--version"])
    except RuntimeError as error:
        return f"it does not run here: {str(error).strip().splitlines()[-1]}"
    return ""


def _valgrind_count(program: Sequence[str], runs: Sequence[str]) -> dict[str, int]:
    with TemporaryDirectory() as directory:
        options = ["--quiet", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={directory}/%p"]
        printed = finished(["valgrind", *options, sys.executable, *program, *runs])
        processes = (line.split(" ", 1) for line in printed.splitlines())
        return {run: _summary(Path(directory, process)) for process, run in processes}


def _summary(file: Path) -> int:
    """Of a process; one that was forked has what its parent had till then in it."""
    with file.open() as lines:
        found = next((line for line in lines if line.startswith("summary:")), None)
    if found is None:
        raise RuntimeError(f"valgrind wrote no summary of process {file.name}")
    return int(found.split()[1])


# The replay store purges at every fiftieth message, so that differences are of multiples of fifty.
PERF: Final = Way(name="perf stat", few=50, many=350, missing=_perf_missing, count=_perf_count)
# Callgrind counts the same, in three times the time.
VALGRIND: Final = Way(name="valgrind", few=10, many=60, missing=_valgrind_missing, count=_valgrind_count)
WAYS: Final = (PERF, VALGRIND)
