"""One call of an application, as a server makes it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from tests.guarding import environ_for


def prepared(application: WSGIApplication, octets: bytes) -> Callable[[], None]:
    """Posts a message when it is called; the environ is made now.

    The result raises RuntimeError where the answer is not 200.
    """
    environ = environ_for(octets, PATH_INFO="/")

    def call() -> None:
        started: list[str] = []
        answer = application(environ, lambda status, headers, _=None: started.append(status))  # type: ignore[arg-type]
        body = b"".join(answer)
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        if not started[0].startswith("200"):
            raise RuntimeError(body.decode())

    return call


@contextmanager
def quiet() -> Iterator[None]:
    """Without what spyne and the guard say of their start."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
