"""Change the modules that check, one small thing at a time, and see that a test notices: ``make mutants`` runs this.

``python -m mutation [--subject NAME] [--write docs/mutants.md]``. Prints a table of all subjects that were ever run in
the directory. Exit status 1 where a mutant of what was run survived and is not argued away, or a reason is about none.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from mutation.argued import LIST, argued, as_entry
from mutation.report import Tally, table, tally, write
from mutation.results import mutants
from mutation.subjects import SUBJECTS
from mutation.workspace import run

SURVIVORS = "survivors.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m mutation", description="Mutation testing of what checks.")
    parser.add_argument(
        "--subject", action="append", choices=SUBJECTS, help="this one only; may be given several times"
    )
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, metavar="N", help="mutants at a time (all)")
    parser.add_argument("--directory", type=Path, default=Path("build/mutants"), help="of copies, logs and survivors")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="that gets the table too")
    asked = parser.parse_args(arguments)
    names = asked.subject or list(SUBJECTS)
    broken = [name for name in names if not _one(name, asked.directory, asked.cores)]
    rows = {name: found for name in SUBJECTS if (found := _tally(asked.directory / name)) is not None}
    sys.stdout.write(f"\n{table(rows)}\n")
    if asked.write is not None:
        write(asked.write, table(rows))
    sys.stdout.write(f"mutants: FAILED: {', '.join(broken)}\n" if broken else "mutants: passed\n")
    return int(bool(broken))


def _one(name: str, directory: Path, cores: int) -> bool:
    """Run one subject; whether nothing was left."""
    place = directory / name
    sys.stdout.write(f"mutants: {name}: ")
    sys.stdout.flush()
    ran = run(place, SUBJECTS[name], cores)
    found = _tally(place)
    if not ran or found is None:
        sys.stdout.write(f"mutmut did not come to its end: {place / 'mutmut.log'}\n")
        return False
    entries = [as_entry(list(group)) for _, group in groupby(found.survivors, lambda one: (one.file, one.function))]
    (place / SURVIVORS).write_text("\n".join(entries), encoding="utf-8")
    sys.stdout.write(f"{found.score:.1f} %, {len(found.survivors)} survived: {place / SURVIVORS}\n")
    for entry in found.stale:
        sys.stdout.write(
            f"  {LIST.name} has a change that nothing makes: {entry.file}: {entry.function}\n{entry.change}\n"
        )
    return not found.survivors and not found.stale


def _tally(directory: Path) -> Tally | None:
    made = list(mutants(directory))
    return tally(made, list(argued())) if made else None


if __name__ == "__main__":
    sys.exit(main())
