"""What may be removed from the table, and what must be said of it first.

Of each writer the oldest entries go, never one from the middle. A checkpoint that names the newest of them is written
before any is removed: where the removal is interrupted, everything that is left still connects.

An entry that is not as it was written goes with the others when it is old, but no checkpoint is made of it: otherwise
somebody could slip one in to have the absence of others excused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, select

from wsguard.audit.chain import Link, is_genuine, link_of
from wsguard.audit.checkpoint import Checkpoint, furthest, read_checkpoint
from wsguard.audit.sql_rows import entry_of
from wsguard.audit.sql_table import AUDIT
from wsguard.audit.writer import IDLE

_RECENT: Final = 100
"""Entries that are looked at for the newest of each writer."""
_MAY_RETURN: Final = timedelta(seconds=2 * IDLE)
"""A writer whose last entry is older than this writes no more: it would have begun anew."""


@dataclass(slots=True)
class Plan:
    """What a purge removes."""

    before: datetime
    key: bytes | None
    cut: dict[str, Link] = field(default_factory=dict)
    """Of each writer the newest entry that goes."""
    held: set[str] = field(default_factory=set)
    """Writers of which a newer entry was met: nothing after it goes."""
    checkpoints: list[Checkpoint] = field(default_factory=list)
    """What the checkpoints say that go."""
    changed: int = 0
    """Entries among what goes that are not as they were written."""
    missing: int = 0
    """Entries that were gone already, between others that go: afterwards nobody could tell."""

    def choose(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Those of the next ``rows`` that go, in the order of writing."""
        return [row["id"] for row in rows if self._goes(row)]

    def _goes(self, row: Mapping[str, Any]) -> bool:
        writer = row["writer"]
        if row["time"] >= self.before or writer in self.held:
            if writer:
                self.held.add(writer)
            return False
        if writer:
            self._note(row)
        return True

    def _note(self, row: Mapping[str, Any]) -> None:
        link = _genuine_link(row, self.key)
        if link is None:
            self.changed += 1
            return
        last = self.cut.get(link.writer)
        if last is not None and link.seq > last.seq + 1:
            self.missing += link.seq - last.seq - 1
        self.cut[link.writer] = link
        if row["kind"] == "checkpoint":
            self.checkpoints.append(_checkpoint(row))


def last_before(connection: Connection, before: datetime) -> int | None:
    """The last row that may go; None where there is none."""
    last: int | None = connection.execute(select(func.max(AUDIT.c.id)).where(AUDIT.c.time < before)).scalar()
    return last


def remove(connection: Connection, rows: Sequence[int]) -> int:
    """Remove rows; how many were still there."""
    return connection.execute(delete(AUDIT).where(AUDIT.c.id.in_(rows))).rowcount if rows else 0


def checkpoint_of(connection: Connection, plan: Plan, now: datetime, *, every_head: bool) -> Checkpoint:
    """What must be said before ``plan`` is carried out.

    Args:
        connection: to the table as it is before.
        plan: what goes.
        now: a writer that may still return is remembered.
        every_head: the newest entry of every writer is named; otherwise only of those that wrote lately.
    """
    carried = furthest(link for one in plan.checkpoints for link in one.cut if link.writer not in plan.cut)
    may_return = now - plan.before < _MAY_RETURN
    needed = set(carried) if may_return else _with_rows(connection, sorted(carried))
    cut = {**{writer: link for writer, link in carried.items() if writer in needed}, **plan.cut}
    heads = furthest(_heads(connection, _every_head() if every_head else _recent(), plan.key))
    head = tuple(link for link in heads.values() if link.writer not in cut or cut[link.writer].seq < link.seq)
    unchained = max((one.unchained for one in plan.checkpoints), default=0)
    return Checkpoint(tuple(cut.values()), head, unchained)


def _genuine_link(row: Mapping[str, Any], key: bytes | None) -> Link | None:
    entry = entry_of(row)
    if not entry.intact or entry.content is None or not is_genuine(entry.content, key):
        return None
    return link_of(entry.content)


def _checkpoint(row: Mapping[str, Any]) -> Checkpoint:
    try:
        return read_checkpoint((entry_of(row).content or {}).get("checkpoint"))
    except TypeError:
        return Checkpoint()


def _with_rows(connection: Connection, writers: Sequence[str]) -> set[str]:
    query = select(AUDIT.c.writer).where(AUDIT.c.writer.in_(writers)).distinct()
    return set(connection.execute(query).scalars()) if writers else set()


def _heads(connection: Connection, query: Select[Any], key: bytes | None) -> Iterator[Link]:
    for row in connection.execute(query).mappings():
        if (link := _genuine_link(dict(row), key)) is not None:
            yield link


def _recent() -> Select[Any]:
    return select(AUDIT).order_by(AUDIT.c.id.desc()).limit(_RECENT)


def _every_head() -> Select[Any]:
    newest = select(AUDIT.c.writer, func.max(AUDIT.c.seq).label("seq")).group_by(AUDIT.c.writer).subquery()
    joined = (AUDIT.c.writer == newest.c.writer) & (AUDIT.c.seq == newest.c.seq)
    return select(AUDIT).join(newest, joined).where(AUDIT.c.writer != "")
