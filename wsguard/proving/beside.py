"""Everybody and everything that was made up, beside what a configuration named."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from wsguard.composition import Opened
from wsguard.interfaces import ReplayStore
from wsguard.policy import Policy
from wsguard.proving.cast import Cast, certificate_names
from wsguard.proving.stores import Stores
from wsguard.proving.timing import ProofClock, replay_beside
from wsguard.proving.trusting import TrustBeside, own_trust
from wsguard.proving.users import UsersBeside, UsersOfTheProof


class Beside:
    """Puts everybody who was made up beside what the configuration named."""

    def __init__(
        self, policy: Policy, casts: tuple[Cast, ...], users: UsersOfTheProof, twin: ReplayStore, clock: ProofClock
    ) -> None:
        """
        Args:
            policy: with the entries of everybody.
            casts: everybody.
            users: their users.
            twin: remembers in the place of the real store while ``clock`` stands apart.
            clock: of the proof.
        """
        self._policy: Final = policy
        self._casts: Final = casts
        self._users: Final = users
        self._twin: Final = twin
        self._clock: Final = clock
        self._opened: Opened | None = None

    def __call__(self, opened: Opened) -> Opened:
        """What was opened, with everybody in it."""
        self._opened = opened
        issued = [cast.issued for cast in self._casts if cast.issued is not None]
        certificates = [certificate for one in issued for certificate in (*one.good, *one.bent.certificates)]
        material = opened.keyring.material
        own = own_trust(issued, {demands.trust for demands in self._policy.every_demand})
        material = replace(
            material,
            trust=TrustBeside(material.trust, own, certificates),
            client_certificates={**material.client_certificates, **certificate_names(self._casts)},
        )
        return Opened(
            self._policy,
            replace(opened.keyring, material=material),
            UsersBeside(opened.users, self._users),
            replay_beside(opened.replay, self._twin, self._clock),
        )

    def stores(self, policy: Policy, now: datetime) -> Stores:
        """What was opened for the guard."""
        if self._opened is None:
            raise RuntimeError("nothing was opened yet")
        return Stores(policy, self._opened.replay, self._opened.users, now)
