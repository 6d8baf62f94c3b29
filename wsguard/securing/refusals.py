"""The one refusal of this room."""

from collections.abc import Iterator
from contextlib import contextmanager

from wsguard.faults import Fault


class NotSecurable(Exception):
    """A message cannot be secured as demanded, and must not be sent. The text is for the audit, not for the wire."""


@contextmanager
def as_not_securable() -> Iterator[None]:
    """Let the refusals of what is reused here, which blame a message that arrived, blame the one that is to be sent.

    Raises:
        NotSecurable: in the place of any ``Fault``.
    """
    try:
        yield
    except Fault as fault:
        raise NotSecurable(f"{fault.check}: {fault.seen}; expected {fault.expected}") from None
