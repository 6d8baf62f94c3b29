"""Attacks on what is handed on and on its record: words that only the guard may say, and an audit that is away."""

from collections.abc import Iterator, Sequence
from typing import Final

from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.posting import Outcome, Stage
from wsguard.proving.rows import ACCEPTED

_SPOOFED: Final = "wsguard-proof-spoofed"
_WORDS: Final = ("REMOTE_USER", "AUTH_TYPE", "wsguard.message", "wsguard.proof")


def spoofed(case: Case) -> Iterator[Attack]:
    """What a server in front lets through must not pass for the guard's word."""
    environ = dict.fromkeys(_WORDS, _SPOOFED)
    sent = case.bare(environ=environ) if case.way is None else case.sent(environ=environ)

    def look(outcome: Outcome, before: Sequence[Outcome]) -> Iterator[str]:
        for handed, _ in outcome.handed:
            yield from (f"{word} was handed on" for word in _WORDS if handed.get(word) == _SPOOFED)

    yield Attack("none: with REMOTE_USER and others set by somebody else", (ACCEPTED,), sent, also=look)


def unrecorded(case: Case) -> Iterator[Attack]:
    """A message that must be recorded before it is handed on, while nothing can be."""
    sent = case.bare() if case.way is None else case.sent()

    def look(outcome: Outcome, before: Sequence[Outcome]) -> Iterator[str]:
        if outcome.handed:
            yield "the application got it"
        if outcome.status[:1] != "5":
            yield f"status {outcome.status[:3]}"

    away = Stage(audit_is_away=True)
    yield Attack("while the audit takes no record", ("store.unavailable",), sent, stage=away, instead=look)


def records_or_refuses(case: Case) -> bool:
    """Whether a message is refused that cannot be recorded, and this one must be recorded."""
    audit = case.scene.policy.audit
    return audit.on_failure == "refuse" and (case.target.kind == "exempt" or audit.record == "all")


CONTROLS: Final = (
    Control("handoff.environ", when.always, spoofed, each="target"),
    Control("handoff.record", records_or_refuses, unrecorded, each="target"),
)
