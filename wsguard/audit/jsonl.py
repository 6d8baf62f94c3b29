"""Audit records as a file of JSON lines, that several processes append to and that may be rotated at any time."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from wsguard.audit.lines import Amendment, amendment_line, parse_line, record_line
from wsguard.audit.selection import fits
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, RequestOutcome

_BLOCK: Final = 65_536
_SETTING: Final = "audit.url"


class JsonLinesReader:
    """Reads the records of one file of JSON lines; what was rotated away is not looked for."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        Raises:
            StoreUnavailable: there is no such file, or it cannot be read.
        """
        self._path = Path(path).absolute()
        try:
            self._path.open("rb").close()
        except OSError as error:
            raise self._unavailable(error) from error

    def read(
        self, *, since: datetime | None = None, check: str = "", outcome: str = "", limit: int = 100
    ) -> list[AuditRecord]:
        """The newest records that fit, last written first. Lines that hold no record are passed by.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        fitting = (record for record in self._newest_first() if fits(record, since, check, outcome))
        return list(islice(fitting, max(limit, 0)))

    def find(self, incident: str) -> AuditRecord | None:
        """The record of one incident, or None.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        return next((record for record in self._newest_first() if record.incident == incident), None)

    def _newest_first(self) -> Iterator[AuditRecord]:
        """Every record with its amendment, which stands after it and so is met before it."""
        amendments: dict[str, Amendment] = {}
        try:
            with self._path.open("rb") as file:
                for line in _lines_backwards(file):
                    entry = parse_line(line)
                    if isinstance(entry, Amendment):
                        amendments.setdefault(entry.incident, entry)
                    elif entry is not None:
                        if amendment := amendments.pop(entry.incident, None):
                            amendment.apply(entry)
                        yield entry
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path}: {error.strerror or error}", setting=_SETTING)


class JsonLinesAudit(JsonLinesReader):
    """Appends each record to a file as one line, and reads them again.

    The file is opened for each line: so there is nothing to reopen when it was rotated, nothing that threads or forked
    processes share, and no lock. One ``write`` with ``O_APPEND`` is atomic on a local file system. The line is on the
    disk when ``write`` returns.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        Args:
            path: the file; created with mode 0600 where it is not there.

        Raises:
            StoreUnavailable: it cannot be opened for writing.
        """
        self._path = Path(path).absolute()
        try:
            os.close(self._open())
        except OSError as error:
            raise self._unavailable(error) from error

    def write(self, record: AuditRecord) -> None:
        """Append ``record``.

        Raises:
            StoreUnavailable: it was not, or not wholly, written to the disk.
        """
        self._append(record_line(record))

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float) -> None:
        """Append what became of a request.

        Raises:
            StoreUnavailable: it was not, or not wholly, written to the disk.
        """
        self._append(amendment_line(Amendment(incident, outcome, duration_ms)))

    def close(self) -> None:
        """Nothing is held."""

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOCTTY, 0o600)

    def _append(self, line: bytes) -> None:
        try:
            descriptor = self._open()
            try:
                _append_whole(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._unavailable(error) from error


def _append_whole(descriptor: int, line: bytes) -> None:
    status = os.fstat(descriptor)
    regular = stat.S_ISREG(status.st_mode)
    if regular and status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
        # A line was torn by a full disk or a crash: it must not take this one with it. An empty line does no harm.
        line = b"\n" + line
    written = os.write(descriptor, line)
    if written != len(line):
        raise OSError(f"only {written} of {len(line)} bytes were written")
    if regular:
        os.fsync(descriptor)


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
