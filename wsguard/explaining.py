"""What the guard would say of a message, without serving or remembering it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from wsguard.case import Request
from wsguard.engine import SecurityEngine
from wsguard.explanation import Digested, Explanation
from wsguard.faults import Fault
from wsguard.interfaces import Application, UserStore
from wsguard.opening import Attempt, open_keyring, verifier_for
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError
from wsguard.routing import ServiceTable
from wsguard.tokens.username import UsernameTokenProcessor
from wsguard.verified import VerifiedMessage


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict on one message."""

    explanation: Explanation
    """Every check in order; the last one refused, where one did."""
    message: VerifiedMessage | None
    """What the application would get; None where the message is refused."""
    fault: Fault | None
    """Why it is refused."""

    @property
    def digested(self) -> list[Digested]:
        """Every signed part as it was digested, up to the first that does not fit."""
        return self.explanation.digested or []


class Explainer:
    """Holds captured messages against a policy; nothing is remembered, recorded or counted."""

    def __init__(self, policy: Policy, application: Application | None, users: UserStore) -> None:
        """
        Args:
            policy: the configuration.
            application: what introspection found; None: services that only it could name are taken as unclaimed.
            users: the user table.

        Raises:
            ConfigError: the configuration does not fit the application, or names a key that cannot be used.
            ValueError: the table has hashed passwords, and argon2-cffi is missing.
        """
        attempt = Attempt()
        services = attempt("", partial(ServiceTable, offline=application is None), policy, application)
        keys = open_keyring(policy, attempt)
        if services is None or keys is None:
            raise ConfigError(attempt.problems)
        self._engine: Final = SecurityEngine(
            policy,
            services,
            keys=keys.material,
            tokens=(UsernameTokenProcessor(users, verifier=verifier_for(policy, users)),),
            replay=_NeverSeen(),
            every_href=application is not None,
            namespaces=application.namespaces if application is not None else frozenset(),
            types=application.types if application is not None else frozenset(),
        )

    def explain(self, request: Request, now: datetime) -> Verdict:
        """The verdict that ``request`` would get at ``now``, were it never seen before."""
        explanation = Explanation(digested=[])
        try:
            message = self._engine.process(request, now, explanation)
        except Fault as fault:
            explanation.refused(fault.check, expected=fault.expected, seen=fault.seen, setting=fault.setting)
            return Verdict(explanation, None, fault)
        return Verdict(explanation, message, None)


class _NeverSeen:
    """A replay store that has seen nothing and remembers nothing."""

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        return True

    def close(self) -> None:
        return
