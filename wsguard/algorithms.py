"""Which algorithms one message may use: those that are listed, and those with a dated permission.

They are admitted before anything is computed with them, when nobody knows yet whose message it is, and judged again
once its sender is authenticated: a permission is for some clients and until some day.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

from wsguard.explanation import Explanation
from wsguard.faults import SecurityFault, UnsupportedAlgorithm
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)
from wsguard.policy.demands import AlgorithmDemands, LegacyPermission

Kind = Literal["signature", "digest", "canonicalization", "encryption", "key_transport"]
"""What an algorithm is for: the key of ``[algorithms]`` that lists it."""

LEGACY_SETTING: Final = "algorithms.legacy"
"""Start of the setting that decided, where a dated permission did."""

_FAMILIES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "signature": "signature",
        "digest": "signature",
        "canonicalization": "signature",
        "encryption": "encryption",
        "key_transport": "encryption",
    }
)


def _by_identifier(algorithms: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({identifier: name for name, identifier in algorithms.items()})


_NAMES: Final[Mapping[Kind, Mapping[str, str]]] = MappingProxyType(
    {
        "signature": _by_identifier(SIGNATURE_ALGORITHMS),
        "digest": _by_identifier(DIGEST_ALGORITHMS),
        "canonicalization": _by_identifier(CANONICALIZATION_ALGORITHMS),
        "encryption": _by_identifier(ENCRYPTION_ALGORITHMS),
        "key_transport": _by_identifier(KEY_TRANSPORT_ALGORITHMS),
    }
)


class Algorithms:
    """The algorithms of one message."""

    def __init__(self, demands: AlgorithmDemands, now: datetime, *, spared: bool) -> None:
        """
        Args:
            demands: what is listed and permitted.
            now: aware; the time of the request.
            spared: some client is in report mode, so a permission that ended may turn out to be reported only.
        """
        self._demands = demands
        self._today = now.astimezone(UTC).date()
        self._spared = spared
        self._used: dict[tuple[Kind, str], None] = {}

    def admit(self, kind: Kind, identifier: str) -> str:
        """The short name of the algorithm with this identifier, which somebody at least may use.

        Raises:
            UnsupportedAlgorithm: ``signature.algorithm`` or ``encryption.algorithm``.
        """
        name = _NAMES[kind].get(identifier, "")
        if name not in getattr(self._demands, kind) and not any(
            permission.algorithm == name and (self._spared or self._today <= permission.until)
            for permission in self._demands.legacy
        ):
            raise _refusal(kind, name or identifier, self._demands)
        self._used[kind, name] = None
        return name

    def judge(
        self,
        demands: AlgorithmDemands,
        client: str,
        explanation: Explanation,
        put_off: Callable[[SecurityFault], None],
    ) -> tuple[str, ...]:
        """Hold everything that was admitted against ``demands``, now that the sender is known.

        Args:
            demands: those of the service.
            client: name of the ``[[client]]`` entry; empty where there is none.
            explanation: is told of every permission that was made use of.
            put_off: takes the refusal of an algorithm whose permission for this client has ended.

        Returns:
            the short names of the algorithms that a permission was needed for.

        Raises:
            UnsupportedAlgorithm: ``signature.algorithm`` or ``encryption.algorithm``, no permission is for this client.
        """
        permitted = []
        for kind, name in self._used:
            if name in getattr(demands, kind):
                continue
            index, permission = _permission(demands, name, client)
            if permission is None:
                raise _refusal(kind, name, demands)
            setting = f"{LEGACY_SETTING}[{index}]"
            if permission.until < self._today:
                put_off(_refusal(kind, f"{name}, permitted until {permission.until}", demands, setting))
                continue
            explanation.noted(f"{_FAMILIES[kind]}.algorithm", seen=f"{name}, by a dated permission", setting=setting)
            permitted.append(name)
        return tuple(permitted)


def _permission(demands: AlgorithmDemands, name: str, client: str) -> tuple[int, LegacyPermission | None]:
    """The permission for ``client`` that lasts longest, and its place in the list."""
    found = [
        (permission.until, -index, permission)
        for index, permission in enumerate(demands.legacy)
        if permission.algorithm == name and (not permission.clients or client in permission.clients)
    ]
    if not found:
        return -1, None
    _, index, permission = max(found, key=lambda entry: entry[:2])
    return -index, permission


def _refusal(kind: Kind, seen: str, demands: AlgorithmDemands, setting: str = "") -> UnsupportedAlgorithm:
    return UnsupportedAlgorithm(
        f"{_FAMILIES[kind]}.algorithm",
        expected=", ".join(getattr(demands, kind)),
        seen=seen,
        setting=setting or f"algorithms.{kind}",
    )
