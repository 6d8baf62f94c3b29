"""One target in a process of its own: its corpus, its slice of time, and what is said of its end."""

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fuzz.corpus import kept
from fuzz.target import HERE, Target
from fuzz.targets import target

_LONGEST_INPUT: Final = 10
"""Seconds after which libFuzzer calls an input a hang: the targets take milliseconds, also on a loaded machine."""
_MEMORY: Final = 2048
"""Megabytes that a target may use."""
_DONE: Final = re.compile(r"Done (\d+) runs in (\d+) second")
_COVERED: Final = re.compile(r"cov: (\d+)")


def slice_of(seconds: int, targets: int, cores: int) -> int:
    """Seconds of each target in a run of ``seconds``: at least one."""
    return max(1, seconds // ceil(targets / max(1, cores)))


@dataclass(frozen=True)
class Run:
    """Fuzzes one target after the other, for ``seconds`` each."""

    directory: Path
    seconds: int

    def __call__(self, name: str) -> tuple[str, bool]:
        """The name, and whether nothing broke. What came of it is printed."""
        chosen = target(name)
        corpus, crashes, log = self._places(name)
        _plant(chosen, corpus)
        before = set(crashes.iterdir())
        command = [sys.executable, "-m", "fuzz.watched", name, *self._options(chosen, crashes), str(corpus)]
        # libFuzzer ends without Python's leave: somebody else removes what was written.
        with log.open("wb") as output, TemporaryDirectory() as files:
            own = {**os.environ, "TMPDIR": files}
            done = subprocess.run(command, stdout=output, stderr=output, env=own, check=False)  # noqa: S603 - our module
        found = sorted(set(crashes.iterdir()) - before)
        sys.stdout.write(summary(name, done.returncode, log.read_text("utf-8", "replace"), found, log))
        return name, done.returncode == 0

    def _places(self, name: str) -> tuple[Path, Path, Path]:
        corpus, crashes = self.directory / "corpus" / name, self.directory / "crashes" / name
        for place in (corpus, crashes):
            place.mkdir(parents=True, exist_ok=True)
        return corpus, crashes, self.directory / f"{name}.log"

    def _options(self, chosen: Target, crashes: Path) -> list[str]:
        dictionary = HERE / "dictionaries" / f"{chosen.dictionary}.dict"
        return [
            f"-max_total_time={self.seconds}", f"-max_len={chosen.longest}", f"-artifact_prefix={crashes}/",
            f"-timeout={_LONGEST_INPUT}", f"-rss_limit_mb={_MEMORY}", "-print_final_stats=1", "-use_value_profile=0",
            *([f"-dict={dictionary}"] if chosen.dictionary else []),
        ]  # fmt: skip


def _plant(chosen: Target, corpus: Path) -> None:
    """Put the seeds, what was kept and what once broke something into the corpus."""
    for octets in (*chosen.seeds(), *kept(chosen.name), *(file.read_bytes() for file in chosen.regressions)):
        name = hashlib.sha1(octets, usedforsecurity=False).hexdigest()
        (corpus / name).write_bytes(octets)


def summary(name: str, status: int, log: str, found: list[Path], where: Path) -> str:
    """What is printed of a target's end: one line, and for each finding the command that shows it."""
    runs = _DONE.search(log)
    covered = _COVERED.findall(log)
    did = f"{int(runs[1]):,} inputs in {runs[2]} s" if runs else "ended early"
    line = f"{name:16} {did}, {covered[-1] if covered else 0} edges\n"
    if status == 0:
        return line
    commands = [f"    {sys.executable} -m fuzz.replay {name} {file}\n" for file in found]
    reason = "BROKEN, shown by:\n" if commands else f"FAILED with status {status}: see {where}\n"
    return f"{line}{name:16} {reason}{''.join(commands)}"
