"""Names that libxml2 keeps: how many a thread has is estimated, and what is above the bound is parsed elsewhere."""

import sys
import threading
from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from wsguard.message import interning
from wsguard.message.interning import A_NAME, FIRST, LOOKED_AT, MOST_KEPT, ThreadParser, knowing, parse_apart


class Chance:
    """What comes next by chance, said before."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> Chance:
    """Every document is looked at."""
    made = Chance(0.0)
    monkeypatch.setattr(interning, "_random", made)
    return made


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads that were started."""
    started: list[threading.Thread] = []
    original = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        started.append(thread)
        original(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    return started


def kept(document: bytes) -> float:
    """What a document alone brings."""
    parsers = ThreadParser()
    parsers.parse(document)
    return parsers.kept


def grown_up() -> ThreadParser:
    """Of a thread that has met its service."""
    parsers = ThreadParser()
    for _ in range(FIRST):
        parsers.parse(b"<usual/>")
    parsers.kept = 0.0
    return parsers


@pytest.mark.parametrize(
    ("document", "names"),
    [
        (b"<abc/>", ["abc"]),
        (b"<a:bc xmlns:a='urn:d'><bc/></a:bc>", ["a:bc", "bc", "xmlns:a", "'urn:d'"]),
        (b"<a\nb = '1'\tc\n=\n\"2\" b2='b=\"x\"'/>", ["a", "b", "c", "b2"]),
        ("<ä ö='ü'/>".encode(), ["ä", "ö"]),
        (b"<a xmlns = \"urn:x='y'\"/>", ["a", "xmlns", "\"urn:x='y'\""]),
        (b"<a>text</a>", ["a"]),
        (b"<a>\nMII=\n5A==</a>", ["a"]),
        (b"<a Id='i'><b/></a>", ["a", "Id", "b"]),
        (b"<a><?pi data?><b/></a>", ["a", "pi", "b"]),
        (b"<a x=\" xmlns='\" xmlns:p='urn:q'/>", ["a", "x", "xmlns", "xmlns:p", "'\" xmlns:p='", "'urn:q'"]),
        (b"<a> xmlns='<b xmlns:p='urn:q'/></a>", ["a", "b", "xmlns", "xmlns:p", "'<b xmlns:p='", "'urn:q'"]),
        (b"<a>" + b" \t\r\n" * 4 + b"<b/>" + b" " * 59 + b"</a>", ["a", "b", " \t\r\n" * 4, " " * 59]),
        (b"<a>\r\n" + b"\t" * 58 + b"</a>", ["a", "\r\n" + "\t" * 58]),
        (b"<a>" + b" " * 15 + b"<b/>" + b" " * 61 + b"</a>", ["a", "b"]),
    ],
)
def test_every_name_of_a_document_counts_and_no_value(document: bytes, names: list[str], chance: Chance) -> None:
    assert etree.fromstring(document) is not None
    expected = sum(len(name.encode()) + A_NAME for name in names)
    assert kept(document) == pytest.approx(expected)


def test_a_name_counts_once(chance: Chance) -> None:
    parsers = ThreadParser()
    parsers.parse(b"<a><b/><b/></a>")
    before = parsers.kept
    parsers.parse(b"<b><a/></b>")
    assert parsers.kept == before > 0


def test_of_what_is_not_well_formed_every_new_word_counts() -> None:
    parsers = grown_up()
    for _ in range(2):
        with pytest.raises(etree.XMLSyntaxError):
            parsers.parse(b"<usual new='no <name")
    assert parsers.kept == sum(len(word) + A_NAME for word in ("new", "no", "name"))


@pytest.mark.parametrize(
    ("document", "new"),
    [
        # Made of words that were met.
        (b"<usual xmlns:usual='usual/usual usual'", ["xmlns:usual", "'usual/usual usual'"]),
        (b"<usual>" + b" \t" * 10 + b"<usual>", [" \t" * 10]),
        (b"<usual>&one;&two;", ["one", "two"]),
    ],
    ids=["a namespace", "white space", "entities"],
)
def test_nor_is_anything_else_of_it_overlooked(document: bytes, new: list[str]) -> None:
    parsers = grown_up()
    with pytest.raises(etree.XMLSyntaxError):
        parsers.parse(document)
    assert parsers.kept == sum(len(name) + A_NAME for name in new)


def test_no_more_is_counted_than_there_may_be() -> None:
    """A message of 2 MB may have 300,000 words, of which a set would take twenty times as much."""
    parsers = ThreadParser()
    with pytest.raises(etree.XMLSyntaxError):
        parsers.parse(b"<a>" + b" ".join(b"%d" % number for number in range(300_000)) + b"<")
    assert parsers.full
    assert len(parsers._counted) <= MOST_KEPT // A_NAME + 1


def test_all_documents_that_come_first_are_looked_at(chance: Chance) -> None:
    chance.value = 0.999
    parsers = ThreadParser()
    for number in range(FIRST + 1):
        parsers.parse(b"<abc%03d/>" % number)
    assert parsers.kept == FIRST * (6 + A_NAME)


def test_later_ones_are_looked_at_by_chance_and_count_for_those_that_are_not(chance: Chance) -> None:
    parsers = grown_up()
    chance.value = 1 / LOOKED_AT
    parsers.parse(b"<abc/>")
    assert parsers.kept == 0
    chance.value = 0.999 / LOOKED_AT
    parsers.parse(b"<abc/>")
    assert parsers.kept == pytest.approx((3 + A_NAME) * LOOKED_AT)


def test_what_is_met_again_counts_for_itself_only(chance: Chance) -> None:
    parsers = grown_up()
    chance.value = 0.0
    for _ in range(3):
        parsers.parse(b"<abc/>")
        chance.value = 0.0
    assert parsers.kept == pytest.approx(3 + A_NAME)


def test_a_large_document_is_looked_at_as_often_as_it_is_large(chance: Chance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interning, "LARGE", 12)
    parsers = grown_up()
    chance.value = 0.5
    parsers.parse(b"<abc/>")
    assert parsers.kept == 0
    chance.value = 0.499
    parsers.parse(b"<abc/>")
    assert parsers.kept == pytest.approx((3 + A_NAME) * 2)
    chance.value = 0.999999
    parsers.parse(b"<abcdefghij/>")
    assert parsers.kept == pytest.approx((3 + A_NAME) * 2 + 10 + A_NAME)  # the last one is looked at always


def test_a_service_with_many_operations_is_no_attack() -> None:
    """Three hundred operations of ten names each, most of them met late."""
    parsers = ThreadParser()
    names = [b"".join(b"<of%d-%d/>" % (operation, name) for name in range(10)) for operation in range(300)]
    for number in range(20_000):
        parsers.parse(b"<a>%b</a>" % names[number * 7919 % 300])
    assert not parsers.full


def test_ever_new_names_are_noticed_within_a_few_megabytes() -> None:
    parsers, brought = ThreadParser(), 0
    while not parsers.full:
        names = b"".join(b"<n%d-%d/>" % (brought, number) for number in range(40))
        parsers.parse(b"<a>%b</a>" % names)
        brought += len(names) + 40 * A_NAME
        assert brought < 8 * MOST_KEPT


def test_above_the_bound_a_document_is_parsed_by_a_thread_of_its_own(threads: list[threading.Thread]) -> None:
    parsers = ThreadParser()
    parsers.kept = MOST_KEPT
    assert parsers.parse(b"<a/>").tag == "a"
    assert threads == []
    parsers.kept = MOST_KEPT + 1
    assert parsers.parse(b"<b><!-- c --><c/></b>")[0].tag == "c"
    assert [thread.is_alive() for thread in threads] == [False]
    with pytest.raises(etree.XMLSyntaxError) as raised:
        parsers.parse(b"<a>\n<b></a>")
    assert raised.value.lineno == 2
    assert parsers.kept == MOST_KEPT + 1


def test_a_document_that_is_refused_there_is_not_kept() -> None:
    """A message of 2 MB that waits for the garbage collector is one of many."""
    document = b"<a>" + b" " * 1000
    before = sys.getrefcount(document)
    with pytest.raises(etree.XMLSyntaxError) as raised:
        parse_apart(document)
    del raised
    assert sys.getrefcount(document) == before


def test_each_thread_counts_for_itself(chance: Chance) -> None:
    parsers, others = ThreadParser(), []
    parsers.parse(b"<a/>")
    thread = threading.Thread(target=lambda: others.append(parsers.kept))
    thread.start()
    thread.join()
    assert others == [0]
    assert parsers.kept > 0


# --- Documents of other threads ---------------------------------------------------------------------------------------

DOCUMENT = b'<p:a xmlns:p="urn:p" p:b="1" c="2"><p:d xmlns="urn:q"><e f="3">text</e></p:d><g/></p:a>'


def test_a_document_outlives_the_thread_that_parsed_it() -> None:
    for root in [parse_apart(DOCUMENT) for _ in range(5)]:
        assert etree.tostring(root) == DOCUMENT
        assert root.find("{urn:p}d/{urn:q}e").get("f") == "3"  # type: ignore[union-attr]
        assert root.xpath("//@*[local-name() = 'f'] = '3' and count(//p:d) = 1", namespaces={"p": "urn:p"})


def test_elements_are_moved_and_copied_between_them() -> None:
    whole: Any = etree.fromstring(b"<all/>")
    for _ in range(5):
        root = parse_apart(DOCUMENT)
        whole.append(deepcopy(root))
        whole.append(root)
        root.append(parse_apart(b'<late xmlns:p="urn:p" p:of="5"/>'))
        root.set("{urn:p}new", "6")
    del root
    found = etree.fromstring(etree.tostring(whole))
    assert len(found) == 10
    assert etree.tostring(found[0]) == DOCUMENT
    assert found[9].get("{urn:p}new") == "6"
    assert found[9][-1].get("{urn:p}of") == "5"
    assert [element.tag for element in whole.iter("{urn:q}e")] == ["{urn:q}e"] * 10


def test_canonicalization_knows_the_empty_prefix_in_each_of_them() -> None:
    """lxml leaves out of a PrefixList what is not in the dictionary."""
    root = parse_apart(b'<p:a xmlns:p="urn:p" xmlns="urn:d"/>')
    octets = etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=[""])
    assert octets == b'<p:a xmlns="urn:d" xmlns:p="urn:p"></p:a>'


def test_a_parser_that_an_application_is_feeding_meanwhile_is_not_disturbed() -> None:
    feeding = etree.XMLPullParser(events=("end",))
    feeding.feed(b"<r>" + b"".join(b"<name%d/>" % number for number in range(500)))
    parsers = ThreadParser()
    parsers.kept = MOST_KEPT + 1
    for _ in range(3):
        parsers.parse(DOCUMENT)
    feeding.feed(b"</r>")
    assert [element.tag for element in feeding.close()] == [f"name{number}" for number in range(500)]


def test_prefixes_are_known_where_they_are_asked_for() -> None:
    root = parse_apart(b'<p:a xmlns:p="urn:p" xmlns:q-1.x="urn:q" xmlns="urn:d"/>')
    listed = ["q-1.x", "", "no prefix/>", "absent"]

    def octets() -> bytes:
        return etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=listed)

    whole = b'<p:a xmlns="urn:d" xmlns:p="urn:p" xmlns:q-1.x="urn:q"></p:a>'
    assert knowing(listed, octets) == whole
    with pytest.raises(ZeroDivisionError):
        knowing([], lambda: 1 // 0)
