"""What a guarded call costs, in three figures: instructions by a bare call's, processor time by its, calls of ours."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any, Final

import wsguard
from bench.calling import prepared
from bench.counted import BETWEEN
from bench.counting import Way
from bench.orders import application, message
from bench.profiles import Profile
from bench.timing import interleaved
from wsguard.message.interning import FIRST

BARE: Final = "bare spyne"
OCTETS: Final = 2000
"""Of the message before it is secured."""
ROUNDS: Final = 100
"""Of times."""
WATCHED: Final = 11
"""Messages whose calls are counted, after as many that are not."""
PROGRAM: Final = ("-m", "bench.counted")
_OURS: Final = str(Path(wsguard.__file__).parent) + os.sep

Figures = Mapping[str, float]
"""By profile."""


def instructions(way: Way, made: Iterable[Profile], directory: Path) -> dict[str, float]:
    """Instructions of one call, the bare one's too.

    Args:
        directory: where the messages of the bare one go.

    Raises:
        RuntimeError: what counts fails, or a message is refused.
    """
    plain = message(OCTETS)
    makers: dict[str, tuple[Path, Callable[[], bytes]]] = {BARE: (directory, lambda: plain)}
    makers |= {profile.name: (profile.home, partial(profile.message, plain)) for profile in made}
    pairs = {name: tuple(_sent(*maker, number) for number in (way.few, way.many)) for name, maker in makers.items()}
    counted = way.count(PROGRAM, [file for pair in pairs.values() for file in pair])
    return {name: (counted[many] - counted[few]) / (way.many - way.few) for name, (few, many) in pairs.items()}


def _sent(home: Path, make: Callable[[], bytes], number: int) -> str:
    file = home / f"{number}.messages"
    file.write_bytes(BETWEEN.join(make() for _ in range(number)))
    return str(file)


def times(made: Iterable[Profile]) -> Figures:
    """Processor time of a guarded call by a bare one's, interleaved."""
    plain, bare = message(OCTETS), application()
    rows = {BARE: lambda: prepared(bare, plain)}
    for profile in made:
        rows[profile.name] = partial(_prepared, profile, plain)
    taken = interleaved(rows, ROUNDS, Random(0))  # noqa: S311 - the order of rows is no secret
    return {name: one.ratio(taken[BARE]) for name, one in taken.items() if name != BARE}


def _prepared(profile: Profile, plain: bytes) -> Callable[[], None]:
    return prepared(profile.guard, profile.message(plain))


# --- Calls ------------------------------------------------------------------------------------------------------------


def calls(made: Iterable[Profile]) -> Figures:
    """How many functions of the guard are called for a message, by whomever; the same on every machine."""
    plain = message(OCTETS)
    return {profile.name: _calls(profile, plain) for profile in made}


def _calls(profile: Profile, plain: bytes) -> float:
    # The first documents of a thread are all looked at for their names.
    for _ in range(FIRST):
        _prepared(profile, plain)()
    # A purge, which the replay store does at every fiftieth message, and a look at names are in some of them only.
    return min(_watched(_prepared(profile, plain)) for _ in range(WATCHED))


def _watched(call: Callable[[], None]) -> int:
    with _watching() as found:
        call()
    return len(found)


@contextmanager
def _watching() -> Iterator[list[CodeType]]:
    """The code of each function of ours that is called meanwhile by this thread."""
    found: list[CodeType] = []

    def note(frame: FrameType, event: str, _: Any) -> None:  # noqa: ANN401 - sys.setprofile's
        if event == "call" and frame.f_code.co_filename.startswith(_OURS):
            found.append(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)
