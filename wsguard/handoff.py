"""What the application is given, and how its answer is passed on: PEP 3333 on both sides."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Final
from wsgiref.types import WSGIEnvironment

_NOT_HANDED_ON: Final = frozenset({"REMOTE_USER", "AUTH_TYPE", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING"})


def handed_on(environ: WSGIEnvironment, octets: bytes) -> WSGIEnvironment:
    """The environ for the application: our octets, and nothing that claims to be our word."""
    given = {
        key: value for key, value in environ.items() if key not in _NOT_HANDED_ON and not key.startswith("wsguard.")
    }
    given["wsgi.input"] = BytesIO(octets)
    given["wsgi.input_terminated"] = True
    given["CONTENT_LENGTH"] = str(len(octets))
    return given


class Watched:
    """The application's iterable, closed as it must be, with an eye on exceptions while it is read."""

    def __init__(self, iterable: Iterable[bytes], failed: Callable[[], None]) -> None:
        self._iterable: Final = iterable
        self._failed: Final = failed

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._iterable
        except Exception:
            self._failed()
            raise

    def close(self) -> None:
        """PEP 3333: whoever wraps an iterable closes it."""
        close = getattr(self._iterable, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception:
            self._failed()
            raise
