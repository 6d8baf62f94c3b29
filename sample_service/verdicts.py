"""What an attempt is: a message, and the verdict that it must get."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from sample_service.client import ClubClient, Exchange

Send = Callable[[ClubClient], Exchange]


class Verdict(NamedTuple):
    """What the audit says of a message."""

    outcome: str
    check: str
    """That decided; empty where none refused, unless it needed a dated permission."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message."""

    title: str
    send: Send
    verdict: Verdict
    """What it must get."""
    answer: str
    """Part of what the client must be told."""


ACCEPTED: Final = Verdict("accepted", "")
EXEMPT: Final = Verdict("exempt", "exemption")
ONE_ANSWER: Final = "wsse:InvalidSecurity"
"""What a client is told of whatever is wrong with its Security header: where there are decryption keys, another answer
for another reason would tell an attacker about them. The audit tells the reasons apart."""


def rejected(check: str) -> Verdict:
    """The verdict of a message that ``check`` refuses."""
    return Verdict("rejected", check)
