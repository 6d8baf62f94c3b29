"""Demands that this version cannot meet yet. They are refused at start: nothing is ever ignored into acceptance.

A feature that arrives deletes its rows here.
"""

from collections.abc import Iterator

from wsguard.policy import Demands, Policy
from wsguard.policy.problems import Problem

_ENCRYPTION = "this version decrypts nothing yet"
_ANSWERS = "this version secures no answers yet"


def unmet_demands(policy: Policy) -> list[Problem]:
    """Every setting of ``policy`` that demands what is not built."""
    problems = list(_of_demands(policy, policy, ""))
    for name, service in policy.services.items():
        problems += _of_demands(service, policy, f"services.{name}.")
    return problems


def _of_demands(demands: Demands, top: Policy, prefix: str) -> Iterator[Problem]:
    response = demands.response
    for demanded, inherited, key, reason in (
        (demands.encryption.use == "required", top.encryption.use == "required", "encryption.use", _ENCRYPTION),
        (response.timestamp, top.response.timestamp, "response.timestamp", _ANSWERS),
        (response.sign, top.response.sign, "response.sign", _ANSWERS),
        (bool(response.encrypt), bool(top.response.encrypt), "response.encrypt", _ANSWERS),
    ):
        if demanded and not (prefix and inherited):
            yield Problem(prefix + key, reason)
