"""Where audit records go and are read again: one implementation a file, chosen by the scheme of a URL.

An implementation is imported when a URL asks for it, so nothing that is not used has to be installed.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from wsguard.interfaces import AuditReader, AuditSink

if TYPE_CHECKING:
    from types import ModuleType

_JSONL: Final = "jsonl:"
_FORMS: Final = "sqlite:///FILE, any SQLAlchemy URL, jsonl:FILE, stderr: and memory://"


def open_audit(urls: Sequence[str]) -> AuditSink:
    """Open a sink that keeps each record at every one of ``urls``, and prove of each that it can write.

    Args:
        urls: ``sqlite:///FILE`` or any SQLAlchemy URL, ``jsonl:FILE``, ``stderr:``, ``memory://``; at least one.

    Raises:
        ValueError: no URL, no such kind of sink, a package that it needs is missing, or a database of another version.
        StoreUnavailable: one of them cannot be opened or cannot write; none is left open.
    """
    _demand_several(urls)
    with ExitStack() as opened:
        sinks = []
        for url in urls:
            sinks.append(_open_sink(url))
            opened.callback(sinks[-1].close)
        opened.pop_all()
    if len(sinks) == 1:
        return sinks[0]
    from wsguard.audit.several import SeveralSinks

    return SeveralSinks(sinks)


def open_reader(urls: Sequence[str]) -> AuditReader:
    """Open the first of ``urls`` that can be read again, for reading only: nothing is created.

    Args:
        urls: as for ``open_audit``; ``stderr:`` and ``memory://`` cannot be read by another process and are passed by.

    Raises:
        ValueError: none can be read, or that one has a kind or version that is not known.
        StoreUnavailable: the file or database is not there or cannot be read.
    """
    _demand_several(urls)
    readable = [url for url in urls if url not in ("stderr:", "memory://")]
    if not readable:
        raise ValueError("audit.url: no audit that can be read again; sqlite:///FILE and jsonl:FILE can")
    if file := _jsonl_file(readable[0]):
        from wsguard.audit.jsonl import JsonLinesReader

        return JsonLinesReader(file)
    reader: AuditReader = _sql().SqlAuditReader(readable[0])
    return reader


def _open_sink(url: str) -> AuditSink:
    if url == "memory://":
        from wsguard.audit.memory import MemoryAudit

        return MemoryAudit()
    if url == "stderr:":
        from wsguard.audit.stream import StreamAudit

        return StreamAudit()
    if file := _jsonl_file(url):
        from wsguard.audit.jsonl import JsonLinesAudit

        return JsonLinesAudit(file)
    sink: AuditSink = _sql().SqlAudit(url)
    return sink


def _demand_several(urls: Sequence[str]) -> None:
    if isinstance(urls, str) or not urls:
        raise ValueError("audit.url: a list with at least one URL is expected")
    # Only the forms are quoted: a URL may hold a secret.
    if any(":" not in url for url in urls):
        raise ValueError(f"audit.url: not the URL of an audit; there are {_FORMS}")


def _jsonl_file(url: str) -> str:
    if url == _JSONL or (url.startswith(_JSONL) and "\0" in url):
        raise ValueError("audit.url: jsonl: is followed by a file name")
    return url.removeprefix(_JSONL) if url.startswith(_JSONL) else ""


def _sql() -> "ModuleType":
    try:
        import wsguard.audit.sql as sql
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "sqlalchemy":
            raise
        raise ValueError("audit.url: a database needs SQLAlchemy: pip install wsguard[sql]") from error
    return sql
