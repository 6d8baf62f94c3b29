"""What the commands print: tables for people, JSON for programs, complaints to standard error."""

import json
from collections.abc import Iterable, Sequence

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "high": "bold red", "medium": "yellow", "low": "dim",
    "rejected": "red", "refused": "bold red", "error": "bold red", "failed": "bold red", "missing": "yellow",
    "reported": "yellow", "exempt": "yellow", "noted": "yellow", "warning": "yellow",
    "accepted": "green", "passed": "green", "fine": "green",
    "holds": "green", "DOES NOT HOLD": "bold red", "not proven": "yellow",
}  # fmt: skip


def print_json(content: object) -> None:
    """Print ``content`` as JSON that any terminal encoding can hold."""
    typer.echo(json.dumps(content, indent=2, default=str))


def printable(text: str, kept: str = "\n\t") -> str:
    """``text`` with whatever a terminal might obey escaped.

    Args:
        text: it may be a stranger's.
        kept: characters that are left as they are although they are not printable.
    """
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode("ascii") for c in text)


def complain(text: str) -> None:
    """Print ``text`` to standard error; neither markup nor a terminal's control sequences in it are obeyed."""
    typer.echo(printable(text), err=True)


def say(text: str = "") -> None:
    """Print ``text``; neither markup nor a terminal's control sequences in it are obeyed."""
    typer.echo(printable(text))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, lines: bool = True) -> None:
    """Print a table. Title and cells are text, never markup nor control sequences (of which rich takes out the fewest),
    so that no record can colour or hide another."""
    table = Table(title=Text(printable(title), style="bold"), title_justify="left", show_lines=lines)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell), style=STYLES.get(cell, "")) for cell in row))
    Console().print(table)
