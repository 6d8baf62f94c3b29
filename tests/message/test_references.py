"""References are let through only where following them changes nothing but the inside of the Body, and cannot grow."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.message.refusing import refused
from tests.messages import SOAP11, WSU
from wsguard.message.parse import parse
from wsguard.message.references import check_references
from wsguard.policy.surroundings import Limits

EVERY = pytest.mark.parametrize("every_href", [True, False], ids=["every href", "only #id"])


def check(body: str, header: str = "", *, every_href: bool = True, **limits: int) -> None:
    """Check the references of an envelope with this inside the Body."""
    header = f"<S:Header>{header}</S:Header>" if header else ""
    xml = f'<S:Envelope xmlns:S="{SOAP11}" xmlns:w="{WSU}">{header}{body}</S:Envelope>'
    tree = parse(xml.encode(), None, ("utf-8",), Limits(elements=100_000))
    check_references(tree, tree.root[-1], Limits(**limits), every_href=every_href)


def body(*inside: str, attributes: str = "") -> str:
    return f"<S:Body {attributes}>{''.join(inside)}</S:Body>"


def operation(*hrefs: str) -> str:
    return f'<e:Echo xmlns:e="urn:echo">{"".join(f"<a href={href!r}/>" for href in hrefs)}</e:Echo>'


def value(name: str, *hrefs: str, text: str = "v") -> str:
    return f'<m id="{name}">{text}{"".join(f"<a href={href!r}/>" for href in hrefs)}</m>'


# --- Legal ------------------------------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(operation(), id="no reference"),
        pytest.param(operation() + value("i"), id="an id that nothing refers to"),
        pytest.param(operation("#i") + value("i"), id="one value"),
        pytest.param(operation("#i", "#i", "#i") + value("i"), id="one value for several"),
        pytest.param(operation("#i", "#j") + value("j") + value("i"), id="two values"),
        pytest.param(operation("#i") + value("i", "#j") + value("j"), id="a value of a value"),
        pytest.param(
            operation("#i", "#j") + value("i", "#k") + value("j", "#k") + value("k"), id="a value that is shared"
        ),
        pytest.param('<e:Echo xmlns:e="urn:echo"><a id="i">v</a><a href="#i"/></e:Echo>', id="a value inside"),
        pytest.param(
            '<e:Echo xmlns:e="urn:echo" id="i"><a href="#j"/></e:Echo>' + value("j"), id="an operation with id"
        ),
    ],
)
def test_references_between_values_inside_the_body_are_legal(inside: str, every_href: bool) -> None:
    check(body(inside), every_href=every_href)


# --- Where from, where to ---------------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize(
    ("xml", "header"),
    [
        pytest.param(body(operation("#h")), '<h id="h">v</h>', id="to the header"),
        pytest.param(body(operation("#h")), '<g><h id="h">v</h></g>', id="to deep in the header"),
        pytest.param(body(operation()) + "", '<h href="#h"/><g id="h"/>', id="inside the header"),
        pytest.param(body(operation("#i"), value("i")), '<h href="#i"/>', id="from the header"),
        pytest.param(body(operation("#b"), attributes='id="b"'), "", id="to the Body itself"),
        pytest.param(body(operation("#i"), value("i"), attributes='href="#i"'), "", id="from the Body itself"),
        pytest.param(body(operation("#i"), value("i")), '<h href="#i"/><h href="#i"/>', id="from the header twice"),
    ],
)
def test_references_from_or_to_outside_the_body_are_refused(xml: str, header: str, every_href: bool) -> None:
    with refused("envelope.structure"):
        check(xml, header, every_href=every_href)


@EVERY
def test_references_to_or_from_the_envelope_are_refused(every_href: bool) -> None:
    for attributes, inside in (('id="e"', operation("#e")), ('href="#i"', operation() + value("i"))):
        xml = f'<S:Envelope xmlns:S="{SOAP11}" {attributes}><S:Body>{inside}</S:Body></S:Envelope>'
        tree = parse(xml.encode(), None, ("utf-8",), Limits())
        with refused("envelope.structure"):
            check_references(tree, tree.root[-1], Limits(), every_href=every_href)


@EVERY
@pytest.mark.parametrize("href", ["#gone", "#", "#I", "#i ", "# i", "#i#j", "#%69"])
def test_a_reference_to_what_is_not_there_is_refused(href: str, every_href: bool) -> None:
    with refused("envelope.structure"):
        check(body(operation("#i", href), value("i")), every_href=every_href)


@EVERY
def test_a_reference_is_dangling_also_where_nothing_has_an_id(every_href: bool) -> None:
    with refused("envelope.structure"):
        check(body(operation("#gone")), every_href=every_href)


@EVERY
@pytest.mark.parametrize("attribute", ["w:Id", "Id", "ID", "xml:id"])
def test_only_an_unqualified_id_is_what_a_reference_means(attribute: str, every_href: bool) -> None:
    """spyne looks for ``id`` alone: a reference to another kind of Id is one to nothing, and it fails on that."""
    with refused("envelope.structure"):
        check(body(operation("#i"), f'<m {attribute}="i">v</m>'), every_href=every_href)


@EVERY
def test_an_id_with_white_space_is_none_that_a_reference_means(every_href: bool) -> None:
    with refused("envelope.structure"):
        check(body(operation("#i"), '<m id=" i">v</m>'), every_href=every_href)


@EVERY
def test_a_reference_without_its_sign_is_one_where_it_names_an_id(every_href: bool) -> None:
    """spyne drops every ``#`` from an href before it looks."""
    check(body(operation("i"), value("i")), every_href=every_href)
    for href in ("h", "h#", "#h#", "##h"):
        with refused("envelope.structure"):
            check(body(operation(href)), '<h id="h">v</h>', every_href=every_href)


@EVERY
def test_plain_addresses_are_nobodys_references_where_nothing_has_an_id(every_href: bool) -> None:
    check(body(operation("http://example.com/", "mailto:a@example.com", "page.html#top")), every_href=every_href)


def test_a_plain_address_beside_an_id_is_refused_only_where_every_href_is_followed() -> None:
    for href in ("http://example.com/", "mailto:a@example.com", "page.html#top"):
        xml = body(operation(href, "#i"), value("i"))
        check(xml, every_href=False)
        with refused("envelope.structure"):
            check(xml, every_href=True)


def test_a_plain_address_in_a_header_block_does_not_matter_where_it_is_not_followed() -> None:
    check(body(operation("#i"), value("i")), '<h href="http://example.com/"/>', every_href=False)
    with refused("envelope.structure"):
        check(body(operation("#i"), value("i")), '<h href="http://example.com/"/>', every_href=True)


@pytest.mark.parametrize("href", [" #h", "&#9;#h", "&#10;#h&#10;", "#h "])
def test_white_space_around_a_reference_hides_nothing(href: str) -> None:
    """href is an anyURI, whose white space XML Schema collapses before anybody resolves it."""
    with refused("envelope.structure"):
        check(body(f'<e:Echo xmlns:e="urn:echo"><a href="{href}"/></e:Echo>'), '<h id="h">v</h>', every_href=False)


# --- Cycles, chains, growth -------------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(operation("#i") + value("i", "#i"), id="a value in itself"),
        pytest.param(operation("#i") + '<m id="i" href="#i"/>', id="a value that is a reference to itself"),
        pytest.param(operation("#i") + value("i", "#j") + value("j", "#i"), id="two values in each other"),
        pytest.param(operation("#i") + '<m id="i" href="#j"/><m id="j" href="#i"/>', id="two references to each other"),
        pytest.param(operation() + value("i", "#j") + value("j", "#i"), id="a circle nobody refers to"),
        pytest.param(
            operation("#a") + value("a", "#b", "#c") + value("b") + value("c", "#d") + value("d", "#b", "#a"),
            id="a circle behind honest values",
        ),
        pytest.param('<e:Echo xmlns:e="urn:echo" id="o"><a href="#o"/></e:Echo>', id="the operation in itself"),
        pytest.param(operation("#i") + '<m id="i"><n id="j"><a href="#i"/></n></m>', id="an outer value inside it"),
        pytest.param(
            operation("#i") + '<m id="i"><n id="j"><a href="#k"/></n></m>' + value("k", "#i"),
            id="an outer value around",
        ),
    ],
)
def test_a_circle_of_references_is_refused(inside: str, every_href: bool) -> None:
    with refused("envelope.structure") as caught:
        check(body(inside), every_href=every_href)
    assert "cycles" in caught.value.expected


def chain(length: int) -> list[str]:
    return [value(f"v{i}", f"#v{i + 1}") for i in range(length - 1)] + [value(f"v{length - 1}")]


@pytest.mark.parametrize("depth", [3, 64, 200])
def test_a_chain_is_as_long_as_the_limit_of_depth_and_no_longer(depth: int) -> None:
    check(body(operation("#v0"), *chain(depth)), depth=depth, body_bytes=2**30)
    with refused("envelope.structure") as caught:
        check(body(operation("#v0"), *chain(depth + 1)), depth=depth, body_bytes=2**30)
    assert "chains" in caught.value.expected


@pytest.mark.parametrize("depth", [3, 10])
@pytest.mark.parametrize("order", ["from the end", "from the middle", "every one from the end", "every one"])
def test_the_length_of_a_chain_is_found_whatever_of_it_was_measured_before(order: str, depth: int) -> None:
    def document(length: int) -> str:
        everywhere = range(length)
        starts = {
            "from the end": [length - 1, 0],
            "from the middle": [length // 2, 0],
            "every one from the end": reversed(everywhere),
            "every one": everywhere,
        }[order]
        return body(operation(*(f"#v{start}" for start in starts)), *chain(length))

    check(document(depth), depth=depth)
    with refused("envelope.structure"):
        check(document(depth + 1), depth=depth)


@pytest.mark.parametrize("further", [["#leaf", "#v0"], ["#v0", "#leaf"]])
def test_the_longest_of_several_chains_counts_whichever_comes_first(further: list[str]) -> None:
    inside = operation("#v0", "#fork"), *chain(5), value("leaf"), value("fork", *further)
    check(body(*inside), depth=6)
    with refused("envelope.structure") as caught:
        check(body(*inside), depth=5)
    assert "chains" in caught.value.expected


def test_a_chain_that_nests_values_instead_of_naming_them_is_a_chain() -> None:
    """Each value holds the next one's reference two elements further in."""
    links = [f'<m id="v{i}"><n><o href="#v{i + 1}"/></n></m>' for i in range(10)] + [value("v10")]
    check(body(operation("#v0"), *links), depth=11)
    with refused("envelope.structure"):
        check(body(operation("#v0"), *links), depth=10)


def test_a_bomb_of_references_is_refused_at_little_cost() -> None:
    levels = [value(f"v{i}", *[f"#v{i + 1}"] * 50) for i in range(40)] + [value("v40", text="x" * 1000)]
    started = time.process_time()
    with refused("envelope.structure") as caught:
        check(body(operation("#v0"), *levels))
    assert "bytes" in caught.value.expected
    assert time.process_time() - started < 0.5


def test_a_circle_in_a_bomb_is_found_at_little_cost() -> None:
    levels = [value(f"v{i}", *[f"#v{j}" for j in range(60)]) for i in range(60)]
    started = time.process_time()
    with refused("envelope.structure"):
        check(body(operation("#v0"), *levels))
    assert time.process_time() - started < 0.5


def test_one_large_value_for_many_references_is_refused() -> None:
    with refused("envelope.structure"):
        check(body(operation(*["#i"] * 30), value("i", text="x" * 100_000)))
    check(body(operation(*["#i"] * 15), value("i", text="x" * 100_000)))


def counted(element: etree._Element) -> int:
    """The text and attributes of an element and all in it, and 16 for each element and attribute."""
    own = len(element.text or "") + sum(16 + len(value) for value in element.attrib.values()) + 16
    return own + sum(counted(child) + len(child.tail or "") for child in element)


def test_what_references_yield_is_as_long_as_a_body_may_be_and_not_a_byte_longer() -> None:
    xml = body(operation("#i", "#i", "#i"), value("i", text="x" * 500))
    tree = parse(
        f'<S:Envelope xmlns:S="{SOAP11}" xmlns:w="{WSU}">{xml}</S:Envelope>'.encode(), None, ("utf-8",), Limits()
    )
    yields = 3 * counted(tree.root[-1][1])
    check(xml, body_bytes=yields)
    with refused("envelope.structure"):
        check(xml, body_bytes=yields - 1)


def test_many_references_at_depth_are_checked_at_little_cost() -> None:
    inside = "<a>" * 57 + '<b href="#i"/>' * 7_000 + "</a>" * 57
    started = time.process_time()
    check(body(f'<e:Echo xmlns:e="urn:echo">{inside}</e:Echo>', value("i", text="")), body_bytes=2**30)
    assert time.process_time() - started < 0.5


Graph = list[list[int]]


def followed(graph: Graph, sizes: list[int], node: int, path: tuple[int, ...], longest: int) -> int | None:
    """The bytes that a reference to ``node`` yields, by really following all of them; None where that never ends."""
    if node in path or len(path) == longest:
        return None
    total = sizes[node]
    for further in graph[node]:
        below = followed(graph, sizes, further, (*path, node), longest)
        if below is None:
            return None
        total += below
    return total


nodes = st.integers(0, 5)


@given(
    st.lists(st.lists(nodes, max_size=3), min_size=6, max_size=6),
    st.lists(nodes, max_size=4),
    st.integers(3, 5),
    st.integers(200, 8_000),
    st.permutations(range(6)),
)
def test_the_verdict_is_that_of_following_every_reference(
    graph: Graph, starts: list[int], longest: int, most: int, order: list[int]
) -> None:
    values = {i: value(f"v{i}", *(f"#v{j}" for j in graph[i]), text="x" * 50 * i) for i in range(6)}
    xml = body(operation(*(f"#v{i}" for i in starts)), *(values[i] for i in order))
    tree = parse(
        f'<S:Envelope xmlns:S="{SOAP11}" xmlns:w="{WSU}">{xml}</S:Envelope>'.encode(), None, ("utf-8",), Limits()
    )
    sizes = [counted(tree.ids[f"v{i}"]) for i in range(6)]
    sources = [*starts, *(j for targets in graph for j in targets)]
    yields: list[Any] = [followed(graph, sizes, node, (), longest) for node in sources]
    if None in yields or sum(yields) > most:
        with refused("envelope.structure"):
            check(xml, depth=longest, body_bytes=most)
    else:
        check(xml, depth=longest, body_bytes=most)
