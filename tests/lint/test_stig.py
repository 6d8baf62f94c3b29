"""The profile of the STIG: each rule is met, missed and not applicable by the settings that decide it."""

from datetime import date, timedelta
from typing import Any

import pytest

from wsguard.lint.stig import STIG_RULES, WHOLE, Row, Subject, stig_rows
from wsguard.names import WSA_2004, WSA_2005
from wsguard.policy import Policy

TODAY = date(2026, 6, 15)
DAY = timedelta(days=1)

Raw = dict[str, Any]

STRICT: Raw = {
    "timestamp": {"require_expires": True},
    "signature": {"use": "required", "required_parts": ["Body", "Timestamp", f"{{{WSA_2005}}}MessageID"]},
    "trust": {"ca_files": ["ca.pem"], "crl_files": ["ca.crl"], "crl_coverage": "chain"},
    "audit": {"record": "all"},
}
"""Meets everything that a setting decides."""


def changed(**sections: Any) -> Raw:
    """STRICT with other values in some keys."""
    raw = dict(STRICT)
    for section, values in sections.items():
        raw[section] = {**raw.get(section, {}), **values} if isinstance(values, dict) else values
    return raw


def rows(raw: Raw) -> list[Row]:
    """As the command line asks: for each exemption, each service, and what holds for the rest."""
    policy = Policy.model_validate(raw)
    exempt = [
        Subject(service=entry.service, demands=policy, key=f"exempt[{index}]", exemption=entry)
        for index, entry in enumerate(policy.exempt)
    ]
    services = [Subject(service=name, demands=demands) for name, demands in policy.services.items()]
    return stig_rows(policy, [*exempt, *services, Subject(service="", demands=policy)], TODAY)


def missed(raw: Raw, service: str = "") -> set[str]:
    return {row.id for row in rows(raw) if row.status == "not met" and row.service in (service, WHOLE)}


def row(raw: Raw, rule: str, service: str = "") -> Row:
    (found,) = (one for one in rows(raw) if one.id == rule and one.service in (service, WHOLE))
    return found


def test_a_configuration_can_meet_everything() -> None:
    assert {one.status for one in rows(STRICT)} == {"met"}
    assert {one.cure for one in rows(STRICT)} == {""}
    assert all(one.evidence for one in rows(STRICT))


def test_the_defaults_do_not() -> None:
    assert missed({}) == {"V-222398", "V-222399", "V-222462"}
    assert row({}, "V-222550").status == "not applicable"


REPORTED = {"client": [{"name": "c", "username": "c", "mode": "report", "report_until": TODAY}]}
EVERY_MESSAGE = {"V-222398", "V-222399", "V-222400", "V-222530", "V-222531"}
REPLAY = {"V-222530", "V-222531"}
SHARED: Raw = {"keys": {"shared": [{"name": "bus", "key_env": "BUS"}]}}
MISSED: list[tuple[str, Raw, set[str]]] = [
    ("a signature is optional", changed(signature={"use": "optional"}), {"V-222398"}),
    ("no Body", changed(signature={"required_parts": ["Timestamp", f"{{{WSA_2005}}}MessageID"]}), {"V-222398"}),
    ("no Timestamp", changed(signature={"required_parts": ["Body", f"{{{WSA_2005}}}MessageID"]}), {"V-222398"}),
    ("no message id", changed(signature={"required_parts": ["Body", "Timestamp"]}), {"V-222398"}),
    ("unsigned headers", changed(handoff={"unsigned_headers": "keep"}), {"V-222398"}),
    ("only shared keys", {**changed(trust={"ca_files": []}), **SHARED}, {"V-222398"}),
    (
        "shared keys too",
        {**changed(algorithms={"signature": ["rsa-sha256", "hmac-sha256"]}), **SHARED},
        {"V-222398"},
    ),
    (
        "shared keys by permission",
        {**changed(algorithms={"legacy": [{"algorithm": "hmac-sha1", "until": TODAY}]}), **SHARED},
        {"V-222398"},
    ),
    ("a Timestamp is optional", changed(timestamp={"use": "optional"}), {"V-222399", "V-222400"}),
    ("no Created", changed(timestamp={"require_created": False}), {"V-222399"}),
    ("no Expires", changed(timestamp={"require_expires": False}), {"V-222399"}),
    (
        "answers without Timestamp",
        {**changed(response={"sign": True}), "keys": {"sign": {"file": "a.p12"}}},
        {"V-222399"},
    ),
    ("a long life", changed(timestamp={"time_to_live": 3601}), {"V-222400"}),
    ("a far future", changed(timestamp={"future_time_to_live": 3601}), {"V-222400"}),
    ("a far end", changed(timestamp={"max_lifetime": 3601}), {"V-222400"}),
    ("a token of long life", changed(username_token={"time_to_live": 3601}), {"V-222400"}),
    ("readable passwords", changed(username_token={"password_types": ["PasswordText"]}), {"V-222543"}),
    (
        "readable passwords beside a hidden Body",
        {
            **changed(username_token={"password_types": ["PasswordText"]}, encryption={"use": "required"}),
            "keys": {"decrypt": [{"file": "a.p12"}]},
        },
        {"V-222543"},
    ),
    (
        "passwords that may be hidden",
        changed(
            username_token={"password_types": ["PasswordText"]},
            encryption={"use": "optional", "required_parts": ["UsernameToken"]},
        ),
        {"V-222543"},
    ),
    (
        "undated passwords",
        changed(username_token={"password_types": ["PasswordText"], "require_created": False}),
        {"V-222400", "V-222543", *REPLAY},
    ),
    (
        "passwords without nonce",
        changed(username_token={"password_types": ["PasswordText"], "require_nonce": False}),
        {"V-222543", *REPLAY},
    ),
    ("replays forgotten", changed(replay={"url": "memory://"}), REPLAY),
    (
        "anybody",
        changed(unsafe_unauthenticated=True, username_token={"use": "optional"}, signature={"use": "optional"}),
        {"V-222398", *REPLAY},
    ),
    ("success unrecorded", changed(audit={"record": "rejected"}), {"V-222462"}),
    ("records forgotten", changed(audit={"url": "memory://"}), {"V-222462"}),
    ("unrecorded requests", changed(audit={"on_failure": "unsafe_continue"}), {"V-222486"}),
    ("pinned certificates", changed(trust={"pinned_certificates": ["a.pem"]}), {"V-222550"}),
    ("only pinned certificates", changed(trust={"ca_files": [], "pinned_certificates": ["a.pem"]}), {"V-222550"}),
    ("some status", changed(trust={"crl_coverage": "listed"}), {"V-222550"}),
    ("no status", changed(trust={"crl_files": []}), {"V-222550"}),
    ("a client that is only reported", {**STRICT, **REPORTED}, EVERY_MESSAGE),
]


@pytest.mark.parametrize(("raw", "rules"), [case[1:] for case in MISSED], ids=[case[0] for case in MISSED])
def test_each_setting_breaks_the_rules_that_it_decides_and_says_the_cure(raw: Raw, rules: set[str]) -> None:
    assert missed(raw) == rules
    for one in rows(raw):
        assert (one.cure != "") is (one.status == "not met")


def test_every_rule_is_broken_by_something() -> None:
    assert set().union(*(rules for _, _, rules in MISSED)) == {rule.id for rule in STIG_RULES}


MET: list[tuple[str, Raw]] = [
    (
        "the message id of 2004",
        changed(signature={"required_parts": ["Body", "Timestamp", f"{{{WSA_2004}}}MessageID"]}),
    ),
    ("more parts", changed(signature={"required_parts": [*STRICT["signature"]["required_parts"], "UsernameToken"]})),
    (
        "hidden passwords",
        {
            **changed(
                username_token={"password_types": ["PasswordText"]},
                encryption={"use": "required", "required_parts": ["Body", "UsernameToken"]},
            ),
            "keys": {"decrypt": [{"file": "a.p12"}]},
        },
    ),
    (
        "dated answers",
        {**changed(response={"sign": True, "timestamp": True}), "keys": {"sign": {"file": "a.p12"}}},
    ),
    ("hmac without a key", changed(algorithms={"signature": ["rsa-sha256", "hmac-sha256"]})),
    (
        "a permission that ended",
        {**changed(algorithms={"legacy": [{"algorithm": "hmac-sha1", "until": TODAY - DAY}]}), **SHARED},
    ),
    ("stores named by the environment", changed(replay={"url_env": "R"}, audit={"url_env": "A", "record": "all"})),
    ("stores named by files", changed(replay={"url_file": "r.txt"}, audit={"url_file": "a.txt", "record": "all"})),
    ("a report that is over", {**STRICT, "client": [{**REPORTED["client"][0], "report_until": TODAY - DAY}]}),
    ("a report for another service", {**STRICT, "client": [{**REPORTED["client"][0], "services": ["Other"]}]}),
    ("records in two places", changed(audit={"url": ["memory://", "sqlite:///a.db"]})),
]


@pytest.mark.parametrize("raw", [case[1] for case in MET], ids=[case[0] for case in MET])
def test_what_only_looks_like_less_meets_everything(raw: Raw) -> None:
    assert missed(raw) == set()


def test_a_rule_that_does_not_apply_says_why() -> None:
    signers = changed(username_token={"use": "forbidden"})
    assert (row(signers, "V-222543").status, row(signers, "V-222543").evidence) == (
        "not applicable",
        ("no password is taken",),
    )
    users = changed(signature={"use": "forbidden"}, trust={"ca_files": []})
    assert row(users, "V-222550").status == "not applicable"
    nothing = {section: {"use": "forbidden"} for section in ("timestamp", "username_token", "signature", "encryption")}
    statuses = {one.id: one.status for one in rows({"unsafe_unauthenticated": True, **nothing})}
    assert statuses["V-222399"] == statuses["V-222400"] == "not applicable"
    assert statuses["V-222398"] == "not met"


EXEMPT = {"service": "Lead", "reason": "public form", "owner": "marketing", "review": TODAY}


def test_an_exemption_that_somebody_answers_for_is_not_measured() -> None:
    raw = {**STRICT, "exempt": [EXEMPT]}
    lead = [one for one in rows(raw) if one.service == "Lead"]
    assert {one.status for one in lead} == {"not applicable"}
    assert row(raw, "V-222398", "Lead").evidence == ("exempt, public form: marketing answers for it until 2026-06-15",)


@pytest.mark.parametrize("lacking", [{"reason": ""}, {"owner": ""}, {"review": None}, {"review": TODAY - DAY}], ids=str)
def test_an_exemption_that_nobody_answers_for_is_a_service_without_integrity(lacking: Raw) -> None:
    raw = {**STRICT, "exempt": [{key: value for key, value in {**EXEMPT, **lacking}.items() if value is not None}]}
    assert missed(raw, "Lead") == {"V-222398"}
    assert row(raw, "V-222398", "Lead").evidence[0].startswith("exempt[0] = ")


def test_each_service_is_measured_by_its_own_demands() -> None:
    raw = {**STRICT, "services": {"Old": {"timestamp": {"require_expires": False}}, "New": {}}}
    policy_rows = rows(raw)
    assert {(one.id, one.service) for one in policy_rows if one.status == "not met"} == {("V-222399", "Old")}
    assert "services.Old.timestamp.require_expires = false" in row(raw, "V-222399", "Old").evidence
    assert row(raw, "V-222399", "Old").cure == "set timestamp.require_expires = true"


def test_what_there_is_once_is_one_row_with_the_key_path_of_the_top() -> None:
    raw = {**STRICT, "services": {"Lead": {}, "all": {}}}
    once = [one for one in rows(raw) if one.id in ("V-222462", "V-222486")]
    assert [(one.id, one.service) for one in once] == [("V-222462", WHOLE), ("V-222486", WHOLE)]
    assert once[0].evidence[0] == "audit.record = all"


def test_a_client_in_report_mode_spares_only_the_services_that_it_may_call() -> None:
    raw = {**STRICT, "services": {"Old": {}}, "client": [{**REPORTED["client"][0], "services": ["Old"]}]}
    assert missed(raw) == set()
    assert missed(raw, "Old") == EVERY_MESSAGE


def test_the_url_of_a_store_is_never_shown_whole() -> None:
    raw = changed(replay={"url": "redis://user@replays.internal/0"})
    assert row(raw, "V-222531").evidence[1] == "replay.url = redis:…"


def test_where_a_store_is_named_elsewhere_nothing_is_said_of_the_default() -> None:
    for replay in ({"url_env": "R"}, {"url_file": "r.txt"}):
        assert row(changed(replay=replay), "V-222531").evidence[1] == "replay.url = elsewhere"


def test_pinned_certificates_are_certificates() -> None:
    pinned = changed(trust={"ca_files": [], "pinned_certificates": ["a.pem"]})
    assert "trust = certificates" in row(pinned, "V-222398").evidence
    assert "trust = none" in row({}, "V-222398").evidence


def test_the_rules_are_those_that_are_documented_in_their_order() -> None:
    assert [rule.id for rule in STIG_RULES] == sorted({rule.id for rule in STIG_RULES})
    assert {"V-222398", "V-222399", "V-222400"} <= {rule.id for rule in STIG_RULES}
