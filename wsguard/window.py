"""The window in which a message that says when it was made is taken."""

from datetime import datetime, timedelta
from typing import Literal

Place = Literal["inside", "expired", "not_yet_valid"]


def place_in_window(created: datetime, now: datetime, time_to_live: int, future_time_to_live: int) -> Place:
    """Where ``now`` lies relative to the window that ``created`` opens; both ends belong to it.

    Args:
        created: aware.
        now: aware.
        time_to_live: seconds after ``created``.
        future_time_to_live: seconds that ``created`` may lie ahead.
    """
    age = now - created
    if age > timedelta(seconds=time_to_live):
        return "expired"
    return "not_yet_valid" if -age > timedelta(seconds=future_time_to_live) else "inside"
