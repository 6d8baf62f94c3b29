"""Where audit records go and are read again: one implementation a file, chosen by the scheme of a URL.

An implementation is imported when a URL asks for it, so nothing that is not used has to be installed.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from wsguard.interfaces import AuditSink

if TYPE_CHECKING:
    from types import ModuleType

    from wsguard.audit.entries import StoredAudit

_JSONL: Final = "jsonl:"
_UNREADABLE: Final = frozenset({"stderr:", "memory://"})
"""Sinks that no other process can read."""
_FORMS: Final = "sqlite:///FILE, any SQLAlchemy URL, jsonl:FILE, stderr: and memory://"


def open_audit(
    urls: Sequence[str],
    key: bytes | None = None,
    *,
    retention: timedelta | None = None,
    deadline: float | None = None,
) -> AuditSink:
    """Open a sink that keeps each record at every one of ``urls``, and prove of each that it can write.

    Each process and each opened sink is a writer with a chain of its own, except in ``memory://``. A chain shows what
    was changed, removed, swapped or slipped in. It cannot show that the newest entries of a writer are gone, unless a
    later checkpoint names one, nor that all of a writer's are. Without a key it stops nobody who makes it anew.

    Args:
        urls: ``sqlite:///FILE`` or any SQLAlchemy URL, ``jsonl:FILE``, ``stderr:``, ``memory://``; at least one.
        key: of the chain's macs, which are HMAC-SHA-256 then, and otherwise plain SHA-256.
        retention: how long databases keep records at least; older ones are removed little by little. None: for ever.
        deadline: seconds in which PostgreSQL through psycopg has answered, connecting included; None: no bound of ours.

    Raises:
        ValueError: no URL, no such kind of sink, a package that it needs is missing, or a database of another version.
        StoreUnavailable: one of them cannot be opened or cannot write; none is left open.
    """
    _demand_several(urls)
    with ExitStack() as opened:
        sinks = []
        for url in urls:
            sinks.append(_open_sink(url, key or None, retention, deadline))
            opened.callback(sinks[-1].close)
        opened.pop_all()
    if len(sinks) == 1:
        return sinks[0]
    from wsguard.audit.several import SeveralSinks

    return SeveralSinks(sinks)


def open_reader(urls: Sequence[str]) -> "StoredAudit":
    """Open the first of ``urls`` that can be read again, for reading only: nothing is created.

    Args:
        urls: as for ``open_audit``; ``stderr:`` and ``memory://`` cannot be read by another process and are passed by.

    Raises:
        ValueError: none can be read, or that one has a kind or version that is not known.
        StoreUnavailable: the file or database is not there or cannot be read.
    """
    url = _readable(urls)
    if file := _jsonl_file(url):
        from wsguard.audit.jsonl import JsonLinesReader

        return JsonLinesReader(file)
    reader: StoredAudit = _sql().SqlAuditReader(url)
    return reader


def purge_audit(urls: Sequence[str], before: datetime, key: bytes | None = None) -> int:
    """Remove what is older than ``before`` from the first of ``urls`` that can be read again.

    A checkpoint says first what goes, so that what is left still verifies.

    Args:
        urls: as for ``open_reader``.
        before: aware.
        key: of the chain's macs.

    Returns:
        how many entries were removed.

    Raises:
        ValueError: none can be read again, that one is a file of JSON lines, or has a kind or version not known.
        StoreUnavailable: not everything was removed.
    """
    url = _readable(urls)
    if _jsonl_file(url):
        raise ValueError(
            "a file of JSON lines is not purged: rewriting it would lose what is appended meanwhile. Rotate it by "
            "renaming and remove old files; each file verifies by itself"
        )
    # Reading first: nothing is created where nothing is to be purged.
    _sql().SqlAuditReader(url)
    audit = _sql().SqlAudit(url, key=key or None)
    try:
        removed: int = audit.purge(before)
        return removed
    finally:
        audit.close()


def upgrade_audit(urls: Sequence[str]) -> dict[str, bool]:
    """Bring the tables of every database among ``urls`` up to this version, or make them.

    Returns:
        the name of each database, without what may be secret in it, and whether its tables were of an earlier version.

    Raises:
        ValueError: a URL cannot be used, a package that it needs is missing, or tables are of a version not known.
        StoreUnavailable: a database cannot be opened or changed; those before it were.
    """
    _demand_several(urls)
    done: dict[str, bool] = {}
    for url in urls:
        if url not in _UNREADABLE and not _jsonl_file(url):
            audit = _sql().SqlAudit(url, upgrade=True)
            done[audit.name] = audit.upgraded
            audit.close()
    return done


def _readable(urls: Sequence[str]) -> str:
    _demand_several(urls)
    url = next((url for url in urls if url not in _UNREADABLE), None)
    if url is None:
        raise ValueError("no audit that can be read again; sqlite:///FILE and jsonl:FILE can")
    return url


def _open_sink(url: str, key: bytes | None, retention: timedelta | None, deadline: float | None) -> AuditSink:
    if url == "memory://":
        from wsguard.audit.memory import MemoryAudit

        return MemoryAudit()
    if url == "stderr:":
        from wsguard.audit.stream import StreamAudit

        return StreamAudit(key)
    if file := _jsonl_file(url):
        from wsguard.audit.jsonl import JsonLinesAudit

        return JsonLinesAudit(file, key=key)
    sink: AuditSink = _sql().SqlAudit(url, key=key, retention=retention, deadline=deadline)
    return sink


def _demand_several(urls: Sequence[str]) -> None:
    if isinstance(urls, str) or not urls:
        raise ValueError("a list with at least one URL is expected")
    # Only the forms are quoted: a URL may hold a secret.
    if any(":" not in url for url in urls):
        raise ValueError(f"not the URL of an audit; there are {_FORMS}")


def _jsonl_file(url: str) -> str:
    if url == _JSONL or (url.startswith(_JSONL) and "\0" in url):
        raise ValueError("jsonl: is followed by a file name")
    return url.removeprefix(_JSONL) if url.startswith(_JSONL) else ""


def _sql() -> "ModuleType":
    try:
        import wsguard.audit.sql as sql
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "sqlalchemy":
            raise
        raise ValueError("a database needs SQLAlchemy: pip install wsguard[sql]") from error
    return sql
