"""Names that libxml2 keeps: a thread goes on with another dictionary of them, and nothing else is changed by that."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from wsguard.message.interning import _DICTIONARY, MOST_OCTETS, ThreadParser, _kept_for_this_thread

MORE = MOST_OCTETS + 1


@pytest.fixture(params=["in the main thread", "in another thread"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Runs something in a thread, and raises what it raised."""
    if request.param == "in the main thread":
        yield lambda work: work()
        return
    with ThreadPoolExecutor(1) as pool:
        yield lambda work: pool.submit(work).result()


Run = Callable[[Callable[[], None]], None]


def dictionary() -> object:
    """Of this thread, as lxml has it."""
    return _kept_for_this_thread()[_DICTIONARY]


def begun() -> ThreadParser:
    """One whose thread has parsed nothing with its dictionary."""
    parsers = ThreadParser()
    parsers.for_octets(MORE)
    parsers.for_octets(0)
    return parsers


def test_a_thread_goes_on_with_another_dictionary_after_so_many_octets(run: Run) -> None:
    def work() -> None:
        parsers = begun()
        first, parser = dictionary(), parsers.for_octets(MOST_OCTETS)
        assert (parsers.for_octets(1), dictionary()) == (parser, first)
        assert parsers.for_octets(0) is not parser
        assert dictionary() is not first
        assert parsers.for_octets(0) is parsers.for_octets(0)

    run(work)


def test_the_octets_are_counted_for_the_thread_and_not_for_a_green_thread() -> None:
    """gevent gives each of its threads a threading.local of its own, and lxml's dictionary is that of the real one."""
    begun()
    first = dictionary()
    for _ in range(16):
        ThreadParser().for_octets(MOST_OCTETS // 16)
    ThreadParser().for_octets(1)
    assert dictionary() is first
    ThreadParser().for_octets(0)
    assert dictionary() is not first


def test_each_thread_has_a_parser_of_its_own() -> None:
    parsers, meeting = ThreadParser(), threading.Barrier(8)

    def own(_: int) -> Any:
        meeting.wait(10)
        return parsers.for_octets(0)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, list(pool.map(own, range(8)))))) == 8


def test_what_an_application_made_the_default_parser_of_its_thread_stays_that(run: Run) -> None:
    def work() -> None:
        own = etree.XMLParser(remove_comments=True)
        etree.set_default_parser(own)
        try:
            parsers = begun()
            assert etree.get_default_parser() is own
            for _ in range(3):
                parsers.for_octets(MORE)
            assert etree.get_default_parser() is own
            assert etree.tostring(etree.fromstring("<a><!-- --><b/></a>")) == b"<a><b/></a>"
        finally:
            etree.set_default_parser(None)

    run(work)


# --- Documents with different dictionaries ----------------------------------------------------------------------------

DOCUMENT = b'<p:a xmlns:p="urn:p" p:b="1" c="2"><p:d xmlns="urn:q"><e f="3">text</e></p:d><g/></p:a>'


def parsed(parsers: ThreadParser, document: bytes = DOCUMENT) -> Any:
    """A document of a dictionary that is never used again."""
    root = etree.fromstring(document, parsers.for_octets(MORE))
    parsers.for_octets(0)
    return root


def test_documents_outlive_the_dictionary_of_their_thread(run: Run) -> None:
    def work() -> None:
        parsers = begun()
        before = [parsed(parsers) for _ in range(5)]
        for root in before:
            assert etree.tostring(root) == DOCUMENT
            assert root.find("{urn:p}d/{urn:q}e").get("f") == "3"
            assert root.xpath("//@*[local-name() = 'f'] = '3' and count(//p:d) = 1", namespaces={"p": "urn:p"})

    run(work)


def test_elements_are_moved_and_copied_between_them(run: Run) -> None:
    def work() -> None:
        parsers = begun()
        whole = parsed(parsers, b"<all/>")
        for _ in range(5):
            root = parsed(parsers)
            whole.append(deepcopy(root))
            whole.append(root)
            root.append(parsed(parsers, b'<late xmlns:p="urn:p" p:of="5"/>'))
            root.set("{urn:p}new", "6")
        del root
        found = etree.fromstring(etree.tostring(whole))
        assert len(found) == 10
        assert etree.tostring(found[0]) == DOCUMENT
        assert found[9].get("{urn:p}new") == "6"
        assert found[9][-1].get("{urn:p}of") == "5"
        assert [element.tag for element in whole.iter("{urn:q}e")] == ["{urn:q}e"] * 10

    run(work)


def test_canonicalization_knows_the_empty_prefix_in_each_of_them() -> None:
    """lxml leaves out of a PrefixList what is not in the dictionary."""
    parsers, seen = begun(), set()
    for _ in range(3):
        root = parsed(parsers, b'<p:a xmlns:p="urn:p" xmlns="urn:d"/>')
        seen.add(etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=[""]))
    assert seen == {b'<p:a xmlns="urn:d" xmlns:p="urn:p"></p:a>'}
