"""A finding, the rule that made it, and what a rule looks at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from wsguard.interfaces import Operations
from wsguard.policy import Demands, Policy

Risk = Literal["high", "medium", "low"]
"""high: a control is off or about to be, or nobody can call; medium: a control is weaker than it could be, or a change
is due; low: good to know."""

RISKS: Final[tuple[Risk, ...]] = ("high", "medium", "low")

SOON: Final = timedelta(days=30)
"""A date this near is announced. Thirty days: one change window in most houses."""

FAR: Final = timedelta(days=366)
"""A date this far is questioned. PCI DSS 4.0 §12.3.3: what is still allowed is looked at once in twelve months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a policy permits."""

    risk: Risk
    setting: str
    """Key path in the configuration, for example ``services.Lead.timestamp.use``."""
    text: str
    """What it means."""
    cure: str
    """What to change."""
    rule: str
    """Stable dotted name of what was looked for: a key of ``RULES``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is looked for. Its name is stable: renaming it breaks whoever reads ``--json``."""

    name: str
    """Dotted, for example ``lint.exemption_overdue``."""
    risk: Risk
    finds: str
    """What deserves a second look."""
    cure: str
    """What to change."""

    def at(self, setting: str, text: str) -> Finding:
        """The finding that ``text`` is so at the key path ``setting``."""
        return Finding(risk=self.risk, setting=setting, text=text, cure=self.cure, rule=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a rule is shown."""

    policy: Policy
    demands: Demands
    """Those of one service, or of the top of the file."""
    operations: Operations | None
    """Those of the application; None where they are not known."""
    today: date
    """In UTC."""


Looker = Callable[[Look], Iterator[Finding]]
"""Looks for what one or several rules find. The key paths of what services may override are without the service."""
