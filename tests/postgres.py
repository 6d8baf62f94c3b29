"""A real PostgreSQL server for tests, from the binaries in the wheel of pgserver."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def running_server(bin_directory: Path) -> Iterator[str]:
    """A server that listens on a socket file alone; its SQLAlchemy URL. It is stopped and deleted at the end."""
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
        # Nothing needs to outlive the tests, so nothing is flushed; no TCP.
        options = f"-F -k {home} -c listen_addresses=''"
        run([programs / "pg_ctl", "-D", data, "-l", home / "log", "-o", options, "-w", "start"])
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={home}"
        finally:
            run([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])


Run = Callable[[list[str | Path]], None]


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
