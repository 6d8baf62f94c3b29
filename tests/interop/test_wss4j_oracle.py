"""WSS4J as an oracle: what it signs we accept, what it refuses we refuse, and nothing is handed on that was not signed.

Documents and changes are made from seeds, so that a failure can be had again.
"""

from typing import Any

import pytest

from tests.interop import changes
from tests.interop.changes import Change, changed
from tests.interop.documents import document
from tests.interop.java import Refused, Wss4j
from tests.interop.judging import body, guarded, replaced, sent
from tests.interop.pki import Pki
from tests.messages import NOW, envelope

PARTS = ("Body", "Timestamp")
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"c14n": "c14n"},
    {"c14n": "exc-c14n-with-comments"},
    {"signer": "ec", "signature": "ecdsa-sha256"},
    {"parts": (*PARTS, "STRTransform"), "identifier": "IssuerSerial"},
    {"parts": (*PARTS, "UsernameToken", "BinarySecurityToken"), "username": "alice", "secret": "secret"},
)
DOCUMENTS = [(seed, SETTINGS[seed % len(SETTINGS)]) for seed in range(36)]
ALGORITHMS = {"canonicalization": ["exc-c14n", "c14n", "exc-c14n-with-comments"]}
CASES = [(seed, change) for change in changes.MEANING for seed in (101, 202)]
SPELLINGS = [(seed, change) for change in changes.SPELLING for seed in (303, 404)]


def named(value: object) -> str:
    """An id for a test."""
    if isinstance(value, dict):
        return "-".join(str(one) for one in value.values() if isinstance(one, str)) or "plain"
    return str(getattr(value, "__name__", value))


@pytest.mark.parametrize("seed, settings", DOCUMENTS, ids=named)
def test_what_is_odd_and_legal_is_accepted_as_it_was_signed(
    wss4j: Wss4j, pki: Pki, seed: int, settings: dict[str, Any]
) -> None:
    message = wss4j.sign(document(seed), NOW, **settings)
    # The Basic Security Profile knows exclusive canonicalization without comments only.
    wss4j.verify(message, bsp="false")
    guard = guarded(pki, algorithms=ALGORITHMS)
    answer = sent(guard, message)
    assert (answer.status, answer.check) == ("200 OK", ""), (answer.record, message.decode())
    assert body(guard.handed) == body(message)


def test_a_prefix_list_may_name_the_default_namespace(wss4j: Wss4j, pki: Pki) -> None:
    message = wss4j.sign(replaced(envelope(None), b"<S:Envelope", b'<S:Envelope xmlns="urn:default"'), NOW)
    assert b'PrefixList="#default"' in message
    guard = guarded(pki)
    assert sent(guard, message).check == ""
    assert body(guard.handed) == body(message)


@pytest.mark.parametrize("seed, change", CASES, ids=named)
def test_a_changed_message_is_refused(wss4j: Wss4j, pki: Pki, seed: int, change: Change) -> None:
    message = changed(wss4j.sign(document(seed), NOW), change, seed)
    answer = sent(guarded(pki), message)
    assert answer.check == changes.MEANING[change], (answer.record, message.decode())


@pytest.mark.parametrize("seed, change", [case for case in CASES if case[1] is not changes.wrapped], ids=named)
def test_wss4j_refuses_it_too(wss4j: Wss4j, seed: int, change: Change) -> None:
    message = changed(wss4j.sign(document(seed), NOW), change, seed)
    with pytest.raises(Refused):
        wss4j.verify(message)


@pytest.mark.parametrize("seed, change", SPELLINGS, ids=named)
def test_another_spelling_of_the_same_is_accepted(wss4j: Wss4j, pki: Pki, seed: int, change: Change) -> None:
    signed = wss4j.sign(document(seed), NOW)
    message = changed(signed, change, seed)
    wss4j.verify(message)
    guard = guarded(pki)
    answer = sent(guard, message)
    assert (answer.status, answer.check) == ("200 OK", ""), (answer.record, message.decode())
    assert body(guard.handed) == body(signed)
