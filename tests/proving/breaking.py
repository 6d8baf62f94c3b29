"""Controls of the product that are broken on purpose, one at a time, and what a proof must notice of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.proving.breaks import Break, unable, without, yes
from tests.proving.breaks_of_messages import (
    another_answer,
    any_algorithm,
    any_codec,
    by_local_name,
    everything,
    first_of_an_id,
    first_operation,
    ignoring,
    namespace,
    path_prefix,
    received_octets,
    received_tree,
    recorded_twice,
    several_operations,
    signatures_together,
    too_wide,
    whole_tree,
)
from tests.proving.breaks_of_stores import (
    disabled_users_let_in,
    everybody_known,
    everybody_trusted,
    forgetful_store,
    nonces_only,
    own_keys_forgotten,
    signers_without_certificate,
    store_in_two_steps,
)
from wsguard.algorithms import Algorithms
from wsguard.clients import ClientTable
from wsguard.middleware import Guard
from wsguard.routing import ServiceTable
from wsguard.signature.verification import _Digester
from wsguard.sparing import Spared
from wsguard.stores.replay_memory import MemoryReplayStore
from wsguard.tokens.username import UsernameTokenProcessor
from wsguard.trust.judging import Judge
from wsguard.trust.revocation import Revocations

WHOLE: Final = "…"
"""Among the controls: others do not hold either, too many to name."""


@dataclass(frozen=True)
class Broken:
    """One broken control."""

    configuration: str
    """Whose proof must notice."""
    by: Break
    controls: frozenset[str]
    """Exactly those that must not hold then."""


def broken(configuration: str, by: Break, *controls: str) -> Broken:
    """``by`` breaks ``controls``, as the proof of ``configuration`` must notice."""
    return Broken(configuration, by, frozenset(controls))


BROKEN: Final[Mapping[str, Broken]] = {
    # --- Stores
    "a replay store that always says new": broken(
        "user",
        unable(MemoryReplayStore, "remember", yes),
        "nonce.again",
        "nonce.bits",
        "nonce.namesake",
        "nonce.spaces",
        "replay",
        "replay.kept",
        "replay.once",
        "replay.threads",
        "replay.late",
        "replay.path",
        "replay.unsigned",
        "soap12",
    ),
    "a replay store that always says new to signatures": broken(
        "signed",
        unable(MemoryReplayStore, "remember", yes),
        "replay",
        "replay.kept",
        "replay.once",
        "replay.threads",
        "replay.late",
        "replay.path",
        "replay.unsigned",
        "soap12",
    ),
    "a replay store that forgets": broken("signed", forgetful_store, "replay.kept"),
    "a replay store that looks before it remembers": broken("signed", store_in_two_steps, "replay.threads"),
    "wrong passwords that nobody counts": broken(
        "user", unable(MemoryReplayStore, "failures", lambda *_: 0), "failures.counted", "user.guesses"
    ),
    "a digest that is not remembered": broken("user", nonces_only, "nonce.namesake"),
    "any password": broken(
        "user",
        unable(UsernameTokenProcessor, "_matches", yes),
        "user.guesses",
        "user.password",
        "soap12",
        "user.digest",
        "user.password_in_part",
    ),
    "disabled users": broken("user", disabled_users_let_in, "user.disabled"),
    "a table that knows everybody": broken("user", everybody_known, "users.asked"),
    # --- Time
    "a Timestamp whose Created says nothing": broken(
        "user", ignoring("created"), "timestamp.created", "timestamp.future", "soap12"
    ),
    "a Timestamp whose Expires says nothing": broken("user", ignoring("expires"), "timestamp.expires", "soap12"),
    "a Timestamp of any length": broken("user", without("wsguard.timestamp._check_lifetime"), "timestamp.lifetime"),
    "a token of any age": broken(
        "user", without("wsguard.tokens.reading.place_in_window", lambda *_: "inside"), "username_token.window"
    ),
    "a token without Nonce and Created": broken(
        "user-and-text", without("wsguard.tokens.reading._check_presence"), "username_token.parts"
    ),
    # --- Signatures
    "coverage that is not looked at": broken(
        "signed",
        without("wsguard.judging.covering", lambda found, *_: found),
        "authentication",
        "signature.coverage",
        "signature.one_signer",
        "signature.presence",
        "wrapping.body",
        "soap12",
    ),
    "coverage by several together": broken("signed", signatures_together, "signature.one_signer"),
    "places that are not looked at": broken(
        "signed-body-only", without("wsguard.judging.check_places"), "wrapping.timestamp"
    ),
    "digests that are not compared": broken(
        "signed", unable(_Digester, "_compare"), "signature.digest", "signature.whole_digest", "soap12"
    ),
    "signature values that are not verified": broken(
        "signed-constraints-and-lists",
        without("wsguard.signature.verification.verify_value"),
        "certificate.impostor",
        "signature.signed_info",
        "signature.value",
    ),
    "HMACs that are not verified": broken(
        "shared-key",
        without("wsguard.signature.verification.verify_shared"),
        "signature.signed_info",
        "signature.value",
    ),
    "any algorithm": broken(
        "encrypted", any_algorithm, "encryption.algorithm", "signature.algorithm", "signature.transform"
    ),
    "dated permissions for everybody": broken(
        "clients-legacy", unable(Algorithms, "judge", lambda *_: ()), "encryption.algorithm"
    ),
    "types that anybody may mean": broken("signed", without("wsguard.judging.check_meaning"), "signature.types"),
    # --- Trust
    "a trust that accepts all": broken(
        "signed-constraints-and-lists",
        everybody_trusted,
        "certificate.authority",
        "certificate.bare_key",
        "certificate.bent",
        "certificate.twin",
    ),
    "constraints that are not looked at": broken(
        "signed-constraints-and-lists", unable(Judge, "_check_constraints"), "certificate.bent"
    ),
    "revocation lists that are not asked": broken(
        "signed-constraints-and-lists", unable(Revocations, "check_chain", lambda *_: []), "certificate.bent"
    ),
    "usages that are not looked at": broken(
        "signed", without("wsguard.trust.judging._demand_signing"), "certificate.bent"
    ),
    "keys of any size": broken(
        "signed", without("wsguard.trust.judging._strong_key", lambda one, bits: one.public_key()), "certificate.bent"
    ),
    "our own keys forgotten": broken("encrypted", own_keys_forgotten, "certificate.own_key"),
    # --- Clients
    "a table of clients that nobody asks": broken(
        "clients",
        unable(ClientTable, "authorize"),
        "client.entry",
        "client.services",
        "honest",
        "handoff.environ",
        "soap12",
    ),
    "clients of any service": broken("clients-both", signers_without_certificate, "client.both"),
    # --- Encryption
    "encryption that nobody demands": broken(
        "encrypted",
        without("wsguard.judging.check_encryption", lambda *_: frozenset()),
        "encryption.presence",
        "encryption.whole_body",
        "soap12",
    ),
    "what is forbidden": broken(
        "signed",
        without("wsguard.engine.check_presence"),
        "security.actor",
        "security.presence",
        "username_token.absence",
        "soap12",
    ),
    # --- Presence
    "what is missing, spared to everybody": broken(
        "encrypted",
        unable(Spared, "put_off"),
        "authentication",
        "encryption.presence",
        "signature.coverage",
        "signature.one_signer",
        "signature.presence",
        "timestamp.created",
        "timestamp.expires",
        "timestamp.future",
        "timestamp.presence",
        "wrapping.body",
        "encryption.whole_body",
        "soap12",
    ),
    # --- Shapes
    "an Id twice": broken("signed", first_of_an_id, "id.spelling", "id.twice", "wrapping.body"),
    "references that are not looked at": broken(
        "exemptions", without("wsguard.engine.check_references"), "envelope.href", "exemption.href"
    ),
    "actions that are not looked at": broken(
        "exemptions", unable(ServiceTable, "check_actions"), "envelope.soap_action", "exemption.soap_action"
    ),
    "several operations": broken(
        "exemptions",
        several_operations,
        "envelope.fault",
        "envelope.namespace",
        "envelope.operations",
        "exemption.second_child",
        "soap12",
    ),
    "any charset": broken("exemptions", any_codec, "envelope.charset", "exemption.charset"),
    "any path": broken("exemptions", without("wsguard.middleware.check_path"), "exemption.odd_path", "http.path"),
    "any method": broken("user", without("wsguard.middleware.check_method"), "http.method"),
    "any content type": broken(
        "user",
        without("wsguard.received._content_type", lambda _: (None, "")),
        "envelope.charset",
        "http.content_type",
    ),
    # --- Exemptions
    "an exemption of names that begin alike": broken("exemptions", too_wide(first_operation), "exemption.width"),
    "an exemption of a whole namespace": broken("exemptions", too_wide(namespace), "exemption.width"),
    "an exemption by local name": broken("exemptions", too_wide(by_local_name), "exemption.width"),
    "an exemption of all below a path": broken("exemptions-by-path", too_wide(path_prefix), "exemption.width"),
    "an exemption of everything": broken("exemptions", too_wide(everything), "security.presence", "honest", WHOLE),
    # --- Hand-off and records
    "received octets handed on": broken(
        "signed", received_octets, "honest", "envelope.comments", "handoff.environ", "soap12"
    ),
    "the received tree handed on": broken(
        "signed", received_tree, "honest", "envelope.comments", "handoff.environ", "soap12"
    ),
    "a whole tree handed on": broken(
        "user",
        without("wsguard.engine.without", whole_tree),
        "honest",
        "envelope.comments",
        "handoff.environ",
        "soap12",
    ),
    "a record that is lost": broken("user", unable(Guard, "_write"), WHOLE),
    "a record that is written twice": broken("user", recorded_twice, WHOLE),
    "faults that name no record": broken("user", another_answer, WHOLE),
}
