"""What a target says of files: ``python -m fuzz.replay TARGET FILE...``. It needs no atheris.

Exit status 1 where one breaks something, with the traceback.
"""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from fuzz.targets import target


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    name, *files = sys.argv[1:] if arguments is None else arguments
    chosen, failed = target(name), False
    for file in map(Path, files):
        try:
            verdict = "taken" if chosen.judge(file.read_bytes()) else "refused"
        except Exception:  # noqa: BLE001 - any exception that leaks is what is looked for
            verdict, failed = f"BROKEN\n{traceback.format_exc()}", True
        sys.stdout.write(f"{file}: {verdict}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
