"""What one process keeps of 100,000 messages: ``python -m bench.endurance``. How to read it: docs/load.md.

Each kind of message has a process of its own, which makes the messages too. It exits with 1 where memory still grows
in the second half.
"""

import argparse
import ctypes
import gc
import logging
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import wsguard
from bench.hostile_stages import in_child
from bench.orders import application, message
from bench.profiles import POLICIES, profiles
from tests.guarding import environ_for
from wsguard.audit.memory import MemoryAudit
from wsguard.middleware import Guard

BEGIN: Final = "<!-- measured: written by bench/endurance.py -->\n"
END: Final = "<!-- end of endurance -->\n"
MESSAGES: Final = 100_000
OCTETS: Final = 2000
PARTS: Final = 8
SHOWN: Final = (1, 2, 4, 6, 8)
"""Of them."""
MOST: Final = 2 * 2**20
"""Octets in the second half; one name of 40 characters for each message would be 4 MB or more."""
STRANGERS: Final = "names that nobody used before, refused"

Sender = Callable[[], bytes]


@dataclass(frozen=True)
class Endurance:
    """One kind of message."""

    kind: str
    messages: int
    refused: int
    sizes: list[int]
    """Octets that the process has in memory after each of ``PARTS`` parts."""

    @property
    def grown(self) -> int:
        """Octets, in the second half."""
        return self.sizes[-1] - self.sizes[PARTS // 2 - 1]

    @property
    def holds(self) -> bool:
        """Whether memory no longer grows, and the messages were judged as they should."""
        return self.grown <= MOST and self.refused == (self.messages if self.kind == STRANGERS else 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, and write where that is asked for; 1 where something does not hold."""
    asked = _asked(arguments)
    logging.getLogger("wsguard.refusal").addHandler(logging.NullHandler())
    logging.getLogger("wsguard.refusal").propagate = False
    measured = [_apart(kind, asked.messages) for kind in asked.kind or (*POLICIES, STRANGERS)]
    page = "\n".join(markdown(measured))
    sys.stdout.write(page)
    if asked.write is not None:
        before, _, rest = asked.write.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        asked.write.write_text(f"{before}{BEGIN}\n{page}\n{END}{after}", encoding="utf-8")
    return 0 if all(one.holds for one in measured) else 1


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.endurance", description="What is kept of many messages.")
    parser.add_argument("--messages", type=int, default=MESSAGES, metavar="N", help=f"of each kind ({MESSAGES})")
    parser.add_argument("--kind", action="append", choices=(*POLICIES, STRANGERS), help="this one alone")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for the table")
    asked = parser.parse_args(arguments)
    if asked.messages < PARTS:
        parser.error(f"at least {PARTS} messages")
    return asked


def _apart(kind: str, messages: int) -> Endurance:
    part = messages // PARTS
    refused, *sizes = in_child(lambda: list(_sizes(kind, part)), seconds=None)
    return Endurance(kind, part * PARTS, refused, sizes)


def _sizes(kind: str, part: int) -> Iterator[int]:
    """How many were refused, and the size after each part."""
    sizes, refused = [], 0
    with _sender(kind) as (guard, make):
        for _ in range(PARTS):
            refused += sum(_is_refused(guard, make()) for _ in range(part))
            gc.collect()
            # What the allocator could give back is not kept by anybody.
            ctypes.CDLL(None).malloc_trim(0)
            sizes.append(_resident())
    yield refused
    yield from sizes


@contextmanager
def _sender(kind: str) -> Iterator[tuple[Guard, Sender]]:
    with TemporaryDirectory() as directory, profiles(Path(directory)) as made:
        if kind == STRANGERS:
            # Refusals are recorded: on the disk that takes longer than everything else.
            yield wsguard.guard(application(), Path(directory) / "0" / "wsguard.toml", audit=MemoryAudit(1)), _new_names
            return
        octets = message(OCTETS)
        profile = next(one for one in made if one.name == kind)
        yield profile.guard, lambda: profile.message(octets)


def _new_names() -> bytes:
    """A message of 2 KB that has no Security header, and 40 names that no other one has."""
    one = secrets.token_hex(16)
    names = "".join(f"<n{one}{number}/>" for number in range(40))
    return (
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        f'<o:order xmlns:o="urn:orders">{names}</o:order></S:Body></S:Envelope>'
    ).encode()


def _is_refused(guard: Guard, octets: bytes) -> bool:
    started: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        started.append(status)
        return lambda data: None

    answer = guard(environ_for(octets), start)
    for _ in answer:
        pass
    getattr(answer, "close", lambda: None)()
    return started[0] != "200 OK"


def _resident() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def markdown(measured: Sequence[Endurance]) -> Iterator[str]:
    """The table."""
    parts = " | ".join(f"MB after {part}/{PARTS}" for part in SHOWN)
    yield f"| {measured[0].messages:,} messages | {parts} | KB for 1,000 in the second half |"
    yield "|---" * (len(SHOWN) + 2) + "|"
    for one in measured:
        sizes = " | ".join(f"{one.sizes[part - 1] / 2**20:.1f}" for part in SHOWN)
        yield f"| {one.kind} | {sizes} | {one.grown / 1024 / (one.messages / 2 / 1000):.1f} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
