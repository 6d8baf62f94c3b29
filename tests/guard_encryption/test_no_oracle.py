"""No oracle: whatever is wrong with what was encrypted, the peer gets one answer; only the audit knows the cause."""

import logging
from typing import Any, Final

import pytest

from tests.conftest import Watch
from tests.encrypting import reference_list
from tests.guard_encryption.causes import CANARY, CAUSES, CBC, GCM, KEY, SECRET, saying, with_data
from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    body_with,
    content_of,
    draft,
    encrypted_body,
    for_server,
    sealed,
)
from tests.guarding import Answer
from tests.messages import PAYLOAD, SOAP11, SOAP12, timestamp
from tests.signature.signatures import SignedGuard

SERVICES: Final[dict[str, Any]] = {
    "Echo": {"operations": ["{urn:echo}Echo"]},
    "Bank": {"operations": ["{urn:bank}Echo"]},
    "Elsewhere": {"operations": ["{urn:elsewhere}*"], "paths": ["/elsewhere"]},
    "Signed": {"operations": ["{urn:signed}*"], "signature": {"use": "required"}},
}
EVERY: Final = {
    "encryption": ["aes128-gcm", "aes256-gcm", "aes128-cbc"], "key_transport": ["rsa-oaep-mgf1p", "rsa-1_5"]
}  # fmt: skip
ACTION: Final = '"urn:echo/Echo"'


@pytest.fixture(scope="module")
def blind(guarded: Sealing) -> SignedGuard:
    """Takes much, so that there is much to be refused for."""
    return guarded(services=SERVICES, algorithms=EVERY, **OPEN)


def shown(answer: Answer) -> tuple[str, dict[str, str], bytes]:
    """All that the peer gets, without the incident."""
    assert answer.record is not None
    assert answer.body.count(answer.record.incident.encode()) == 1
    return answer.status, answer.headers, answer.body.replace(answer.record.incident.encode(), b"")


def sent(guard: SignedGuard, octets: bytes, soap: str, action: str | None = None) -> Answer:
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    return guard.post(octets, HTTP_SOAPACTION=action, CONTENT_TYPE=f"{kind}; charset=utf-8")


@pytest.mark.parametrize("soap", [SOAP11, SOAP12], ids=["SOAP 1.1", "SOAP 1.2"])
@pytest.mark.parametrize("name", CAUSES)
def test_every_cause_gets_the_same_answer(
    blind: SignedGuard,
    name: str,
    soap: str,
    watch: Watch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    watch.keep(KEY)
    caplog.set_level(logging.DEBUG)
    check, make = CAUSES[name]
    reference = shown(sent(blind, CAUSES["another key"][1](soap), soap))
    answer = sent(blind, make(soap), soap, ACTION if "action" in name else None)
    assert answer.check == check
    assert answer.record is not None
    assert answer.record.outcome == "rejected"
    assert blind.echo.handed == []
    assert shown(answer) == reference
    told = [answer.body.decode(), repr(answer.headers), repr(answer.record), caplog.text, *capfd.readouterr()]
    assert not any(CANARY in one for one in told)


def test_what_is_good_is_accepted(guarded: Sealing) -> None:
    """Or the tests above would hold for a guard that refuses everything."""
    guard = guarded(services=SERVICES, algorithms=EVERY, **OPEN)
    for soap in (SOAP11, SOAP12):
        for octets in (with_data(GCM)(soap), with_data(CBC, algorithm="aes128-cbc")(soap), saying(SECRET)(soap)):
            assert sent(guard, octets, soap).status == "200 OK"
        assert CANARY.encode() in guard.handed


def test_every_failure_to_open_is_one_record(blind: SignedGuard) -> None:
    """Who reads the audit may be the attacker too."""
    failures = [make(SOAP11) for check, make in CAUSES.values() if check == "encryption.failed"]
    told = set()
    for octets in failures:
        record = sent(blind, octets, SOAP11).record
        assert record is not None
        told.add(repr((record.check, record.fault, record.explanation[-1])))
    assert len(told) == 1


def test_the_shape_of_what_everybody_can_read_is_told(guarded: Sealing) -> None:
    """Those refusals come before anything is opened, and say nothing of it; with unified faults they look the same."""
    guard = guarded(**OPEN, faults={"detail": "standard"})
    first, other = (
        guard.post(octets).body.decode()
        for octets in (
            encrypted_body(for_server(algorithm="urn:none", cipher=b"", session=KEY)),
            encrypted_body(for_server(cipher=b"", session=KEY)),
        )
    )
    assert "wsse:UnsupportedAlgorithm" in first
    assert "wsse:FailedCheck" in other


@pytest.mark.parametrize("detail", ["standard", "detailed"])
def test_a_message_fault_after_decryption_is_a_security_fault(guarded: Sealing, detail: str) -> None:
    guard = guarded(**OPEN, faults={"detail": detail})
    assert b"wsse:FailedCheck" in guard.post(body_with(PAYLOAD * 2)).body
    assert b"soap:Client" in guard.post(draft(timestamp(), body=PAYLOAD * 2).encode()).body


@pytest.mark.parametrize(
    ("octets", "check", "code"),
    [
        pytest.param(
            draft(*(for_server(key_id=f"K{i}", references=()).key_xml() for i in range(5)), timestamp()).encode(),
            *("limits.encrypted_keys", b"soap:Client"),
            id="too many keys, before anything was opened",
        ),
        pytest.param(
            encrypted_body().replace(b"2026-11-21", b"2026-11-20"),
            *("timestamp.expired", b"wsse:MessageExpired"),
            id="an old Timestamp, after it",
        ),
    ],
)
def test_other_faults_keep_their_codes_where_they_are_told(
    guarded: Sealing, octets: bytes, check: str, code: bytes
) -> None:
    answer = guarded(**OPEN, faults={"detail": "standard"}).post(octets)
    assert answer.check == check
    assert code in answer.body


def test_the_record_has_the_setting_of_a_fault_that_is_concealed(opener: SignedGuard) -> None:
    """One part opens, and the next list is one too much."""
    second = reference_list(*(f"x{i}" for i in range(17)))
    answer = opener.post(encrypted_body(None, second))
    assert answer.record is not None
    assert (answer.check, answer.record.explanation[-1]["setting"]) == (*("limits.encrypted_data",) * 2,)
    assert shown(answer) == shown(opener.post(body_with("<")))


def test_part_of_a_message_that_opens_does_not_loosen_what_comes_after_it(opener: SignedGuard) -> None:
    """The first key opens; what comes after it is refused as if nothing had."""
    text = draft("@EK-1@", "@EK-2@", timestamp(), header='<h:To xmlns:h="urn:h">x</h:To>')
    bad = for_server(id="ED-2", key_id="EK-2", kind="Element", algorithm="urn:none", cipher=b"", session=KEY)
    octets = sealed(text, (content_of(text), for_server()), ('<h:To xmlns:h="urn:h">x</h:To>', bad))
    answer = opener.post(octets)
    assert answer.check == "encryption.algorithm"
    reference = opener.post(body_with("<", id="ED-1"))
    assert shown(answer) == shown(reference)
