"""The same under gunicorn: two workers, and an application that writes down what it was handed."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import wsguard
from tests.messages import sent_at
from tests.postgres import parents
from tests.reliability.load import Load, Reply, fresh
from tests.reliability.scene import Measured, judge, records_of
from tests.test_gunicorn import PATIENCE, free_port, wait_for

WORKERS = 2
APPLICATION = """
import os
import re
import wsguard

HANDED = os.open("handed", os.O_CREAT | os.O_WRONLY | os.O_APPEND)


def echo(environ, start_response):
    name = re.search(rb"<e:text>([0-9a-f]{16})</e:text>", environ["wsgi.input"].read())
    os.write(HANDED, name[1] + b"\\n")
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", "5")])
    return [b"<ok/>"]


application = wsguard.guard(echo, "wsguard.toml")
os.write(os.open("loaded", os.O_CREAT | os.O_WRONLY | os.O_APPEND), b".")
"""

CONFIG = """
[users]
url = "toml:users.toml"
[replay]
url = "REPLAY"
deadline = 1
[audit]
url = "jsonl:audit.jsonl"
record = "all"
"""

ANSWERING = 8.0
"""Seconds: two questions of a second each, and what eight clients wait for two workers that begin anew."""


@dataclass(frozen=True)
class Served:
    """A guarded service that clients reach over HTTP."""

    directory: Path
    port: int
    process: "subprocess.Popen[bytes]"

    def post(self, octets: bytes) -> Reply | None:
        """What a client gets; None where the connection was lost or refused."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("POST", "/soap", octets, {"Content-Type": "text/xml; charset=utf-8"})
            response = connection.getresponse()
            return Reply(response.status, response.read(), response.getheader("Retry-After", ""))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def workers(self) -> list[int]:
        return [pid for pid, parent in parents() if parent == self.process.pid]

    def judge(self, load: Load, *, forgotten: bool = False) -> Measured:
        """As a scene does."""
        handed = Counter((self.directory / "handed").read_text().split())
        log = (self.directory / "gunicorn.log").read_text()
        unrecorded = set(re.findall(r"incident (\S+): not recorded", log))
        records = records_of(f"jsonl:{self.directory / 'audit.jsonl'}")
        again = judge(load.sent, handed, records, unrecorded, self.post)
        assert forgotten or not again
        slowest = max(sent.seconds for sent in load.sent)
        assert slowest <= ANSWERING, f"a request took {slowest:.2f} s"
        return Measured(
            requests=len(load.sent),
            accepted=sum(sent.status == 200 for sent in load.sent),
            unavailable=sum(sent.status == 503 for sent in load.sent),
            lost=sum(sent.reply is None for sent in load.sent),
            slowest=slowest,
            taken_again=again,
        )


def of_now() -> tuple[str, bytes]:
    """A message by the real clock."""
    with sent_at(datetime.now(UTC)):
        return fresh()


def _wait_until_loaded(file: Path) -> None:
    """Until both workers have their guard: gunicorn ends altogether where one cannot be made while a store is away."""
    until = time.monotonic() + PATIENCE
    while not file.exists() or file.stat().st_size < WORKERS:
        assert time.monotonic() < until, "gunicorn's workers did not load in time"
        time.sleep(0.02)


@contextmanager
def served(directory: Path, replay: str, port: int | None = None) -> Iterator[Served]:
    """Two workers of gunicorn, with ``replay`` for their store; they are ended at the end."""
    chosen = port or free_port()
    (directory / "served.py").write_text(APPLICATION)
    (directory / "loaded").unlink(missing_ok=True)
    (directory / "wsguard.toml").write_text(CONFIG.replace("REPLAY", replay))
    (directory / "users.toml").write_text('alice = "secret"\n')
    (directory / "users.toml").chmod(0o600)
    command = [
        *(sys.executable, "-m", "gunicorn", "served:application", "--workers", str(WORKERS), "--threads", "4"),
        *("--bind", f"127.0.0.1:{chosen}", "--chdir", str(directory), "--graceful-timeout", "5", "--timeout", "30"),
        *("--worker-tmp-dir", str(directory), "--no-control-socket"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(wsguard.__file__).parents[1])}
    with (directory / "gunicorn.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=directory, env=environment, start_new_session=True
        )
        try:
            wait_for(process, chosen, directory / "gunicorn.log")
            _wait_until_loaded(directory / "loaded")
            yield Served(directory, chosen, process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)
