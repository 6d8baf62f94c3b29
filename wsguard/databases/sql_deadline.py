"""PostgreSQL through psycopg, with an end to every wait: also for a server that takes a question and never answers."""

import math
import select
from collections.abc import Generator
from contextlib import suppress
from typing import Any, Final

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from wsguard.databases.deadline import is_over, remaining

_SHORTEST_CONNECT: Final = 2
"""Seconds; libpq takes no shorter connect_timeout."""
_TOO_LATE: Final = 1
"""Seconds; with less left no connection is begun."""
_SHARE_OF_SERVER: Final = 0.9
"""Of the deadline: then the server ends a statement, says why, and the connection is still good."""
_READ: Final = 1
_WRITE: Final = 2
"""What psycopg's generators ask for and are told, as bits (psycopg.waiting.Wait and Ready)."""

# The server ends what takes too long, also where we cannot tell it any more. Isolation: ON CONFLICT must see what was
# committed while it waited.
_SESSION: Final = """
SELECT set_config('statement_timeout', %(ms)s, false), set_config('lock_timeout', %(ms)s, false),
    set_config('default_transaction_isolation', 'read committed', false)
"""


class BoundedConnection(psycopg.Connection[Any]):
    """Waits for nothing longer than the call of its thread may last; after that it is closed."""

    @classmethod
    def _connect_gen(cls, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:  # noqa: ANN401 - as psycopg has it
        """The steps of psycopg's, until the time is over: its own time-out is two seconds at least, for each host."""
        steps = super()._connect_gen(*args, **kwargs)
        try:
            wanted = next(steps)
            while not is_over():
                wanted = steps.send((yield wanted))
        except StopIteration as end:
            return end.value
        raise psycopg.OperationalError("no connection within the deadline")

    def wait(self, gen: Generator[Any, Any, Any], *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - as psycopg has it
        """What ``gen`` returns.

        Raises:
            psycopg.OperationalError: the time was over before it did.
        """
        # psycopg's own wait has no end, and before 3.3 none could be put to it.
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(self._ready(wanted))
        except StopIteration as end:
            return end.value
        except BaseException:
            # A pipeline would go on waiting where it is thrown away.
            with suppress(Exception):
                gen.close()
            raise

    def _ready(self, wanted: int) -> int:
        left = remaining()
        poll = select.poll()
        poll.register(self.pgconn.socket, (wanted & _READ and select.POLLIN) | (wanted & _WRITE and select.POLLOUT))
        try:
            found = poll.poll(None if left is None else math.ceil(left * 1000))
        except BaseException:
            self.pgconn.finish()
            raise
        if not found:
            self.pgconn.finish()
            raise psycopg.OperationalError("no answer within the deadline")
        events = found[0][1]
        ready = (events & select.POLLIN and _READ) | (events & select.POLLOUT and _WRITE)
        # An error alone: libpq finds it by itself.
        return ready or wanted


def bound(engine: Engine, deadline: float) -> None:
    """Make the connections of ``engine``, which is one of psycopg's, such ones.

    Args:
        engine: without connections.
        deadline: seconds that a call may take; the server itself lets a statement take a little less.
    """

    def connect(_dialect: object, _record: object, args: list[Any], options: dict[str, Any]) -> BoundedConnection:
        left = remaining() or deadline
        if left < min(_TOO_LATE, deadline / 2):
            raise psycopg.OperationalError("no time is left to connect")
        options.setdefault("connect_timeout", max(_SHORTEST_CONNECT, math.ceil(left)))
        connection = BoundedConnection.connect(*args, **options)
        try:
            connection.autocommit = True
            connection.execute(_SESSION, {"ms": f"{deadline * _SHARE_OF_SERVER * 1000:.0f}"})
            connection.autocommit = False
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def taken(connection: BoundedConnection, _record: object, _proxy: object) -> None:
        # A server that ends or restarts says so, or closes: whatever there is to read, it is no answer of ours.
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0):
            raise DisconnectionError("the server ended the connection")

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", taken)
