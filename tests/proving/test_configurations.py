"""What holds is said to hold, what does not is said not to, and what cannot be known is called neither."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

import wsguard
from tests.proving.configurations import DOUBTFUL, HOLD
from tests.proving.conftest import Prove, ProveOnce
from wsguard.checks import CHECKS
from wsguard.proving import Row, prove
from wsguard.proving.catalogue.everything import CATALOGUE, THROUGH_EXEMPTIONS
from wsguard.proving.rows import ACCEPTED
from wsguard.proving.stores import PROMISES

SOME: Mapping[str, int] = {"user": 70, "signed": 85, "encrypted": 90, "clients": 190, "exemptions": 250}
"""Attempts that there are at least."""


def broken(rows: tuple[Row, ...]) -> list[Row]:
    return [row for row in rows if row.verdict == "DOES NOT HOLD"]


def unproven(rows: tuple[Row, ...]) -> list[Row]:
    return [row for row in rows if row.verdict == "not proven"]


@pytest.mark.parametrize("name", list(HOLD))
def test_a_sound_configuration_holds_in_everything_that_is_tried(name: str, proven_once: ProveOnce) -> None:
    rows = proven_once(name)
    assert broken(rows) == []
    # What is left says that no client may call what no service claims, and that a whole namespace or path is open.
    known = ("no [[client]] may call it", "is open, whatever it will hold")
    assert [row for row in unproven(rows) if not row.reason.endswith(known)] == []
    assert len(rows) >= SOME.get(name, 60)
    assert any(ACCEPTED in row.demanded for row in rows)


def test_every_control_applies_to_some_configuration(proven_once: ProveOnce) -> None:
    names = (
        "user-text-only", "signed-and-user", "signed-body-only", "signed-many-parts", "encrypted-hmac",
        "encrypted-and-covered", "encrypted-never", "shared-key", "clients", "clients-both", "two-trusts", "exemptions",
        "exemptions-by-path", "services-differ", "time-says-nothing", "http", "recorded", "answers-if-signed",
    )  # fmt: skip
    tried = {row.control for name in names for row in proven_once(name)}
    extra = {control for control in tried if control not in {one.name for one in (*CATALOGUE, *THROUGH_EXEMPTIONS)}}
    assert {one.name for one in (*CATALOGUE, *THROUGH_EXEMPTIONS)} - tried - {"signature.absence"} == set()
    assert extra == {promise.name for promise in PROMISES}


def test_names_of_controls_are_given_once() -> None:
    names = [control.name for control in (*CATALOGUE, *THROUGH_EXEMPTIONS)] + [promise.name for promise in PROMISES]
    assert len(names) == len(set(names))


def test_what_refuses_is_a_check_that_is_described(proven_once: ProveOnce) -> None:
    rows = [row for name in ("user", "clients", "clients-both", "exemptions") for row in proven_once(name)]
    of_messages = [row for row in rows if row.target not in {promise.target for promise in PROMISES}]
    assert {check for row in of_messages for check in row.demanded} - {*CHECKS, ACCEPTED} == set()


def test_the_order_is_the_same_every_time(proven: Prove) -> None:
    def said(row: Row) -> tuple[str, ...]:
        return row.target, row.way, row.control, row.attack, row.got

    first, second = proven(HOLD["exemptions-by-path"]), proven(HOLD["exemptions-by-path"])
    assert list(map(said, first)) == list(map(said, second))


def test_a_signature_where_none_may_be_is_tried(proven: Prove) -> None:
    (row,) = [row for row in proven({"signature": {"use": "forbidden"}}) if row.control == "signature.absence"]
    assert (row.verdict, row.got) == ("holds", "signature.forbidden")


def test_of_many_clients_alike_each_is_tried_in_what_is_its_own_and_one_in_all_else(proven: Prove) -> None:
    clients = [{"name": f"client-{number}", "username": f"user-{number}"} for number in range(12)]
    rows = proven({"client": clients})
    senders = {control: {row.way for row in rows if row.control == control} for control in ("honest", "user.password")}
    assert (len(senders["honest"]), len(senders["user.password"])) == (12, 1)
    assert broken(rows) == []


# --- What does not hold by intent -------------------------------------------------------------------------------------


def of(name: str, proven: Prove) -> Mapping[str, list[Row]]:
    rows = proven(DOUBTFUL[name])
    return {"broken": broken(rows), "unproven": unproven(rows)}


def test_what_a_client_in_report_mode_is_spared_does_not_hold_and_says_why(proven: Prove) -> None:
    rows = of("report", proven)["broken"]
    assert {row.control for row in rows} == {"timestamp.expires", "timestamp.presence", "soap12"}
    assert {row.way.partition(":")[0] for row in rows} == {"a"}
    assert all(row.reason.startswith("the client is in report mode until 2030-01-01") for row in rows)


@pytest.mark.parametrize(
    ("name", "controls"),
    [
        ("unsafe", {"authentication", "soap12"}),
        ("unsafe-service", {"authentication", "security.presence", "security.actor", "soap12"}),
    ],
)
def test_what_anybody_may_call_does_not_hold_and_says_why(name: str, controls: set[str], proven: Prove) -> None:
    rows = of(name, proven)["broken"]
    assert {row.control for row in rows} == controls
    assert {row.reason for row in rows} == {"unsafe_unauthenticated is set: anybody may call it"}


NOT_MADE: Final = "the proof makes no messages of users who sign with a key made of their password (DerivedKey)"


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("unresolved", {"only the application knows its operations: give --app"}),
        (
            "for-an-ec-key",
            {"the proof can encrypt for none of the keys: RSA in keys.decrypt, or keys.shared of AES"},
        ),
        ("users-who-sign", {NOT_MADE}),
        ("users-who-sign-only", {NOT_MADE}),
        ("no-hmac", {"algorithms.signature allows no HMAC, so that no shared key can sign"}),
        ("nobody-s-name", {"no subject that trust.subject_cert_constraints take could be made up"}),
        ("no-client-of-it", {"no [[client]] may call it", "all of {urn:b}* is open, whatever it will hold"}),
    ],
)
def test_what_cannot_be_known_is_not_called_proven(name: str, reasons: set[str], proven: Prove) -> None:
    found = of(name, proven)
    assert found["broken"] == []
    assert found["unproven"]
    assert {row.reason for row in found["unproven"]} <= reasons


def test_a_service_whose_encrypted_messages_nobody_can_send_is_noticed(proven: Prove) -> None:
    """Before it is opened, a message is held against the top of the file: which does not trust that authority."""
    found = of("trust-too-late", proven)
    assert [(row.target, row.control) for row in found["broken"]] == [("A", "honest")]
    assert found["broken"][0].got == "certificate.untrusted"
    # That the same refusal meets an attack proves nothing of what was attacked.
    assert {row.reason.partition(":")[0] for row in found["unproven"]} <= {
        "honest messages are refused too",
        "an honest message before it was refused",
    }


# --- The sample -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="spyne 2.14 does not import on Python 3.12")
def test_the_sample_holds_and_its_application_is_never_called(tmp_path: Path) -> None:
    from sample_service.application import CONFIG, lay_out, soap_application
    from sample_service.data import Club
    from wsguard.spyne import introspect

    lay_out(tmp_path)
    application = introspect(soap_application(Club(tmp_path / "club.db")))
    before = (tmp_path / "club.db").read_bytes()
    rows = prove(wsguard.load_policy(tmp_path / CONFIG), application, clock=lambda: datetime.now(UTC))
    assert [row for row in rows if row.verdict != "holds"] == []
    targets = {"MemberService", "BillingService", "ClaimsService", "ProspectManagerService"}
    assert targets <= {row.target for row in rows}
    assert len(rows) > 400
    assert (tmp_path / "club.db").read_bytes() == before
