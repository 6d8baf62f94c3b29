"""``[[client]]``: which of the peers we know sent a message, and whether it may call this service."""

from typing import Final

from wsguard.faults import FailedAuthentication
from wsguard.policy import Client
from wsguard.verified import Principal


class ClientTable:
    """The peers of one configuration."""

    def __init__(self, clients: tuple[Client, ...]) -> None:
        self._clients: Final = clients

    def authorize(self, principal: Principal | None, service: str) -> str:
        """The name of the entry that fits ``principal``; empty where there are none or nobody was authenticated.

        Raises:
            FailedAuthentication: ``client.mismatch``, no entry fits; ``client.operation``, the service is not for it.
        """
        if principal is None:
            return ""
        if principal.services and service not in principal.services:
            raise _not_for(principal.name, service, "users")
        if not self._clients:
            return ""
        for index, client in enumerate(self._clients):
            if client.username and client.username == principal.name and principal.kind == "username":
                if client.services and service not in client.services:
                    raise _not_for(client.name, service, f"client[{index}].services")
                return client.name
        raise FailedAuthentication(
            "client.mismatch", expected="a peer that a [[client]] entry names", seen=principal.name, setting="client"
        )


def _not_for(whom: str, service: str, setting: str) -> FailedAuthentication:
    return FailedAuthentication(
        "client.operation", expected=f"a service that {whom} may call", seen=service or "no service", setting=setting
    )
