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


def complain(text: str) -> None:
    """Print ``text`` to standard error."""
    typer.echo(text, err=True)


def say(text: str = "") -> None:
    """Print ``text`` as it is: no markup in it is obeyed."""
    typer.echo(text)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, lines: bool = True) -> None:
    """Print a table. Cells are text and never markup, so that no record can colour or hide another."""
    table = Table(title=title, title_justify="left", title_style="bold", show_lines=lines)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    Console().print(table)
