"""What the application is given, and how its answer is passed on: PEP 3333 on both sides."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from wsgiref.types import WSGIApplication, WSGIEnvironment

from wsguard.faults import UnsecuredAnswer

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
        self._told = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._iterable
        except Exception:
            self._tell()
            raise

    def close(self) -> None:
        """PEP 3333: whoever wraps an iterable closes it."""
        close = getattr(self._iterable, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception:
            self._tell()
            raise

    def _tell(self) -> None:
        """What raised while it was read may raise again where it is closed: a request has one record."""
        if not self._told:
            self._told = True
            self._failed()


@dataclass(frozen=True, slots=True)
class Captured:
    """An application's whole answer."""

    status: str
    """As given to start_response: ``200 OK``."""
    headers: tuple[tuple[str, str], ...]
    octets: bytes


def capture(application: WSGIApplication, environ: WSGIEnvironment, most: int) -> Captured:
    """Run ``application`` to its end and keep what it answers, at most ``most`` bytes.

    Raises:
        UnsecuredAnswer: it answers more; its iterable was closed.
        Exception: whatever the application raises.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    chunks: list[bytes] = []
    size = 0

    def keep(chunk: bytes) -> None:
        nonlocal size
        size += len(chunk)
        if size > most:
            raise UnsecuredAnswer(f"more than {most} bytes", setting="limits.response_bytes")
        chunks.append(chunk)

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        nonlocal size
        if started and not exc_info:
            raise RuntimeError("the application called start_response twice")
        # PEP 3333: with exc_info an application replaces what it started. Nothing of that was sent yet.
        started[:] = [(status, list(headers))]
        chunks.clear()
        size = 0
        return keep

    iterable = application(environ, start_response)
    try:
        for chunk in iterable:
            keep(chunk)
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    if not started:
        raise RuntimeError("the application returned without calling start_response")
    status, headers = started[0]
    return Captured(status, tuple(headers), b"".join(chunks))


_OF_THE_BODY: Final = frozenset(
    {"content-type", "content-length", "content-encoding", "content-md5", "etag", "transfer-encoding", "digest"}
)


def headers_for(captured: Captured, content_type: str, octets: bytes) -> list[tuple[str, str]]:
    """The headers of an answer whose body was replaced by ``octets``."""
    kept = [(name, value) for name, value in captured.headers if name.lower() not in _OF_THE_BODY]
    return [*kept, ("Content-Type", f"{content_type}; charset=utf-8"), ("Content-Length", str(len(octets)))]
