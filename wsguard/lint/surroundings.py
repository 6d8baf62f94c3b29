"""What there is once: stores, audit, faults, exemptions, clients, claims."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from wsguard.interfaces import Operations
from wsguard.lint.finding import Finding, RuleOfPolicy
from wsguard.policy import Exemption, Policy


def _users_lie_in_a_file(policy: Policy, _operations: Operations | None, _today: date) -> Iterator[Finding]:
    if policy.users.url.startswith("toml:"):
        yield Finding(
            "medium",
            "users.url",
            "passwords lie readable in a file",
            "keep users in a database, where passwords are encrypted: wsguard users import",
        )


def _stores_forget(policy: Policy, _operations: Operations | None, _today: date) -> Iterator[Finding]:
    if policy.replay.url.startswith("memory:"):
        yield Finding(
            "high",
            "replay.url",
            "memory:// forgets at every restart and is not shared: each process takes a replayed message once",
            "use sqlite:///FILE",
        )
    if policy.users.url.startswith("memory:"):
        yield Finding("medium", "users.url", "memory:// starts without a user in it", "use toml:FILE")
    if all(url.startswith("memory:") for url in policy.audit.url):
        yield Finding("medium", "audit.url", "memory:// loses the records at every restart", "use sqlite:///FILE")


def _audit_may_fail(policy: Policy, _operations: Operations | None, _today: date) -> Iterator[Finding]:
    if policy.audit.on_failure == "unsafe_continue":
        yield Finding(
            "high",
            "audit.on_failure",
            "requests are served although no record of them can be written",
            'set audit.on_failure = "refuse"',
        )


def _peers_are_told_much(policy: Policy, _operations: Operations | None, _today: date) -> Iterator[Finding]:
    detail, opens = policy.faults.detail, bool(policy.keys.decrypt or policy.keys.shared)
    if opens and detail in ("standard", "detailed"):
        yield Finding(
            "high",
            "faults.detail",
            "with decryption keys, different codes for different failures make a decryption oracle",
            "use auto or unified",
        )
    elif detail == "detailed":
        yield Finding(
            "medium",
            "faults.detail",
            "every peer is told which check refused it: a map for whoever tries",
            "use auto; operators find the check in the audit, under the incident id",
        )


def _exemptions_need_care(policy: Policy, _operations: Operations | None, today: date) -> Iterator[Finding]:
    for index, exemption in enumerate(policy.exempt):
        setting = f"exempt[{index}]"
        what = _named(exemption)
        if exemption.review is not None and exemption.review < today:
            yield Finding(
                "high",
                f"{setting}.review",
                f"{what} has needed no security since its review was due on {exemption.review}",
                "ask its owner; take the exemption out, or set the next review",
            )
        missing = [key for key in ("reason", "owner", "review") if not getattr(exemption, key)]
        if missing:
            yield Finding(
                "medium",
                setting,
                f"{what} needs no security, and the entry has no {', no '.join(missing)}",
                "write down why, who answers for it, and when to look again",
            )


def _named(exemption: Exemption) -> str:
    return exemption.service or ", ".join((*exemption.operations, *exemption.paths))


def _clients_are_let_through(policy: Policy, _operations: Operations | None, today: date) -> Iterator[Finding]:
    for index, client in enumerate(policy.client):
        if client.report_until is None:
            continue
        over = client.report_until < today
        until = f"{'was' if over else 'is'} recorded and passed on until {client.report_until}"
        yield Finding(
            "low" if over else "high",
            f"client[{index}].mode",
            f"{client.name}: what is missing {until}",
            'set mode = "enforce" and take report_until out',
        )


def _claims_match_nothing(policy: Policy, operations: Operations | None, _today: date) -> Iterator[Finding]:
    if operations is None:
        return
    known = frozenset().union(*operations.values())
    claims = {f"services.{name}.operations": service.operations for name, service in policy.services.items()}
    claims |= {f"exempt[{index}].operations": entry.operations for index, entry in enumerate(policy.exempt)}
    for setting, claimed in claims.items():
        for operation in claimed:
            if not _matches(operation, known):
                yield Finding(
                    "medium", setting, f"the application has no operation {operation}", "mend the name, or take it out"
                )


def _matches(claimed: str, known: frozenset[str]) -> bool:
    if claimed.endswith("}*"):
        return any(operation.startswith(claimed[:-1]) for operation in known)
    return claimed in known


SURROUNDING_RULES: Final[tuple[RuleOfPolicy, ...]] = (
    _users_lie_in_a_file,
    _stores_forget,
    _audit_may_fail,
    _peers_are_told_much,
    _exemptions_need_care,
    _clients_are_let_through,
    _claims_match_nothing,
)
