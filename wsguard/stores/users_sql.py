"""Users in a SQL database, through SQLAlchemy: an embedded SQLite file or any other database."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Delete, Update, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from wsguard.databases.forks import weakly
from wsguard.databases.sql import Database
from wsguard.databases.sqlite import BUSY_TIMEOUT
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import User
from wsguard.stores.secrets_at_rest import MasterKeys
from wsguard.stores.short_cache import ShortCache
from wsguard.stores.users_sql_rows import Rows, UserEntry, is_name, new_user
from wsguard.stores.users_sql_table import USERS, open_tables, renew_canary

CACHE_SECONDS: Final = 5.0
"""How long a user who was disabled may still be let in."""
SEEN_SECONDS: Final = 60.0
"""Between two writes of one user's ``last_seen``."""

_PATIENCE: Final = 0.1
"""Seconds that a request waits to write ``last_seen``, which it can do without."""
_SETTING: Final = "users.url"
_FIND: Final = select(USERS).where(USERS.c.name == bindparam("wanted"))
_log: Final = logging.getLogger("wsguard.users")


class NoSuchUser(LookupError):
    """The table has no user of that name."""


class SqlUserStore:
    """Finds the users of a database, and changes them.

    A password lies there encrypted under the first of several master keys, or as an argon2id hash. An answer is kept
    for ``cache_seconds``, so a digest check costs no query per request, and a user who is disabled, removed or given
    another password elsewhere is out within 5 seconds where nothing else is set.
    """

    def __init__(
        self,
        url: str,
        master_keys: Sequence[str],
        *,
        cache_seconds: float = CACHE_SECONDS,
        cache_size: int = 10_000,
        busy_timeout: float = BUSY_TIMEOUT,
        deadline: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the database, make the tables where they are not there, and prove that the master keys are theirs.

        Args:
            url: ``sqlite:///FILE`` or any synchronous SQLAlchemy URL.
            master_keys: as ``wsguard users new-key`` prints them: the first one encrypts, each of them decrypts.
            cache_seconds: how long an answer is kept; 0: not at all.
            cache_size: users kept, and as many names that are nobody's.
            busy_timeout: seconds to wait for a SQLite file that another thread, and again another process, writes to.
            deadline: seconds that any question may wait at a SQLite file, or at PostgreSQL through psycopg; None: as
                long as the server takes.
            clock: seconds that only grow; for tests.

        Raises:
            ValueError: the URL cannot be used, its driver is missing, there is no master key or the wrong one, or the
                database is damaged or of another version.
            StoreUnavailable: the database cannot be opened.
        """
        patience = busy_timeout if deadline is None else min(busy_timeout, deadline)
        self._database = Database(url, setting=_SETTING, busy_timeout=patience, deadline=deadline)
        self._keys = MasterKeys(master_keys)
        self._rows = Rows(self._keys, self._database.name)
        self._clock = clock
        self.cache_seconds = cache_seconds
        self._cache_size = cache_size
        self._forget()
        try:
            self._database.prepare(examine=True)
            open_tables(self._database, self._keys)
        except (StoreUnavailable, ValueError):
            self._database.close()
            raise
        os.register_at_fork(after_in_child=weakly(self._forget))

    # --- What a guard asks --------------------------------------------------------------------------------------------

    def find(self, name: str) -> User | None:
        """The user with exactly this name, or None, as it was at most ``cache_seconds`` ago.

        Raises:
            StoreUnavailable: the database cannot be read, or the row cannot be decrypted.
        """
        now = self._clock()
        user = self._known.get(name, now)
        if user is not None or self._unknown.get(name, now) or not is_name(name):
            return user
        user = self._read(name)
        if user is None:
            self._unknown.put(name, True, now)
        else:
            self._known.put(name, user, now)
        return user

    def seen(self, name: str, now: datetime) -> None:
        """Take note that the password of ``name`` was right at ``now``; at most one write a minute. Nothing is raised:
        a failure is logged."""
        if not self._seen.claim(name, True, self._clock()):
            return
        last = USERS.c.last_seen
        note = (
            update(USERS)
            .where(USERS.c.name == name, or_(last.is_(None), last <= now - timedelta(seconds=SEEN_SECONDS)))
            .values(last_seen=now)
        )
        try:
            with self._database.transaction(patience=_PATIENCE) as connection:
                connection.execute(note)
        except StoreUnavailable as fault:
            _log.warning("when %r was last seen could not be noted: %s", name, fault.seen)

    def has_hashes(self) -> bool:
        """Whether there is a user whose password is kept as a hash only.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        with self._database.look() as connection:
            return connection.execute(select(USERS.c.name).where(USERS.c.secret.is_(None)).limit(1)).first() is not None

    def close(self) -> None:
        """Close the connections and forget what was kept."""
        self._forget()
        self._database.close()

    # --- What an operator does ----------------------------------------------------------------------------------------

    def entries(self) -> tuple[UserEntry, ...]:
        """Every user by name, without secrets.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        columns = [column for column in USERS.c if column.name not in ("secret", "password_hash")]
        kind = USERS.c.secret.is_(None).label("hashed")
        with self._database.look() as connection:
            rows = connection.execute(select(*columns, kind)).mappings().all()
        return tuple(sorted(map(self._rows.entry, rows), key=lambda entry: entry.name))

    def add(self, name: str, password: str, *, text_only: bool = False, services: Iterable[str] = ()) -> None:
        """Add an enabled user.

        Args:
            name: 1 to 256 characters, none of them a control character.
            password: at least one character.
            text_only: keep a hash instead of the password: good for PasswordText alone.
            services: those it may call; none: all.

        Raises:
            ValueError: the name is taken, name or password cannot be used, or argon2-cffi is missing.
            StoreUnavailable: it was not added.
        """
        self._add([new_user(name, password, services)], text_only=text_only)

    def import_users(self, users: Iterable[User], *, text_only: bool = False) -> int:
        """Add ``users`` with their passwords, services and whether they are enabled: all of them, or none.

        Args:
            users: with passwords, not hashes.
            text_only: keep hashes instead of the passwords: good for PasswordText alone.

        Returns:
            how many there were.

        Raises:
            ValueError: a name is taken or there twice, a name or password cannot be used, or argon2-cffi is missing.
            StoreUnavailable: none was added.
        """
        given = list(users)
        return self._add(given, text_only=text_only) if given else 0

    def set_enabled(self, name: str, enabled: bool) -> None:
        """Let the user ``name`` in, or no longer.

        Raises:
            NoSuchUser: there is none.
            StoreUnavailable: nothing was changed.
        """
        self._change(name, update(USERS).where(USERS.c.name == name).values(enabled=enabled))

    def set_password(self, name: str, password: str) -> None:
        """Give the user ``name`` another password, kept as the old one was.

        Raises:
            NoSuchUser: there is none.
            ValueError: the password cannot be used, or argon2-cffi is missing.
            StoreUnavailable: nothing was changed.
        """
        octets = new_user(name, password).password or b""
        hashed = {entry.name: entry.kind == "text-only" for entry in self.entries()}
        if name not in hashed:
            raise _no_such(name)
        kept = self._rows.kept(name, octets, text_only=hashed[name])
        self._change(name, update(USERS).where(USERS.c.name == name).values(kept))

    def remove(self, name: str) -> None:
        """Take the user ``name`` out.

        Raises:
            NoSuchUser: there is none.
            StoreUnavailable: nothing was changed.
        """
        self._change(name, delete(USERS).where(USERS.c.name == name))

    def rekey(self) -> int:
        """Encrypt every password anew under the first master key: all of them, or none.

        Returns:
            how many there were.

        Raises:
            ValueError: one of them does not open under any of the keys.
            StoreUnavailable: nothing was changed.
        """
        change = update(USERS).where(USERS.c.name == bindparam("wanted")).values(secret=bindparam("sealed"))
        sealed = select(USERS.c.name, USERS.c.secret).where(USERS.c.secret.is_not(None)).with_for_update()
        with self._database.transaction() as connection:
            rows = connection.execute(sealed).all()
            anew = [{"wanted": name, "sealed": self._rows.resealed(name, secret)} for name, secret in rows]
            if anew:
                connection.execute(change, anew)
            renew_canary(connection, self._keys)
        return len(anew)

    # --- The table ----------------------------------------------------------------------------------------------------

    def _read(self, name: str) -> User | None:
        with self._database.look() as connection:
            row = connection.execute(_FIND, {"wanted": name}).mappings().first()
        return self._rows.user(row if row is not None and row["name"] == name else None)

    def _add(self, users: Sequence[User], *, text_only: bool) -> int:
        now = datetime.now(UTC)
        rows = [self._rows.written(user, now, text_only=text_only) for user in users]
        names = Counter(user.name for user in users)
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise ValueError(f"given twice: {', '.join(map(repr, twice))}; nothing was changed")
        with self._database.transaction() as connection:
            there = connection.execute(select(USERS.c.name)).scalars().all()
            if taken := sorted(names.keys() & set(there)):
                raise ValueError(f"there already: {', '.join(map(repr, taken))}; nothing was changed")
            try:
                connection.execute(insert(USERS), rows)
            except IntegrityError:
                raise ValueError("somebody else added one of them just now; nothing was changed") from None
        self._forget()
        return len(rows)

    def _change(self, name: str, change: Update | Delete) -> None:
        changed = 0
        if is_name(name):
            with self._database.transaction() as connection:
                changed = connection.execute(change).rowcount
        if changed != 1:
            raise _no_such(name)
        self._forget()

    def _forget(self) -> None:
        """Begin with empty caches: also in a child, whose parent may have forked while one was locked."""
        seconds, size = self.cache_seconds, self._cache_size
        self._known: ShortCache[User] = ShortCache(seconds, size)
        self._unknown: ShortCache[bool] = ShortCache(seconds, size)
        self._seen: ShortCache[bool] = ShortCache(SEEN_SECONDS, size)


def _no_such(name: str) -> NoSuchUser:
    return NoSuchUser(f"there is no user {name!r}")
