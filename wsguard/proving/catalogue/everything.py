"""Everything that a proof tries, in order."""

from typing import Final

from wsguard.proving.catalogue import (
    certificates,
    clients,
    encryption,
    exemptions,
    freshness,
    honest,
    http,
    shapes,
    signatures,
    users,
    wrapping,
)
from wsguard.proving.catalogue.control import Control

CATALOGUE: Final[tuple[Control, ...]] = (
    *honest.CONTROLS,
    *freshness.CONTROLS,
    *users.CONTROLS,
    *signatures.CONTROLS,
    *wrapping.CONTROLS,
    *certificates.CONTROLS,
    *encryption.CONTROLS,
    *clients.CONTROLS,
    *shapes.CONTROLS,
    *http.CONTROLS,
)
"""For whatever demands something."""

THROUGH_EXEMPTIONS: Final[tuple[Control, ...]] = exemptions.CONTROLS
"""For what needs no security."""
