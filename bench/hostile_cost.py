"""What the costliest messages cost: ``python -m bench.hostile_cost --write docs/limits.md``.

Prints a row for each message, and puts the costliest between the marks of a page where one is named.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import machine
from bench.hostile_stages import Cost, measure, stages

SIZES: Final = (100_000, 500_000, 2_000_000)
"""Octets; the last is what ``limits.body_bytes`` takes."""
BEGIN: Final = "<!-- measured: written by bench/hostile_cost.py -->\n"
END: Final = "<!-- end -->\n"
HEAD: Final = (
    "| message | made of | octets | verdict | ms for 100 KB | memory in MiB | times its size |\n"
    "|---|---|---|---|---|---|---|\n"
)


def rows(sizes: Sequence[int], directory: Path) -> Iterator[tuple[str, str, Cost]]:
    """Stage, shape and cost of each message."""
    for stage in stages(directory):
        for shape in stage.shapes:
            for size in sizes:
                yield stage.name, shape.name, measure(stage, shape, size)


def line(stage: str, shape: str, cost: Cost) -> str:
    """One row of the table."""
    what = f"`{shape}`" if set(shape) & set("<>&") else shape
    return (
        f"| {stage} | {what} | {cost.octets:,} | {cost.check} | {cost.milliseconds:.1f}"
        f" | {cost.memory / 2**20:.1f} | {cost.memory / cost.octets:.1f} |\n"
    )


def costliest(found: Sequence[tuple[str, str, Cost]]) -> Iterator[str]:
    """For each stage and size class the rows with the most time and the most memory."""
    for name in dict.fromkeys(stage for stage, _, _ in found):
        of_stage = [row for row in found if row[0] == name]
        dearest = sorted(of_stage, key=lambda row: -row[2].milliseconds)[:3]
        largest = sorted(of_stage, key=lambda row: -row[2].memory)[:3]
        for row in dict.fromkeys((*dearest, *largest)):
            yield line(*row)


def _around(page: str) -> tuple[str, str]:
    """What stands before and after the table of a page.

    Raises:
        ValueError: it has no marks for it.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no line {BEGIN.strip()} with a line {END.strip()} after it in the page")
    return before, after


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the costliest where that is asked for; exit status 1 where a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.hostile_cost", description="Costs of hostile messages.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="octets, about")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for the table")
    asked = parser.parse_args(arguments)
    page = None if asked.write is None else _around(asked.write.read_text(encoding="utf-8"))
    logging.getLogger("wsguard").addHandler(logging.NullHandler())
    found = []
    sys.stdout.write(HEAD)
    with TemporaryDirectory() as directory:
        for row in rows(asked.sizes, Path(directory)):
            found.append(row)
            sys.stdout.write(line(*row))
            sys.stdout.flush()
    if page is not None:
        measured = f"The costliest of {len(found)} messages. {machine.line()}\n"
        asked.write.write_text(
            f"{page[0]}{BEGIN}\n{measured}{HEAD}{''.join(costliest(found))}\n{END}{page[1]}", "utf-8"
        )
    broken = [line(*row) for row in found if row[2].too_much]
    sys.stdout.write(f"\n{len(broken)} of {len(found)} cost more than promised\n{''.join(broken)}")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
