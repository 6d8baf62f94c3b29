"""What it takes to break a part of the product on purpose."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]


def nothing(*_: object, **__: object) -> None:
    """Does nothing."""


def yes(*_: object, **__: object) -> bool:
    """Says yes."""
    return True


def original(name: str) -> Callable[..., Any]:
    """The function with this full name, as it is now."""
    module, _, function = name.rpartition(".")
    found: Callable[..., Any] = vars(import_module(module))[function]
    return found


def without(name: str, instead: Callable[..., Any] = nothing) -> Break:
    """The function with this full name is another one."""
    return lambda patch: patch.setattr(name, instead)


def unable(owner: type, name: str, instead: Callable[..., Any] = nothing) -> Break:
    """The method ``name`` of ``owner`` is another one."""
    return lambda patch: patch.setattr(owner, name, instead)
