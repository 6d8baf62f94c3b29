"""What every store can do, whatever else it is for."""

from typing import Protocol


class Closable(Protocol):
    """Something that holds a file or a connection."""

    def close(self) -> None:
        """Release what it holds."""
        ...
