"""HTTP, byte order mark and XML declaration name one charset, and every octet keeps to it."""

from itertools import product
from typing import get_args
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.message.refusing import check_of, refused
from wsguard.message.charset import to_utf8
from wsguard.message.parse import parse
from wsguard.policy.surroundings import Charset, Limits

ALL: tuple[str, ...] = get_args(Charset)
MARKS = {
    "none": (b"", None, None),
    "utf-8": (b"\xef\xbb\xbf", "utf-8", "utf-8"),
    "utf-16 little": (b"\xff\xfe", "utf-16", "utf-16-le"),
    "utf-16 big": (b"\xfe\xff", "utf-16", "utf-16-be"),
}
PYTHON = {"utf-8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "latin-1", "utf-16": "utf-16-le"}
NAMES = (None, *ALL)


def declaration(encoding: str | None) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else '<?xml version="1.0"?>'


@pytest.mark.parametrize(("http", "mark", "declared"), list(product(NAMES, MARKS, NAMES)))
def test_the_three_that_name_a_charset_agree_or_the_message_is_refused(
    http: str | None, mark: str, declared: str | None
) -> None:
    bom, marked, codec = MARKS[mark]
    # A declaration that can be read at all without a mark is ASCII, whatever it says.
    octets = bom + f"{declaration(declared)}<a>x</a>".encode(codec or ("utf-16-le" if http == "utf-16" else "ascii"))
    named = {name for name in (http, marked, declared) if name}
    if len(named) <= 1 and (named != {"utf-16"} or marked):
        assert to_utf8(octets, http, ALL) == b"<a>x</a>"
    else:
        with refused("envelope.encoding"):
            to_utf8(octets, http, ALL)


@pytest.mark.parametrize(("charset", "where"), list(product(ALL, ["http", "declaration"])))
def test_a_charset_that_is_not_allowed_is_refused_wherever_it_is_named(charset: str, where: str) -> None:
    allowed = tuple(name for name in ALL if name != charset)
    mark = b"\xff\xfe" if charset == "utf-16" else b""
    text = declaration(charset if where == "declaration" else None) + "<a/>"
    octets = mark + text.encode(PYTHON[charset])
    http = charset if where == "http" else None
    assert to_utf8(octets, http, ALL) == b"<a/>"
    with refused("envelope.encoding"):
        to_utf8(octets, http, allowed)


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_byte_order_mark_of_a_charset_that_is_not_allowed_is_refused(mark: bytes) -> None:
    with refused("envelope.encoding"):
        to_utf8(mark, None, ("us-ascii",))


def test_without_any_name_the_charset_is_utf_8_and_must_be_allowed() -> None:
    assert to_utf8("<a>é</a>".encode(), None, ALL) == "<a>é</a>".encode()
    with refused("envelope.encoding"):
        to_utf8(b"<a/>", None, ("us-ascii", "iso-8859-1"))


@pytest.mark.parametrize(
    "name",
    [
        *("utf-7", "utf-32", "utf-16le", "utf-16be", "cp037", "ebcdic-cp-us", "windows-1252", "iso-8859-15", "csUTF7"),
        *("utf-8-sig", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "rot13", "zlib", "u8", "utf_8"),
        *("x", "", " ", "utf-8,utf-7", "utf-8\0", "ütf-8", "ISO-8859-1:1987"),
    ],
)
def test_no_other_charset_is_taken_from_http(name: str) -> None:
    with refused("envelope.encoding"):
        to_utf8(b"<a/>", name, ALL)


@pytest.mark.parametrize("name", ["utf-7", "UTF-7", "utf-32", "utf-16le", "cp037", "windows-1252", "unicode_escape"])
def test_no_other_charset_is_taken_from_the_declaration(name: str) -> None:
    with refused("envelope.encoding"):
        to_utf8(f"{declaration(name)}<a>+ADw-b/+AD4-</a>".encode(), None, ALL)


@pytest.mark.parametrize("name", ["UTF-8", "utf8", "Utf-8", " utf-8 "])
def test_a_charset_has_its_usual_spellings(name: str) -> None:
    assert to_utf8(b"<a/>", name, ALL) == b"<a/>"


@pytest.mark.parametrize(
    ("octets", "http"),
    [
        pytest.param(b"<a>\xff</a>", None, id="no UTF-8 at all"),
        pytest.param(b"<a>\xc0\xbc</a>", "utf-8", id="an overlong <"),
        pytest.param(b"<a>\xed\xa0\x80</a>", "utf-8", id="a surrogate in UTF-8"),
        pytest.param(b"<a>\xf4\x90\x80\x80</a>", "utf-8", id="beyond the last character"),
        pytest.param(b"<a>\xc3", "utf-8", id="half a character at the end"),
        pytest.param("<a>é</a>".encode(), "us-ascii", id="UTF-8 said to be ASCII"),
        pytest.param(b"<a>\x80</a>", "us-ascii", id="an octet beyond ASCII"),
        pytest.param(b"\xff\xfe<", "utf-16", id="half a unit of UTF-16"),
        pytest.param(b"\xff\xfe<\0a\0\x00\xd8>\0", "utf-16", id="half a surrogate pair"),
        pytest.param("<a/>".encode("utf-16-le"), "utf-16", id="UTF-16 without byte order mark"),
        pytest.param("<a/>".encode("utf-16-be"), "utf-16", id="UTF-16 without byte order mark, big"),
    ],
)
def test_an_octet_that_breaks_the_charset_is_refused(octets: bytes, http: str | None) -> None:
    with refused("envelope.encoding"):
        to_utf8(octets, http, ALL)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("<a/>".encode("utf-32"), id="utf-32, whose mark looks like utf-16"),
        pytest.param("<a/>".encode("utf-32-le"), id="utf-32 without mark"),
        pytest.param("<a/>".encode("utf-32-be"), id="utf-32 without mark, big"),
        pytest.param("<a/>".encode("utf-16-le"), id="utf-16 without mark"),
        pytest.param("<a/>".encode("utf-16-be"), id="utf-16 without mark, big"),
        pytest.param(f"{declaration('utf-16')}<a/>".encode("utf-16-be"), id="utf-16 without mark but declared"),
        pytest.param(b"+ADw-a/+AD4-", id="utf-7"),
    ],
)
def test_a_charset_that_nothing_names_is_not_guessed(octets: bytes) -> None:
    with refused("envelope.malformed"):
        parse(octets, None, ALL, Limits())


def test_ebcdic_is_not_guessed_either() -> None:
    with refused("envelope.encoding"):
        parse(f"{declaration('cp037')}<a/>".encode("cp037"), None, ALL, Limits())


@pytest.mark.parametrize(
    "start",
    [
        '<?xml version="1.1"?>',
        '<?xml version="1.1" encoding="utf-8"?>',
        '<?xml version="2.0"?>',
        '<?xml version="1"?>',
        '<?xml version="１.０"?>',
        "<?xml version=1.0?>",
        "<?xml version=\"1.0'?>",
        "<?xml ?>",
        "<?xml?>",
        '<?xml encoding="utf-8"?>',
        '<?xml encoding="utf-8" version="1.0"?>',
        '<?xml version="1.0" encoding=""?>',
        '<?xml version="1.0" encoding="utf-8\'?>',
        '<?xml version="1.0" encoding="utf-8" encoding="utf-7"?>',
        '<?xml version="1.0"encoding="utf-8"?>',
        '<?xml version="1.0" Encoding="utf-8"?>',
        '<?xml version="1.0" encoding="&#117;tf-8"?>',
        '<?xml version="1.0" standalone="yes" encoding="utf-8"?>',
        '<?xml version="1.0" standalone="maybe"?>',
        '<?xml version="1.0" x="y"?>',
        '<?xml version="1.0" encoding="8bit"?>',
        '<?xml version="1.0" encoding="-utf-8"?>',
        '<?xml version="1.0">',
        '<?xml version="1.0"',
        '<?xml version="1.0" ? >',
        f'<?xml version="1.0" {" " * 200} encoding="utf-7"?>',
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_declaration_that_is_none_is_refused(start: str, codec: str) -> None:
    with refused("envelope.malformed"):
        to_utf8(f"{start}<a/>".encode(codec), None, ALL)


@pytest.mark.parametrize(
    "start",
    [
        "",
        '<?xml version="1.0"?>',
        "<?xml version='1.0'?>",
        "<?xml\tversion\n=\r'1.0'\n?>",
        "<?xml version='1.0' encoding='UTF-8'?>",
        '<?xml version="1.0" encoding="utf-8" standalone="yes"?>',
        "<?xml version='1.0' encoding = \"utf8\" standalone = 'no' ?>",
        f'<?xml version="1.0" encoding="utf-8"{" " * 160}?>',
    ],
)
def test_every_legal_declaration_is_taken_away(start: str) -> None:
    assert to_utf8(f"{start}<a/>".encode(), None, ALL) == b"<a/>"


def test_what_only_begins_like_a_declaration_is_left_for_the_parser_to_refuse() -> None:
    assert to_utf8(b'<?xml-stylesheet href="x"?><a/>', None, ALL).startswith(b"<?xml-stylesheet")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_a_second_byte_order_mark_is_text_and_does_not_reach_the_parser_as_a_mark(codec: str) -> None:
    """libxml2 skips a mark at the start of what it gets; what looks for a document type there must not trip on it."""
    with refused("envelope.malformed"):
        parse("\ufeff<a/>".encode(codec), None, ALL, Limits())


def test_a_byte_order_mark_behind_the_declaration_is_refused() -> None:
    with refused("envelope.malformed"):
        parse(f"{declaration('utf-8')}\ufeff<a/>".encode(), None, ALL, Limits())


def xml_characters(codec: str) -> st.SearchStrategy[str]:
    allowed = st.characters(codec=codec, exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    return st.text(allowed | st.sampled_from("\t\n<&>\x7f" + ("\x85" if codec != "ascii" else "")))


@pytest.mark.parametrize(
    ("charset", "codec", "repertoire"),
    [
        ("utf-8", "utf-8", "utf-8"),
        ("utf-8", "utf-8-sig", "utf-8"),
        ("utf-16", "utf-16", "utf-8"),
        ("us-ascii", "ascii", "ascii"),
        ("iso-8859-1", "latin-1", "latin-1"),
    ],
)
@given(data=st.data())
def test_each_charset_carries_any_text_that_it_can_hold(
    charset: str, codec: str, repertoire: str, data: st.DataObject
) -> None:
    text = data.draw(xml_characters(repertoire))
    octets = f"{declaration(charset)}<a>{escape(text)}</a>".encode(codec)
    http = data.draw(st.sampled_from([None, charset, charset.upper()]))
    assert (parse(octets, http, ALL, Limits()).root.text or "") == text


@given(st.binary(max_size=60), st.sampled_from([None, *ALL]))
def test_any_octets_at_all_are_utf_8_in_the_end_or_a_fault(octets: bytes, http: str | None) -> None:
    check = check_of(lambda: to_utf8(octets, http, ALL))
    assert check in {"", "envelope.encoding", "envelope.malformed"}
    if not check:
        to_utf8(octets, http, ALL).decode("utf-8")
