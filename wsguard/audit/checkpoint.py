"""What a checkpoint says: how far a purge went, how far the writers were, and what stands outside of any chain."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wsguard.audit.chain import Link

_CLAIMS: Final = 200
"""In one entry: some 40 kB at most."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Said by one chained entry, and true when it was written."""

    cut: tuple[Link, ...] = ()
    """Newest entry of each writer that was purged: it and all before it may be gone."""
    head: tuple[Link, ...] = ()
    """An entry of each writer that was there, as new as was known."""
    unchained: int = 0
    """Records outside of any chain: those of releases before 0.2."""

    def as_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "cut": [[link.writer, link.seq, link.mac] for link in self.cut],
            "head": [[link.writer, link.seq, link.mac] for link in self.head],
            "unchained": self.unchained,
        }

    def parts(self) -> Iterator["Checkpoint"]:
        """The same in checkpoints of bounded size; at least one."""
        for start in range(0, max(len(self.cut), len(self.head), 1), _CLAIMS):
            window = slice(start, start + _CLAIMS)
            yield Checkpoint(self.cut[window], self.head[window], self.unchained)


def read_checkpoint(plain: object) -> Checkpoint:
    """The checkpoint in plain data.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(plain, Mapping) or not isinstance(plain.get("unchained"), int):
        raise TypeError("a checkpoint is expected")
    return Checkpoint(_links(plain.get("cut")), _links(plain.get("head")), plain["unchained"])


def furthest(links: Iterable[Link]) -> dict[str, Link]:
    """Of each writer the link with the highest number."""
    found: dict[str, Link] = {}
    for link in links:
        if link.writer not in found or found[link.writer].seq < link.seq:
            found[link.writer] = link
    return found


def _links(plain: object) -> tuple[Link, ...]:
    if not isinstance(plain, list):
        raise TypeError("a list is expected")
    return tuple(_link(*each) for each in plain)


def _link(writer: object, seq: object, mac: object) -> Link:
    if not (isinstance(writer, str) and isinstance(seq, int) and isinstance(mac, str)):
        raise TypeError("a link is expected")
    return Link(writer, seq, mac)
