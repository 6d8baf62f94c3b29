"""The application that is guarded: spyne with a schema, as users have it, and messages to it of any size."""

import warnings
from typing import Any, Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # spyne imports cgi, and brings a six of its own
    import spyne
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

TNS: Final = "urn:orders"
LARGEST: Final = 64 * 1024 * 1024
"""Octets that spyne is told to take: its own bound is no part of what is measured."""


def order(ctx: object, items: list[object]) -> int:
    """How many items were ordered."""
    return len(items)


def application() -> Any:  # noqa: ANN401 - spyne has no types
    """A new application with the one operation, which holds what it gets against its schema."""
    fields = {"name": spyne.Unicode, "count": spyne.Integer, "note": spyne.Unicode}
    item = type(spyne.ComplexModel)("Item", (spyne.ComplexModel,), {"__namespace__": TNS, **fields})
    operation = spyne.rpc(spyne.Array(item), _returns=spyne.Integer)(order)
    service = type(spyne.Service)("Orders", (spyne.Service,), {"order": operation})
    made = spyne.Application([service], TNS, in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
    return WsgiApplication(made, max_content_length=LARGEST)


_ITEM: Final = "<o:Item><o:name>item {0:06}</o:name><o:count>{0}</o:count><o:note>" + "n" * 40 + "</o:note></o:Item>"


def message(octets: int) -> bytes:
    """A call of about this many octets, without a Header."""
    items = "".join(map(_ITEM.format, range(max(1, (octets - 250) // len(_ITEM.format(0))))))
    return (
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        f'<o:order xmlns:o="{TNS}"><o:items>{items}</o:items></o:order></S:Body></S:Envelope>'
    ).encode()
