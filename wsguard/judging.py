"""Steps 4 to 7 of the engine: a message that was read, opened and verified is held against what its service demands."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.case import Addressed, Case, Judged, Shown
from wsguard.clients import ClientTable, Peer, reports
from wsguard.content import homonyms
from wsguard.coverage import Parts
from wsguard.explanation import Explanation, Facts, plain
from wsguard.faults import Fault, InvalidSecurity, InvalidSecurityToken
from wsguard.interfaces import (
    Attempt,
    ReplayStore,
    TokenProcessor,
    TrustedCertificate,
    UserKey,
    all_at_once,
)
from wsguard.message.envelope import Outline
from wsguard.names import TIMESTAMP, USERNAME_TOKEN
from wsguard.policy import Client, Demands, Policy
from wsguard.remembering import retention, signature_until, token_until
from wsguard.requirements import (
    check_encryption,
    check_meaning,
    check_opened_for_nobody,
    check_places,
    covering,
    covering_for_users,
    keep_inherited,
    missing,
    peer_of,
    unsigned_blocks,
)
from wsguard.security_header import (
    Children,
    read_security_header,
)
from wsguard.signature import VerifiedSignature
from wsguard.timestamp import verify_timestamp
from wsguard.verified import Principal, Timestamp
from wsguard.walking import Walked

_Read = tuple[TokenProcessor[Any], Any]
"""A token that was read, behind what reads its kind."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A message that has all that is demanded, and may have been seen before."""

    judged: Judged
    parts: Parts
    counting: Sequence[VerifiedSignature]
    """Signatures that cover all that must be covered."""
    client: Client | None


class MessageJudge:
    """Holds what messages show against demands. Immutable; the same object serves all threads."""

    def __init__(
        self,
        policy: Policy,
        clients: ClientTable,
        *,
        tokens: Mapping[str, TokenProcessor[Any]],
        replay: ReplayStore,
        namespaces: frozenset[str],
        types: frozenset[str] = frozenset(),
    ) -> None:
        """
        Args:
            policy: every demand there is: what may be taken by any of them is remembered.
            clients: the peers that are known.
            tokens: tag -> what reads such a token.
            replay: where what may be seen once is remembered.
            namespaces: those that prefixes in signed content may be bound to.
            types: ``{namespace}name`` of those that signed content may name, as far as they are known.
        """
        self._policy: Final = policy
        self._clients: Final = clients
        self._tokens: Final = tokens
        self._families: Final = {tag: processor.family for tag, processor in tokens.items()}
        self._remember_all: Final = all_at_once(replay)
        self._namespaces: Final = namespaces
        self._homonyms: Final = homonyms(types)
        self._retention: Final = retention(policy)

    def judge(
        self, addressed: Addressed, found: Children, walked: Walked, algorithms: Algorithms, case: Case
    ) -> Judged:
        """What comes of a message.

        Args:
            addressed: whom it is for.
            found: the children of its Security header.
            walked: what was opened and verified.
            algorithms: those that it used.
            case: is told of everything.

        Raises:
            Fault: it is refused.
        """
        demands = addressed.target.demands
        timestamp = self._timestamp_of(found, demands, case)
        parts = Parts.of(addressed.envelope, found)
        by_users = covering_for_users(walked.signatures, parts, demands)
        shown = Shown(found=found, walked=walked, parts=parts, by_users=by_users)
        tokens, users = self._users_of(shown, demands, case)
        standing = self._standing_of(addressed, shown, algorithms, users, case)
        self._refuse_replays(standing, tokens, timestamp, demands, case)
        return replace(standing.judged, timestamp=timestamp)

    def _timestamp_of(self, found: Children, demands: Demands, case: Case) -> Timestamp | None:
        """Step 4."""
        timestamp = None
        if TIMESTAMP in found:
            with case.spared.outside_the_window():
                timestamp = verify_timestamp(found[TIMESTAMP][0], demands.timestamp, case.now, case.explanation)
        elif demands.timestamp.use == "required":
            case.spared.put_off(missing("timestamp", InvalidSecurity))
        case.explanation.stage("check")
        return timestamp

    def _users_of(self, shown: Shown, demands: Demands, case: Case) -> tuple[list[_Read], list[Principal]]:
        """Step 5: every token, and then whose each is."""
        found, now, explanation = shown.found, case.now, case.explanation
        read = [
            (processor, processor.read(element, demands, now, explanation))
            for tag, processor in self._tokens.items()
            for element in found.get(tag, ())
        ]
        for tag, processor in self._tokens.items():
            if tag not in found and getattr(demands, processor.family).use == "required":
                case.spared.put_off(missing(processor.family, InvalidSecurityToken))
        signed_by = frozenset(one.signer.user for one in shown.by_users if isinstance(one.signer, UserKey))
        attempt = Attempt(demands, case.request.remote_addr, now, signed_by)
        case.judged_tokens = True
        users = [processor.authenticate(token, attempt, explanation) for processor, token in read]
        explanation.stage("authenticate")
        return read, users

    def _standing_of(
        self,
        addressed: Addressed,
        shown: Shown,
        algorithms: Algorithms,
        users: list[Principal],
        case: Case,
    ) -> _Standing:
        """Step 6."""
        explanation, spared = case.explanation, case.spared
        envelope, target = addressed.envelope, addressed.target
        demands, parts, walked = target.demands, shown.parts, shown.walked
        counting = [*covering(walked.signatures, parts, demands, spared), *shown.by_users]
        check_places(counting, envelope)
        signature = counting[0] if counting else None
        if signature is not None and isinstance(signature.signer, TrustedCertificate):
            case.exchange.recipient = signature.signer.certificate
        encrypted = check_encryption(walked.opened, parts, envelope.root, signature, demands, spared)
        unsigned = None
        for one in (*counting[:1], *(user for user in shown.by_users if user is not signature)):
            check_meaning(envelope, one, demands, self._namespaces, self._homonyms)
        if signature is not None and (demands.signature.use == "required" or shown.by_users):
            unsigned = unsigned_blocks(envelope, signature, demands)
            keep_inherited(envelope, signature)
        user = users[0] if users else None
        peer = peer_of(user, signature, parts, demands, self._clients)
        if unsigned is not None and peer.user is None:
            unsigned += shown.found.get(USERNAME_TOKEN, ())
        if peer.principal is None:
            check_opened_for_nobody(walked.opened, envelope)
        client = self._clients.authorize(peer, user, target.service)
        explanation.facts.client = client.name if client else ""
        legacy = algorithms.judge(demands.algorithms, explanation.facts.client, explanation, spared.put_off)
        spared.decide(reports(client, case.now), explanation)
        keep_who_counts(peer, signature, explanation.facts)
        judged = Judged(
            addressed=addressed,
            peer=peer,
            client=explanation.facts.client,
            signature=signature,
            signed_parts=parts.covered_by(signature.covered) if signature is not None else frozenset(),
            encrypted_parts=encrypted,
            unsigned=unsigned,
            legacy=legacy,
        )
        return _Standing(judged, parts, counting, client)

    def _refuse_replays(
        self,
        standing: _Standing,
        tokens: list[_Read],
        timestamp: Timestamp | None,
        demands: Demands,
        case: Case,
    ) -> None:
        """Step 7."""
        now, client, counting = case.now, standing.client, standing.counting
        kept = now + self._retention
        for processor, token in tokens:
            keys = processor.replay_keys(token)
            self._remember("replay.nonce", keys, max(kept, token_until(client, demands, now)), now)
        for one in counting:
            covered = standing.parts.covered_by(one.covered)
            dated = timestamp is not None and timestamp.ends and "Timestamp" in covered
            until = max(kept, signature_until(one, dated, client, now))
            self._remember("replay.signature", (one.replay_key,), until, now)
        if tokens or counting:
            seen = "it was not" if len(tokens) + len(counting) == 1 else "none of them was"
            case.explanation.passed("replay", expected="nothing that was seen before", seen=seen, setting="replay")
        case.explanation.stage("replay")

    def _remember(self, check: str, keys: tuple[bytes, ...], until: datetime, now: datetime) -> None:
        if keys and not self._remember_all(keys, until, now):
            raise InvalidSecurityToken(check, expected="nothing that was seen before", seen="it was", setting="replay")

    def judge_tokens_in_the_clear(self, outline: Outline, demands: Demands, case: Case) -> None:
        """Do for a message that was not decrypted what is done for one that was: a slow hash would tell them apart.

        Where the Body hides the service, the first that takes such a token stands for it. What comes of it changes
        nothing: the message is refused.
        """
        possible = self._policy.every_demand if demands is self._policy else (demands,)
        found = read_security_header(outline, self._families)
        for tag, processor in self._tokens.items():
            for element in found.get(tag, ()):
                for token, taking in islice(_readings(processor, element, possible, case.now), 1):
                    with suppress(Fault):
                        attempt = Attempt(taking, case.request.remote_addr, case.now)
                        processor.authenticate(token, attempt, Explanation())


def _readings(
    processor: TokenProcessor[Any], element: _Element, possible: Sequence[Demands], now: datetime
) -> Iterator[tuple[Any, Demands]]:
    """The token as it is read under each of these demands that take it."""
    for demands in possible:
        with suppress(Fault):
            yield processor.read(element, demands, now, Explanation()), demands


def keep_who_counts(peer: Peer, signature: VerifiedSignature | None, facts: Facts) -> None:
    """What a message said of itself and what nobody vouches for is no fact of one that is accepted."""
    facts.username = plain(peer.user.name) if peer.user is not None else ""
    facts.certificate_subject = facts.certificate_sha256 = ""
    if signature is not None and isinstance(signature.signer, TrustedCertificate):
        facts.certificate_subject = plain(signature.signer.subject)
        facts.certificate_sha256 = signature.signer.sha256
