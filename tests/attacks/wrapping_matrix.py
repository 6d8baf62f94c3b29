"""A: every place for the signed Body, with every way to treat its Id and its prefix: the search of WS-Attacker."""

from collections.abc import Iterable
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import SPOTS, Spot, evil_body, moved
from tests.messages import SOAP11

MATRIX: Final = Chapter("A", "signed")

WS_ATTACKER: Final = "WS-Attacker, plug-in Signature Wrapping"

Wrapped = tuple[Spot, str]
"""Where the signed Body is put, and the Body that takes its place."""

SAME: Final = 'wsu:Id="body"'
OTHER: Final = {
    "with another Id": 'wsu:Id="evil"',
    "without Id": "",
}
PREFIXES: Final = {
    "under a new prefix": evil_body(prefix="E", declared=f'xmlns:E="{SOAP11}"'),
    "under the default namespace": evil_body(prefix="", declared=f'xmlns="{SOAP11}"'),
    "under a prefix that meant something else": evil_body(prefix="wsse", declared=f'xmlns:wsse="{SOAP11}"'),
}
COVERED_NOWHERE: Final = [label for label, spot in SPOTS.items() if spot.check == "signature.coverage"]


def _of_check(check: str) -> dict[str, Wrapped]:
    """The messages that this check refuses, by what is said of them."""
    return {label: wrapped for label, found, wrapped in _all() if found == check}


def _all() -> Iterable[tuple[str, str, Wrapped]]:
    for place, spot in SPOTS.items():
        yield f"{place}, and one with the same Id is executed", "envelope.duplicate_id", (spot, evil_body(SAME))
        for said, attribute in OTHER.items():
            yield f"{place}, and one {said} is executed", spot.check, (spot, evil_body(attribute))
    for place in COVERED_NOWHERE:
        for said, body in PREFIXES.items():
            yield f"{place}, and one {said} is executed", "signature.coverage", (SPOTS[place], body)


def the_signed_body_is_put_into(wrapped: Wrapped) -> Built:
    return moved(*wrapped)


for _check in dict.fromkeys(check for _, check, _ in _all()):
    MATRIX.each_refused(_check, _of_check(_check), source=WS_ATTACKER)(the_signed_body_is_put_into)


EVERY: Final = (*MATRIX,)
