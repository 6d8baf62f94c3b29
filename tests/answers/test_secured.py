"""``[response]``: each setting does what it says, and a receiver with other eyes finds it right."""

from datetime import date
from typing import Any, Final

import pytest
import xmlsec
from lxml import etree

from tests.answers.answering import (
    ANSWER,
    CLIENT,
    RESPONSE,
    SECRET,
    SERVICE,
    Answering,
    Application,
    encrypted_request,
    request,
    unsigned_request,
)
from tests.encrypting import DATA_METHODS, KEY_METHODS
from tests.guarding import environ_for
from tests.messages import PAYLOAD, SOAP11, SOAP12, WSSE, WSU, envelope
from tests.pki import rsa_key
from tests.securing.receiving import ELLEN, IDENTIFIERS, ROOT, received
from tests.securing.test_foreign import opened_by_xmlsec
from tests.signature.test_oracle import xmlsec_verifies
from tests.signing import Signing, canonical, signed

ANOTHER: Final = ROOT.leaf("Another", key=rsa_key(5))
"""Another client."""
BOTH: Final = {"timestamp": True, "sign": True}
FAULT: Final = f"<S:Fault><faultcode>S:Server</faultcode><faultstring>{SECRET}</faultstring></S:Fault>"
OPTIONAL: Final[dict[str, Any]] = {"signature": {"use": "optional"}, "unsafe_unauthenticated": True}


def security_of(octets: bytes) -> list[str]:
    """The local names in the Security header."""
    (found,) = etree.fromstring(octets).findall(f"*/{{{WSSE}}}Security")
    return [etree.QName(child).localname for child in found]


def test_nothing_is_changed_where_nothing_is_demanded(guarded: Answering) -> None:
    guard = guarded()
    assert guard.post(request()).body == ANSWER


def test_a_timestamp_alone_is_added(guarded: Answering) -> None:
    answer = guarded(response={"timestamp": True}).post(request())
    assert security_of(answer.body) == ["Timestamp"]
    times = [one.text for one in etree.fromstring(answer.body).iter(f"{{{WSU}}}Created", f"{{{WSU}}}Expires")]
    assert times == ["2026-11-21T12:00:00.000Z", "2026-11-21T12:05:00.000Z"]
    assert RESPONSE.encode() in answer.body


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize("soap", [SOAP11, SOAP12], ids=["SOAP 1.1", "SOAP 1.2"])
def test_body_and_timestamp_are_signed(guarded: Answering, identifier: str, soap: str) -> None:
    application = Application(octets=envelope(None, RESPONSE, soap))
    guard = guarded(application, response={**BOTH, "key_identifier": identifier})
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    answer = guard.post(request(soap=soap), CONTENT_TYPE=f"{kind}; charset=utf-8")
    assert (answer.status, answer.headers["Content-Type"]) == ("200 OK", f"{kind}; charset=utf-8")
    assert answer.headers["Content-Length"] == str(len(answer.body))
    tokens = ["BinarySecurityToken"] if identifier == "DirectReference" else []
    assert security_of(answer.body) == ["Timestamp", *tokens, "Signature"]
    assert xmlsec_verifies(answer.body, SERVICE)
    assert not xmlsec_verifies(answer.body.replace(SECRET.encode(), b"other"), SERVICE)
    assert sorted(received(answer.body).signed_names) == ["Body", "Timestamp"]


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        (["Body"], ["Body"]),
        (["Timestamp"], ["Timestamp"]),
        (["BinarySecurityToken", "Body"], ["BinarySecurityToken", "Body"]),
        (["{urn:h}To", "Body"], ["Body", "To"]),
    ],
    ids=str,
)
def test_the_named_parts_are_signed(guarded: Answering, parts: list[str], names: list[str]) -> None:
    application = Application(octets=envelope('<h:To xmlns:h="urn:h">x</h:To>', RESPONSE))
    answer = guarded(application, response={**BOTH, "signed_parts": parts}).post(request())
    assert xmlsec_verifies(answer.body, SERVICE)
    assert sorted(received(answer.body).signed_names) == names


def test_without_timestamp_the_body_alone_is_signed(guarded: Answering) -> None:
    answer = guarded(response={"sign": True}).post(request())
    assert received(answer.body).signed_names == ["Body"]


def test_a_key_on_a_curve_signs(guarded: Answering) -> None:
    answer = guarded(response=BOTH, signer=ELLEN).post(request())
    assert xmlsec_verifies(answer.body, ELLEN)


# --- Encrypted --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [True, False])
@pytest.mark.parametrize("encrypt", ["useReqSigCert", "client"])
def test_it_is_encrypted_for_whom_it_is(guarded: Answering, sign: bool, encrypt: str) -> None:
    client = [{"name": "client", "certificate": CLIENT}]
    guard = guarded(response={"sign": sign, "timestamp": sign, "encrypt": encrypt}, client=client)
    answer = guard.post(request())
    assert answer.status == "200 OK"
    assert SECRET.encode() not in answer.body
    (plaintext,) = opened_by_xmlsec(answer.body, CLIENT)
    assert canonical(etree.fromstring(plaintext)) == RESPONSE.encode()
    result = received(answer.body)
    assert result.encrypted_names == ["Body"]
    assert sorted(result.signed_names) == (["Body", "Timestamp"] if sign else [])


def test_each_signer_gets_an_answer_of_their_own(guarded: Answering) -> None:
    guard = guarded(response={"sign": True, "encrypt": "useReqSigCert"})
    for number, (one, other) in enumerate(((CLIENT, ANOTHER), (ANOTHER, CLIENT), (CLIENT, ANOTHER))):
        answer = guard.post(request(one, body=PAYLOAD.replace("hello", f"hello {number}"))).body
        (plaintext,) = opened_by_xmlsec(answer, one)
        assert canonical(etree.fromstring(plaintext)) == RESPONSE.encode()
        with pytest.raises(xmlsec.Error):
            opened_by_xmlsec(answer, other)


def test_a_named_client_gets_what_another_asked_for(guarded: Answering) -> None:
    client = [{"name": "client", "certificate": CLIENT}]
    guard = guarded(response={"encrypt": "client"}, client=client, **OPTIONAL)
    (plaintext,) = opened_by_xmlsec(guard.post(unsigned_request()).body, CLIENT)
    assert canonical(etree.fromstring(plaintext)) == RESPONSE.encode()


@pytest.mark.parametrize(
    ("changes", "algorithm", "method"),
    [
        ({}, "aes128-gcm", "rsa-oaep-mgf1p"),
        ({"algorithm": "aes256-gcm"}, "aes256-gcm", "rsa-oaep-mgf1p"),
        ({"algorithm": "tripledes-cbc", "method": "rsa-1_5"}, "tripledes-cbc", "rsa-1_5"),
        ({"method": "rsa-oaep"}, "aes128-gcm", "rsa-oaep"),
    ],
    ids=str,
)
def test_a_client_is_answered_as_it_asked(
    guarded: Answering, changes: dict[str, Any], algorithm: str, method: str
) -> None:
    until = date(2027, 3, 31)
    legacy = [{"algorithm": name, "until": until} for name in ("tripledes-cbc", "rsa-1_5")]
    guard = guarded(response={**BOTH, "encrypt": "useReqSigCert"}, algorithms={"legacy": legacy})
    answer = guard.post(encrypted_request(**changes))
    assert answer.status == "200 OK"
    assert DATA_METHODS[algorithm].encode() in answer.body
    assert KEY_METHODS[method].encode() in answer.body
    (plaintext,) = opened_by_xmlsec(answer.body, CLIENT)
    assert canonical(etree.fromstring(plaintext)) == RESPONSE.encode()


def test_a_client_that_encrypted_nothing_is_answered_in_the_first_listed_algorithms(guarded: Answering) -> None:
    listed = {"encryption": ["aes256-gcm", "aes128-gcm"], "key_transport": ["kw-aes128", "rsa-oaep"]}
    guard = guarded(response={"encrypt": "useReqSigCert"}, algorithms=listed)
    answer = guard.post(request())
    assert DATA_METHODS["aes256-gcm"].encode() in answer.body
    assert KEY_METHODS["rsa-oaep"].encode() in answer.body


@pytest.mark.parametrize("response", [BOTH, {"timestamp": True}], ids=["signed", "stamped"])
def test_answers_are_signed_where_nothing_may_be_encrypted(guarded: Answering, response: dict[str, bool]) -> None:
    guard = guarded(response=response, algorithms={"encryption": [], "key_transport": []})
    assert guard.post(request()).status == "200 OK"


# --- Whose answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secure_faults", [True, False])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12], ids=["SOAP 1.1", "SOAP 1.2"])
def test_the_applications_faults_are_secured_where_they_shall_be(
    guarded: Answering, secure_faults: bool, soap: str
) -> None:
    octets = envelope(None, FAULT, soap)
    application = Application(octets=octets, status="500 Internal Server Error")
    guard = guarded(application, response={**BOTH, "encrypt": "useReqSigCert", "secure_faults": secure_faults})
    answer = guard.post(request(soap=soap), CONTENT_TYPE="text/xml" if soap == SOAP11 else "application/soap+xml")
    assert answer.status == "500 Internal Server Error"
    if secure_faults:
        assert received(answer.body).encrypted_names == ["Body"]
        assert SECRET.encode() not in answer.body
    else:
        assert answer.body == octets


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16"])
def test_a_fault_that_is_left_alone_keeps_its_headers(guarded: Answering, charset: str) -> None:
    text = f'<?xml version="1.0" encoding="{charset}"?>' + envelope(None, FAULT.replace(SECRET, "é")).decode()
    headers = [("Content-Type", f"text/xml; charset={charset}"), ("X-Own", "1")]
    application = Application(octets=text.encode(charset), status="500 No", headers=headers)
    answer = guarded(application, response={**BOTH, "secure_faults": False}).post(request())
    assert answer.body == text.encode(charset)
    assert answer.headers == dict(headers)


@pytest.mark.parametrize(
    "body", [f"{FAULT}{RESPONSE}", f"{RESPONSE}{FAULT}", f"<x>{FAULT}</x>"], ids=["before", "behind", "around"]
)
def test_what_only_holds_a_fault_is_an_answer(guarded: Answering, body: str) -> None:
    application = Application(octets=envelope(None, body))
    answer = guarded(application, response={**BOTH, "secure_faults": False}).post(request())
    assert "Signature" in security_of(answer.body)


def test_answers_of_exempt_operations_are_left_alone(guarded: Answering) -> None:
    exempt = {"operations": ["{urn:echo}*"], "reason": "r", "owner": "o", "review": date(2027, 1, 1)}
    guard = guarded(response={**BOTH, "encrypt": "useReqSigCert"}, exempt=[exempt])
    answer = guard.post(envelope(None))
    assert (answer.status, answer.body) == ("200 OK", ANSWER)
    assert answer.record is not None
    assert answer.record.outcome == "exempt"


def test_the_wsdl_is_left_alone(guarded: Answering) -> None:
    application = Application(octets=b"<definitions/>")
    guard = guarded(application, response={**BOTH, "encrypt": "useReqSigCert"})
    environ = environ_for(b"", REQUEST_METHOD="GET", QUERY_STRING="wsdl", CONTENT_LENGTH=None, CONTENT_TYPE="")
    answer = guard.call(environ)
    assert (answer.status, answer.body) == ("200 OK", b"<definitions/>")


def test_a_service_says_how_its_own_answers_are_secured(guarded: Answering) -> None:
    services = {"Echo": {"operations": ["{urn:echo}*"], "response": {"sign": False, "timestamp": False}}}
    guard = guarded(response=BOTH, services=services)
    assert guard.post(request()).body == ANSWER
    other = '<o:Op xmlns:o="urn:other"/>'
    assert "Signature" in security_of(guard.post(signed(Signing.by(CLIENT), body=other)).body)
