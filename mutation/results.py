"""What came of the mutants: read from what mutmut leaves behind, without importing mutmut."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final, Literal

from mutation.meaning import anonymous, meaning, telling

Fate = Literal["killed", "survived", "timed out", "broken"]

_FATES: Final[dict[int | None, Fate]] = {
    **dict.fromkeys((1, 3), "killed"),
    **dict.fromkeys((0, 5, 33), "survived"),
    **dict.fromkeys((-24, 24, 36, 152, 255), "timed out"),
}
"""mutmut 3: the exit status of pytest, or a number of mutmut's own: 33 is a function that no test calls, 24 SIGXCPU."""


_REFUSALS: Final = "refusals.py"
"""Where the rooms that have one make their faults."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change, and what came of it."""

    file: str
    """From the root of the project."""
    function: str
    """``name``, or ``Class.name``."""
    change: str
    """The lines taken (``- ``) and put (``+ ``), as ``ast.unparse`` writes them."""
    fate: Fate
    """``broken``: mutmut says neither, as where a process was killed."""


def mutants(directory: Path) -> Iterator[Mutant]:
    """Each mutant that mutmut made in ``directory`` and that means something else than the original.

    Raises:
        FileNotFoundError: a file that it wrote is not there.
    """
    made = directory / "mutants"
    for meta in sorted(made.rglob("*.py.meta")):
        exits: dict[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        written = meta.with_suffix("")
        functions = {node.name: node for node in _functions(written)}
        tells = telling([*functions.values(), *_functions(written.with_name(_REFUSALS))])
        for key, code in exits.items():
            name = key.rpartition(".")[2]
            mangled = name.partition("__mutmut_")[0]
            original, changed = functions[f"{mangled}__mutmut_orig"], functions[name]
            function = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            if meaning(original, tells) != meaning(changed, tells):
                yield Mutant(
                    file=written.relative_to(made).as_posix(),
                    function=function,
                    change=_change(original, changed),
                    fate=_FATES.get(code, "broken"),
                )


def _functions(source: Path) -> list[ast.FunctionDef]:
    """Those of a file, also methods; none where there is no file."""
    tree = ast.parse(source.read_text(encoding="utf-8") if source.exists() else "")
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _change(original: ast.FunctionDef, changed: ast.FunctionDef) -> str:
    before, after = (ast.unparse(anonymous(node)).splitlines() for node in (original, changed))
    lines = list(unified_diff(before, after, n=0, lineterm=""))[2:]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "+-")
