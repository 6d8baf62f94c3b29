"""What a spyne application can dispatch on, and the verified tree in the place of its second parse.

All without importing spyne (2.14 does not import on Python 3.12).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from lxml.etree import XPath

from wsguard.interfaces import Application
from wsguard.verified import MESSAGE_KEY, VerifiedMessage


def introspect(application: object) -> Application | None:
    """The services and operations of a ``spyne.server.wsgi.WsgiApplication``; None for anything else.

    Dispatch is by the ``{namespace}name`` of the Body's first child (``ProtocolMixin.get_call_handles``), so those are
    the operations, whatever the path.
    """
    if not any(cls.__module__ == "spyne.server.wsgi" for cls in type(application).__mro__):
        return None
    inner: Any = application
    operations: dict[type | None, set[str]] = defaultdict(set)
    actions: dict[str, frozenset[str]] = {}
    for operation, methods in inner.app.interface.service_method_map.items():
        # An auxiliary method runs beside the one that answers: that one's class owns the operation.
        for method in (method for method in methods if method.aux is None):
            operations[method.service_class or method.parent_class].add(operation)
            actions[operation] = actions.get(operation, frozenset()) | {method.operation_name, method.name}
    names = _names(operations)
    interface = inner.app.interface
    types = frozenset(name for name in map(str, getattr(interface, "classes", {})) if name.startswith("{"))
    return Application(
        {names[owner]: frozenset(found) for owner, found in operations.items()},
        actions,
        _namespaces(types, interface),
        types,
    )


def _namespaces(types: frozenset[str], interface: Any) -> frozenset[str]:  # noqa: ANN401 - spyne has no types
    """Those of its classes, and those that it has prefixes for: spyne gives prefixes only once they are needed."""
    return frozenset({*(name[1:].partition("}")[0] for name in types), *getattr(interface, "nsmap", {}).values()})


def _names(owners: Iterable[type | None]) -> dict[type | None, str]:
    """What each service class is called: its name, or with its module where another class has that name too.

    An exemption must never fall on a class that only happens to be called the same.
    """
    short = {owner: owner.__name__ if owner else "" for owner in owners}
    often = Counter(short.values())
    return {
        owner: name if owner is None or often[name] == 1 else f"{owner.__module__}.{owner.__qualname__}"
        for owner, name in short.items()
    }


# --- The verified tree ------------------------------------------------------------------------------------------------

_PARSED_ALIKE: Final[Mapping[str, object]] = {
    "attribute_defaults": False,
    "dtd_validation": False,
    "encoding": None,
    "ns_clean": False,
    "remove_blank_text": False,
    "remove_comments": True,
    "strip_cdata": True,
}
"""Settings of spyne's parser under which it would make the tree that was verified."""

# What spyne 2.14 gets from lxml.etree.XMLID, and resolves href with.
_WITH_ID: Final = XPath("//*[string(@id)]")


def take_trees(application: object) -> None:
    """Let a spyne application take the tree of a verified message instead of parsing its octets again.

    Only a protocol that parses as ``spyne.protocol.soap`` 2.14 does is changed; any other goes on with the octets. It
    does so too for a request that something between the guard and the protocol has touched, and for one that came by
    no guard.
    """
    if introspect(application) is None:
        return
    server: Any = application
    protocol = server.app.in_protocol
    parse: Any = getattr(protocol, "create_in_document", None)
    settings = getattr(protocol, "parser_kwargs", {})
    own = getattr(parse, "__module__", ""), getattr(parse, "__qualname__", "")
    if own == ("spyne.protocol.soap.soap11", "Soap11.create_in_document") and _PARSED_ALIKE.items() <= settings.items():
        protocol.create_in_document = _TakingTrees(parse)


class _TakingTrees:
    """``create_in_document`` of one protocol."""

    def __init__(self, parse: Callable[..., None]) -> None:
        """
        Args:
            parse: what the protocol does by itself.
        """
        self._parse: Final = parse

    def __call__(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ANN401 - spyne has no types
        message = _untouched(getattr(ctx.transport, "req_env", {}))
        # Several servers may share an application; each has a bound of its own on what it takes.
        most = getattr(getattr(ctx.transport, "itself", None), "max_content_length", 0)
        if message is None or len(message.octets) > most:
            self._parse(ctx, charset)
            return
        found = _WITH_ID(message.tree) if b"id=" in message.octets else []
        ctx.in_document = message.tree, {element.get("id"): element for element in found}


def _untouched(environ: WSGIEnvironment) -> VerifiedMessage | None:
    """The message of a request whose octets are still those of its hand-off, unread; else None."""
    message, octets = environ.get(MESSAGE_KEY), environ.get("wsgi.input")
    if not isinstance(message, VerifiedMessage) or type(octets) is not BytesIO or environ["REQUEST_METHOD"] != "POST":
        return None
    return message if octets.tell() == 0 and octets.getvalue() == message.octets else None
