"""The DISA Application Security and Development STIG, version 6, as far as settings of the guard decide it.

Not covered, since no setting here decides it: SAML (V-222401, V-222403 to V-222406: assertions are refused), TLS
(V-222402 and others), where keys and passwords lie, and whatever the application does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from wsguard.lint.stig.case import Case, Evidence, Subject
from wsguard.lint.stig.judging import (
    dated,
    logons_are_recorded,
    nothing_without_record,
    passwords_are_hidden,
    paths_are_validated,
    replays_are_refused,
    signed,
    validity_is_verified,
)
from wsguard.policy import Policy

Status = Literal["met", "not met", "not applicable"]
Category = Literal["CAT I", "CAT II"]

WHOLE: Final = "*"
"""In the place of a service: what there is once."""

Judge = Callable[[Case], str | list[Evidence]]
"""Why a rule is not applicable, or what it is decided by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one rule says of one service."""

    id: str
    category: Category
    title: str
    service: str
    status: Status
    evidence: tuple[str, ...]
    """The settings it was decided by; or why it is not applicable."""
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StigRule:
    """One rule of the STIG."""

    id: str
    category: Category
    title: str
    """In our words."""
    judge: Judge
    once: bool = False
    """There is one answer for all services."""


_REPLAY: Final = "Whoever records an authentication cannot use it again"

STIG_RULES: Final[tuple[StigRule, ...]] = (
    StigRule(
        id="V-222398",
        category="CAT II",
        title="Message id, request and Timestamp are there and signed with a certificate, and nothing else is unsigned",
        judge=signed,
    ),
    StigRule(
        id="V-222399",
        category="CAT I",
        title="Messages with WS-Security say when they were made and when they expire",
        judge=dated,
    ),
    StigRule(
        id="V-222400",
        category="CAT I",
        title="The validity period of every message with WS-Security is verified",
        judge=validity_is_verified,
    ),
    StigRule(
        id="V-222462",
        category="CAT II",
        title="Successful and failed authentications are recorded",
        judge=logons_are_recorded,
        once=True,
    ),
    StigRule(
        id="V-222486",
        category="CAT II",
        title="Nothing is served that cannot be recorded",
        judge=nothing_without_record,
        once=True,
    ),
    StigRule(id="V-222530", category="CAT II", title=f"{_REPLAY}: privileged accounts", judge=replays_are_refused),
    StigRule(id="V-222531", category="CAT II", title=f"{_REPLAY}: other accounts", judge=replays_are_refused),
    StigRule(
        id="V-222543",
        category="CAT I",
        title="Passwords travel only under cryptographic protection",
        judge=passwords_are_hidden,
    ),
    StigRule(
        id="V-222550",
        category="CAT I",
        title="Certificates are validated by a path to a trust anchor, with the status of each",
        judge=paths_are_validated,
    ),
)


def stig_rows(policy: Policy, subjects: Sequence[Subject], today: date) -> list[Row]:
    """What each rule says of each service.

    Args:
        policy: as it was read.
        subjects: every service and exemption, and what holds for the rest.
        today: the date that reviews and reports are measured against (UTC).
    """
    once = (Subject(service="", demands=policy),)
    return [
        _row(rule, Case(policy, subject, today)) for rule in STIG_RULES for subject in (once if rule.once else subjects)
    ]


def _row(rule: StigRule, case: Case) -> Row:
    judged = rule.judge(case)
    status: Status = "not applicable"
    evidence: tuple[str, ...] = (judged,) if isinstance(judged, str) else tuple(map(str, judged))
    lacking = [] if isinstance(judged, str) else [one for one in judged if not one.enough]
    if not isinstance(judged, str):
        status = "not met" if lacking else "met"
    return Row(
        id=rule.id,
        category=rule.category,
        title=rule.title,
        service=WHOLE if rule.once else case.subject.service,
        status=status,
        evidence=evidence,
        cure="; ".join(dict.fromkeys(one.cure for one in lacking)),
    )


__all__ = ["STIG_RULES", "WHOLE", "Category", "Row", "Status", "StigRule", "Subject", "stig_rows"]
