"""E: instants that are no instants, and windows that are stretched."""

from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import created, user, with_token
from tests.messages import WSU, envelope, security, stamp, timestamp

SPELLING: Final = Chapter("E", "token")
WINDOW: Final = Chapter("E", "token")
PLACE: Final = Chapter("E", "token")

Respelling = Callable[[str], str]
"""Makes of an honest instant another one."""


def timed(xml: str) -> bytes:
    """A message with this for a Timestamp."""
    return envelope(security(xml, user().xml()))


def day(text: str) -> Respelling:
    """Puts ``text`` in the place of the day."""
    return lambda honest: text + honest[10:]


def clock(text: str) -> Respelling:
    """Puts ``text`` in the place of the time of day."""
    return lambda honest: honest[:11] + text


def zone(text: str) -> Respelling:
    """Puts ``text`` in the place of the zone."""
    return lambda honest: honest[:-1] + text


def digits(first: str) -> Respelling:
    """Writes digits of another script, whose zero is ``first``."""
    return lambda honest: honest.translate({ord("0") + value: ord(first) + value for value in range(10)})


# --- Spelling: XML Schema part 2 §3.2.7 -------------------------------------------------------------------------------

MISSPELLED: Final[dict[str, Respelling]] = {
    "no zone": zone(""),
    "a zone without colon": zone("+0000"),
    "a zone of hours only": zone("+00"),
    "a zone by name": zone(" UTC"),
    "a military zone": zone("A"),
    "a zone 15 hours away": zone("+15:00"),
    "a zone of 60 minutes": zone("+00:60"),
    "two zones": zone("Z+14:00"),
    "a zone of RFC 9557": zone("Z[UTC]"),
    "a lower-case z": str.lower,
    "a blank for T": lambda honest: honest.replace("T", " "),
    "an underscore for T": lambda honest: honest.replace("T", "_"),
    "the basic format": lambda honest: honest.replace("-", "").replace(":", ""),
    "a week date": day("2026-W47-6"),
    "an ordinal date": day("2026-325"),
    "30 February": day("2026-02-30"),
    "29 February of a common year": day("2025-02-29"),
    "month 13": day("2026-13-01"),
    "day 0": day("2026-01-00"),
    "year 0": day("0000-01-01"),
    "a negative year": lambda honest: "-" + honest,
    "a year with a sign": lambda honest: "+" + honest,
    "a year of five digits": lambda honest: "0" + honest,
    "a year of two digits": lambda honest: honest[2:],
    "before the first year": lambda honest: "0001-01-01T00:00:00+14:00",
    "beyond the last year": lambda honest: "9999-12-31T23:59:59-14:00",
    "no seconds": lambda honest: honest[:16] + "Z",
    "hour 24": clock("24:00:00Z"),
    "hour 25": clock("25:00:00Z"),
    "minute 60": clock("12:60:00Z"),
    "a leap second": clock("23:59:60Z"),
    "a decimal comma": lambda honest: honest.replace(".", ","),
    "a point without fraction": lambda honest: honest[:19] + ".Z",
    "a fraction of a million digits": lambda honest: honest[:19] + "." + "0" * 1_000_000 + "Z",
    "full-width digits": digits("\N{FULLWIDTH DIGIT ZERO}"),
    "Arabic digits": digits("\N{ARABIC-INDIC DIGIT ZERO}"),
    "a no-break space behind": lambda honest: honest + "&#160;",
    "a zero-width space in front": lambda honest: "\N{ZERO WIDTH SPACE}" + honest,
    "seconds since 1970": lambda honest: "1795262400",
    "the date of HTTP": lambda honest: "Sat, 21 Nov 2026 12:00:00 GMT",
    "a duration": lambda honest: "PT5M",
    "infinity": lambda honest: "INF",
    "a word": lambda honest: "now",
    "nothing": lambda honest: " ",
    "two instants": lambda honest: f"{honest} {honest}",
    "an element": lambda honest: f"<d>{honest}</d>",
    "an element behind": lambda honest: honest + "<d/>",
}


@SPELLING.each_refused("timestamp.malformed", MISSPELLED)
def created_is_spelled_as(respelled: Respelling) -> Built:
    return timed(timestamp(respelled(stamp())))


@SPELLING.each_refused(
    "timestamp.malformed",
    {
        label: MISSPELLED[label]
        for label in ("no zone", "beyond the last year", "infinity", "nothing", "hour 24", "a duration", "a word")
    },
)
def expires_is_spelled_as(respelled: Respelling) -> Built:
    return timed(timestamp(expires=respelled(stamp(300))))


# --- Window -----------------------------------------------------------------------------------------------------------


@WINDOW.each_refused("timestamp.expired", {"a second too much": -301.0, "a day": -86_400.0, "years": -1e8})
def created_is_too_old_by(seconds: float) -> Built:
    return timed(timestamp(stamp(seconds)))


@WINDOW.refused("timestamp.expired")
def created_is_of_the_first_year() -> Built:
    return timed(timestamp("0001-01-01T00:00:00Z"))


@WINDOW.refused("timestamp.expired")
def the_hour_is_right_and_its_zone_makes_it_14_hours_old() -> Built:
    return timed(timestamp(zone("+14:00")(stamp())))


@WINDOW.refused("timestamp.expired")
def expires_is_a_second_ago() -> Built:
    return timed(timestamp(stamp(-60), stamp(-1)))


@WINDOW.refused("timestamp.expired")
def expires_is_this_very_moment() -> Built:
    return timed(timestamp(stamp(-60), stamp()))


@WINDOW.refused("timestamp.expired")
def a_long_life_is_asked_for_with_expires_after_created_ran_out() -> Built:
    return timed(timestamp(stamp(-310), stamp(600)))


@WINDOW.each_refused("timestamp.not_yet_valid", {"a second too much": 61.5, "two hours": 7_200.0, "years": 1e8})
def created_lies_ahead_by(seconds: float) -> Built:
    return timed(timestamp(stamp(seconds), stamp(seconds + 300)))


@WINDOW.refused("timestamp.not_yet_valid")
def created_is_of_the_last_year() -> Built:
    return timed(timestamp("9999-12-31T23:59:59.999999Z", None))


@WINDOW.refused("timestamp.not_yet_valid")
def the_hour_is_right_and_its_zone_makes_it_of_tomorrow() -> Built:
    return timed(timestamp(zone("-14:00")(stamp()), None))


@WINDOW.each_refused("timestamp.lifetime", {"an hour and a second": 3_601.0, "a day": 86_400.0, "years": 1e8})
def the_life_is_longer_than_granted(seconds: float) -> Built:
    return timed(timestamp(expires=stamp(seconds)))


@WINDOW.refused("timestamp.lifetime")
def the_life_ends_with_the_last_year() -> Built:
    return timed(timestamp(expires="9999-12-31T23:59:59.999999Z"))


@WINDOW.each_refused("timestamp.lifetime", {"before": 30.0, "when": 50.0})
def the_life_ends_and_has_not_begun(seconds: float) -> Built:
    return timed(timestamp(stamp(50), stamp(seconds)))


# --- Shape and place --------------------------------------------------------------------------------------------------

OLD: Final = -9_999.0
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
DRAFT: Final = "http://schemas.xmlsoap.org/ws/2003/06/utility"
"""The namespace of a draft, in which Created may have a ValueType."""


def expires(text: str) -> str:
    """A wsu:Expires with this text."""
    return f"<wsu:Expires>{text}</wsu:Expires>"


@PLACE.each_refused("timestamp.malformed", {"the fresh one first": 1, "the old one first": -1})
def a_fresh_timestamp_stands_beside_an_old_one(order: int) -> Built:
    return timed("".join([timestamp(), timestamp(stamp(OLD)).replace("TS-1", "TS-2")][::order]))


@PLACE.each_refused(
    "timestamp.malformed",
    {
        "two Created": lambda: created(stamp()) + created(stamp()),
        "an old Created behind a fresh one": lambda: created(stamp()) + created(stamp(OLD)),
        "a fresh Created behind an old one": lambda: created(stamp(OLD)) + created(stamp()),
        "two Expires": lambda: created(stamp()) + expires(stamp(60)) + expires(stamp(300)),
        "Expires only": lambda: expires(stamp(300)),
        "nothing": lambda: "",
        "text only": stamp,
        "text beside Created": lambda: created(stamp()) + "Z",
        "wsse Created": lambda: created(stamp()).replace("wsu:", "wsse:"),
        "Created without namespace": lambda: created(stamp()).replace("wsu:", ""),
        "Created of a draft": lambda: f'<d:Created xmlns:d="{DRAFT}">{stamp()}</d:Created>',
        "created in lower case": lambda: created(stamp()).replace("Created", "created"),
        "Received of a draft": lambda: created(stamp()) + "<wsu:Received>x</wsu:Received>",
        "a Timestamp": timestamp,
        "Created with a ValueType": lambda: created(stamp()).replace("Created>", 'Created ValueType="d:date">', 1),
        "Created that is nil": lambda: f'<wsu:Created xmlns:i="{XSI}" i:nil="true"/>',
        "an inclusion": lambda: created('<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="now"/>'),
    },
)
def the_timestamp_holds(inside: Callable[[], str]) -> Built:
    return timed(f"<wsu:Timestamp>{inside()}</wsu:Timestamp>")


@PLACE.refused("timestamp.missing")
def there_is_no_timestamp() -> Built:
    return timed("")


@PLACE.refused("timestamp.missing")
def the_timestamp_stands_beside_the_security_header() -> Built:
    outside = timestamp().replace("<wsu:Timestamp", f'<wsu:Timestamp xmlns:wsu="{WSU}"')
    return envelope(security(user().xml()) + outside)


@PLACE.refused("timestamp.missing")
def the_timestamp_stands_in_the_security_header_of_another_actor() -> Built:
    theirs = security(timestamp(), attributes='S:actor="urn:them"')
    return envelope(security(user().xml()) + theirs)


@PLACE.refused("timestamp.missing")
def the_timestamp_stands_in_the_body() -> Built:
    inside = timestamp().replace("<wsu:Timestamp", f'<wsu:Timestamp xmlns:wsu="{WSU}"')
    return envelope(security(user().xml()), f'<e:Echo xmlns:e="urn:echo">{inside}</e:Echo>')


@PLACE.refused("username_token.malformed")
def a_second_timestamp_stands_in_the_username_token() -> Built:
    return with_token(user(extra=timestamp().replace("TS-1", "TS-2")))


@PLACE.each_refused("security.unknown_token", {"a draft": DRAFT, "capitals": WSU.upper(), "a longer name": WSU + "#"})
def the_timestamp_is_of_the_namespace_of(namespace: str) -> Built:
    return timed(timestamp().replace("<wsu:Timestamp", f'<wsu:Timestamp xmlns:wsu="{namespace}"'))


EVERY: Final = (*SPELLING, *WINDOW, *PLACE)
