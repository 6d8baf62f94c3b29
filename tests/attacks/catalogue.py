"""Every case there is, in the order of the classes."""

from typing import Final

from tests.attacks.cases import CLASSES, Case
from tests.attacks.wrapping import WRAPPING

EVERYTHING: Final[tuple[Case, ...]] = (*WRAPPING,)
"""Sorted by class; names are unique within a class."""

HOSTILE: Final = tuple(case for case in EVERYTHING if case.check)
LEGAL: Final = tuple(case for case in EVERYTHING if not case.check)

assert [case.kind for case in EVERYTHING] == sorted((case.kind for case in EVERYTHING), key=[*CLASSES].index)
