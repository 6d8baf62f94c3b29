"""What needs no security, who answers for it, and whether there is such a thing."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import FAR, SOON, Finding, Look, Looker, Rule
from wsguard.policy import Exemption

_OVERDUE: Final = Rule(
    name="lint.exemption_overdue",
    risk="high",
    finds="the review of an exemption is overdue",
    cure="ask its owner; take the exemption out, or set the next review",
)
_UNDOCUMENTED: Final = Rule(
    name="lint.exemption_undocumented",
    risk="medium",
    finds="an exemption has no reason, no owner or no review",
    cure="write down why, who answers for it, and when to look again",
)
_DUE: Final = Rule(
    name="lint.exemption_due",
    risk="low",
    finds=f"the review of an exemption is due within {SOON.days} days",
    cure="ask its owner whether it is still needed",
)
_FAR_AWAY: Final = Rule(
    name="lint.exemption_far",
    risk="medium",
    finds="an exemption is looked at again in more than a year only",
    cure="set a review within a year",
)
_WIDE: Final = Rule(
    name="lint.exemption_wide",
    risk="low",
    finds="an exemption is for a whole namespace, or for every operation on a path",
    cure="name the operations",
)
_OPERATION_UNKNOWN: Final = Rule(
    name="lint.operation_unknown",
    risk="medium",
    finds="a service or an exemption names an operation that the application does not have (with --app)",
    cure="mend the name, or take it out",
)

EXEMPTION_CATALOGUE: Final = (_OVERDUE, _UNDOCUMENTED, _DUE, _FAR_AWAY, _WIDE, _OPERATION_UNKNOWN)


def named(exemption: Exemption) -> str:
    """What is exempt, in words of the configuration."""
    return exemption.service or ", ".join((*exemption.operations, *exemption.paths))


def _exemptions_need_care(look: Look) -> Iterator[Finding]:
    for index, exemption in enumerate(look.policy.exempt):
        missing = [key for key in ("reason", "owner", "review") if not getattr(exemption, key)]
        if missing:
            text = f"{named(exemption)} needs no security, and the entry has no {', no '.join(missing)}"
            yield _UNDOCUMENTED.at(f"exempt[{index}]", text)


def _reviews_come(look: Look) -> Iterator[Finding]:
    for index, exemption in enumerate(look.policy.exempt):
        setting, what, review = f"exempt[{index}].review", named(exemption), exemption.review
        if review is None:
            continue
        if review < look.today:
            text = f"{what} has needed no security since its review was due on {review}"
            yield _OVERDUE.at(setting, text)
        elif look.today < review <= look.today + SOON:
            yield _DUE.at(setting, f"{what} needs no security, and is reviewed on {review}")
        elif review > look.today + FAR:
            yield _FAR_AWAY.at(setting, f"{what} needs no security, and nobody asks before {review}")


def _exemptions_are_wide(look: Look) -> Iterator[Finding]:
    for index, exemption in enumerate(look.policy.exempt):
        wide = [operation for operation in exemption.operations if operation.endswith("}*")]
        if wide:
            text = f"whatever operation {', '.join(wide)} gets later is open to everybody too"
            yield _WIDE.at(f"exempt[{index}].operations", text)
        elif exemption.paths and not exemption.operations:
            text = f"every operation on {', '.join(exemption.paths)} is open to everybody, those of later too"
            yield _WIDE.at(f"exempt[{index}].paths", text)


def _claims_match_nothing(look: Look) -> Iterator[Finding]:
    if look.operations is None:
        return
    known = frozenset().union(*look.operations.values())
    policy = look.policy
    claims = {f"services.{name}.operations": service.operations for name, service in policy.services.items()}
    claims |= {f"exempt[{index}].operations": entry.operations for index, entry in enumerate(policy.exempt)}
    for setting, claimed in claims.items():
        for operation in claimed:
            if not _matches(operation, known):
                yield _OPERATION_UNKNOWN.at(setting, f"the application has no operation {operation}")


def _matches(claimed: str, known: frozenset[str]) -> bool:
    if claimed.endswith("}*"):
        return any(operation.startswith(claimed[:-1]) for operation in known)
    return claimed in known


EXEMPTION_RULES: Final[tuple[Looker, ...]] = (
    _exemptions_need_care,
    _reviews_come,
    _exemptions_are_wide,
    _claims_match_nothing,
)
