"""Guards to run the catalogue against, each in a process of its own: ``python -m tests.attacks.naive KIND SITE …``.

``zeep`` is what a careful reader of zeep's documentation would write today: it verifies the signature by
``zeep.wsse.signature.verify_envelope``, and hands the message on. It is here to show why that is not enough.
"""

import socketserver
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import zeep.wsse.signature
from lxml import etree

import wsguard
from tests.answers.answering import Application
from wsguard.config import load_policy

ZEEP: Any = zeep.wsse.signature
"""It has no types."""
MANY: Final = 100_000
_ANSWER: Final = (
    b'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><e:EchoResponse xmlns:e="urn:echo"/>'
    b"</S:Body></S:Envelope>"
)
_FAULT: Final = (
    b'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault><faultcode>S:Client</faultcode>'
    b"<faultstring>no</faultstring></S:Fault></S:Body></S:Envelope>"
)


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application behind every one of them."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8")])
    return [_ANSWER]


def refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A guard that is never wrong about an attack."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("500 Internal Server Error", [("Content-Type", "text/xml; charset=utf-8")])
    return [_FAULT]


def by_zeep(material: Path) -> WSGIApplication:
    """A guard that asks zeep whether Alice's signature is good."""
    certificate = material / "alice.pem"

    def guard(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        octets = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            ZEEP.verify_envelope(etree.fromstring(octets), certificate)
        except Exception:  # noqa: BLE001 (whatever it stumbles over, it refuses)
            return refuse({**environ, "CONTENT_LENGTH": "0"}, start_response)
        return echo({**environ, "CONTENT_LENGTH": "0"}, start_response)

    return guard


def by_wsguard(file: Path) -> WSGIApplication:
    """wsguard, but that the whole catalogue comes from one address: no wrong password locks an honest user out."""
    policy = load_policy(file)
    patient = policy.username_token.model_copy(update={"max_failures": MANY})
    application: WSGIApplication = echo
    if file.stem == "bank":
        from tests.attacks.bank import BANK

        application = BANK
    elif file.stem == "answering":
        application = Application()
    return wsguard.guard(application, policy.model_copy(update={"username_token": patient}))


KINDS: Final[dict[str, Callable[[Path, str], WSGIApplication]]] = {
    "wsguard": lambda material, site: by_wsguard(material / f"{site}.toml"),
    "zeep": lambda material, site: by_zeep(material),
    "nobody": lambda material, site: echo,
    "everybody": lambda material, site: refuse,
}
"""Who stands in front of the application."""


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


class Forking(socketserver.ForkingMixIn, WSGIServer):
    """A message that kills a process kills no other."""


def main() -> None:
    """Serve: KIND, SITE, the directory of the material, a port."""
    kind, site, material, port = sys.argv[1:]
    # What remembers replays in memory must be one process.
    server = WSGIServer if kind == "wsguard" else Forking
    application = KINDS[kind](Path(material), site)
    with make_server("127.0.0.1", int(port), application, server, Quiet) as serving:
        serving.serve_forever()


if __name__ == "__main__":
    main()
