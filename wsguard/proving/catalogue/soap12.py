"""SOAP 1.2: honest messages, and the attacks that matter most, once more in the other version."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from wsguard.message.envelope import SOAP_1_2
from wsguard.proving.case import Case
from wsguard.proving.catalogue import encryption, freshness, honest, passwords, replays, shapes, signatures, users, when
from wsguard.proving.catalogue.control import Attack, Control

_AGAIN: Final = frozenset(
    {
        "honest", "replay", "timestamp.created", "timestamp.expires", "timestamp.presence", "user.password",
        "user.password_in_part", "username_token.presence", "signature.presence", "signature.digest",
        "signature.coverage", "encryption.presence", "encryption.key", "security.presence", "authentication",
        "security.actor", "security.one", "envelope.operations",
    }
)  # fmt: skip
_MODULES: Final = (honest, freshness, replays, users, passwords, signatures, encryption, shapes)


def _again(case: Case) -> Iterator[Attack]:
    other = replace(case, version=SOAP_1_2)
    for control in (control for module in _MODULES for control in module.CONTROLS):
        if control.name in _AGAIN and control.applies(other):
            for attack in control.attacks(other):
                yield replace(attack, how=f"{attack.how}, in SOAP 1.2")


CONTROLS: Final = (Control("soap12", when.always, _again, each="target"),)
