"""The targets: a file each, named after it."""

from importlib import import_module
from typing import Final

from fuzz.target import Target

NAMES: Final = (
    "http",
    "envelope",
    "timestamp",
    "username_token",
    "signature",
    "key_info",
    "encryption",
    "answers",
    "certificates",
    "keystores",
    "config",
    "audit",
)
"""In the order in which a message meets what they try, then what the operator gives."""


def target(name: str) -> Target:
    """The target with this name; it is imported here, so that atheris can watch what it imports.

    Raises:
        KeyError: there is none.
    """
    if name not in NAMES:
        raise KeyError(f"no target {name!r}: there are {', '.join(NAMES)}")
    found: Target = import_module(f"fuzz.targets.{name}").TARGET
    return found
