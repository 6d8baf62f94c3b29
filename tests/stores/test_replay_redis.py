"""What the Redis replay store promises beyond the contract: its own clock, lost answers, failures, several servers."""

import logging
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.pki import Issued, authority
from tests.redis_server import RunningRedis, make_cluster, running_redis, running_sentinel
from tests.stores.processes import KEYS, LATER, NOW, told_true_in_four_processes
from tests.stores.proxy import Proxy, running_proxy
from wsguard.faults import StoreUnavailable
from wsguard.policy.problems import ConfigError
from wsguard.policy.surroundings import Replay
from wsguard.stores.replay_redis import RedisReplayStore

HASTY = Replay(deadline=1)
DEADLINE = 1.5
"""Seconds: that of ``HASTY``, and what a busy machine may add."""
SECOND = timedelta(seconds=1)
_PAGE = (Path(__file__).parents[2] / "docs" / "stores.md").read_text("utf-8")
DOCUMENTED = re.findall(r"\+[a-z]+", next(line for line in _PAGE.splitlines() if "ACL SETUSER" in line))
"""Rights that the docs tell to give."""


@pytest.fixture
def store(redis_server: RunningRedis) -> Iterator[RedisReplayStore]:
    with closing(RedisReplayStore(redis_server.url, HASTY)) as made:
        yield made


@contextmanager
def admin(server: RunningRedis) -> Iterator[Any]:
    with closing(server.client()) as client:
        yield client


def refusal(act: Callable[[], object]) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as caught:
        act()
    return caught.value


def problem(url: str, settings: Replay) -> str:
    with pytest.raises(ConfigError) as caught:
        RedisReplayStore(url, settings)
    return str(caught.value)


class TestLife:
    @pytest.mark.parametrize(
        ("until", "now", "seconds"),
        [
            (NOW + 300 * SECOND, NOW, 360),
            (NOW + SECOND / 2000, NOW, 60.001),
            (NOW, NOW, 60),
            (NOW - 300 * SECOND, NOW, 60),
            (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), 60),
            (NOW + timedelta(days=3650), NOW, 3650 * 86400 + 60),
        ],
        ids=["five minutes", "half a millisecond", "now", "past", "long past", "ten years"],
    )
    def test_it_is_what_the_caller_says_and_a_minute_by_the_clock_of_the_server(
        self, store: RedisReplayStore, redis_server: RunningRedis, until: datetime, now: datetime, seconds: float
    ) -> None:
        assert [store.remember(b"key", until, now) for _ in range(2)] == [True, False]
        with admin(redis_server) as client:
            left = client.pttl("wsguard:seen:key") / 1000
        assert seconds - 10 < left <= seconds

    def test_a_refused_call_does_not_prolong_it(self, store: RedisReplayStore, redis_server: RunningRedis) -> None:
        store.remember(b"key", NOW, NOW)
        store.remember(b"key", NOW + 300 * SECOND, NOW)
        with admin(redis_server) as client:
            assert client.pttl("wsguard:seen:key") <= 60_000

    def test_a_caller_whose_clock_is_ahead_does_not_end_it(self, store: RedisReplayStore) -> None:
        store.remember(b"key", LATER, NOW)
        assert store.remember(b"key", LATER + timedelta(days=2), NOW + timedelta(days=1)) is False

    def test_a_later_failure_never_shortens_that_of_one_before(
        self, store: RedisReplayStore, redis_server: RunningRedis
    ) -> None:
        store.add_failure(b"key", NOW + 300 * SECOND, NOW)
        store.add_failure(b"key", NOW + SECOND, NOW)
        with admin(redis_server) as client:
            assert 350_000 < client.pttl("wsguard:failures:key") <= 360_000

    def test_another_prefix_is_another_memory(self, store: RedisReplayStore, redis_server: RunningRedis) -> None:
        store.remember(b"key", LATER, NOW)
        with closing(RedisReplayStore(redis_server.url, Replay(key_prefix="other:"))) as other:
            assert other.remember(b"key", LATER, NOW) is True


class TestSeveralProcesses:
    def test_of_four_exactly_one_is_told_true(self, redis_server: RunningRedis) -> None:
        assert told_true_in_four_processes(redis_server.url) == dict.fromkeys(KEYS, 1)

    def test_a_forked_child_has_connections_of_its_own(self, store: RedisReplayStore) -> None:
        store.remember(b"parent", LATER, NOW)
        child = os.fork()
        if not child:
            answers = [store.remember(key, LATER, NOW) for key in (b"parent", b"child")]
            os._exit(0 if answers == [False, True] else 99)
        assert [store.remember(b"more %d" % number, LATER, NOW) for number in range(50)] == [True] * 50
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.remember(b"child", LATER, NOW) is False

    def test_nothing_is_open_before_the_first_use(self, store: RedisReplayStore, redis_server: RunningRedis) -> None:
        with admin(redis_server) as client:
            assert len(client.client_list()) == 1
            store.remember(b"key", LATER, NOW)
            assert len(client.client_list()) == 2


@pytest.fixture
def proxy(redis_server: RunningRedis) -> Iterator[Proxy]:
    with running_proxy(redis_server.socket) as made:
        yield made


@pytest.fixture
def far(proxy: Proxy) -> Iterator[RedisReplayStore]:
    """A store behind the proxy."""
    with closing(RedisReplayStore(f"redis://127.0.0.1:{proxy.port}", HASTY)) as made:
        yield made


class TestLostAnswers:
    def test_a_call_whose_answer_was_lost_is_still_the_one_that_remembered(
        self, far: RedisReplayStore, proxy: Proxy
    ) -> None:
        lost = iter([True])
        proxy.loses = lambda request: b"lost" in request and next(lost, False)
        assert far.remember(b"lost", LATER, NOW) is True
        assert far.remember(b"lost", LATER, NOW) is False

    def test_a_failure_whose_answer_was_lost_counts_once(self, far: RedisReplayStore, proxy: Proxy) -> None:
        lost = iter([True])
        proxy.loses = lambda request: b"lost" in request and next(lost, False)
        far.add_failure(b"lost", LATER, NOW)
        assert far.failures(b"lost", NOW) == 1

    def test_what_is_lost_every_time_is_refused_and_stays_remembered(self, far: RedisReplayStore, proxy: Proxy) -> None:
        proxy.loses = lambda request: b"lost" in request
        assert refusal(lambda: far.remember(b"lost", LATER, NOW)).setting == "replay.url"
        proxy.loses = lambda request: False
        assert far.remember(b"lost", LATER, NOW) is False


class TestFailures:
    @pytest.mark.parametrize(
        "answer",
        [
            "-LOADING Redis is loading the dataset in memory",
            "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk",
            "-OOM command not allowed when used memory > 'maxmemory'",
            "-READONLY You can't write against a read only replica.",
            "-NOREPLICAS Not enough good replicas to write.",
            "-CLUSTERDOWN The cluster is down",
            "-MASTERDOWN Link with MASTER is down",
            "-NOAUTH Authentication required.",
            "-NOPERM this user has no permissions to run the 'set' command",
            "-ERR unknown command",
            "nonsense",
        ],
        ids=lambda answer: answer.split()[0].strip("-"),
    )
    def test_whatever_the_server_complains_of_is_a_refusal(
        self, far: RedisReplayStore, proxy: Proxy, answer: str
    ) -> None:
        proxy.instead = lambda request: f"{answer}\r\n".encode() if b"seen" in request else None
        assert refusal(lambda: far.remember(b"key", LATER, NOW)).setting == "replay.url"

    @pytest.mark.parametrize("answer", ["$2\r\nno", "$-1", ":1", "*0"], ids=["text", "nothing", "number", "list"])
    def test_an_answer_that_is_not_the_one_that_a_new_key_has_reads_as_seen(
        self, far: RedisReplayStore, proxy: Proxy, answer: str
    ) -> None:
        proxy.instead = lambda request: f"{answer}\r\n".encode() if b"seen" in request else None
        assert far.remember(b"key", LATER, NOW) is False

    def test_a_server_that_answers_nothing_is_not_waited_for(
        self, store: RedisReplayStore, redis_server: RunningRedis
    ) -> None:
        redis_server.pause()
        try:
            began = time.monotonic()
            fault = refusal(lambda: store.remember(b"key", LATER, NOW))
            assert time.monotonic() - began < DEADLINE
        finally:
            redis_server.resume()
        assert fault.seen.startswith(f"{redis_server.url}: Timeout")
        assert store.remember(b"other", LATER, NOW) is True

    def test_a_server_that_is_full_is_a_refusal_and_nothing_is_forgotten(
        self, store: RedisReplayStore, redis_server: RunningRedis
    ) -> None:
        store.remember(b"key", LATER, NOW)
        with admin(redis_server) as client:
            client.config_set("maxmemory", "1")
            try:
                assert "maxmemory" in refusal(lambda: store.remember(b"new", LATER, NOW)).seen
                assert "maxmemory" in refusal(lambda: store.add_failure(b"new", LATER, NOW)).seen
            finally:
                client.config_set("maxmemory", "0")
        assert [store.remember(key, LATER, NOW) for key in (b"key", b"new")] == [False, True]

    def test_after_a_restart_of_the_server_nobody_needs_to_do_anything(self, redis_program: Path) -> None:
        with running_redis(redis_program) as server:
            store = RedisReplayStore(server.tcp_url, HASTY)
            store.remember(b"key", LATER, NOW)
        assert "refused" in refusal(lambda: store.remember(b"key", LATER, NOW)).seen
        with running_redis(redis_program, port=server.port), closing(store):
            assert store.remember(b"after", LATER, NOW) is True


class TestOpening:
    @pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
    def test_a_server_that_throws_keys_away_is_refused(
        self, redis_server: RunningRedis, policy: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with admin(redis_server) as client:
            client.config_set("maxmemory-policy", policy)
            try:
                assert problem(redis_server.url, HASTY) == (
                    f"replay.unsafe_eviction: {redis_server.url} must keep what was seen, with maxmemory-policy "
                    f"noeviction, and maxmemory-policy is {policy}"
                )
                with caplog.at_level(logging.WARNING, "wsguard"):
                    RedisReplayStore(redis_server.url, Replay(unsafe_eviction=True)).close()
            finally:
                client.config_set("maxmemory-policy", "noeviction")
        assert "replay.unsafe_eviction is set" in caplog.text

    def test_a_server_that_does_not_say_is_refused(self, redis_server: RunningRedis) -> None:
        with account(redis_server, "+@all", "-info") as url:
            assert "it does not say: this user has no permissions to run the 'info'" in problem(url, HASTY)

    @pytest.mark.parametrize("command", ["set", "get", "eval", "zadd", "zcount", "pexpire"])
    def test_a_right_that_is_missing_is_told_at_the_start(self, redis_server: RunningRedis, command: str) -> None:
        with account(redis_server, "+@all", f"-{command}") as url:
            fault = refusal(lambda: RedisReplayStore(url, HASTY))
        assert fault.setting == "replay.url"
        assert "no permissions to run" in fault.seen or "can't run this command" in fault.seen

    def test_the_rights_that_are_documented_are_enough(self, redis_server: RunningRedis) -> None:
        with account(redis_server, *DOCUMENTED) as url, closing(RedisReplayStore(url, HASTY)) as store:
            assert store.remember(b"key", LATER, NOW) is True

    def test_a_wrong_password_is_told_and_not_quoted(self, redis_server: RunningRedis) -> None:
        fault = refusal(lambda: RedisReplayStore(f"redis+unix://joe:hunter2@{redis_server.socket}", HASTY))
        assert fault.seen == f"{redis_server.url}: invalid username-password pair or user is disabled."

    def test_a_replica_is_told_at_the_start(self, redis_server: RunningRedis, redis_program: Path) -> None:
        with running_redis(redis_program, "--replicaof", "127.0.0.1", str(redis_server.port)) as replica:
            fault = refusal(lambda: RedisReplayStore(replica.url, HASTY))
        assert fault.seen == f"{replica.url}: You can't write against a read only replica."

    def test_that_nothing_outlives_a_restart_is_warned_of(
        self, redis_server: RunningRedis, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "wsguard"):
            RedisReplayStore(redis_server.url, HASTY).close()
        assert "appendonly is off" in caplog.text

    @pytest.mark.parametrize(
        ("url", "settings", "message"),
        [
            ("redis://localhost", Replay(ca_file=Path("ca.pem")), "replay.ca_file: the URL is one without TLS"),
            ("rediss://localhost", Replay(ca_file=Path("nowhere.pem")), "replay.ca_file: nowhere.pem is no file"),
            ("redis+cluster://localhost", Replay(wait_replicas=1), "replay.wait_replicas: a Cluster is not asked"),
        ],
        ids=["plain", "no file", "cluster"],
    )
    def test_a_setting_that_does_not_fit_is_named(self, url: str, settings: Replay, message: str) -> None:
        assert problem(url, settings).startswith(message)


@contextmanager
def account(server: RunningRedis, *rights: str) -> Iterator[str]:
    """A URL with a user that has these rights."""
    with admin(server) as client:
        client.execute_command("ACL", "SETUSER", "joe", "reset", "on", ">hunter2", "~wsguard:*", *rights)
        try:
            yield f"redis+unix://joe:hunter2@{server.socket}"
        finally:
            client.execute_command("ACL", "DELUSER", "joe")


class TestReplicas:
    def test_with_too_few_a_request_is_refused(self, redis_server: RunningRedis, redis_program: Path) -> None:
        settings = Replay(wait_replicas=1, deadline=1)
        fault = refusal(lambda: RedisReplayStore(redis_server.url, settings))
        assert (fault.setting, fault.seen) == (
            "replay.wait_replicas",
            f"{redis_server.url}: 0 of 1 replicas answered in time",
        )
        with running_redis(redis_program, "--replicaof", "127.0.0.1", str(redis_server.port)) as replica:
            until_it_follows(replica)
            with closing(RedisReplayStore(redis_server.url, settings)) as store:
                assert [store.remember(b"key", LATER, NOW) for _ in range(2)] == [True, False]
                with admin(replica) as client:
                    assert client.exists("wsguard:seen:key")
                replica.pause()
                began = time.monotonic()
                assert refusal(lambda: store.remember(b"lost", LATER, NOW)).setting == "replay.wait_replicas"
                assert time.monotonic() - began < DEADLINE
                replica.resume()
                assert store.remember(b"lost", LATER, NOW) is False


def until_it_follows(replica: RunningRedis) -> None:
    until = time.monotonic() + 15
    with admin(replica) as client:
        while client.info("replication")["master_link_status"] != "up":
            assert time.monotonic() < until
            time.sleep(0.02)


class TestSeveralServers:
    def test_sentinels_are_asked_for_the_server(self, redis_server: RunningRedis, redis_program: Path) -> None:
        with running_sentinel(redis_program, "shop", redis_server.port) as port:
            url = f"redis+sentinel://127.0.0.1:{port}/shop/3"
            with closing(RedisReplayStore(url, HASTY)) as store:
                assert [store.remember(b"key", LATER, NOW) for _ in range(2)] == [True, False]
                store.add_failure(b"key", LATER, NOW)
                assert store.failures(b"key", NOW) == 1
                redis_server.pause()
                try:
                    began = time.monotonic()
                    refusal(lambda: store.remember(b"other", LATER, NOW))
                    assert time.monotonic() - began < DEADLINE
                finally:
                    redis_server.resume()
            fault = refusal(lambda: RedisReplayStore(f"redis+sentinel://127.0.0.1:{port}/other", HASTY))
            assert fault.seen == f"redis+sentinel://127.0.0.1:{port}/other: No master found for 'other'"

    def test_a_cluster_is_asked_for_the_server_of_each_key(self, redis_program: Path) -> None:
        with running_redis(redis_program, "--cluster-enabled", "yes") as server:
            make_cluster(server)
            with closing(RedisReplayStore(f"redis+cluster://127.0.0.1:{server.port}", HASTY)) as store:
                assert [store.remember(key, LATER, NOW) for key in KEYS] == [True] * len(KEYS)
                assert [store.remember(key, LATER, NOW) for key in KEYS] == [False] * len(KEYS)
                store.add_failure(b"key", LATER, NOW)
                assert store.failures(b"key", NOW) == 1
                server.pause()
                began = time.monotonic()
                refusal(lambda: store.remember(b"other", LATER, NOW))
                assert time.monotonic() - began < DEADLINE
                server.resume()


class TestTls:
    def test_the_certificate_and_the_name_in_it_are_held_against_the_ca_file(
        self, redis_server: RunningRedis, tmp_path: Path
    ) -> None:
        root, other = authority("root"), authority("other")
        for name, issued in (("root", root), ("other", other)):
            (tmp_path / f"{name}.pem").write_bytes(issued.pem)
        trusted = Replay(deadline=3, ca_file=tmp_path / "root.pem")
        with running_proxy(redis_server.socket, context(root, "127.0.0.1", tmp_path)) as proxy:
            url = f"rediss://127.0.0.1:{proxy.port}"
            with closing(RedisReplayStore(url, trusted)) as store:
                assert [store.remember(b"key", LATER, NOW) for _ in range(2)] == [True, False]
            for settings in (Replay(deadline=3), Replay(deadline=3, ca_file=tmp_path / "other.pem")):
                fault = refusal(lambda settings=settings: RedisReplayStore(url, settings))  # type: ignore[misc]
                assert "CERTIFICATE_VERIFY_FAILED" in fault.seen
        with running_proxy(redis_server.socket, context(root, "127.0.0.2", tmp_path)) as proxy:
            fault = refusal(lambda: RedisReplayStore(f"rediss://127.0.0.1:{proxy.port}", trusted))
            assert "IP address mismatch" in fault.seen


def context(root: Issued, address: str, directory: Path) -> ssl.SSLContext:
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))])
    leaf = root.leaf("redis", extensions=[(names, False)])
    file = directory / f"{address}.pem"
    file.write_bytes(leaf.pem + leaf.key_pem)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made
