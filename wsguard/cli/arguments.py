"""What several commands take, and how a configuration that is refused is said."""

from pathlib import Path
from typing import Annotated

import typer

from wsguard.cli.screen import complain, print_json
from wsguard.config import load_policy
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError

CONFIG_VARIABLE = "WSGUARD_CONFIG"

Config = Annotated[
    Path, typer.Argument(metavar="CONFIG", envvar=CONFIG_VARIABLE, help="The configuration, a wsguard.toml.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def read_policy(config: Path, *, as_json: bool = False) -> Policy:
    """The policy in ``config``.

    Raises:
        typer.Exit: (status 2) it is refused; every mistake was printed.
    """
    try:
        return load_policy(config)
    except ConfigError as error:
        say_problems(config, error, as_json=as_json)
        raise typer.Exit(2) from error


def say_problems(config: Path, error: ConfigError, *, as_json: bool) -> None:
    """Print every mistake with its file and key path."""
    if as_json:
        problems = [{"file": str(p.file), "key": p.key, "reason": p.reason} for p in error.problems]
        print_json({"config": str(config), "ok": False, "problems": problems})
        return
    count = len(error.problems)
    complain(f"{config} is refused, {count} mistake{'s' if count != 1 else ''}:\n{error}")
