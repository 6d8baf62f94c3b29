"""A program that changes an answer on its way to the client that asked.

Invariant: ``AnswerRefused``, or the caller sees what the server signed, by the server, as a confirmation of this
request; a fault that nobody vouches for is no answer.
"""

from datetime import timedelta
from functools import cache
from typing import Any, Final

from lxml import etree

from fuzz import keys, program
from fuzz.guarded import NOW
from fuzz.silence import silent
from fuzz.target import Target, demand
from tests.pki import rsa_key
from tests.signing import canonical
from wsguard.client import AnswerRefused, Answers, Material, Securing, SigningKey
from wsguard.client.sending import Sent
from wsguard.client.verifying import verify_answer
from wsguard.interfaces import DecryptionKey
from wsguard.names import SOAP11
from wsguard.policy.surroundings import Limits
from wsguard.securing import secure

_VALUES: Final = (b"the value of the request's signature",)
_CONTENT: Final = (
    '<e:EchoResponse xmlns:e="urn:echo"><e:text xmlns:xsi="urn:i" xsi:t="e:x">hello</e:text></e:EchoResponse>'
)
_FAULT: Final = "<S:Fault><faultcode>S:Server</faultcode><faultstring>asked for</faultstring></S:Fault>"


def _enveloped(body: str) -> bytes:
    return f'<S:Envelope xmlns:S="{SOAP11}"><S:Body>{body}</S:Body></S:Envelope>'.encode()


@cache
def _client() -> DecryptionKey:
    one = keys.issued("Client", 7, keys.ROOT, rsa_key(7))
    return DecryptionKey("client.pem", one.key, one.certificate)


@cache
def messages() -> tuple[bytes, ...]:
    """Answers of the server; the last is signed by somebody else."""

    def answered(body: str, by: Any = keys.ALICE, **changes: Any) -> bytes:  # noqa: ANN401 - fields of Securing
        signing = SigningKey(by.key, by.certificate)
        usual = {"timestamp": timedelta(minutes=5), "sign": signing, "signature_confirmations": _VALUES}
        return secure(_enveloped(body), Securing(**{**usual, **changes}), NOW, Limits())

    certificate = _client().certificate
    return (
        answered(_CONTENT),
        answered(_CONTENT, encrypt_for=certificate),
        answered(_CONTENT, encrypt_for=certificate, encryption="aes256-cbc"),
        answered(_FAULT),
        answered(_CONTENT, key_identifier="IssuerSerial"),
        answered(_CONTENT, keys.MALLORY),
    )


@cache
def _expected() -> Answers:
    return Answers(
        trusted=Material(anchors=(keys.ROOT.certificate,)),
        server_certificate=keys.ALICE.certificate,
        decrypt=(_client(),),
    )


@cache
def _contents() -> frozenset[tuple[bytes, ...]]:
    return frozenset(tuple(map(canonical, etree.fromstring(_enveloped(text))[0])) for text in (_CONTENT, _FAULT))


def judge(octets: bytes) -> bool:
    """Hold what became of one answer against the invariant."""
    _, changed = program.run(octets, messages())
    try:
        with silent():
            answer = verify_answer(changed, _expected(), Sent(_VALUES, b"our own key"), NOW)
    except AnswerRefused as refused:
        demand(refused.check and str(refused).isprintable(), "a refusal has a check, and one line")
        return False
    content = tuple(map(canonical, etree.fromstring(answer.octets)[-1]))
    demand(content in _contents(), "the caller sees what the server signed")
    demand(answer.signer and answer.signer.certificate == keys.ALICE.certificate, "the signer is the server")
    demand(answer.confirmed, "it confirms the request")
    demand({"Body", "Timestamp"} <= answer.signed_parts, "Body and Timestamp are signed")
    demand((answer.fault is not None) == (b":Fault>" in answer.octets), "a fault is told to be one")
    return True


def seeds() -> list[bytes]:
    """The answers as they are, and each step."""
    return program.seeds(messages(), b"hell")


TARGET: Final = Target(name="answers", judge=judge, seeds=seeds, dictionary="program", longest=256)
