"""What a control is: a promise of the guard, and attacks that break it where it is not kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from wsguard.proving.case import Case
from wsguard.proving.posting import AS_USUAL, Outcome, Sent, Stage

Look = Callable[[Outcome, Sequence[Outcome]], Iterable[str]]
"""What is wrong with an outcome, given those of what was sent before."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attempt."""

    how: str
    """For people: what was done to an honest message."""
    demanded: tuple[str, ...]
    """The checks that may refuse it; ``accepted`` where it must be taken."""
    sent: Sent
    before: tuple[Sent, ...] = ()
    """Sent first."""
    before_accepted: bool = True
    """Whether what is sent first must be taken, for the attack to prove anything."""
    later: timedelta | None = None
    """How much later the attack is sent; None: at once. Real stores learn of neither then."""
    stage: Stage = AS_USUAL
    """What is behind the guard while the attack is sent."""
    also: Look | None = None
    """Looks at the outcome beside what is always looked at."""
    instead: Look | None = None
    """Looks at it in the place of that."""


Each = Literal["way", "shape", "target"]
"""Two ways have one shape where nothing but the sender differs, and no permission of theirs."""

Predicate = Callable[[Case], bool]
Builder = Callable[[Case], Iterable[Attack]]


@dataclass(frozen=True, slots=True)
class Control:
    """One promise. To add one is to add an entry to a module of this package."""

    name: str
    """Stable, for programs that read ``--json``."""
    applies: Predicate
    """Whether the configuration makes this promise of such messages."""
    attacks: Builder
    """Makes the attempts."""
    each: Each = "shape"
    """What it is tried with once: every way of every sender, every shape of way, or every target."""


def changed(how: str, *demanded: str, **changes: Any) -> Builder:  # noqa: ANN401 - fields of a Letter
    """An attack that changes what a letter is made of.

    Args:
        how: for people.
        *demanded: the checks that may refuse it.
        **changes: fields of a ``Letter``.
    """
    return lambda case: [Attack(how, demanded, case.sent(**changes))]


def sending(how: str, *demanded: str, environ: dict[str, object] | None = None, path: str = "") -> Builder:
    """An attack by HTTP, with an honest message."""
    return lambda case: [Attack(how, demanded, case.sent(environ=environ, path=path))]
