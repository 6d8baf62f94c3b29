"""Mutants that nobody has to kill, each with its reason: argued.toml."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mutation.results import Mutant

LIST: Final = Path(__file__).with_name("argued.toml")


@dataclass(frozen=True, kw_only=True)
class Argued:
    """One change, and why no test can or should notice it."""

    file: str
    function: str
    change: str
    reason: str

    def is_about(self, mutant: Mutant) -> bool:
        """Whether it is this one."""
        return (self.file, self.function, self.change) == (mutant.file, mutant.function, mutant.change)


def argued(source: Path = LIST) -> Iterator[Argued]:
    """Each entry of the list.

    Raises:
        KeyError: an entry lacks something.
        OSError, tomllib.TOMLDecodeError: the list cannot be read.
    """
    for entry in tomllib.loads(source.read_text(encoding="utf-8")).get("argued", ()):
        for change in entry["changes"]:
            yield Argued(
                file=entry["file"], function=entry["function"], change=change.strip("\n"), reason=entry["reason"]
            )


def as_entry(mutants: Sequence[Mutant], reason: str = "") -> str:
    """How the list would have these, of one function; the reason is to be written by hand."""
    changes = "".join(f"{_quoted(mutant.change)},\n" for mutant in mutants)
    head = f'[[argued]]\nfile = "{mutants[0].file}"\nfunction = "{mutants[0].function}"\nreason = "{reason}"\n'
    return f"{head}changes = [\n{changes}]\n"


def _quoted(change: str) -> str:
    # JSON's escapes are TOML's too.
    return json.dumps(change, ensure_ascii=False) if "'''" in change else f"'''\n{change}\n'''"
