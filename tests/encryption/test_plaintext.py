"""What was decrypted is text of an attacker's: it is balanced by itself and stays in its place, or it is bad data."""

from dataclasses import replace
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.encrypting import Encryption, encrypted
from tests.encryption.messages import opened, server, text_of
from tests.message.refusing import refused
from tests.messages import envelope, security
from wsguard.encryption.plaintext import Piece, place
from wsguard.encryption.reading import Budget
from wsguard.faults import FailedCheck
from wsguard.message.parse import parse
from wsguard.policy.surroundings import Limits

FOR_US = Encryption.for_(server()).fixed()

BROKEN: dict[str, bytes] = {
    "it closes the Body": b"</S:Body><S:Body>",
    "it closes the Body and opens another": b"<e/></S:Body><S:Body xmlns:S='urn:x'><e/>",
    "it closes everything": b"</S:Body></S:Envelope><!--",
    "a comment that swallows what follows": b"<e/><!-- ",
    "a CDATA section that swallows what follows": b"<e/><![CDATA[",
    "a CDATA section that ends": b"<e/>]]>",
    "a document type": b"<!DOCTYPE e [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><e>&x;</e>",
    "a processing instruction": b"<e><?php ?></e>",
    "an XML declaration": b"<?xml version='1.0'?><e/>",
    "a byte order mark": "\ufeff<e/>".encode(),
    "UTF-16": "<e/>".encode("utf-16"),
    "UTF-7": b"+ADw-e/+AD4-\xff",
    "no UTF-8": b"<e>\xe9</e>",
    "an overlong character": b"<e>\xc0\xbc</e>",
    "a NUL": b"<e>\0</e>",
    "a control character": b"<e>\x01</e>",
    "an entity": b"<e>&nbsp;</e>",
    "half an entity": b"<e/>&am",
    "half a tag": b"<e/><",
    "a start": b"<e>",
    "an end": b"</e>",
    "crossed tags": b"<a><b></a></b>",
    "an unbound prefix": b"<q:e/>",
    "an attribute twice": b"<e a='1' a='2'/>",
    "an Id twice": b"<e Id='1'/><e Id='1'/>",
    "an Id of the message": b"<e Id='EK-1'/>",
    "too deep": b"<e>" * 100 + b"</e>" * 100,
    "far too deep": b"<e>" * 5000 + b"</e>" * 5000,
    "too many attributes": b"<e " + b" ".join(b"a%d=''" % number for number in range(200)) + b"/>",
    "too many elements": b"<e/>" * 60_000,
    "too many namespaces": b"<e " + b" ".join(b"xmlns:a%d='u'" % number for number in range(200)) + b"/>",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_content_is_bad_data(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with refused("encryption.failed", FailedCheck) as caught:
        opened(encrypted(replace(FOR_US, plaintext=BROKEN[name])))
    fault = caught.value
    assert (fault.expected, fault.seen) == (
        "data that decrypts to well-formed content",
        "data that does not",
    )
    assert fault.__cause__ is None
    assert fault.__context__ is None or fault.__suppress_context__
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "plaintext", [b"", b" ", b"text", b"<e/><e/>", b"text<e/>", b"<e/>text", b"<!-- --->", *BROKEN.values()]
)
def test_an_element_is_one_element(plaintext: bytes) -> None:
    with refused("encryption.failed"):
        opened(encrypted(replace(FOR_US, kind="Element", plaintext=plaintext)))


@pytest.mark.parametrize("kind", ["Element", "Content"])
@pytest.mark.parametrize(
    "plaintext",
    [b"<e/>", b"\n <e/> ", b"<!-- a --><e/>", b"<e><![CDATA[</e>]]></e>", b"<S:e/>", b"<e>\xc3\xa9&amp;&#10;</e>"],
)
def test_one_element_is_taken_however_it_is_written(kind: str, plaintext: bytes) -> None:
    result = opened(encrypted(replace(FOR_US, kind=kind, plaintext=plaintext)))
    assert etree.QName(result.body[0]).localname == "e"


@pytest.mark.parametrize(
    "plaintext", [b"", b"text", b"<a/><b/>", b"a<b/>c", b"--><b/>", b"a<!-- -->b", b"<![CDATA[<]]>"]
)
def test_content_is_any_content(plaintext: bytes) -> None:
    result = opened(encrypted(replace(FOR_US, plaintext=plaintext)))
    expected = etree.fromstring(b"<x>" + plaintext + b"</x>", etree.XMLParser(remove_comments=True))
    assert result.body.text == expected.text
    assert [text_of(child) for child in result.body] == [text_of(child) for child in expected]


@pytest.mark.parametrize("count", [30, 300])
def test_markup_in_text_is_no_element(count: int) -> None:
    limits = Limits(elements=40)
    plaintext = b"<e><![CDATA[" + b"<" * count + b"]]></e>"
    result = opened(encrypted(replace(FOR_US, plaintext=plaintext)), limits=limits)
    assert result.body[0].text == "<" * count


def test_the_message_with_its_plaintext_keeps_within_the_size_of_a_message() -> None:
    octets = envelope(security(), "<p/>")
    limits = Limits(body_bytes=len(octets) + 996)
    tree = parse(octets, None, ("utf-8",), limits)

    def put(size: int) -> None:
        place(tree, [Piece(tree.root[1][0], True, b"x" * size)], Budget(limits))

    put(900)
    with refused("encryption.failed"):
        put(1100)


def test_pieces_side_by_side_and_text_around_them_keep_their_order() -> None:
    tree = parse(b"<r>1<a/>2<b/><c/>3</r>", None, ("utf-8",), Limits())
    a, b, c = tree.root
    pieces = [Piece(c, True, b"C<x/>"), Piece(a, True, b"A"), Piece(b, False, b"<B/>")]
    assert text_of(place(tree, pieces, Budget(Limits())).root) == "<r>1A2<B></B>C<x></x>3</r>"
    assert text_of(tree.root) == "<r>1<a></a>2<b></b><c></c>3</r>"


def test_odd_namespaces_of_the_place_are_declared_and_no_others() -> None:
    octets = (
        b"<r xmlns='urn:d' xmlns:p='urn:a&amp;b&apos;c' xmlns:xml='http://www.w3.org/XML/1998/namespace'>"
        b"<i xmlns=''><a xmlns:own='urn:own'/></i></r>"
    )
    tree = parse(octets, None, ("utf-8",), Limits())
    placed = place(tree, [Piece(tree.root[0][0], False, b"<e p:a='1' xml:lang='en'/>")], Budget(Limits()))
    assert placed.root[0][0].get("{urn:a&b'c}a") == "1"
    assert placed.root[0][0].tag == "e"
    with refused("encryption.failed"):
        place(tree, [Piece(tree.root[0][0], False, b"<own:e/>")], Budget(Limits()))


def test_the_root_has_no_place() -> None:
    tree = parse(b"<r/>", None, ("utf-8",), Limits())
    with pytest.raises(ValueError, match="root"):
        place(tree, [Piece(tree.root, False, b"<e/>")], Budget(Limits()))


MARKUP = st.sampled_from(
    ["<e>", "</e>", "<e/>", "<S:Body>", "</S:Body>", "</S:Envelope>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&",
     "<", "text", " ", "\r\n", "<?p ?>", "é", "]", "-", "xmlns='urn:u'", "<e xmlns='urn:u'>"]
)  # fmt: skip


@given(st.lists(MARKUP, max_size=8).map("".join))
def test_whatever_is_decrypted_changes_nothing_around_it(plaintext: str) -> None:
    octets = envelope(security("<k/>"), "<before/><p/><after/>")
    tree = parse(octets, None, ("utf-8",), Limits())
    try:
        placed = place(tree, [Piece(tree.root[1][1], True, plaintext.encode())], Budget(Limits()))
    except FailedCheck:
        return
    body = placed.root[1]
    alone = etree.fromstring(
        f"<x xmlns:S='http://schemas.xmlsoap.org/soap/envelope/'>{plaintext}</x>", etree.XMLParser(remove_comments=True)
    )
    assert len(placed.root) == 2
    assert text_of(placed.root[0]) == text_of(tree.root[0])
    assert body[0].tag == "before"
    assert body[-1].tag == "after"
    assert [text_of(child) for child in body[1:-1]] == [text_of(child) for child in alone]


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40))
def test_any_text_comes_through(text: str) -> None:
    plaintext = f"<e>{escape(text)}</e>".encode()
    assert (opened(encrypted(replace(FOR_US, plaintext=plaintext))).body[0].text or "") == text
