"""``wsguard users``: the table of users that a configuration names."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from wsguard.cli.arguments import CONFIG_VARIABLE, Config, Json, read_policy, say_problems
from wsguard.cli.screen import complain, print_json, print_table, say
from wsguard.faults import StoreUnavailable
from wsguard.opening import location, open_user_table
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError, Problem
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_toml import read_users

if TYPE_CHECKING:
    from wsguard.stores.users_sql import SqlUserStore
    from wsguard.stores.users_sql_rows import UserEntry

application = typer.Typer(
    name="users", help="Keep the table of users.", no_args_is_help=True, pretty_exceptions_enable=False
)

COLUMNS: Final = ("Name", "Kind", "State", "Services", "Created (UTC)", "Last seen (UTC)")

_MAY_STAND: Final = f"CONFIG may stand in {CONFIG_VARIABLE}."
Named = Annotated[list[str], typer.Argument(metavar="[CONFIG] NAME", help=_MAY_STAND)]
TextOnly = Annotated[
    bool, typer.Option("--text-only", help="Keep a hash and not the password: good for PasswordText alone.")
]


@application.command("add")
def add(
    arguments: Named,
    text_only: TextOnly = False,
    service: Annotated[list[str] | None, typer.Option(help="A service the user may call; without any: all.")] = None,
) -> None:
    """Add a user. The password comes from a prompt, or is the one line of standard input."""
    config, name = _config_and(arguments, "NAME")
    with _table(config) as users:
        users.add(name, _new_password(name), text_only=text_only, services=service or ())
    say(f"Added {name}.")


@application.command("list")
def list_users(config: Config, as_json: Json = False) -> None:
    """List the users; never their passwords."""
    with _table(config) as users:
        entries = users.entries()
    if as_json:
        print_json([asdict(entry) for entry in entries])
    elif entries:
        print_table(f"{len(entries)} users", COLUMNS, map(_row, entries), lines=False)
    else:
        say("There is no user yet: wsguard users add")


@application.command("disable")
def disable(arguments: Named) -> None:
    """Let a user in no longer, and keep everything else."""
    config, name = _config_and(arguments, "NAME")
    with _table(config) as users:
        users.set_enabled(name, False)
        say(f"Disabled {name}: out within {users.cache_seconds:g} seconds.")


@application.command("enable")
def enable(arguments: Named) -> None:
    """Let a user in again."""
    config, name = _config_and(arguments, "NAME")
    with _table(config) as users:
        users.set_enabled(name, True)
    say(f"Enabled {name}.")


@application.command("remove")
def remove(arguments: Named) -> None:
    """Take a user out of the table."""
    config, name = _config_and(arguments, "NAME")
    with _table(config) as users:
        users.remove(name)
        say(f"Removed {name}: out within {users.cache_seconds:g} seconds.")


@application.command("password")
def password(arguments: Named) -> None:
    """Give a user another password, from a prompt or the one line of standard input."""
    config, name = _config_and(arguments, "NAME")
    with _table(config) as users:
        users.set_password(name, _new_password(name))
        say(f"{name} has another password: the old one is refused within {users.cache_seconds:g} seconds.")


@application.command("import")
def import_file(
    arguments: Annotated[list[str], typer.Argument(metavar="[CONFIG] FILE", help=_MAY_STAND)],
    text_only: TextOnly = False,
) -> None:
    """Add the users of a TOML file, as users.url = "toml:FILE" has them: all or none."""
    config, file = _config_and(arguments, "FILE")
    with _table(config) as users:
        count = users.import_users(read_users(file).values(), text_only=text_only)
    say(f"Added {count} users. Their passwords still lie readable in {file}: delete it.")


@application.command("rekey")
def rekey(config: Config) -> None:
    """Encrypt every password anew under the first master key: all or none."""
    with _table(config) as users:
        count = users.rekey()
    say(f"{count} passwords are under the first master key now; the others can be taken away.")


@application.command("new-key")
def new_key() -> None:
    """Print a new master key. It is kept nowhere."""
    say(new_master_key())


# --- What they all need -----------------------------------------------------------------------------------------------


def _config_and(arguments: list[str], other: str) -> tuple[Path, str]:
    if len(arguments) == 2:
        return Path(arguments[0]), arguments[1]
    config = os.environ.get(CONFIG_VARIABLE)
    if len(arguments) != 1 or not config:
        raise typer.BadParameter(f"CONFIG (or {CONFIG_VARIABLE}) and one {other} are expected")
    return Path(config), arguments[0]


@contextmanager
def _table(config: Path) -> Iterator["SqlUserStore"]:
    """The table, open. What fails is printed: exit status 2 where it cannot be used, 1 where it was not done."""
    users = _open(config, read_policy(config))
    try:
        yield users
    except StoreUnavailable as fault:
        complain(f"Nothing was done: {fault.seen}")
        raise typer.Exit(1) from fault
    except (ValueError, LookupError) as error:
        complain(f"Nothing was done: {error}")
        raise typer.Exit(1) from error
    finally:
        users.close()


def _open(config: Path, policy: Policy) -> "SqlUserStore":
    try:
        url = location(policy.users, "users")
        # Only these two are named: what else stands there may be a secret in the wrong place.
        kind = next((kind for kind in ("toml", "memory") if url.startswith(f"{kind}:")), "")
        if kind:
            reason = f"a {kind}: table is edited by hand; these commands are for a database such as sqlite:///FILE"
            raise ConfigError([Problem("users.url", reason)])
        return _database(open_user_table(url, policy.users))
    except ConfigError as error:
        failure = error
    except StoreUnavailable as fault:
        failure = ConfigError([Problem("users.url", fault.seen)])
    except ValueError as error:
        failure = ConfigError([Problem("users.url", str(error))])
    say_problems(config, failure.in_file(str(config)), as_json=False)
    raise typer.Exit(2) from failure


def _database(users: object) -> "SqlUserStore":
    from wsguard.stores.users_sql import SqlUserStore

    if not isinstance(users, SqlUserStore):
        raise TypeError("a database is opened as a SqlUserStore")
    return users


def _new_password(name: str) -> str:
    """The password that somebody types twice, or the one line of standard input without its end.

    Raises:
        ValueError: there are several lines.
    """
    if sys.stdin.isatty():
        typed: str = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    text = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if "\n" in text:
        raise ValueError("standard input has more than one line; a password is one")
    return text


def _row(entry: "UserEntry") -> tuple[str, ...]:
    state = "enabled" if entry.enabled else "disabled"
    services = ", ".join(entry.services) or "all"
    return (entry.name, entry.kind, state, services, _shown(entry.created), _shown(entry.last_seen))


def _shown(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
