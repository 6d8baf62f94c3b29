"""``wsguard.toml``: every mistake is found, all of them at once, each with the file and the key where it stands."""

import time
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIEnvironment

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import wsguard
from tests.guarding import Echo, Guarded
from tests.messages import message
from wsguard.interfaces import AuditRecord, RequestOutcome, User
from wsguard.policy.problems import ConfigError, Problem

MEMORY = '[users]\nurl = "memory://"\n[replay]\nurl = "memory://"\n[audit]\nurl = "memory://"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wsguard.toml"


def problems(file: Path, text: str) -> dict[str, str]:
    """Key -> reason of everything that is wrong with a file of this text."""
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        wsguard.load_policy(file)
    assert {problem.file for problem in caught.value.problems} == {str(file)}
    assert str(caught.value).count("\n") + 1 == len(caught.value.problems)
    keys = [problem.key for problem in caught.value.problems]
    assert len(set(keys)) == len(keys), "each mistake once"
    return {problem.key: problem.reason for problem in caught.value.problems}


def unusable(file: Path, text: str) -> dict[str, str]:
    """Key -> reason of why ``guard()`` does not start with a file of this text."""
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        wsguard.guard(Echo(), file)
    assert {problem.file for problem in caught.value.problems} == {str(file)}
    return {problem.key: problem.reason for problem in caught.value.problems}


# --- Reading ----------------------------------------------------------------------------------------------------------


def test_an_empty_file_is_the_documented_defaults(file: Path) -> None:
    file.write_text("")
    policy = wsguard.load_policy(file)
    assert (policy.timestamp.use, policy.timestamp.time_to_live, policy.timestamp.future_time_to_live) == (
        "required",
        300,
        60,
    )
    assert (policy.username_token.use, policy.username_token.password_types) == ("required", ("PasswordDigest",))
    assert (policy.signature.use, policy.encryption.use) == ("optional", "optional")
    assert (policy.limits.body_bytes, policy.limits.depth, policy.http.content_encodings) == (2_097_152, 64, ())
    assert (policy.audit.record, policy.audit.on_failure, policy.faults.detail) == ("rejected", "refuse", "auto")


def test_a_path_may_be_text_or_a_path(file: Path) -> None:
    file.write_text("")
    assert wsguard.load_policy(str(file)) == wsguard.load_policy(file)


@pytest.mark.parametrize(
    "octets",
    [
        b"a = ",
        b"[timestamp",
        b"\xff\xfe",
        b"a = 1\na = 2",
        b"\x00",
        b"[timestamp]\n[timestamp]",
        pytest.param(b"a = " + b"[" * 100_000, id="deep arrays"),
        pytest.param(b"a = " + b"{a=" * 20_000, id="deep tables"),
        pytest.param(b"[timestamp]\ntime_to_live = " + b"9" * 5_000, id="a number without end"),
    ],
)
def test_what_is_no_toml_is_one_problem_of_the_file(file: Path, octets: bytes) -> None:
    file.write_bytes(octets)
    with pytest.raises(ConfigError) as caught:
        wsguard.load_policy(file)
    ((problem),) = caught.value.problems
    assert (problem.key, problem.file, "cannot be read" in problem.reason) == ("", str(file), True)


def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.toml", tmp_path, tmp_path / "a" / "b"):
        with pytest.raises(ConfigError) as caught:
            wsguard.load_policy(path)
        assert "cannot be read" in str(caught.value)
        assert str(path) in str(caught.value)


# --- Kinds of mistakes ------------------------------------------------------------------------------------------------

MISTAKES = [
    # unknown keys
    ("tiemstamp = 1", "tiemstamp", "unknown key"),
    ("[timestamp]\nttl = 1", "timestamp.ttl", "unknown key"),
    ("[timestamp]\n[timestamp.deep]", "timestamp.deep", "unknown key"),
    ("[services.A]\n[services.A.limits]\ndepth = 9", "services.A.limits", "unknown key"),
    ("[services.A]\nactor = 'x'", "services.A.actor", "unknown key"),
    ("[services.A]\n[services.A.users]", "services.A.users", "unknown key"),
    ("[[exempt]]\npaths = ['/a']\nuntil = 2030-01-01", "exempt[0].until", "unknown key"),
    ("[[client]]\nname = 'a'\nusername = 'b'\npassword = 'c'", "client[0].password", "unknown key"),
    ("[keys]\ndecrypt = [{ file = 'a', password = 'b' }]", "keys.decrypt[0].password", "unknown key"),
    # wrong types
    ("[timestamp]\ntime_to_live = true", "timestamp.time_to_live", "integer"),
    ("[timestamp]\ntime_to_live = 3.0", "timestamp.time_to_live", "integer"),
    ("[timestamp]\ntime_to_live = '300'", "timestamp.time_to_live", "integer"),
    ("[timestamp]\nrequire_created = 1", "timestamp.require_created", "boolean"),
    ("[timestamp]\nrequire_created = 'true'", "timestamp.require_created", "boolean"),
    ("[timestamp]\nuse = true", "timestamp.use", "'required'"),
    ("[timestamp]\nuse = 'Required'", "timestamp.use", "'required'"),
    ("timestamp = 3", "timestamp", "dictionary"),
    ("timestamp = [{}]", "timestamp", "dictionary"),
    ("actor = 3", "actor", "string"),
    ("services = 3", "services", "dictionary"),
    ("[services]\nA = 3", "services.A", "dictionary"),
    ("exempt = 3", "exempt", "tuple"),
    ("[exempt]\npaths = ['/a']", "exempt", "tuple"),
    ("unsafe_unauthenticated = 0", "unsafe_unauthenticated", "boolean"),
    ("[limits]\nbody_bytes = inf", "limits.body_bytes", "integer"),
    ("[[exempt]]\npaths = ['/a']\nreview = 'soon'", "exempt[0].review", "date"),
    ("[[exempt]]\npaths = ['/a']\nreview = 0", "exempt[0].review", "date"),
    ("[[exempt]]\npaths = ['/a']\nreview = 86400.0", "exempt[0].review", "date"),
    ("[trust]\nca_files = [3]", "trust.ca_files[0]", "file name"),
    ("[trust]\nca_files = ['']", "trust.ca_files[0]", "file name"),
    ("[trust]\nca_files = 'a.pem'", "trust.ca_files", "tuple"),
    # out of range
    ("[timestamp]\ntime_to_live = 0", "timestamp.time_to_live", "greater"),
    ("[timestamp]\nfuture_time_to_live = -1", "timestamp.future_time_to_live", "greater"),
    ("[timestamp]\ntime_to_live = 99999999999999", "timestamp.time_to_live", "less"),
    ("[limits]\ndepth = 300", "limits.depth", "less"),
    ("[limits]\nbody_bytes = 0", "limits.body_bytes", "greater"),
    ("[algorithms]\nmin_rsa_bits = 512", "algorithms.min_rsa_bits", "greater"),
    ("[username_token]\npassword_types = []", "username_token.password_types", "at least 1"),
    ("[http]\ncharsets = []", "http.charsets", "at least 1"),
    ("[audit]\nurl = []", "audit.url", "at least 1"),
    # unknown values
    ("[username_token]\npassword_types = ['Digest']", "username_token.password_types[0]", "'PasswordDigest'"),
    ("[algorithms]\nsignature = ['rsa-md5']", "algorithms.signature[0]", "'rsa-md5' is not one of"),
    ("[algorithms]\nsignature = ['RSA-SHA256']", "algorithms.signature[0]", "is not one of"),
    ("[algorithms]\nsignature = ['dsa-sha1']", "algorithms.signature[0]", "is not one of"),
    ("[algorithms]\ndigest = ['rsa-sha256']", "algorithms.digest[0]", "is not one of"),
    ("[algorithms]\nencryption = ['kw-aes128']", "algorithms.encryption[0]", "is not one of"),
    ("[algorithms]\ncanonicalization = ['xslt']", "algorithms.canonicalization[0]", "is not one of"),
    ("[[algorithms.legacy]]\nalgorithm = 'md5'\nuntil = 2030-01-01", "algorithms.legacy[0].algorithm", "is not one of"),
    ("[[algorithms.legacy]]\nalgorithm = 'sha1'", "algorithms.legacy[0].until", "is missing"),
    ("[http]\ncharsets = ['utf-7']", "http.charsets[0]", "'utf-8'"),
    ("[http]\ncontent_encodings = ['br']", "http.content_encodings[0]", "'gzip'"),
    ("[faults]\ndetail = 'all'", "faults.detail", "'unified'"),
    ("[audit]\non_failure = 'continue'", "audit.on_failure", "'refuse'"),
    ("[signature]\nrequired_parts = ['Bdoy']", "signature.required_parts[0]", "is not one of"),
    ("[signature]\nrequired_parts = ['body']", "signature.required_parts[0]", "is not one of"),
    ("[[exempt]]\noperations = ['getLead']", "exempt[0].operations[0]", "{namespace}name"),
    ("[[exempt]]\noperations = ['*']", "exempt[0].operations[0]", "{namespace}name"),
    ("[[exempt]]\noperations = ['{}*']", "exempt[0].operations[0]", "{namespace}name"),
    ("[[exempt]]\npaths = ['soap']", "exempt[0].paths[0]", "a path"),
    ("[[exempt]]\npaths = ['/a/../b']", "exempt[0].paths[0]", "a path"),
    ("[[exempt]]\npaths = ['/a%20b']", "exempt[0].paths[0]", "a path"),
    ("[[exempt]]\npaths = ['/a?wsdl']", "exempt[0].paths[0]", "a path"),
    ("[trust]\nsubject_cert_constraints = ['(']", "trust.subject_cert_constraints[0]", "regular expression"),
    # secrets and places
    ("[replay]\nurl = 'redis://u:p@h/0'", "replay.url", "url_env"),
    ("[replay]\nurl = 'redis://:p@h/0'", "replay.url", "url_env"),
    ("[replay]\nurl = 'POSTGRESQL+psycopg://u:p@h/d'", "replay.url", "url_env"),
    ("[audit]\nurl = ['stderr:', 'postgresql://u:p%40@h/d']", "audit.url[1]", "url_env"),
    ("[users]\nurl = 'memory://'\nurl_env = 'X'", "users", "only one of url, url_env"),
    ("[replay]\nurl_env = 'X'\nurl_file = 'y'", "replay", "only one of url_env, url_file"),
    ("[audit]\nurl = 'stderr:'\nurl_env = 'X'", "audit", "only one of url, url_env"),
    ("[users]\nurl = 'toml:'", "users.url", "file name"),
    (
        "[keys]\nsign = { file = 'a', password_env = 'B', password_file = 'c' }",
        "keys.sign",
        "only one of password_env, password_file",
    ),
    ("[keys]\nshared = [{ name = 'a' }]", "keys.shared[0]", "key_env or key_file"),
    # impossible combinations
    ("[username_token]\nuse = 'optional'", "", "nobody would be authenticated"),
    ("[username_token]\nuse = 'forbidden'", "", "nobody would be authenticated"),
    ("[services.A]\nusername_token.use = 'optional'", "services.A", "nobody would be authenticated"),
    ("[signature]\nuse = 'required'\n[timestamp]\nuse = 'forbidden'", "", "timestamp.use is forbidden"),
    (
        "[encryption]\nuse = 'required'\nrequired_parts = ['Signature']\n[signature]\nuse = 'forbidden'",
        "",
        "signature.use",
    ),
    ("[signature]\nuse = 'required'", "", "nobody's signature is trusted"),
    ("[services.A]\nsignature.use = 'required'", "", "nobody's signature is trusted"),
    ("[encryption]\nuse = 'required'", "", "nothing could be opened"),
    ("[response]\nsignature_confirmation = true", "", "needs response.sign"),
    ("[response]\nsign = true", "", "needs keys.sign"),
    ("[response]\nencrypt = 'nobody'", "", "names no client"),
    ("[response]\nencrypt = 'a'\n[[client]]\nname = 'a'\nusername = 'a'", "", "a client without certificate"),
    ("[response]\nencrypt = 'useReqSigCert'\n[signature]\nuse = 'forbidden'", "", "signature.use is forbidden"),
    (
        "[[algorithms.legacy]]\nalgorithm = 'sha1'\nuntil = 2030-01-01\nclients = ['x']",
        "",
        "algorithms.legacy names no client: 'x'",
    ),
    ("[[exempt]]", "exempt[0]", "nothing is exempted"),
    ("[[exempt]]\nreason = 'x'", "exempt[0]", "nothing is exempted"),
    ("[[exempt]]\noperations = []\npaths = []", "exempt[0]", "nothing is exempted"),
    ("[[exempt]]\nservice = 'A'\npaths = ['/a']", "exempt[0]", "either service, or operations and paths"),
    ("[[client]]\nname = 'a'", "client[0]", "give username, certificate, shared_key"),
    ("[[client]]\nusername = 'a'", "client[0].name", "is missing"),
    ("[[client]]\nname = ''\nusername = 'a'", "client[0].name", "at least 1"),
    ("[[client]]\nname = 'a'\nusername = 'b'\n[[client]]\nname = 'a'\nusername = 'c'", "", "the same name"),
    ("[[client]]\nname = 'a'\nusername = 'b'\nmode = 'report'", "client[0]", "report_until"),
    ("[[client]]\nname = 'a'\nusername = 'b'\nreport_until = 2030-01-01", "client[0]", "report_until"),
]


@pytest.mark.parametrize(("text", "key", "reason"), MISTAKES)
def test_a_mistake_is_told_with_its_place_and_reason(file: Path, text: str, key: str, reason: str) -> None:
    found = problems(file, text)
    assert list(found) == [key]
    assert reason in found[key]


def test_no_reason_quotes_a_password(file: Path) -> None:
    text = "[replay]\nurl = 'redis://user:hunter2@h'\n[audit]\nurl = ['postgresql://u:hunter2@h/d']\n"
    assert "hunter2" not in str(problems(file, text + "[users]\nurl = 'mysql://u:hunter2@h'"))


def test_every_mistake_is_told_at_once(file: Path) -> None:
    found = problems(
        file,
        "wrong = 1\n[timestamp]\nuse = 'maybe'\ntime_to_live = true\n[replay]\nurl = 'redis://:p@h'\n"
        "[algorithms]\nsignature = ['rsa-sha256', 'rsa-md5', 'dsa']\n[[exempt]]\n[[client]]\nname = 'x'\n"
        "[services.A.timestamp]\nuse = 3\n[services.B]\nlimits = {}\n",
    )
    assert set(found) == {
        "wrong",
        "timestamp.use",
        "timestamp.time_to_live",
        "replay.url",
        "algorithms.signature[1]",
        "algorithms.signature[2]",
        "exempt[0]",
        "client[0]",
        "services.A.timestamp.use",
        "services.B.limits",
    }


def test_an_inherited_mistake_is_told_once_where_it_stands(file: Path) -> None:
    text = "[timestamp]\nuse = 'maybe'\n[algorithms]\nsignature = ['rsa-md5']\n"
    services = "[services.A]\n[services.B]\ntimestamp.time_to_live = 5\n[services.C]\nalgorithms.digest = ['md5']\n"
    assert set(problems(file, text + services)) == {
        "timestamp.use",
        "algorithms.signature[0]",
        "services.C.algorithms.digest[0]",
    }


def test_a_service_may_mend_what_the_top_has_wrong_and_the_top_is_still_wrong(file: Path) -> None:
    text = "[timestamp]\nuse = 'maybe'\n[services.A]\ntimestamp.use = 'required'\n"
    assert set(problems(file, text)) == {"timestamp.use"}


def test_an_impossible_combination_of_the_top_is_told_once(file: Path) -> None:
    found = problems(file, "[username_token]\nuse = 'optional'\n[services.A]\n[services.B]\noperations = ['{a}b']\n")
    assert list(found) == [""]


def test_an_inherited_demand_makes_a_services_combination_impossible_and_is_told_there(file: Path) -> None:
    found = problems(file, "[signature]\nuse = 'required'\n[services.A]\ntimestamp.use = 'forbidden'\n")
    assert list(found) == ["services.A"]


def test_dates_are_toml_dates(file: Path) -> None:
    file.write_text("[[exempt]]\npaths = ['/a']\nreview = 2027-06-30\n")
    assert wsguard.load_policy(file).exempt[0].review == date(2027, 6, 30)


def test_the_exempt_may_be_unauthenticated_only_when_said(file: Path) -> None:
    file.write_text("unsafe_unauthenticated = true\n[username_token]\nuse = 'optional'\n")
    assert wsguard.load_policy(file).unsafe_unauthenticated is True


def test_a_policy_is_frozen(file: Path) -> None:
    file.write_text("[services.A]\noperations = ['{a}b']")
    policy = wsguard.load_policy(file)
    with pytest.raises(ValidationError):
        policy.timestamp.use = "optional"  # type: ignore[misc]
    with pytest.raises(TypeError):
        policy.services["B"] = policy.services["A"]  # type: ignore[index]


# --- Paths ------------------------------------------------------------------------------------------------------------


def test_relative_paths_are_relative_to_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(
        "[users]\nurl = 'toml:users.toml'\n[replay]\nurl = 'sqlite:///replay.db'\n"
        "[audit]\nurl = ['jsonl:logs/a.jsonl', 'sqlite:////abs/a.db', 'stderr:']\n"
        "[trust]\nca_files = ['ca.pem', '/abs/ca.pem']\n[keys]\nsign = { file = '../key.pem', password_file = 'p' }\n"
        "[[client]]\nname = 'a'\ncertificate = 'a.pem'\n[services.A]\ntrust.ca_files = ['other.pem']\n"
    )
    here = file.parent
    monkeypatch.chdir(here.parent)
    policy = wsguard.load_policy(Path(here.name) / file.name)
    assert policy.users.url == f"toml:{here}/users.toml"
    assert policy.replay.url == f"sqlite:///{here}/replay.db"
    assert policy.audit.url == (f"jsonl:{here}/logs/a.jsonl", "sqlite:////abs/a.db", "stderr:")
    assert policy.trust.ca_files == (here / "ca.pem", Path("/abs/ca.pem"))
    assert policy.keys.sign is not None
    assert (policy.keys.sign.file, policy.keys.sign.password_file) == (here / "../key.pem", here / "p")
    assert policy.client[0].certificate == here / "a.pem"
    assert policy.services["A"].trust.ca_files == (here / "other.pem",)


@pytest.mark.parametrize("text", ["", "[users]\n[replay]\n[audit]\n"], ids=["left out", "empty sections"])
def test_the_default_stores_lie_beside_the_file_whatever_the_working_directory(file: Path, text: str) -> None:
    file.write_text(text)
    policy = wsguard.load_policy(file)
    here = file.parent
    assert policy.replay.url == f"sqlite:///{here}/wsguard-replay.db"
    assert policy.users.url == f"sqlite:///{here}/wsguard-users.db"
    assert policy.audit.url == (f"sqlite:///{here}/wsguard-audit.db",)


# --- Start ------------------------------------------------------------------------------------------------------------


def test_guard_starts_with_a_file_and_serves(file: Path) -> None:
    (file.parent / "users.toml").write_text('alice = "secret"\n')
    (file.parent / "users.toml").chmod(0o600)
    file.write_text(
        "[users]\nurl = 'toml:users.toml'\n[replay]\nurl = 'sqlite:///r.db'\n"
        "[audit]\nurl = 'memory://'\nrecord = 'all'\n"
    )
    guarded = Guarded()
    guarded.guard = wsguard.guard(guarded.echo, file, clock=guarded.clock)
    try:
        assert guarded.post(message()).status == "200 OK"
        assert guarded.post(message()).check == "replay.nonce"
    finally:
        guarded.guard.close()
    assert (file.parent / "r.db").exists()


def test_missing_files_are_found_at_start_all_of_them(file: Path) -> None:
    found = unusable(
        file,
        "[users]\nurl = 'toml:no.toml'\n[replay]\nurl = 'sqlite:///no/r.db'\n[audit]\nurl = 'jsonl:no/a.jsonl'\n"
        "[keys]\ndecrypt = [{ file = 'no.pem' }]\nsign = { file = 'no.p12' }\n"
        "[trust]\nca_files = ['no-ca.pem']\ncrl_files = ['no.crl']\nintermediate_files = ['no-i.pem']\n"
        "known_certificates = ['no-k.pem']\npinned_certificates = ['no-p.pem']\n",
    )
    assert set(found) == {
        "users.url",
        "replay.url",
        "audit.url",
        "keys.decrypt[0]",
        "keys.sign",
        "trust.ca_files[0]",
        "trust.crl_files[0]",
        "trust.intermediate_files[0]",
        "trust.known_certificates[0]",
        "trust.pinned_certificates[0]",
    }


def test_a_services_own_missing_file_is_found_at_start(file: Path) -> None:
    found = unusable(file, MEMORY + "[services.A]\noperations = ['{a}b']\ntrust.ca_files = ['no.pem']\n")
    assert list(found) == ["services.A.trust.ca_files[0]"]


@pytest.mark.parametrize("section", ["users", "replay", "audit"])
def test_a_missing_variable_or_secret_file_is_found_at_start(
    file: Path, section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WSGUARD_TEST_URL", raising=False)
    rest = MEMORY.replace(f'[{section}]\nurl = "memory://"\n', "")
    found = unusable(file, f"{rest}[{section}]\nurl_env = 'WSGUARD_TEST_URL'\n")
    assert found == {f"{section}.url_env": "the environment has no variable WSGUARD_TEST_URL"}
    found = unusable(file, f"{rest}[{section}]\nurl_file = 'no.secret'\n")
    assert list(found) == [f"{section}.url_file"]


@pytest.mark.parametrize("section", ["users", "replay", "audit"])
@pytest.mark.parametrize("how", ["env", "file"])
def test_an_empty_secret_is_a_mistake_and_not_the_default(
    file: Path, section: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that was meant to be shared must not silently become a file of one machine."""
    monkeypatch.chdir(file.parent)
    monkeypatch.setenv("WSGUARD_TEST_URL", "")
    (file.parent / "empty").write_text("\n")
    rest = MEMORY.replace(f'[{section}]\nurl = "memory://"\n', "")
    place = "url_env = 'WSGUARD_TEST_URL'" if how == "env" else "url_file = 'empty'"
    before = {*file.parent.iterdir(), file}
    found = unusable(file, f"{rest}[{section}]\n{place}\n")
    assert [key.partition(".")[0] for key in found] == [section]
    assert "no SQL store" not in str(found)
    assert set(file.parent.iterdir()) == before


def test_a_url_from_the_environment_is_used(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUARD_TEST_URL", "memory://")
    file.write_text("".join(f"[{name}]\nurl_env = 'WSGUARD_TEST_URL'\n" for name in ("users", "replay", "audit")))
    wsguard.guard(Echo(), file).close()


def test_signed_answers_and_audit_keys_are_refused_at_start(file: Path) -> None:
    found = unusable(file, MEMORY + "key_env = 'X'\n[response]\nsign = true\n[keys]\nsign = { file = 'no.pem' }\n")
    assert {"audit.key_env", "keys.sign"} <= set(found)


@pytest.mark.parametrize(
    ("section", "url"),
    [
        ("replay", "redis://h/0"),
        ("replay", "rediss://h/0"),
        ("replay", "postgresql+psycopg://h/d"),
        ("replay", "mysql://h/d"),
        ("replay", "file:x"),
        ("replay", ""),
        ("users", "ldap://h"),
        ("audit", "kafka://h"),
    ],
)
def test_a_store_that_this_version_does_not_have_is_refused_at_start(
    file: Path, section: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGUARD_MASTER_KEY", Fernet.generate_key().decode())
    rest = MEMORY.replace(f'[{section}]\nurl = "memory://"\n', "")
    assert f"{section}.url" in unusable(file, f"{rest}[{section}]\nurl = '{url}'\n")


def test_stores_in_memory_and_unsafe_settings_are_said_aloud(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(
        "unsafe_unauthenticated = true\n"
        + MEMORY
        + "on_failure = 'unsafe_continue'\n[username_token]\nuse = 'optional'\n"
    )
    wsguard.guard(Echo(), file).close()
    for word in ("users.url is memory://", "replay.url is memory://", "unsafe_unauthenticated", "unsafe_continue"):
        assert any(word in text for text in caplog.messages), word


def test_a_policy_made_in_python_has_no_file_in_its_problems() -> None:
    with pytest.raises(ConfigError) as caught:
        Guarded(keys={"sign": {"file": "no.pem"}})
    assert [(problem.key, problem.file) for problem in caught.value.problems] == [("keys.sign", "")]


def test_problems_are_one_line_each() -> None:
    error = ConfigError([Problem("a.b", "is wrong"), Problem("", "is wrong too", "f.toml")])
    assert str(error) == "a.b: is wrong\nf.toml: is wrong too"
    assert isinstance(error, ValueError)


class Empty:
    """A store of the caller's own that is empty, and so false where somebody asks for its truth."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 0

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        self.asked += 1
        return True

    def find(self, name: str) -> User | None:
        self.asked += 1
        return User("alice", b"secret")

    def write(self, record: AuditRecord) -> None:
        self.asked += 1

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        self.asked += 1

    def close(self) -> None:
        """Nothing is held."""


def test_a_store_of_the_callers_own_is_used_even_when_it_is_empty() -> None:
    guarded = Guarded(audit={"url": "memory://", "record": "all"})
    users, replay, audit = Empty(), Empty(), Empty()
    guarded.guard = wsguard.guard(
        guarded.echo, guarded.policy, clock=guarded.clock, users=users, replay=replay, audit=audit
    )
    application = Guarded.__new__(Guarded)
    sent: list[WSGIEnvironment] = []
    application.call = sent.append  # type: ignore[method-assign, assignment]
    application.post(message())
    list(guarded.guard(sent[0], lambda status, headers, exc_info=None: lambda data: None))
    assert (users.asked, replay.asked > 0, audit.asked) == (1, True, 1)


# --- Anything at all --------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "timestamp", "use", "services", "A", "exempt", "client", "name", "operations", "paths", "url", "keys",
        "decrypt", "algorithms", "legacy", "until", "audit", "limits", "depth", "username_token", "signature",
        "required_parts", "trust", "ca_files", "response", "encrypt", "file", "sign", "username", "users", "handoff",
        "x",
    ]
)  # fmt: skip
LEAVES = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.text(max_size=8)
    | st.sampled_from(
        ["required", "optional", "forbidden", "memory://", "/a", "{a}b", "rsa-sha1", "a:b@c://", "://[", "//["]
    )
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=st.dictionaries(WORDS, VALUES, max_size=5))
@example(raw={"replay": {"url": "http://["}})
@example(raw={"services": {"A": {"trust": {"ca_files": "\0"}}}})
@example(raw={"services": {"": {}}, "services.": {}})
def test_no_data_makes_validation_raise_anything_else(raw: dict[str, Any]) -> None:
    try:
        wsguard.Policy.model_validate(raw)
    except ValidationError:
        return


def toml(value: Any) -> str:
    """Any value as inline TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08X}" for c in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(raw=st.dictionaries(WORDS, VALUES, max_size=5))
@example(raw={"timestamp": {"use": "x"}, "services": {"A": {"timestamp": [1]}}})
@example(raw={"timestamp": [1], "services": {"A": {"timestamp": {"use": 3}}}})
@example(raw={"algorithms": {"legacy": [{"until": 1}]}, "services": {"A": {"algorithms": {"legacy": {"until": 1}}}}})
@example(raw={"replay": {"url": "http://["}})
def test_no_file_makes_loading_raise_anything_else(file: Path, raw: dict[str, Any]) -> None:
    text = "\n".join(f"{toml(key)} = {toml(value)}" for key, value in raw.items())
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    file.write_text(text, "utf-8")
    try:
        wsguard.load_policy(file)
    except ConfigError as error:
        found = error.problems
    else:
        return
    assert found
    assert all(problem.reason for problem in found)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:pa/ss@h/db",
        "mysql://u:p#w@h/db",
        "postgresql://h/db?password=x",
        "postgresql://h/db?user=a&password=s3",
        "mssql+pyodbc:///?odbc_connect=PWD%3Dx",
    ],
)
def test_a_password_anywhere_in_a_url_is_a_secret_in_the_wrong_place(url: str) -> None:
    with pytest.raises(ValueError, match="use url_env or url_file"):
        wsguard.Policy.model_validate({"users": {"url": url}})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(".".join(["a"] * 20_000) + " = 1", "a key of more than 32 parts", id="a long dotted key"),
        pytest.param(" . ".join(['"\\".x"'] * 20_000) + " = 1", "a key of more than 32 parts", id="with quotes"),
        pytest.param("# " + "x" * 1_048_576, "larger than 1048576 octets", id="a large file"),
        pytest.param("a = " + "[" * 100_000, "maximum recursion depth exceeded", id="nested arrays"),
    ],
)
def test_a_file_that_would_take_long_to_read_is_not_read(file: Path, text: str, reason: str) -> None:
    started = time.process_time()
    assert reason in problems(file, text)[""]
    assert time.process_time() - started < 0.5
