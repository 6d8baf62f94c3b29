"""Names that nobody used before, again and again: a process does not grow with them, whoever sends them.

libxml2 keeps each name for as long as the thread lives that parsed it (wsguard.message.interning). Each case goes to a
process of its own.
"""

import ctypes
import gc
import sys
import threading
from collections.abc import Callable
from typing import Final

import pytest

from bench.hostile import Shape
from bench.hostile_stages import Stage, _memory, in_child, stages
from tests.messages import SOAP11
from wsguard.message import interning

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by what Linux says of a process")

OCTETS: Final = 400_000
MESSAGES: Final = 60
"""Of names alone they have 24 MB."""
MOST: Final = 10 * 2**20
"""Bytes: a dictionary of a megabyte or two for each thread, and what the allocator keeps."""

NAMES: Final[dict[str, Callable[[int], str]]] = {
    "elements": lambda number: f"<{'e' * 1000}{number}/>",
    "attributes": lambda number: f"<x {'a' * 1000}{number}=''/>",
    "prefixes": lambda number: f"<x xmlns:{'p' * 100}{number}='urn:x'/>",
    "namespaces": lambda number: f"<x xmlns:p='urn:{'n' * 1000}{number}'/>",
    "Ids": lambda number: f"<x xml:id='{'i' * 1000}{number}'/>",
    "namespaces behind a quotation mark": lambda number: f"<x a=\" xmlns='\" xmlns:p='urn:{'n' * 1000}{number}'/>",
    "white space": lambda number: f"<x/>{number:058b}".replace("0", " ").replace("1", "\t"),
}


def new_names(kind: str, turn: int) -> Shape:
    """A message of names that no other one has."""

    def body(size: int) -> str:
        each = len(NAMES[kind](turn * OCTETS))
        return "".join(NAMES[kind](turn * OCTETS + number) for number in range(size // each))

    return Shape(name=kind, body=body, operation=f'xmlns:t{turn}="urn:t"')


@pytest.fixture(autouse=True)
def look_at_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise chance decides which are, in a worker whose parser has had its first documents in other tests."""
    monkeypatch.setattr(interning, "LOOKED_AT", 1)


@pytest.fixture(scope="module")
def guards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages(tmp_path_factory.mktemp("guards"))}


def grown(post: Callable[[int], str]) -> tuple[int, set[str]]:
    """Bytes by which a process grew, and what came of its messages."""

    def work() -> list[object]:
        seen = {post(turn) for turn in range(5)}
        before = _resident()
        seen.update(post(5 + turn) for turn in range(MESSAGES))
        return [_resident() - before, sorted(seen)]

    growth, seen = in_child(work)
    return growth, set(seen)


def _resident() -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _memory("VmRSS")


@pytest.mark.parametrize(
    ("stage", "outcome", "kind"),
    [
        *(pytest.param("nobody's", "security.missing", kind, id=f"{kind}, refused") for kind in NAMES),
        *(pytest.param("a user's", "accepted", kind, id=f"{kind}, accepted") for kind in NAMES),
        pytest.param("signed and encrypted", "accepted", "elements", id="elements, decrypted"),
    ],
)
def test_a_process_does_not_grow_with_new_names(guards: dict[str, Stage], stage: str, outcome: str, kind: str) -> None:
    def post(turn: int) -> str:
        shape = new_names(kind, turn)
        # Apart, since who makes a message has its names, too.
        return guards[stage].post(interning._apart(lambda: guards[stage].make(shape, OCTETS)), shape)

    growth, seen = grown(post)
    assert seen == {outcome}
    assert growth < MOST, growth


def test_nor_with_those_of_what_is_not_well_formed(guards: dict[str, Stage]) -> None:
    def post(turn: int) -> str:
        shape = new_names("elements", turn)
        return guards["nobody's"].post(f'<S:Envelope xmlns:S="{SOAP11}">{shape.body(OCTETS)}'.encode(), shape)

    growth, seen = grown(post)
    assert seen == {"envelope.malformed"}
    assert growth < MOST


def test_nor_with_targets_of_processing_instructions(guards: dict[str, Stage]) -> None:
    def post(turn: int) -> str:
        shape = Shape(name="targets", body=lambda size: "")
        targets = "".join(f"<?{'t' * 1000}{turn * OCTETS + number} ?>" for number in range(OCTETS // 1010))
        return guards["nobody's"].post(f'<S:Envelope xmlns:S="{SOAP11}">{targets}</S:Envelope>'.encode(), shape)

    growth, seen = grown(post)
    assert seen == {"envelope.structure"}
    assert growth < MOST


def test_nor_in_a_thread_that_lives_on(guards: dict[str, Stage]) -> None:
    def post(turn: int) -> str:
        shape, seen = new_names("elements", turn), list[str]()
        octets = guards["nobody's"].make(shape, OCTETS)
        turns[turn % 2].append(lambda: seen.append(guards["nobody's"].post(octets, shape)))
        met.wait(60)
        met.wait(60)
        return seen[0]

    turns: tuple[list[Callable[[], None]], ...] = ([], [])
    met = threading.Barrier(3)

    def live(mine: list[Callable[[], None]]) -> None:
        while True:
            met.wait(60)
            for work in mine:
                work()
            mine.clear()
            met.wait(60)

    def post_by_threads(turn: int) -> str:
        if not turn:
            for mine in turns:
                threading.Thread(target=live, args=(mine,), daemon=True).start()
        return post(turn)

    growth, seen = grown(post_by_threads)
    assert seen == {"security.missing"}
    assert growth < MOST


def test_growth_is_measured_at_all() -> None:
    kept: list[bytes] = []

    def post(turn: int) -> str:
        kept.append(bytes([turn]) * OCTETS)
        return "kept"

    assert grown(post)[0] > MOST
