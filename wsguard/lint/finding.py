"""A finding, and what a rule is that yields them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from wsguard.interfaces import Operations
from wsguard.policy import Demands, Policy

Risk = Literal["high", "medium", "low"]
"""high: a control is off or about to be; medium: a control is weaker than it could be; low: good to know."""

RISKS: Final[tuple[Risk, ...]] = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a policy permits."""

    risk: Risk
    setting: str
    """Key path in the configuration, for example ``services.Lead.timestamp.use``."""
    text: str
    """What it means."""
    cure: str
    """What to change."""


RuleOfDemands = Callable[[Demands, date], Iterator[Finding]]
"""Looks at what each service may override; the date is today's in UTC."""
RuleOfPolicy = Callable[[Policy, Operations | None, date], Iterator[Finding]]
"""Looks at the whole policy; the operations are those of the application, where they are known."""
