"""What a spyne application can dispatch on, found without importing spyne (2.14 does not import on Python 3.12)."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from wsguard.interfaces import Application


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
    return Application(
        {names[owner]: frozenset(found) for owner, found in operations.items()},
        actions,
        _namespaces(inner.app.interface),
    )


def _namespaces(interface: Any) -> frozenset[str]:  # noqa: ANN401 - spyne has no types
    """Those of its classes, and those that it has prefixes for: spyne gives prefixes only once they are needed."""
    classes = (str(name) for name in getattr(interface, "classes", {}))
    of_classes = {name[1:].partition("}")[0] for name in classes if name.startswith("{")}
    return frozenset({*of_classes, *getattr(interface, "nsmap", {}).values()})


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
