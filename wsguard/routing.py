"""Which service a message is for, decided by what the application will dispatch on: the Body's child, and the path.

Never by SOAPAction or any other header: those may only contradict. What no service claims gets the demands of the top
of the configuration.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from wsguard.faults import MessageFault
from wsguard.interfaces import Application
from wsguard.message.lexical import local_name
from wsguard.policy import Demands, Exemption, Policy
from wsguard.policy.demands import OVERRIDABLE
from wsguard.policy.problems import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Target:
    """What a message is for, and what that demands."""

    service: str
    """Name of the service; empty where none claims the operation."""
    kind: Literal["guarded", "exempt", "default"]
    demands: Demands
    operations: tuple[str, ...] = ()
    """``{namespace}name`` or ``{namespace}*``; empty: all."""
    paths: tuple[str, ...] = ()
    """Exact paths; empty: all."""
    key: str = ""
    """Key path of the configuration entry."""
    exemption: Exemption | None = None
    """The entry that exempts, where ``kind`` says so."""

    def overlaps(self, other: "Target") -> bool:
        """Whether some operation on some path is claimed by both."""
        shared_path = not self.paths or not other.paths or bool(set(self.paths) & set(other.paths))
        return shared_path and _operations_overlap(self.operations, other.operations)


class ServiceTable:
    """Every service, exemption and operation of one configuration, looked up by operation and path."""

    def __init__(self, policy: Policy, application: Application | None, *, offline: bool = False) -> None:
        """
        Args:
            policy: the configuration.
            application: what introspection found; None where the application cannot be asked.
            offline: there is no application at hand, so a service name that nothing resolves is let be.

        Raises:
            ConfigError: names that nothing resolves, claims that overlap, and claims by path alone on an application
                that dispatches on the Body.
        """
        self._known: Final[frozenset[str] | None] = (
            None if application is None else frozenset().union(*application.operations.values())
        )
        self._default: Final = Target("", "default", policy)
        self.targets: Final[tuple[Target, ...]] = (*_Claims(policy, application, offline).targets(), self._default)
        self._by_operation: Final[Mapping[str, list[Target]]] = _by_operation(self.targets)
        self._by_path: Final[dict[str, Target]] = {
            path: target for target in self.targets if not target.operations for path in target.paths
        }
        self._folded_paths: Final = {
            _folded(path): path for path, target in self._by_path.items() if target.kind != "exempt"
        }
        self._actions: Final = _actions(self.targets, application)
        self._acted_on: Final = frozenset(map(str.casefold, frozenset().union(*self._actions.values())))

    def resolve(self, path: str, operation: str, others: tuple[str, ...] = ()) -> Target:
        """What a message with ``operation`` first in its Body is for.

        Args:
            path: SCRIPT_NAME and PATH_INFO.
            operation: ``{namespace}name`` of the Body's first child.
            others: the same of its further children.

        Raises:
            MessageFault: ``operation.unknown``, the application has no such operation, or not on this path;
                ``envelope.structure``, another child might be dispatched on, and is for somebody else.
        """
        target = self._claimed(path, operation)
        for other in others:
            may_be_dispatched_on = self._known is None or other in self._known
            if may_be_dispatched_on and self._claimed(path, other) is not target:
                raise MessageFault("envelope.structure", expected="one operation in the Body", seen=other)
        return target

    def _claimed(self, path: str, operation: str) -> Target:
        claims: tuple[Target, ...] = (
            *self._by_operation.get(operation, ()),
            *self._by_operation.get(_wildcard(operation), ()),
        )
        for target in claims:
            if not target.paths or path in target.paths:
                return target
        if claims:
            setting = f"{claims[0].key}.paths"
            raise MessageFault("operation.unknown", expected=f"{operation} on its own path", seen=path, setting=setting)
        if self._known is not None and operation not in self._known:
            raise MessageFault("operation.unknown", expected="an operation of the application", seen=operation)
        found = self._by_path.get(path)
        if found is None and (claimed := self._taken_for(path)) is not None:
            # Some router may take it for the path that a service claims, and the demands would be others.
            raise MessageFault("http.path", expected=claimed, seen=path)
        return found or self._default

    def _taken_for(self, path: str) -> str | None:
        """The path of a guarded service that ``path`` looks like, or lies below: what is mounted there would get it."""
        folded = _folded(path)
        while folded:
            if (claimed := self._folded_paths.get(folded)) is not None:
                return claimed
            folded = folded.rpartition("/")[0]
        return self._folded_paths.get("") if not _folded(path) else None

    def check_actions(self, actions: Iterable[str], operation: str, target: Target) -> None:
        """Demand that no SOAPAction contradicts the Body.

        Args:
            actions: of the SOAPAction header, of ``action=`` and of WS-Addressing; empty ones say nothing.
            operation: the Body's.
            target: what that is for; on an exempt message an action must name this very operation.

        Raises:
            MessageFault: ``envelope.soap_action``.
        """
        own = self._actions.get(operation) or _spellings(operation)
        for action in actions:
            if not action or action in own:
                continue
            if target.kind == "exempt" or any(self._contradicts(part, own, target) for part in _read_as(action)):
                raise MessageFault("envelope.soap_action", expected=f"an action of {operation}", seen=action)

    def _contradicts(self, action: str, own: frozenset[str], target: Target) -> bool:
        """Whether an action names another operation than the Body's, for a program that minds no capitals."""
        folded = action.casefold()
        if folded in map(str.casefold, own):
            return False
        return folded in self._acted_on or self._is_of_another(action, target)

    def _is_of_another(self, action: str, target: Target) -> bool:
        """Whether an action names some operation of a whole namespace that another target claims."""
        return any(
            _names_one_of(action, operation[1:-2])
            for other in self.targets
            if other is not target
            for operation in other.operations
            if operation.endswith("}*")
        )


class _Claims:
    """The targets that a configuration makes of an application, and what is wrong with them."""

    def __init__(self, policy: Policy, application: Application | None, offline: bool) -> None:
        self._policy = policy
        self._classes = {} if application is None else application.operations
        self._introspected = application is not None
        self._offline = offline
        self._problems: list[Problem] = []

    def targets(self) -> tuple[Target, ...]:
        """Every target that claims something; the exempt ones first.

        Raises:
            ConfigError: with all that is wrong.
        """
        exempt = tuple(self._exemptions())
        guarded = tuple(self._services(taken=frozenset(target.service for target in exempt if target.service)))
        claimed = (*exempt, *guarded)
        for index, one in enumerate(claimed):
            for other in claimed[:index]:
                if one.overlaps(other):
                    self._problem(one.key, f"claims an operation that {other.key} claims too")
        if self._problems:
            raise ConfigError(self._problems)
        return (*claimed, *self._unclaimed(claimed))

    def _problem(self, key: str, reason: str) -> None:
        self._problems.append(Problem(key, reason))

    def _exemptions(self) -> Iterator[Target]:
        for index, entry in enumerate(self._policy.exempt):
            key = f"exempt[{index}]"
            operations, paths = entry.operations, entry.paths
            if entry.service:
                named = self._policy.services.get(entry.service)
                if named is not None:
                    operations, paths = named.operations, named.paths
                    if any(getattr(named, field) != getattr(self._policy, field) for field in OVERRIDABLE):
                        self._problem(key, f"services.{entry.service} makes demands and cannot be exempt too")
                found = self._claim(key, entry.service, operations, paths)
            else:
                found = self._claim(key, "", operations, paths)
            if found is not None:
                yield Target(entry.service, "exempt", self._policy, found, paths, key, entry)

    def _services(self, taken: frozenset[str]) -> Iterator[Target]:
        for name, service in self._policy.services.items():
            key = f"services.{name}"
            if name in taken:
                continue
            found = self._claim(key, name, service.operations, service.paths)
            if found is not None:
                yield Target(name, "guarded", service, found, service.paths, key)

    def _claim(
        self, key: str, name: str, operations: tuple[str, ...], paths: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        """The operations that an entry claims, none for all of its paths; None where it claims nothing."""
        if operations:
            self._check_known(key, operations)
            return operations
        if name in self._classes:
            return tuple(sorted(self._classes[name]))
        if paths and not self._introspected:
            return ()
        if paths:
            self._problem(key, "a path alone: this application dispatches on the Body, whatever the path")
        elif not self._offline:
            known = f" ({', '.join(sorted(self._classes))})" if self._classes else ""
            self._problem(key, f"{name!r} is no service of the application{known}: give operations or paths")
        return None

    def _check_known(self, key: str, operations: tuple[str, ...]) -> None:
        if not self._introspected:
            return
        known = tuple(operation for operations in self._classes.values() for operation in operations)
        for operation in operations:
            if not _operations_overlap((operation,), known or ("",)):
                self._problem(key, f"the application has no operation {operation}")

    def _unclaimed(self, claimed: tuple[Target, ...]) -> Iterator[Target]:
        """The application's other services: the top of the configuration holds for them, under their own names."""
        for name, operations in self._classes.items():
            rest = tuple(
                sorted(o for o in operations if not any(_operations_overlap((o,), t.operations) for t in claimed))
            )
            if rest:
                yield Target(name, "default", self._policy, rest)


def _by_operation(targets: Iterable[Target]) -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        for operation in target.operations:
            found[operation].append(target)
    return dict(found)


def _actions(targets: Iterable[Target], application: Application | None) -> dict[str, frozenset[str]]:
    """Operation -> the SOAPActions that name it, for every operation that is known by its full name."""
    declared = {} if application is None else application.actions
    named = {o for target in targets for o in target.operations if not o.endswith("}*")}
    return {operation: _spellings(operation) | declared.get(operation, frozenset()) for operation in named}


def _spellings(operation: str) -> frozenset[str]:
    """The SOAPActions that stacks make of an operation: namespace and name joined by "/", "#", ":" or nothing."""
    namespace, name = operation[1:].rpartition("}")[0], local_name(operation)
    return frozenset({name, *(f"{namespace}{joint}{name}" for joint in ("/", "#", ":", ""))})


_BETWEEN_ACTIONS: Final = re.compile(r"[\s,;'\"<>\x00-\x1f\x7f]+")


def _read_as(action: str) -> list[str]:
    """What programs may read in it: some take the first of two that a server joined, some the last, or other quotes."""
    return _BETWEEN_ACTIONS.split(action)


def _names_one_of(action: str, namespace: str) -> bool:
    rest = action.removeprefix(namespace)
    joint = r"[/#:]?" if namespace.endswith(("/", "#", ":")) else r"[/#:]"
    return rest != action and re.fullmatch(joint + r"[^/#:]+", rest) is not None


def _folded(path: str) -> str:
    """What is left of a path for a router that minds neither case nor a slash at the end nor what cannot be seen."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", path) if unicodedata.category(c) != "Cf")
    return seen.casefold().rstrip("/")


def _wildcard(operation: str) -> str:
    return operation.rpartition("}")[0] + "}*"


def _operations_overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not one or not other:
        return True
    if set(one) & set(other):
        return True
    return any(_wildcard(operation) in other for operation in one) or any(_wildcard(o) in one for o in other)
