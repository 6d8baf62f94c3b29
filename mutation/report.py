"""The table: what came of the mutants of each subject."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mutation.argued import Argued
from mutation.results import Mutant

BEGIN: Final = "<!-- measured: written by make mutants WRITE=docs/mutants.md -->\n"
END: Final = "<!-- end -->\n"

_HEAD: Final = (
    "| subject | mutants | killed | timed out | argued | survived | score |",
    "|---|---:|---:|---:|---:|---:|---:|",
)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What came of the mutants of one subject, or of all."""

    killed: int
    timed_out: int
    argued: int
    survivors: Sequence[Mutant]
    """Neither killed nor argued."""
    stale: Sequence[Argued] = ()
    """Reasons for changes that nothing made."""

    @property
    def score(self) -> float:
        """Percent of the mutants that a test could notice, and did; one that never came to an end was noticed."""
        noticed = self.killed + self.timed_out
        return 100 * noticed / ((noticed + len(self.survivors)) or 1)

    @property
    def cells(self) -> str:
        """Of its row, after the name."""
        left = len(self.survivors)
        total = self.killed + self.timed_out + self.argued + left
        return f"{total} | {self.killed} | {self.timed_out} | {self.argued} | {left} | {self.score:.1f} %"


def tally(mutants: Iterable[Mutant], listed: Sequence[Argued]) -> Tally:
    """Count them. What a test kills although it is listed counts as killed."""
    made = list(mutants)
    files = {mutant.file for mutant in made}
    living = [mutant for mutant in made if mutant.fate in ("survived", "broken")]
    survivors = [mutant for mutant in living if not any(entry.is_about(mutant) for entry in listed)]
    return Tally(
        killed=sum(mutant.fate == "killed" for mutant in made),
        timed_out=sum(mutant.fate == "timed out" for mutant in made),
        argued=len(living) - len(survivors),
        survivors=survivors,
        stale=[e for e in listed if e.file in files and not any(e.is_about(mutant) for mutant in made)],
    )


def table(tallies: Mapping[str, Tally]) -> str:
    """Markdown, with a line for all of them."""
    everything = Tally(
        killed=sum(one.killed for one in tallies.values()),
        timed_out=sum(one.timed_out for one in tallies.values()),
        argued=sum(one.argued for one in tallies.values()),
        survivors=[mutant for one in tallies.values() for mutant in one.survivors],
    )
    rows = (f"| {name} | {one.cells} |" for name, one in (*tallies.items(), ("all", everything)))
    return "\n".join((*_HEAD, *rows)) + "\n"


def write(page: Path, measured: str) -> None:
    """Put the table between the marks of a page.

    Raises:
        ValueError: it has no marks.
    """
    text = page.read_text(encoding="utf-8")
    begin = text.index(BEGIN) + len(BEGIN)
    page.write_text(f"{text[:begin]}{measured}{text[text.index(END, begin) :]}", encoding="utf-8")
