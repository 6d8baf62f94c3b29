"""The inside of a wsu:Timestamp.

Invariant: what is accepted is an xsd:dateTime for libxml2's validator too, names the instant that counting days gives,
and lies inside the window.
"""

import calendar
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from lxml import etree

from fuzz.guarded import NOW
from fuzz.target import Broken, Target, demand
from tests.messages import WSU
from wsguard.explanation import Explanation
from wsguard.faults import Fault
from wsguard.message.parse import parse
from wsguard.policy.demands import TimestampDemands
from wsguard.policy.surroundings import Limits
from wsguard.timestamp import verify_timestamp

_SCHEMA: Final = etree.XMLSchema(
    etree.fromstring(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{WSU}">'
        '<xs:element name="Created" type="xs:dateTime"/><xs:element name="Expires" type="xs:dateTime"/></xs:schema>'
    )
)
_READ: Final = re.compile(
    r"(?P<days>\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:Z|(?P<sign>[-+])(?P<hours>\d\d):(?P<minutes>\d\d))",
    re.ASCII,
)
_LIMITS: Final = Limits(body_bytes=4096)
_DEMANDS: Final = (
    TimestampDemands(),
    TimestampDemands(require_created=False, require_expires=True, time_to_live=10**9, max_lifetime=10**9),
)


def judge(octets: bytes) -> bool:
    """Hold one Timestamp against the invariant, under two policies."""
    document = b'<wsu:Timestamp xmlns:wsu="%b">%b</wsu:Timestamp>' % (WSU.encode(), octets)
    taken = False
    try:
        tree = parse(document, None, ("utf-8",), _LIMITS)
    except Fault:
        return False
    for demands in _DEMANDS:
        try:
            found = verify_timestamp(tree.root, demands, NOW, Explanation())
        except Fault:
            continue
        given = {"Created": found.created, "Expires": found.expires}
        names = [etree.QName(child).localname for child in tree.root]
        demand(sorted(names) == sorted(name for name, instant in given.items() if instant), "each is there once")
        for child, name in zip(tree.root, names, strict=True):
            demand(given[name] == _instant(child), f"{name} is what another reader says: {child.text!r}")
        _demand_window(found.created, found.expires, demands)
        taken = True
    return taken


def _instant(element: etree._Element) -> datetime:
    """The instant by another way: the validator of libxml2, days by ``calendar``, exact fractions."""
    text = (element.text or "").strip(" \t\r\n")
    alone = etree.Element(element.tag)
    alone.text = text
    demand(_SCHEMA.validate(alone), f"an xsd:dateTime: {text!r}")
    match = _READ.fullmatch(text)
    if match is None:
        raise Broken(f"a year of four digits and a zone: {text!r}")
    year, month, day = map(int, match["days"].split("-"))
    demand(1 <= day <= calendar.monthrange(year, month)[1], "a day that exists")
    seconds = calendar.timegm((year, month, day, int(match[2]), int(match[3]), 0)) + Fraction(match[4])
    if match["sign"]:
        seconds -= int(f"{match['sign']}1") * (int(match["hours"]) * 3600 + int(match["minutes"]) * 60)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000 // 1))


def _demand_window(created: datetime | None, expires: datetime | None, demands: TimestampDemands) -> None:
    if created is not None:
        age = NOW - created
        demand(age <= timedelta(seconds=demands.time_to_live), "Created is fresh")
        demand(-age <= timedelta(seconds=demands.future_time_to_live), "Created is not ahead")
    if expires is not None:
        demand(expires > NOW, "it has not expired")
        demand(expires - (created or NOW) <= timedelta(seconds=demands.max_lifetime), "it does not live long")
    demand(created or not demands.require_created, "Created is there")
    demand(expires or not demands.require_expires, "Expires is there")


def seeds() -> list[bytes]:
    """Timestamps inside and outside of the window, in every spelling that is legal."""
    created = (
        "2026-11-21T12:00:00Z", "2026-11-21T12:01:00.000Z", "2026-11-21T11:55:00.000000Z", "2026-11-21T13:30:00+01:30",
        "2026-11-20T22:00:00.123456789012-14:00", "2026-11-21T12:00:00.5-00:00", "0001-01-01T00:00:00+14:00",
        "2024-02-29T23:59:59Z", "9999-12-31T23:59:59-14:00", "2026-11-21T24:00:00Z", "2016-12-31T23:59:60Z",
    )  # fmt: skip
    texts = [f"<wsu:Created>{one}</wsu:Created>" for one in created]
    expires = [f"{texts[0]} <wsu:Expires> {one}\n</wsu:Expires>" for one in ("2026-11-21T12:05:00Z", *created)]
    return [text.encode() for text in (*texts, *expires, expires[0].partition(" ")[2], "")]


TARGET: Final = Target(name="timestamp", judge=judge, seeds=seeds, dictionary="xml", longest=512)
