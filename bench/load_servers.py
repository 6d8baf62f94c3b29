"""Servers with worker processes, started on loopback, and the memory of their workers."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.load_app import CONFIG

ROOT: Final = Path(__file__).parents[1]
WORKERS: Final = 2
THREADS: Final = 8
PATIENCE: Final = 60.0
"""Seconds for a start or an end."""
_APPLICATION: Final = "bench.load_app:application"
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def _gunicorn(port: int, *options: str) -> list[str]:
    common = ("--workers", str(WORKERS), "--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--no-control-socket")
    return [sys.executable, "-m", "gunicorn", _APPLICATION, *common, *options]


def _granian(port: int) -> list[str]:
    common = ("--interface", "wsgi", "--workers", str(WORKERS), "--blocking-threads", str(THREADS))
    where = ("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning")
    return [sys.executable, "-m", "granian", *common, *where, _APPLICATION]


COMMANDS: Final[Mapping[str, Callable[[int], list[str]]]] = {
    "gunicorn sync": lambda port: _gunicorn(port, "--worker-class", "sync"),
    "gunicorn gthread": lambda port: _gunicorn(port, "--worker-class", "gthread", "--threads", str(THREADS)),
    "granian": _granian,
}


def installed() -> list[str]:
    """The names of those that are here."""
    return [name for name in COMMANDS if importlib.util.find_spec(name.partition(" ")[0]) is not None]


@dataclass(frozen=True)
class Server:
    """One that runs."""

    port: int
    pid: int

    def memory(self) -> int:
        """Octets that its workers have in memory, together."""
        return sum(_resident(pid) for pid in _children(self.pid))


@contextmanager
def running(name: str, config: Path | None, log: Path) -> Iterator[Server]:
    """A server that answers, and that is gone at the end.

    Args:
        name: of ``COMMANDS``.
        config: of the guard; None: without.
        log: the file that gets what it says.

    Raises:
        RuntimeError: it does not answer.
    """
    port = _free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), CONFIG: str(config or "")}
    with log.open("wb") as said:
        command = COMMANDS[name](port)
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)  # noqa: S603 - ours
        try:
            _wait(process, port, log)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    for pid in (*_children(process.pid), process.pid):
        os.kill(pid, 9)
    process.wait(PATIENCE)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with closing(socket.create_connection(("127.0.0.1", port), 1)):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"it does not answer: {log.read_text(errors='replace')}")


def _children(pid: int) -> Sequence[int]:
    """Processes that ``pid`` started, and that they did (proc(5): task/TID/children)."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [one for child in map(int, found) for one in (child, *_children(child))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
