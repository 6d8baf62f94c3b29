"""What is noted of a request for its answer: for whom, in which algorithms, and whether a fault must keep a secret."""

import base64
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.encrypting import key_name, reference_list, to_id
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    body_with,
    data_only,
    draft,
    element_of,
    encrypted_body,
    for_server,
    signed_then_encrypted,
)
from tests.messages import PAYLOAD, Token, timestamp
from tests.signature.signatures import ALICE, SignedGuard, honest
from wsguard.engine import SecurityEngine
from wsguard.exchange import Exchange

LEAD: Final = '<l:Add xmlns:l="urn:lead"/>'
POLICY: Final[dict[str, Any]] = {
    "services": {"Echo": {"operations": ["{urn:echo}*"]}},
    "exempt": [{"operations": ["{urn:lead}*"]}],
    "encryption": {"use": "optional"},
}


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """What was noted of each request."""
    exchanges: list[Exchange] = []
    process = SecurityEngine.process

    def noting(self: SecurityEngine, request: Any, now: Any, explanation: Any, exchange: Exchange) -> Any:
        exchanges.append(exchange)
        return process(self, request, now, explanation, exchange)

    monkeypatch.setattr(SecurityEngine, "process", noting)
    return exchanges


def values(octets: bytes) -> tuple[bytes, ...]:
    """The SignatureValue of a message with one Signature."""
    value = element_of(octets.decode(), "ds:SignatureValue").partition(">")[2].partition("<")[0]
    return (base64.b64decode(value),)


@pytest.mark.parametrize("octets", [signed_then_encrypted(), honest().encode()], ids=["encrypted", "in the clear"])
def test_the_signer_and_what_he_signed_are_noted(guarded: Sealing, noted: list[Exchange], octets: bytes) -> None:
    guarded(**POLICY).accepted(octets)
    assert noted[0].recipient == ALICE.certificate
    assert noted[0].signature_values == values(octets)
    assert not noted[0].sealed


@pytest.mark.parametrize("method", ["rsa-oaep", "rsa-oaep-mgf1p"])
@pytest.mark.parametrize("algorithm", ["aes128-gcm", "aes256-gcm"])
def test_the_algorithms_of_encryption_are_noted(
    guarded: Sealing, noted: list[Exchange], method: str, algorithm: str
) -> None:
    guarded(**OPEN).accepted(encrypted_body(for_server(method=method, algorithm=algorithm)))
    assert (noted[0].encryption, noted[0].key_transport) == (algorithm, method)


def test_a_key_that_was_derived_from_a_transported_one_was_transported(guarded: Sealing, noted: list[Exchange]) -> None:
    key = for_server(references=())
    data = replace(key, session=derived_octets(key.session, 16), data_key_info=to_id("DK-1"))
    text = draft(key.key_xml(), derived_token(length=16), reference_list("ED-1"), timestamp())
    guarded(**OPEN).accepted(data_only(text, data))
    assert (noted[0].encryption, noted[0].key_transport) == ("aes128-gcm", "rsa-oaep-mgf1p")


def test_a_shared_key_is_no_transported_one(
    guarded: Sealing, noted: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUE", base64.b64encode(bytes(range(16))).decode())
    guard = guarded(keys={"decrypt": [], "shared": [{"name": "blue", "key_env": "BLUE"}]}, **OPEN)
    data = for_server(session=bytes(range(16)), data_key_info=key_name("blue"))
    guard.accepted(data_only(draft(reference_list("ED-1"), timestamp()), data))
    assert (noted[0].encryption, noted[0].key_transport) == ("aes128-gcm", "")


def test_of_a_message_that_nobody_signed_or_encrypted_nothing_is_noted(guarded: Sealing, noted: list[Exchange]) -> None:
    guarded(**{**POLICY, "signature": {"use": "optional"}, "username_token": {"use": "required"}}).accepted(
        draft(timestamp(), Token().xml()).encode()
    )
    one = noted[0]
    assert (one.recipient, one.signature_values, one.encryption, one.key_transport, one.sealed) == (
        *(None, (), "", "", False),
    )


def whose(guard: SignedGuard, exchange: Exchange) -> tuple[str, str]:
    """Whose demands hold for an answer, and whose for a fault."""
    names = {id(guard.policy): "top", **{id(one): name for name, one in guard.policy.services.items()}}
    return names[id(exchange.demands)], names[id(exchange.plain)]


@pytest.mark.parametrize(
    ("octets", "demands", "exempt", "sealed"),
    [
        pytest.param(honest().encode(), ("Echo", "Echo"), False, False, id="in the clear"),
        pytest.param(honest().replace("hello", "evil!").encode(), ("Echo", "Echo"), False, False, id="and refused"),
        pytest.param(signed_then_encrypted(), ("Echo", "top"), False, False, id="encrypted"),
        pytest.param(body_with(PAYLOAD), ("Echo", "top"), False, True, id="encrypted, and refused for what came out"),
        pytest.param(body_with("<"), ("top", "top"), False, True, id="encrypted, and nothing came out"),
        pytest.param(
            encrypted_body(for_server(algorithm="urn:none", cipher=b"", session=bytes(16))),
            *(("top", "top"), False, False),
            id="encrypted, and refused before it was opened",
        ),
        pytest.param(draft(body=LEAD).encode(), ("top", "top"), True, False, id="exempt"),
        pytest.param(encrypted_body(body=LEAD), ("top", "top"), True, False, id="exempt, and encrypted"),
        pytest.param(draft(body="<x/>").encode(), ("top", "top"), False, False, id="for nobody"),
    ],
)
def test_it_is_noted_whose_demands_hold_and_what_a_fault_must_not_tell(
    guarded: Sealing, noted: list[Exchange], octets: bytes, demands: tuple[str, str], exempt: bool, sealed: bool
) -> None:
    guard = guarded(**POLICY)
    guard.post(octets)
    assert whose(guard, noted[0]) == demands
    assert (noted[0].exempt, noted[0].sealed) == (exempt, sealed)
