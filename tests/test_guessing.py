"""Guessing passwords: bounded for each user and address, over processes, and all attempts look alike from outside."""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import wsguard
from tests.guarding import USERS, Answer, Guarded
from tests.messages import NOW, Token, envelope, message, security, stamp, timestamp
from wsguard.composition import guard
from wsguard.interfaces import UserStore
from wsguard.policy.problems import ConfigError
from wsguard.stores.argon2_verifier import Argon2Verifier
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_sql import SqlUserStore

HERE, THERE = "192.0.2.7", "192.0.2.8"
KEY = new_master_key()
BOUND = {"max_failures": 3, "failure_window": 60}
TEXT = {"password_types": ["PasswordDigest", "PasswordText"]}


class Guesser:
    """Sends right and wrong passwords, each under a nonce of its own."""

    def __init__(self, guarded: Guarded) -> None:
        self.guarded = guarded
        self.sent = 0

    def send(self, password: str, *, username: str = "alice", address: str = HERE, **token: Any) -> Answer:
        self.sent += 1
        seconds = (self.guarded.clock.now - NOW).total_seconds()
        made = Token(username, password, b"nonce %8d" % self.sent, stamp(seconds), **token)
        header = security(timestamp(stamp(seconds), stamp(seconds + 300)), made.xml())
        return self.guarded.post(envelope(header), REMOTE_ADDR=address)

    def wrong(self, times: int, **token: Any) -> list[str]:
        return [self.send("wrong", **token).check for _ in range(times)]


@pytest.fixture(params=["memory", "sqlite"])
def replay(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return {"url": "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/replay.db"}


@pytest.fixture
def guesser(replay: dict[str, str]) -> Iterator[Guesser]:
    guarded = Guarded(username_token={**BOUND, **TEXT}, replay=replay)
    yield Guesser(guarded)
    guarded.guard.close()


AUTHENTICATION = "username_token.authentication"


def why(answer: Answer) -> dict[str, str]:
    """The last entry of the explanation."""
    assert answer.record is not None
    return answer.record.explanation[-1]


def shown(answer: Answer) -> tuple[str, bytes]:
    """What the sender sees, without the incident's own id."""
    assert answer.record is not None
    assert answer.record.incident.encode() in answer.body
    return answer.status, answer.body.replace(answer.record.incident.encode(), b"ID")


class TestTheBound:
    def test_a_right_password_is_taken_until_the_bound_and_not_looked_at_after_it(self, guesser: Guesser) -> None:
        assert guesser.wrong(2) == [AUTHENTICATION] * 2
        assert guesser.send("secret").status == "200 OK"
        assert guesser.wrong(1) == [AUTHENTICATION]
        refused = guesser.send("secret")
        assert refused.check == AUTHENTICATION
        assert why(refused)["seen"] == "3 wrong passwords in 60 s: not looked at"
        assert why(refused)["setting"] == "username_token.max_failures"

    @pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
    def test_the_sender_cannot_tell_a_wrong_password_from_one_that_was_not_looked_at(
        self, guesser: Guesser, kind: str
    ) -> None:
        wrong = guesser.send("wrong", kind=kind)
        guesser.wrong(2)
        answers = [
            guesser.send("secret", kind=kind),
            guesser.send("wrong", kind=kind),
            guesser.send("wrong", username="nobody", kind=kind),
        ]
        assert [shown(answer) for answer in answers] == [shown(wrong)] * 3
        assert "not looked at" in why(answers[0])["seen"]

    def test_another_address_goes_on(self, guesser: Guesser) -> None:
        guesser.wrong(5)
        assert guesser.send("secret", address=THERE).status == "200 OK"
        assert guesser.send("secret").check == AUTHENTICATION

    def test_another_user_goes_on(self, guesser: Guesser) -> None:
        guesser.wrong(5)
        assert guesser.send(USERS["bob"], username="bob").status == "200 OK"

    def test_users_that_there_are_not_are_bounded_too(self, guesser: Guesser) -> None:
        guesser.wrong(4, username="nobody")
        assert "not looked at" in why(guesser.send("x", username="nobody"))["seen"]

    def test_both_types_of_password_count_together(self, guesser: Guesser) -> None:
        guesser.wrong(2, kind="PasswordDigest")
        guesser.wrong(1, kind="PasswordText")
        assert "not looked at" in why(guesser.send("secret", kind="PasswordText"))["seen"]

    def test_the_window_passes_and_the_right_password_works_again(self, guesser: Guesser) -> None:
        guesser.wrong(3)
        guesser.guarded.clock.now = NOW + timedelta(seconds=60)
        assert guesser.send("secret").check == AUTHENTICATION
        guesser.guarded.clock.now = NOW + timedelta(seconds=60, microseconds=1)
        assert guesser.send("secret").status == "200 OK"

    def test_what_is_not_looked_at_prolongs_nothing(self, guesser: Guesser) -> None:
        guesser.wrong(3)
        guesser.guarded.clock.now = NOW + timedelta(seconds=59)
        guesser.wrong(20)
        guesser.guarded.clock.now = NOW + timedelta(seconds=61)
        assert guesser.send("secret").status == "200 OK"

    def test_failures_a_window_apart_never_add_up(self, guesser: Guesser) -> None:
        for minute in range(10):
            guesser.guarded.clock.now = NOW + timedelta(seconds=61 * minute)
            guesser.wrong(2)
        assert guesser.send("secret").status == "200 OK"

    def test_what_is_malformed_or_replayed_is_no_failure(self, guesser: Guesser) -> None:
        taken = message()
        assert guesser.guarded.post(taken).status == "200 OK"
        for _ in range(5):
            assert guesser.guarded.post(taken).check == "replay.nonce"
            assert guesser.send("x", parts={"Nonce": ""}, kind="PasswordDigest").check == "username_token.nonce_missing"
        assert guesser.send("secret").status == "200 OK"


class TestSeveralGuards:
    def test_failures_count_over_all_guards_that_share_a_replay_store(self, tmp_path: Path) -> None:
        with ExitStack() as opened:
            guessers = []
            for _ in range(2):
                guarded = Guarded(username_token=BOUND, replay={"url": f"sqlite:///{tmp_path}/replay.db"})
                opened.callback(guarded.guard.close)
                guessers.append(Guesser(guarded))
            guessers[0].wrong(2)
            guessers[1].sent = 100
            guessers[1].wrong(1)
            for guesser in guessers:
                assert "not looked at" in why(guesser.send("secret"))["seen"]

    def test_a_restart_forgets_no_failure(self, tmp_path: Path) -> None:
        for attempt in range(2):
            guarded = Guarded(username_token=BOUND, replay={"url": f"sqlite:///{tmp_path}/replay.db"})
            guesser = Guesser(guarded)
            guesser.sent = 10 * attempt
            if attempt:
                assert "not looked at" in why(guesser.send("secret"))["seen"]
            guesser.wrong(3)
            guarded.guard.close()

    def test_a_store_that_counts_nothing_is_said_loudly(self, caplog: pytest.LogCaptureFixture) -> None:
        class Remembers:
            def remember(self, key: bytes, until: object, now: object) -> bool:
                return True

            def close(self) -> None:
                return

        guarded = Guarded(username_token=BOUND, replay_store=Remembers())
        assert "the replay store counts no failures: username_token.max_failures has no effect" in caplog.text
        guesser = Guesser(guarded)
        guesser.wrong(20)
        assert guesser.send("secret").status == "200 OK"


class Counting(Argon2Verifier):
    """Counts what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def matches(self, password_hash: str, password: bytes) -> bool:
        self.asked.append("stand-in" if password_hash == self.stand_in else "hash")
        return super().matches(password_hash, password)


@pytest.fixture
def users(tmp_path: Path) -> Iterator[SqlUserStore]:
    store = SqlUserStore(f"sqlite:///{tmp_path}/users.db", [KEY], cache_seconds=0)
    for name, text_only in (("digest", False), ("hashed", True), ("off", False), ("hashed-off", True)):
        store.add(name, "secret", text_only=text_only)
    for name in ("off", "hashed-off"):
        store.set_enabled(name, False)
    yield store
    store.close()


def with_users(users: UserStore, **policy: Any) -> Guarded:
    """A guard with a table of its own."""
    guarded = Guarded(**policy)
    guarded.guard = guard(guarded.echo, guarded.policy, clock=guarded.clock, users=users)
    return guarded


class TestEqualWork:
    @pytest.fixture
    def verifier(self, monkeypatch: pytest.MonkeyPatch) -> Counting:
        made = Counting()
        monkeypatch.setattr("wsguard.opening.open_verifier", lambda *, needed: made)
        return made

    @pytest.mark.parametrize(
        ("name", "password", "asked", "taken"),
        [
            ("digest", "secret", "stand-in", True),
            ("digest", "wrong", "stand-in", False),
            ("hashed", "secret", "hash", True),
            ("hashed", "wrong", "hash", False),
            ("off", "secret", "stand-in", False),
            ("off", "wrong", "stand-in", False),
            ("hashed-off", "secret", "hash", False),
            ("nobody", "secret", "stand-in", False),
            ("nobody", "", "stand-in", False),
        ],
    )
    def test_every_password_text_costs_one_hash(
        self, users: SqlUserStore, verifier: Counting, name: str, password: str, asked: str, taken: bool
    ) -> None:
        guesser = Guesser(with_users(users, username_token=TEXT))
        answer = guesser.send(password, username=name, kind="PasswordText")
        assert (answer.status == "200 OK", verifier.asked) == (taken, [asked])
        assert taken or answer.check == AUTHENTICATION

    def test_all_refusals_look_the_same(self, users: SqlUserStore, verifier: Counting) -> None:
        guesser = Guesser(with_users(users, username_token=TEXT))
        answers = {
            shown(guesser.send("wrong", username=name, kind=kind))
            for name in ("digest", "hashed", "off", "hashed-off", "nobody")
            for kind in ("PasswordText", "PasswordDigest")
        }
        assert len(answers) == 1
        assert len(verifier.asked) == 5

    def test_a_digest_costs_none(self, users: SqlUserStore, verifier: Counting) -> None:
        guesser = Guesser(with_users(users, username_token=TEXT))
        assert guesser.send("secret", username="digest").status == "200 OK"
        assert guesser.send("secret", username="hashed").check == AUTHENTICATION
        assert verifier.asked == []

    def test_what_is_not_looked_at_costs_none(self, users: SqlUserStore, verifier: Counting) -> None:
        guesser = Guesser(with_users(users, username_token={**TEXT, **BOUND}))
        guesser.wrong(10, username="hashed", kind="PasswordText")
        assert len(verifier.asked) == 3

    def test_too_many_at_once_are_told_to_come_again(self, users: SqlUserStore, verifier: Counting) -> None:
        verifier._wait = 0.01
        guesser = Guesser(with_users(users, username_token=TEXT))
        with verifier._places, verifier._places:
            answer = guesser.send("secret", username="hashed", kind="PasswordText")
        assert answer.status.startswith("503")
        assert "Retry-After" in answer.headers
        assert answer.check == "store.unavailable"
        assert guesser.send("secret", username="hashed", kind="PasswordText").status == "200 OK"

    def test_too_many_at_once_is_no_failure_of_the_user(self, users: SqlUserStore, verifier: Counting) -> None:
        verifier._wait = 0.01
        guesser = Guesser(with_users(users, username_token={**TEXT, **BOUND}))
        with verifier._places, verifier._places:
            for _ in range(5):
                guesser.send("secret", username="hashed", kind="PasswordText")
        assert guesser.send("secret", username="hashed", kind="PasswordText").status == "200 OK"


class TestUsersInADatabase:
    def configured(self, directory: Path, **policy: Any) -> wsguard.Policy:
        stores = {
            "users": {"url": f"sqlite:///{directory}/users.db"},
            "replay": {"url": "memory://"},
            "audit": {"url": "memory://"},
        }
        return wsguard.Policy.model_validate({**stores, **policy})

    @pytest.mark.usefixtures("users")
    def test_the_configured_table_is_used_with_the_key_of_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WSGUARD_MASTER_KEY", KEY)
        guarded = Guarded()
        guarded.guard = guard(guarded.echo, self.configured(tmp_path), clock=guarded.clock)
        assert Guesser(guarded).send("secret", username="digest").status == "200 OK"
        guarded.guard.close()

    @pytest.mark.usefixtures("users")
    def test_master_keys_are_rotated_by_a_reload(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WSGUARD_MASTER_KEY", KEY)
        guarded, new = Guarded(), new_master_key()
        guarded.guard = guard(guarded.echo, self.configured(tmp_path), clock=guarded.clock)
        guesser = Guesser(guarded)
        for keys in (f"{new},{KEY}", new):
            monkeypatch.setenv("WSGUARD_MASTER_KEY", keys)
            guarded.guard.reload()
            assert guesser.send("secret", username="digest").status == "200 OK"
            with closing(SqlUserStore(f"sqlite:///{tmp_path}/users.db", keys.split(","))) as table:
                table.rekey()
        monkeypatch.setenv("WSGUARD_MASTER_KEY", KEY)
        with pytest.raises(ConfigError, match="the master key is not the one"):
            guarded.guard.reload()
        assert guesser.send("secret", username="digest").status == "200 OK"
        guarded.guard.close()

    def test_a_table_that_is_not_there_is_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WSGUARD_MASTER_KEY", KEY)
        guard(Guarded().echo, self.configured(tmp_path)).close()
        assert (tmp_path / "users.db").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (None, "users.master_key_env: the environment has no variable WSGUARD_MASTER_KEY"),
            (",", "users.master_key_env: a database of users needs a master key in WSGUARD_MASTER_KEY"),
            (new_master_key(), r"users.url: sqlite:///.*: the master key is not the one that the table of users was "),
            ("hunter2", "users.url: master key 1 is no key: make one with: wsguard users new-key"),
        ],
        ids=["no variable", "no key in it", "another key", "no key"],
    )
    @pytest.mark.usefixtures("users")
    def test_a_key_that_does_not_fit_is_told_at_the_start_and_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, problem: str
    ) -> None:
        if value is None:
            monkeypatch.delenv("WSGUARD_MASTER_KEY", raising=False)
        else:
            monkeypatch.setenv("WSGUARD_MASTER_KEY", value)
        with pytest.raises(ConfigError) as caught:
            guard(Guarded().echo, self.configured(tmp_path))
        assert re.match(problem, str(caught.value))
        assert len(caught.value.problems) == 1
        assert "hunter2" not in str(caught.value)

    def test_a_table_of_text_needs_no_key(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("WSGUARD_MASTER_KEY", raising=False)
        (tmp_path / "users.toml").write_text('alice = "secret"\n')
        guard(Guarded().echo, self.configured(tmp_path, users={"url": f"toml:{tmp_path}/users.toml"})).close()

    def test_hashes_without_argon2_are_refused_at_the_start(
        self, users: SqlUserStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "argon2", None)
        monkeypatch.delitem(sys.modules, "wsguard.stores.argon2_verifier")
        with pytest.raises(ConfigError) as caught:
            with_users(users, username_token=TEXT)
        assert str(caught.value) == (
            "users.url: it has hashed passwords, which need argon2-cffi: pip install wsguard[argon2]"
        )
        with_users(users)
        for name in ("hashed", "hashed-off"):
            users.remove(name)
        assert Guesser(with_users(users, username_token=TEXT)).send("secret", username="digest").status == "200 OK"

    def test_when_a_user_was_last_right_is_kept(self, users: SqlUserStore) -> None:
        guesser = Guesser(with_users(users, username_token=TEXT))
        guesser.send("wrong", username="hashed", kind="PasswordText")
        guesser.send("secret", username="digest")
        guesser.send("secret", username="off")
        assert {entry.name: entry.last_seen for entry in users.entries() if entry.last_seen} == {"digest": NOW}

    def test_a_table_that_is_away_refuses_and_counts_nothing(self, users: SqlUserStore, tmp_path: Path) -> None:
        guesser = Guesser(with_users(users, username_token=BOUND))
        (tmp_path / "users.db").rename(tmp_path / "away")
        for _ in range(5):
            answer = guesser.send("secret", username="digest")
            assert (answer.status[:3], answer.check) == ("503", "store.unavailable")
        (tmp_path / "away").rename(tmp_path / "users.db")
        assert guesser.send("secret", username="digest").status == "200 OK"

    def test_nothing_secret_is_recorded_or_logged(self, users: SqlUserStore, caplog: pytest.LogCaptureFixture) -> None:
        guesser = Guesser(with_users(users, username_token=TEXT))
        for name in ("digest", "hashed", "off", "nobody"):
            for kind in ("PasswordText", "PasswordDigest"):
                guesser.send("swordfish", username=name, kind=kind)
        told = repr([record.as_dict() for record in guesser.guarded.records]) + caplog.text
        assert len(guesser.guarded.records) == 8
        assert not any(word in told for word in ("swordfish", "secret", "$argon2", "gAAAA", KEY))


@pytest.mark.parametrize(
    ("first", "then", "counted"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:0:8000::1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7:4711", "192.0.2.7:4712", True),
        ("192.0.2.7:4711", "192.0.2.7", True),
        ("192.0.2.7:4711", "192.0.2.8:4711", False),
        ("[2001:db8::1]:4711", "2001:db8::ffff", True),
        ("[2001:db8::1]", "[2001:db8:0:1::1]:4711", False),
        ("64:ff9b::c000:207", "64:ff9b::c000:208", False),
        ("64:ff9b::c000:207", "192.0.2.7", True),
        ("unix:", "unix:", True),
    ],
)
def test_guesses_are_counted_for_all_addresses_that_one_customer_has(
    guesser: Guesser, first: str, then: str, counted: bool
) -> None:
    guesser.wrong(BOUND["max_failures"], address=first)
    answer = guesser.send("secret", address=then)
    assert answer.check == (AUTHENTICATION if counted else "")
