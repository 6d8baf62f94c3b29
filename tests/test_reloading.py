"""A changed configuration is picked up while serving: all of it or nothing, and never a broken one."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wsguard
from tests.guarding import Clock, Echo, post
from tests.messages import message, stamp
from wsguard.middleware import Guard, Serving
from wsguard.reloading import INTERVAL, INTERVAL_WHILE_BROKEN, SETTLED, Reloader

CONFIG = """
[users]
url = "toml:users.toml"
[replay]
url = "memory://"
[audit]
url = "jsonl:audit.jsonl"
[username_token]
max_failures = 1000
"""


class Monotonic:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Reloading:
    """A guard on files in a directory, whose reloader's clock the test moves."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = directory / "wsguard.toml"
        self.users = directory / "users.toml"
        self.monotonic = Monotonic()
        self.echo = Echo()
        self.config.write_text(CONFIG)
        self.users.write_text('"alice" = "secret"\n')
        original = Reloader.__init__

        def with_our_clock(this: Reloader, build: Callable[[Serving | None], Serving], **keywords: Any) -> None:
            original(this, build, **keywords, monotonic=self.monotonic)

        monkeypatch.setattr(Reloader, "__init__", with_our_clock)
        self.guard: Guard = wsguard.guard(self.echo, self.config, clock=Clock())
        self._nonce = 0

    def change(self, file: Path, text: str) -> None:
        """Write a file so that it is another one, as an editor or a deployment does."""
        fresh = file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(file)

    def send(self, **changes: Any) -> str:
        """The status of a fresh message."""
        self._nonce += 1
        return post(self.guard, message(nonce=b"nonce %d" % self._nonce, **changes)).status

    def wait(self, seconds: float = INTERVAL) -> None:
        """Let the reloader's time pass, and that in which a changed file settles."""
        self.monotonic.now += seconds
        assert self.guard.policy
        self.monotonic.now += SETTLED


@pytest.fixture
def reloading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reloading:
    return Reloading(tmp_path, monkeypatch)


def test_a_changed_password_is_picked_up_within_the_interval(reloading: Reloading) -> None:
    reloading.change(reloading.users, '"alice" = "changed"\n')
    assert reloading.send() == "200 OK", "not before its time: files are not looked at for each request"
    reloading.wait()
    assert reloading.send(password="secret").startswith("500")
    assert reloading.send(password="changed") == "200 OK"


def test_a_changed_policy_is_picked_up(reloading: Reloading) -> None:
    old = {"created": stamp(-200)}
    assert reloading.send(**old) == "200 OK"
    reloading.change(reloading.config, CONFIG + "time_to_live = 100\n")
    reloading.wait()
    assert reloading.send(**old).startswith("500")


@pytest.mark.parametrize(
    "broken",
    [
        "[[[",
        "[timestamp]\nuse = 'perhaps'",
        CONFIG + "\n[signature]\nuse = 'required'",
        CONFIG.replace("users.toml", "no.toml"),
    ],
)
def test_a_broken_configuration_is_reported_once_and_the_old_one_stays(
    reloading: Reloading, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    reloading.change(reloading.config, broken)
    for _ in range(3):
        reloading.wait(INTERVAL_WHILE_BROKEN)
        assert reloading.send() == "200 OK"
    assert caplog.text.count("cannot be used; the last one stays in force") == 1
    reloading.change(reloading.config, CONFIG + "time_to_live = 100\n")
    reloading.wait(INTERVAL_WHILE_BROKEN)
    assert reloading.send(created=stamp(-200)).startswith("500"), "a mended one is picked up"


def test_a_users_file_that_breaks_leaves_the_old_users(reloading: Reloading) -> None:
    reloading.change(reloading.users, '"alice" = \n')
    reloading.wait()
    assert reloading.send() == "200 OK"


def test_what_was_seen_stays_seen_over_a_reload(reloading: Reloading) -> None:
    octets = message()
    assert post(reloading.guard, octets).status == "200 OK"
    reloading.change(reloading.config, CONFIG + "time_to_live = 100\n")
    reloading.wait()
    assert post(reloading.guard, octets).status.startswith("500")
    assert len(reloading.echo.handed) == 1


def test_reload_can_be_asked_for(reloading: Reloading) -> None:
    reloading.change(reloading.users, '"alice" = "changed"\n')
    reloading.guard.reload()
    assert reloading.send(password="changed") == "200 OK"


def test_a_reload_that_was_asked_for_says_what_is_wrong_and_changes_nothing(reloading: Reloading) -> None:
    reloading.change(reloading.config, "[timestamp]\nuse = 'perhaps'")
    with pytest.raises(wsguard.ConfigError, match=r"timestamp\.use"):
        reloading.guard.reload()
    assert reloading.send() == "200 OK"


def test_nothing_is_looked_at_while_nothing_changed(reloading: Reloading, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        reloading.wait()
        assert reloading.send() == "200 OK"
    assert "is in force" not in caplog.text


def test_a_file_that_is_rewritten_with_the_same_length_is_a_change(reloading: Reloading) -> None:
    before = reloading.users.stat()
    reloading.users.write_text('"alice" = "SECRET"\n')
    os.utime(reloading.users, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    reloading.wait()
    assert reloading.send(password="SECRET") == "200 OK"


def test_many_threads_see_one_whole_configuration_or_the_other(reloading: Reloading) -> None:
    statuses: list[str] = []

    def serve(number: int) -> None:
        for turn in range(20):
            octets = message(nonce=b"%d-%d" % (number, turn))
            statuses.append(post(reloading.guard, octets).status)

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for turn in range(10):
        reloading.change(reloading.config, CONFIG + f"time_to_live = {100 + turn}\n")
        reloading.wait()
    for thread in threads:
        thread.join()
    assert statuses == ["200 OK"] * 160


def test_a_signal_has_the_next_request_take_the_configuration_anew(reloading: Reloading) -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        reloading.guard.reload_on(signal.SIGHUP)
        reloading.change(reloading.users, '"alice" = "changed"\n')
        assert reloading.send(password="secret") == "200 OK", "not before its time, nor before the signal"
        os.kill(os.getpid(), signal.SIGHUP)
        assert reloading.send(password="changed") == "200 OK"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_users_file_that_the_environment_names_is_watched_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERS_URL", f"toml:{tmp_path / 'users.toml'}")
    monkeypatch.setattr(
        "tests.test_reloading.CONFIG", CONFIG.replace('url = "toml:users.toml"', 'url_env = "USERS_URL"')
    )
    reloading = Reloading(tmp_path, monkeypatch)
    reloading.change(reloading.users, '"alice" = "changed"\n')
    reloading.wait()
    assert reloading.send(password="changed") == "200 OK"


def test_a_file_that_is_still_being_written_is_not_taken(reloading: Reloading) -> None:
    strict = CONFIG + 'time_to_live = 100\n[[client]]\nname = "B"\nusername = "bob"\n'
    reloading.change(reloading.config, strict)
    reloading.wait()
    assert reloading.send().startswith("500"), "alice is no client"
    for length in range(len(CONFIG), len(strict), 20):
        reloading.monotonic.now += SETTLED
        reloading.change(reloading.config, strict[:length])
        assert reloading.send().startswith("500"), "a half of it demands less, and is valid"
    reloading.change(reloading.config, CONFIG)
    reloading.wait()
    assert reloading.send() == "200 OK"
