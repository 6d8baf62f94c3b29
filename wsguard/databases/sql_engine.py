"""Engines of SQLAlchemy, made from URLs that are not trusted to be right nor fit to be quoted."""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection, QueuePool

from wsguard.databases.files import identity
from wsguard.databases.sqlite import connect

_LINE: Final = "\n"
_BOUNDED_POOL: Final = {"pool_size": 10, "max_overflow": 0}
"""Connections of a process where none is waited at for long: eight processes fit below PostgreSQL's own default of a
hundred."""


def parsed_url(url: str) -> URL:
    """The parts of ``url``.

    Raises:
        ValueError: it has none; it is not quoted.
    """
    # SQLAlchemy's own error is cut off: it may quote the URL, which may be a secret.
    try:
        parsed = make_url(url)
        if not _holds_a_stray_at(url, parsed):
            return parsed
        failure = "a URL in which @ or / of a user or password is not written as %40 or %2F"
    except ArgumentError:
        failure = "not a URL that SQLAlchemy can read"
    except ValueError:
        failure = "a URL with a port that is no number"
    raise ValueError(failure)


def _holds_a_stray_at(url: str, parsed: URL) -> bool:
    """Whether a part of the password may be taken for the host, the user or the database, which are shown."""
    if parsed.get_backend_name() == "sqlite":
        return False
    return url.partition("?")[0].count("@") > 1 or "@" in f"{parsed.host}{parsed.database}"


def sqlite_file(url: URL) -> Path | None:
    """The absolute path of the file that a URL of SQLite names; None of another database.

    Raises:
        ValueError: a URL of SQLite that is not of the form ``sqlite:///FILE``.
    """
    if url.get_backend_name() != "sqlite":
        return None
    if url.drivername not in ("sqlite", "sqlite+pysqlite") or url.host or url.query:
        raise ValueError("SQLite is written sqlite:///FILE, with no other driver and without options")
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:") or "\0" in name:
        raise ValueError("sqlite:/// is followed by a file name; what is kept in memory is written memory://")
    return Path(name).absolute()


def sqlite_engine(path: Path, busy_timeout: float, *, keep: bool) -> Engine:
    """An engine with one connection at most, if it is kept, and never one to a file that is no longer at ``path``.

    Args:
        path: absolute; the file is never created.
        busy_timeout: seconds to wait for others that use it.
        keep: the connection stays open between two uses.
    """
    pool: dict[str, Any] = {"poolclass": NullPool}
    if keep:
        pool = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": busy_timeout}
    engine = create_engine(
        f"sqlite:///{path}", creator=lambda: connect(path, busy_timeout), hide_parameters=True, **pool
    )

    def connected(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = identity(path)

    def taken(connection: sqlite3.Connection, entry: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        # In WAL mode SQLite goes on with a file that was deleted, which nobody else reads or changes.
        if entry.info["file"] != identity(path):
            raise DisconnectionError(f"{path} was moved or deleted")

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", taken)
    return engine


def server_engine(url: URL, *, keep: bool, deadline: float | None = None) -> Engine:
    """An engine for another database than SQLite.

    Args:
        url: with a synchronous driver.
        keep: connections stay open between two uses, and are tried before the next.
        deadline: seconds that anything may take, where the driver is psycopg; None: no bound of ours.

    Raises:
        ValueError: the URL cannot be used, or the package of its driver is missing.
    """
    if url.drivername != "postgresql+psycopg":
        deadline = None
    pool: dict[str, Any] = {"poolclass": NullPool}
    if keep:
        pool = {"pool_pre_ping": True} if deadline is None else {"pool_timeout": deadline, **_BOUNDED_POOL}
    try:
        engine = create_engine(url, hide_parameters=True, **pool)
    except NoSuchModuleError as error:
        raise ValueError(f"SQLAlchemy knows no database {url.drivername}") from error
    except ModuleNotFoundError as error:
        raise ValueError(f"{url.drivername} needs the package {error.name}, which is missing{_cure(url)}") from error
    except ImportError as error:
        # psycopg without libpq.
        raise ValueError(f"{url.drivername} cannot be used: {str(error).partition(_LINE)[0]}{_cure(url)}") from error
    except (ArgumentError, TypeError) as error:
        raise ValueError(f"the options of the {url.drivername} URL cannot be used") from error
    if engine.dialect.is_async:
        raise ValueError(f"{url.drivername} is an asynchronous driver")
    if deadline is not None:
        from wsguard.databases.sql_deadline import bound

        bound(engine, deadline)
    return engine


def _cure(url: URL) -> str:
    return ": pip install wsguard[postgresql]" if url.drivername == "postgresql+psycopg" else ""
