"""What a guarded service serves under load: ``python -m bench.load``, or ``make load``. How to read it: docs/load.md.

Each row is one interleaved run of two servers of the same kind, one bare and one guarded: they take turns of the same
length. Messages are signed and encrypted before a turn begins, and no two are the same.
"""

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench import machine
from bench.load_sending import CONNECTIONS, PROCESSES, Sent, send
from bench.load_servers import THREADS, WORKERS, Server, installed, running
from bench.orders import message
from bench.profiles import Profile, profiles

BEGIN: Final = "<!-- measured: written by bench/load.py -->\n"
END: Final = "<!-- end -->\n"
OCTETS: Final = 2000
"""Of a message, before it is secured."""
TURNS: Final = 8
"""Of each of the two servers in a row; the first is not counted."""
RECORDS: Final = ("rejected", "all")
LONG_SERVER: Final = "gunicorn gthread"
LONG_PROFILE: Final = 1


@dataclass(frozen=True)
class Side:
    """What one of the two servers did."""

    rate: float
    """Requests a second: the median over its turns."""
    p50: float
    """Milliseconds."""
    p99: float
    p999: float
    requests: int
    errors: dict[str, int]
    """HTTP status or kind of failure -> how many."""
    memory: list[int]
    """Octets of all workers: after the first turn, and at each quarter of the others."""


@dataclass(frozen=True)
class Row:
    """One interleaved run."""

    server: str
    profile: str
    record: str
    bare: Side
    guarded: Side


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, and write where that is asked for."""
    asked = _asked(arguments)
    with TemporaryDirectory() as directory, profiles(Path(directory)) as made:
        rows = [_row(each, asked.requests, Path(directory)) for each in _kinds(asked, made)]
        longest = _long(made, asked.long, Path(directory))
    measured = {"rows": rows, "long": longest}
    page = "\n".join(markdown(rows, longest))
    facts = {**measured, "machine": machine.facts()}
    sys.stdout.write(json.dumps(facts, default=asdict, indent=2) if asked.json else page)
    if asked.write is not None:
        before, _, rest = asked.write.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        asked.write.write_text(f"{before}{BEGIN}\n{page}\n{END}{after}", encoding="utf-8")


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="What a guarded service serves.")
    parser.add_argument("--requests", type=int, default=2_000, metavar="N", help="of each server in a row (2000)")
    parser.add_argument("--long", type=int, default=100_000, metavar="N", help="of each in the long row (100000)")
    parser.add_argument("--server", action="append", choices=installed(), help="several times: several; all of them")
    parser.add_argument("--profile", type=int, action="append", choices=range(3), help="by number; all of them")
    parser.add_argument("--record", action="append", choices=RECORDS, help="all of them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for the tables")
    asked = parser.parse_args(arguments)
    if min(asked.requests, asked.long) < TURNS:
        parser.error(f"at least {TURNS} requests")
    return asked


# --- Measuring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """What is measured in a row."""

    server: str
    profile: Profile
    number: int
    """Of the profile, and of the directory with its configuration."""
    record: str


def _kinds(asked: argparse.Namespace, made: Sequence[Profile]) -> Iterator[_Kind]:
    for server in asked.server or installed():
        for number in asked.profile or range(len(made)):
            for record in asked.record or RECORDS:
                yield _Kind(server, made[number], number, record)


def _long(made: Sequence[Profile], requests: int, directory: Path) -> Row:
    """Everything is signed, and everything is recorded."""
    return _row(_Kind(LONG_SERVER, made[LONG_PROFILE], LONG_PROFILE, "all"), requests, directory)


def _row(kind: _Kind, requests: int, directory: Path) -> Row:
    plain = message(OCTETS)
    sides: dict[str, tuple[Path | None, Callable[[], bytes]]] = {
        "bare": (None, lambda: plain),
        "guarded": (_config(kind, directory), partial(kind.profile.message, plain)),
    }
    with _servers(kind.server, {name: config for name, (config, _) in sides.items()}, directory) as servers:
        turns: dict[str, list[Sent]] = {name: [] for name in sides}
        memory: dict[str, list[int]] = {name: [] for name in sides}
        for turn in range(TURNS):
            for name, (_, make) in sides.items():
                turns[name].append(_turn(servers[name], make, requests // TURNS))
                if turn in _LOOKS:
                    memory[name].append(servers[name].memory())
    bare, guarded = (_side(turns[name], memory[name]) for name in sides)
    return Row(kind.server, kind.profile.name, kind.record, bare, guarded)


_LOOKS: Final = (0, 1, 3, 5, 7)
"""Turns after which memory is looked at."""
_SLICE: Final = 2_000
"""Messages that are made at once: they expire."""


def _turn(server: Server, make: Callable[[], bytes], count: int) -> Sent:
    total = send(server.port, make, min(count, _SLICE))
    seconds = total.ended - total.began
    for start in range(_SLICE, count, _SLICE):
        more = send(server.port, make, min(count - start, _SLICE))
        seconds += more.ended - more.began
        total.add(more)
    # What was made in between is no part of it.
    total.began, total.ended = 0.0, seconds
    return total


def _side(turns: Sequence[Sent], memory: list[int]) -> Side:
    counted = turns[1:]
    taken = sorted(seconds * 1000 for turn in counted for seconds in turn.taken) or [0.0]
    p50, p99, p999 = (taken[min(int(len(taken) * share), len(taken) - 1)] for share in (0.5, 0.99, 0.999))
    errors = sum((turn.errors for turn in turns), Counter[str]())
    requests = sum(len(turn.taken) for turn in turns)
    return Side(median(turn.rate for turn in counted), p50, p99, p999, requests, dict(errors), memory)


def _config(kind: _Kind, directory: Path) -> Path:
    """The configuration of the profile, with what is recorded."""
    file = directory / str(kind.number) / f"load-{kind.record}.toml"
    if not file.exists():
        text = file.with_name("wsguard.toml").read_text()
        file.write_text(f'{text}[audit]\nrecord = "{kind.record}"\n')
    return file


@contextmanager
def _servers(name: str, configs: dict[str, Path | None], directory: Path) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        yield {
            side: stack.enter_context(running(name, config, directory / f"{side}.log"))
            for side, config in configs.items()
        }


# --- Tables -----------------------------------------------------------------------------------------------------------


def markdown(rows: Sequence[Row], longest: Row) -> Iterator[str]:
    """The tables."""
    yield machine.line()
    yield f"{PROCESSES} processes with {CONNECTIONS} connections each send; {WORKERS} workers serve, where they"
    yield f"have threads with {THREADS} each. Messages are of 2 KB before they are secured.\n"
    yield "### Requests a second\n"
    yield "| server | profile | recorded | bare | guarded | guarded by bare | errors |\n|---|---|---|---|---|---|---|"
    for row in rows:
        share = row.guarded.rate / row.bare.rate
        yield f"{_name(row)} | {row.bare.rate:.0f} | {row.guarded.rate:.0f} | {share:.2f} | {_errors(row)} |"
    yield "\n### Milliseconds until the answer, bare / guarded\n"
    yield "| server | profile | recorded | p50 | p99 | p99.9 |\n|---|---|---|---|---|---|"
    for row in rows:
        pairs = zip(_times(row.bare), _times(row.guarded), strict=True)
        yield f"{_name(row)} | {' | '.join(f'{bare:.1f} / {guarded:.1f}' for bare, guarded in pairs)} |"
    yield from _memory(longest)
    yield ""


def _memory(row: Row) -> Iterator[str]:
    yield f"\n### Memory of the workers over {row.guarded.requests:,} requests to each server\n"
    yield f"{row.server}, {row.profile}, recorded: {row.record}; errors: {_errors(row)}.\n"
    looks = " | ".join(f"MB after {turn + 1}/{TURNS}" for turn in _LOOKS)
    yield f"| | requests a second | p50, ms | p99, ms | p99.9, ms | {looks} | KB a 1,000 requests |"
    yield f"|---|---|---|---|---|{'---|' * len(_LOOKS)}---|"
    for name, side in (("bare", row.bare), ("guarded", row.guarded)):
        times = " | ".join(f"{one:.1f}" for one in _times(side))
        megabytes = " | ".join(f"{octets / 1e6:.1f}" for octets in side.memory)
        # From a quarter on: what is loaded once is loaded, and caches are full.
        growth = (side.memory[-1] - side.memory[1]) / 1000 / (side.requests * 0.75 / 1000)
        yield f"| {name} | {side.rate:.0f} | {times} | {megabytes} | {growth:.2f} |"


def _name(row: Row) -> str:
    return f"| {row.server} | {row.profile} | {row.record}"


def _times(side: Side) -> tuple[float, float, float]:
    return side.p50, side.p99, side.p999


def _errors(row: Row) -> str:
    found = {**{f"bare {name}": n for name, n in row.bare.errors.items()}, **row.guarded.errors}
    return ", ".join(f"{name}: {count}" for name, count in sorted(found.items())) or "none"


if __name__ == "__main__":
    # Whoever ends this ends its servers too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    main()
