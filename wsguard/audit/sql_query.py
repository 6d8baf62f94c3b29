"""What is asked of the table."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select

from wsguard.audit.sql_rows import FIELDS
from wsguard.audit.sql_table import AUDIT
from wsguard.interfaces import AuditFilter

_AMENDMENT: Final = AUDIT.alias("amendment")
_OTHER: Final = AUDIT.alias("other")
_LATEST: Final = (
    select(func.max(_OTHER.c.id))
    # An entry outside of any chain may amend none inside one: anybody could have put it there.
    .where(
        _OTHER.c.amends == AUDIT.c.incident,
        _OTHER.c.kind == "amendment",
        or_(_OTHER.c.writer != "", AUDIT.c.writer == ""),
    )
    .correlate(AUDIT)
    .scalar_subquery()
)
_OUTCOME: Final = func.coalesce(_AMENDMENT.c.outcome, AUDIT.c.outcome)
_CHECK: Final = func.coalesce(func.nullif(_AMENDMENT.c.check, ""), AUDIT.c.check)
_AMENDED: Final[dict[str, ColumnElement[object]]] = {
    "outcome": _OUTCOME,
    "check": _CHECK,
    "duration_ms": func.coalesce(_AMENDMENT.c.duration_ms, AUDIT.c.duration_ms),
}


def records(which: AuditFilter, beyond: int | None, count: int, *, oldest_first: bool = False) -> Select[Any]:
    """The next records that fit, each with its last amendment, and with the ``id`` of its row.

    Args:
        which: what they must fit.
        beyond: the ``id`` of the last one before; None for the first ones.
        count: how many.
        oldest_first: in the order of writing; otherwise in its reverse.
    """
    columns = [_AMENDED[name].label(name) if name in _AMENDED else AUDIT.c[name] for name in FIELDS]
    joined = AUDIT.outerjoin(_AMENDMENT, _AMENDMENT.c.id == _LATEST)
    query = select(AUDIT.c.id, *columns).select_from(joined).where(AUDIT.c.kind == "record", *_conditions(which))
    if beyond is not None:
        query = query.where(AUDIT.c.id > beyond if oldest_first else AUDIT.c.id < beyond)
    return query.order_by(AUDIT.c.id if oldest_first else AUDIT.c.id.desc()).limit(count)


def entries(after: int | None, count: int) -> Select[Any]:
    """The next entries in the order of writing, as they are: after row ``after``, or the first."""
    query = select(AUDIT).order_by(AUDIT.c.id).limit(count)
    return query if after is None else query.where(AUDIT.c.id > after)


def recorded(incidents: Sequence[str]) -> Select[tuple[str]]:
    """Those of ``incidents`` that there are records of."""
    return select(AUDIT.c.incident).where(AUDIT.c.incident.in_(incidents), AUDIT.c.kind == "record")


def fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record in a row of ``records``."""
    return {name: row[name] for name in FIELDS}


def _conditions(which: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if (since := which.get("since")) is not None:
        conditions.append(AUDIT.c.time >= since)
    if (until := which.get("until")) is not None:
        conditions.append(AUDIT.c.time < until)
    if check := which.get("check"):
        # No LIKE: SQLite's knows no case.
        family = func.substr(_CHECK, 1, len(check) + 1) == f"{check}."
        conditions.append(or_(_CHECK.in_([check]), family))
    if outcome := which.get("outcome"):
        conditions.append(_OUTCOME.in_([outcome]))
    if client := which.get("client"):
        conditions.append(AUDIT.c.client == client)
    if service := which.get("service"):
        conditions.append(AUDIT.c.service == service)
    if username := which.get("username"):
        conditions.append(AUDIT.c.username == username)
    return conditions
