"""What a policy permits that an operator should know of: findings, each with its risk and its cure.

A policy that is impossible is refused where it is read. Here is what is possible and still worth a second look. Pure:
no file is opened and no clock is read. To add a finding is to add one generator to ``_EVERYWHERE`` or ``_ONCE``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

from wsguard.interfaces import Operations
from wsguard.policy import Demands, Exemption, Policy

Risk = Literal["high", "medium", "low"]
"""high: a control is off or about to be; medium: a control is weaker than it could be; low: good to know."""

RISKS: Final[tuple[Risk, ...]] = ("high", "medium", "low")

SOON: Final = timedelta(days=30)
"""A date this near is announced. Thirty days: one change window in most houses."""

LONG_WINDOW: Final = 3600
"""Seconds. WSS 1.1 §10 leaves the window to policy; clocks that are synchronised need minutes."""

BROKEN_ALGORITHMS: Final = frozenset(
    {
        "rsa-sha1", "ecdsa-sha1", "hmac-sha1", "sha1",
        "aes128-cbc", "aes192-cbc", "aes256-cbc", "tripledes-cbc", "rsa-1_5",
    }
)  # fmt: skip
"""SHA-1: NIST SP 800-131A revision 2, §3. CBC and RSA 1.5: XML Encryption 1.1 §5.2 and §5.5.1 (padding oracles)."""


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


# --- What each service may override -----------------------------------------------------------------------------------


def _nobody_is_authenticated(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.unsafe_unauthenticated:
        yield Finding(
            "high",
            "unsafe_unauthenticated",
            "a message needs neither a UsernameToken nor a Signature: anybody may call",
            "require one of them, and exempt by name what must stay open",
        )


def _password_travels(demands: Demands, _today: date) -> Iterator[Finding]:
    token = demands.username_token
    if token.use == "forbidden" or "PasswordText" not in token.password_types:
        return
    yield Finding(
        "medium",
        "username_token.password_types",
        "PasswordText is allowed: the password itself is in the message",
        "allow PasswordDigest only, or make sure that every hop has TLS",
    )
    if not (token.require_nonce and token.require_created):
        yield Finding(
            "medium",
            "username_token.require_nonce" if not token.require_nonce else "username_token.require_created",
            "a PasswordText without Nonce or Created can be sent again and is not recognised",
            "require both, or allow PasswordDigest only",
        )


def _timestamp_may_be_left_out(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.timestamp.use != "required":
        yield Finding(
            "medium",
            "timestamp.use",
            f"the Timestamp is {demands.timestamp.use}: a message need not say when it was made",
            'set timestamp.use = "required"',
        )


def _windows_are_long(demands: Demands, _today: date) -> Iterator[Finding]:
    for name, window in (("timestamp", demands.timestamp), ("username_token", demands.username_token)):
        for key in ("time_to_live", "future_time_to_live"):
            seconds = getattr(window, key)
            if seconds > LONG_WINDOW:
                yield Finding(
                    "low",
                    f"{name}.{key}",
                    f"a message is taken for {seconds} seconds, and remembered as long",
                    "synchronise clocks and shorten it; 300 seconds are usual",
                )


def _algorithms_are_old(demands: Demands, _today: date) -> Iterator[Finding]:
    algorithms = demands.algorithms
    for key in ("signature", "digest", "encryption", "key_transport"):
        old = [name for name in getattr(algorithms, key) if name in BROKEN_ALGORITHMS]
        if old:
            yield Finding(
                "medium",
                f"algorithms.{key}",
                f"{', '.join(old)}: known to be weak, allowed for everybody and without end",
                "name the clients that need it and a date in [[algorithms.legacy]]",
            )
    if algorithms.min_rsa_bits < 2048:
        yield Finding(
            "medium",
            "algorithms.min_rsa_bits",
            f"RSA keys of {algorithms.min_rsa_bits} bits are taken",
            "set it to 2048 or more",
        )


def _permissions_end(demands: Demands, today: date) -> Iterator[Finding]:
    for index, permission in enumerate(demands.algorithms.legacy):
        setting = f"algorithms.legacy[{index}]"
        if permission.until < today:
            yield Finding(
                "low",
                setting,
                f"{permission.algorithm} has been refused since {permission.until}",
                "take the entry out",
            )
        elif permission.until - today <= SOON:
            yield Finding(
                "low", setting, f"{permission.algorithm} is refused after {permission.until}", "see who still uses it"
            )


def _headers_pass_unsigned(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.signature.use == "required" and demands.handoff.unsigned_headers == "keep":
        yield Finding(
            "medium",
            "handoff.unsigned_headers",
            "header blocks that nobody signed reach the application beside a signed Body",
            'set handoff.unsigned_headers = "drop"',
        )


def _signatures_leave_parts_open(demands: Demands, _today: date) -> Iterator[Finding]:
    signature = demands.signature
    if signature.use != "required":
        return
    if "Body" not in signature.required_parts:
        yield Finding(
            "high",
            "signature.required_parts",
            "the Body need not be signed: anybody on the way can change it",
            'add "Body"',
        )
    if "Timestamp" not in signature.required_parts:
        yield Finding(
            "high",
            "signature.required_parts",
            "the Timestamp need not be signed: a signed message never gets old, and is remembered for ten years",
            'add "Timestamp", and set timestamp.use = "required"',
        )


def _authorities_vouch_for_all(demands: Demands, _today: date) -> Iterator[Finding]:
    trust = demands.trust
    if demands.signature.use == "forbidden" or not trust.ca_files:
        return
    if not (trust.subject_cert_constraints or trust.issuer_cert_constraints):
        yield Finding(
            "medium",
            "trust.ca_files",
            "whoever has a certificate of these authorities is a trusted signer",
            "set trust.subject_cert_constraints, pin the certificates, or name the peers in [[client]]",
        )
    if not trust.crl_files:
        yield Finding(
            "low",
            "trust.crl_files",
            "no revocation list is looked at: a stolen key is good until its certificate expires",
            "configure the authorities' lists, and see that they are fetched again in time",
        )


def _hmac_has_no_keys(policy: Policy, _operations: Operations | None, _today: date) -> Iterator[Finding]:
    if policy.keys.shared:
        return
    for name, demands in (("", policy), *policy.services.items()):
        listed = [method for method in demands.algorithms.signature if method.startswith("hmac-")]
        if listed and (not name or demands.algorithms != policy.algorithms):
            yield Finding(
                "low",
                f"services.{name}.algorithms.signature" if name else "algorithms.signature",
                f"{', '.join(listed)}: there is no key in keys.shared that such a signature could be held against",
                "take it out",
            )


def _faults_are_not_secured(demands: Demands, _today: date) -> Iterator[Finding]:
    response = demands.response
    if (response.sign or response.encrypt) and not response.secure_faults:
        yield Finding(
            "low",
            "response.secure_faults",
            "answers are secured and faults are not: anybody on the way can send one",
            "set response.secure_faults = true",
        )


# --- What there is once -----------------------------------------------------------------------------------------------


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
    detail = policy.faults.detail
    if detail == "detailed":
        yield Finding(
            "medium",
            "faults.detail",
            "every peer is told which check refused it: a map for whoever tries",
            "use auto; operators find the check in the audit, under the incident id",
        )
    elif detail == "standard" and policy.keys.decrypt:
        yield Finding(
            "high",
            "faults.detail",
            "with decryption keys, different codes for different failures make a decryption oracle",
            "use auto or unified",
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


_EVERYWHERE: Final[tuple[Callable[[Demands, date], Iterator[Finding]], ...]] = (
    _nobody_is_authenticated,
    _password_travels,
    _timestamp_may_be_left_out,
    _windows_are_long,
    _algorithms_are_old,
    _permissions_end,
    _headers_pass_unsigned,
    _signatures_leave_parts_open,
    _authorities_vouch_for_all,
    _faults_are_not_secured,
)
_ONCE: Final[tuple[Callable[[Policy, Operations | None, date], Iterator[Finding]], ...]] = (
    _users_lie_in_a_file,
    _stores_forget,
    _audit_may_fail,
    _peers_are_told_much,
    _exemptions_need_care,
    _clients_are_let_through,
    _claims_match_nothing,
    _hmac_has_no_keys,
)
