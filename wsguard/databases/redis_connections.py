"""Connections of redis-py that wait for nothing longer than the call of their thread may last."""

from typing import Any, Final

from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection

from wsguard.databases.deadline import is_over, remaining


class _BoundedSocket:
    """A socket that is read for what is left: redis-py gives the same time-out to each part of an answer."""

    def __init__(self, within: Any) -> None:  # noqa: ANN401 - a socket, with TLS or without
        self._within: Final = within

    def recv(self, *args: object) -> bytes:
        """Whatever there is to read."""
        self._be_in_time()
        octets: bytes = self._within.recv(*args)
        return octets

    def recv_into(self, *args: object) -> int:
        """Whatever there is to read, as the parser of hiredis asks for it."""
        self._be_in_time()
        count: int = self._within.recv_into(*args)
        return count

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the socket has it
        return getattr(self._within, name)

    def _be_in_time(self) -> None:
        if self._within.gettimeout() == 0:
            return  # It is only asked whether there is something.
        if is_over():
            raise TimeoutError("no answer within the deadline")
        self._within.settimeout(remaining())


class _Bounded:
    """What redis-py sets as the time-out of its socket, and what is set before each use, is what is left."""

    _sock: Any
    """Of redis-py: the socket, or None."""

    @property
    def socket_timeout(self) -> float | None:
        return remaining()

    @socket_timeout.setter
    def socket_timeout(self, value: object) -> None:
        """It is not for redis-py to say."""

    @property
    def socket_connect_timeout(self) -> float | None:
        return remaining()

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, value: object) -> None:
        """It is not for redis-py to say."""

    def send_packed_command(self, *args: object, **kwargs: object) -> None:
        """Send, for as long as is left."""
        self._set_time_out()
        super().send_packed_command(*args, **kwargs)  # type: ignore[misc]  # of redis-py's class

    def read_response(self, *args: object, **kwargs: object) -> object:
        """Read, for as long as is left."""
        self._set_time_out()
        answer: object = super().read_response(*args, **kwargs)  # type: ignore[misc]  # of redis-py's class
        return answer

    def _connect(self) -> _BoundedSocket:
        return _BoundedSocket(super()._connect())  # type: ignore[misc]  # of redis-py's class

    def _set_time_out(self) -> None:
        if self._sock is not None:
            self._sock.settimeout(remaining())


class BoundedConnection(_Bounded, Connection):
    """Over TCP."""


class BoundedTlsConnection(_Bounded, SSLConnection):
    """Over TLS."""


class BoundedSocketConnection(_Bounded, UnixDomainSocketConnection):
    """Over the file of a socket."""


class BoundedSentinelConnection(_Bounded, SentinelManagedConnection):
    """Over TCP, to the server that the Sentinels name."""


class BoundedSentinelTlsConnection(_Bounded, SentinelManagedSSLConnection):
    """Over TLS, to the server that the Sentinels name."""
