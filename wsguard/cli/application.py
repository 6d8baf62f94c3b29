"""The commands, put together."""

from typing import Annotated

import typer

from wsguard.cli.audit import application as audit
from wsguard.cli.check import check
from wsguard.cli.database import application as database
from wsguard.cli.doctor import doctor
from wsguard.cli.explain import explain
from wsguard.cli.init import init
from wsguard.cli.send import send
from wsguard.cli.users import application as users
from wsguard.version import __version__

# Typer's own tracebacks show local variables, and those of this program may be passwords.
application = typer.Typer(
    name="wsguard",
    help="WS-Security for Python SOAP services.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
application.command("init")(init)
application.command("check")(check)
application.command("explain")(explain)
application.command("doctor")(doctor)
application.command("send")(send)
application.add_typer(audit, name="audit")
application.add_typer(database, name="db")
application.add_typer(users, name="users")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"wsguard {__version__}")
        raise typer.Exit


@application.callback()
def _wsguard(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """WS-Security for Python SOAP services."""
