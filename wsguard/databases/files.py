"""The file of a SQLite database: made for its owner alone, and told from another in its place."""

import os
import threading
from pathlib import Path
from typing import Final

_CREATING: Final = threading.Lock()


def create_private_file(path: Path) -> None:
    """Create ``path``, empty and for its owner only, unless it is there.

    Raises:
        OSError: it is not there and cannot be created.
    """
    # Never open a database that exists: closing the descriptor would drop the locks that SQLite holds on the file for
    # other connections of this process (fcntl(2); "How To Corrupt An SQLite Database File" §2.2).
    with _CREATING:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return


def identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at ``path`` from one that is put in its place; None where none can be reached."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
