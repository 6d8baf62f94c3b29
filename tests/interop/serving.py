"""A service over real HTTP in front of which a guard stands, for clients that are programs of their own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Thread
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from lxml import etree
from werkzeug.serving import make_server

from tests.messages import envelope


def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A SOAP application that answers Echo with the text it was handed."""
    message = etree.fromstring(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    (text,) = message.iter("{urn:echo}text")
    response = etree.Element("{urn:echo}EchoResponse", nsmap={None: "urn:echo"})
    etree.SubElement(response, "{urn:echo}text").text = text.text
    soap = etree.QName(message).namespace or ""
    octets = envelope(None, etree.tostring(response, encoding="unicode"), soap)
    kind = environ["CONTENT_TYPE"].partition(";")[0]
    start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(octets)))])
    return [octets]


class Wire:
    """What lies between a client and a guard: keeps what was sent, and may change it."""

    def __init__(self, application: WSGIApplication, change: Callable[[bytes], bytes] = bytes) -> None:
        self._application: Final = application
        self._change: Final = change
        self.sent: list[bytes] = []
        """What the clients sent, before any change."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        octets = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.sent.append(octets)
        changed = self._change(octets)
        return self._application(
            {**environ, "wsgi.input": BytesIO(changed), "CONTENT_LENGTH": str(len(changed))}, start_response
        )


@contextmanager
def serving(application: WSGIApplication) -> Iterator[str]:
    """The URL of a server of ``application`` on this machine, until the end of the block."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/soap"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
