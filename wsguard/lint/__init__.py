"""What a policy permits that an operator should know of: findings, each with its risk and its cure.

A policy that is impossible is refused where it is read. Here is what is possible and still worth a second look. Pure:
no file is opened and no clock is read. A module for each subject; to add a finding is to add one generator to its
rules, or to its ``..._RULES_ONCE`` where it needs the whole policy.
"""

from dataclasses import replace
from datetime import date
from typing import Final

from wsguard.interfaces import Operations
from wsguard.lint.algorithms import ALGORITHM_RULES, ALGORITHM_RULES_ONCE, BROKEN_ALGORITHMS, SOON
from wsguard.lint.answers import ANSWER_RULES
from wsguard.lint.encryption import ENCRYPTION_RULES, ENCRYPTION_RULES_ONCE
from wsguard.lint.finding import RISKS, Finding, Risk, RuleOfDemands, RuleOfPolicy
from wsguard.lint.signatures import SIGNATURE_RULES
from wsguard.lint.surroundings import SURROUNDING_RULES
from wsguard.lint.tokens import LONG_WINDOW, TOKEN_RULES
from wsguard.policy import Policy

_EVERYWHERE: Final[tuple[RuleOfDemands, ...]] = (
    *TOKEN_RULES,
    *ALGORITHM_RULES,
    *SIGNATURE_RULES,
    *ENCRYPTION_RULES,
    *ANSWER_RULES,
)
_ONCE: Final[tuple[RuleOfPolicy, ...]] = (
    *SURROUNDING_RULES,
    *ALGORITHM_RULES_ONCE,
    *ENCRYPTION_RULES_ONCE,
)


def findings(policy: Policy, operations: Operations | None, today: date) -> list[Finding]:
    """Everything worth a second look in ``policy``, the highest risk first.

    Args:
        policy: as it was read.
        operations: those of the application where they are known, else None.
        today: the date that reviews and permissions are measured against (UTC).
    """
    found = [finding for rule in _ONCE for finding in rule(policy, operations, today)]
    top = [finding for rule in _EVERYWHERE for finding in rule(policy, today)]
    found += top
    for name, service in policy.services.items():
        own = [finding for rule in _EVERYWHERE for finding in rule(service, today)]
        found += [
            replace(finding, setting=f"services.{name}.{finding.setting}") for finding in own if finding not in top
        ]
    return sorted(found, key=lambda finding: RISKS.index(finding.risk))


__all__ = ["BROKEN_ALGORITHMS", "LONG_WINDOW", "RISKS", "SOON", "Finding", "Risk", "findings"]
