"""wsse11:SignatureConfirmation: the answer repeats the values of the request's signatures, and signs them."""

from typing import Any, Final

import pytest
from lxml import etree

from tests.answers.answering import (
    Answering,
    encrypted_request,
    request,
    unsigned_request,
)
from tests.securing.receiving import received
from wsguard.names import WSSE11

BOTH: Final = {"timestamp": True, "sign": True}
OPTIONAL: Final[dict[str, Any]] = {"signature": {"use": "optional"}, "unsafe_unauthenticated": True}


def confirmed(octets: bytes) -> list[str | None]:
    return [one.get("Value") for one in etree.fromstring(octets).iter(f"{{{WSSE11}}}SignatureConfirmation")]


def value_of(octets: bytes) -> str:
    return next(etree.fromstring(octets).iter("{*}SignatureValue")).text or ""


@pytest.mark.parametrize("encrypt", ["", "useReqSigCert"])
def test_the_requests_signature_is_confirmed(guarded: Answering, encrypt: str) -> None:
    guard = guarded(response={**BOTH, "signature_confirmation": True, "encrypt": encrypt})
    sent = request()
    answer = guard.post(sent)
    assert confirmed(answer.body) == [value_of(sent)]
    assert "SignatureConfirmation" in received(answer.body).signed_names


def test_that_there_was_no_signature_is_confirmed_too(guarded: Answering) -> None:
    guard = guarded(response={**BOTH, "signature_confirmation": True}, **OPTIONAL)
    answer = guard.post(unsigned_request())
    assert confirmed(answer.body) == [None]
    assert "SignatureConfirmation" in received(answer.body).signed_names


def test_a_signature_that_was_encrypted_is_confirmed(guarded: Answering) -> None:
    guard = guarded(response={**BOTH, "signature_confirmation": True})
    assert len(confirmed(guard.post(encrypted_request()).body)) == 1


def test_every_signature_is_confirmed_as_it_was_sent(guarded: Answering) -> None:
    guard = guarded(response={**BOTH, "signature_confirmation": True})
    spaced = request().replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>\n  ")
    assert confirmed(guard.post(spaced).body) == [value_of(spaced).strip()]
