"""Whether the guard has become dearer: ``python -m bench.regression``, or ``make bench-check``. See bench/README.md.

Compares what a guarded call costs, by a bare one, with what is recorded in bench/instructions.toml. Exit status 1:
something is dearer by more than its margin.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import machine
from bench.calling import quiet
from bench.counting import WAYS, Way, available
from bench.figures import BARE, OCTETS, Figures, calls, instructions, times
from bench.profiles import POLICIES, profiles

RECORD: Final = Path(__file__).with_name("instructions.toml")
WRITE: Final = "make bench-check WRITE=bench/instructions.toml"
MARGINS: Final[Mapping[str, Figures]] = {
    "instructions": {
        "UsernameToken + Timestamp": 0.05,
        "signed Body and Timestamp": 0.05,
        "signed and encrypted": 0.10,
    },
    "time": dict.fromkeys(POLICIES, 0.60),
    "calls": dict.fromkeys(POLICIES, 0.05),
}
"""Part by which a figure may be above the recorded one; bench/README.md has the reasons."""
UNITS: Final[Mapping[str, str]] = {
    "instructions": "of a guarded call, by those of a bare one",
    "time": "of the processor for a guarded call, by that for a bare one",
    "calls": "of functions of the guard, for one message",
}
ROUNDED: Final[Mapping[str, int]] = {"instructions": 3, "time": 2, "calls": 0}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A figure of one profile, and what it was when it was recorded."""

    figure: str
    """A key of MARGINS."""
    profile: str
    recorded: float
    measured: float

    @property
    def change(self) -> float:
        """Part by which it is above the recorded one."""
        return self.measured / self.recorded - 1

    @property
    def margin(self) -> float:
        """Part by which it may be above the recorded one."""
        return MARGINS[self.figure][self.profile]

    @property
    def dearer(self) -> bool:
        """By more than the margin."""
        return self.change > self.margin

    @property
    def cheaper(self) -> bool:
        """By more than the margin."""
        return self.change < -self.margin

    def __str__(self) -> str:
        verdict = "DEARER" if self.dearer else "cheaper" if self.cheaper else "ok"
        digits = ROUNDED[self.figure]
        return (
            f"{self.figure:<12} | {self.profile:<25} | {self.recorded:>8.{digits}f} | {self.measured:>8.{digits}f}"
            f" | {self.change:>+7.1%} | {self.margin:>+7.0%} | {verdict}"
        )


HEAD: Final = f"{'figure':<12} | {'profile':<25} | recorded | measured |  change |  margin\n"


def main(arguments: Sequence[str] | None = None, ways: Sequence[Way] = WAYS) -> None:
    """Measure, and compare or record; exit status 1 where something is dearer than it may be."""
    parser = argparse.ArgumentParser(prog="python -m bench.regression", description="Has the guard become dearer?")
    parser.add_argument("--record", type=Path, default=RECORD, metavar="FILE", help="to compare with")
    parser.add_argument("--write", type=Path, metavar="FILE", help="record there, and compare with nothing")
    asked = parser.parse_args(arguments)
    way = _chosen(ways)
    if asked.write is not None:
        asked.write.write_text("".join(_record(way)), encoding="utf-8")
        sys.stdout.write(f"recorded in {asked.write}\n")
        return
    recorded = tomllib.loads(asked.record.read_text(encoding="utf-8"))
    rows = compared(measure(way), recorded)
    sys.stdout.write("".join(_lines(rows, recorded["made"])))
    if any(row.dearer for row in rows):
        raise SystemExit(1)


def _chosen(ways: Sequence[Way]) -> Way | None:
    """The way to count, and a line that says which."""
    way, missing = available(ways)
    for name, reason in missing.items():
        sys.stdout.write(f"bench-check: not by {name}: {reason}\n")
    taken = f"instructions, counted by {way.name}" if way else "processor times, which takes a wide margin"
    sys.stdout.write(f"bench-check: by {taken}\n")
    return way


def measure(way: Way | None, *, everything: bool = False) -> dict[str, Figures]:
    """Each figure by profile: calls, and instructions where they can be counted, times where not.

    Args:
        way: to count; None: there is none.
        everything: times too where instructions can be counted.

    Raises:
        RuntimeError: what counts fails, or a message is refused.
    """
    figures: dict[str, Figures] = {}
    with quiet(), TemporaryDirectory() as directory, profiles(Path(directory)) as made:
        if way is not None:
            counted = instructions(way, made, Path(directory))
            bare = counted.pop(BARE)
            figures["instructions"] = {name: one / bare for name, one in counted.items()}
        if way is None or everything:
            figures["time"] = times(made)
        figures["calls"] = calls(made)
    return figures


# --- Comparing --------------------------------------------------------------------------------------------------------


def compared(measured: Mapping[str, Figures], recorded: Mapping[str, Figures]) -> list[Compared]:
    """Every figure that was measured, beside the recorded one.

    Raises:
        SystemExit: other profiles are recorded than were measured.
    """
    for name, figures in measured.items():
        if figures.keys() != recorded.get(name, {}).keys():
            raise SystemExit(f"bench-check: FAILED: {name}: other profiles are recorded than there are. Do: {WRITE}")
    return [
        Compared(figure=name, profile=profile, recorded=recorded[name][profile], measured=value)
        for name, figures in measured.items()
        for profile, value in figures.items()
    ]


def _lines(rows: Sequence[Compared], made: Mapping[str, str]) -> Iterator[str]:
    yield HEAD
    yield from (f"{row}\n" for row in rows)
    yield from _advice(rows, made)


def _advice(rows: Sequence[Compared], made: Mapping[str, str]) -> Iterator[str]:
    dearer = [row for row in rows if row.dearer]
    for row in dearer:
        yield f"bench-check: FAILED: {row.profile}: {row.figure} {UNITS[row.figure]}: {row.change:+.1%}\n"
    if dearer:
        yield from _elsewhere(made)
        yield f"Find what made it dearer (bench/README.md), or, if that is what it has to cost, record anew: {WRITE}\n"
    elif any(row.cheaper for row in rows):
        yield f"bench-check: passed. It is cheaper than recorded; record anew, so that it stays so: {WRITE}\n"
    else:
        yield "bench-check: passed\n"


def _elsewhere(made: Mapping[str, str]) -> Iterator[str]:
    """What is another version here than where it was recorded."""
    for name, version in machine.facts().items():
        if made.get(name) != version:
            yield f"{name} is {version} here; it was recorded with {made.get(name, 'none')}\n"


# --- Recording --------------------------------------------------------------------------------------------------------


def _record(way: Way | None) -> Iterator[str]:
    """
    Raises:
        SystemExit: nothing can be counted here.
    """
    if way is None:
        raise SystemExit("What cannot be counted is not recorded: install valgrind, and try again.")
    yield f"# What a guarded call costs. Written by: {WRITE}\n# What it is for: bench/README.md.\n"
    figures = measure(way, everything=True)
    yield from _section("made", "", {"by": way.name, "octets": str(OCTETS), **machine.facts()})
    for figure, values in figures.items():
        rounded = {profile: round(value, ROUNDED[figure] or None) for profile, value in values.items()}
        yield from _section(figure, UNITS[figure], rounded)


def _section(name: str, comment: str, values: Mapping[str, str | float]) -> Iterator[str]:
    yield f"\n[{name}]{f'  # {comment}' if comment else ''}\n"
    for key, value in values.items():
        yield f'"{key}" = ' + (f'"{value}"' if isinstance(value, str) else str(value)) + "\n"


if __name__ == "__main__":
    main()
