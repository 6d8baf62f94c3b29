"""Times as people write and read them on the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

Utc = Annotated[bool, typer.Option("--utc", help="Times in UTC; otherwise in local time.")]

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def since_when(text: str, now: datetime, *, utc: bool = True, option: str = "--since") -> datetime:
    """The time that an option means: ``90s``, ``30m``, ``1h`` or ``7d`` ago, or ISO 8601.

    Args:
        text: what was given.
        now: aware.
        utc: a time without a zone is in UTC; otherwise in local time.
        option: for the complaint.

    Returns:
        an aware time in UTC.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        if match := re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if utc and moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise typer.BadParameter("30m, 1h, 7d or a time in ISO 8601 is expected", param_hint=option) from error


def shown(time: datetime, *, utc: bool) -> str:
    """``time`` to the second."""
    return _there(time, utc).strftime("%Y-%m-%d %H:%M:%S")


def zone(*, utc: bool) -> str:
    """The name of the zone that ``shown`` uses."""
    return _there(datetime.now(UTC), utc).tzname() or "local"


def _there(time: datetime, utc: bool) -> datetime:
    try:
        return time.astimezone(UTC if utc else None)
    except (ValueError, OverflowError, OSError):
        # Within a day of the calendar's ends, which a damaged audit may name, there is no other zone.
        return time
