"""A Redis or Valkey server, or several that are one: opened from a URL, fork-safe, and speaking in faults of ours."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from redis import ConnectionError as RedisConnectionError
from redis import Redis, RedisCluster, RedisError
from redis import TimeoutError as RedisTimeoutError
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.connection import ConnectionPool
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

from wsguard.databases.deadline import remaining, within
from wsguard.databases.forks import weakly
from wsguard.databases.redis_connections import (
    BoundedConnection,
    BoundedSentinelConnection,
    BoundedSentinelTlsConnection,
    BoundedSocketConnection,
    BoundedTlsConnection,
)
from wsguard.databases.redis_url import RedisUrl
from wsguard.faults import StoreUnavailable

Client = Any
"""A ``Redis`` or ``RedisCluster``: redis-py's own types are those of another version each time."""
AnswerT = TypeVar("AnswerT")

_CLUSTER: Final[Any] = RedisCluster
_NODE: Final[Any] = ClusterNode
_POOL: Final[Any] = ConnectionPool
_SENTINEL: Final[Any] = Sentinel
"""Without types."""

_MOST_CONNECTIONS: Final = 10_000
"""Of one process to one server; Redis' own default of maxclients. There are never more than threads."""
_LONGEST_REASON: Final = 300
"""Characters of an error that are told."""
_ABANDONED: Final[list[object]] = []
"""Clients of a parent process, kept from being closed: the connections are the parent's."""


class RedisServer:
    """The connections of this process to one server, or to the servers that Sentinels or a Cluster name.

    Whatever a call waits for, it ends within the deadline: connecting, TLS, a name in a Cluster, and the one more try
    after a connection that was lost. Only the system's own look-up of a host name is not bounded here.
    """

    def __init__(self, url: RedisUrl, *, deadline: float, ca_file: Path | None, setting: str) -> None:
        """
        Nothing is opened yet.

        Args:
            url: where it is.
            deadline: seconds that a call may take.
            ca_file: authorities that certificates of servers are held against; None: those of the system.
            setting: key path of the setting that names it.
        """
        self.name: Final = url.name
        self._url: Final = url
        self._deadline: Final = deadline
        self._ca_file: Final = ca_file
        self._setting: Final = setting
        self._lock = threading.Lock()
        self._clients: list[Client] = []
        """The one that is used; behind it those of the Sentinels."""
        os.register_at_fork(after_in_child=weakly(self._after_fork_in_child))

    def ask(self, question: Callable[[Client], AnswerT]) -> AnswerT:
        """What ``question`` returns. It is asked once more where a connection was lost, so it must be one that can be.

        Raises:
            StoreUnavailable: there was no answer in time, or redis-py raised.
        """
        with self._translated(), within(self._deadline):
            try:
                return question(self._current())
            except RedisConnectionError as lost:
                # Of those that are derived, none is better the second time.
                if type(lost) is not RedisConnectionError:
                    raise
            return question(self._current())

    def servers(self, client: Client) -> Iterator[tuple[str, Client]]:
        """Each server that takes keys, with its name."""
        if isinstance(client, RedisCluster):
            cluster: Client = client
            yield from ((node.name, cluster.get_redis_connection(node)) for node in cluster.get_primaries())
        else:
            yield self.name, client

    def close(self) -> None:
        """Close the connections; the next call opens others."""
        with self._lock:
            clients = self._clients
            self._clients = []
        for client in clients:
            client.close()

    def _after_fork_in_child(self) -> None:
        _ABANDONED.append(self._clients)
        self._lock, self._clients = threading.Lock(), []

    def _current(self) -> Client:
        clients = self._clients
        if clients:
            return clients[0]
        # A Cluster is asked for its servers when its client is made: others wait, and no longer than they may.
        left = remaining()
        if not self._lock.acquire(timeout=-1 if left is None else left):
            raise RedisTimeoutError("another thread is still connecting")
        try:
            self._clients = self._clients or self._made()
            return self._clients[0]
        finally:
            self._lock.release()

    def _made(self) -> list[Client]:
        url = self._url
        if url.kind == "cluster":
            return [self._cluster()]
        if url.kind == "sentinel":
            return self._behind_sentinels()
        if url.kind == "unix":
            return [_client(BoundedSocketConnection, path=url.path, **self._of_data())]
        host, port = url.hosts[0]
        return [_client(self._class(), host=host, port=port, **self._of_data())]

    def _behind_sentinels(self) -> list[Client]:
        url = self._url
        options = {**self._options(), "username": url.sentinel_username, "password": url.sentinel_password}
        sentinels = [_client(self._class(), host=host, port=port, **options) for host, port in url.hosts]
        manager = _SENTINEL([])
        manager.sentinels = list(sentinels)
        kind = BoundedSentinelTlsConnection if url.tls else BoundedSentinelConnection
        return [manager.master_for(url.service, connection_class=kind, **self._of_data()), *sentinels]

    def _cluster(self) -> Client:
        # Only made from a URL does it take a class of connections. The scheme is without TLS: with it, it would not.
        host, port = self._url.hosts[0]
        options = {**self._of_data(), "connection_class": self._class()}
        del options["db"], options["retry"]
        return _CLUSTER(
            url=f"redis://[{host}]:{port}" if ":" in host else f"redis://{host}:{port}",
            startup_nodes=[_NODE(*place) for place in self._url.hosts[1:]],
            retry=Retry(NoBackoff(), 1),
            **options,
        )

    def _class(self) -> type:
        return BoundedTlsConnection if self._url.tls else BoundedConnection

    def _of_data(self) -> dict[str, Any]:
        who = {"username": self._url.username, "password": self._url.password}
        return {"db": self._url.database, **self._options(), **who}

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "max_connections": _MOST_CONNECTIONS,
        }
        if self._url.tls and self._ca_file is not None:
            options["ssl_ca_certs"] = str(self._ca_file)
        return options

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, RedisClusterException, OSError) as error:
            reason = self._url.without_secrets(str(error).partition("\n")[0])[:_LONGEST_REASON]
            reason = reason or type(error).__name__
            failure = StoreUnavailable(f"{self.name}: {reason}", setting=self._setting)
        else:
            return
        # The error of redis-py is cut off: it may hold what was sent.
        raise failure


def _client(kind: type, **options: object) -> Client:
    client: Client = Redis(connection_pool=_POOL(connection_class=kind, **options))
    client.auto_close_connection_pool = True
    return client
