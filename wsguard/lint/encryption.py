"""What is encrypted, by whom, and what of it is judged before anybody can see which service it is for."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule
from wsguard.policy.demands import AlgorithmDemands

_ANYBODY_ENCRYPTS: Final = Rule(
    name="lint.anybody_encrypts",
    risk="medium",
    finds="messages must be encrypted and need not be signed",
    cure='set signature.use = "required"',
)
_BODY_IN_THE_CLEAR: Final = Rule(
    name="lint.body_in_the_clear",
    risk="low",
    finds="something must be encrypted, and the Body need not be",
    cure='add "Body" to encryption.required_parts',
)
_TOP_REFUSES_ALGORITHM: Final = Rule(
    name="lint.top_refuses_algorithm",
    risk="medium",
    finds="what only a service allows is refused in an encrypted message",
    cure="list it at the top of the file, or permit it there in [[algorithms.legacy]]",
)
_TOP_REFUSES_SIGNER: Final = Rule(
    name="lint.top_refuses_signer",
    risk="medium",
    finds="whom only a service trusts is refused in an encrypted message",
    cure="name the authorities and certificates in [trust] at the top too; each service can narrow it",
)
_KEY_UNUSED: Final = Rule(
    name="lint.key_unused",
    risk="low",
    finds="a private key lies here for nothing",
    cure="take the key out, or demand what it is for",
)

ENCRYPTION_CATALOGUE: Final = (
    _ANYBODY_ENCRYPTS, _BODY_IN_THE_CLEAR, _TOP_REFUSES_ALGORITHM, _TOP_REFUSES_SIGNER, _KEY_UNUSED,
)  # fmt: skip


def _anybody_encrypts(look: Look) -> Iterator[Finding]:
    demands = look.demands
    if demands.encryption.use != "required":
        return
    if demands.signature.use != "required":
        yield _ANYBODY_ENCRYPTS.at(
            "encryption.use",
            "messages must be encrypted and need not be signed: anybody can encrypt for our certificate, so whoever can"
            " change a message can put another Body into it",
        )
    if "Body" not in demands.encryption.required_parts:
        text = f"only {', '.join(demands.encryption.required_parts)} must be encrypted: the Body can be read on the way"
        yield _BODY_IN_THE_CLEAR.at("encryption.required_parts", text)


def _the_top_refuses_first(look: Look) -> Iterator[Finding]:
    """An encrypted Body has no operation: until it is open, algorithms and signers are those of the top of the file."""
    top = look.policy
    for name, service in top.services.items():
        encryption = service.encryption
        if encryption.use != "required" or "Body" not in encryption.required_parts:
            continue
        unknown = sorted(_every_algorithm(service.algorithms) - _every_algorithm(top.algorithms))
        if unknown:
            yield _TOP_REFUSES_ALGORITHM.at(
                f"services.{name}.algorithms",
                f"{', '.join(unknown)}: refused in an encrypted message, before anybody can see that it is for this"
                " service",
            )
        if {*service.trust.ca_files, *service.trust.pinned_certificates} - {
            *top.trust.ca_files,
            *top.trust.pinned_certificates,
        }:
            yield _TOP_REFUSES_SIGNER.at(
                f"services.{name}.trust",
                "a signer whom the top of the file does not trust is refused in an encrypted message, before anybody"
                " can see that it is for this service",
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


def _keys_are_unused(look: Look) -> Iterator[Finding]:
    policy = look.policy
    if policy.keys.decrypt and all(demands.encryption.use == "forbidden" for demands in policy.every_demand):
        yield _KEY_UNUSED.at("keys.decrypt", "nothing may be encrypted for these keys, and they can still be stolen")
    if policy.keys.sign is not None and not any(demands.response.sign for demands in policy.every_demand):
        yield _KEY_UNUSED.at("keys.sign", "no answer is signed with this key, and it can still be stolen")


ENCRYPTION_RULES: Final[tuple[Looker, ...]] = (_anybody_encrypts,)
ENCRYPTION_RULES_ONCE: Final[tuple[Looker, ...]] = (_the_top_refuses_first, _keys_are_unused)
