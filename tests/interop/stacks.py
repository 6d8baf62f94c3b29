"""What the foreign stacks have in common: where they are built, and what is said where one is missing."""

import shutil
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
BUILD: Final = HERE.parent.parent / "build" / "interop"
"""Everything that is compiled or fetched for the exchange; untracked."""


class Missing(Exception):
    """A foreign stack is not on this machine. The text is one line that says how to get it."""


def program(name: str, remedy: str) -> str:
    """The path of a program.

    Raises:
        Missing: there is none of this name; ``remedy`` says what to do.
    """
    found = shutil.which(name)
    if found is None:
        raise Missing(f"no {name} here: {remedy}")
    return found
