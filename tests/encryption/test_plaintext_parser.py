"""The parser of what was decrypted, by itself: hardened even where nothing before it looked at the octets."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.message.refusing import refused
from wsguard.encryption import plaintext
from wsguard.faults import FailedCheck
from wsguard.message.interning import _new_parser
from wsguard.policy.surroundings import Limits


def parse(octets: bytes, parser: etree.XMLParser | None = None) -> etree._Element:
    return etree.fromstring(octets, parser or _new_parser())


class Asked(etree.Resolver):
    """Notes what the parser wants to load, and leaves it to the parser."""

    def __init__(self) -> None:
        self.urls: list[str | None] = []

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        self.urls.append(system_url)
        return self.resolve_string("<!ELEMENT a ANY>", context)


def test_it_takes_octets_for_utf_8_whatever_they_say_of_themselves() -> None:
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>'.encode()
    assert parse(declared).text == "ü"
    with pytest.raises(etree.XMLSyntaxError):
        parse("<a>ü</a>".encode("utf-16"))


def test_it_puts_nothing_in_the_place_of_an_entity() -> None:
    root = parse(b'<!DOCTYPE a [<!ENTITY e "told">]><a>&e;</a>')
    assert "told" not in "".join(root.itertext(tag=etree.Element))
    assert [isinstance(node, etree._Entity) for node in root] == [True]


@pytest.mark.parametrize("kind", ['SYSTEM "urn:dtd"', 'PUBLIC "-//X" "urn:dtd"'])
def test_it_asks_for_no_document_type_elsewhere(kind: str) -> None:
    parser, asked = _new_parser(), Asked()
    parser.resolvers.add(asked)
    assert parse(f"<!DOCTYPE a {kind}><a><b/></a>".encode(), parser)[0].tag == "b"
    assert asked.urls == []


def test_it_keeps_no_comment() -> None:
    assert len(parse(b"<a><!-- c --><b/></a>")) == 1


def test_it_has_the_bounds_of_libxml2() -> None:
    assert parse(b"<a>" * 250 + b"</a>" * 250).tag == "a"
    with pytest.raises(etree.XMLSyntaxError, match="depth"):
        parse(b"<a>" * 300 + b"</a>" * 300)


CLOSED: Final = "</plaintext>"
"""Ends the element around what was decrypted."""


@pytest.mark.parametrize(
    "octets",
    [
        CLOSED, f"{CLOSED}<plaintext>", f"<a/>{CLOSED}<plaintext><a/>", f"{CLOSED}\n<plaintext>\n", f"{CLOSED}<!--",
        f"{CLOSED}<!-- --><!--", f"{CLOSED}<?p ", f"{CLOSED}<![CDATA[", "<plaintext>", f"{CLOSED}<!DOCTYPE a [",
        f"<plaintext>{CLOSED}{CLOSED}<plaintext>", f"{CLOSED}<plaintext><plaintext/>", "<!--", "<![CDATA[", "<?p ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("content", [True, False], ids=["content", "element"])
def test_what_closes_the_element_around_it_is_refused(octets: str, content: bool) -> None:
    with refused("encryption.failed"):
        plaintext._check(plaintext.Piece(parse(b"<a/>"), content, octets.encode()), Limits())


@given(
    st.lists(
        st.sampled_from([CLOSED, "<plaintext>", "<a>", "</a>", "<!--", "-->", "<![CDATA[", "]]>", "x", "<?p ", "?>"])
    )
)
def test_what_is_taken_is_balanced_by_itself_inside_of_any_other_element(pieces: list[str]) -> None:
    octets = "".join(pieces).encode()
    try:
        plaintext._check(plaintext.Piece(parse(b"<a/>"), True, octets), Limits())
    except FailedCheck:
        return
    parse(b"<another-name>" + octets + b"</another-name>")


def test_one_name_is_around_every_plaintext(monkeypatch: pytest.MonkeyPatch) -> None:
    """libxml2 would keep each of many."""
    seen: list[bytes] = []

    def note(octets: bytes, _: Limits) -> etree._Element:
        seen.append(octets)
        return etree.Element("a")

    monkeypatch.setattr(plaintext, "_well_formed", note)
    for _ in range(2):
        plaintext._check(plaintext.Piece(parse(b"<a/>"), True, b"text"), Limits())
    assert seen == [b"<plaintext>text</plaintext>"] * 2
