"""Small messages that would cost much: refused before they do, without credentials and at little cost."""

import time
from contextlib import suppress

import pytest
from lxml import etree

from bench.hostile import IN_HEADERS, IN_THE_BODY, Shape
from bench.hostile_stages import Stage, measure, stages
from tests.guarding import Guarded
from tests.messages import SOAP11, message
from wsguard.message.interning import ThreadParser
from wsguard.message.parse import LONGEST_NAMESPACE

LONG = "u" * 40_000


def envelope(children: str, declared: str = "") -> bytes:
    return f'<S:Envelope xmlns:S="{SOAP11}" {declared}>{children}</S:Envelope>'.encode()


def body(content: str, declared: str = "") -> bytes:
    return envelope(f'<S:Body {declared}><e:Echo xmlns:e="urn:echo">{content}</e:Echo></S:Body>')


def attributes(prefix: str, count: int) -> str:
    return " ".join(f"{prefix}y{i}=''" for i in range(count))


def nested(count: int) -> str:
    return "".join(f'<v id="n{i}">' for i in range(count)) + "x" * 80_000 + "</v>" * count


@pytest.mark.parametrize(
    ("octets", "check"),
    [
        pytest.param(envelope("<a:x/>" * 9_000, f'xmlns:a="{LONG}"'), "envelope.malformed", id="names in the Envelope"),
        pytest.param(envelope("<S:Body/>" * 9_000), "envelope.structure", id="many Bodies"),
        pytest.param(body("<a:x/>" * 9_000, f'xmlns:a="{LONG}"'), "envelope.malformed", id="names in the Body"),
        pytest.param(
            body(f"<x {attributes('a:', 5_000)}/>", f'xmlns:a="{LONG}"'),
            "envelope.malformed",
            id="names of attributes",
        ),
        pytest.param(body(f"<x {attributes('', 9_000)}/>"), "limits.attributes_per_element", id="attributes"),
        pytest.param(
            body('<r href="#n0"/>' * 900 + nested(50)), "envelope.structure", id="references to much, and much in it"
        ),
    ],
)
def test_it_is_refused_at_little_cost(octets: bytes, check: str) -> None:
    guard = Guarded()
    guard.post(message())
    started = time.process_time()
    assert guard.post(octets).check == check
    assert time.process_time() - started < 0.25, f"{len(octets)} bytes"


def test_a_namespace_may_be_as_long_as_anybody_makes_them() -> None:
    longest = "u" * LONGEST_NAMESPACE
    fits = f'<e:Echo xmlns:e="urn:echo" xmlns:l="{longest}"><l:x/></e:Echo>'
    assert Guarded().post(message(body=fits)).status == "200 OK"
    assert Guarded().post(message(body=fits.replace(longest, longest + "u"))).check == "envelope.malformed"
    assert Guarded().post(message(body=f'<e:Echo xmlns:e="urn:echo" text="{LONG}"/>')).status == "200 OK"


# --- Whatever a message is made of ------------------------------------------------------------------------------------

MOST_MILLISECONDS = 200
"""Of the processor, for 100 KB: four times what is promised, for machines that are busy or slow."""


@pytest.fixture(scope="module")
def guards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages(tmp_path_factory.mktemp("guards"))}


@pytest.mark.parametrize(
    ("stage", "shape"),
    [
        pytest.param(stage, shape, id=f"{stage}: {shape.name}")
        for stage, shapes in (("a user's", IN_THE_BODY), ("headers of anybody", IN_HEADERS))
        for shape in shapes
    ],
)
def test_no_shape_costs_much(guards: dict[str, Stage], stage: str, shape: Shape) -> None:
    cost = measure(guards[stage], shape, 300_000)
    assert cost.milliseconds < MOST_MILLISECONDS, cost


def test_long_texts_are_looked_for_in_linear_time() -> None:
    """A pattern that began anew at each octet took a second for 2 MB."""
    octets = body("".join(f"<a{attributes('', 2)}>{'x' * 4_000}</a>" for _ in range(450)) + "<b c='" + '"' * 150_000)
    started = time.process_time()
    assert Guarded().post(octets).check in ("limits.memory_bytes", "envelope.malformed")
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "unit",
    [
        "xmlns",
        " xmlns:",
        " xmlns=",
        " xmlns='",
        ' xmlns="',
        "xmlns = ",
        " a",
        " a =",
        " ",
        "=",
        "'",
        '"',
        " xmlns\t\t\t",
        "xmlns:",
        "'xmlns:",
        "<?",
    ],
    ids=repr,
)
@pytest.mark.parametrize("octets", ["text", "attribute", "not well-formed"])
def test_names_are_looked_for_in_linear_time(unit: str, octets: str) -> None:
    """A pattern that gave back what it had taken took hours for 2 MB of ``xmlns`` in a text."""
    run = unit * (400_000 // len(unit))
    escaped = run.replace('"', "&quot;")
    made = {"text": f"<a>{run}</a>", "attribute": f'<a b="{escaped}"/>', "not well-formed": f"<a>{run}<"}
    started = time.process_time()
    with suppress(etree.XMLSyntaxError):
        ThreadParser().parse(made[octets].encode())
    assert time.process_time() - started < 0.5
