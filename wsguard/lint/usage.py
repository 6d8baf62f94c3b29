"""What the audit never saw used. Whoever reads the audit gives what it saw as values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wsguard.interfaces import AuditRecord
from wsguard.lint.exemptions import named
from wsguard.lint.finding import Finding, Rule
from wsguard.policy import Exemption, Policy

_UNUSED: Final = Rule(
    name="lint.exemption_unused",
    risk="low",
    finds="the audit has no message that an exemption let pass",
    cure="ask its owner whether it is still needed, and take it out",
)

USAGE_CATALOGUE: Final = (_UNUSED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an audit saw."""

    since: datetime
    """Aware; older records were not looked at."""
    exemptions: frozenset[int]
    """Places in ``[[exempt]]``, from 0, of those that let a message pass."""


def let_pass(exemption: Exemption, record: AuditRecord) -> bool:
    """Whether the message of ``record``, which was exempt, passed by this entry."""
    if exemption.service:
        return record.service == exemption.service
    namespace = record.operation.rpartition("}")[0] + "}*"
    by_operation = not exemption.operations or {record.operation, namespace} & set(exemption.operations)
    return bool(by_operation) and (not exemption.paths or record.path in exemption.paths)


def usage_findings(policy: Policy, usage: Usage) -> Iterator[Finding]:
    """What of ``policy`` nobody used."""
    for index, exemption in enumerate(policy.exempt):
        if index not in usage.exemptions:
            text = f"{named(exemption)} needs no security, and nobody has used that since {usage.since:%Y-%m-%d}"
            yield _UNUSED.at(f"exempt[{index}]", text)
