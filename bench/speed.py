"""What the guard costs: ``python -m bench.speed``, or ``make bench``. How to read it: bench/README.md.

Prints tables of ratios, each from one interleaved run: guarded calls by bare ones, the engine by other verifiers, where
the time of a guarded call goes, how cost and memory grow with the message, and what a process pays for its start.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final
from wsgiref.types import WSGIApplication

from bench import machine
from bench.calling import prepared, quiet
from bench.growth import Growth, growth
from bench.orders import application, message
from bench.profiles import Profile, profiles
from bench.rivals import Verify, rivals
from bench.start import Start, starts
from bench.timing import Prepare, Times, interleaved
from bench.wss4j import Race, races
from tests.interop.java import REMEDY

BEGIN: Final = "<!-- measured: written by bench/speed.py -->\n"
END: Final = "<!-- end -->\n"
BARE: Final = "bare spyne"
SIZES: Final = (2000, 20_000)
GOALS: Final[Mapping[tuple[str, int], float]] = {
    ("UsernameToken + Timestamp", 2000): 1.00,
    ("UsernameToken + Timestamp", 20_000): 1.00,
    ("signed Body and Timestamp", 2000): 1.25,
    ("signed Body and Timestamp", 20_000): 1.10,
    ("signed and encrypted", 2000): 1.90,
    ("signed and encrypted", 20_000): 1.25,
}
"""Of a guarded call by a bare one, as the design has them."""
SIGNED: Final = "signed Body and Timestamp"


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    what: str
    octets: int
    """Of the bare message."""
    microseconds: float
    ratio: float
    """By the first row of its table."""
    goal: float | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, and write where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description="What the guard costs.")
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="of each row at 2 KB (200)")
    parser.add_argument("--largest", type=int, default=10_000_000, metavar="OCTETS", help="to grow to (10000000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for the tables")
    asked = parser.parse_args(arguments)
    if asked.rounds < 2:
        parser.error("--rounds is at least 2")
    with quiet():
        measured = measure(asked.rounds, asked.largest)
    text = json.dumps({**measured, "machine": machine.facts()}, default=asdict, indent=2) if asked.json else None
    page = "\n".join(markdown(measured))
    sys.stdout.write(text or page)
    if asked.write is not None:
        before, _, rest = asked.write.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        asked.write.write_text(f"{before}{BEGIN}\n{page}\n{END}{after}", encoding="utf-8")


def measure(
    rounds: int, largest: int
) -> dict[str, list[Row] | list[Growth] | list[Race] | list[Start] | dict[str, dict[str, float]]]:
    """Every table, by name."""
    random = Random(0)  # noqa: S311 - the order of rows is no secret
    with _workshop() as made:
        engine = [row for size in SIZES for row in _engine(made, size, _fewer(rounds, size), random)]
        return {
            "calls": [row for size in SIZES for row in _calls(made, size, _fewer(rounds, size), random)],
            "engine": engine,
            "races": _races(made, engine, rounds),
            "stages": {profile.name: _stages(profile, rounds) for profile in made},
            "growth": growth(made, largest),
            "starts": _starts(rounds),
        }


@contextmanager
def _workshop() -> Iterator[tuple[Profile, ...]]:
    with TemporaryDirectory() as directory, profiles(Path(directory)) as made:
        yield made


def _fewer(rounds: int, octets: int) -> int:
    return max(2, rounds if octets <= 2000 else rounds // 2)


# --- Calls ------------------------------------------------------------------------------------------------------------


def _calls(made: Iterable[Profile], octets: int, rounds: int, random: Random) -> Iterator[Row]:
    """A call of spyne with nothing before it, and by each guard."""
    plain, bare = message(octets), application()
    rows: dict[str, Prepare] = {BARE: partial(_call, bare, lambda: plain)}
    for profile in made:
        rows[profile.name] = partial(_call, profile.guard, partial(profile.message, plain))
    times = interleaved(rows, rounds, random)
    return _rows(times, octets, GOALS)


def _call(application: WSGIApplication, make: Callable[[], bytes]) -> Callable[[], None]:
    return prepared(application, make())


def _rows(times: Mapping[str, Times], octets: int, goals: Mapping[tuple[str, int], float]) -> Iterator[Row]:
    first = next(iter(times.values()))
    for name, taken in times.items():
        yield Row(name, octets, round(taken.median, 1), round(taken.ratio(first), 3), goals.get((name, octets)))


# --- The engine -------------------------------------------------------------------------------------------------------


def _engine(made: Iterable[Profile], octets: int, rounds: int, random: Random) -> Iterator[Row]:
    """The engine alone on each kind of message, and others on the signed one; by the first of those."""
    plain, kinds = message(octets), {profile.name: profile for profile in made}
    rows: dict[str, Prepare] = {
        name: partial(_verify, verify, partial(kinds[SIGNED].message, plain)) for name, verify in rivals().items()
    }
    for name, profile in kinds.items():
        rows[f"engine: {name}"] = partial(_verify, profile.judge, partial(profile.message, plain))
    return _rows(interleaved(rows, rounds, random), octets, {(f"engine: {SIGNED}", octets): 0.70})


def _verify(verify: Verify, make: Callable[[], bytes]) -> Callable[[], object]:
    return partial(verify, make())


def _races(made: Iterable[Profile], engine: Iterable[Row], rounds: int) -> list[Race]:
    """The engine and WSS4J at 2 KB."""
    ours = {row.what.removeprefix("engine: "): row.microseconds for row in engine if row.octets == SIZES[0]}
    return races(made, ours, SIZES[0], rounds)


def _stages(profile: Profile, rounds: int) -> dict[str, float]:
    """Median microseconds of each stage of the engine at 2 KB, in order."""
    plain, taken = message(SIZES[0]), []
    for _ in range(rounds):
        taken.append(profile.judge(profile.message(plain)).stages)
    return {stage: round(median(one[stage] for one in taken) * 1e6, 1) for stage in taken[-1]}


def _starts(rounds: int) -> list[Start]:
    with TemporaryDirectory() as directory:
        return starts(Path(directory), max(1, rounds // 20))


# --- Tables -----------------------------------------------------------------------------------------------------------


def markdown(measured: Mapping[str, object]) -> Iterator[str]:
    """The tables."""
    yield machine.line()
    yield "### A guarded call by a bare one\n\n| | message | µs | ratio | goal |\n|---|---|---|---|---|"
    yield from map(_line, measured["calls"])  # type: ignore[call-overload]
    yield "\n### The engine alone, by libxmlsec's full verification of the signed message\n"
    yield "| | message | µs | ratio | goal |\n|---|---|---|---|---|"
    yield from map(_line, measured["engine"])  # type: ignore[call-overload]
    yield "\n### The engine beside Apache WSS4J, at 2 KB\n"
    if measured["races"]:
        yield "| | engine, µs | WSS4J, µs | messages for one of WSS4J's | goal |\n|---|---|---|---|---|"
        yield from map(_race, measured["races"])  # type: ignore[call-overload]
    else:
        yield f"WSS4J is not here: {REMEDY}"
    yield "\n### Where the time of the engine goes, at 2 KB, in µs\n"
    stages: dict[str, dict[str, float]] = measured["stages"]  # type: ignore[assignment]
    names = list(dict.fromkeys(stage for one in stages.values() for stage in one))
    yield f"| | {' | '.join(names)} |\n|---|{'---|' * len(names)}"
    for profile, one in stages.items():
        yield f"| {profile} | {' | '.join(str(one.get(name, '')) for name in names)} |"
    yield "\n### How it grows\n"
    yield "| | message | engine, ms | ms a MB | memory above start, MB | times the message |\n|---|---|---|---|---|---|"
    for grown in measured["growth"]:  # type: ignore[attr-defined]
        yield (
            f"| {grown.what} | {grown.octets:,} | {grown.milliseconds:.1f} | {grown.per_megabyte:.1f} |"
            f" {grown.memory / 1e6:.0f} | {grown.memory / grown.octets:.1f} |"
        )
    yield "\n### A process before its first message\n\n| | seconds | goal |\n|---|---|---|"
    yield from map(_start, measured["starts"])  # type: ignore[call-overload]
    yield ""


def _start(start: Start) -> str:
    goal = "" if start.goal is None else f"< {start.goal} {'met' if start.seconds < start.goal else 'missed'}"
    return f"| {start.what} | {start.seconds:.2f} | {goal} |"


def _race(race: Race) -> str:
    goal = f"≥ {race.goal:.1f} {'met' if race.ratio >= race.goal else 'missed'}"
    return f"| {race.what} | {race.ours:.0f} | {race.theirs:.0f} | {race.ratio:.2f} | {goal} |"


def _line(row: Row) -> str:
    goal = "" if row.goal is None else f"≤ {row.goal:.2f} {'met' if row.ratio <= row.goal else 'missed'}"
    return f"| {row.what} | {row.octets // 1000} KB | {row.microseconds:.0f} | {row.ratio:.2f} | {goal} |"


if __name__ == "__main__":
    main()
