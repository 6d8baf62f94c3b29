"""Calls at a fork that keep nothing alive."""

import weakref
from collections.abc import Callable


def weakly(method: Callable[[], None]) -> Callable[[], None]:
    """A call of ``method`` that does not keep its object alive: what is registered at a fork stays for ever."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    return call
