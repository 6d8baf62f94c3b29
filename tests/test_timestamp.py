"""A Timestamp is read strictly, and the clock decides to the microsecond whether the message is in time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.guarding import Guarded
from tests.message.refusing import refused
from tests.messages import NOW, WSSE, WSU, Token, envelope, security, stamp, timestamp
from wsguard.explanation import Explanation
from wsguard.faults import Fault, InvalidSecurity, MessageExpired
from wsguard.policy.demands import TimestampDemands
from wsguard.timestamp import verify_timestamp
from wsguard.verified import Timestamp
from wsguard.window import place_in_window

MICROSECOND = timedelta(microseconds=1)
TTL, AHEAD, LIFETIME = timedelta(seconds=300), timedelta(seconds=60), timedelta(seconds=3600)


def spelled(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="microseconds").replace("+00:00", "Z")


def verify(xml: str, *, explanation: Explanation | None = None, **demands: Any) -> Timestamp:
    element = etree.fromstring(f'<r xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{xml}</r>')[0]
    return verify_timestamp(element, TimestampDemands(**demands), NOW, explanation or Explanation())


def at(created: timedelta | None, expires: timedelta | None = None, **demands: Any) -> Timestamp:
    """A Timestamp with these distances from now."""
    created_at, expires_at = (None if distance is None else NOW + distance for distance in (created, expires))
    found = verify(timestamp(spelled(created_at), spelled(expires_at)), **demands)
    assert found == Timestamp(created_at, expires_at)
    return found


# --- The window -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("created", [-TTL, -TTL + MICROSECOND, timedelta(0), AHEAD - MICROSECOND, AHEAD])
def test_created_inside_the_window_is_taken_both_ends_included(created: timedelta) -> None:
    at(created)


@pytest.mark.parametrize("created", [-TTL - MICROSECOND, -TTL - timedelta(days=1), timedelta(days=-700_000)])
def test_created_a_microsecond_too_old_is_expired(created: timedelta) -> None:
    with refused("timestamp.expired", MessageExpired) as caught:
        at(created)
    assert caught.value.setting == "timestamp.time_to_live"


@pytest.mark.parametrize("created", [AHEAD + MICROSECOND, AHEAD + timedelta(days=1), timedelta(days=2_900_000)])
def test_created_a_microsecond_too_far_ahead_is_not_yet_valid(created: timedelta) -> None:
    with refused("timestamp.not_yet_valid", InvalidSecurity) as caught:
        at(created)
    assert caught.value.setting == "timestamp.future_time_to_live"


def test_the_window_is_the_one_that_is_configured() -> None:
    for created in (timedelta(seconds=-10), timedelta(seconds=5)):
        at(created, time_to_live=10, future_time_to_live=5)
    with refused("timestamp.expired"):
        at(timedelta(seconds=-10) - MICROSECOND, time_to_live=10)
    with refused("timestamp.not_yet_valid"):
        at(timedelta(seconds=5) + MICROSECOND, future_time_to_live=5)
    with refused("timestamp.not_yet_valid"):
        at(MICROSECOND, future_time_to_live=0)


def test_expires_lies_ahead_if_only_by_a_microsecond() -> None:
    at(timedelta(0), MICROSECOND)
    at(-TTL, MICROSECOND)


@pytest.mark.parametrize("expires", [timedelta(0), -MICROSECOND, timedelta(seconds=-30), timedelta(days=-700_000)])
def test_a_timestamp_is_expired_from_the_moment_that_expires_names(expires: timedelta) -> None:
    with refused("timestamp.expired", MessageExpired):
        at(timedelta(seconds=-60), expires)


def test_an_expires_far_ahead_does_not_lengthen_the_life_that_created_grants() -> None:
    with refused("timestamp.expired"):
        at(-TTL - MICROSECOND, timedelta(seconds=600))


@pytest.mark.parametrize("created", [timedelta(0), -TTL, AHEAD])
def test_a_life_is_as_long_as_configured_and_not_a_microsecond_longer(created: timedelta) -> None:
    at(created, created + LIFETIME)
    with refused("timestamp.lifetime", InvalidSecurity) as caught:
        at(created, created + LIFETIME + MICROSECOND)
    assert caught.value.setting == "timestamp.max_lifetime"


@pytest.mark.parametrize("expires", [AHEAD, AHEAD - MICROSECOND, MICROSECOND])
def test_a_life_that_ends_before_it_begins_is_none(expires: timedelta) -> None:
    with refused("timestamp.lifetime", InvalidSecurity):
        at(AHEAD, expires)


def test_a_life_of_a_microsecond_is_one() -> None:
    at(AHEAD, AHEAD + MICROSECOND)


def test_the_last_year_there_is_does_not_overflow() -> None:
    with refused("timestamp.lifetime"):
        verify(timestamp(stamp(), "9999-12-31T23:59:59.999999Z"))
    with refused("timestamp.expired"):
        verify(timestamp("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"))
    with refused("timestamp.not_yet_valid"):
        verify(timestamp("9999-12-31T23:59:59.999999Z", None))


@given(st.timedeltas(-timedelta(seconds=400), timedelta(seconds=100)), st.none() | st.timedeltas(-TTL, 2 * LIFETIME))
def test_the_verdict_is_the_one_of_plain_comparisons_in_this_order(created: timedelta, life: timedelta | None) -> None:
    expires = None if life is None else created + life
    if created > AHEAD:
        check = "timestamp.not_yet_valid"
    elif created < -TTL or (expires is not None and expires <= timedelta(0)):
        check = "timestamp.expired"
    elif life is not None and (life <= timedelta(0) or life > LIFETIME):
        check = "timestamp.lifetime"
    else:
        at(created, expires)
        return
    with refused(check):
        at(created, expires)


@given(st.integers(-(10**7), 10**7), st.integers(1, 10), st.integers(0, 10))
def test_a_window_has_three_places_and_its_ends_are_inside(age: int, ttl: int, ahead: int) -> None:
    place = place_in_window(NOW - age * MICROSECOND, NOW, ttl, ahead)
    assert place == ("expired" if age > ttl * 10**6 else "not_yet_valid" if age < -ahead * 10**6 else "inside")


# --- What must be there -----------------------------------------------------------------------------------------------


def test_created_is_required_unless_the_policy_says_otherwise() -> None:
    with refused("timestamp.malformed", InvalidSecurity) as caught:
        at(None, TTL)
    assert caught.value.setting == "timestamp.require_created"
    at(None, TTL, require_created=False)


def test_expires_is_required_only_where_the_policy_says_so() -> None:
    at(timedelta(0))
    with refused("timestamp.malformed", InvalidSecurity) as caught:
        at(timedelta(0), require_expires=True)
    assert caught.value.setting == "timestamp.require_expires"
    at(timedelta(0), TTL, require_expires=True)


def test_without_created_the_longest_life_is_counted_from_now() -> None:
    at(None, LIFETIME, require_created=False)
    with refused("timestamp.lifetime"):
        at(None, LIFETIME + MICROSECOND, require_created=False)
    with refused("timestamp.expired"):
        at(None, timedelta(0), require_created=False)


def test_created_binds_also_where_it_is_not_required() -> None:
    with refused("timestamp.expired"):
        at(-TTL - MICROSECOND, TTL, require_created=False)


def test_an_empty_timestamp_passes_only_where_neither_child_is_required() -> None:
    with refused("timestamp.malformed"):
        at(None)
    with refused("timestamp.malformed"):
        at(None, require_created=False, require_expires=True)
    at(None, require_created=False)


# --- Shape ------------------------------------------------------------------------------------------------------------

CREATED, EXPIRES = f"<wsu:Created>{stamp()}</wsu:Created>", f"<wsu:Expires>{stamp(300)}</wsu:Expires>"


@pytest.mark.parametrize(
    "inside",
    [
        CREATED + EXPIRES,
        EXPIRES + CREATED,
        f"\n  {CREATED}\n  {EXPIRES}\n",
        CREATED.replace("<wsu:Created>", '<wsu:Created wsu:Id="c">'),
        CREATED.replace("<wsu:Created>", '<wsu:Created Id="c">'),
        CREATED.replace(stamp(), f"\n\t{stamp()} "),
        CREATED.replace(stamp(), f"<![CDATA[{stamp()}]]>"),
        CREATED.replace(stamp(), "2026-11-21T13:00:00+01:00"),
        CREATED.replace("wsu:", "").replace("<Created", f'<Created xmlns="{WSU}"'),
    ],
)
def test_order_white_space_and_prefixes_are_free(inside: str) -> None:
    assert verify(f"<wsu:Timestamp>{inside}</wsu:Timestamp>").created == NOW


@pytest.mark.parametrize("attribute", ['wsu:Id="t"', 'Id="t"', 'ID="t"', 'id="t"', 'xml:id="t"', 'wsu:Id="t" Id="t"'])
def test_a_timestamp_may_have_an_id(attribute: str) -> None:
    assert verify(f"<wsu:Timestamp {attribute}>{CREATED}</wsu:Timestamp>").created == NOW


@pytest.mark.parametrize(
    "attribute", ['x="y"', 'xmlns:x="urn:x" x:Id="t"', 'wsu:id="t"', 'xml:lang="en"', 'Created="now"']
)
@pytest.mark.parametrize("of", ["Timestamp", "Created", "Expires"])
def test_no_other_attribute_stands_on_a_timestamp_or_its_children(attribute: str, of: str) -> None:
    xml = f"<wsu:Timestamp>{CREATED}{EXPIRES}</wsu:Timestamp>".replace(f"<wsu:{of}>", f"<wsu:{of} {attribute}>")
    with refused("timestamp.malformed", InvalidSecurity):
        verify(xml)


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(CREATED + CREATED, id="two Created"),
        pytest.param(CREATED + EXPIRES + EXPIRES, id="two Expires"),
        pytest.param(CREATED + f"<wsu:Created>{stamp(-9999)}</wsu:Created>", id="an old Created behind a fresh one"),
        pytest.param(CREATED + "<wsu:Received>x</wsu:Received>", id="an unknown child"),
        pytest.param(CREATED + "<Expires>x</Expires>", id="a child without namespace"),
        pytest.param(CREATED.replace("wsu:", "wsse:"), id="wsse:Created"),
        pytest.param(CREATED.replace("Created", "created"), id="lower case"),
        pytest.param("text" + CREATED, id="text before"),
        pytest.param(CREATED + "text", id="text behind"),
        pytest.param(stamp(), id="text only"),
        pytest.param(f"<wsu:Created><x>{stamp()}</x></wsu:Created>", id="an element for a date"),
        pytest.param(f"<wsu:Created>{stamp()}<x/></wsu:Created>", id="an element behind a date"),
        pytest.param(f"<wsu:Created><x/>{stamp()}</wsu:Created>", id="an element before a date"),
        pytest.param("<wsu:Created/>", id="empty Created"),
        pytest.param("<wsu:Created>now</wsu:Created>", id="no date"),
        pytest.param("<wsu:Created>2026-11-21T12:00:00</wsu:Created>", id="no zone"),
        pytest.param("<wsu:Created>&#160;2026-11-21T12:00:00Z</wsu:Created>", id="a no-break space"),
        pytest.param("<wsu:Created>2026-11-21T12:00:60Z</wsu:Created>", id="a leap second"),
        pytest.param("<wsu:Created>0000-11-21T12:00:00Z</wsu:Created>", id="year 0"),
        pytest.param("<wsu:Created>9999-12-31T23:59:59-14:00</wsu:Created>", id="beyond the last year"),
        pytest.param(CREATED + "<wsu:Expires/>", id="empty Expires"),
        pytest.param(CREATED + "<wsu:Expires>never</wsu:Expires>", id="an Expires that is no date"),
        pytest.param(f"<wsu:Timestamp>{CREATED}</wsu:Timestamp>", id="a Timestamp in the Timestamp"),
    ],
)
def test_a_timestamp_of_another_shape_is_malformed(inside: str) -> None:
    with refused("timestamp.malformed", InvalidSecurity):
        verify(f"<wsu:Timestamp>{inside}</wsu:Timestamp>")


def test_shape_is_judged_before_time() -> None:
    with refused("timestamp.malformed"):
        verify(timestamp(stamp(-9999), "never"))
    with refused("timestamp.malformed"):
        verify(timestamp(stamp(-9999), None), require_expires=True)


# --- What is learned --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-299.5, 0, 59.25, -4000, 4000])
def test_the_skew_between_the_clocks_is_learned_also_from_what_is_refused(seconds: float) -> None:
    explanation = Explanation()
    try:
        verify(timestamp(stamp(seconds), None), explanation=explanation)
    except Fault:
        assert not explanation.results
    else:
        assert [(result.check, result.outcome) for result in explanation.results] == [("timestamp", "passed")]
    assert explanation.facts.clock_skew_s == seconds


def test_the_skew_is_told_in_whole_milliseconds() -> None:
    explanation = Explanation()
    verify(timestamp(spelled(NOW + timedelta(microseconds=1499)), None), explanation=explanation)
    assert explanation.facts.clock_skew_s == 0.001


def test_a_timestamp_that_passed_is_told_with_its_instants_and_its_section() -> None:
    explanation = Explanation()
    verify(timestamp(), explanation=explanation)
    [result] = explanation.results
    assert result.setting == "timestamp"
    assert result.expected == f"at most 300 s old and 60 s ahead of {NOW}"
    assert result.seen == f"created {NOW}, expires {NOW + TTL}"


def test_what_is_missing_is_named_as_it_is_written_in_the_message() -> None:
    for stamps, name in ((timestamp(None, stamp(300)), "wsu:Created"), (timestamp(stamp(), None), "wsu:Expires")):
        with refused("timestamp.malformed") as caught:
            verify(stamps, require_expires=True)
        assert (caught.value.expected, caught.value.seen) == (name, "none")


@pytest.mark.parametrize("child", ["Created", "Expires"])
def test_an_instant_that_cannot_be_read_is_named(child: str) -> None:
    with refused("timestamp.malformed") as caught:
        verify(f"<wsu:Timestamp><wsu:{child}>never</wsu:{child}></wsu:Timestamp>")
    assert caught.value.setting == f"wsu:{child}"


def test_a_life_that_is_too_long_is_told_with_where_it_begins() -> None:
    for created, begins in ((NOW, "Created"), (None, "now")):
        with refused("timestamp.lifetime") as caught:
            verify(timestamp(spelled(created), spelled(NOW + 2 * LIFETIME)), require_created=False)
        assert caught.value.expected == f"Expires after {begins} by at most 3600 s"
        assert caught.value.seen == "7200 s"


# --- In a message -----------------------------------------------------------------------------------------------------


def with_stamps(*stamps: str) -> bytes:
    return envelope(security(*stamps, Token().xml()))


def test_a_timestamp_is_missing_only_where_it_is_required() -> None:
    answer = Guarded().post(with_stamps())
    assert (answer.check, b"wsse:InvalidSecurity" in answer.body) == ("timestamp.missing", True)
    for use in ("optional", "forbidden"):
        assert Guarded(timestamp={"use": use}).post(with_stamps()).check == ""


def test_a_timestamp_that_is_forbidden_is_refused_whatever_it_says() -> None:
    for text in (timestamp(), timestamp("never", None)):
        assert Guarded(timestamp={"use": "forbidden"}).post(with_stamps(text)).check == "timestamp.forbidden"


def test_a_timestamp_that_is_optional_must_still_be_in_time() -> None:
    guarded = Guarded(timestamp={"use": "optional"})
    assert guarded.post(with_stamps(timestamp(stamp(-301), None))).check == "timestamp.expired"
    assert guarded.post(with_stamps(timestamp("now", None))).check == "timestamp.malformed"
    assert guarded.post(with_stamps(timestamp())).check == ""


@pytest.mark.parametrize("other", [timestamp(), timestamp(stamp(-9999), None), "<wsu:Timestamp/>"])
def test_two_timestamps_are_malformed_whatever_they_say(other: str) -> None:
    other = other.replace("TS-1", "TS-2")
    for stamps in ((timestamp(), other), (other, timestamp())):
        assert Guarded().post(with_stamps(*stamps)).check == "timestamp.malformed"


@pytest.mark.parametrize("place", ["header", "body", "token", "foreign"])
def test_a_timestamp_in_another_place_is_not_ours(place: str) -> None:
    fresh = timestamp().replace("<wsu:Timestamp", f'<wsu:Timestamp xmlns:wsu="{WSU}"')
    body = f'<e:Echo xmlns:e="urn:echo">{fresh}</e:Echo>' if place == "body" else '<e:Echo xmlns:e="urn:echo"/>'
    header = security(Token(extra=fresh if place == "token" else "").xml())
    header += fresh if place == "header" else ""
    header += security(fresh, attributes='S:actor="urn:them"') if place == "foreign" else ""
    assert Guarded().post(envelope(header, body)).check == "timestamp.missing"


def test_the_clock_of_the_guard_decides() -> None:
    guarded = Guarded()
    octets = with_stamps(timestamp(stamp(), stamp(200)))
    for seconds, check in ((-61, "timestamp.not_yet_valid"), (200, "timestamp.expired"), (199.999999, "")):
        guarded.clock.now = NOW + timedelta(seconds=seconds)
        assert guarded.post(octets).check == check


def test_the_application_learns_both_instants() -> None:
    guarded = Guarded()
    assert guarded.post(with_stamps(timestamp())).check == ""
    message = guarded.echo.handed[0][0]["wsguard.message"]
    assert message.timestamp == Timestamp(NOW, NOW + TTL)
    assert message.timestamp.created.tzinfo is UTC
