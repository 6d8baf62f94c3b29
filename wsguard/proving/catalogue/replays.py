"""Attacks with what was seen before: at once, as late as it would be taken, and with all changed that may be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from wsguard.policy.demands import TimestampDemands, UsernameTokenDemands
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.posting import Sent
from wsguard.securing.tokens import date_time

_BEFORE_THE_END: Final = timedelta(milliseconds=10)
_MUCH_LATER: Final = timedelta(days=20)
"""Certificates of the proof last longer."""


def _check(case: Case) -> tuple[str, ...]:
    return ("replay.nonce",) if when.from_a_user(case) else ("replay.signature",)


def _again(case: Case) -> Iterator[Attack]:
    sent = case.sent()
    yield Attack("the same message again", _check(case), sent, before=(sent,))


def _elsewhere(case: Case) -> Iterator[Attack]:
    path = case.scene.other_path_of(case.target)
    if path:
        sent = case.sent()
        yield Attack(f"the same message on {path}", _check(case), replace(sent, path=path), before=(sent,))


def _otherwise(case: Case) -> Iterator[Attack]:
    sent = case.sent()
    octets = sent.octets.replace(b">unsigned<", b">unsigned as well<")
    how = "the same with another header block that nobody signed"
    yield Attack(how, _check(case), replace(sent, octets=octets), before=(sent,))


def _at_the_end(case: Case) -> Iterator[Attack]:
    """As far ahead as it may be made, and as late as it may come."""
    stamp, token = case.demands.timestamp, case.demands.username_token
    windows: list[TimestampDemands | UsernameTokenDemands] = [stamp] if when.dated(case) else []
    windows += [token] if when.from_a_user(case) else []
    ahead = min(one.future_time_to_live for one in windows)
    lifetime = min(one.time_to_live for one in windows)
    changes: dict[str, Any] = {}
    if when.dated(case):
        lifetime = min(lifetime, stamp.max_lifetime)
        changes["lifetime"] = timedelta(seconds=lifetime)
    later = timedelta(seconds=ahead + lifetime) - _BEFORE_THE_END
    if later <= _MUCH_LATER and _nothing_ends(case, later):
        sent = case.sent(created=case.now + timedelta(seconds=ahead), **changes)
        how = f"the same message again, {ahead + lifetime} s later"
        yield Attack(how, _check(case), sent, before=(sent,), later=later)


def _under_a_fresh_timestamp(case: Case) -> Iterator[Attack]:
    if not _nothing_ends(case, _MUCH_LATER):
        return
    sent = case.sent(signed_parts=tuple(part for part in case.signed_parts if part != "Timestamp"))
    how = f"a signature over no date, {_MUCH_LATER.days} days later, under a fresh Timestamp"
    again = _dated_anew(sent, case)
    yield Attack(how, ("replay.signature",), again, before=(sent,), later=_MUCH_LATER)


def _dated_anew(sent: Sent, case: Case) -> Sent:
    letter, octets = case.letter(), sent.octets
    for offset in (timedelta(0), letter.lifetime or timedelta(0)):
        moment = letter.created + offset
        octets = octets.replace(date_time(moment).encode(), date_time(moment + _MUCH_LATER).encode())
    return replace(sent, octets=octets)


def _nothing_ends(case: Case, later: timedelta) -> bool:
    """Whether the configuration says the same of today and of then."""
    policy = case.scene.policy
    days: list[date] = [one.until for demands in policy.every_demand for one in demands.algorithms.legacy]
    days += [client.report_until for client in policy.client if client.report_until is not None]
    return not any(case.now.date() <= day < (case.now + later).date() for day in days)


def _dates_itself(case: Case) -> bool:
    return when.authenticated(case) and (when.dated(case) or when.from_a_user(case))


def _may_be_undated(case: Case) -> bool:
    required = case.demands.signature.required_parts
    return when.signed(case) and not when.from_a_user(case) and "Timestamp" not in required


CONTROLS: Final = (
    Control("replay", when.authenticated, _again, each="way"),
    Control("replay.path", when.authenticated, _elsewhere, each="target"),
    Control("replay.unsigned", when.authenticated, _otherwise),
    Control("replay.late", _dates_itself, _at_the_end),
    Control("replay.undated", _may_be_undated, _under_a_fresh_timestamp),
)
