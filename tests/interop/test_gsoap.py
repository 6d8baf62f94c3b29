"""A real gSOAP client calls a guarded service over HTTP, and verifies and decrypts its answers with its own checks on.

What gSOAP 2.8.124 cannot do, and what therefore stands here as refused or not at all: transport a key by RSA-OAEP, in
requests and answers (it sets a label that the message does not name, so rsa-1_5 is its only way); ECDSA (its values are
DER, and XML Signature wants r and s); take CBC data with arbitrary padding (the guard's answers have that of PKCS #7);
find a certificate that is only named (the answer has to carry the BinarySecurityToken). A client that does not verify
dies of an encrypted answer, so whoever encrypts here verifies too.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from tests.guarding import Guarded
from tests.interop.gsoap.running import Gsoap
from tests.interop.judging import guarded, replaced, sent, signature_changed
from tests.interop.pki import Pki
from tests.interop.serving import Wire, answering, serving

TEXT: Final = "grüße & <\U0001f600>"
OLD: Final = {"encryption": ["aes256-cbc", "aes256-gcm", "tripledes-cbc"], "key_transport": ["rsa-1_5"]}
CIPHERS: Final = {"CBC": "aes256-cbc", "GCM": "aes256-gcm", "3DES": "tripledes-cbc"}

Change = Callable[[bytes], bytes]


@dataclass
class Service:
    """A guarded service that listens."""

    guard: Guarded
    wire: Wire
    url: str = ""
    answers: list[bytes] = field(default_factory=list)
    """What the guard answered, before any change."""

    @property
    def checks(self) -> list[str]:
        """What was refused, in order."""
        return [record.check for record in self.guard.records]


@contextmanager
def service(pki: Pki, *, asked: Change = bytes, answered: Change = bytes, **policy: Any) -> Iterator[Service]:
    """A service that answers Echo, guarded by the real clock; what is sent is changed by ``asked`` and ``answered``."""
    guard = guarded(pki, answering, **policy)

    def in_real_time(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        guard.clock.now = datetime.now(UTC)
        return guard.guard(environ, start_response)

    called = Service(guard, Wire(in_real_time, asked))
    with serving(_answering(called.wire, called.answers, answered)) as called.url:
        yield called


def _answering(application: WSGIApplication, answers: list[bytes], change: Change) -> WSGIApplication:
    def changed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started.append((status, headers))

        answers.append(b"".join(application(environ, start)))
        octets = change(answers[-1])
        status, headers = started[-1]
        others = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*others, ("Content-Length", str(len(octets)))])
        return [octets]

    return changed


def securing(pki: Pki, **response: Any) -> dict[str, Any]:
    """Settings with which answers are signed by the server, and what is encrypted for it is opened."""
    server = {"file": pki.file("server", "pair")}
    return {
        "keys": {"decrypt": [server], "sign": server},
        "response": {"timestamp": True, "sign": True, **response},
    }


def encrypting(pki: Pki) -> dict[str, Any]:
    """Settings with which requests must be encrypted, in gSOAP's only key transport, and answers are."""
    return {**securing(pki, encrypt="useReqSigCert"), "encryption": {"use": "required"}, "algorithms": OLD}


# --- Requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("soap12", [False, True], ids=["soap11", "soap12"])
def test_a_user_is_answered(gsoap: Gsoap, pki: Pki, soap12: bool) -> None:
    demanded: dict[str, Any] = {"signature": {"use": "optional"}, "username_token": {"use": "required"}}
    with service(pki, **demanded) as called:
        outcome = gsoap.call(called.url, TEXT, username="alice", password="secret", soap12=soap12)
        assert (outcome.text, called.checks) == (TEXT, []), outcome
        outcome = gsoap.call(called.url, TEXT, username="alice", password="wrong", soap12=soap12)
    assert called.checks == ["username_token.authentication"]
    assert "FailedAuthentication" in outcome.fault


@pytest.mark.parametrize("soap12", [False, True], ids=["soap11", "soap12"])
def test_a_signed_call_is_answered(gsoap: Gsoap, pki: Pki, soap12: bool) -> None:
    with service(pki) as called:
        outcome = gsoap.call(called.url, TEXT, signer="client", soap12=soap12)
    assert (outcome.text, called.checks) == (TEXT, []), outcome


def test_a_signed_token_says_who_calls(gsoap: Gsoap, pki: Pki) -> None:
    parts = ["Body", "Timestamp", "UsernameToken", "BinarySecurityToken"]
    demanded: dict[str, Any] = {"signature": {"required_parts": parts}, "username_token": {"use": "required"}}
    with service(pki, audit={"url": "memory://", "record": "all"}, **demanded) as called:
        outcome = gsoap.call(called.url, TEXT, signer="client", username="alice", password="secret")
    assert (outcome.text, called.checks) == (TEXT, [""]), outcome
    assert called.guard.records[0].username == "alice"


@pytest.mark.parametrize("cipher", CIPHERS)
def test_an_encrypted_call_is_answered_where_its_algorithms_are_permitted(gsoap: Gsoap, pki: Pki, cipher: str) -> None:
    with service(pki, **{**encrypting(pki), "algorithms": {}}) as called:
        gsoap.call(called.url, TEXT, signer="client", cipher=cipher)
    assert called.checks == ["encryption.algorithm"]
    until = datetime.now(UTC).date() + timedelta(days=30)
    legacy = [{"algorithm": name, "clients": ["old"], "until": until} for name in ("rsa-1_5", CIPHERS[cipher])]
    dated = {
        "algorithms": {"encryption": ["aes128-gcm"], "legacy": legacy},
        "client": [{"name": "old", "certificate": pki.file("client", "pem")}],
    }
    with service(pki, **{**encrypting(pki), **dated}) as called:
        outcome = gsoap.call(
            called.url, TEXT, signer="client", cipher=cipher, answer_signed=True, answer_encrypted=True
        )
    assert outcome.text == TEXT, outcome
    assert b"Echo>" not in called.wire.sent[0]


@pytest.mark.parametrize(
    "change, check",
    [
        (lambda message: replaced(message, b"hello", b"hullo"), "signature.digest"),
        (lambda message: signature_changed(message, "SignatureValue"), "signature.value"),
        (lambda message: signature_changed(message, "DigestValue"), "signature.value"),
        (lambda message: replaced(message, b'wsu:Id="Time"', b'wsu:Id="Tame"'), "signature.reference"),
    ],
    ids=["Body", "SignatureValue", "SignedInfo", "Id"],
)
def test_a_call_that_is_changed_on_its_way_is_refused(gsoap: Gsoap, pki: Pki, change: Change, check: str) -> None:
    with service(pki, asked=change) as called:
        outcome = gsoap.call(called.url, "hello", signer="client")
    assert called.checks == [check]
    assert "fault wsse:" in outcome.fault


@pytest.mark.parametrize("cipher", CIPHERS)
def test_an_encrypted_call_that_is_changed_on_its_way_is_refused(gsoap: Gsoap, pki: Pki, cipher: str) -> None:
    with service(pki, asked=_data_changed, **encrypting(pki)) as called:
        gsoap.call(called.url, "hello", signer="client", cipher=cipher)
    # Where nothing but the plaintext is changed it is well-formed at times, and the signature does not fit.
    assert called.checks[0] in {"encryption.failed", "signature.digest"}, called.guard.records


def _data_changed(message: bytes) -> bytes:
    """The message with another octet in the encrypted Body."""
    place = message.rindex(b"CipherValue>") - 40
    return message[:place] + (b"B" if message[place : place + 1] == b"A" else b"A") + message[place + 1 :]


@pytest.mark.parametrize("signer, check", [("foreign", "certificate.untrusted"), ("expired", "certificate.expired")])
def test_a_certificate_that_is_no_good_is_refused(gsoap: Gsoap, pki: Pki, signer: str, check: str) -> None:
    with service(pki) as called:
        gsoap.call(called.url, TEXT, signer=signer)
    assert called.checks == [check]


def test_what_a_client_sent_is_accepted_once(gsoap: Gsoap, pki: Pki) -> None:
    with service(pki, **encrypting(pki)) as called:
        gsoap.call(called.url, TEXT, signer="client", cipher="GCM", answer_signed=True, answer_encrypted=True)
    assert called.checks == []
    assert sent(called.guard, called.wire.sent[0]).check == "replay.signature"


def test_its_oaep_opens_nowhere(gsoap: Gsoap, pki: Pki) -> None:
    """The label that it hashes is not the empty one that its message stands for (FACTS)."""
    oaep = {"encryption": ["aes256-cbc"], "key_transport": ["rsa-oaep-mgf1p"]}
    with service(pki, **{**encrypting(pki), "algorithms": oaep}) as called:
        gsoap.call(called.url, TEXT, signer="client", cipher="CBC-OAEP")
    assert called.checks == ["encryption.failed"]


def test_its_ecdsa_fits_nowhere(gsoap: Gsoap, pki: Pki) -> None:
    """A value is a DER SEQUENCE, where XML Signature 1.1 §6.4.3 has r and s of fixed length."""
    with service(pki) as called:
        gsoap.call(called.url, TEXT, signer="ec")
    assert called.checks == ["signature.value"]


# --- Answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("soap12", [False, True], ids=["soap11", "soap12"])
@pytest.mark.parametrize("confirmed", [False, True])
def test_it_verifies_a_signed_answer(gsoap: Gsoap, pki: Pki, soap12: bool, confirmed: bool) -> None:
    with service(pki, **securing(pki, signature_confirmation=confirmed)) as called:
        outcome = gsoap.call(called.url, TEXT, signer="client", soap12=soap12, answer_signed=True)
    assert outcome.text == TEXT, outcome


@pytest.mark.parametrize("cipher", CIPHERS)
def test_it_decrypts_and_verifies_an_answer_in_the_algorithms_of_its_call(gsoap: Gsoap, pki: Pki, cipher: str) -> None:
    with service(pki, **encrypting(pki)) as called:
        outcome = gsoap.call(
            called.url, TEXT, signer="client", cipher=cipher, answer_signed=True, answer_encrypted=True
        )
    assert outcome.text == TEXT, outcome
    (answer,) = called.answers
    assert b"EchoResponse" not in answer
    assert b"#rsa-1_5" in answer
    assert CIPHERS[cipher].encode() in answer


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: replaced(answer, b"hello", b"hullo"),
        lambda answer: signature_changed(answer, "SignatureValue"),
        lambda answer: signature_changed(answer, "DigestValue"),
        lambda answer: _moved(answer),
    ],
    ids=["Body", "SignatureValue", "SignedInfo", "Timestamp"],
)
def test_it_refuses_a_signed_answer_that_is_changed_on_its_way(gsoap: Gsoap, pki: Pki, change: Change) -> None:
    with service(pki, answered=change, **securing(pki)) as called:
        outcome = gsoap.call(called.url, "hello", signer="client", answer_signed=True)
    assert not outcome.text
    assert outcome.fault
    assert called.checks == []


def _moved(answer: bytes) -> bytes:
    """The answer with a Timestamp that ends later."""
    start = answer.index(b"<wsu:Expires>") + len(b"<wsu:Expires>")
    return answer[:start] + b"2099" + answer[start + 4 :]


@pytest.mark.parametrize("cipher", CIPHERS)
def test_it_refuses_an_encrypted_answer_that_is_changed_on_its_way(gsoap: Gsoap, pki: Pki, cipher: str) -> None:
    with service(pki, answered=_data_changed, **encrypting(pki)) as called:
        outcome = gsoap.call(
            called.url, "hello", signer="client", cipher=cipher, answer_signed=True, answer_encrypted=True
        )
    assert not outcome.text
    assert outcome.fault
    assert called.checks == []


def test_it_refuses_an_answer_that_is_less_than_it_asks_for(gsoap: Gsoap, pki: Pki) -> None:
    with service(pki) as called:
        unsigned = gsoap.call(called.url, TEXT, signer="client", answer_signed=True)
    with service(pki, **securing(pki, signed_parts=["Body"])) as called:
        partly = gsoap.call(called.url, TEXT, signer="client", answer_signed=True)
    with service(pki, **securing(pki)) as called:
        open_to_all = gsoap.call(called.url, TEXT, signer="client", answer_signed=True, answer_encrypted=True)
    assert not unsigned.text + partly.text + open_to_all.text
    assert "Timestamp of the answer is not signed" in partly.fault
    assert "the answer is not encrypted" in open_to_all.fault


def test_it_refuses_an_answer_by_somebody_else(gsoap: Gsoap, pki: Pki) -> None:
    settings = securing(pki)
    settings["keys"]["sign"] = {"file": pki.file("foreign", "pair")}
    with service(pki, **settings) as called:
        outcome = gsoap.call(called.url, TEXT, signer="client", answer_signed=True)
    assert "Invalid certificate" in outcome.fault


def test_it_opens_no_answer_by_oaep(gsoap: Gsoap, pki: Pki) -> None:
    """A call that was not encrypted is answered in the first algorithms of the list."""
    settings = securing(pki, encrypt="useReqSigCert")
    for transport, opened in (("rsa-1_5", True), ("rsa-oaep-mgf1p", False)):
        with service(pki, **settings, algorithms={**OLD, "key_transport": [transport]}) as called:
            outcome = gsoap.call(called.url, TEXT, signer="client", answer_signed=True, answer_encrypted=True)
        assert bool(outcome.text) is opened, outcome
