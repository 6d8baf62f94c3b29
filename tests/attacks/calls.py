"""Calls of the bank's operations, as they stand in a Body."""

from typing import Final

TNS: Final = "urn:bank"


def call(operation: str, inside: str = "", attributes: str = "") -> str:
    """A call of one of the bank's operations."""
    return f'<b:{operation} xmlns:b="{TNS}"{attributes}>{inside}</b:{operation}>'


LEAD: Final = call("lead", "<b:name>eve</b:name>")
"""Anybody may."""
PING: Final = call("ping", "<b:text>hello</b:text>")
"""Members may."""
MOVE: Final = call("transfer", "<b:to>eve</b:to><b:amount>5</b:amount>")
"""Members may, and this is what is wanted."""
