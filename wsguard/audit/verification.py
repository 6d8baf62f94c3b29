"""Whether the chains of an audit hold: a fold over its entries in the order of writing, without any store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from wsguard.audit.chain import Link, is_genuine, link_of
from wsguard.audit.checkpoint import furthest, read_checkpoint
from wsguard.audit.entries import Entry, kind_of

Flaw = Literal["changed", "missing", "displaced", "unconnected", "tail", "unreadable", "unchained"]

MEANINGS: Final[Mapping[Flaw, str]] = {
    "changed": "it is not as it was written, or was written under another key",
    "missing": "entries are gone",
    "displaced": "it stands where it was not written, or stands there twice",
    "unconnected": "it does not follow from the entry before it",
    "tail": "a checkpoint names a later entry: the end is gone",
    "unreadable": "it cannot be read: damaged, or torn by a full disk or a crash",
    "unchained": "it stands outside of any chain, and was not there when the chain began",
}
"""What each flaw says of an entry or of a place."""

_FEW: Final = 1_000
_UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a chain does not hold."""

    flaw: Flaw
    place: str
    """The line or row, or ``end``."""
    first: int = 0
    """Number of the entry, or of the first that is gone."""
    last: int = 0


@dataclass(slots=True)
class WriterReport:
    """What is there of one writer."""

    writer: str
    entries: int = 0
    first_seq: int = 0
    last_seq: int = 0
    first_time: str = ""
    last_time: str = ""
    last_mac: str = ""
    """Kept elsewhere, it shows later whether this entry was still there."""
    purged: int = 0
    """Entries before ``first_seq`` that a checkpoint says were purged."""
    missing: int = 0
    closed: bool = False
    """The last entry is a closing one. Otherwise it runs, ended by force, or its end was removed."""
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Verification:
    """What became of looking at a whole audit."""

    writers: list[WriterReport] = field(default_factory=list)
    """In the order of their first entries."""
    entries: int = 0
    unchained: int = 0
    """Records of releases before 0.2, of which nothing can be said."""
    findings: list[Finding] = field(default_factory=list)
    """Those that belong to no writer; the first thousand."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings and not any(report.findings for report in self.writers)


def verify(entries: Iterable[Entry], key: bytes | None = None) -> Verification:
    """Look at every entry, in memory of the number of writers.

    Args:
        entries: in the order of writing.
        key: that the macs were made with.

    Returns:
        what holds and what does not. The newest entries of a writer may be gone unseen unless a later checkpoint names
        one, and all entries of a writer.
    """
    fold = _Fold(key)
    for entry in entries:
        fold.take(entry)
    return fold.end()


class _Fold:
    """What is known after some of the entries."""

    def __init__(self, key: bytes | None) -> None:
        self._key: Final = key
        self._done: Final = Verification()
        self._reports: Final[dict[str, WriterReport]] = {}
        self._newest: Final[dict[str, Link]] = {}
        self._starts: Final[dict[str, tuple[str, str]]] = {}
        self._cut: Final[dict[str, Link]] = {}
        self._head: Final[dict[str, Link]] = {}
        self._known_unchained = 0

    def take(self, entry: Entry) -> None:
        """Look at the next entry."""
        self._done.entries += 1
        if entry.content is None:
            _add(self._done.findings, Finding("unreadable", entry.place))
        elif not entry.content.get("writer"):
            self._take_unchained(entry)
        elif (link := link_of(entry.content)) is None:
            _add(self._done.findings, Finding("changed", entry.place))
        else:
            self._take_chained(entry.content, entry, link)

    def end(self) -> Verification:
        """Hold what was seen against what the checkpoints say."""
        for report in self._reports.values():
            self._judge_start(report, self._cut.get(report.writer))
        for link in self._head.values():
            self._judge_end(link, self._cut.get(link.writer))
        if self._done.unchained > self._known_unchained:
            _add(self._done.findings, Finding("unchained", "end", self._known_unchained + 1, self._done.unchained))
        self._done.writers = list(self._reports.values())
        return self._done

    def _take_unchained(self, entry: Entry) -> None:
        self._done.unchained += 1
        if self._reports:
            _add(self._done.findings, Finding("unchained", entry.place))

    def _take_chained(self, content: Mapping[str, Any], entry: Entry, link: Link) -> None:
        report = self._reports.setdefault(link.writer, WriterReport(link.writer))
        report.entries += 1
        genuine = entry.intact and is_genuine(content, self._key)
        if genuine:
            self._believe(content)
        else:
            _add(report.findings, Finding("changed", entry.place, link.seq, link.seq))
        newest = self._newest.get(link.writer)
        if newest is not None and not genuine and link.seq != newest.seq + 1:
            return
        if newest is not None and link.seq <= newest.seq:
            _add(report.findings, Finding("displaced", entry.place, link.seq, link.seq))
            return
        self._connect(report, entry, link, newest)
        # The mac of an entry that was changed says nothing about the next one.
        self._newest[link.writer] = link if genuine else Link(link.writer, link.seq, _UNKNOWN)
        report.closed = genuine and kind_of(content) == "closing"
        report.last_seq, report.last_mac, report.last_time = link.seq, link.mac, str(content.get("time", ""))

    def _connect(self, report: WriterReport, entry: Entry, link: Link, newest: Link | None) -> None:
        content = entry.content or {}
        if newest is None:
            report.first_seq, report.first_time = link.seq, str(content.get("time", ""))
            self._starts[link.writer] = (entry.place, content["prev"])
        elif link.seq > newest.seq + 1:
            _lose(report, Finding("missing", entry.place, newest.seq + 1, link.seq - 1))
        elif newest.mac not in (_UNKNOWN, content["prev"]):
            _add(report.findings, Finding("unconnected", entry.place, link.seq, link.seq))

    def _believe(self, content: Mapping[str, Any]) -> None:
        """Take what a genuine checkpoint says."""
        if kind_of(content) != "checkpoint":
            return
        try:
            checkpoint = read_checkpoint(content["checkpoint"])
        except TypeError:
            return
        self._cut.update(furthest([*checkpoint.cut, *_known(self._cut, checkpoint.cut)]))
        self._head.update(furthest([*checkpoint.head, *_known(self._head, checkpoint.head)]))
        self._known_unchained = max(self._known_unchained, checkpoint.unchained)

    def _judge_start(self, report: WriterReport, cut: Link | None) -> None:
        if report.writer not in self._starts:
            return
        place, prev = self._starts[report.writer]
        before = report.first_seq - 1
        report.purged = 0 if cut is None else min(cut.seq, before)
        if report.purged < before:
            _lose(report, Finding("missing", place, report.purged + 1, before))
            return
        # Where a purge was interrupted, entries before its cut are left; the one at the cut is what connects.
        expected = cut.mac if cut is not None and cut.seq == before else prev if before else ""
        if prev != expected:
            _add(report.findings, Finding("unconnected", place, report.first_seq, report.first_seq))

    def _judge_end(self, head: Link, cut: Link | None) -> None:
        report = self._reports.get(head.writer)
        there = max(0 if report is None else report.last_seq, 0 if cut is None else cut.seq)
        if there >= head.seq:
            return
        report = self._reports.setdefault(head.writer, WriterReport(head.writer))
        _lose(report, Finding("tail", "end", there + 1, head.seq))


def _known(links: Mapping[str, Link], of: Iterable[Link]) -> list[Link]:
    return [links[link.writer] for link in of if link.writer in links]


def _lose(report: WriterReport, finding: Finding) -> None:
    report.missing += finding.last - finding.first + 1
    _add(report.findings, finding)


def _add(findings: list[Finding], finding: Finding) -> None:
    if len(findings) < _FEW:
        findings.append(finding)
