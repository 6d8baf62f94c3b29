"""What a proof says: one row for each attack on each target, and whether the configuration stood."""

from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["holds", "DOES NOT HOLD", "not proven"]

ACCEPTED: Final = "accepted"
"""What is demanded of an honest message, in the place of the name of a check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One control, attacked in one way."""

    target: str
    """The service, exemption or store that was attacked."""
    way: str = ""
    """How the messages of it were secured, and as whom; empty where nothing was."""
    control: str
    """Name of the control, as in the catalogue."""
    attack: str
    """What was done."""
    demanded: tuple[str, ...] = ()
    """The checks that may refuse it, in order; or ``accepted``."""
    got: str = ""
    """The check that refused it, or ``accepted``, with everything else that is not as it must be; empty: not done."""
    verdict: Verdict
    reason: str = ""
    """Why nothing was proven, or what else there is to know."""

    @property
    def stands(self) -> bool:
        """Whether nothing was found against it."""
        return self.verdict != "DOES NOT HOLD"


def not_proven(target: str, control: str, reason: str, *, way: str = "", attack: str = "") -> Row:
    """A row for what nothing can be said of."""
    return Row(target=target, way=way, control=control, attack=attack, verdict="not proven", reason=reason)
