"""End to end, as docs/metrics.md says it: gunicorn workers count apart, and whichever is scraped answers for all."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import wsguard
from tests.messages import NOW, Token, envelope, security, stamp, timestamp

ROOT = Path(wsguard.__file__).parents[1]
PATIENCE = 30.0
"""Seconds that anything here may take before it is broken."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
MOUNT, OWN_PORT, GUNICORN, TRACING = (text for language, text in FENCE.findall(PAGE) if not language)
"""What the document shows, in its order."""

APPLICATION = """
import os, time


def soap(environ, start_response):
    # Longer than a worker needs to be asked, so that the other one gets the next request.
    time.sleep(0.05)
    start_response("200 OK", [("Content-Type", "text/xml"), ("X-Worker", str(os.getpid()))])
    return [b"<ok/>"]
"""
CONFIG = """
[users]
url = "toml:users.toml"
[replay]
url = "sqlite:///replay.db"
[audit]
url = "sqlite:///audit.db"
"""


@dataclass
class Served:
    """The guarded application, behind two workers."""

    port: int
    sent: int = 0

    def ask(self, method: str, path: str, octets: bytes | None = None) -> tuple[int, str | None, str]:
        """Status, worker and body of one request on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, octets, {"Content-Type": "text/xml; charset=utf-8"})
            response = connection.getresponse()
            return response.status, response.getheader("X-Worker"), response.read().decode()

    def call_until(self, workers: int) -> set[int]:
        """Send good messages, several at once, until that many different workers have answered: their pids."""
        answered: set[int] = set()
        until = time.monotonic() + PATIENCE
        while len(answered) < workers:
            assert time.monotonic() < until, f"only {answered} answered"
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(lambda octets: self.ask("POST", "/soap", octets), self._messages(8)))
            assert {status for status, _, _ in answers} == {200}
            answered |= {int(worker) for _, worker, _ in answers if worker}
        return answered

    def _messages(self, count: int) -> Iterator[bytes]:
        late = (datetime.now(UTC) - NOW).total_seconds()
        for number in range(self.sent, self.sent + count):
            token = Token(nonce=b"%016d" % number, created=stamp(late)).xml()
            yield envelope(security(timestamp(stamp(late), stamp(late + 60)), token))
        self.sent += count

    def scrape(self) -> dict[str, float]:
        """Every sample: the name with its label values -> value."""
        status, _, text = self.ask("GET", "/metrics")
        assert status == 200
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {_named(sample.name, sample.labels): sample.value for sample in samples}


def _named(name: str, labels: Mapping[str, str]) -> str:
    """The name and those label values that are not empty, in the order of the labels' names."""
    return " ".join([name, *(labels[label] for label in sorted(labels) if labels[label])])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "served.py").write_text(APPLICATION + MOUNT)
    (tmp_path / "gunicorn.conf.py").write_text(GUNICORN)
    (tmp_path / "wsguard.toml").write_text(CONFIG)
    (tmp_path / "users.toml").write_text('alice = "secret"\n')
    (tmp_path / "users.toml").chmod(0o600)
    (tmp_path / "counts").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "gunicorn.log").open("wb") as log:
        command = [
            *(sys.executable, "-m", "gunicorn", "served:application", "--workers", "2"),
            *("--bind", f"fd://{listener.fileno()}", "--worker-tmp-dir", str(tmp_path), "--no-control-socket"),
        ]
        server = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counts")},
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        try:
            # The socket listens already: requests wait in its queue until a worker takes them.
            yield Served(listener.getsockname()[1])
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) == 0, (tmp_path / "gunicorn.log").read_text()
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(PATIENCE)


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_scrape_is_the_sum_over_all_workers_also_of_those_that_are_gone(served: Served, tmp_path: Path) -> None:
    workers = served.call_until(2)
    assert served.ask("POST", "/soap", envelope(None))[0] == 500
    seen = [served.scrape() for _ in range(6)]
    for samples in seen:
        assert samples["wsguard_verdicts_total accepted"] == served.sent
        assert samples["wsguard_verdicts_total security.missing rejected"] == 1
        assert samples["wsguard_request_seconds_count accepted"] == served.sent
        assert samples["wsguard_stage_seconds_count parse"] == served.sent + 1
        assert samples["wsguard_replay_call_seconds_count remember"] == served.sent, "nonce and digest are one call"
        assert samples["wsguard_clock_skew_seconds_bucket +Inf"] == served.sent
    assert not any(name.startswith("process_") for name in seen[0]), "they would be of one worker"
    assert len(list((tmp_path / "counts").glob("counter_*.db"))) == 2

    gone = min(workers)
    os.kill(gone, signal.SIGTERM)
    wait_until(lambda: not is_alive(gone))
    assert served.call_until(2) != workers
    assert served.scrape()["wsguard_verdicts_total accepted"] == served.sent


@pytest.mark.parametrize("shown", [OWN_PORT.replace("9100", "0"), TRACING], ids=["port", "tracing"])
def test_what_else_the_document_shows_runs(shown: str, tmp_path: Path) -> None:
    (tmp_path / "wsguard.toml").write_text(CONFIG)
    (tmp_path / "users.toml").write_text("")
    (tmp_path / "users.toml").chmod(0o600)
    command = [sys.executable, "-W", "error", "-c", f"soap = print\n{shown}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, timeout=PATIENCE, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
