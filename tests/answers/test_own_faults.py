"""The guard's own faults: signed where answers are, encrypted only for a signer who was validated in that request."""

from datetime import date
from typing import Any, Final

import pytest
from lxml import etree

from tests.answers.answering import (
    CLIENT,
    ELLIPTIC,
    SERVICE,
    Answering,
    Application,
    encrypted_request,
    request,
    unsigned_request,
)
from tests.guarding import Answer, environ_for
from tests.messages import SOAP11, SOAP12, WSSE, Token
from tests.securing.receiving import received
from tests.signature.signatures import STRANGER
from tests.signature.test_oracle import xmlsec_verifies
from tests.signing import Signing, signed
from wsguard.faults import StoreUnavailable

BOTH: Final = {"timestamp": True, "sign": True}
TO_SIGNER: Final = {"response": {**BOTH, "encrypt": "useReqSigCert"}}
UNOPENED: Final[list[dict[str, Any]]] = [
    {"cipher": b"x"}, {"key_cipher": b"x"}, {"cipher": bytes(100)}, {"cipher": b""}
]  # fmt: skip
NAMED: Final = {"name": "client", "certificate": CLIENT}


def in_the_clear(answer: Answer) -> None:
    """Demand a fault that is signed and stamped, and that everybody may read."""
    assert answer.record is not None
    assert answer.record.incident.encode() in answer.body
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert xmlsec_verifies(answer.body, SERVICE)
    result = received(answer.body)
    assert (sorted(result.signed_names), result.encrypted_names) == (["Body", "Timestamp"], [])


def hidden(answer: Answer) -> str:
    """The code of a fault that is signed, and encrypted for the client."""
    assert answer.record is not None
    assert answer.record.incident.encode() not in answer.body
    result = received(answer.body)
    assert (sorted(result.signed_names), result.encrypted_names) == (["Body", "Timestamp"], ["Body"])
    return result.tree.root.findtext(".//faultcode") or ""


@pytest.mark.parametrize("response", [BOTH, TO_SIGNER["response"]], ids=["signed", "encrypted"])
@pytest.mark.parametrize(
    ("octets", "environ", "check"),
    [
        (b"<", {}, "envelope.malformed"),
        (unsigned_request(), {}, "signature.missing"),
        (request(STRANGER), {}, "certificate.untrusted"),
        (request().replace(b"hello", b"evil!"), {}, "signature.digest"),
        (request(), {"PATH_INFO": "/a/../b"}, "http.path"),
        (request(), {"CONTENT_TYPE": "multipart/related"}, "http.content_type"),
        (encrypted_request(cipher=b"x"), {}, "encryption.failed"),
        (request().replace(b"2026-11-21T12:00", b"2026-11-20T12:00"), {}, "signature.digest"),
    ],
    ids=["no XML", "unsigned", "a stranger", "another body", "a path", "multipart", "sealed", "another time"],
)
def test_a_fault_before_anybody_is_known_is_signed_alone(
    guarded: Answering, response: dict[str, Any], octets: bytes, environ: dict[str, Any], check: str
) -> None:
    answer = guarded(response=response).post(octets, **environ)
    assert answer.check == check
    in_the_clear(answer)


@pytest.mark.parametrize("soap", [SOAP11, SOAP12], ids=["SOAP 1.1", "SOAP 1.2"])
def test_a_fault_after_the_signer_is_known_is_encrypted_for_him(guarded: Answering, soap: str) -> None:
    guard = guarded(**TO_SIGNER)
    sent = request(soap=soap)
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    guard.post(sent, CONTENT_TYPE=kind)
    answer = guard.post(sent, CONTENT_TYPE=kind)
    assert answer.check == "replay.signature"
    assert hidden(answer) == ("wsse:InvalidSecurity" if soap == SOAP11 else "")
    assert answer.status[:3] == ("500" if soap == SOAP11 else "400")


def test_a_fault_about_the_client_is_encrypted_for_him(guarded: Answering) -> None:
    guard = guarded(**TO_SIGNER, client=[{"name": "other", "certificate": ELLIPTIC}])
    answer = guard.post(request())
    assert answer.check == "client.mismatch"
    assert hidden(answer) == "wsse:InvalidSecurity"


def test_a_signer_whom_nothing_can_be_encrypted_for_gets_it_signed(guarded: Answering) -> None:
    guard = guarded(**TO_SIGNER, client=[NAMED])
    answer = guard.post(request(ELLIPTIC))
    assert answer.check == "client.mismatch"
    in_the_clear(answer)


def test_a_named_client_gets_his_faults_encrypted_and_others_do_not(guarded: Answering) -> None:
    """Whoever sends nonsense makes nobody encrypt."""
    guard = guarded(response={**BOTH, "encrypt": "client"}, client=[NAMED])
    in_the_clear(guard.post(b"<"))
    in_the_clear(guard.post(unsigned_request()))
    in_the_clear(guard.post(request(ELLIPTIC)))
    sent = request()
    guard.post(sent)
    assert hidden(guard.post(sent)) == "wsse:InvalidSecurity"


def test_faults_are_left_alone_where_they_shall_be(guarded: Answering) -> None:
    guard = guarded(response={**BOTH, "encrypt": "useReqSigCert", "secure_faults": False})
    for octets in (b"<", unsigned_request()):
        answer = guard.post(octets)
        assert b"Security" not in answer.body.replace(b"InvalidSecurity", b"").replace(b"wsse:Security&gt;", b"")
    sent = request()
    guard.post(sent)
    assert etree.fromstring(guard.post(sent).body).findtext(".//faultcode") == "wsse:InvalidSecurity"


def test_faults_are_encrypted_without_being_signed(guarded: Answering) -> None:
    guard = guarded(response={"encrypt": "useReqSigCert"})
    answer = guard.post(unsigned_request())
    assert etree.fromstring(answer.body).find(f"*/{{{WSSE}}}Security") is None
    sent = request()
    guard.post(sent)
    result = received(guard.post(sent).body)
    assert (result.encrypted_names, result.signed_names) == (["Body"], [])


def test_other_methods_get_a_signed_fault_too(guarded: Answering) -> None:
    guard = guarded(response=BOTH)
    answer = guard.call(environ_for(b"", REQUEST_METHOD="PUT"))
    assert (answer.status[:3], answer.headers["Allow"], answer.check) == ("405", "POST", "http.method")
    in_the_clear(answer)
    answer = guard.call(environ_for(b"", REQUEST_METHOD="HEAD", CONTENT_LENGTH=None))
    assert (answer.status[:3], answer.body) == ("405", b"")


def test_a_service_says_how_its_faults_are_secured(guarded: Answering) -> None:
    services = {"Echo": {"operations": ["{urn:echo}*"], "response": {"sign": False, "timestamp": False}}}
    guard = guarded(response=BOTH, services=services)
    in_the_clear(guard.post(b"<"))
    answer = guard.post(unsigned_request())
    assert answer.check == "signature.missing"
    assert etree.fromstring(answer.body).find(f"*/{{{WSSE}}}Security") is None


def test_a_fault_that_cannot_be_secured_goes_as_it_is(guarded: Answering, caplog: pytest.LogCaptureFixture) -> None:
    """It is constant text, and there is nothing else to send."""
    guard = guarded(response={**BOTH, "signed_parts": ["Body", "{urn:h}To"]})
    answer = guard.post(unsigned_request())
    assert (answer.check, answer.status[:3]) == ("signature.missing", "500")
    assert etree.fromstring(answer.body).findtext(".//faultcode") == "wsse:InvalidSecurity"
    assert "the fault was not secured" in caplog.text


def test_a_store_that_is_away_is_said_signed(guarded: Answering) -> None:
    class Away:
        def remember(self, *_: object) -> bool:
            raise StoreUnavailable("gone")

        def close(self) -> None:
            pass

    answer = guarded(response=BOTH, replay_store=Away()).post(request())
    assert (answer.status[:3], answer.headers["Retry-After"], answer.check) == ("503", "5", "store.unavailable")
    in_the_clear(answer)


@pytest.mark.parametrize("encrypt", ["", "useReqSigCert"])
def test_every_fault_of_decryption_is_one_answer_when_it_is_signed(guarded: Answering, encrypt: str) -> None:
    """Signed answers have Ids, values and times of their own: what they say is the same, and of the same length."""
    guard = guarded(response={**BOTH, "encrypt": encrypt})
    shown = set()
    for changes in UNOPENED:
        answer = guard.post(encrypted_request(**changes))
        shown.add((answer.status, answer.headers["Content-Type"], len(answer.body)))
        in_the_clear(answer)
    assert len(shown) == 1


@pytest.mark.parametrize(
    "response",
    [{"sign": False, "timestamp": False}, {"secure_faults": False}, {}],
    ids=["plain", "faults plain", "the same"],
)
def test_the_form_of_a_fault_does_not_tell_what_was_decrypted(guarded: Answering, response: dict[str, Any]) -> None:
    """Neither which service it is for, nor that its signature was good."""
    services = {"Echo": {"operations": ["{urn:echo}*"], "response": response, "username_token": {"use": "required"}}}
    guard = guarded(**TO_SIGNER, services=services)
    answers = [guard.post(octets) for octets in (encrypted_request(cipher=b"x"), encrypted_request())]
    assert [answer.check for answer in answers] == ["encryption.failed", "username_token.missing"]
    for answer in answers:
        in_the_clear(answer)
    assert len({(answer.status, *answer.headers.items()) for answer in answers}) == 1


def test_what_was_decrypted_and_turned_out_to_be_exempt_is_not_told_by_a_fault(guarded: Answering) -> None:
    exempt = {"operations": ["{urn:echo}*"], "reason": "r", "owner": "o", "review": date(2027, 1, 1)}
    services = {"Bank": {"operations": ["{urn:bank}Pay"]}}
    guard = guarded(**TO_SIGNER, exempt=[exempt], services=services)
    answer = guard.post(encrypted_request(), HTTP_SOAPACTION='"urn:bank/Pay"')
    assert answer.check == "envelope.soap_action"
    in_the_clear(answer)


def test_the_fault_in_the_place_of_an_answer_is_secured_as_its_service_says(guarded: Answering) -> None:
    """The request was accepted: there is nothing left to hide from its sender."""
    services = {"Echo": {"operations": ["{urn:echo}*"], "response": BOTH}}
    guard = guarded(Application(octets=b"<html>"), services=services)
    in_the_clear(guard.withheld(encrypted_request()))


# --- Reflection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["required", "optional"])
def test_an_answer_of_ours_that_comes_back_is_refused(guarded: Answering, use: str) -> None:
    guard = guarded(response=BOTH, signature={"use": use}, unsafe_unauthenticated=use == "optional")
    answer = guard.post(request())
    assert answer.status == "200 OK"
    assert guard.refusal(answer.body) == "certificate.untrusted"


def test_a_fault_of_ours_that_comes_back_is_refused(guarded: Answering) -> None:
    guard = guarded(response=BOTH)
    assert guard.refusal(guard.post(b"<").body) == "envelope.structure"


def test_our_signature_on_something_else_is_refused(guarded: Answering) -> None:
    """Whoever has the server's key, and not a client's, is no client."""
    guard = guarded(response=BOTH)
    assert guard.refusal(request(SERVICE)) == "certificate.untrusted"


def test_an_encrypted_answer_that_comes_back_is_refused(guarded: Answering) -> None:
    guard = guarded(**TO_SIGNER)
    assert guard.refusal(guard.post(request()).body) == "encryption.key"


def test_a_wrong_password_beside_a_good_signature_is_told_the_signer_alone(guarded: Answering) -> None:
    guard = guarded(**TO_SIGNER)
    answer = guard.post(signed(Signing.by(CLIENT), token=Token(password="guessed")))
    assert answer.check == "username_token.authentication"
    in_the_clear(answer)
