"""Of every rule that looks at the policy alone: a configuration in which it finds something, and one with the cure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from wsguard.names import SOAP11, WSA_2005

TODAY = date(2026, 6, 15)
DAY = timedelta(days=1)

Raw = dict[str, Any]


class Shown(NamedTuple):
    """A configuration in which something is found at ``setting``, and one that differs only in what cures it."""

    bad: Raw
    setting: str
    good: Raw
    operations: Mapping[str, frozenset[str]] | None = None


PINNED: Raw = {"trust": {"pinned_certificates": ["a.pem"]}}
SIGNED: Raw = {"signature": {"use": "required"}, **PINNED}
OPENS: Raw = {"keys": {"decrypt": [{"file": "a.p12"}]}}
SHARES: Raw = {"keys": {"shared": [{"name": "bus", "key_env": "BUS"}]}}
SECRET: Raw = {**SIGNED, **OPENS, "encryption": {"use": "required"}}
SIGNS: Raw = {**SIGNED, "keys": {"sign": {"file": "a.p12"}}}
OWNED: Raw = {"reason": "form", "owner": "marketing", "review": TODAY + 90 * DAY}
TEXT: Raw = {"use": "required", "password_types": ["PasswordText"]}
CLIENT: Raw = {"name": "old", "username": "old"}
DATED: Raw = {"timestamp": True, "sign": True}
KNOWN = {"Lead": frozenset({"{urn:x}get"})}


def signed_parts(*parts: str) -> Raw:
    return {**SIGNED, "signature": {"use": "required", "required_parts": ["Body", "Timestamp", *parts]}}


def old(*permissions: Raw, **algorithms: Any) -> Raw:
    usual = {"algorithm": "rsa-sha1", "clients": ["old"], "until": TODAY + 90 * DAY}
    legacy = [{**usual, **permission} for permission in permissions]
    return {"algorithms": {"legacy": legacy, **algorithms}, "client": [CLIENT]}


def exempt(**entry: Any) -> Raw:
    return {"exempt": [{"service": "Lead", **OWNED, **entry}]}


def open_to(**claim: Any) -> Raw:
    return {"exempt": [{**OWNED, **claim}]}


def reported(days: int) -> Raw:
    return {"client": [{**CLIENT, "mode": "report", "report_until": TODAY + days * DAY}]}


def trust(**trust: Any) -> Raw:
    return {"signature": {"use": "required"}, "trust": {"crl_files": ["a.crl"], **trust}}


OLD_ONES = ("rsa-sha1", "sha1", "c14n", "aes128-cbc", "rsa-1_5", "tripledes-cbc")

SHOWN: dict[str, Shown] = {
    "lint.unauthenticated": Shown({"unsafe_unauthenticated": True}, "unsafe_unauthenticated", {}),
    "lint.password_travels": Shown(
        {**SECRET, "username_token": TEXT},
        "username_token.password_types",
        {**SECRET, "username_token": TEXT, "encryption": {"use": "required", "required_parts": ["UsernameToken"]}},
    ),
    "lint.password_replayed": Shown(
        {"username_token": {**TEXT, "require_nonce": False}}, "username_token.require_nonce", {"username_token": TEXT}
    ),
    "lint.timestamp_optional": Shown({"timestamp": {"use": "optional"}}, "timestamp.use", {}),
    "lint.timestamp_undated": Shown(
        {"timestamp": {"require_created": False, "require_expires": True}}, "timestamp.require_created", {}
    ),
    "lint.window_long": Shown(
        {"timestamp": {"max_lifetime": 3601}}, "timestamp.max_lifetime", {"timestamp": {"max_lifetime": 3600}}
    ),
    "lint.window_short": Shown(
        {"timestamp": {"time_to_live": 29}}, "timestamp.time_to_live", {"timestamp": {"time_to_live": 30}}
    ),
    "lint.guessing_cheap": Shown(
        {"username_token": {"max_failures": 101}},
        "username_token.max_failures",
        {"username_token": {"max_failures": 101, "failure_window": 61}},
    ),
    "lint.headers_unsigned": Shown(
        {**SIGNED, "handoff": {"unsigned_headers": "keep"}}, "handoff.unsigned_headers", SIGNED
    ),
    "lint.body_unsigned": Shown(
        {**SIGNED, "signature": {"use": "required", "required_parts": ["Timestamp"]}},
        "signature.required_parts",
        SIGNED,
    ),
    "lint.timestamp_unsigned": Shown(
        {**SIGNED, "signature": {"use": "required", "required_parts": ["Body"]}}, "signature.required_parts", SIGNED
    ),
    "lint.part_never_there": Shown(
        signed_parts(f"{{{SOAP11}}}Body"), "signature.required_parts", signed_parts(f"{{{WSA_2005}}}MessageID")
    ),
    "lint.part_optional": Shown(
        {**signed_parts("UsernameToken"), "username_token": {"use": "optional"}},
        "username_token.use",
        signed_parts("UsernameToken"),
    ),
    "lint.authority_unnarrowed": Shown(
        trust(ca_files=["ca.pem"]),
        "trust.ca_files",
        trust(ca_files=["ca.pem"], subject_cert_constraints=["CN=.*,O=Us"]),
    ),
    "lint.revocation_unknown": Shown(
        trust(ca_files=["ca.pem"], crl_files=[]), "trust.crl_files", trust(ca_files=["ca.pem"])
    ),
    "lint.revocation_impossible": Shown(
        trust(ca_files=["ca.pem"], crl_files=[], crl_coverage="chain"),
        "trust.crl_coverage",
        trust(ca_files=["ca.pem"], crl_coverage="chain"),
    ),
    "lint.constraint_void": Shown(
        trust(ca_files=["ca.pem"], issuer_cert_constraints=[".*"]),
        "trust.issuer_cert_constraints",
        trust(ca_files=["ca.pem"], issuer_cert_constraints=["CN=.*"]),
    ),
    "lint.constraint_unasked": Shown(
        trust(ca_files=["ca.pem"], pinned_certificates=["a.pem"], subject_cert_constraints=["CN=a"]),
        "trust.subject_cert_constraints",
        trust(ca_files=["ca.pem"], known_certificates=["a.pem"], subject_cert_constraints=["CN=a"]),
    ),
    "lint.known_untrusted": Shown(
        trust(pinned_certificates=["a.pem"], known_certificates=["a.pem", "b.pem"]),
        "trust.known_certificates",
        trust(pinned_certificates=["a.pem", "b.pem"], known_certificates=["a.pem", "b.pem"]),
    ),
    "lint.algorithm_weak": Shown(
        {"algorithms": {"digest": ["sha1", "sha256"]}}, "algorithms.digest", {"algorithms": {"digest": ["sha256"]}}
    ),
    "lint.keys_short": Shown({"algorithms": {"min_rsa_bits": 2047}}, "algorithms.min_rsa_bits", {}),
    "lint.canonicalization_inclusive": Shown(
        {"algorithms": {"canonicalization": ["exc-c14n", "c14n11"]}},
        "algorithms.canonicalization",
        {"algorithms": {"canonicalization": ["exc-c14n", "exc-c14n-with-comments"]}},
    ),
    "lint.hmac_without_key": Shown(
        {"algorithms": {"signature": ["hmac-sha256"]}},
        "algorithms.signature",
        {"algorithms": {"signature": ["hmac-sha256"]}, **SHARES},
    ),
    "lint.legacy_over": Shown(old({"until": TODAY - DAY}), "algorithms.legacy[0]", old({"until": TODAY})),
    "lint.legacy_ends": Shown(
        old({"until": TODAY + 30 * DAY}), "algorithms.legacy[0]", old({"until": TODAY + 31 * DAY})
    ),
    "lint.legacy_far": Shown(
        old({"until": TODAY + 367 * DAY}), "algorithms.legacy[0].until", old({"until": TODAY + 366 * DAY})
    ),
    "lint.legacy_for_all": Shown(old({"clients": []}), "algorithms.legacy[0].clients", old({})),
    "lint.legacy_many": Shown(
        old(*({"algorithm": name} for name in OLD_ONES)),
        "algorithms.legacy",
        old(*({"algorithm": name} for name in OLD_ONES[:-1]), {"algorithm": OLD_ONES[-1], "until": TODAY - DAY}),
    ),
    "lint.legacy_superfluous": Shown(
        old({}, signature=["rsa-sha1"]), "algorithms.legacy[0].algorithm", old({}, signature=["rsa-sha256"])
    ),
    "lint.nobody_can_sign": Shown(
        {**SIGNED, **SHARES, "trust": {}},
        "algorithms.signature",
        {**SIGNED, **SHARES, "trust": {}, "algorithms": {"signature": ["hmac-sha256"]}},
    ),
    "lint.nobody_can_encrypt": Shown(
        {**SECRET, "algorithms": {"encryption": []}},
        "algorithms.encryption",
        {
            **SECRET,
            "algorithms": {"encryption": [], "legacy": [{"algorithm": "aes128-cbc", "until": TODAY}]},
        },
    ),
    "lint.client_cannot_call": Shown(
        {"client": [{"name": "c", "certificate": "c.pem"}]},
        "client[0]",
        {"client": [{"name": "c", "certificate": "c.pem"}], **PINNED},
    ),
    "lint.utf8_refused": Shown({"http": {"charsets": ["utf-16"]}}, "http.charsets", {"http": {"charsets": ["utf-8"]}}),
    "lint.anybody_encrypts": Shown({**OPENS, "encryption": {"use": "required"}}, "encryption.use", SECRET),
    "lint.body_in_the_clear": Shown(
        {**SECRET, "encryption": {"use": "required", "required_parts": ["Signature"]}},
        "encryption.required_parts",
        SECRET,
    ),
    "lint.top_refuses_algorithm": Shown(
        {**SECRET, "services": {"Pega": {"algorithms": {"encryption": ["aes128-cbc"]}}}},
        "services.Pega.algorithms",
        {**SECRET, "services": {"Pega": {"algorithms": {"encryption": ["aes128-gcm"]}}}},
    ),
    "lint.top_refuses_signer": Shown(
        {**SECRET, "services": {"Pega": {"trust": {"pinned_certificates": ["b.pem"]}}}},
        "services.Pega.trust",
        {**SECRET, "services": {"Pega": {"trust": {"pinned_certificates": ["a.pem"]}}}},
    ),
    "lint.key_unused": Shown(SIGNS, "keys.sign", {**SIGNS, "services": {"Lead": {"response": DATED}}}),
    "lint.answer_unsigned": Shown(
        {**SIGNS, "response": {"encrypt": "useReqSigCert"}},
        "response.sign",
        {**SIGNS, "response": {"encrypt": "useReqSigCert", **DATED}},
    ),
    "lint.answer_body_unsigned": Shown(
        {**SIGNS, "response": {**DATED, "signed_parts": ["Timestamp"]}},
        "response.signed_parts",
        {**SIGNS, "response": DATED},
    ),
    "lint.answer_undated": Shown(
        {**SIGNS, "response": {"sign": True}}, "response.timestamp", {**SIGNS, "response": DATED}
    ),
    "lint.answer_withheld": Shown(
        {**SIGNS, "signature": {}, "response": {**DATED, "encrypt": "useReqSigCert"}},
        "response.encrypt",
        {**SIGNS, "response": {**DATED, "encrypt": "useReqSigCert"}},
    ),
    "lint.answer_for_another": Shown(
        {
            **SIGNS,
            "response": {**DATED, "encrypt": "a"},
            "client": [{"name": "a", "certificate": "a.pem"}, {"name": "b", "certificate": "b.pem"}],
        },
        "response.encrypt",
        {**SIGNS, "response": {**DATED, "encrypt": "a"}, "client": [{"name": "a", "certificate": "a.pem"}]},
    ),
    "lint.fault_unsecured": Shown(
        {**SIGNS, "response": {**DATED, "secure_faults": False}},
        "response.secure_faults",
        {**SIGNS, "response": DATED},
    ),
    "lint.security_header_kept": Shown(
        {"handoff": {"remove_security_header": False}}, "handoff.remove_security_header", {}
    ),
    "lint.passwords_readable": Shown({"users": {"url": "toml:u.toml"}}, "users.url", {"users": {"url": "sqlite:///u"}}),
    "lint.replays_forgotten": Shown({"replay": {"url": "memory://"}}, "replay.url", {}),
    "lint.replays_evicted": Shown(
        {"replay": {"url": "rediss://r/0", "unsafe_eviction": True}},
        "replay.unsafe_eviction",
        {"replay": {"url": "rediss://r/0"}},
    ),
    "lint.replays_lost": Shown(
        {"replay": {"url": "rediss+sentinel://a,b/replays"}},
        "replay.wait_replicas",
        {"replay": {"url": "rediss+sentinel://a,b/replays", "wait_replicas": 1}},
    ),
    "lint.store_slow": Shown({"replay": {"deadline": 31}}, "replay.deadline", {"replay": {"deadline": 30}}),
    "lint.users_forgotten": Shown({"users": {"url": "memory://"}}, "users.url", {}),
    "lint.records_forgotten": Shown({"audit": {"url": "memory://"}}, "audit.url", {}),
    "lint.records_unreadable": Shown(
        {"audit": {"url": "stderr:"}}, "audit.url", {"audit": {"url": ["stderr:", "jsonl:a.jsonl"]}}
    ),
    "lint.records_dispensable": Shown({"audit": {"on_failure": "unsafe_continue"}}, "audit.on_failure", {}),
    "lint.retention_unusual": Shown(
        {"audit": {"retention_days": 29}}, "audit.retention_days", {"audit": {"retention_days": 30}}
    ),
    "lint.store_in_the_clear": Shown(
        {"replay": {"url": "redis://replays.internal/0"}},
        "replay.url",
        {"replay": {"url": "rediss://replays.internal/0"}},
    ),
    "lint.store_shared": Shown(
        {"audit": {"url": "sqlite:///one.db"}, "replay": {"url": "sqlite:///one.db"}},
        "audit.url",
        {"audit": {"url": "sqlite:///one.db"}, "replay": {"url": "sqlite:///two.db"}},
    ),
    "lint.decryption_oracle": Shown({**OPENS, "faults": {"detail": "standard"}}, "faults.detail", OPENS),
    "lint.faults_tell": Shown({"faults": {"detail": "detailed"}}, "faults.detail", {"faults": {"detail": "standard"}}),
    "lint.compression": Shown({"http": {"content_encodings": ["gzip"]}}, "http.content_encodings", {}),
    "lint.limit_high": Shown({"limits": {"namespaces": 257}}, "limits.namespaces", {"limits": {"namespaces": 256}}),
    "lint.limit_low": Shown({"limits": {"depth": 11}}, "limits.depth", {"limits": {"depth": 12}}),
    "lint.exemption_overdue": Shown(exempt(review=TODAY - DAY), "exempt[0].review", exempt(review=TODAY)),
    "lint.exemption_undocumented": Shown(exempt(owner=""), "exempt[0]", exempt()),
    "lint.exemption_due": Shown(exempt(review=TODAY + 30 * DAY), "exempt[0].review", exempt(review=TODAY + 31 * DAY)),
    "lint.exemption_far": Shown(exempt(review=TODAY + 367 * DAY), "exempt[0].review", exempt(review=TODAY + 366 * DAY)),
    "lint.exemption_wide": Shown(
        open_to(operations=["{urn:x}*"]), "exempt[0].operations", open_to(operations=["{urn:x}get"])
    ),
    "lint.operation_unknown": Shown(
        open_to(operations=["{urn:x}put"]), "exempt[0].operations", open_to(operations=["{urn:x}get"]), KNOWN
    ),
    "lint.client_reported": Shown(reported(0), "client[0].mode", {"client": [CLIENT]}),
    "lint.report_over": Shown(reported(-1), "client[0].mode", reported(0)),
    "lint.report_ends": Shown(reported(30), "client[0].report_until", reported(31)),
    "lint.report_long": Shown(reported(93), "client[0].report_until", reported(92)),
    "lint.client_service_unknown": Shown(
        {"client": [{**CLIENT, "services": ["Leed"]}]},
        "client[0].services",
        {"client": [{**CLIENT, "services": ["Lead"]}]},
        KNOWN,
    ),
    "lint.service_weaker": Shown(
        {"services": {"Lead": {"timestamp": {"time_to_live": 301}}}},
        "services.Lead",
        {"services": {"Lead": {"timestamp": {"time_to_live": 299}}}},
    ),
    "lint.pins_widened": Shown(
        {"trust": {"ca_files": ["ca.pem"]}, "services": {"Lead": PINNED}},
        "services.Lead.trust.ca_files",
        {
            "trust": {"ca_files": ["ca.pem"]},
            "services": {"Lead": {"trust": {"ca_files": [], "pinned_certificates": ["a.pem"]}}},
        },
    ),
    "lint.operations_left": Shown(
        {"services": {"Lead": {"operations": ["{urn:x}get"]}}},
        "services.Lead.operations",
        {"services": {"Lead": {"operations": ["{urn:x}get", "{urn:x}put"]}}},
        {"Lead": frozenset({"{urn:x}get", "{urn:x}put"})},
    ),
}
