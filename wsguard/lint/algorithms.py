"""Algorithms that are weak, and permissions that end."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from wsguard.interfaces import Operations
from wsguard.lint.finding import Finding, RuleOfDemands, RuleOfPolicy
from wsguard.policy import Demands, Policy

SOON: Final = timedelta(days=30)
"""A date this near is announced. Thirty days: one change window in most houses."""

BROKEN_ALGORITHMS: Final = frozenset(
    {
        "rsa-sha1", "ecdsa-sha1", "hmac-sha1", "sha1",
        "aes128-cbc", "aes192-cbc", "aes256-cbc", "tripledes-cbc", "rsa-1_5",
    }
)  # fmt: skip
"""SHA-1: NIST SP 800-131A revision 2, §3. CBC and RSA 1.5: XML Encryption 1.1 §5.2 and §5.5.1 (padding oracles)."""


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


ALGORITHM_RULES: Final[tuple[RuleOfDemands, ...]] = (_algorithms_are_old, _permissions_end)
ALGORITHM_RULES_ONCE: Final[tuple[RuleOfPolicy, ...]] = (_hmac_has_no_keys,)
