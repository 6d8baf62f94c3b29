"""Kept inputs: a file of text for each target, an input on each line, in Python's escapes.

``python -m fuzz.corpus TARGET...`` makes the files anew of what ``make fuzz`` found: the shortest inputs that together
reach what all of them reach, as far as they fit.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fuzz.target import HERE

FOUND: Final = Path("build/fuzz/corpus")
LARGEST: Final = 20_000
"""Bytes of one file."""


def kept(name: str) -> list[bytes]:
    """The kept inputs of a target, in the order of the file; none where there is no file."""
    file = HERE / "corpora" / f"{name}.txt"
    lines = file.read_text("ascii").splitlines() if file.exists() else []
    return [line.encode("ascii").decode("unicode_escape").encode("latin-1") for line in lines]


def lines_of(inputs: Iterable[bytes]) -> list[str]:
    """A line for each, the shortest first, as many as fit into ``LARGEST``."""
    lines, size = [], 0
    for octets in sorted(inputs, key=lambda one: (len(one), one)):
        line = octets.decode("latin-1").encode("unicode_escape").decode("ascii")
        size += len(line) + 1
        if size > LARGEST:
            break
        lines.append(line)
    return lines


def merged(name: str, found: Path = FOUND) -> list[bytes]:
    """Inputs that together reach what all that were found reach, by libFuzzer.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    with TemporaryDirectory() as directory:
        files, into = Path(directory) / "files", Path(directory) / "into"
        for place in (files, into):
            place.mkdir()
        command = [sys.executable, "-m", "fuzz.watched", name, "-merge=1", str(into), str(found / name)]
        own = {**os.environ, "TMPDIR": str(files)}
        subprocess.run(command, check=True, capture_output=True, env=own)  # noqa: S603 - our own module
        return [file.read_bytes() for file in into.iterdir()]


def main(names: Sequence[str]) -> None:
    """Write the file of each target."""
    for name in names:
        lines = lines_of(merged(name))
        (HERE / "corpora").mkdir(exist_ok=True)
        (HERE / "corpora" / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), "ascii")
        sys.stdout.write(f"{name}: {len(lines)} inputs\n")


if __name__ == "__main__":
    main(sys.argv[1:])
