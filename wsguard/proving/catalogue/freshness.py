"""Attacks with the time: what is old, what is of tomorrow, what says nothing of it, and what was seen before."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final

from lxml.etree import _Element

from wsguard.names import CREATED, EXPIRES
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.letters import Change
from wsguard.securing.draft import Draft

_BEYOND: Final = timedelta(seconds=1)
"""How far outside of a window attacks are made: the clock stands still."""
_A_MOMENT: Final = timedelta(milliseconds=150)


def _stamp(draft: Draft) -> _Element:
    return draft.parts("Timestamp")[0]


def _without(tag: str) -> Change:
    def change(draft: Draft) -> None:
        stamp = _stamp(draft)
        for element in stamp.findall(tag):
            stamp.remove(element)

    return change


def _twice(draft: Draft) -> None:
    another = deepcopy(_stamp(draft))
    another.attrib.clear()
    draft.security.append(another)


def _local(draft: Draft) -> None:
    for element in _stamp(draft):
        element.text = (element.text or "").removesuffix("Z")


def _stale(case: Case) -> Iterator[Attack]:
    demands = case.demands.timestamp
    created = case.now - timedelta(seconds=demands.time_to_live) - _BEYOND
    change: dict[str, Any] = {} if demands.require_expires else {"unsigned": _without(EXPIRES)}
    yield Attack("created before timestamp.time_to_live", ("timestamp.expired",), case.sent(created=created, **change))


def _expired(case: Case) -> Iterator[Attack]:
    sent = case.sent(created=case.now - _A_MOMENT - timedelta(milliseconds=50), lifetime=_A_MOMENT)
    yield Attack("after its Expires", ("timestamp.expired",), sent)


def _future(case: Case) -> Iterator[Attack]:
    created = case.now + timedelta(seconds=case.demands.timestamp.future_time_to_live) + _BEYOND
    how = "created after timestamp.future_time_to_live"
    yield Attack(how, ("timestamp.not_yet_valid",), case.sent(created=created))


def _lifetime(case: Case) -> Iterator[Attack]:
    lifetime = timedelta(seconds=case.demands.timestamp.max_lifetime) + _BEYOND
    yield Attack("longer than timestamp.max_lifetime", ("timestamp.lifetime",), case.sent(lifetime=lifetime))


def _malformed(case: Case) -> Iterator[Attack]:
    demands, name = case.demands.timestamp, ("timestamp.malformed",)
    if demands.require_created:
        yield Attack("a Timestamp without Created", name, case.sent(unsigned=_without(CREATED)))
    if demands.require_expires:
        yield Attack("a Timestamp without Expires", name, case.sent(unsigned=_without(EXPIRES)))
    yield Attack("two Timestamps", name, case.sent(unsigned=_twice))
    yield Attack("a time without zone", name, case.sent(unsigned=_local))


def _missing(case: Case) -> Iterator[Attack]:
    parts = tuple(part for part in case.signed_parts if part != "Timestamp")
    signed: dict[str, Any] = {"signed_parts": parts} if when.signed(case) else {}
    sent = case.sent(lifetime=None, **signed)
    yield Attack("without Timestamp", ("timestamp.missing",), sent)


def _forbidden(case: Case) -> Iterator[Attack]:
    yield Attack("with a Timestamp", ("timestamp.forbidden",), case.sent(lifetime=timedelta(seconds=60)))


def _can_be_missing(case: Case) -> bool:
    return when.date_demanded(case) and (not when.signed(case) or case.signed_parts != ("Timestamp",))


def _is_forbidden(case: Case) -> bool:
    return case.demands.timestamp.use == "forbidden"


CONTROLS: Final = (
    Control("timestamp.created", when.dated, _stale),
    Control("timestamp.expires", when.dated, _expired),
    Control("timestamp.future", when.dated, _future),
    Control("timestamp.lifetime", when.dated, _lifetime),
    Control("timestamp.shape", when.dated, _malformed),
    Control("timestamp.presence", _can_be_missing, _missing),
    Control("timestamp.absence", _is_forbidden, _forbidden),
)
