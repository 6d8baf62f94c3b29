"""What was seen, in Redis or Valkey: exact for all machines that use the same server, by the server's own clock."""

import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from wsguard.databases.deadline import remaining
from wsguard.databases.redis_server import Client, RedisServer
from wsguard.databases.redis_url import RedisUrl, parsed_redis_url
from wsguard.faults import StoreUnavailable
from wsguard.policy.problems import ConfigError, Problem
from wsguard.policy.surroundings import Replay

CLOCK_DISORDER: Final = timedelta(minutes=1)
"""Kept beyond its time: callers read their clocks before they ask, and the clocks of servers of which one takes over
from another differ."""

_SETTING: Final = "replay.url"
_NO_EVICTION: Final = "noeviction"
_MILLISECOND: Final = timedelta(milliseconds=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHARE_OF_REPLICAS: Final = 0.8
"""Of the time that is left: replicas are waited for, and then there is still an answer."""

# One step: between two commands another failure could shorten the life of what is there. ZADD is the first: once a
# script has written, Redis no longer refuses what it has no memory for.
_ADD_FAILURE: Final = """
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
"""

_log: Final = logging.getLogger("wsguard")


class RedisReplayStore:
    """Remembers exactly, for all threads, processes and machines that use the same server and prefix.

    A key is kept for ``until - now`` and a minute, by the clock of the server: whatever the clock of a caller says, a
    key that is there was seen. The value is a random number of the call. A call that finds its own number, because the
    answer to its first try was lost, is the one that remembered the key.
    """

    def __init__(self, url: str, settings: Replay) -> None:
        """Connect, and prove that the server takes keys and keeps them.

        Args:
            url: as ``parsed_redis_url`` takes it.
            settings: everything but the URL.

        Raises:
            ConfigError: a setting does not fit the URL, or the server throws keys away.
            ValueError: the URL cannot be read.
            StoreUnavailable: the server cannot be reached, refuses us, is read-only, or has too few replicas.
        """
        parsed = parsed_redis_url(url)
        _demand_fitting(parsed, settings)
        self._settings: Final = settings
        self._seen: Final = f"{settings.key_prefix}seen:".encode()
        self._failed: Final = f"{settings.key_prefix}failures:".encode()
        self._server: Final = RedisServer(
            parsed, deadline=settings.deadline, ca_file=settings.ca_file, setting=_SETTING
        )
        try:
            self._server.ask(self._demand_that_it_keeps)
            self._prove()
        finally:
            # A fork finds nothing open.
            self._server.close()

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        """Remember ``key`` for ``until - now`` at least; True for exactly one of all calls while it is remembered.

        Raises:
            StoreUnavailable: the server does not answer in time, takes no key, or has too few replicas that took it;
                it may have remembered the key nevertheless.
        """
        name, token = self._seen + key, secrets.token_bytes(16)
        life = _life(until, now)

        def ask(client: Client) -> bool:
            added, replicas = self._set(client, name, token, life)
            if not added:
                # Ours already where the answer to an earlier try was lost. Of that one no replica was asked.
                return not self._settings.wait_replicas and client.get(name) == token
            if replicas < self._settings.wait_replicas:
                raise StoreUnavailable(
                    f"{self._server.name}: {replicas} of {self._settings.wait_replicas} replicas answered in time",
                    setting="replay.wait_replicas",
                )
            return True

        return self._server.ask(ask)

    def failures(self, key: bytes, now: datetime) -> int:
        """How many failures of ``key`` are remembered at ``now``.

        Raises:
            StoreUnavailable: the server does not answer in time.
        """
        count: int = self._server.ask(lambda client: client.zcount(self._failed + key, _microseconds(now), "+inf"))
        return count

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        """Remember one more failure of ``key`` until ``until``.

        Raises:
            StoreUnavailable: the server does not answer in time, or does not take it.
        """
        over = f"({_microseconds(now) - CLOCK_DISORDER // _MICROSECOND}"
        values = (over, _microseconds(until), secrets.token_bytes(16), _life(until, now))
        self._server.ask(lambda client: client.eval(_ADD_FAILURE, 1, self._failed + key, *values))

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _set(self, client: Client, name: bytes, token: bytes, life: int) -> tuple[bool, int]:
        """Whether the key was not there, and how many replicas have it now."""
        if not self._settings.wait_replicas or not isinstance(client, Redis):
            return client.set(name, token, nx=True, px=life) is True, 0
        left = remaining() or self._settings.deadline
        # On one connection: WAIT speaks of what was written on its own.
        with client.pipeline(transaction=False) as pipeline:
            pipeline.set(name, token, nx=True, px=life)
            pipeline.wait(self._settings.wait_replicas, max(int(left * _SHARE_OF_REPLICAS * 1000), 1))
            added, replicas = pipeline.execute()
        return added is True, replicas

    def _prove(self) -> None:
        """That it takes a key once, and counts: with everything that a request may need."""
        key, now = b"proof:" + secrets.token_hex(16).encode(), datetime.now(UTC)
        if [self.remember(key, now, now) for _ in range(2)] != [True, False]:
            raise StoreUnavailable(f"{self._server.name}: does not keep what it is given", setting=_SETTING)
        self.add_failure(key, now, now)
        self.failures(key, now)

    def _demand_that_it_keeps(self, client: Client) -> None:
        """
        Raises:
            ConfigError: it throws keys away when its memory is full, or does not say.
        """
        for name, server in self._server.servers(client):
            try:
                memory, persistence = server.info("memory"), server.info("persistence")
            except (NoPermissionError, ResponseError) as error:
                memory, persistence, reason = {}, {}, f"it does not say: {error}"
            else:
                reason = f"maxmemory-policy is {memory.get('maxmemory_policy', 'not told')}"
            if memory.get("maxmemory_policy") != _NO_EVICTION:
                self._refuse_eviction(name, reason)
            if not _persists(persistence):
                _log.warning("%s: appendonly is off: after a restart of Redis what was seen may be sent again", name)

    def _refuse_eviction(self, name: str, reason: str) -> None:
        if self._settings.unsafe_eviction:
            _log.warning("%s: replay.unsafe_eviction is set, and %s: what was seen may be sent again", name, reason)
            return
        message = f"{name} must keep what was seen, with maxmemory-policy noeviction, and {reason}"
        raise ConfigError([Problem("replay.unsafe_eviction", message)])


def _demand_fitting(url: RedisUrl, settings: Replay) -> None:
    problems = []
    if settings.ca_file is not None and not url.tls:
        problems.append(Problem("replay.ca_file", "the URL is one without TLS; with it, it begins with rediss"))
    elif settings.ca_file is not None and not settings.ca_file.is_file():
        problems.append(Problem("replay.ca_file", f"{settings.ca_file} is no file"))
    if settings.wait_replicas and url.kind == "cluster":
        problems.append(Problem("replay.wait_replicas", "a Cluster is not asked for its replicas; leave it 0"))
    if problems:
        raise ConfigError(problems)


def _persists(info: dict[str, Any]) -> bool:
    return not info or bool(info.get("aof_enabled"))


def _life(until: datetime, now: datetime) -> int:
    """Milliseconds, rounded up; never none: a time that is over must not read as a key that was not seen."""
    return -(-(max(until - now, timedelta(0)) + CLOCK_DISORDER) // _MILLISECOND)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
