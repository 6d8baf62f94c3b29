"""``[[client]]``: which of the peers we know sent a message, and whether it may call this service."""

from datetime import UTC, datetime
from typing import Final

from wsguard.faults import FailedAuthentication
from wsguard.policy import Client
from wsguard.verified import Principal


class ClientTable:
    """The peers of one configuration."""

    def __init__(self, clients: tuple[Client, ...]) -> None:
        self._clients: Final = clients

    def authorize(self, principal: Principal | None, service: str) -> Client | None:
        """The entry that fits ``principal``; None where there are no entries or nobody was authenticated.

        Raises:
            FailedAuthentication: ``client.mismatch``, no entry fits; ``client.operation``, the service is not for it.
        """
        if principal is None:
            return None
        if principal.services and service not in principal.services:
            raise _not_for(principal.name, service, "users")
        if not self._clients:
            return None
        for index, client in enumerate(self._clients):
            if principal.kind == "username" and client.username == principal.name:
                if client.services and service not in client.services:
                    raise _not_for(client.name, service, f"client[{index}].services")
                return client
        raise FailedAuthentication(
            "client.mismatch", expected="a peer that a [[client]] entry names", seen=principal.name, setting="client"
        )

    def anybody_reports(self, now: datetime) -> bool:
        """Whether any peer is spared refusals at ``now``."""
        return any(reports(client, now) for client in self._clients)


def reports(client: Client | None, now: datetime) -> bool:
    """Whether what is missing in this client's messages is only recorded: until the end of ``report_until``, UTC."""
    return (
        client is not None
        and client.mode == "report"
        and client.report_until is not None
        and now.astimezone(UTC).date() <= client.report_until
    )


def _not_for(whom: str, service: str, setting: str) -> FailedAuthentication:
    return FailedAuthentication(
        "client.operation", expected=f"a service that {whom} may call", seen=service or "no service", setting=setting
    )
