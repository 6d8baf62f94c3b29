"""The program whose instructions are counted: ``python -m bench.counted HOME/NAME.messages …``.

Each file has messages, with a NUL between two of them. They go through the application of their directory: spyne behind
the guard of its wsguard.toml, or bare where it has none. Every file has a process of its own, forked when all is
imported and made.
"""

import gc
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

BETWEEN: Final = b"\0"
"""No XML has it (XML 1.0, §2.2)."""
CONFIG: Final = "wsguard.toml"


def main(arguments: Sequence[str]) -> None:
    """Run each file, and print what process did."""
    # Here and not above: what forked() alone needs starts fast, which tests make use of.
    from bench.calling import quiet

    files = [Path(argument) for argument in arguments]
    with quiet():
        applications = {home: _application(home) for home in {file.parent for file in files}}
    forked({str(file): partial(_send, applications[file.parent], file) for file in files})


def forked(runs: Mapping[str, Callable[[], object]]) -> None:
    """Do each run in a process of its own, one after the other, and print a line for each: process id and name.

    Raises:
        SystemExit: one failed; why has been written to stderr.
    """
    # A full collection among some messages is much, and none among others; what was made so far is in none then.
    gc.collect()
    gc.freeze()
    for name, run in runs.items():
        sys.stdout.flush()
        process = os.fork()
        if not process:
            os._exit(_status(run))
        if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]):
            raise SystemExit(f"{name} failed")
        sys.stdout.write(f"{process} {name}\n")


def _status(run: Callable[[], object]) -> int:
    try:
        run()
    except BaseException:  # noqa: BLE001 - the child of a fork must not unwind into what its parent was doing
        traceback.print_exc()
        return 1
    return 0


def _application(home: Path) -> WSGIApplication:
    import wsguard
    from bench.orders import application

    bare: WSGIApplication = application()
    config = home / CONFIG
    return wsguard.guard(bare, config) if config.exists() else bare


def _send(application: WSGIApplication, file: Path) -> None:
    from bench.calling import prepared

    for octets in file.read_bytes().split(BETWEEN):
        prepared(application, octets)()


if __name__ == "__main__":
    main(sys.argv[1:])
