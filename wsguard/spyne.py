"""What a spyne application can dispatch on, found without importing spyne (2.14 does not import on Python 3.12)."""

from collections import defaultdict
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
    operations: dict[str, set[str]] = defaultdict(set)
    actions: dict[str, frozenset[str]] = {}
    for operation, methods in inner.app.interface.service_method_map.items():
        for method in methods:
            owner = method.service_class or method.parent_class
            operations[owner.__name__ if owner else ""].add(operation)
            actions[operation] = actions.get(operation, frozenset()) | {method.operation_name, method.name}
    return Application({name: frozenset(found) for name, found in operations.items()}, actions)
