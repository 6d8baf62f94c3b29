"""What is encrypted, by whom, and what of it is judged before anybody can see which service it is for."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from wsguard.interfaces import Operations
from wsguard.lint.finding import Finding, RuleOfDemands, RuleOfPolicy
from wsguard.policy import Demands, Policy
from wsguard.policy.demands import AlgorithmDemands


def _anybody_encrypts(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.encryption.use == "required" and demands.signature.use != "required":
        yield Finding(
            "medium",
            "encryption.use",
            "messages must be encrypted and need not be signed: anybody can encrypt for our certificate, so whoever can"
            " change a message can put another Body into it",
            'set signature.use = "required"',
        )


def _the_top_refuses_first(policy: Policy, _operations: Operations | None, _today: date) -> Iterator[Finding]:
    """An encrypted Body has no operation: until it is open, algorithms and signers are those of the top of the file."""
    for name, service in policy.services.items():
        encryption = service.encryption
        if encryption.use != "required" or "Body" not in encryption.required_parts:
            continue
        known = _every_algorithm(policy.algorithms)
        unknown = sorted(_every_algorithm(service.algorithms) - known)
        if unknown:
            yield Finding(
                "medium",
                f"services.{name}.algorithms",
                f"{', '.join(unknown)}: refused in an encrypted message, before anybody can see that it is for this"
                " service",
                "list it at the top of the file, or permit it there in [[algorithms.legacy]]",
            )
        if {*service.trust.ca_files, *service.trust.pinned_certificates} - {
            *policy.trust.ca_files,
            *policy.trust.pinned_certificates,
        }:
            yield Finding(
                "medium",
                f"services.{name}.trust",
                "a signer whom the top of the file does not trust is refused in an encrypted message, before anybody"
                " can see that it is for this service",
                "name the authorities and certificates in [trust] at the top too; each service can narrow it",
            )


def _every_algorithm(algorithms: AlgorithmDemands) -> frozenset[str]:
    """All that an encrypted and signed message can be made with, for somebody."""
    return frozenset(
        [
            *algorithms.encryption,
            *algorithms.key_transport,
            *algorithms.signature,
            *algorithms.digest,
            *algorithms.canonicalization,
            *(permission.algorithm for permission in algorithms.legacy),
        ]
    )


ENCRYPTION_RULES: Final[tuple[RuleOfDemands, ...]] = (_anybody_encrypts,)
ENCRYPTION_RULES_ONCE: Final[tuple[RuleOfPolicy, ...]] = (_the_top_refuses_first,)
