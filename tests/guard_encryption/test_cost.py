"""Messages that a stranger built to cost much: 100 KB of them cost a few milliseconds."""

import time
from dataclasses import replace
from typing import Final

import pytest

from tests.encrypting import Encryption, key_info, reference_list
from tests.guard_encryption.deriving import derived_token
from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    body_with,
    draft,
    encrypted_body,
    for_server,
    new_server,
    server,
    signed_then_encrypted,
)
from tests.guard_encryption.test_limits import with_blocks
from tests.messages import XENC, timestamp
from tests.signature.mutations import Forgetful
from tests.signature.signatures import SignedGuard

MOST_SECONDS: Final = 0.2
"""Of the processor: several times what such a message costs, for machines that are busy or slow."""

EMPTY_DATA: Final = f'<x:EncryptedData xmlns:x="{XENC}"/>'


def filled(inside: str) -> str:
    """About 100 KB of it."""
    return inside * (100_000 // len(inside))


def nested() -> str:
    """EncryptedData in each other, as deep as elements may stand."""
    data, end = '<x:EncryptedData Id="n{}"><x:CipherData>', "</x:CipherData></x:EncryptedData>"
    inside = "".join(data.format(i) for i in range(25)) + end * 25
    return inside.replace("<x:EncryptedData ", f'<x:EncryptedData xmlns:x="{XENC}" ', 1)


def references(count: int) -> str:
    return f'<xenc:ReferenceList xmlns:xenc="{XENC}">{"<xenc:DataReference/>" * count}</xenc:ReferenceList>'


def itself() -> tuple[Encryption, str]:
    first = for_server(references=())
    data = "".join(
        replace(first, id=f"H{i}", kind="Element", plaintext=b"<wsse:BinarySecurityToken/>").data_xml()
        for i in range(15)
    )
    return first, data


COSTLY: Final[dict[str, tuple[str, bytes]]] = {
    "all keys and parts": ("", with_blocks(16, 4)),
    "lists": (
        "encryption.malformed",
        draft(filled(f'<x:ReferenceList xmlns:x="{XENC}"/>'), timestamp()).encode(),
    ),
    "lists of nothing that is there": (
        "encryption.malformed",
        draft("".join(reference_list(f"r{i}") for i in range(900)), timestamp()).encode(),
    ),
    "a list of many": ("limits.encrypted_data", draft(references(4_500), timestamp()).encode()),
    "empty data": ("encryption.malformed", draft(filled(EMPTY_DATA), timestamp()).encode()),
    "data in the header blocks": (
        "encryption.malformed",
        encrypted_body(None, header=filled(EMPTY_DATA)),
    ),
    "nested data": ("encryption.malformed", draft(nested(), timestamp()).encode()),
    "nested data that are listed": (
        "encryption.malformed",
        draft(nested(), reference_list("n5", "n3", "n1"), timestamp()).encode(),
    ),
    "keys": (
        "limits.encrypted_keys", draft(*(for_server(key_id=f"K{i}", references=()).key_xml() for i in range(60)), timestamp()).encode(),  # noqa: E501
    ),
    "derived keys": ("encryption.missing", draft(*(derived_token(id=f"D{i}") for i in range(200)), timestamp()).encode()),  # noqa: E501
    "a long CipherValue": ("encryption.failed", encrypted_body(for_server(cipher=bytes(74_000)))),
    "a long CipherValue of a key": ("encryption.failed", encrypted_body(for_server(key_cipher=bytes(74_000)))),
    "a CipherValue that is no base64": (
        "encryption.malformed", encrypted_body(for_server(cipher=b"@")).replace(b">QA==<", b">" + b"A" * 99_999 + b"!<")
    ),
    "many elements inside": ("encryption.failed", body_with("<a/>" * 18_000 + "<")),
    "many namespaces inside": ("encryption.failed", body_with("".join(f'<a xmlns:n{i}="u">' for i in range(4_000)))),
    "an EncryptedKey of 10,000 parts": (
        "encryption.malformed",
        draft(f'<x:EncryptedKey xmlns:x="{XENC}">{"<x:CipherData/>" * 6_000}</x:EncryptedKey>', timestamp()).encode(),
    ),
    "KeyInfo of many": (
        "encryption.malformed",
        encrypted_body(for_server(data_key_info=key_info("<ds:KeyName>x</ds:KeyName>" * 3_000))),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def warm(guarded: Sealing) -> SignedGuard:
    """Has opened messages before; with two keys, one of which nothing is for."""
    guard = guarded(replay_store=Forgetful(), keys={"decrypt": [new_server(), server()]}, **OPEN)
    guard.accepted(encrypted_body())
    guard.accepted(signed_then_encrypted())
    return guard


@pytest.mark.parametrize("name", COSTLY)
def test_a_stranger_costs_little(warm: SignedGuard, name: str) -> None:
    check, octets = COSTLY[name]
    assert len(octets) < 140_000
    started = time.process_time()
    answer = warm.post(octets)
    spent = time.process_time() - started
    assert answer.check == check
    assert spent < MOST_SECONDS


def test_parts_that_are_opened_one_by_one_cost_a_parse_each(warm: SignedGuard) -> None:
    key, data = itself()
    octets = draft(key.key_xml(), data, filled(EMPTY_DATA), timestamp()).encode()
    started = time.process_time()
    assert warm.refusal(octets) == "limits.encrypted_data"
    assert time.process_time() - started < 2 * MOST_SECONDS, "a few of the 16"


def test_a_large_message_of_many_data_costs_in_proportion(warm: SignedGuard) -> None:
    """It took 30 seconds when children were counted anew for each of them."""
    first, data = itself()
    octets = draft(
        first.key_xml(), data, "<x:EncryptedData/>" * 40_000, timestamp(), envelope_attributes=f'xmlns:x="{XENC}"'
    )
    started = time.process_time()
    assert warm.refusal(octets.encode()) == "limits.encrypted_data"
    assert time.process_time() - started < 6
