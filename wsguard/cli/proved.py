"""What ``wsguard check --prove`` found: a table for people, data for programs."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from wsguard.cli.screen import print_table, say
from wsguard.interfaces import Application
from wsguard.policy import Policy
from wsguard.proving import Row, prove

_VERDICTS: Final = ("holds", "DOES NOT HOLD", "not proven")
COLUMNS: Final = ("Target", "Control", "Attack", "Demanded", "Got", "Verdict")


def proved(policy: Policy, application: Application | None) -> tuple[Row, ...]:
    """Attack what ``policy`` makes. The attacks are no news: nothing is logged of them.

    Raises:
        ConfigError: a guard would refuse to start.
    """
    with _in_silence(logging.getLogger("wsguard")):
        return prove(policy, application)


@contextmanager
def _in_silence(log: logging.Logger) -> Iterator[None]:
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


def stands(rows: Sequence[Row] | None) -> bool:
    """Whether nothing was found that does not hold; also where nothing was tried."""
    return rows is None or all(row.stands for row in rows)


def proof_report(rows: Sequence[Row] | None, *, ok: object) -> dict[str, object]:
    """What is added to the report in JSON: ``proof``, and whether all is well; nothing where nothing was tried.

    Args:
        rows: the proof.
        ok: whether all was well before.
    """
    if rows is None:
        return {}
    counted = Counter(row.verdict for row in rows)
    verdicts = {verdict: counted[verdict] for verdict in _VERDICTS}
    proof = {"ok": stands(rows), "verdicts": verdicts, "rows": [asdict(row) for row in rows]}
    return {"ok": bool(ok) and stands(rows), "proof": proof}


def print_proof(config: Path, rows: Sequence[Row] | None) -> None:
    """Print every row, and at the end again those that need somebody; nothing where nothing was tried."""
    if rows is None:
        return
    print_table(f"What {config} withstands", COLUMNS, map(_cells, rows), lines=False)
    for title, verdict in (("What was not proven", "not proven"), ("What does not hold", "DOES NOT HOLD")):
        found = [row for row in rows if row.verdict == verdict]
        if found:
            print_table(title, (*COLUMNS, "Reason"), [(*_cells(row), row.reason) for row in found])
    counted = Counter(row.verdict for row in rows)
    say(f"{len(rows)} attempts: {counted['holds']} held, {counted['not proven']} prove nothing.")
    broken = counted["DOES NOT HOLD"]
    say(f"{broken} DO NOT HOLD: exit status 1." if broken else "No control was found that does not hold.")


def _cells(row: Row) -> tuple[str, ...]:
    target = f"{row.target}: {row.way}" if row.way else row.target
    return target, row.control, row.attack, " or ".join(row.demanded), row.got, row.verdict
