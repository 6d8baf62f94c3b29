"""Every target for a time: ``python -m fuzz --seconds 600 [--target NAME]``; ``make fuzz`` runs this.

The seconds are those of the whole run. Each core has one target at a time, and every target an equal slice. What was
found interesting is kept in the corpus, so that the next run goes on from it; what breaks something is kept too, and
the command that shows it is printed. Exit status 1 where anything did.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz.running import Run, slice_of
from fuzz.targets import NAMES


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Coverage-guided fuzzing of every target.")
    parser.add_argument("--seconds", type=int, default=600, metavar="N", help="of the whole run (600)")
    parser.add_argument("--target", action="append", choices=NAMES, help="this one only; may be given several times")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, metavar="N", help="targets at a time (all)")
    parser.add_argument("--directory", type=Path, default=Path("build/fuzz"), help="of corpora, crashes and logs")
    asked = parser.parse_args(arguments)
    names = asked.target or NAMES
    seconds = slice_of(asked.seconds, len(names), asked.cores)
    sys.stdout.write(f"fuzz: {len(names)} targets, {seconds} s each, {asked.cores} at a time, in {asked.directory}\n")
    with ThreadPoolExecutor(asked.cores) as pool:
        broken = [name for name, held in pool.map(Run(asked.directory, seconds), names) if not held]
    sys.stdout.write(f"fuzz: FAILED: {', '.join(broken)}\n" if broken else "fuzz: passed\n")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
