"""Every rule has a name of its own, a row in the documents, a configuration that it finds and one that it does not."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

import wsguard.lint
from tests.lint.shown import (
    CLIENT,
    DATED,
    PINNED,
    SECRET,
    SHARES,
    SHOWN,
    SIGNED,
    SIGNS,
    TODAY,
    Raw,
    signed_parts,
    trust,
)
from tests.test_docs import keys_of
from wsguard.lint import CATALOGUE, RULES, Rule, findings
from wsguard.lint.material import MATERIAL_CATALOGUE
from wsguard.lint.signatures import is_never_there
from wsguard.lint.usage import USAGE_CATALOGUE
from wsguard.names import DS, SOAP11, SOAP12, WSA_2005, WSSE, WSU, XENC
from wsguard.policy import Limits, Policy

ROOT = Path(__file__).parents[2]


def found(shown: Raw, operations: Mapping[str, frozenset[str]] | None) -> set[tuple[str, str]]:
    listed = findings(Policy.model_validate(shown), operations, TODAY)
    assert [finding for finding in listed if finding.risk != RULES[finding.rule].risk] == []
    return {(finding.rule, finding.setting) for finding in listed}


@pytest.mark.parametrize("rule", list(SHOWN))
def test_a_rule_finds_what_it_looks_for_and_nothing_where_it_is_cured(rule: str) -> None:
    shown = SHOWN[rule]
    assert (rule, shown.setting) in found(shown.bad, shown.operations)
    assert rule not in {name for name, _ in found(shown.good, shown.operations)}


@pytest.mark.parametrize("rule", [name for name, shown in SHOWN.items() if not shown.operations])
def test_what_a_rule_finds_at_the_top_is_not_found_again_in_a_service_that_inherits_it(rule: str) -> None:
    bad = SHOWN[rule].bad
    inherited = {**bad, "services": {**bad.get("services", {}), "Inherits": {}}}
    assert {setting for name, setting in found(inherited, None) if name == rule and "Inherits" in setting} == set()


def test_every_rule_is_shown() -> None:
    elsewhere = {rule.name for rule in (*MATERIAL_CATALOGUE, *USAGE_CATALOGUE)}
    assert {*SHOWN, *elsewhere} == set(RULES)


def test_every_rule_has_a_name_of_its_own_and_is_in_the_catalogue() -> None:
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(wsguard.lint.__path__, "wsguard.lint.")
    ]
    made = {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Rule)}
    assert sorted(rule.name for rule in made.values()) == sorted(rule.name for rule in CATALOGUE)
    assert len({rule.name for rule in CATALOGUE}) == len(CATALOGUE) == len(RULES)
    assert [rule.name for rule in CATALOGUE if not re.fullmatch(r"lint\.[a-z0-9_]+", rule.name)] == []


def test_every_rule_is_documented_as_it_is() -> None:
    page = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `lint.")]
    assert rows == [f"| `{rule.name}` | {rule.risk} | {rule.finds} | {rule.cure} |" for rule in CATALOGUE]


ASKED_WITH_ANOTHER = {
    "timestamp.require_expires", "timestamp.future_time_to_live", "username_token.require_created",
    "username_token.time_to_live", "username_token.future_time_to_live", "username_token.failure_window",
    "signature.use", "algorithms.key_transport", "trust.pinned_certificates", "response.signature_confirmation",
    "limits.body_bytes", "limits.elements", "limits.memory_bytes", "limits.attributes_per_element",
    "limits.prefix_list", "limits.references", "limits.encrypted_keys", "limits.encrypted_data",
    "limits.response_bytes", "encryption.require_signed_encrypted_data", "services.NAME.operations", "exempt.paths",
    "exempt.service", "exempt.reason", "exempt.owner", "client.username", "client.shared_key", "audit.deadline",
    "users.deadline",
}  # fmt: skip
"""What a rule asks for, whose finding is shown at another key."""

OPENED = {"trust.intermediate_files", "keys.decrypt.file", "keys.sign.file", "client.certificate"}
"""What is looked at in its file."""

QUIET = {
    "response.key_identifier": "each form names the certificate; which one clients understand is theirs",
    "handoff.namespaces": "prefixes that a signed message may use; each is as good as another",
    "actor": "any name is as good as another",
    "replay.keep": "what is remembered for less is remembered as long as it may be taken",
    "replay.key_prefix": "any name is as good as another",
    "replay.ca_file": "a file that cannot be read is refused when the store is opened",
    "users.master_key_env": "a database without keys is refused",
    "audit.record": "accepted messages are many; the profile of the STIG asks for them",
    "audit.key_env": "a chain without a key is the default, and docs/audit.md says what it cannot show",
    "services.NAME.paths": "claims that overlap or match nothing are refused",
    "client.name": "any name is as good as another",
    **{
        f"{section}.{key}": "where a secret is; one that is not there is refused"
        for section in ("users", "replay", "audit")
        for key in ("url_env", "url_file")
    },
    **{
        f"keys.{key}": "a key that cannot be opened is refused"
        for key in (
            "decrypt.password_env", "decrypt.password_file", "decrypt.alias", "sign.password_env",
            "sign.password_file", "sign.alias", "shared.name", "shared.key_env", "shared.key_file",
        )
    },
}  # fmt: skip
"""Key -> why no value of it deserves a second look by itself."""


def test_every_key_of_the_configuration_was_thought_of() -> None:
    shown = {re.sub(r"\[\d+\]|^services\.\w+\.", "", one.setting) for one in SHOWN.values()}
    keys = {f"{path}.{key}".lstrip(".") for path, key in keys_of(Policy)}
    assert keys - shown == {*ASKED_WITH_ANOTHER, *OPENED, *QUIET}


# --- Edges of single rules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        f"{{{SOAP11}}}Body", f"{{{SOAP12}}}Body", f"{{{SOAP12}}}Header", f"{{{WSSE}}}Security", f"{{{WSU}}}Timestamp",
        f"{{{DS}}}Signature", f"{{{XENC}}}EncryptedData", "{urn:x}*", "{urn:x}1a", "{urn:x}-a",
    ],
)  # fmt: skip
def test_a_part_that_no_message_has_is_told(part: str) -> None:
    assert is_never_there(part)


@pytest.mark.parametrize(
    "part", ["Body", "Timestamp", f"{{{WSA_2005}}}To", "{urn:x}a", "{urn:x}Größe", "{urn:x}_a.b-c"]
)
def test_a_part_that_a_message_can_have_is_told_from_those(part: str) -> None:
    assert not is_never_there(part)


@pytest.mark.parametrize("section", ["replay", "audit"])
def test_a_server_that_may_keep_a_request_waiting_for_long_is_found(section: str) -> None:
    finding = ("lint.store_slow", f"{section}.deadline")
    assert finding in found({**SECRET, section: {"deadline": 31}}, None)
    assert finding not in found({**SECRET, section: {"deadline": 30}}, None)


@pytest.mark.parametrize("section", ["signature", "encryption"])
def test_a_part_that_is_never_there_matters_only_where_it_is_demanded(section: str) -> None:
    wrong = {"required_parts": ["{urn:x}*"]}
    listed = found({**SECRET, section: {"use": "optional", **wrong}}, None)
    assert "lint.part_never_there" not in {name for name, _ in listed}
    listed = found({**SECRET, section: {"use": "required", **wrong}}, None)
    assert ("lint.part_never_there", f"{section}.required_parts") in listed


def test_an_answer_that_can_never_be_signed_as_demanded_is_found() -> None:
    raw = {**SIGNS, "response": {**DATED, "signed_parts": ["Body", "Timestamp", f"{{{WSSE}}}Security"]}}
    assert ("lint.part_never_there", "response.signed_parts") in found(raw, None)


@pytest.mark.parametrize("key", ["signature", "digest", "canonicalization"])
def test_signatures_that_are_required_and_have_no_algorithm_are_found(key: str) -> None:
    raw = {**SIGNED, "algorithms": {key: []}}
    assert ("lint.nobody_can_sign", f"algorithms.{key}") in found(raw, None)
    assert "lint.nobody_can_sign" not in {name for name, _ in found({"algorithms": {key: []}}, None)}


def test_only_hmac_and_only_certificates_let_nobody_sign() -> None:
    raw = {**SIGNED, "algorithms": {"signature": ["hmac-sha256"]}}
    assert ("lint.nobody_can_sign", "algorithms.signature") in found(raw, None)
    assert "lint.nobody_can_sign" not in {name for name, _ in found({**raw, **SHARES}, None)}


def test_key_transport_is_needed_for_private_keys_only() -> None:
    raw = {**SECRET, "algorithms": {"key_transport": ["kw-aes128"]}}
    assert ("lint.nobody_can_encrypt", "algorithms.key_transport") in found(raw, None)
    assert "lint.nobody_can_encrypt" not in {name for name, _ in found({**raw, **SHARES}, None)}


CANNOT: list[tuple[str, Raw, str]] = [
    ("a user", {**SIGNED, "username_token": {"use": "forbidden"}, "client": [CLIENT]}, "UsernameToken"),
    (
        "a signer",
        {"signature": {"use": "forbidden"}, **PINNED, "client": [{"name": "c", "certificate": "c.pem"}]},
        "signature.use",
    ),
    ("a certificate", {"client": [{"name": "c", "certificate": "c.pem"}]}, "trust.ca_files"),
    ("a shared key", {**SHARES, "client": [{"name": "c", "shared_key": "bus"}]}, "hmac"),
]


@pytest.mark.parametrize(("raw", "reason"), [case[1:] for case in CANNOT], ids=[case[0] for case in CANNOT])
def test_a_client_that_can_never_be_authenticated_is_told_why(raw: Raw, reason: str) -> None:
    listed = findings(Policy.model_validate(raw), None, TODAY)
    texts = [finding.text for finding in listed if finding.rule == "lint.client_cannot_call"]
    assert len(texts) == 1
    assert reason in texts[0]


def test_a_client_that_needs_no_signature_can_call_where_none_is_taken() -> None:
    raw: Raw = {"signature": {"use": "forbidden"}, "client": [CLIENT]}
    assert "lint.client_cannot_call" not in {name for name, _ in found(raw, None)}


def test_a_client_that_can_call_one_service_can_call() -> None:
    raw = {**CANNOT[0][1], "services": {"Lead": {"username_token": {"use": "required"}}}}
    assert "lint.client_cannot_call" not in {name for name, _ in found(raw, None)}
    elsewhere = {**raw, "client": [{**CLIENT, "services": ["Other"]}]}
    assert ("lint.client_cannot_call", "client[0]") in found(elsewhere, None)


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("redis://localhost/0", False),
        ("redis://127.0.0.1:6379/0", False),
        ("redis://10.0.0.5:6379/0", True),
        ("postgresql+psycopg://db.internal/replay", True),
        ("postgresql+psycopg://db.internal/replay?sslmode=prefer", True),
        ("postgresql+psycopg://db.internal/replay?sslmode=verify-full", False),
        ("postgresql+psycopg:///replay?host=/run/postgresql", False),
        ("redis://[", False),
        ("redis+sentinel://a.internal:26379,b.internal/replays", True),
        ("redis+unix:///run/redis.sock", False),
    ],
)
def test_a_store_is_in_the_clear_only_on_another_machine_and_without_tls(url: str, clear: bool) -> None:
    assert (("lint.store_in_the_clear", "replay.url") in found({"replay": {"url": url}}, None)) is clear


def test_only_files_are_shared_between_stores() -> None:
    server = "postgresql+psycopg://localhost/all"
    for url in ("sqlite:///:memory:", server):
        listed = found({"users": {"url": url}, "replay": {"url": url}}, None)
        assert "lint.store_shared" not in {name for name, _ in listed}


@pytest.mark.parametrize("limit", list(Limits.model_fields))
def test_every_limit_has_a_height_that_is_questioned(limit: str) -> None:
    high = 129 if limit == "depth" else getattr(Limits(), limit) * 4 + 1
    # A body of many bytes needs memory, which at four times the default is not questioned itself.
    room = {} if limit == "memory_bytes" else {"memory_bytes": Limits().memory_bytes * 4}
    assert ("lint.limit_high", f"limits.{limit}") in found({"limits": {**room, limit: high}}, None)
    assert found({"limits": {**room, limit: high - 1}}, None) == set()


WEAKER: dict[str, tuple[Raw, Raw]] = {
    "signature.use": (SIGNED, {"signature": {"use": "optional"}}),
    "username_token.use": ({}, {"username_token": {"use": "optional"}, **SIGNED, "unsafe_unauthenticated": False}),
    "signature.required_parts": (signed_parts("{urn:x}a"), {"signature": {"required_parts": ["Body", "Timestamp"]}}),
    "timestamp.require_expires": ({"timestamp": {"require_expires": True}}, {"timestamp": {"require_expires": False}}),
    "username_token.max_failures": ({}, {"username_token": {"max_failures": 11}}),
    "username_token.password_types": ({}, {"username_token": {"password_types": ["PasswordText", "PasswordDigest"]}}),
    "algorithms.min_rsa_bits": ({}, {"algorithms": {"min_rsa_bits": 1024}}),
    "trust.crl_coverage": ({"trust": {"crl_coverage": "chain"}}, {"trust": {"crl_coverage": "listed"}}),
    "trust.crl_files": (trust(ca_files=["a.pem"]), {"trust": {"crl_files": []}}),
    "handoff.unsigned_headers": ({}, {"handoff": {"unsigned_headers": "keep"}}),
}


@pytest.mark.parametrize("setting", list(WEAKER))
def test_what_a_service_demands_less_is_named(setting: str) -> None:
    top, service = WEAKER[setting]
    if setting == "username_token.use":
        top = {**SIGNED}
    listed = findings(Policy.model_validate({**top, "services": {"Lead": service}}), None, TODAY)
    assert [finding.text for finding in listed if finding.rule == "lint.service_weaker"] == [
        f"whoever calls it needs less than elsewhere: {setting}"
    ]
    turned = findings(Policy.model_validate({**top, "services": {"Lead": {}}}), None, TODAY)
    assert "lint.service_weaker" not in {finding.rule for finding in turned}


def test_references_are_needed_only_where_somebody_may_sign() -> None:
    raw: Raw = {"limits": {"references": 1}}
    assert ("lint.limit_low", "limits.references") in found(raw, None)
    assert found({**raw, "signature": {"use": "forbidden"}}, None) == set()


def test_a_signer_in_the_place_of_a_user_is_not_less() -> None:
    service = {"username_token": {"use": "forbidden"}, **SIGNED}
    assert "lint.service_weaker" not in {name for name, _ in found({"services": {"Pega": service}}, None)}


SIGNERS: Final = {"username_token": {"use": "required", "password_types": ["DerivedKey"]}}
HMAC: Final = {"algorithms": {"signature": ["hmac-sha256", "rsa-sha256"]}}


def test_hmacs_are_for_users_who_sign_too() -> None:
    assert ("lint.hmac_without_key", "algorithms.signature") not in found({**SECRET, **SIGNERS, **HMAC}, None)


def test_users_who_sign_and_have_no_algorithm_are_found() -> None:
    finding = ("lint.nobody_can_sign", "algorithms.signature")
    assert finding in found({**SECRET, **SIGNERS}, None)
    assert finding not in found({**SECRET, **SIGNERS, **HMAC}, None)


def test_what_users_who_sign_leave_out_is_found() -> None:
    open_to_all = {**SECRET, **SIGNERS, **HMAC, "signature": {"required_parts": ["UsernameToken"]}}
    kept = {**open_to_all, "handoff": {"unsigned_headers": "keep"}}
    names = {name for name, _ in found(kept, None)}
    assert {"lint.body_unsigned", "lint.timestamp_unsigned", "lint.headers_unsigned"} <= names


@pytest.mark.parametrize("operations", [["{urn:x}*"], ["{urn:y}z"], []])
def test_a_section_of_a_whole_service_or_of_others_leaves_no_operation(operations: list[str]) -> None:
    known = {"Lead": frozenset({"{urn:x}get", "{urn:x}put"})}
    listed = found({"services": {"Lead": {"operations": operations, "paths": ["/x"]}}}, known)
    assert "lint.operations_left" not in {name for name, _ in listed}
