"""Where the guard goes: around the WSGI application that spyne makes."""

import tempfile
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

from spyne import Application
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

import wsguard
from sample_service.certificates import make_certificates
from sample_service.data import Club
from sample_service.services import NAMESPACE, BillingService, ClaimsService, MemberService, ProspectManagerService
from wsguard.middleware import Guard

SOURCES: Final = Path(__file__).parent
CONFIG: Final = "wsguard.toml"
USERS: Final = "users.toml"
CERTIFICATES: Final = "certificates"
BOOKS: Final = "club.db"


def guarded_application(directory: Path) -> Guard:
    """The club behind its guard.

    Args:
        directory: with the configuration, the users, the certificates and the databases; what is not there yet is
            made.

    Raises:
        wsguard.ConfigError: the configuration there is wrong, or does not fit.
    """
    lay_out(directory)
    return wsguard.guard(soap_application(Club(directory / BOOKS)), directory / CONFIG)


def soap_application(club: Club) -> WSGIApplication:
    """The club without a guard: what you had before."""
    services = Application(
        [MemberService, BillingService, ClaimsService, ProspectManagerService],
        NAMESPACE,
        name="Club",
        in_protocol=Soap11(validator="lxml"),
        out_protocol=Soap11(),
        config=club,
    )
    application: WSGIApplication = WsgiApplication(services)
    return application


def lay_out(directory: Path) -> None:
    """Give ``directory`` the sample's configuration and users, and an authority of its own, unless it has them.

    The files are copied so that the databases, whose places are relative to the configuration, lie beside it and not
    among the sources.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, USERS):
        if not (directory / name).exists():
            _copy(SOURCES / name, directory / name)
    make_certificates(directory / CERTIFICATES)


def _copy(source: Path, target: Path) -> None:
    # In one step, for another worker of the same server may be starting; and readable by its owner only, which is how
    # a temporary file is made and what a file of passwords needs.
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as partial:
        partial.write(source.read_bytes())
    Path(partial.name).replace(target)
