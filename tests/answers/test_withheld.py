"""An answer that cannot be secured as demanded is never sent: a fault goes in its place, and the audit says so."""

import gzip
from dataclasses import replace
from typing import Any, Final

import pytest
from lxml import etree

from tests.answers.answering import (
    ANSWER,
    CLIENT,
    ELLIPTIC,
    RESPONSE,
    SECRET,
    SERVICE,
    XML,
    Answering,
    Application,
    encrypted_request,
    request,
    unsigned_request,
)
from tests.encrypting import Encryption, reference_list, to_id
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import content_of, draft, encrypted_body, new_server
from tests.guarding import Answer
from tests.messages import SOAP11, SOAP12, WSSE, envelope, timestamp
from tests.securing.receiving import received
from tests.signature.test_oracle import xmlsec_verifies
from tests.signing import BODY, Signing, binary_token, sign, signed

BOTH: Final = {"timestamp": True, "sign": True}
TO_SIGNER: Final = {"response": {**BOTH, "encrypt": "useReqSigCert"}}
OPTIONAL: Final[dict[str, Any]] = {"signature": {"use": "optional"}, "unsafe_unauthenticated": True}


def fault_of(answer: Answer) -> str:
    """The text of a fault of the server's, which is signed."""
    assert xmlsec_verifies(answer.body, SERVICE)
    root = etree.fromstring(answer.body)
    code, text = root.findtext(".//faultcode"), root.findtext(".//faultstring")
    assert code == "soap:Server"
    return text or ""


@pytest.mark.parametrize("record", ["rejected", "all"])
def test_there_must_be_somebody_to_encrypt_for(guarded: Answering, record: str) -> None:
    guard = guarded(**TO_SIGNER, **OPTIONAL, audit={"url": "memory://", "record": record})
    answer = guard.withheld(unsigned_request())
    assert fault_of(answer).startswith("The answer could not be secured [")
    assert answer.record is not None
    assert answer.check == "response.not_secured"
    if record == "rejected":
        assert answer.record.fault == "soap:Server"
        assert answer.record.explanation[-1]["check"] == "response.not_secured"
        assert guard.application.closed == 1


def test_soap_1_2_has_a_fault_of_its_own(guarded: Answering) -> None:
    guard = guarded(**TO_SIGNER, **OPTIONAL)
    answer = guard.withheld(unsigned_request(soap=SOAP12), CONTENT_TYPE="application/soap+xml; charset=utf-8")
    assert answer.headers["Content-Type"] == "application/soap+xml; charset=utf-8"
    assert [one.text for one in etree.fromstring(answer.body).iter(f"{{{SOAP12}}}Value")] == ["soap:Receiver"]
    assert xmlsec_verifies(answer.body, SERVICE)


def test_a_key_on_a_curve_can_be_nobody_to_encrypt_for(guarded: Answering) -> None:
    answer = guarded(**TO_SIGNER).withheld(request(ELLIPTIC))
    assert answer.check == "response.not_secured"
    assert fault_of(answer)


def test_a_signature_that_covers_too_little_is_nobodys(guarded: Answering) -> None:
    guard = guarded(**TO_SIGNER, **OPTIONAL)
    assert guard.withheld(signed(Signing.by(CLIENT, parts=(BODY,)))).check == "response.not_secured"


UNFIT: Final[dict[str, tuple[bytes, list[tuple[str, str]]]]] = {
    "HTML": (f"<html><p>{SECRET}<br></html>".encode(), [("Content-Type", "text/html")]),
    "HTML that is well-formed": (f"<html><p>{SECRET}</p></html>".encode(), [("Content-Type", "text/html")]),
    "text": (SECRET.encode(), [("Content-Type", "text/plain")]),
    "not well-formed": (ANSWER[:-5], [XML]),
    "two documents": (ANSWER * 2, [XML]),
    "nothing but space": (b"  ", [XML]),
    "gzip": (gzip.compress(ANSWER), [XML, ("Content-Encoding", "gzip")]),
    "multipart": (
        b"--x\r\nContent-Type: text/xml\r\n\r\n" + ANSWER + b"\r\n--x--",
        [("Content-Type", 'multipart/related; boundary="x"')],
    ),
    "a document type": (b"<!DOCTYPE e>" + ANSWER, [XML]),
    "a processing instruction": (b"<?pi?>" + ANSWER, [XML]),
    "no Body": (f'<S:Envelope xmlns:S="{SOAP11}"/>'.encode(), [XML]),
    "two Bodies": (ANSWER.replace(b"</S:Body>", b"</S:Body><S:Body/>"), [XML]),
    "another envelope": (ANSWER.replace(SOAP11.encode(), b"urn:soap"), [XML]),
    "a Security header of its own": (envelope(f'<wsse:Security xmlns:wsse="{WSSE}"/>', RESPONSE), [XML]),
    "an Id twice": (ANSWER.replace(b"<e:text>", b'<e:text Id="a"><b Id="a"/>'), [XML]),
    "not UTF-8": (ANSWER.replace(b"<e:text>", b"<e:text>\xff"), [XML]),
    "ISO-8859-1 without a word of it": (ANSWER.replace(b"<e:text>", "<e:text>é".encode("latin-1")), [XML]),
    "too deep": (ANSWER.replace(b"<e:text>", b"<a>" * 100 + b"</a>" * 100 + b"<e:text>"), [XML]),
}


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("response", [{**BOTH, "encrypt": "useReqSigCert"}, {"timestamp": True}], ids=["all", "stamp"])
def test_what_is_no_envelope_is_withheld(guarded: Answering, name: str, response: dict[str, Any]) -> None:
    octets, headers = UNFIT[name]
    guard = guarded(Application(octets=octets, headers=headers), response=response)
    answer = guard.withheld(request())
    assert answer.check == "response.not_secured"
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert "Content-Encoding" not in answer.headers
    assert guard.application.closed == 1


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Internal Server Error"])
def test_the_status_of_what_is_withheld_is_the_faults(guarded: Answering, status: str) -> None:
    guard = guarded(Application(octets=b"<html>", status=status), response=BOTH)
    assert guard.withheld(request()).status == "500 Internal Server Error"


@pytest.mark.parametrize("more", [0, 1])
def test_what_is_too_large_is_withheld(guarded: Answering, more: int) -> None:
    limits = {"response_bytes": len(ANSWER) - more}
    guard = guarded(response=BOTH, limits=limits)
    if not more:
        assert guard.post(request()).status == "200 OK"
        return
    answer = guard.withheld(request())
    assert answer.record is not None
    assert answer.record.explanation[-1]["setting"] == "limits.response_bytes"
    assert guard.application.closed == 1


def test_what_has_no_end_is_read_no_further_than_the_limit(guarded: Answering) -> None:
    read: list[int] = []

    class Endless(Application):
        def reply(self, start_response: Any) -> Any:
            start_response("200 OK", [XML])
            for _ in iter(int, 1):
                read.append(1)
                yield b"x" * 1000

    guard = guarded(Endless(), response=BOTH, limits={"response_bytes": 10_000})
    assert guard.withheld(request()).check == "response.not_secured"
    assert len(read) == 11
    assert guard.application.closed == 1


def test_the_fault_in_its_place_is_encrypted_for_the_signer(guarded: Answering) -> None:
    guard = guarded(Application(octets=b"<html>"), **TO_SIGNER)
    answer = guard.withheld(request())
    assert b"could not be secured" not in answer.body
    result = received(answer.body)
    assert result.encrypted_names == ["Body"]
    assert result.tree.root.findtext(".//faultcode") == "soap:Server"


def test_what_a_derived_key_encrypted_is_answered(guarded: Answering) -> None:
    """The answer is encrypted under a key of its own."""
    key = Encryption.for_(new_server(), references=()).fixed()
    security = (key.key_xml(), derived_token(length=16), reference_list("ED-1"), binary_token(CLIENT.certificate))
    text = sign(draft(*security, "@SIG-1@", timestamp()), Signing.by(CLIENT)).decode()
    content = content_of(text)
    data = replace(
        key, session=derived_octets(key.session, 16), data_key_info=to_id("DK-1"), plaintext=content.encode()
    )
    answer = guarded(**TO_SIGNER).post(text.replace(content, data.data_xml()).encode())
    assert answer.status == "200 OK"
    assert received(answer.body).encrypted_names == ["Body"]


def test_an_audit_that_is_away_changes_nothing_for_the_peer(
    guarded: Answering, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    guard = guarded(**TO_SIGNER, **OPTIONAL, audit={"url": "memory://", "record": "all"})

    def fail(*_: object) -> None:
        raise OSError(SECRET)

    monkeypatch.setattr(guard.guard.audit, "amend", fail)
    answer = guard.post(unsigned_request())
    assert answer.status.startswith("500 ")
    assert SECRET not in answer.body.decode()
    assert SECRET not in caplog.text
    assert "not recorded" in caplog.text


def test_a_request_that_was_encrypted_and_not_signed_has_no_answer(guarded: Answering) -> None:
    guard = guarded(**TO_SIGNER, **OPTIONAL)
    assert guard.withheld(encrypted_body(Encryption.for_(new_server()).fixed())).check == "response.not_secured"
    assert guard.post(encrypted_request()).status == "200 OK"
