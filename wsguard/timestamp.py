"""wsu:Timestamp (WSS 1.1 §10): read strictly, then held against the window."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from lxml.etree import _Element

from wsguard.explanation import Explanation
from wsguard.faults import InvalidSecurity, MessageExpired
from wsguard.message.lexical import (
    XML_WHITE_SPACE,
    at_most_one,
    leaf_text,
    local_name,
    only_attributes,
    only_children,
    parse_date_time,
)
from wsguard.names import CREATED, EXPIRES, IDS
from wsguard.policy.demands import TimestampDemands
from wsguard.verified import Timestamp
from wsguard.window import place_in_window

_malformed = partial(InvalidSecurity, "timestamp.malformed")
_CHILDREN: Final = frozenset({CREATED, EXPIRES})
_OF_INSTANTS: Final = {tag: partial(_malformed, setting=f"wsu:{local_name(tag)}") for tag in _CHILDREN}


def verify_timestamp(
    element: _Element, demands: TimestampDemands, now: datetime, explanation: Explanation
) -> Timestamp:
    """Read a Timestamp and demand that ``now`` lies inside it.

    Raises:
        InvalidSecurity: ``timestamp.malformed``, ``timestamp.not_yet_valid``, ``timestamp.lifetime``.
        MessageExpired: ``timestamp.expired``.
    """
    timestamp = _read(element, demands)
    if timestamp.created is not None:
        explanation.facts.clock_skew_s = round((timestamp.created - now).total_seconds(), 3)
    _check_window(timestamp, demands, now)
    _check_lifetime(timestamp, demands, now)
    explanation.passed(
        "timestamp",
        expected=f"at most {demands.time_to_live} s old and {demands.future_time_to_live} s ahead of {now}",
        seen=f"created {timestamp.created}, expires {timestamp.expires}",
        setting="timestamp",
    )
    return timestamp


def _read(element: _Element, demands: TimestampDemands) -> Timestamp:
    only_attributes(element, IDS, _malformed)
    only_children(element, _CHILDREN, _malformed)
    created, expires = _instant(element, CREATED), _instant(element, EXPIRES)
    for value, required, key in (
        (created, demands.require_created, "require_created"),
        (expires, demands.require_expires, "require_expires"),
    ):
        if required and value is None:
            expected = f"wsu:{key.removeprefix('require_').capitalize()}"
            raise _malformed(expected=expected, seen="none", setting=f"timestamp.{key}")
    return Timestamp(created, expires)


def _instant(parent: _Element, tag: str) -> datetime | None:
    child = at_most_one(parent, tag, _malformed)
    if child is None:
        return None
    only_attributes(child, IDS, _malformed)
    text = leaf_text(child, _malformed)
    return parse_date_time(text.strip(XML_WHITE_SPACE), _OF_INSTANTS[tag])


def _check_window(timestamp: Timestamp, demands: TimestampDemands, now: datetime) -> None:
    if timestamp.created is not None:
        place = place_in_window(timestamp.created, now, demands.time_to_live, demands.future_time_to_live)
        if place == "not_yet_valid":
            raise InvalidSecurity(
                "timestamp.not_yet_valid",
                expected=f"Created at most {demands.future_time_to_live} s after {now}",
                seen=f"Created {timestamp.created}",
                setting="timestamp.future_time_to_live",
            )
        if place == "expired":
            raise MessageExpired(
                "timestamp.expired",
                expected=f"Created at most {demands.time_to_live} s before {now}",
                seen=f"Created {timestamp.created}",
                setting="timestamp.time_to_live",
            )
    if timestamp.expires is not None and timestamp.expires <= now:
        raise MessageExpired("timestamp.expired", expected=f"Expires after {now}", seen=f"Expires {timestamp.expires}")


def _check_lifetime(timestamp: Timestamp, demands: TimestampDemands, now: datetime) -> None:
    if timestamp.expires is None:
        return
    lifetime = timestamp.expires - (timestamp.created or now)
    if not timedelta(0) < lifetime <= timedelta(seconds=demands.max_lifetime):
        raise InvalidSecurity(
            "timestamp.lifetime",
            expected=f"Expires after {'Created' if timestamp.created else 'now'} by at most {demands.max_lifetime} s",
            seen=f"{lifetime.total_seconds():.0f} s",
            setting="timestamp.max_lifetime",
        )
