"""What is told of a message that is accepted: to the application, to the record, and to who watches."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from lxml import etree

from tests.guarding import Guarded
from tests.messages import NOW, OPERATION, SOAP11, SOAP12, Token, envelope, message, security, timestamp
from tests.signature.signatures import ALICE, BOTH, Guarding, guarding, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed
from wsguard.interfaces import AuditRecord, User
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.verified import Principal, Timestamp, VerifiedMessage

ALL: Final[dict[str, Any]] = {"audit": {"url": "memory://", "record": "all"}}
ECHO: Final = {"Echo": {"operations": [OPERATION]}}
BLOCK: Final = '<h:To xmlns:h="urn:h">here</h:To>'


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Guarding:
    """Makes guards that demand signatures."""
    return guarding(tmp_path_factory.mktemp("handed"))


def told(guard: Guarded) -> VerifiedMessage:
    """What the application was told last."""
    verified = guard.echo.handed[-1][0]["wsguard.message"]
    assert isinstance(verified, VerifiedMessage)
    return verified


# --- To the application -----------------------------------------------------------------------------------------------


def test_the_application_is_told_all_of_a_signed_message(guarded: Guarding) -> None:
    guard = guarded(services=ECHO, client=[{"name": "A", "username": "alice", "certificate": ALICE}], **ALL)
    answer = guard.post(signed(Signing.by(ALICE), token=Token()))
    assert answer.record is not None
    verified = told(guard)
    assert verified == VerifiedMessage(
        incident=answer.record.incident,
        service="Echo",
        operation=OPERATION,
        soap_version="1.1",
        exempt=False,
        principal=Principal("CN=Alice", "certificate"),
        username="alice",
        client="A",
        certificate=ALICE.der,
        signed_parts=BOTH,
        timestamp=Timestamp(NOW, NOW + timedelta(seconds=300)),
        octets=guard.handed,
        tree=verified.tree,
    )
    assert etree.tostring(verified.tree) == guard.handed


@pytest.mark.parametrize(("soap", "number"), [(SOAP11, "1.1"), (SOAP12, "1.2")])
def test_the_application_is_told_the_version_of_soap(soap: str, number: str) -> None:
    guard = Guarded()
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    guard.post(message(soap=soap), CONTENT_TYPE=f"{kind}; charset=utf-8")
    assert told(guard).soap_version == number


def test_the_application_is_told_of_an_exempt_message_that_nobody_vouched_for_it() -> None:
    guard = Guarded(exempt=[{"operations": ["{urn:lead}*"]}])
    answer = guard.post(envelope(security(Token(password="guessed").xml()), '<l:Add xmlns:l="urn:lead"/>'))
    assert answer.record is not None
    verified = told(guard)
    assert verified == VerifiedMessage(
        incident=answer.record.incident,
        service="",
        operation="{urn:lead}Add",
        soap_version="1.1",
        exempt=True,
        octets=guard.handed,
        tree=verified.tree,
    )
    assert b"Security" not in guard.handed


def test_unsigned_blocks_and_an_unbound_user_go_together(guarded: Guarding) -> None:
    guard = guarded(handoff={"remove_security_header": False})
    guard.accepted(signed(Signing.by(ALICE), token=Token(), header=BLOCK))
    assert b"wsu:Timestamp" in guard.handed
    assert b"here" not in guard.handed
    assert b"UsernameToken" not in guard.handed


def test_a_user_may_call_the_services_of_its_row_only(guarded: Guarding, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also beside a signer, whom the row says nothing of."""
    limited = User("alice", b"secret", services=frozenset({"Other"}))
    monkeypatch.setattr(MemoryUserStore, "find", lambda self, name: limited)
    services = {**ECHO, "Other": {"operations": ["{urn:other}*"]}}
    assert Guarded(services=services).post(message()).check == "client.operation"
    guard = guarded(services=services)
    for parts in ((BODY, TIMESTAMP), (BODY, TIMESTAMP, Part("#UT-1"))):
        assert guard.refusal(signed(Signing.by(ALICE, parts=parts), token=Token())) == "client.operation"


# --- To the record ----------------------------------------------------------------------------------------------------


def test_the_record_names_who_counts(guarded: Guarding) -> None:
    record = guarded(**ALL).post(honest().encode()).record
    assert record is not None
    assert (record.username, record.certificate_subject) == ("", "CN=Alice")
    assert record.certificate_sha256 == hashlib.sha256(ALICE.der).hexdigest()


def test_the_record_names_no_user_whom_nobody_vouches_for(guarded: Guarding) -> None:
    record = guarded(**ALL).post(signed(Signing.by(ALICE), token=Token())).record
    assert record is not None
    assert (record.username, record.certificate_subject) == ("", "CN=Alice")


def settings(record: AuditRecord | None) -> dict[str, str]:
    """Check -> the setting that decided, in the record's explanation."""
    assert record is not None
    return {one["check"]: one["setting"] for one in record.explanation}


def test_the_record_says_which_setting_each_check_was_held_against() -> None:
    guard = Guarded(services=ECHO, exempt=[{"operations": ["{urn:lead}*"]}], **ALL)
    assert settings(guard.post(message()).record) == {
        "envelope": "limits",
        "operation": "services.Echo",
        "timestamp": "timestamp",
        "username_token": "users",
        "replay": "replay",
    }
    assert settings(guard.post(message()).record)["replay.nonce"] == "replay"
    assert settings(guard.post(envelope(None, '<l:Add xmlns:l="urn:lead"/>')).record) == {
        "envelope": "limits",
        "operation": "exempt[0]",
        "exemption": "exempt[0]",
    }


# --- To who watches ---------------------------------------------------------------------------------------------------


class Watching:
    """An observer that keeps the names of the stages."""

    def __init__(self) -> None:
        self.stages: list[list[str]] = []

    def judged(self, record: AuditRecord, stages: Mapping[str, float]) -> None:
        self.stages.append([*stages])


@pytest.mark.parametrize(
    ("octets", "last"),
    [
        pytest.param(message(), "assemble", id="accepted"),
        pytest.param(envelope(None, '<l:Add xmlns:l="urn:lead"/>'), "parse", id="exempt"),
        pytest.param(envelope(None), "parse", id="without Security header"),
        pytest.param(envelope(security(timestamp("bad"))), "security", id="with a bad Timestamp"),
        pytest.param(message(password="guessed"), "check", id="with a wrong password"),
    ],
)
def test_every_stage_that_ended_is_told_in_order(octets: bytes, last: str) -> None:
    every = ["read", "parse", "security", "check", "authenticate", "replay", "assemble"]
    watching = Watching()
    policy: dict[str, Any] = {"exempt": [{"operations": ["{urn:lead}*"]}]}
    Guarded(observers=[watching], **policy).post(octets)
    assert watching.stages == [every[: every.index(last) + 1]]
