"""Audit records as a file of JSON lines, that several processes append to and that may be rotated at any time."""

import json
import logging
import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, Unpack

from wsguard.audit.checkpoint import Checkpoint
from wsguard.audit.entries import (
    Entry,
    amendment_content,
    checkpoint_content,
    closing_content,
    record_content,
    time_text,
)
from wsguard.audit.group import GroupCommit
from wsguard.audit.lines import Amendment, amend, line_of, parse_entry, parse_line
from wsguard.audit.selection import fits
from wsguard.audit.writer import ChainWriter, Turn
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditFilter, AuditRecord, RequestOutcome

_log: Final = logging.getLogger("wsguard")
_BLOCK: Final = 65_536
_PATIENCE: Final = 5.0
_SETTING: Final = "audit.url"
_TIMESPEC: Final = "milliseconds"


class JsonLinesReader:
    """Reads the entries of one file of JSON lines; what was rotated away is not looked for."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        Raises:
            StoreUnavailable: there is no such file, or it cannot be read.
        """
        self._path = Path(path).absolute()
        with self._translated():
            self._path.open("rb").close()

    def read(self, *, limit: int = 100, **which: Unpack[AuditFilter]) -> list[AuditRecord]:
        """The newest records that fit, last written first. Lines that hold no record are passed by.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        return list(islice(self.scan(**which), max(limit, 0)))

    def find(self, incident: str) -> AuditRecord | None:
        """The record of one incident, or None.

        Of several it is the first one in a chain: whoever could forge another knows the incident only from our answer.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        found = [record for record in self._oldest_first(incident) if record.incident == incident]
        return next((record for record in found if record.writer), found[0] if found else None)

    def scan(self, *, oldest_first: bool = False, **which: Unpack[AuditFilter]) -> Iterator[AuditRecord]:
        """All records that fit, last written first unless said otherwise. Lines that hold no record are passed by.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        records = self._oldest_first() if oldest_first else self._newest_first()
        return (record for record in records if fits(record, which))

    def entries(self) -> Iterator[Entry]:
        """All lines that are not empty, in their order.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        with self._translated(), self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line != b"\n":
                    content = parse_entry(line)
                    yield Entry(f"line {number}", content, content is not None and _is_as_written(content, line))

    def _newest_first(self) -> Iterator[AuditRecord]:
        """Every record with its amendment, which stands after it and so is met before it.

        One that was forged under an incident takes no amendment from the record that has it.
        """
        amendments: defaultdict[str, list[Amendment]] = defaultdict(list)
        with self._translated(), self._path.open("rb") as file:
            for line in _lines_backwards(file):
                entry = parse_line(line)
                if isinstance(entry, Amendment):
                    amendments[entry.incident].append(entry)
                elif entry is not None:
                    amend(entry, amendments.get(entry.incident, ()))
                    yield entry

    def _oldest_first(self, incident: str = "") -> Iterator[AuditRecord]:
        """Every record with its amendment; the file is read twice, so that only amendments are remembered.

        Args:
            incident: lines without it are not looked at.
        """
        amendments: defaultdict[str, list[Amendment]] = defaultdict(list)
        # Within quotes, as we write it.
        wanted = json.dumps(incident)[1:-1].encode("ascii")
        with self._translated(), self._path.open("rb") as file:
            for entry in (parse_line(line) for line in file if wanted in line):
                if isinstance(entry, Amendment):
                    amendments[entry.incident].append(entry)
            file.seek(0)
            for entry in (parse_line(line) for line in file if wanted in line):
                if isinstance(entry, AuditRecord):
                    amend(entry, reversed(amendments.get(entry.incident, [])))
                    yield entry

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error.strerror or error}", setting=_SETTING) from error


class JsonLinesAudit(JsonLinesReader):
    """Appends each record to a file as one chained line, and reads them again.

    The file is opened for each line, so there is nothing to reopen when it was rotated, and nothing that processes
    share. One ``write`` with ``O_APPEND`` is atomic on a local file system. The line is on the disk when ``write``
    returns. What threads of a process bring while one of them writes goes in one ``write`` after that. In another file
    than before a new writer begins, so that each file can be verified by itself.

    Nothing is ever removed: a file cannot be rewritten without losing what other processes append meanwhile. Rotate it
    by renaming, and remove old files.
    """

    def __init__(self, path: str | os.PathLike[str], *, key: bytes | None = None) -> None:
        """
        Args:
            path: the file; created with mode 0600 where it is not there.
            key: of the chain's macs; without one they are plain digests.

        Raises:
            StoreUnavailable: it cannot be opened for writing.
        """
        self._path = Path(path).absolute()
        self._chain: Final = ChainWriter(key, _PATIENCE)
        self._group: Final = GroupCommit(self._keep, patience=_PATIENCE, is_outage=_is_outage)
        with self._translated():
            os.close(self._open())
            self._unchained = _unchained_lines(self._path)

    def write(self, record: AuditRecord) -> None:
        """Append ``record``.

        Raises:
            StoreUnavailable: it was not, or not wholly, written to the disk.
        """
        self._group.add(record_content(record, _TIMESPEC))

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        """Append what became of a request.

        Raises:
            StoreUnavailable: it was not, or not wholly, written to the disk.
        """
        self._group.add(amendment_content(incident, outcome, duration_ms, _now(), check))

    def close(self) -> None:
        """Append what still waits and that this writer ends, if it began; a failure to is logged. Nothing is held."""
        try:
            self._group.add(closing_content(_now()))
        except StoreUnavailable as failure:
            _log.warning("the audit was closed without a closing entry: %s", failure.seen)

    def _keep(self, contents: Sequence[Mapping[str, Any]]) -> list[None]:
        with self._chain.turn() as turn:
            if turn.may_add(contents):
                adopted = [checkpoint_content(Checkpoint(unchained=self._unchained), _now())] if self._unchained else []
                self._put(turn, [*adopted, *contents])
                self._unchained = 0
        return [None] * len(contents)

    def _put(self, turn: Turn, contents: Sequence[Mapping[str, Any]]) -> None:
        with self._translated():
            descriptor = self._open()
            try:
                status = os.fstat(descriptor)
                emptied = stat.S_ISREG(status.st_mode) and not status.st_size
                entries = turn.seal_all(contents, home=(status.st_dev, status.st_ino), anew=emptied)
                _append_whole(descriptor, list(map(line_of, entries)))
            finally:
                os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOCTTY, 0o600)


def _is_as_written(content: Mapping[str, Any], line: bytes) -> bool:
    try:
        return line_of(content) == line
    except RecursionError:
        # The writer of JSON gives up a little earlier than its reader. We nest three deep.
        return False


def _now() -> str:
    return time_text(datetime.now(UTC), _TIMESPEC)


def _unchained_lines(path: Path) -> int:
    """How many records a file has that earlier releases wrote; 0 as soon as there is one of a chain."""
    count = 0
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        for content in map(parse_entry, file):
            if content is not None and content.get("writer"):
                return 0
            count += content is not None
    return count


def _is_outage(error: Exception) -> bool:
    """What cannot be written as JSON is one content's; the file is everybody's."""
    return isinstance(error, StoreUnavailable)


def _append_whole(descriptor: int, lines: Sequence[bytes]) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        # What is longer than PIPE_BUF may be mixed with what others write.
        for line in lines:
            _write_whole(descriptor, line)
        return
    torn = status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n"
    # A line was torn by a full disk or a crash: it must not take the next one with it. An empty line does no harm.
    _write_whole(descriptor, b"".join([b"\n" if torn else b"", *lines]))
    os.fsync(descriptor)


def _write_whole(descriptor: int, octets: bytes) -> None:
    written = os.write(descriptor, octets)
    if written != len(octets):
        raise OSError(f"only {written} of {len(octets)} bytes were written")


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """The lines of ``file``, last first, in memory of a block and the longest line."""
    position = file.seek(0, os.SEEK_END)
    pieces: list[bytes] = []
    while position:
        start = max(0, position - _BLOCK)
        file.seek(start)
        first, *lines = file.read(position - start).split(b"\n")
        position = start
        if lines:
            pieces.insert(0, lines.pop())
            yield b"".join(pieces)
            yield from reversed(lines)
            pieces = []
        pieces.insert(0, first)
    if pieces:
        yield b"".join(pieces)
