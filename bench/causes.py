"""What is measured: causes of a refusal that a client must not be able to tell apart, in groups.

Within a group the guard is the same, and so is the form of the messages. The first cause is the one that the others are
compared with.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from wsgiref.types import StartResponse, WSGIEnvironment

from wsguard.audit.memory import MemoryAudit
from wsguard.middleware import Guard

BODY: Final = f'<e:Echo xmlns:e="urn:echo"><e:text>{"0123456789 abcde" * 120}</e:text></e:Echo>'
"""An operation of 2 KB."""


@dataclass(frozen=True)
class Cause:
    """Why a message is refused."""

    name: str
    check: str
    """What refuses it, as the audit has it."""
    make: Callable[[], bytes]
    """A new message: no two have keys, vectors or nonces in common."""


@dataclass(frozen=True)
class Group:
    """Causes that must look alike."""

    title: str
    guard: Guard
    audit: MemoryAudit
    """Of the guard."""
    causes: tuple[Cause, ...]


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """An application; nothing that is measured gets there."""
    start_response("200 OK", [("Content-Type", "text/xml")])
    return [b"<ok/>"]
