"""How far the time of a refusal tells its cause: ``python -m bench.decryption_timing --write docs/timing.md``.

Prints a table for each group of causes, and puts the tables between the marks of a page where one is named. What is
measured, and what it means, says docs/timing.md.
"""

import argparse
import logging
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from cryptography.hazmat.backends.openssl import backend

from bench import encrypted, users
from bench.measuring import Row, measure

BEGIN: Final = "<!-- measured: written by bench/decryption_timing.py -->\n"
END: Final = "<!-- end -->\n"
HEAD: Final = "| cause | median | 10 % | 90 % | difference to the first | longer |\n|---|---|---|---|---|---|\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.decryption_timing", description="Times of refusals.")
    parser.add_argument("--messages", type=int, default=1000, metavar="N", help="of each cause (1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the order (0)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for the tables")
    asked = parser.parse_args(arguments)
    if asked.messages < 2:
        parser.error("--messages is at least 2")
    page = None if asked.write is None else parts(asked.write.read_text(encoding="utf-8"))
    # A guard writes its refusals to standard error unless somebody else takes them.
    logging.getLogger("wsguard").addHandler(logging.NullHandler())
    with TemporaryDirectory() as directory:
        text = "\n".join(tables(Path(directory), asked.messages, asked.seed))
    sys.stdout.write(text)
    if page is not None:
        asked.write.write_text(f"{page[0]}{BEGIN}\n{text}\n{END}{page[1]}", encoding="utf-8")


def tables(directory: Path, messages: int, seed: int) -> Iterator[str]:
    """What was measured on, and the table of each group, in Markdown."""
    yield (
        f"{messages:,} messages of each cause. Python {platform.python_version()}, cryptography"
        f" {version('cryptography')} with {backend.openssl_version_text()}, lxml {version('lxml')},"
        f" xmlsec {version('xmlsec')}. Times in µs.\n"
    )
    random = Random(seed)  # noqa: S311 - the order of messages is no secret
    for group in (*encrypted.groups(directory), *users.groups(directory)):
        rows = measure(group, messages, random)
        yield f"### {group.title}\n\n{HEAD}" + "".join(_line(row, rows[0]) for row in rows)


def parts(page: str) -> tuple[str, str]:
    """What stands before and after the tables of a page.

    Raises:
        ValueError: it has no marks for them.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no line {BEGIN.strip()} with a line {END.strip()} after it in the page")
    return before, after


def _line(row: Row, first: Row) -> str:
    compared = "| | |"
    if row is not first:
        low, high = row.interval
        share = 100 * row.difference / first.median
        compared = f"| {row.difference:+.0f} ({low:+.0f} to {high:+.0f}), {share:+.1f} % | {100 * row.longer:.0f} % |"
    return f"| {row.cause.name} | {row.median:.0f} | {row.low:.0f} | {row.high:.0f} {compared}\n"


if __name__ == "__main__":
    main()
