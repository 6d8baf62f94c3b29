"""L: answers that come back as requests, faults that tell too much, and requests in the server's own name."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from lxml import etree

from tests.answers.answering import ANSWER
from tests.answers.answering import SECRET as CANARY
from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.encrypting import WSSE11, Encryption, key_name
from tests.guard_encryption.sealing import (
    encrypted_body,
    for_server,
    server,
    signed_text,
    signed_then_encrypted,
    stranger,
)
from tests.guarding import Answer
from tests.messages import DS, PAYLOAD, SOAP11, SOAP12, WSU, XENC, envelope, security, sender_time, timestamp
from tests.signature.key_infos import issuer_serial, key_identifier, key_value, referring, x509_data
from tests.signature.signatures import ALICE, STRANGER, honest, rsa_client
from tests.signing import Signing, signed
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing, SigningKey, secure

ANSWERS: Final = Chapter("L", "answering")

REFLECTION: Final = "reflection: what the server signed comes back as a client's"
LEAK: Final = "CWE-209, an error message with what an attacker may not know"
SECRET: Final = PAYLOAD.replace("hello", CANARY)
FAULT: Final = (
    f'<S:Envelope xmlns:S="{SOAP11}"><S:Body><S:Fault><faultcode>S:Server</faultcode><faultstring>no</faultstring>'
    "</S:Fault></S:Body></S:Envelope>"
).encode()


# --- Reflection -------------------------------------------------------------------------------------------------------


def answered(octets: bytes = ANSWER, **changes: Any) -> bytes:
    """What the server makes of an answer: signed with its own key, encrypted to its client where ``changes`` say."""
    key = SigningKey(server().key, server().certificate, server().chain[1:])
    plan = Securing(**{"timestamp": timedelta(minutes=5), "sign": key, **changes})
    return secure(octets, plan, sender_time(), Limits())


@ANSWERS.refused("certificate.untrusted", source=REFLECTION)
def an_answer_comes_back() -> Built:
    return answered()


@ANSWERS.refused("encryption.key", source=REFLECTION)
def an_answer_that_was_encrypted_for_its_client_comes_back() -> Built:
    return answered(encrypt_for=rsa_client().certificate)


@ANSWERS.each_refused("certificate.untrusted", {"signed first": True, "encrypted first": False}, source=REFLECTION)
def an_answer_is_encrypted_for_the_server_and_comes_back(first: bool) -> Built:
    return answered(encrypt_for=server().certificate, sign_before_encrypting=first)


@ANSWERS.refused("envelope.structure", source=REFLECTION)
def a_fault_comes_back() -> Built:
    return answered(FAULT)


@ANSWERS.refused("security.unknown_token", source=REFLECTION)
def a_confirmation_comes_back_in_a_request() -> Built:
    confirmation = f'<w:SignatureConfirmation xmlns:w="{WSSE11}" wsu:Id="SC-1" Value="AAAA"/>'
    return signed_text(Signing.by(rsa_client()), confirmation).replace("@EK-1@", "").encode()


@ANSWERS.each_refused(
    "certificate.untrusted",
    {
        "in a token": None,
        "in X509Data": lambda: x509_data(server()),
        "by KeyIdentifier": lambda: key_identifier(server()),
    },
    source=REFLECTION,
)
def the_servers_own_certificate_signs_a_request(key_info: Callable[[], str] | None) -> Built:
    signing = Signing.by(server()) if key_info is None else Signing.by(server(), key_info=key_info())
    return signed_then_encrypted(signing=signing)


@ANSWERS.each_refused(
    "certificate.unavailable",
    {
        "by issuer and serial": lambda: referring(issuer_serial(server())),
        "by its key": lambda: key_value(server()),
    },
    source=REFLECTION,
)
def the_servers_own_certificate_is_named(key_info: Callable[[], str]) -> Built:
    return signed_then_encrypted(signing=Signing.by(server(), key_info=key_info()))


@ANSWERS.refused("replay.signature", source="an answer is asked for twice", also=lambda answer: secured(answer))
def a_request_whose_answer_was_sent_comes_again() -> Built:
    octets = signed_then_encrypted(signing=Signing.by(rsa_client()))
    return octets, octets


# --- Whom answers and faults are for ----------------------------------------------------------------------------------


@ANSWERS.each_refused("encryption.key", {"of another": "IssuerSerial", "by thumbprint": "Thumbprint"})
def a_request_is_for_another_server(form: str) -> Built:
    return signed_then_encrypted(Encryption.for_(stranger(), form).fixed(), Signing.by(rsa_client()))


@ANSWERS.refused("certificate.untrusted", source="an answer shall be encrypted to whoever sends a certificate")
def a_stranger_asks_for_an_answer_under_a_certificate_of_his_own() -> Built:
    return signed_then_encrypted(signing=Signing.by(STRANGER))


@ANSWERS.refused("signature.value", source="an answer shall be encrypted to whoever sends a certificate")
def a_stranger_asks_for_an_answer_under_a_clients_certificate() -> Built:
    return signed_then_encrypted(signing=Signing.by(rsa_client(), key=STRANGER.key, method="rsa-sha256", value="AAAA"))


@ANSWERS.refused("signature.missing", source="an answer shall be encrypted to whoever sends a certificate")
def nobody_asks_for_an_answer() -> Built:
    return encrypted_body()


# --- What faults say --------------------------------------------------------------------------------------------------

_CONSTANT: Final = re.compile(r"[A-Z][\w ,.:<>-]{10,120} \[[0-9a-z]{26}\]")
"""One of the sentences of the standard, and an incident."""
_TOLD: Final = (CANARY, "Traceback", "lxml", "xmlsec", "wsguard", "/", "CN=", "alice", "Rosa", "expected")


def silent(answer: Answer) -> None:
    """Demand a fault in constant words: nothing of the message, the check, the guard or its files."""
    assert CANARY not in answer.body.decode()
    assert CANARY not in repr(answer.headers)
    assert answer.record is not None
    assert answer.record.check not in answer.body.decode()
    root = etree.fromstring(answer.body)
    told = [*root.iter("faultstring"), *root.iter(f"{{{SOAP12}}}Text")]
    for one in told:
        assert _CONSTANT.fullmatch(one.text or ""), one.text
        assert not [word for word in _TOLD if word in (one.text or "")]
    assert bool(told) != (b"EncryptedData" in answer.body)


def secured(answer: Answer) -> None:
    """Demand that, and that the fault is signed and says when it was made, and is encrypted for nobody."""
    silent(answer)
    root = etree.fromstring(answer.body)
    assert root.find(f".//{{{DS}}}SignatureValue") is not None
    assert root.find(f".//{{{WSU}}}Created") is not None
    assert root.find(f".//{{{XENC}}}EncryptedData") is None


_BENT: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "no XML": ("envelope.malformed", lambda: f"<{CANARY}".encode()),
    "no SOAP": ("envelope.structure", lambda: f"<{CANARY}/>".encode()),
    "a document type": ("envelope.doctype", lambda: f"<!DOCTYPE {CANARY}>".encode() + honest().encode()),
    "an encoding": (
        "envelope.encoding", lambda: f'<?xml version="1.0" encoding="{CANARY}"?>'.encode() + honest().encode()
    ),
    "a token": ("security.unknown_token", lambda: envelope(security(timestamp(), f"<{CANARY}/>"))),
    "an Id": ("envelope.duplicate_id", lambda: envelope(None, PAYLOAD.replace("hello", f'<a id="{CANARY}"/>' * 2))),
    "a reference": (
        "certificate.unavailable",
        lambda: signed(Signing.by(rsa_client(), key_info=referring(f'<wsse:Reference URI="#{CANARY}"/>'))),
    ),
    "a method": ("signature.algorithm", lambda: signed(Signing.by(ALICE, method=f"urn:{CANARY}", value="AAAA"))),
    "a key": (
        "encryption.key",
        lambda: encrypted_body(for_server(key_info=key_name(CANARY))),
    ),
    "a time": ("timestamp.malformed", lambda: envelope(security(timestamp(created=CANARY)))),
    "a plaintext": ("encryption.failed", lambda: encrypted_body(body=f"</{CANARY}>{SECRET}")),
    "a username": ("username_token.authentication", lambda: with_token(user(username=CANARY))),
    "a signature": (
        "signature.value", lambda: signed_then_encrypted(signing=Signing.by(ALICE, value="AAAA"), body=SECRET)
    ),
    "an operation": (
        "signature.missing", lambda: envelope(security(timestamp()), f'<x:{CANARY} xmlns:x="urn:{CANARY}"/>')
    ),
}  # fmt: skip


def _add(label: str, check: str, make: Callable[[], Built]) -> None:
    def build() -> Built:
        return make()

    build.__name__ = f"a fault tells nothing of: {label}"
    ANSWERS.refused(check, source=LEAK, also=secured)(build)


for _label, (_check, _make) in _BENT.items():
    _add(_label, _check, _make)


@ANSWERS.each_refused(
    "http.path",
    {"in a path": {"PATH_INFO": f"/a/../{CANARY}"}, "in where it is mounted": {"SCRIPT_NAME": f"/{CANARY};x"}},
    source=LEAK,
    also=secured,
    elsewhere=False,
)
def a_fault_tells_nothing_of_what_stood(environ: dict[str, str]) -> Built:
    return Sent(octets=honest().encode(), environ=environ)


@ANSWERS.refused("envelope.structure", source=LEAK, also=secured)
def a_fault_of_soap_1_2_tells_nothing() -> Built:
    return Sent(
        octets=envelope(None, SECRET * 2, SOAP12), environ={"CONTENT_TYPE": "application/soap+xml; charset=utf-8"}
    )


EVERY: Final = (*ANSWERS,)
