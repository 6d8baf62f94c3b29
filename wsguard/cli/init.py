"""``wsguard init``: a directory to start from."""

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from wsguard.cli.development_pki import make_development_pki
from wsguard.cli.screen import complain, say
from wsguard.cli.starter import STARTER

_OPEN: Final = 0o644
_SECRET: Final = 0o600


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made where there is none.")],
    user: Annotated[str, typer.Option(help="Name of the first user.")] = "alice",
) -> None:
    """Write a configuration, a development CA, a server key, a client key and one user. Nothing is overwritten."""
    if not user or not user.isprintable():
        raise typer.BadParameter("a name of printable characters is expected", param_hint="--user")
    password = secrets.token_urlsafe(18)
    try:
        _write_all(directory, _files(user, password))
    except FileExistsError as error:
        complain(f"{error.filename} exists already; nothing was written")
        raise typer.Exit(2) from error
    except OSError as error:
        complain(f"{error.filename}: cannot be written: {error.strerror}")
        raise typer.Exit(2) from error
    _say_what_next(directory, user, password)


def _files(user: str, password: str) -> dict[str, tuple[bytes, int]]:
    pki = make_development_pki(datetime.now(UTC))
    # A JSON string of printable characters is a TOML basic string too (TOML 1.0, "String").
    users = f"# name = password\n{json.dumps(user, ensure_ascii=False)} = {json.dumps(password)}\n"
    return {
        "wsguard.toml": (STARTER.encode(), _OPEN),
        "users.toml": (users.encode(), _SECRET),
        "development-ca.pem": (pki.ca_certificate, _OPEN),
        "development-ca-key.pem": (pki.ca_key, _SECRET),
        "server.p12": (pki.server, _SECRET),
        "server-password.txt": (f"{pki.server_password}\n".encode(), _SECRET),
        "client.pem": (pki.client_certificate, _OPEN),
        "client-key.pem": (pki.client_key, _SECRET),
        ".gitignore": (b"users.toml\n*-key.pem\n*.p12\n*-password.txt\n*.db\n*.db-*\n", _OPEN),
    }


def _write_all(directory: Path, files: dict[str, tuple[bytes, int]]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in files:
        if (directory / name).exists() or (directory / name).is_symlink():
            raise FileExistsError(0, "exists", str(directory / name))
    for name, (octets, mode) in files.items():
        descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)


def _say_what_next(directory: Path, user: str, password: str) -> None:
    say(f"Written to {directory}: wsguard.toml, users.toml, a development CA, a server key and a client key.")
    say()
    say(f"  user      {user}")
    say(f"  password  {password}")
    say()
    say("The password is shown this once; it also stands in users.toml, which only you can read.")
    say("For more than a few users there are databases: see [users] in wsguard.toml, and wsguard users --help.")
    say("To try a signed message, sign it with client-key.pem and client.pem: see [signature] in wsguard.toml.")
    say(f"Next: wsguard check {directory / 'wsguard.toml'}")
