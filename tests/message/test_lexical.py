"""Leaves are read in one strict spelling each: whatever else a sender writes is a fault, never another exception."""

import base64
import string
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from tests.message.refusing import check_of, refused
from wsguard.faults import InvalidSecurity
from wsguard.message.lexical import (
    at_most_one,
    decode_base64,
    exactly_one,
    has_text,
    leaf_text,
    local_name,
    only_attributes,
    only_children,
    parse_date_time,
)

CHECK = "timestamp.malformed"
refuse = partial(InvalidSecurity, CHECK)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


# --- Dates ------------------------------------------------------------------------------------------------------------


def days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar, reckoned without ``datetime``."""
    year, month = (year - 1, month + 12) if month <= 2 else (year, month)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 1 - 719468


FIRST = days_before(1, 1, 1) * 86_400_000_000
LAST = days_before(10_000, 1, 1) * 86_400_000_000 - 1

zones = st.one_of(
    st.just(("Z", 0)),
    st.builds(
        lambda sign, minutes: (f"{sign}{minutes // 60:02}:{minutes % 60:02}", minutes * (-1 if sign == "-" else 1)),
        st.sampled_from("+-"),
        st.integers(0, 14 * 60),
    ),
)
fractions = st.text("0123456789", max_size=12)


@given(st.dates(), st.times(), fractions, zones)
@example(date(1, 1, 1), datetime.min.time(), "", ("+00:01", 1))
@example(date(9999, 12, 31), datetime.max.time(), "999999", ("-00:01", -1))
@example(date(2024, 2, 29), datetime.max.time(), "999999999999", ("-14:00", -840))
def test_every_date_time_with_a_zone_is_the_instant_that_the_calendar_says(
    day: date, time: object, fraction: str, zone: tuple[str, int]
) -> None:
    hour, minute, second = map(int, str(time)[:8].split(":"))
    text = f"{day.year:04}-{day.month:02}-{day.day:02}T{hour:02}:{minute:02}:{second:02}"
    text += (f".{fraction}" if fraction else "") + zone[0]
    seconds = days_before(day.year, day.month, day.day) * 86_400 + hour * 3600 + (minute - zone[1]) * 60 + second
    microseconds = seconds * 1_000_000 + int(f"{fraction:0<6}"[:6])
    if not FIRST <= microseconds <= LAST:
        with refused(CHECK):
            parse_date_time(text, refuse)
        return
    instant = parse_date_time(text, refuse)
    assert (instant - EPOCH) // MICROSECOND == microseconds
    assert instant.utcoffset() == timedelta(0)


@given(st.text())
def test_any_text_at_all_is_an_instant_or_the_fault(text: str) -> None:
    check = check_of(lambda: parse_date_time(text, refuse))
    assert check in {"", CHECK}
    if not check:
        assert parse_date_time(text, refuse).tzinfo is UTC


@given(
    st.integers(0, 23), st.integers(0, 1), st.text(max_size=2) | st.sampled_from(["٣", "３", "W", "\n", "+", "Z", " "])
)
def test_a_date_time_with_anything_put_in_is_the_fault_or_still_plain_ascii_with_a_zone(
    at: int, gone: int, put: str
) -> None:
    honest = "2026-11-21T08:30:00.250Z"
    text = honest[:at] + put + honest[at + gone :]
    check = check_of(lambda: parse_date_time(text, refuse))
    assert check in {"", CHECK}
    if not check:
        assert text.isascii()
        assert text[4::3][:5] == "--T::"
        assert text.endswith("Z") or text[-6] in "+-"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("2026-W47-6T08:30:00Z", id="week date"),
        pytest.param("2026-325T08:30:00Z", id="day of the year"),
        pytest.param("20261121T083000Z", id="basic format"),
        pytest.param("２０２６-11-21T08:30:00Z", id="full-width digits"),
        pytest.param("2026-11-21T08:30:0٣Z", id="Arabic digit"),
        pytest.param("2026-11-21T08:30:00.²Z", id="superscript digit"),
        pytest.param("2026-11-21T08:30:00", id="no zone"),
        pytest.param("2026-11-21T08:30:00.5", id="no zone behind a fraction"),
        pytest.param("2026-11-21", id="no time"),
        pytest.param("2026-11-21T08:30Z", id="no seconds"),
        pytest.param("2026-11-21 08:30:00Z", id="blank for T"),
        pytest.param("2026-11-21t08:30:00z", id="lower case"),
        pytest.param("2026-11-21T08:30:00 Z", id="blank before the zone"),
        pytest.param(" 2026-11-21T08:30:00Z", id="blank in front"),
        pytest.param("2026-11-21T08:30:00Z\n", id="line feed behind"),
        pytest.param("2026-11-21T08:30:00Z\0", id="NUL behind"),
        pytest.param("2026-11-21T08:30:00.Z", id="empty fraction"),
        pytest.param("2026-11-21T08:30:00,5Z", id="comma for the point"),
        pytest.param("2026-11-21T08:30:00.1234567890123Z", id="thirteen digits of fraction"),
        pytest.param("2026-11-21T08:30:00.123456789012345678901Z"[:41], id="41 characters"),
        pytest.param("0" * 41, id="41 digits"),
        pytest.param("2026-11-21T08:30:00+01", id="zone of hours only"),
        pytest.param("2026-11-21T08:30:00+0100", id="zone without colon"),
        pytest.param("2026-11-21T08:30:00+14:01", id="beyond 14 hours"),
        pytest.param("2026-11-21T08:30:00-14:01", id="beyond 14 hours west"),
        pytest.param("2026-11-21T08:30:00+13:60", id="60 minutes of zone"),
        pytest.param("2026-11-21T08:30:00+99:99", id="no zone at all"),
        pytest.param("2026-11-21T08:30:00\N{MINUS SIGN}01:00", id="typographic minus"),
        pytest.param("2026-11-21T08:30:60Z", id="leap second"),
        pytest.param("2016-12-31T23:59:60Z", id="leap second that was"),
        pytest.param("2026-11-21T24:00:00Z", id="24 o'clock"),
        pytest.param("2026-11-21T08:60:00Z", id="60 minutes"),
        pytest.param("2026-02-29T08:30:00Z", id="no leap year"),
        pytest.param("1900-02-29T08:30:00Z", id="no leap year in 1900"),
        pytest.param("2026-13-01T08:30:00Z", id="month 13"),
        pytest.param("2026-00-01T08:30:00Z", id="month 0"),
        pytest.param("2026-01-00T08:30:00Z", id="day 0"),
        pytest.param("0000-01-01T00:00:00Z", id="year 0000"),
        pytest.param("-2026-11-21T08:30:00Z", id="negative year"),
        pytest.param("12026-11-21T08:30:00Z", id="five digits of year"),
        pytest.param("0001-01-01T00:00:00+00:01", id="before the first instant"),
        pytest.param("0001-01-01T13:59:59+14:00", id="before the first instant by hours"),
        pytest.param("9999-12-31T23:59:59-00:01", id="after the last instant"),
    ],
)
def test_another_spelling_or_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with refused(CHECK):
        parse_date_time(text, refuse)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("0001-01-01T14:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("2026-11-21T08:30:00-00:00", datetime(2026, 11, 21, 8, 30, tzinfo=UTC)),
        ("2026-11-21T08:30:00+14:00", datetime(2026, 11, 20, 18, 30, tzinfo=UTC)),
        ("2026-11-21T08:30:00-14:00", datetime(2026, 11, 21, 22, 30, tzinfo=UTC)),
        ("2026-11-21T08:30:00.000001Z", datetime(2026, 11, 21, 8, 30, 0, 1, UTC)),
        ("2026-11-21T08:30:00.999999999Z", datetime(2026, 11, 21, 8, 30, 0, 999999, UTC)),
        ("2024-02-29T00:00:00.5Z", datetime(2024, 2, 29, 0, 0, 0, 500000, UTC)),
    ],
)
def test_the_edges_of_the_calendar_are_read(text: str, instant: datetime) -> None:
    assert parse_date_time(text, refuse) == instant


# --- Base64 -----------------------------------------------------------------------------------------------------------

ALPHABET = string.ascii_letters + string.digits + "+/"


@given(st.binary(max_size=80), st.data())
def test_base64_with_white_space_anywhere_names_the_bytes_that_were_encoded(octets: bytes, data: st.DataObject) -> None:
    text = base64.b64encode(octets).decode()
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from([" ", "\t", "\r", "\n", "\r\n    "])) + text[at:]
    assert decode_base64(text, "Nonce", refuse) == octets


@given(st.text(ALPHABET + "= \n", max_size=12))
@example("QR==")
@example("QUJ=")
def test_what_is_taken_for_base64_names_the_bytes_that_python_says_it_does(text: str) -> None:
    compact = text.replace(" ", "").replace("\n", "")
    data = compact.rstrip("=")
    legal = "=" not in data and len(compact) % 4 == 0 and len(compact) - len(data) == -len(data) % 4
    if legal:
        assert decode_base64(text, "Nonce", refuse) == base64.b64decode(compact)
    else:
        with refused(CHECK):
            decode_base64(text, "Nonce", refuse)


@pytest.mark.parametrize(("honest", "respelled"), [("QQ==", "QR=="), ("QQ==", "Qf=="), ("QUI=", "QUL=")])
def test_trailing_bits_make_another_text_of_the_same_bytes(honest: str, respelled: str) -> None:
    assert decode_base64(respelled, "Nonce", refuse) == decode_base64(honest, "Nonce", refuse)


@given(st.text())
def test_any_text_at_all_is_base64_or_the_fault(text: str) -> None:
    check = check_of(lambda: decode_base64(text, "Nonce", refuse))
    assert check in {"", CHECK}
    if not check:
        assert decode_base64(text, "Nonce", refuse) == base64.b64decode("".join(text.split()))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Q", id="one character"),
        pytest.param("QQ", id="no padding"),
        pytest.param("QQ=", id="half the padding"),
        pytest.param("QQ===", id="too much padding"),
        pytest.param("QUJD====", id="padding where none is due"),
        pytest.param("Q===", id="three of padding"),
        pytest.param("====", id="padding only"),
        pytest.param("QQ==QQ==", id="padding in the middle"),
        pytest.param("QQ==QUJD", id="more behind the padding"),
        pytest.param("-_-_", id="URL alphabet"),
        pytest.param("QUJ.", id="a dot"),
        pytest.param("QUJD\N{NO-BREAK SPACE}", id="no-break space"),
        pytest.param("QUJD\N{ZERO WIDTH SPACE}", id="zero-width space"),
        pytest.param("QU\vJD", id="vertical tab"),
        pytest.param("QU\fJD", id="form feed"),
        pytest.param("ＱＵＪＤ", id="full-width letters"),
        pytest.param("QUJD\0", id="NUL"),
        pytest.param("QUJD%0A", id="percent sign"),
    ],
)
def test_another_alphabet_or_wrong_padding_is_refused(text: str) -> None:
    with refused(CHECK):
        decode_base64(text, "Nonce", refuse)


@given(st.text(ALPHABET, min_size=8).filter(lambda text: len(text) % 4 == 1))
def test_text_that_is_no_base64_is_counted_and_never_quoted(text: str) -> None:
    with refused(CHECK) as caught:
        decode_base64(text, "Nonce", refuse)
    fault = caught.value
    assert text not in f"{fault.expected} {fault.seen} {fault.setting} {fault} {fault!r}"
    assert str(len(text)) in fault.seen


def test_a_megabyte_of_base64_is_read_without_recursion() -> None:
    assert decode_base64("QUJD" * 250_000, "Nonce", refuse) == b"ABC" * 250_000
    with refused(CHECK):
        decode_base64("QUJD" * 250_000 + "Q", "Nonce", refuse)


# --- Elements ---------------------------------------------------------------------------------------------------------


def test_children_are_found_by_their_whole_name() -> None:
    parent = etree.fromstring('<p xmlns="urn:a"><c>1</c><c xmlns="urn:b"/></p>')
    assert exactly_one(parent, "{urn:a}c", refuse).text == "1"
    assert at_most_one(parent, "c", refuse) is None
    with refused(CHECK):
        exactly_one(parent, "c", refuse)


def test_grandchildren_are_not_children() -> None:
    assert at_most_one(etree.fromstring("<p><q><c/></q></p>"), "c", refuse) is None


def test_a_child_that_may_stand_once_does_not_stand_twice() -> None:
    parent = etree.fromstring("<p><c/><d/><c/></p>")
    with refused(CHECK):
        at_most_one(parent, "c", refuse)
    with refused(CHECK):
        exactly_one(parent, "c", refuse)


def test_white_space_between_children_is_no_text() -> None:
    assert not has_text(etree.fromstring("<p> \t\n<c>text of its own</c>&#13; </p>"))
    only_children(etree.fromstring("<p>\n<c/>\n</p>"), frozenset({"c"}), refuse)


@pytest.mark.parametrize(
    "xml", ["<p>x<c/></p>", "<p><c/>x</p>", "<p><c/> <c/>x<c/></p>", "<p><c/>&#160;</p>", "<p>x</p>"]
)
def test_text_between_children_is_seen_wherever_it_stands(xml: str) -> None:
    parent = etree.fromstring(xml)
    assert has_text(parent)
    with refused(CHECK):
        only_children(parent, frozenset({"c"}), refuse)


def test_a_child_of_a_look_alike_name_is_another_child() -> None:
    with refused(CHECK):
        only_children(etree.fromstring('<p><c xmlns="urn:x"/></p>'), frozenset({"c", "{urn:y}c"}), refuse)


def test_an_attribute_in_a_namespace_is_another_attribute() -> None:
    only_attributes(etree.fromstring('<p Type="x"/>'), frozenset({"Type"}), refuse)
    with refused(CHECK):
        only_attributes(etree.fromstring('<p xmlns:q="urn:q" q:Type="x"/>'), frozenset({"Type"}), refuse)


def test_a_leaf_is_read_exactly_as_it_was_sent() -> None:
    assert leaf_text(etree.fromstring("<p> a\n </p>"), refuse) == " a\n "
    assert leaf_text(etree.fromstring("<p/>"), refuse) == ""


@pytest.mark.parametrize("xml", ["<p>ad<c/>min</p>", "<p><c>admin</c></p>", "<p>admin<c/></p>"])
def test_a_leaf_with_children_is_refused(xml: str) -> None:
    with refused(CHECK):
        leaf_text(etree.fromstring(xml), refuse)


def test_the_local_name_stands_behind_the_brace() -> None:
    assert (local_name("{urn:a}b"), local_name("b")) == ("b", "b")
