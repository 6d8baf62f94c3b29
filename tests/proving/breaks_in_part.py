"""Comparisons of less than everything, windows that are too wide, and limits that nobody keeps."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from lxml import etree

from tests.proving.breaks import Break, Patch, original
from wsguard.clients import ClientTable
from wsguard.coverage import Parts
from wsguard.encryption.opening import Decryptor
from wsguard.engine import SecurityEngine
from wsguard.handoff import handed_on as whole_hand_off
from wsguard.interfaces import TrustedCertificate
from wsguard.judging import MessageJudge
from wsguard.signature import SharedKey
from wsguard.signature.verification import SignatureVerifier
from wsguard.stores.replay_memory import MemoryReplayStore
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.tokens.username import UsernameTokenProcessor, password_digest
from wsguard.trust import judging, paths
from wsguard.trust.judging import Judge
from wsguard.trust.revocation import Revocations
from wsguard.trust.verdicts import Verdicts

# --- Time and replay --------------------------------------------------------------------------------------------------


def windows_wider(patch: Patch) -> None:
    """By half a minute, at both ends."""
    place = original("wsguard.window.place_in_window")
    for module in ("timestamp", "tokens.reading"):
        name = f"wsguard.{module}.place_in_window"
        patch.setattr(name, lambda created, now, before, ahead: place(created, now, before + 30, ahead + 30))


def expires_later(patch: Patch) -> None:
    """By less than a second."""
    check = original("wsguard.timestamp._check_window")

    def later(timestamp: Any, demands: Any, now: Any) -> None:
        ends = timestamp.expires and timestamp.expires + timedelta(seconds=0.9)
        check(replace(timestamp, expires=ends), demands, now)

    patch.setattr("wsguard.timestamp._check_window", later)


def kept_for_a_second(patch: Patch) -> None:
    remember = MemoryReplayStore.remember
    second = timedelta(seconds=1)
    patch.setattr(MemoryReplayStore, "remember", lambda store, key, until, now: remember(store, key, now + second, now))


def keys_with(what: str) -> Break:
    """What was seen counts only with the request's ``what``."""

    def broken(patch: Patch) -> None:
        judge, remember, seen = MessageJudge.judge, MessageJudge._remember, list[bytes]()

        def judged(itself: Any, *arguments: Any) -> Any:
            found = getattr(arguments[-1].request, what)
            seen[:] = [found if isinstance(found, bytes) else found.encode()]
            return judge(itself, *arguments)

        def remembered(itself: Any, check: str, keys: Any, until: Any, now: Any) -> None:
            others = tuple(hashlib.sha256(seen[0] + key).digest() for key in keys)
            remember(itself, check, others, until, now)

        patch.setattr(MessageJudge, "judge", judged)
        patch.setattr(MessageJudge, "_remember", remembered)

    return broken


# --- Users and clients ------------------------------------------------------------------------------------------------


def taken_where(right: Callable[[Any, bytes], bool]) -> Break:
    """A password is taken too where ``right`` says so, given the token and the password."""

    def broken(patch: Patch) -> None:
        matches = UsernameTokenProcessor._matches

        def also(processor: Any, token: Any, user: Any) -> bool:
            return matches(processor, token, user) or bool(user.password and right(token, user.password))

        patch.setattr(UsernameTokenProcessor, "_matches", also)

    return broken


def is_text(token: Any) -> bool:
    return bool(token.password_type == "PasswordText")


def in_either_case(token: Any, password: bytes) -> bool:
    return is_text(token) and bool(token.password.lower() == password.lower())


def of_eight_octets(token: Any, password: bytes) -> bool:
    return is_text(token) and bool(token.password[:8] == password[:8])


def empty(token: Any, password: bytes) -> bool:
    return is_text(token) and not token.password


def digest_of_eight_octets(token: Any, password: bytes) -> bool:
    return password_digest(token.nonce, token.created_text, password).startswith(token.password[:8])


def names_in_either_case(patch: Patch) -> None:
    find = MemoryUserStore.find
    patch.setattr(MemoryUserStore, "find", lambda store, name: find(store, name.lower()))


def users_unsigned(patch: Patch) -> None:
    """Whoever stands beside a signer counts."""
    peer_of = original("wsguard.judging.peer_of")

    def both(user: Any, signature: Any, parts: Any, demands: Any, clients: Any) -> Any:
        always = SimpleNamespace(binds=lambda *_: True)
        return peer_of(user, signature, parts, demands, always)

    patch.setattr("wsguard.judging.peer_of", both)


def services_that_begin_alike(patch: Patch) -> None:
    authorize = ClientTable.authorize

    def alike(table: ClientTable, peer: Any, user: Any, service: str) -> Any:
        known = {name for client in table._clients for name in client.services if name.startswith(service)}
        for name in sorted(known - {service}):
            client = authorize(table, peer, user, name)
            if client is not None and name in client.services:
                return client
        return authorize(table, peer, user, service)

    patch.setattr(ClientTable, "authorize", alike)


# --- Signatures and certificates --------------------------------------------------------------------------------------


def digests_of_eight_octets(patch: Patch) -> None:
    halves = SimpleNamespace(compare_digest=lambda one, other: hmac.compare_digest(one[:8], other[:8]))
    patch.setattr("wsguard.signature.verification.hmac", halves)


def one_block_of_several(patch: Patch) -> None:
    def covered_by(parts: Parts, covered: Any) -> frozenset[str]:
        return frozenset(name for name, found in parts.elements.items() if any(one in covered for one in found))

    patch.setattr(Parts, "covered_by", covered_by)


def anybodys_key(patch: Patch) -> None:
    patch.setattr("wsguard.walking._symmetric", lambda secret: SharedKey(secret.shared or "anybody", secret.octets))


def valid_since_ever(patch: Patch) -> None:
    validate = paths.PathFinder.validate

    def later(finder: Any, certificate: Any, presented: Any, now: Any) -> Any:
        return validate(finder, certificate, presented, max(now, certificate.not_valid_before_utc))

    patch.setattr(paths.PathFinder, "validate", later)


def authorities_valid_for_ever(patch: Patch) -> None:
    verified = paths._verified

    def earlier(path: Any, at: Any) -> Any:
        return verified(path, min(at, *(one.not_valid_after_utc for one in path[1:])))

    patch.setattr(paths, "_verified", earlier)


def anybody_an_authority(patch: Patch) -> None:
    verified = paths._verified

    def signed(path: Any, at: Any) -> Any:
        return path if all(paths.is_valid(one, at) for one in path) else verified(path, at)

    patch.setattr(paths, "_verified", signed)


def only_the_certificate_revoked(patch: Patch) -> None:
    check = Revocations.check_chain
    patch.setattr(Revocations, "check_chain", lambda lists, chain, now: check(lists, chain[:2], now))


def lists_of_some(patch: Patch) -> None:
    made = Revocations.__init__
    patch.setattr(Revocations, "__init__", lambda lists, several, coverage: made(lists, several, "listed"))


def verdicts_by_serial(patch: Patch) -> None:
    judge, kept = Judge.judge, dict[Any, Any]()

    def once(one: Judge, certificate: Any, *arguments: Any) -> Any:
        key = id(one), certificate.subject, certificate.serial_number
        if key not in kept:
            kept[key] = judge(one, certificate, *arguments)
        trusted: TrustedCertificate = replace(kept[key].trusted, public_key=certificate.public_key())
        return replace(kept[key], trusted=trusted)

    patch.setattr(Judge, "judge", once)


def verdicts_shared(patch: Patch) -> None:
    shared = Verdicts()
    patch.setattr(judging, "Verdicts", lambda: shared)


# --- Encryption -------------------------------------------------------------------------------------------------------


def part_of_the_body(patch: Patch) -> None:
    def inside_of(parts: Parts, opened: Any, whole: Any) -> frozenset[str]:
        above = {one for element in opened for one in (element, *element.iterancestors())}
        return frozenset(name for name, found in parts.elements.items() if all(one in above for one in found))

    patch.setattr(Parts, "inside_of", inside_of)


def faults_in_detail(patch: Patch) -> None:
    answer = original("wsguard.middleware.answer")
    patch.setattr(
        "wsguard.middleware.answer", lambda fault, version, incident, _: answer(fault, version, incident, "detailed")
    )


# --- Limits, HTTP, hand-off -------------------------------------------------------------------------------------------


def without_limit(name: str) -> Break:
    """``limits.<name>`` is as good as none."""

    def broken(patch: Patch) -> None:
        parse = original("wsguard.engine.parse")
        patch.setattr("wsguard.engine.parse", lambda *most: parse(*most[:3], _more(most[3], name)))
        for owner in (SignatureVerifier, Decryptor):
            made: Any = owner.__init__
            _patch_limits(patch, owner, made, name)

    return broken


def _patch_limits(patch: Patch, owner: type, made: Any, name: str) -> None:
    patch.setattr(owner, "__init__", lambda one, *most: made(one, *most[:-1], _more(most[-1], name)))


def _more(limits: Any, name: str) -> Any:
    return limits.model_copy(update={name: 10**6})


def spoofed_words(patch: Patch) -> None:
    def handed_on(environ: Any, octets: bytes) -> Any:
        words = {key: environ[key] for key in ("REMOTE_USER", "wsguard.proof") if key in environ}
        return {**whole_hand_off(environ, octets), **words}

    patch.setattr("wsguard.middleware.handed_on", handed_on)


def attributes_kept(patch: Patch) -> None:
    without = original("wsguard.engine.without")

    def kept(envelope: Any, **how: Any) -> bytes:
        attributes = dict(envelope.root.attrib)
        without(envelope, **how)
        envelope.root.attrib.update(attributes)
        return etree.tostring(envelope.root)

    patch.setattr("wsguard.engine.without", kept)


def instructions_dropped(patch: Patch) -> None:
    tree = original("wsguard.message.parse._tree")

    def dropped(document: bytes, limits: Any) -> Any:
        root = tree(document, limits)
        etree.strip_tags(root, etree.PI)
        return root

    patch.setattr("wsguard.message.parse._tree", dropped)


def comments_kept(patch: Patch) -> None:
    patch.setattr("wsguard.message.parse._tree", lambda document, limits: etree.fromstring(document))


def trailers_taken(patch: Patch) -> None:
    import zlib

    def inflate(octets: bytes, encoding: str, most: int) -> bytes:
        return zlib.decompressobj(zlib.MAX_WBITS | (16 if encoding == "gzip" else 0)).decompress(octets, most)

    patch.setattr("wsguard.received._inflate", inflate)


def path_taken_as(change: Callable[[str], str]) -> Break:
    """A path is looked up as ``change`` makes it."""

    def broken(patch: Patch) -> None:
        from wsguard.routing import ServiceTable

        claimed = ServiceTable._claimed
        patch.setattr(ServiceTable, "_claimed", lambda table, path, name: claimed(table, change(path), name))

    return broken


def any_security_in_soap_1_2(patch: Patch) -> None:
    from wsguard.case import Judged

    demand = SecurityEngine._demand

    def demanded(engine: Any, tree: Any, outline: Any, addressed: Any, case: Any) -> Any:
        if addressed is not None and outline.version.number == "1.2":
            return Judged(addressed=addressed)
        return demand(engine, tree, outline, addressed, case)

    patch.setattr(SecurityEngine, "_demand", demanded)


def any_role_in_soap_1_2(patch: Patch) -> None:
    headers = original("wsguard.message.envelope._security_headers")

    def first(header: Any, version: Any, actor: str) -> Any:
        ours, others = headers(header, version, actor)
        return (ours, others) if ours is not None or version.number == "1.1" else (others[0], others[1:])

    patch.setattr("wsguard.message.envelope._security_headers", first)


# --- Answers and records ----------------------------------------------------------------------------------------------


def answers(change: dict[str, Any]) -> Break:
    """Answers are secured by another plan."""

    def broken(patch: Patch) -> None:
        from wsguard.answers import AnswerSecurer

        securing = AnswerSecurer._securing
        patch.setattr(AnswerSecurer, "_securing", lambda one, *plan: replace(securing(one, *plan), **change))

    return broken


def answers_for_the_first(patch: Patch) -> None:
    from wsguard.answers import AnswerSecurer

    recipient, first = AnswerSecurer._recipient, list[Any]()

    def remembered(one: Any, exchange: Any) -> Any:
        found = recipient(one, exchange)
        first.extend([] if found is None else [found])
        return first[0] if first else found

    patch.setattr(AnswerSecurer, "_recipient", remembered)


def answers_sent_all_the_same(patch: Patch) -> None:
    from wsguard.answers import AnswerSecurer
    from wsguard.securing import NotSecurable

    secured = AnswerSecurer.answer

    def or_not(one: Any, octets: bytes, *exchange: Any) -> bytes:
        try:
            return secured(one, octets, *exchange)
        except NotSecurable:
            return octets

    patch.setattr(AnswerSecurer, "answer", or_not)


def lost_records_served(patch: Patch) -> None:
    from wsguard.middleware import Guard

    record = Guard._record_before_handoff

    def or_not(guard: Any, *case: Any) -> bool:
        try:
            return record(guard, *case)
        except Exception:  # noqa: BLE001 - any
            return False

    patch.setattr(Guard, "_record_before_handoff", or_not)
