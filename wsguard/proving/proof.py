"""The proof: a guard of the configuration, and everything in the catalogue against each of its targets."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from wsguard.clients import reports
from wsguard.composition import guard_beside
from wsguard.interfaces import Application, Clock
from wsguard.opening import Attempt, open_keyring
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError
from wsguard.proving.beside import Beside
from wsguard.proving.case import Case, Scene, key_of
from wsguard.proving.cast import Casting, with_entries
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.catalogue.everything import CATALOGUE, THROUGH_EXEMPTIONS
from wsguard.proving.handed import differences
from wsguard.proving.posting import Outcome, Post, ProofAudit, Recorder
from wsguard.proving.recipients import recipients
from wsguard.proving.rows import ACCEPTED, Row, not_proven
from wsguard.proving.stores import prove_stores
from wsguard.proving.timing import ProofClock, replay_store_like_the_real_one
from wsguard.proving.trusting import Configured
from wsguard.proving.users import UsersOfTheProof, table_like_the_real_one
from wsguard.proving.ways import WayFinder
from wsguard.routing import ServiceTable, Target
from wsguard.securing import NotSecurable

_UNCLAIMED: Final = "whatever no service claims"


def _now() -> datetime:
    return datetime.now(UTC)


def prove(policy: Policy, application: Application | None, *, clock: Clock = _now) -> tuple[Row, ...]:
    """Attack the guard that ``policy`` makes, in process, by people who are made up for it.

    The configured keys, users and replay store are opened and asked. No real user, certificate or record is changed,
    and no application is called. Random keys stay in the replay store until they end.

    Args:
        policy: the configuration.
        application: what introspection found of the application; None: there is none at hand.
        clock: gives the time of messages and of the guard.

    Returns:
        a row for each attempt, in the same order every time.

    Raises:
        ConfigError: a guard would refuse to start.
    """
    keyring = open_keyring(policy, attempt := Attempt())
    if keyring is None:
        raise ConfigError(attempt.problems)
    configured = Configured.read(policy)
    clock = ProofClock(clock)
    casting = Casting(policy, configured, keyring, clock)
    before = _targets(policy, application)
    casts = {key_of(target): casting.cast(target) for target in before if target.kind != "exempt"}
    peopled = with_entries(policy, casts.values())
    found = recipients(keyring, clock())
    scene = Scene(
        policy=peopled,
        application=application,
        configured=configured,
        keyring=keyring,
        casting=casting,
        finder=WayFinder(peopled, found, clock().astimezone(UTC).date()),
        recipients=found,
        clock=clock,
        targets=_targets(peopled, application),
        casts=casts,
    )
    with ExitStack() as stack:
        users = [user for cast in casts.values() for user in cast.users]
        own_users = stack.enter_context(table_like_the_real_one(policy, users))
        twin = stack.enter_context(replay_store_like_the_real_one(policy))
        people = UsersOfTheProof(own_users, frozenset(user.name for user in users))
        beside = Beside(peopled, tuple(casts.values()), people, twin, clock)
        recorder, audit = Recorder(_blocks_of_answers(policy)), ProofAudit()
        guard = guard_beside(recorder, policy, application, beside, audit=audit, clock=clock)
        stack.callback(guard.close)
        post = Post(guard, recorder, audit, policy.http.charsets)
        rows = tuple(_Proof(scene, post).rows())
        clock.look()
        return (*rows, *prove_stores(beside.stores(policy, clock())))


def _targets(policy: Policy, application: Application | None) -> tuple[Target, ...]:
    return ServiceTable(policy, application, offline=application is None).targets


def _blocks_of_answers(policy: Policy) -> tuple[str, ...]:
    parts = (part for demands in policy.every_demand for part in demands.response.signed_parts)
    return tuple(dict.fromkeys(part for part in parts if part.startswith("{")))


@dataclass(frozen=True, slots=True)
class _Proof:
    scene: Scene
    post: Post
    refused: set[tuple[str, str]] = field(default_factory=set)
    """Target and way of honest messages that were not taken: other refusals of such prove nothing."""

    def rows(self) -> Iterator[Row]:
        for target in self.scene.targets:
            yield from self._of_exempt(target) if target.kind == "exempt" else self._of_guarded(target)
        yield from self._unresolved()

    def _unresolved(self) -> Iterator[Row]:
        """What the configuration names and only the application could resolve."""
        listed = {target.service for target in self.scene.targets}
        policy = self.scene.policy
        for name in dict.fromkeys((*policy.services, *(entry.service for entry in policy.exempt))):
            if name not in listed:
                yield not_proven(name, "honest", "only the application knows its operations: give --app")

    def _of_exempt(self, target: Target) -> Iterator[Row]:
        case = Case(scene=self.scene, target=target)
        for control in THROUGH_EXEMPTIONS:
            if control.applies(case):
                yield from self._attempts(control, case)
        whole = [one for one in target.operations if one.endswith("}*")] or ([] if target.operations else target.paths)
        for one in whole:
            yield not_proven(_title(target), "exemption.width", f"all of {one} is open, whatever it will hold")

    def _of_guarded(self, target: Target) -> Iterator[Row]:
        if target.kind == "default" and not target.operations and self.scene.application is not None:
            yield from self._nothing_else(target)
            return
        cast = self.scene.casts[key_of(target)]
        found = self.scene.finder.find(target.demands, cast)
        for reason in found.reasons:
            yield not_proven(_title(target), "honest", reason)
        tried: set[tuple[object, ...]] = set()
        for way in found.ways:
            case = Case(scene=self.scene, target=target, cast=cast, way=way)
            for control in CATALOGUE:
                done = control.name, *_distinguishing(control, case)
                if control.applies(case) and done not in tried:
                    tried.add(done)
                    yield from self._attempts(control, case)

    def _nothing_else(self, target: Target) -> Iterator[Row]:
        case = Case(scene=self.scene, target=target)
        attack = Attack("an operation that the application has not", ("operation.unknown",), case.bare())
        yield self._attempt("operation", attack, case)

    def _attempts(self, control: Control, case: Case) -> Iterator[Row]:
        self.scene.clock.look()
        try:
            for attack in control.attacks(case):
                yield self._attempt(control.name, attack, case)
        except (NotSecurable, ValueError) as error:
            yield not_proven(
                _title(case.target), control.name, f"no such message could be made: {error}", way=_way(case)
            )

    def _attempt(self, control: str, attack: Attack, case: Case) -> Row:
        row = Row(
            target=_title(case.target),
            way=_way(case),
            control=control,
            attack=attack.how,
            demanded=attack.demanded,
            verdict="holds",
        )
        with self.scene.clock.standing_apart(attack.later is not None):
            before = []
            for sent in attack.before:
                before.append(self.post.deliver(sent))
                if attack.before_accepted and before[-1].got != ACCEPTED:
                    reason = f"an honest message before it was refused: {before[-1].got}"
                    return replace(row, verdict="not proven", reason=reason)
            self.scene.clock.set_ahead(attack.later or timedelta(0))
            outcome = self.post.deliver(attack.sent, attack.stage)
        wrong = self._wrong(attack, outcome, before, case)
        stood = outcome.got in attack.demanded and not wrong
        got = "; ".join((outcome.got, *wrong))
        place = (row.target, row.way)
        if not stood and not outcome.handed and place in self.refused and (not wrong or ACCEPTED in attack.demanded):
            return replace(row, got=got, verdict="not proven", reason="honest messages are refused too")
        if not stood and ACCEPTED in attack.demanded:
            self.refused.add(place)
        reason = "" if stood else self._reason(case, outcome)
        return replace(row, got=got, verdict="holds" if stood else "DOES NOT HOLD", reason=reason)

    def _wrong(self, attack: Attack, outcome: Outcome, before: list[Outcome], case: Case) -> list[str]:
        if attack.instead is not None:
            return list(attack.instead(outcome, before))
        if outcome.got != ACCEPTED:
            wrong = outcome.improper(
                sealed=bool(case.demands.response.encrypt), detailed=self.scene.detail == "detailed"
            )
        else:
            wrong = differences(case, attack.sent, outcome) if ACCEPTED in attack.demanded else []
        return wrong if attack.also is None else [*wrong, *attack.also(outcome, before)]

    def _reason(self, case: Case, outcome: Outcome) -> str:
        if outcome.got != ACCEPTED:
            return _told(outcome)
        entry = None if case.way is None else case.way.sender.entry
        if reports(entry, case.now) and entry is not None:
            return f"the client is in report mode until {entry.report_until}: what it lacks is recorded only"
        if case.target.kind != "exempt" and case.demands.unsafe_unauthenticated:
            return "unsafe_unauthenticated is set: anybody may call it"
        return ""


def _distinguishing(control: Control, case: Case) -> tuple[object, ...]:
    """What tells the attempts of ``control`` for one target from each other."""
    if control.each == "target":
        return ()
    return case.shape if control.each == "shape" else (case.honest,)


def _told(outcome: Outcome) -> str:
    """What the record says of a refusal that should have been another one, or none."""
    results = outcome.records[0].explanation if outcome.records else []
    return next((f"expected {one['expected']}; seen {one['seen']}" for one in reversed(results)), "")


def _title(target: Target) -> str:
    if target.service:
        return target.service
    return _UNCLAIMED if target.kind == "default" else target.key


def _way(case: Case) -> str:
    return "" if case.way is None else str(case.way)
