"""What is written to standard error, by C libraries too: nothing may be."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryFile
from typing import Any, Final

from fuzz.target import demand

_STANDARD_ERROR: Final = 2


@cache
def _taken() -> Any:  # noqa: ANN401 - a temporary file, whose type has no name
    file = TemporaryFile()  # noqa: SIM115 - open for the life of the process
    atexit.register(file.close)
    return file


@contextmanager
def silent() -> Iterator[None]:
    """Let nothing reach standard error.

    Raises:
        Broken: something was written to it. libxml2 would print fragments of decrypted text.
    """
    taken = _taken()
    before = os.dup(_STANDARD_ERROR)
    os.dup2(taken.fileno(), _STANDARD_ERROR)
    try:
        yield
    finally:
        os.dup2(before, _STANDARD_ERROR)
        os.close(before)
        written = os.fstat(taken.fileno()).st_size
        os.ftruncate(taken.fileno(), 0)
        os.lseek(taken.fileno(), 0, os.SEEK_SET)
    demand(not written, f"nothing is written to standard error, and {written} bytes were")
