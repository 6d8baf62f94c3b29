"""``[[client]]``: which of the peers we know sent a message, and whether it may call this service."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from wsguard.faults import FailedAuthentication
from wsguard.policy import Client
from wsguard.verified import Principal


@dataclass(frozen=True, slots=True)
class Peer:
    """Who was authenticated in one message: each of these counts, and a token that does not is not here."""

    user: Principal | None = None
    """Of a UsernameToken."""
    signer: Principal | None = None
    """Of the signature over everything that must be signed."""
    certificate: str = ""
    """``TrustedCertificate.identity`` of the signer's certificate; empty where it has none."""

    @property
    def principal(self) -> Principal | None:
        """Whose message it is: the signer's, where there is one."""
        return self.signer or self.user


class ClientTable:
    """The peers of one configuration."""

    def __init__(self, clients: tuple[Client, ...], certificates: Mapping[str, str]) -> None:
        """
        Args:
            clients: the entries.
            certificates: name of the entry -> the identity of its certificate, of those that have one.
        """
        self._clients: Final = clients
        self._certificates: Final = certificates

    def binds(self, user: Principal, signer: Principal, certificate: str) -> bool:
        """Whether one entry names both this user and this signer, so that each vouches for the other."""
        both = Peer(user, signer, certificate)
        return any(
            client.username != "" and (client.certificate is not None or client.shared_key != "")
            for client in self._clients
            if self._fits(client, both)
        )

    def authorize(self, peer: Peer, user: Principal | None, service: str) -> Client | None:
        """The entry that fits ``peer``; None where there are no entries or nobody was authenticated.

        An entry fits where everything that it names was authenticated. Of several the one that names most is taken,
        and a signer before a user. Whoever is named by entries is nobody where none of those fits: who has a user's
        password and not the certificate that belongs to it gains nothing by a certificate of his own.

        Raises:
            FailedAuthentication: ``client.mismatch``, no entry fits; ``client.operation``, the service is not for it.
        """
        if user is not None and user.services and service not in user.services:
            raise _not_for(user.name, service, "users")
        if peer.principal is None or not self._clients:
            return None
        fitting = [
            (client.certificate is not None or bool(client.shared_key), bool(client.username), -index)
            for index, client in enumerate(self._clients)
            if self._fits(client, peer)
        ]
        if not fitting or not self._stands_by(peer):
            raise FailedAuthentication(
                "client.mismatch",
                expected="a peer that a [[client]] entry names",
                seen=" and ".join(p.name for p in (peer.user, peer.signer) if p is not None),
                setting="client",
            )
        index = -max(fitting)[2]
        client = self._clients[index]
        if client.services and service not in client.services:
            raise _not_for(client.name, service, f"client[{index}].services")
        return client

    def _stands_by(self, peer: Peer) -> bool:
        """Whether user and signer each either are named by no entry, or by one that fits."""
        by_user = [client for client in self._clients if peer.user is not None and client.username == peer.user.name]
        by_signer = [client for client in self._clients if self._names_signer(client, peer)]
        return all(not naming or any(self._fits(client, peer) for client in naming) for naming in (by_user, by_signer))

    def _fits(self, client: Client, peer: Peer) -> bool:
        user = peer.user.name if peer.user is not None else None
        if client.username and client.username != user:
            return False
        return self._names_signer(client, peer) or (client.certificate is None and not client.shared_key)

    def _names_signer(self, client: Client, peer: Peer) -> bool:
        if client.shared_key:
            return peer.signer is not None and (peer.signer.kind, peer.signer.name) == ("shared_key", client.shared_key)
        return (
            client.certificate is not None
            and bool(peer.certificate)
            and self._certificates.get(client.name) == peer.certificate
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
