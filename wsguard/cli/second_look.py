"""Everything that deserves a second look: in the configuration, in the files that it names, and in its audit."""

from datetime import datetime

from wsguard.cli.exemption_usage import exemption_usage
from wsguard.cli.opened_material import open_material
from wsguard.interfaces import Operations
from wsguard.lint import Finding, by_risk, findings, material_findings, usage_findings
from wsguard.policy import Policy


def second_look(policy: Policy, operations: Operations | None, now: datetime) -> list[Finding]:
    """Every finding, the highest risk first.

    Args:
        policy: a guard would start with it.
        operations: those of the application where they are known, else None.
        now: aware, UTC.
    """
    usage = exemption_usage(policy, now)
    return by_risk(
        [
            *findings(policy, operations, now.date()),
            *material_findings(open_material(policy, now), now),
            *(usage_findings(policy, usage) if usage is not None else ()),
        ]
    )
