"""``wsguard check``: files, audit and profile, in what it prints and how it ends."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from tests import pki
from tests.pki import START
from tests.test_docs import blocks
from wsguard.audit import open_audit
from wsguard.cli.application import application
from wsguard.cli.exemption_usage import exemption_usage
from wsguard.cli.second_look import second_look
from wsguard.config import load_policy
from wsguard.interfaces import AuditRecord, RequestOutcome
from wsguard.lint import RULES
from wsguard.lint.stig import STIG_RULES
from wsguard.policy import Policy

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
USERS = '[users]\nurl = "toml:users.toml"\n'
EXEMPT = '[[exempt]]\nservice = "Lead"\nreason = "form"\nowner = "marketing"\nreview = 2999-01-01\n'
(STIG,) = (block.text for block in blocks("toml") if block.page == "docs/lint.md")
"""The configuration that the page says meets everything."""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "users.toml").write_text('"alice" = "secret"\n')
    # The command has the clock of this machine.
    far = datetime(2999, 1, 1, tzinfo=UTC)
    root = pki.authority("root", not_after=far)
    (tmp_path / "ca.pem").write_bytes(root.pem)
    (tmp_path / "ca.crl").write_bytes(root.crl(until=far).public_bytes(Encoding.PEM))
    (tmp_path / "old.pem").write_bytes(root.leaf("old", not_after=START + DAY).pem)
    return tmp_path


def written(directory: Path, text: str) -> Path:
    config = directory / "wsguard.toml"
    config.write_text(text + USERS, encoding="utf-8")
    return config


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(application, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def report(*arguments: object) -> tuple[int, Any]:
    status, output = run(*arguments, "--json")
    return status, json.loads(output)


# --- Findings ---------------------------------------------------------------------------------------------------------


def test_a_finding_has_its_rule_for_programs_and_for_people(directory: Path) -> None:
    config = written(directory, "")
    status, plain = report("check", config)
    assert status == 0
    assert [(one["rule"], one["setting"]) for one in plain["findings"]] == [("lint.passwords_readable", "users.url")]
    assert set(plain["findings"][0]) == {"rule", "risk", "setting", "text", "cure"}
    assert "lint.passwords_readable" in run("check", config)[1]


def test_an_expired_certificate_ends_the_check_with_status_1(directory: Path) -> None:
    status, plain = report("check", written(directory, '[trust]\npinned_certificates = ["old.pem"]\n'))
    assert (status, plain["ok"]) == (1, False)
    assert ("lint.certificate_expired", "trust.pinned_certificates[0]") in {
        (one["rule"], one["setting"]) for one in plain["findings"]
    }


def test_the_highest_risk_comes_first_wherever_it_was_found(directory: Path) -> None:
    text = '[timestamp]\ntime_to_live = 9999\n[trust]\npinned_certificates = ["old.pem"]\n'
    listed = second_look(load_policy(written(directory, text)), None, NOW)
    assert [finding.risk for finding in listed] == ["high", "medium", "low"]
    assert {finding.rule for finding in listed} <= set(RULES)


# --- What the audit saw -----------------------------------------------------------------------------------------------


def record(number: int, days: float, outcome: RequestOutcome = "exempt", **more: Any) -> AuditRecord:
    return AuditRecord(incident=f"{number:032}", time=NOW - days * DAY, outcome=outcome, **more)


def audited(directory: Path, *records: AuditRecord, url: str = "", **audit: Any) -> Policy:
    url = url or f"sqlite:///{directory}/audit.db"
    sink = open_audit([url])
    for one in records:
        sink.write(one)
    sink.close()
    entries = [
        {"service": "Lead"},
        {"operations": ["{urn:x}get"], "paths": ["/x"]},
        {"operations": ["{urn:y}*"]},
        {"paths": ["/status"]},
    ]
    return Policy.model_validate({"exempt": entries, "audit": {"url": url, **audit}})


OLD = record(0, 80, "rejected")
USES: list[tuple[str, dict[str, Any], set[int]]] = [
    ("the service", {"service": "Lead", "operation": "{urn:l}put", "path": "/lead"}, {0}),
    ("another service", {"service": "Leads", "operation": "{urn:l}put", "path": "/lead"}, set()),
    ("operation and path", {"operation": "{urn:x}get", "path": "/x"}, {1}),
    ("the operation elsewhere", {"operation": "{urn:x}get", "path": "/"}, set()),
    ("another operation there", {"operation": "{urn:x}put", "path": "/x"}, set()),
    ("a namespace", {"operation": "{urn:y}anything", "path": "/y"}, {2}),
    ("a namespace that begins alike", {"operation": "{urn:y2}anything", "path": "/y"}, set()),
    ("a path", {"operation": "{urn:z}get", "path": "/status"}, {3}),
    ("nothing", {}, set()),
]


@pytest.mark.parametrize(("seen", "used"), [case[1:] for case in USES], ids=[case[0] for case in USES])
def test_an_exemption_is_used_where_the_audit_has_a_message_that_it_let_pass(
    directory: Path, seen: dict[str, Any], used: set[int]
) -> None:
    policy = audited(directory, OLD, record(1, 1, **seen))
    usage = exemption_usage(policy, NOW)
    assert usage is not None
    assert usage.exemptions == used
    unused = {one.setting for one in second_look(policy, None, NOW) if one.rule == "lint.exemption_unused"}
    assert unused == {f"exempt[{index}]" for index in {0, 1, 2, 3} - used}


def test_a_refusal_is_no_use_of_an_exemption_and_an_old_one_is_none_any_more(directory: Path) -> None:
    used_long_ago, refused = record(1, 91, service="Lead"), record(2, 1, "rejected", service="Lead")
    usage = exemption_usage(audited(directory, OLD, used_long_ago, refused), NOW)
    assert usage is not None
    assert usage.exemptions == set()
    assert usage.since == NOW - 90 * DAY


def test_a_young_audit_says_nothing(directory: Path) -> None:
    assert exemption_usage(audited(directory, record(1, 29)), NOW) is None
    assert exemption_usage(audited(directory, record(2, 31)), NOW) is not None


def test_an_audit_that_is_no_database_or_is_not_there_says_nothing(directory: Path) -> None:
    assert exemption_usage(audited(directory, OLD, url=f"jsonl:{directory}/audit.jsonl"), NOW) is None
    for audit in ({"url": "memory://"}, {"url": f"sqlite:///{directory}/none.db"}, {"url_env": "NO_SUCH_VARIABLE"}):
        policy = Policy.model_validate({"exempt": [{"service": "Lead"}], "audit": audit})
        assert exemption_usage(policy, NOW) is None
    assert not (directory / "none.db").exists()


def test_an_audit_that_keeps_records_for_a_few_days_only_is_not_asked(directory: Path) -> None:
    policy = audited(directory, OLD, retention_days=29)
    assert exemption_usage(policy, NOW) is None
    longer = policy.model_copy(update={"audit": policy.audit.model_copy(update={"retention_days": 30})})
    assert exemption_usage(longer, NOW) is not None


def test_an_audit_with_too_much_in_it_says_nothing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsguard.cli.exemption_usage.MOST", 2)
    one, two = record(1, 1, service="Lead"), record(2, 1, service="Lead")
    assert exemption_usage(audited(directory, OLD, one), NOW) is not None
    assert exemption_usage(audited(directory, two), NOW) is None


# --- The profile ------------------------------------------------------------------------------------------------------


def test_a_configuration_that_meets_the_profile_ends_with_status_0(directory: Path) -> None:
    config = written(directory, STIG)
    status, plain = report("check", config, "--profile", "stig")
    assert (status, plain["profile"]["met"]) == (0, True)
    assert {row["id"] for row in plain["profile"]["rules"]} == {rule.id for rule in STIG_RULES}
    assert set(plain["profile"]["rules"][0]) == {"id", "category", "title", "service", "status", "evidence", "cure"}
    status, output = run("check", config, "--profile", "stig")
    assert (status, output.splitlines()[-1]) == (0, "Everything that applies is met.")


def test_a_configuration_that_misses_a_rule_ends_with_status_1_and_names_it(directory: Path) -> None:
    config = written(directory, STIG.replace("require_expires = true", "require_expires = false"))
    status, plain = report("check", config, "--profile", "stig")
    assert (status, plain["ok"], plain["profile"]["met"]) == (1, True, False)
    (row,) = (row for row in plain["profile"]["rules"] if row["status"] == "not met")
    assert (row["id"], row["service"], row["cure"]) == ("V-222399", "", "set timestamp.require_expires = true")
    status, output = run("check", config, "--profile", "stig")
    assert (status, output.splitlines()[-1]) == (1, "Not met: V-222399: exit status 1.")


def test_without_a_profile_nothing_is_measured_by_it(directory: Path) -> None:
    status, plain = report("check", written(directory, ""))
    assert (status, "profile" in plain) == (0, False)


def test_services_and_exemptions_are_rows_of_the_profile(directory: Path) -> None:
    config = written(directory, STIG + "\n" + EXEMPT + "[services.Old]\ntimestamp.require_expires = false\n")
    status, plain = report("check", config, "--profile", "stig")
    assert status == 1
    rows = {(row["id"], row["service"]): row["status"] for row in plain["profile"]["rules"]}
    assert [rows["V-222399", name] for name in ("Lead", "Old", "")] == ["not applicable", "not met", "met"]


def test_an_exemption_by_operation_is_a_row_by_its_key_path(directory: Path) -> None:
    config = written(directory, STIG + '[[exempt]]\noperations = ["{urn:x}get"]\n')
    status, plain = report("check", config, "--profile", "stig")
    assert status == 1
    missed = [(row["id"], row["service"]) for row in plain["profile"]["rules"] if row["status"] == "not met"]
    assert missed == [("V-222398", "exempt[0]")]


def test_another_profile_is_a_mistake_of_the_command_line(directory: Path) -> None:
    assert run("check", written(directory, ""), "--profile", "other")[0] == 2
