"""What a policy permits and an operator should know of is found, with its risk and the setting to change."""

from datetime import date
from typing import Any

import pytest

from wsguard.lint import RISKS, Finding, findings
from wsguard.policy import Policy

TODAY = date(2026, 6, 15)
BARE: dict[str, Any] = {}


def found(raw: dict[str, Any], operations: dict[str, frozenset[str]] | None = None) -> dict[str, Finding]:
    listed = findings(Policy.model_validate(raw), operations, TODAY)
    assert len({finding.setting for finding in listed}) == len(listed)
    return {finding.setting: finding for finding in listed}


def risks(raw: dict[str, Any]) -> dict[str, str]:
    return {setting: finding.risk for setting, finding in found(raw).items()}


def test_the_defaults_have_no_finding() -> None:
    assert found(BARE) == {}


LEGACY = {"algorithm": "tripledes-cbc", "clients": ["old"]}
OLD = {"client": [{"name": "old", "username": "u"}]}
SIGNED: dict[str, Any] = {"signature": {"use": "required"}, "trust": {"pinned_certificates": ["a.pem"]}}
TRUSTED: dict[str, Any] = {"trust": {"ca_files": ["ca.pem"]}}
OPENS: dict[str, Any] = {"keys": {"decrypt": [{"file": "a.p12"}]}}
OWN: dict[str, Any] = {"keys": {**OPENS["keys"], "sign": {"file": "a.p12"}}}
ANSWERS: dict[str, Any] = {**OWN, **SIGNED}
SECURED: dict[str, Any] = {"timestamp": True, "sign": True, "encrypt": "useReqSigCert"}
CASES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("nobody is authenticated", {"unsafe_unauthenticated": True}, {"unsafe_unauthenticated": "high"}),
    ("users in a file", {"users": {"url": "toml:users.toml"}}, {"users.url": "medium"}),
    ("users in memory", {"users": {"url": "memory://"}}, {"users.url": "medium"}),
    ("replays in memory", {"replay": {"url": "memory://"}}, {"replay.url": "high"}),
    ("audit in memory", {"audit": {"url": "memory://"}}, {"audit.url": "medium"}),
    ("audit in memory and elsewhere", {"audit": {"url": ["memory://", "stderr:"]}}, {}),
    ("requests without record", {"audit": {"on_failure": "unsafe_continue"}}, {"audit.on_failure": "high"}),
    (
        "the password itself",
        {"username_token": {"password_types": ["PasswordText"]}},
        {"username_token.password_types": "medium"},
    ),
    (
        "the password itself, again and again",
        {"username_token": {"password_types": ["PasswordText"], "require_nonce": False}},
        {"username_token.password_types": "medium", "username_token.require_nonce": "medium"},
    ),
    (
        "the password itself, without time",
        {"username_token": {"password_types": ["PasswordText"], "require_created": False}},
        {"username_token.password_types": "medium", "username_token.require_created": "medium"},
    ),
    (
        "password types that are forbidden anyway",
        {"username_token": {"use": "forbidden", "password_types": ["PasswordText"]}, **SIGNED},
        {},
    ),
    ("no time needed", {"timestamp": {"use": "optional"}}, {"timestamp.use": "medium"}),
    ("no time wanted", {"timestamp": {"use": "forbidden"}}, {"timestamp.use": "medium"}),
    ("a window of an hour", {"timestamp": {"time_to_live": 3600}}, {}),
    ("a window of more", {"timestamp": {"time_to_live": 3601}}, {"timestamp.time_to_live": "low"}),
    (
        "a future of more",
        {"username_token": {"future_time_to_live": 86400}},
        {"username_token.future_time_to_live": "low"},
    ),
    ("sha-1", {"algorithms": {"digest": ["sha1", "sha256"]}}, {"algorithms.digest": "medium"}),
    ("cbc", {"algorithms": {"encryption": ["aes128-cbc"]}}, {"algorithms.encryption": "medium"}),
    ("rsa 1.5", {"algorithms": {"key_transport": ["rsa-1_5"]}}, {"algorithms.key_transport": "medium"}),
    ("rsa-sha1", {"algorithms": {"signature": ["rsa-sha1"]}}, {"algorithms.signature": "medium"}),
    ("small keys", {"algorithms": {"min_rsa_bits": 1024}}, {"algorithms.min_rsa_bits": "medium"}),
    (
        "a permission that ended yesterday",
        {"algorithms": {"legacy": [{**LEGACY, "until": date(2026, 6, 14)}]}, **OLD},
        {"algorithms.legacy[0]": "low"},
    ),
    (
        "a permission in its last month",
        {"algorithms": {"legacy": [{**LEGACY, "until": date(2026, 7, 15)}]}, **OLD},
        {"algorithms.legacy[0]": "low"},
    ),
    (
        "a permission with time left",
        {"algorithms": {"legacy": [{**LEGACY, "until": date(2026, 7, 16)}]}, **OLD},
        {},
    ),
    (
        "unsigned headers beside a signature",
        {**SIGNED, "handoff": {"unsigned_headers": "keep"}},
        {"handoff.unsigned_headers": "medium"},
    ),
    ("unsigned headers where nothing is signed", {"handoff": {"unsigned_headers": "keep"}}, {}),
    ("a signature over all that matters, by a pinned key", SIGNED, {}),
    (
        "a Body that need not be signed",
        {**SIGNED, "signature": {"use": "required", "required_parts": ["Timestamp"]}},
        {"signature.required_parts": "high"},
    ),
    (
        "a Timestamp that need not be signed",
        {**SIGNED, "signature": {"use": "required", "required_parts": ["Body"]}},
        {"signature.required_parts": "high"},
    ),
    ("authorities that vouch for all", TRUSTED, {"trust.ca_files": "medium", "trust.crl_files": "low"}),
    (
        "authorities that vouch for some",
        {"trust": {**TRUSTED["trust"], "subject_cert_constraints": ["CN=.*"], "crl_files": ["ca.crl"]}},
        {},
    ),
    ("authorities where nothing may be signed", {**TRUSTED, "signature": {"use": "forbidden"}}, {}),
    ("SHA-1 for everybody", {"algorithms": {"digest": ["sha1"]}}, {"algorithms.digest": "medium"}),
    ("HMAC without a key", {"algorithms": {"signature": ["hmac-sha256"]}}, {"algorithms.signature": "low"}),
    (
        "HMAC with a key",
        {
            "algorithms": {"signature": ["hmac-sha256"]},
            "keys": {"shared": [{"name": "bus", "key_env": "BUS_KEY"}]},
        },
        {},
    ),
    (
        "faults in the clear",
        {**ANSWERS, "response": {**SECURED, "secure_faults": False}},
        {"response.secure_faults": "low"},
    ),
    ("secured answers", {**ANSWERS, "response": SECURED}, {}),
    (
        "answers that nobody signs",
        {**OPENS, **SIGNED, "response": {"encrypt": "useReqSigCert"}},
        {"response.sign": "medium"},
    ),
    (
        "answers whose Body nobody signs",
        {**ANSWERS, "response": {**SECURED, "signed_parts": ["Timestamp"]}},
        {"response.signed_parts": "medium"},
    ),
    ("answers that never get old", {**ANSWERS, "response": {"sign": True}}, {"response.timestamp": "medium"}),
    (
        "answers with a date that nobody signs",
        {**ANSWERS, "response": {"sign": True, "timestamp": True, "signed_parts": ["Body"]}},
        {"response.timestamp": "medium"},
    ),
    (
        "answers that say what they answer",
        {**ANSWERS, "response": {"sign": True, "signature_confirmation": True}},
        {},
    ),
    (
        "answers for signers who need not sign",
        {**OWN, "response": SECURED},
        {"response.encrypt": "medium"},
    ),
    ("encrypted and signed", {**OPENS, **SIGNED, "encryption": {"use": "required"}}, {}),
    ("encrypted by anybody", {**OPENS, "encryption": {"use": "required"}}, {"encryption.use": "medium"}),
    ("encrypted by whoever likes", {**OPENS, "encryption": {"use": "optional"}}, {}),
    ("talkative faults", {"faults": {"detail": "detailed"}}, {"faults.detail": "medium"}),
    ("standard faults without keys", {"faults": {"detail": "standard"}}, {}),
    (
        "an oracle that says much",
        {"faults": {"detail": "detailed"}, "keys": {"decrypt": [{"file": "a.p12"}]}},
        {"faults.detail": "high"},
    ),
    (
        "an oracle",
        {"faults": {"detail": "standard"}, "keys": {"decrypt": [{"file": "a.p12"}]}},
        {"faults.detail": "high"},
    ),
    ("a client that is served as demanded", {"client": [{"name": "c", "username": "u"}]}, {}),
    (
        "a client that is only reported",
        {"client": [{"name": "c", "username": "u", "mode": "report", "report_until": TODAY}]},
        {"client[0].mode": "high", "client[0].report_until": "low"},
    ),
    (
        "a client that was only reported",
        {"client": [{"name": "c", "username": "u", "mode": "report", "report_until": date(2026, 6, 14)}]},
        {"client[0].mode": "low"},
    ),
]


@pytest.mark.parametrize(("raw", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_permission_is_found_with_its_risk(raw: dict[str, Any], expected: dict[str, str]) -> None:
    assert risks(raw) == expected


def test_an_exemption_is_quiet_while_somebody_answers_for_it() -> None:
    entry = {"service": "Lead", "reason": "form", "owner": "marketing", "review": TODAY}
    assert found({"exempt": [entry]}) == {}
    assert risks({"exempt": [{**entry, "review": date(2026, 6, 14)}]}) == {"exempt[0].review": "high"}


def test_an_exemption_that_nobody_answers_for_says_what_is_missing() -> None:
    finding = found({"exempt": [{"paths": ["/lead"], "reason": "form"}]})["exempt[0]"]
    assert (finding.risk, finding.text) == ("medium", "/lead needs no security, and the entry has no owner, no review")


def test_a_service_is_named_only_where_it_is_weaker_than_the_top() -> None:
    weak = {"use": "optional"}
    assert set(found({"services": {"Lead": {"timestamp": weak}}})) == {
        "services.Lead",
        "services.Lead.timestamp.use",
    }
    assert set(found({"timestamp": weak, "services": {"Lead": {}}})) == {"timestamp.use"}
    assert set(found({"timestamp": weak, "services": {"Lead": {"timestamp": {"use": "required"}}}})) == {
        "timestamp.use"
    }


def for_pega(**service: Any) -> dict[str, Any]:
    encrypted = {"encryption": {"use": "required"}, "operations": ["{urn:x}*"], **SIGNED, **service}
    return {**OPENS, "trust": {"pinned_certificates": ["a.pem"]}, "services": {"Pega": encrypted}}


def permission(algorithm: str) -> dict[str, Any]:
    return {"algorithm": algorithm, "until": date(2027, 1, 1)}


def test_what_an_encrypted_message_needs_stands_at_the_top() -> None:
    assert found(for_pega()) == {}
    old = {"algorithms": {"encryption": ["tripledes-cbc"], "legacy": [permission("sha1")]}}
    listed = found(for_pega(**old))
    assert {setting for setting, finding in listed.items() if "before anybody can see" in finding.text} == {
        "services.Pega.algorithms"
    }
    assert listed["services.Pega.algorithms"].text.startswith("sha1, tripledes-cbc: ")
    everywhere = {"algorithms": {"legacy": [permission("sha1"), permission("tripledes-cbc")]}}
    assert set(found({**for_pega(**old), **everywhere})) == {
        "services.Pega.algorithms.encryption",
        "algorithms.legacy[0].clients",
        "algorithms.legacy[1].clients",
    }
    elsewhere = {"trust": {"pinned_certificates": ["a.pem", "b.pem"]}}
    assert risks(for_pega(**elsewhere)) == {"services.Pega.trust": "medium"}
    narrowed = {"trust": {"subject_cert_constraints": ["CN=pega"]}}
    assert risks(for_pega(**narrowed)) == {"services.Pega.trust.subject_cert_constraints": "low"}
    in_sight = {"encryption": {"use": "required", "required_parts": ["Signature"]}}
    assert risks(for_pega(**elsewhere, **in_sight)) == {"services.Pega.encryption.required_parts": "low"}


def test_operations_that_the_application_does_not_have_are_found() -> None:
    raw = {
        "services": {"Lead": {"operations": ["{urn:x}get", "{urn:y}*"]}, "Other": {"operations": ["{urn:x}*"]}},
        "exempt": [{"operations": ["{urn:x}put"], "reason": "r", "owner": "o", "review": TODAY}],
    }
    known = {"Service": frozenset({"{urn:x}get"})}
    texts = {setting: finding.text for setting, finding in found(raw, known).items()}
    assert texts == {
        "services.Lead.operations": "the application has no operation {urn:y}*",
        "exempt[0].operations": "the application has no operation {urn:x}put",
    }
    assert found(raw) == {}


def test_the_highest_risk_comes_first() -> None:
    raw = {"timestamp": {"use": "optional", "time_to_live": 9999}, "replay": {"url": "memory://"}}
    listed = [finding.risk for finding in findings(Policy.model_validate(raw), None, TODAY)]
    assert listed == sorted(listed, key=RISKS.index)
    assert listed == ["high", "medium", "low"]
