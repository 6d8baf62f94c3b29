"""``wsguard check --prove``: a live attack on a configuration, to see whether every control in it really refuses."""

from wsguard.proving.proof import prove
from wsguard.proving.rows import Row

__all__ = ["Row", "prove"]
