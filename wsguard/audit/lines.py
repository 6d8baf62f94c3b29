"""Audit records as lines of JSON: one object a line, in ASCII, so that no text in a record can break or fake a line."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final, get_args

from wsguard.interfaces import AuditRecord, RequestOutcome

_OUTCOMES: Final = frozenset(get_args(RequestOutcome))
_TEXTS: Final = tuple(field.name for field in fields(AuditRecord) if field.type is str)
_NUMBERS: Final = ("seq", "message_bytes", "duration_ms", "clock_skew_s")


@dataclass(frozen=True, slots=True)
class Amendment:
    """What became of a request after its record was written."""

    incident: str
    outcome: RequestOutcome
    duration_ms: float
    check: str = ""
    """Empty: the record's own."""
    chained: bool = False
    """It stands in a chain. One outside of any amends none inside one: anybody could have put it there."""

    def apply(self, record: AuditRecord) -> None:
        """Put the outcome, the duration and the check into ``record``, as it was written."""
        record.outcome = self.outcome
        record.duration_ms = self.duration_ms
        record.check = self.check or record.check


def line_of(content: Mapping[str, Any]) -> bytes:
    """``content`` as one line, with its line feed."""
    return json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"


def parse_line(line: bytes) -> AuditRecord | Amendment | None:
    """The record or amendment in ``line``, or None where it holds neither: torn, empty or of something else.

    Fields that are not known are passed by: a later version may have written them.
    """
    try:
        plain = json.loads(line)
        if not isinstance(plain, dict):
            return None
        return _amendment(plain) if plain.get("amends") is True else _record(plain)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def parse_entry(line: bytes) -> Mapping[str, Any] | None:
    """What the entry in ``line`` says, or None where it is none."""
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None


def _amendment(plain: Mapping[str, Any]) -> Amendment:
    check = _text(plain.get("check", ""))
    chained = bool(_text(plain.get("writer", "")))
    outcome, duration = _outcome(plain["outcome"]), _number(plain["duration_ms"])
    return Amendment(_text(plain["incident"]), outcome, duration, check, chained)


def amend(record: AuditRecord, newest_first: Iterable[Amendment]) -> None:
    """Put into ``record`` what the newest of its amendments says that may."""
    may = (one for one in newest_first if one.chained or not record.writer)
    if amendment := next(may, None):
        amendment.apply(record)


def _record(plain: Mapping[str, Any]) -> AuditRecord:
    record = AuditRecord(_text(plain["incident"]), _time(plain["time"]), _outcome(plain["outcome"]))
    for name in _TEXTS:
        setattr(record, name, _text(plain.get(name, "")))
    record.seq = int(_number(plain.get("seq", 0)))
    record.message_bytes = int(_number(plain.get("message_bytes", 0)))
    record.duration_ms = _number(plain.get("duration_ms", 0.0))
    skew = plain.get("clock_skew_s")
    record.clock_skew_s = None if skew is None else _number(skew)
    record.explanation = explanation_in(plain.get("explanation", []))
    return record


def explanation_in(plain: object) -> list[dict[str, str]]:
    """The explanation of a record in plain data.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(plain, list):
        raise TypeError("a list is expected")
    return [_texts(result) for result in plain]


def demand_values(values: Mapping[str, Any]) -> None:
    """Demand that the texts and numbers of a record are such.

    Args:
        values: by field; the time and the explanation are not looked at.

    Raises:
        TypeError: one is not.
    """
    for name in (*_TEXTS, "outcome"):
        _text(values[name])
    for name in _NUMBERS:
        if values[name] is not None:
            _number(values[name])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    return value


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("an object is expected")
    return {_text(key): _text(text) for key, text in value.items()}


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number is expected")
    return value


def _outcome(value: object) -> RequestOutcome:
    if value not in _OUTCOMES:
        raise ValueError("an outcome is expected")
    outcome: RequestOutcome = value  # type: ignore[assignment]
    return outcome


def _time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise ValueError("a time with its zone is expected")
    return time.astimezone(UTC)
