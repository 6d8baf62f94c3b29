"""The spyne application of the site "bank": three operations that count as done once they ran."""

import warnings
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.attacks.calls import TNS
from tests.guarding import Echo

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # spyne imports cgi, and brings a six of its own
    import spyne
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication


def transfer(ctx: Any, to: Any, amount: Any) -> str:
    """A member's: moves money."""
    return f"moved {amount} to {to}"


def ping(ctx: Any, text: Any) -> str:
    """A member's: does nothing."""
    return str(text)


def lead(ctx: Any, name: Any) -> str:
    """Anybody's: exempt."""
    return str(name)


def _application() -> Any:
    text = spyne.Unicode
    operations = {
        "transfer": spyne.rpc(text, spyne.Integer, _returns=text)(transfer),
        "ping": spyne.rpc(text, _returns=text)(ping),
    }
    members = type(spyne.Service)("Members", (spyne.Service,), operations)
    leads = type(spyne.Service)("Leads", (spyne.Service,), {"lead": spyne.rpc(text, _returns=text)(lead)})
    made = spyne.Application([members, leads], TNS, in_protocol=Soap11(), out_protocol=Soap11())
    return WsgiApplication(made)


BANK = _application()


class Counter:
    """Lets a call through to the bank and remembers it in an echo, which is asked what was handed off."""

    def __init__(self, bank: WSGIApplication, echo: Echo) -> None:
        self._bank, self._echo = bank, echo

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        octets = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self._echo.handed.append((environ, octets))
        return self._bank({**environ, "wsgi.input": BytesIO(octets)}, start_response)
