"""The algorithms that a client may use: what is listed, and what a dated permission adds."""

from datetime import date
from typing import Literal

from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)
from wsguard.policy import Demands

Kind = Literal["signature", "digest", "canonicalization", "encryption", "key_transport"]

_NAMES = {
    "signature": SIGNATURE_ALGORITHMS,
    "digest": DIGEST_ALGORITHMS,
    "canonicalization": CANONICALIZATION_ALGORITHMS,
    "encryption": ENCRYPTION_ALGORITHMS,
    "key_transport": KEY_TRANSPORT_ALGORITHMS,
}


def allowed(kind: Kind, demands: Demands, client: str, today: date) -> tuple[str, ...]:
    """Short names of the algorithms that ``client`` may use under ``demands``, the listed ones first."""
    listed: tuple[str, ...] = getattr(demands.algorithms, kind)
    permitted = (
        one.algorithm
        for one in demands.algorithms.legacy
        if one.until >= today and one.algorithm in _NAMES[kind] and (not one.clients or client in one.clients)
    )
    return tuple(dict.fromkeys((*listed, *permitted)))
