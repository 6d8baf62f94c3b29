"""A real PostgreSQL server for tests, from the binaries in the wheel of pgserver."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 15.0
"""Seconds."""

SERVER_ROOM = 0o711
"""The directory of the socket: anybody may pass, its owner may look."""


def binaries() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` are; None without the wheel.

    The wheel's own Python is not used: as root it adds a user to the machine and opens directories to everybody.
    """
    spec = importlib.util.find_spec("pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


Run = Callable[[list[str | Path]], None]


@dataclass(frozen=True)
class RunningPostgres:
    """A server that listens on a socket file alone."""

    home: Path
    programs: Path
    run: Run

    @property
    def url(self) -> str:
        """As SQLAlchemy takes it."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.home}"

    @property
    def socket(self) -> Path:
        return self.home / ".s.PGSQL.5432"

    def start(self, *settings: str) -> None:
        """Start it, or start it again, with ``settings``."""
        # Nothing needs to outlive the tests, so nothing is flushed; no TCP.
        options = " ".join([f"-F -k {self.home} -c listen_addresses=''", *(f"-c {setting}" for setting in settings)])
        data = self.home / "data"
        self.run([self.programs / "pg_ctl", "-D", data, "-l", self.home / "log", "-o", options, "-w", "start"])

    def stop(self, mode: str = "immediate") -> None:
        self.run([self.programs / "pg_ctl", "-D", self.home / "data", "-m", mode, "-w", "stop"])

    def end(self) -> None:
        """Stop it, whatever state it is in."""
        if Path("/proc").is_dir():
            self.kill()
        else:
            self.stop()

    def processes(self) -> list[int]:
        """The server's own process and those that it made; none where it does not run. Linux."""
        try:
            first = int((self.home / "data" / "postmaster.pid").read_text().partition("\n")[0])
        except FileNotFoundError:
            return []
        return [first, *(pid for pid, parent in parents() if parent == first)]

    def signal(self, number: int) -> None:
        """Send a signal to all of them, to the one that would start others first."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """No goodbye to anybody, and all memory is lost; until none of them is left."""
        doomed = self.processes()
        self.signal(signal.SIGKILL)
        until = time.monotonic() + PATIENCE
        while any(pid in doomed for pid, _ in parents()):
            assert time.monotonic() < until
            time.sleep(0.01)
        # Where nobody reaps orphans, as in many a container, the number of the dead would keep the next one away.
        for file in (self.home / "data" / "postmaster.pid", self.socket.with_suffix(f"{self.socket.suffix}.lock")):
            file.unlink(missing_ok=True)


def parents() -> Iterator[tuple[int, int]]:
    """Each process that is no zombie, with its parent."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(stat.parent.name), int(parent)


@contextmanager
def running_server(bin_directory: Path) -> Iterator[str]:
    """The SQLAlchemy URL of a server. It is stopped and deleted at the end."""
    with running_postgres(bin_directory) as server:
        yield server.url


@contextmanager
def running_postgres(bin_directory: Path, *settings: str) -> Iterator[RunningPostgres]:
    """A server with ``settings``, each NAME=VALUE. It is stopped and deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="wsguard-postgres-") as name:
        home, run = Path(name), _unprivileged()
        home.chmod(SERVER_ROOM)
        programs = _within_reach(bin_directory, home)
        data = home / "data"
        data.mkdir(0o700)
        if os.geteuid() == 0:
            for path in (home, data):
                shutil.chown(path, "nobody")
        run([programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"])
        server = RunningPostgres(home, programs, run)
        server.start(*settings)
        try:
            yield server
        finally:
            server.end()


def _unprivileged() -> Run:
    """Runs a program, as nobody where we are root: PostgreSQL refuses to run as root."""
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    def run(command: list[str | Path]) -> None:
        subprocess.run(
            command,
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    return run


def _within_reach(bin_directory: Path, home: Path) -> Path:
    """The programs where nobody can run them: a wheel in somebody's home directory is copied."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o005 == 0o005 for parent in bin_directory.parents):
        return bin_directory
    copy = home / "pginstall"
    shutil.copytree(bin_directory.parent, copy, symlinks=True)
    return copy / "bin"
