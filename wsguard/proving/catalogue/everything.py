"""Everything that a proof tries, in order."""

from typing import Final

from wsguard.proving.catalogue import (
    answers,
    certificates,
    clients,
    comparing,
    encryption,
    exemptions,
    freshness,
    handoff,
    honest,
    http,
    limits,
    passwords,
    replays,
    shapes,
    signatures,
    soap12,
    users,
    wrapping,
)
from wsguard.proving.catalogue.control import Control

CATALOGUE: Final[tuple[Control, ...]] = (
    *honest.CONTROLS,
    *freshness.CONTROLS,
    *replays.CONTROLS,
    *users.CONTROLS,
    *passwords.CONTROLS,
    *signatures.CONTROLS,
    *comparing.CONTROLS,
    *wrapping.CONTROLS,
    *certificates.CONTROLS,
    *encryption.CONTROLS,
    *clients.CONTROLS,
    *shapes.CONTROLS,
    *limits.CONTROLS,
    *http.CONTROLS,
    *handoff.CONTROLS,
    *answers.CONTROLS,
    *soap12.CONTROLS,
)
"""For whatever demands something."""

THROUGH_EXEMPTIONS: Final[tuple[Control, ...]] = exemptions.CONTROLS
"""For what needs no security."""
