"""Messages that would fill the memory: what one takes is bounded, whoever sent it and however far it gets.

Each goes to a process of its own, and libxml2's memory counts too.
"""

import sys
from typing import Final

import pytest

from bench.hostile import IN_HEADERS, IN_THE_BODY, Shape
from bench.hostile_stages import Stage, measure, stages
from tests.guarding import Guarded
from tests.messages import message
from tests.signature.mutations import Forgetful
from wsguard.names import XSD, XSI

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by what Linux says of a process")

SHAPES: Final = {shape.name: shape for shape in (*IN_THE_BODY, *IN_HEADERS)}
MOST: Final = 32 * 2**20
"""Bytes: ``limits.memory_bytes`` and a third, for other versions of the libraries."""
WHOLE: Final = 2_000_000
"""Octets: nearly ``limits.body_bytes``."""

COSTLY: Final = {
    "nobody's": ("comments between text", "100 attributes each", "xml:ids", "Latin-1 text"),
    "headers of anybody": ("distinct header blocks", "header blocks in a long namespace", "DataReferences"),
    "a user's": (
        "numbers",
        "typed numbers",
        "10 attributes each",
        "Ids in a long namespace",
        "values beside the operation",
        "50 namespaces each",
        "text of >",
        "a CDATA section of <",
        "an attribute of quotation marks",
    ),
    "signed": ("names in a long namespace", "attributes in a long namespace", "text of >", "numbers"),
    "signed and encrypted": ("100 attributes each", "names in a long namespace", "numbers"),
}


@pytest.fixture(scope="module")
def guards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    found = {stage.name: stage for stage in stages(tmp_path_factory.mktemp("guards"))}
    assert set(COSTLY) == set(found)
    return found


@pytest.mark.parametrize(
    ("stage", "shape"),
    [pytest.param(stage, shape, id=f"{stage}: {shape}") for stage in COSTLY for shape in COSTLY[stage]],
)
@pytest.mark.parametrize("size", [400_000, WHOLE])
def test_memory_is_bounded(guards: dict[str, Stage], stage: str, shape: str, size: int) -> None:
    cost = measure(guards[stage], SHAPES[shape], size)
    assert cost.memory < MOST, cost


def test_memory_is_measured_at_all(guards: dict[str, Stage]) -> None:
    """A text of 2 MB is in memory a few times over; without limits attributes take 40 times their text."""
    assert measure(guards["a user's"], SHAPES["text"], WHOLE).memory > 2 * WHOLE


def test_what_is_above_the_limit_is_refused_by_its_name(guards: dict[str, Stage]) -> None:
    cost = measure(guards["a user's"], SHAPES["100 attributes each"], WHOLE)
    assert (cost.check, cost.memory < 6 * WHOLE) == ("limits.memory_bytes", True)


# --- Legal messages ---------------------------------------------------------------------------------------------------

ITEMS: Final = {
    "numbers": "<item>12345</item>",
    "typed numbers": '<item t:type="x:int">12345</item>',
    "qualified numbers": "<e:item>12345</e:item>",
    "indented numbers": "\n      <item>12345</item>",
    "numbers without namespace": '<item xmlns="">12345</item>',
    "nothing": '<e:item t:nil="true"/>',
}


@pytest.mark.parametrize("item", ITEMS)
def test_an_array_of_40000_is_taken(guards: dict[str, Stage], item: str) -> None:
    shape = Shape(name=item, body=lambda size: ITEMS[item] * 40_000, operation=f'xmlns:t="{XSI}" xmlns:x="{XSD}"')
    for stage in ("a user's", "signed", "signed and encrypted"):
        assert guards[stage].post(guards[stage].make(shape, 0), shape) == "accepted"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("x" * 2_000_000, id="text"),
        pytest.param("a &lt; b &amp; c &gt; d; " * 80_000, id="text of entities"),
        pytest.param('{"name":"value","list":[1,2]},' * 66_000, id="JSON"),
        pytest.param("<![CDATA[" + "<row a='1'>text of a row</row>" * 20_000 + "]]>", id="XML in CDATA"),
        pytest.param("a=b; " * 400_000, id="text of equals signs"),
    ],
)
def test_a_large_document_is_taken(content: str) -> None:
    guard = Guarded(replay_store=Forgetful())
    answer = guard.post(message(body=f'<e:Echo xmlns:e="urn:echo">{content}</e:Echo>'))
    assert (answer.status, answer.check) == ("200 OK", "")


def test_the_limit_grows_with_that_of_the_body() -> None:
    """Who takes larger messages need not know of the other limit, as long as they are text."""
    guard = Guarded(replay_store=Forgetful(), limits={"body_bytes": 8_000_000})
    assert guard.post(message(body=f'<e:Echo xmlns:e="urn:echo">{"x" * 7_900_000}</e:Echo>')).check == ""


def test_the_limit_is_raised_by_its_setting() -> None:
    octets = message(body=f'<e:Echo xmlns:e="urn:echo">{SHAPES["100 attributes each"].body(1_000_000)}</e:Echo>')
    assert Guarded().post(octets).check == "limits.memory_bytes"
    raised = Guarded(limits={"memory_bytes": 100_000_000})
    assert raised.post(octets).check == ""
