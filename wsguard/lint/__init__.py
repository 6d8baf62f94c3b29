"""What a policy permits that an operator should know of: findings, each with its rule, its risk and its cure.

A policy that is impossible is refused where it is read. Here is what is possible and still worth a second look. Pure:
no file is opened and no clock is read. What only files and records tell is given as values: ``material_findings``,
``usage_findings``. A module for each subject; to add a finding is to add its ``Rule`` to the module's catalogue, what
looks for it to the module's rules, a row to ``docs/lint.md``, and a configuration with it and one without it to the
tests.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final

from wsguard.interfaces import Operations
from wsguard.lint.algorithms import ALGORITHM_CATALOGUE, ALGORITHM_RULES, BROKEN_ALGORITHMS
from wsguard.lint.answers import ANSWER_CATALOGUE, ANSWER_RULES
from wsguard.lint.encryption import ENCRYPTION_CATALOGUE, ENCRYPTION_RULES, ENCRYPTION_RULES_ONCE
from wsguard.lint.exemptions import EXEMPTION_CATALOGUE, EXEMPTION_RULES
from wsguard.lint.finding import RISKS, SOON, Finding, Look, Looker, Risk, Rule
from wsguard.lint.material import MATERIAL_CATALOGUE, Material, material_findings
from wsguard.lint.overrides import OVERRIDE_CATALOGUE, OVERRIDE_RULES
from wsguard.lint.peers import PEER_CATALOGUE, PEER_RULES
from wsguard.lint.permissions import PERMISSION_CATALOGUE, PERMISSION_RULES
from wsguard.lint.reach import REACH_CATALOGUE, REACH_RULES, REACH_RULES_ONCE
from wsguard.lint.signatures import SIGNATURE_CATALOGUE, SIGNATURE_RULES
from wsguard.lint.stores import STORE_CATALOGUE, STORE_RULES
from wsguard.lint.surroundings import SURROUNDING_CATALOGUE, SURROUNDING_RULES
from wsguard.lint.tokens import LONG_WINDOW, TOKEN_CATALOGUE, TOKEN_RULES
from wsguard.lint.trust import TRUST_CATALOGUE, TRUST_RULES
from wsguard.lint.usage import USAGE_CATALOGUE, Usage, usage_findings
from wsguard.policy import Demands, Policy

_EVERYWHERE: Final[tuple[Looker, ...]] = (
    *TOKEN_RULES,
    *ALGORITHM_RULES,
    *PERMISSION_RULES,
    *SIGNATURE_RULES,
    *TRUST_RULES,
    *REACH_RULES,
    *ENCRYPTION_RULES,
    *ANSWER_RULES,
)
_ONCE: Final[tuple[Looker, ...]] = (
    *STORE_RULES,
    *SURROUNDING_RULES,
    *EXEMPTION_RULES,
    *PEER_RULES,
    *REACH_RULES_ONCE,
    *ENCRYPTION_RULES_ONCE,
    *OVERRIDE_RULES,
)

CATALOGUE: Final[tuple[Rule, ...]] = (
    *TOKEN_CATALOGUE,
    *SIGNATURE_CATALOGUE,
    *TRUST_CATALOGUE,
    *ALGORITHM_CATALOGUE,
    *PERMISSION_CATALOGUE,
    *REACH_CATALOGUE,
    *ENCRYPTION_CATALOGUE,
    *ANSWER_CATALOGUE,
    *STORE_CATALOGUE,
    *SURROUNDING_CATALOGUE,
    *EXEMPTION_CATALOGUE,
    *USAGE_CATALOGUE,
    *PEER_CATALOGUE,
    *OVERRIDE_CATALOGUE,
    *MATERIAL_CATALOGUE,
)
"""Every rule, in the order of ``docs/lint.md``."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in CATALOGUE})
"""Stable dotted name -> the rule."""


def findings(policy: Policy, operations: Operations | None, today: date) -> list[Finding]:
    """Everything worth a second look in ``policy``, the highest risk first.

    Args:
        policy: as it was read.
        operations: those of the application where they are known, else None.
        today: the date that reviews and permissions are measured against (UTC).
    """

    def found(rules: tuple[Looker, ...], demands: Demands) -> list[Finding]:
        look = Look(policy=policy, demands=demands, operations=operations, today=today)
        return [finding for rule in rules for finding in rule(look)]

    everywhere = found(_EVERYWHERE, policy)
    listed = [*found(_ONCE, policy), *everywhere]
    for name, service in policy.services.items():
        own = [finding for finding in found(_EVERYWHERE, service) if finding not in everywhere]
        listed += [replace(finding, setting=f"services.{name}.{finding.setting}") for finding in own]
    return by_risk(listed)


def by_risk(listed: list[Finding]) -> list[Finding]:
    """The same findings, the highest risk first."""
    return sorted(listed, key=lambda finding: RISKS.index(finding.risk))


__all__ = [
    "BROKEN_ALGORITHMS",
    "CATALOGUE",
    "LONG_WINDOW",
    "RISKS",
    "RULES",
    "SOON",
    "Finding",
    "Material",
    "Risk",
    "Rule",
    "Usage",
    "by_risk",
    "findings",
    "material_findings",
    "usage_findings",
]
