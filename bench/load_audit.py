"""How many records a second the audit keeps, by how many threads bring them: ``python -m bench.load_audit``.

Each is on the disk before the next of its thread is brought. PostgreSQL is one of our own, with its flushing left out.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.postgres import binaries, running_server
from wsguard.audit import open_audit, open_reader
from wsguard.audit.verification import verify
from wsguard.incident import new_incident
from wsguard.interfaces import AuditRecord, AuditSink

BEGIN: Final = "<!-- measured: written by bench/load_audit.py -->\n"
END: Final = "<!-- end of audit -->\n"
BUILD: Final = Path(__file__).parents[1] / "build"
THREADS: Final = (1, 8, 50)


@dataclass(frozen=True)
class Kept:
    """One run."""

    sink: str
    threads: int
    rate: float
    p50: float
    """Milliseconds until a record is kept."""
    p99: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, and write where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.load_audit", description="What the audit keeps.")
    parser.add_argument("--records", type=int, default=2_000, metavar="N", help="in each run (2000)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for the table")
    asked = parser.parse_args(arguments)
    if asked.records < max(THREADS):
        parser.error(f"at least {max(THREADS)} records")
    page = "\n".join(markdown(measure(asked.records)))
    sys.stdout.write(page)
    if asked.write is not None:
        before, _, rest = asked.write.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        asked.write.write_text(f"{before}{BEGIN}\n{page}\n{END}{after}", encoding="utf-8")


def measure(records: int) -> Iterator[Kept]:
    """Every sink by every number of threads.

    Raises:
        RuntimeError: a chain does not hold, or has not every record.
    """
    with ExitStack() as stack:
        # What is for temporary files may be in memory.
        BUILD.mkdir(exist_ok=True)
        home = stack.enter_context(tempfile.TemporaryDirectory(dir=BUILD))
        urls = {"SQLite": f"sqlite:///{home}/audit.db", "JSON lines": f"jsonl:{home}/audit.jsonl"}
        if (programs := binaries()) is not None:
            urls["PostgreSQL"] = stack.enter_context(running_server(programs))
        for name, url in urls.items():
            for threads in THREADS:
                with closing(open_audit([url])) as sink:
                    yield _kept(name, sink, threads, records)
            done = verify(open_reader([url]).entries())
            # Each sink closed its chain with an entry of its own.
            if not done.holds or done.entries != len(THREADS) + sum(records // one * one for one in THREADS):
                raise RuntimeError(f"{name}: {done}")


def _kept(name: str, sink: AuditSink, threads: int, records: int) -> Kept:
    taken: list[float] = []

    def work() -> None:
        for _ in range(records // threads):
            now = datetime.now(UTC)
            record = AuditRecord(new_incident(now), now, "accepted", service="Orders", username="alice", path="/")
            began = time.perf_counter()
            sink.write(record)
            taken.append((time.perf_counter() - began) * 1000)

    running = [threading.Thread(target=work) for _ in range(threads)]
    began = time.monotonic()
    for one in running:
        one.start()
    for one in running:
        one.join()
    seconds = time.monotonic() - began
    taken.sort()
    p50, p99 = (taken[int(len(taken) * share)] for share in (0.5, 0.99))
    return Kept(name, threads, len(taken) / seconds, p50, p99)


def markdown(measured: Iterator[Kept]) -> Iterator[str]:
    """The table."""
    yield "| audit | threads | records a second | p50, ms | p99, ms |\n|---|---|---|---|---|"
    for one in measured:
        yield f"| {one.sink} | {one.threads} | {one.rate:.0f} | {one.p50:.1f} | {one.p99:.1f} |"
    yield ""


if __name__ == "__main__":
    main()
