"""``wsguard db``: the tables that a configuration names."""

import typer

from wsguard.audit import upgrade_audit
from wsguard.cli.arguments import Config
from wsguard.cli.audit_reading import audit_section, said_in_words
from wsguard.cli.screen import say
from wsguard.opening import audit_urls

application = typer.Typer(
    name="db", help="Keep the tables of databases.", no_args_is_help=True, pretty_exceptions_enable=False
)


@application.callback()
def _database() -> None:
    """Keep the tables of databases."""


@application.command("upgrade")
def upgrade(config: Config) -> None:
    """Bring the tables of the audit up to this version, or make them. Stop the services of earlier versions first."""
    section = audit_section(config)
    with said_in_words("upgraded"):
        done = upgrade_audit(audit_urls(section))
    for name, upgraded in done.items():
        say(f"{name}: {'upgraded' if upgraded else 'up to date'}")
    if not done:
        say("There is no database among audit.url: nothing to do.")
