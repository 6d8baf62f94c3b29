"""The ``wsguard`` command. It needs the extra ``wsguard[cli]`` (typer and rich)."""

import sys


def main() -> None:
    """Run the command line; the exit status is 0 fine, 1 bad news, 2 misuse."""
    try:
        from wsguard.cli.application import application
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("typer", "rich"):
            raise
        sys.stderr.write(f"wsguard: the command line needs {missing}: pip install wsguard[cli]\n")
        sys.exit(2)
    application(prog_name="wsguard")


__all__ = ["main"]
