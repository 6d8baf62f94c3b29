"""What a fuzzing target is, and how it says that something is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


class Broken(AssertionError):
    """What must always hold does not. The text says what, and of which octets of a message."""


def demand(holds: object, what: str) -> None:
    """Go on where ``holds`` is true.

    Raises:
        Broken: it is not; ``what`` is the sentence that should be true.
    """
    if not holds:
        raise Broken(what)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that takes octets of anybody."""

    name: str
    judge: Callable[[bytes], bool]
    """Whether the octets were taken, so that the invariants were looked at. Raises ``Broken`` where one does not hold;
    any other exception is one that leaked, and a finding too."""
    seeds: Callable[[], Sequence[bytes]]
    """Inputs that reach deep: honest ones first. The same in every process, but for random parts of a fixed length."""
    dictionary: str = ""
    """Name of a file in ``fuzz/dictionaries``, without ``.dict``; empty: none."""
    longest: int = 4096
    """Bytes of an input that the fuzzer tries."""

    @property
    def regressions(self) -> Sequence[Path]:
        """The kept inputs that once broke something, in the order of their names."""
        return sorted((HERE / "regressions" / self.name).glob("*"))
