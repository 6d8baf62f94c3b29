"""A genuine audit of JSON lines by two writers, and what somebody with a text editor does to it.

The octets are steps of four: what is done, to which line, at which place, with what; those that write are followed by
a length and the text.

Invariant: it can be read and verified, whatever it is; where it holds, the entries of each writer are the first ones
that it wrote, as they were written, without a gap; what ``wsguard audit`` prints of it can be printed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Final

from fuzz import keys
from fuzz.silence import silent
from fuzz.target import Target, demand
from tests.audit.chains import KEY, record
from wsguard.audit.chain import Link, sealed
from wsguard.audit.checkpoint import Checkpoint
from wsguard.audit.entries import amendment_content, checkpoint_content, closing_content, record_content
from wsguard.audit.jsonl import JsonLinesReader
from wsguard.audit.lines import line_of
from wsguard.audit.verification import Verification, verify
from wsguard.cli import audit_keeping
from wsguard.cli.audit import _row

_TIME: Final = "2026-03-01T12:00:00.000Z"
_LONGEST_FILE: Final = 40_000
"""Bytes after which nothing more is done to the file: each step may double it."""
_WRITERS: Final = ("writer-a", "writer-b")


@cache
def genuine() -> tuple[bytes, ...]:
    """The lines of an honest file: two writers in turn, the first closed; the second began after a purge."""
    contents = [record_content(record(f"incident {number}"), "milliseconds") for number in range(3)]
    contents.insert(1, amendment_content("incident 0", "error", 2.5, _TIME))
    lines: list[tuple[str, dict[str, object]]] = [(writer, dict(one)) for one in contents for writer in _WRITERS]
    lines.insert(0, (_WRITERS[1], dict(checkpoint_content(Checkpoint(unchained=0), _TIME))))
    lines.append((_WRITERS[0], dict(closing_content(_TIME))))
    links = {writer: Link(writer) for writer in _WRITERS}
    written = []
    for writer, content in lines:
        entry = sealed(content, links[writer], KEY)
        links[writer] = Link(writer, entry["seq"], entry["mac"])
        written.append(line_of(entry))
    return tuple(written)


def judge(octets: bytes) -> bool:
    """Hold what became of the file against the invariant."""
    path = keys.file("audit.jsonl", _changed(octets))
    with silent():
        reader = JsonLinesReader(path)
        records = reader.read()
        done = verify(reader.entries(), KEY)
        json.dumps([asdict(done), [one.as_dict() for one in records]])
        demand(not records or reader.find(records[0].incident), "what was read is found")
        demand(len(list(reader.scan(oldest_first=True))) == len(records), "both ways lead to the same records")
        for utc in (True, False):
            _ = [audit_keeping._row(report, utc) for report in done.writers], [_row(one, utc) for one in records]
    if done.holds:
        _demand_genuine(path.read_bytes(), done)
    return done.holds


def _demand_genuine(octets: bytes, done: Verification) -> None:
    lines = [line for line in octets.splitlines(keepends=True) if line != b"\n"]
    demand(done.entries == len(lines), "every line is an entry")
    for writer in _WRITERS:
        own = [line for line in lines if b'"writer":"%b"' % writer.encode() in line]
        wrote = [line for line in genuine() if b'"writer":"%b"' % writer.encode() in line]
        demand(own == wrote[: len(own)], "what is there of a writer is what it wrote first, in its order")
    demand(set(lines) <= set(genuine()), "nobody else wrote anything that holds")


def _changed(octets: bytes) -> bytes:
    lines = list(genuine())
    while len(octets) >= 4 and sum(map(len, lines)) <= _LONGEST_FILE:
        kind, line, place, value = octets[:4]
        octets, text = octets[4:], b""
        if kind % 8 == 7 and octets:
            text, octets = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
        if lines:
            _edit(lines, kind % 8, line % len(lines), place, value, text)
    return b"".join(lines)


def _edit(lines: list[bytes], kind: int, line: int, place: int, value: int, text: bytes) -> None:
    old = lines[line]
    at = (place << 3 | value & 7) % (len(old) + 1)
    match kind:
        case 0:
            del lines[line]
        case 1:
            lines.insert(place % (len(lines) + 1), old)
        case 2:
            lines.insert(place % len(lines), lines.pop(line))
        case 3:
            lines[line] = old[:at]
        case 4:
            lines[line] = old[:at] + bytes([value]) + old[at + 1 :]
        case 5:
            lines[line] = old + b"\n" * (value % 3)
        case 6:
            lines[line] = old[:at] + lines[place % len(lines)] + old[at:]
        case _:
            lines[line] = old[:at] + text + old[at + value :]


_LINES: Final = (
    b'{"writer":"w","seq":1,"prev":"","mac":"","time":"0001-01-01T00:00:00+14:00"}\n',
    b'{"incident":"i","time":"9999-12-31T23:59:59-14:00","outcome":"error"}\n',
    b'{"incident":"i","time":"2026-01-01T00:00:00Z","outcome":"error","seq":1e400,"duration_ms":NaN}\n',
    b'{"amends":true,"incident":"incident 0","outcome":[],"duration_ms":1}\n', b'{"writer":"w","seq":1e9}\n',
    b'{"writer":"\\ud800","seq":9223372036854775808,"prev":"","mac":""}\n', b"[" * 200 + b"\n", b"9" * 200 + b"\n",
    b'{"checkpoint":{"cut":[],"head":[["writer-a",99,"m"]]},"writer":"writer-a","seq":1,"prev":"","mac":""}\n',
)  # fmt: skip


def seeds() -> Sequence[bytes]:
    """The file as it is, each step, and lines that nobody wrote."""
    steps = [bytes([kind, line, 20, 3]) for kind in range(7) for line in (0, 2, 8)]
    return [b"", *steps, *(bytes([7, 3, 0, 0, len(line)]) + line for line in _LINES)]


TARGET: Final = Target(name="audit", judge=judge, seeds=seeds, dictionary="json", longest=512)
