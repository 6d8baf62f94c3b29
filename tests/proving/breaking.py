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


def _broken(configuration: str, by: Break, *controls: str) -> Broken:
    return Broken(configuration, by, frozenset(controls))


BROKEN: Final[Mapping[str, Broken]] = {
    # --- Stores
    "a replay store that always says new": _broken(
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
    ),
    "a replay store that always says new to signatures": _broken(
        "signed", unable(MemoryReplayStore, "remember", yes), "replay", "replay.kept", "replay.once", "replay.threads"
    ),
    "a replay store that forgets": _broken("signed", forgetful_store, "replay.kept"),
    "a replay store that looks before it remembers": _broken("signed", store_in_two_steps, "replay.threads"),
    "wrong passwords that nobody counts": _broken(
        "user", unable(MemoryReplayStore, "failures", lambda *_: 0), "failures.counted", "user.guesses"
    ),
    "a digest that is not remembered": _broken("user", nonces_only, "nonce.namesake"),
    "any password": _broken("user", unable(UsernameTokenProcessor, "_matches", yes), "user.guesses", "user.password"),
    "disabled users": _broken("user", disabled_users_let_in, "user.disabled"),
    "a table that knows everybody": _broken("user", everybody_known, "users.asked"),
    # --- Time
    "a Timestamp whose Created says nothing": _broken(
        "user", ignoring("created"), "timestamp.created", "timestamp.future"
    ),
    "a Timestamp whose Expires says nothing": _broken("user", ignoring("expires"), "timestamp.expires"),
    "a Timestamp of any length": _broken("user", without("wsguard.timestamp._check_lifetime"), "timestamp.lifetime"),
    "a token of any age": _broken(
        "user", without("wsguard.tokens.username.place_in_window", lambda *_: "inside"), "username_token.window"
    ),
    "a token without Nonce and Created": _broken(
        "user-and-text", without("wsguard.tokens.username._check_presence"), "username_token.parts"
    ),
    # --- Signatures
    "coverage that is not looked at": _broken(
        "signed",
        without("wsguard.engine.covering", lambda found, *_: found),
        "authentication",
        "signature.coverage",
        "signature.one_signer",
        "signature.presence",
        "wrapping.body",
    ),
    "coverage by several together": _broken("signed", signatures_together, "signature.one_signer"),
    "places that are not looked at": _broken(
        "signed-body-only", without("wsguard.engine.check_places"), "wrapping.timestamp"
    ),
    "digests that are not compared": _broken("signed", unable(_Digester, "_compare"), "signature.digest"),
    "signature values that are not verified": _broken(
        "signed-constraints-and-lists",
        without("wsguard.signature.verification.verify_value"),
        "certificate.impostor",
        "signature.signed_info",
        "signature.value",
    ),
    "HMACs that are not verified": _broken(
        "shared-key",
        without("wsguard.signature.verification.verify_shared"),
        "signature.signed_info",
        "signature.value",
    ),
    "any algorithm": _broken(
        "encrypted", any_algorithm, "encryption.algorithm", "signature.algorithm", "signature.transform"
    ),
    "dated permissions for everybody": _broken(
        "clients-legacy", unable(Algorithms, "judge", lambda *_: ()), "encryption.algorithm"
    ),
    "types that anybody may mean": _broken("signed", without("wsguard.engine.check_meaning"), "signature.types"),
    # --- Trust
    "a trust that accepts all": _broken(
        "signed-constraints-and-lists",
        everybody_trusted,
        "certificate.authority",
        "certificate.bare_key",
        "certificate.bent",
        "certificate.twin",
    ),
    "constraints that are not looked at": _broken(
        "signed-constraints-and-lists", unable(Judge, "_check_constraints"), "certificate.bent"
    ),
    "revocation lists that are not asked": _broken(
        "signed-constraints-and-lists", unable(Revocations, "check_chain", lambda *_: []), "certificate.bent"
    ),
    "usages that are not looked at": _broken(
        "signed", without("wsguard.trust.judging._demand_signing"), "certificate.bent"
    ),
    "keys of any size": _broken(
        "signed", without("wsguard.trust.judging._strong_key", lambda one, bits: one.public_key()), "certificate.bent"
    ),
    "our own keys forgotten": _broken("encrypted", own_keys_forgotten, "certificate.own_key"),
    # --- Clients
    "a table of clients that nobody asks": _broken(
        "clients", unable(ClientTable, "authorize"), "client.entry", "client.services", "honest"
    ),
    "clients of any service": _broken("clients-both", signers_without_certificate, "client.both"),
    # --- Encryption
    "encryption that nobody demands": _broken(
        "encrypted", without("wsguard.engine.check_encryption", lambda *_: frozenset()), "encryption.presence"
    ),
    "what is forbidden": _broken(
        "signed",
        without("wsguard.engine.check_presence"),
        "security.actor",
        "security.presence",
        "username_token.absence",
    ),
    # --- Presence
    "what is missing, spared to everybody": _broken(
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
    ),
    # --- Shapes
    "an Id twice": _broken("signed", first_of_an_id, "id.spelling", "id.twice", "wrapping.body"),
    "references that are not looked at": _broken(
        "exemptions", without("wsguard.engine.check_references"), "envelope.href", "exemption.href"
    ),
    "actions that are not looked at": _broken(
        "exemptions", unable(ServiceTable, "check_actions"), "envelope.soap_action", "exemption.soap_action"
    ),
    "several operations": _broken(
        "exemptions",
        several_operations,
        "envelope.fault",
        "envelope.namespace",
        "envelope.operations",
        "exemption.second_child",
    ),
    "any charset": _broken("exemptions", any_codec, "envelope.charset", "exemption.charset"),
    "any path": _broken("exemptions", without("wsguard.middleware.check_path"), "exemption.odd_path", "http.path"),
    "any method": _broken("user", without("wsguard.middleware.check_method"), "http.method"),
    "any content type": _broken(
        "user",
        without("wsguard.received._content_type", lambda _: (None, "")),
        "envelope.charset",
        "http.content_type",
    ),
    # --- Exemptions
    "an exemption of names that begin alike": _broken("exemptions", too_wide(first_operation), "exemption.width"),
    "an exemption of a whole namespace": _broken("exemptions", too_wide(namespace), "exemption.width"),
    "an exemption by local name": _broken("exemptions", too_wide(by_local_name), "exemption.width"),
    "an exemption of all below a path": _broken("exemptions-by-path", too_wide(path_prefix), "exemption.width"),
    "an exemption of everything": _broken("exemptions", too_wide(everything), "security.presence", "honest", WHOLE),
    # --- Hand-off and records
    "received octets handed on": _broken("signed", received_octets, "honest"),
    "the received tree handed on": _broken("signed", received_tree, "honest"),
    "a whole tree handed on": _broken("user", without("wsguard.engine.without", whole_tree), "honest"),
    "a record that is lost": _broken("user", unable(Guard, "_write"), WHOLE),
    "a record that is written twice": _broken("user", recorded_twice, WHOLE),
    "faults that name no record": _broken("user", another_answer, WHOLE),
}
