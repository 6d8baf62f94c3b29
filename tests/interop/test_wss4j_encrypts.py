"""What WSS4J encrypts for us is opened, whatever names our key; together with its signatures, in either order."""

from typing import Any, Final

import pytest

from tests.guarding import Guarded
from tests.interop.documents import document
from tests.interop.java import Wss4j
from tests.interop.judging import body, guarded, sent
from tests.interop.pki import Pki
from tests.messages import NOW, SOAP11, SOAP12, envelope
from wsguard.names import DIGEST_ALGORITHMS

MESSAGE: Final = envelope(None)
TO: Final = "{urn:h}To"
ADDRESSED: Final = envelope('<h:To xmlns:h="urn:h">urn:here</h:To>')
IDENTIFIERS: Final = ("DirectReference", "IssuerSerial", "SKIKeyIdentifier", "Thumbprint", "X509KeyIdentifier")
GCM: Final = ("aes128-gcm", "aes192-gcm", "aes256-gcm")
CBC: Final = ("aes128-cbc", "aes192-cbc", "aes256-cbc", "tripledes-cbc")


def opening(pki: Pki, *, keys: tuple[str, ...] = ("server",), **policy: Any) -> Guarded:
    """A guard that demands a signature and an encrypted Body."""
    decrypt = [{"file": pki.file(name, "pair")} for name in keys]
    ours: dict[str, Any] = {"encryption": {"use": "required"}, "keys": {"decrypt": decrypt}}
    return guarded(pki, **{**ours, **policy})


def assert_opened(guard: Guarded, message: bytes, original: bytes = MESSAGE) -> None:
    """The guard accepts it, and hands on what was signed and encrypted."""
    answer = sent(guard, message)
    assert (answer.status, answer.check) == ("200 OK", ""), answer.record
    expected, handed = body(original), body(guard.handed)
    # WSS4J puts a wsu:Id on a Body that it signs.
    assert handed[handed.index(b">") :] == expected[expected.index(b">") :]


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize("encryption", GCM)
@pytest.mark.parametrize("first", ["sign", "encrypt"])
def test_every_way_to_name_our_key_opens_it(
    wss4j: Wss4j, pki: Pki, identifier: str, encryption: str, first: str
) -> None:
    settings: dict[str, Any] = {"identifier": identifier, "encryption": encryption}
    if first == "sign":
        message = wss4j.encrypt(wss4j.sign(MESSAGE, NOW), NOW, **settings)
    else:
        message = wss4j.sign(wss4j.encrypt(MESSAGE, NOW, **settings), NOW)
    assert b"hello" not in message
    assert_opened(opening(pki), message)


@pytest.mark.parametrize("cipher", CBC)
def test_an_old_cipher_opens_it_where_it_is_configured(wss4j: Wss4j, pki: Pki, cipher: str) -> None:
    message = wss4j.encrypt(wss4j.sign(MESSAGE, NOW), NOW, encryption=cipher)
    assert sent(opening(pki), message).check == "encryption.algorithm"
    assert_opened(opening(pki, algorithms={"encryption": [cipher]}), message)


@pytest.mark.parametrize("transport, digest", [("rsa-oaep-mgf1p", "sha256"), ("rsa-oaep", None), ("rsa-1_5", None)])
def test_every_key_transport_opens_it(wss4j: Wss4j, pki: Pki, transport: str, digest: str | None) -> None:
    fields: dict[str, Any] = {} if digest is None else {"digest": DIGEST_ALGORITHMS[digest]}
    message = wss4j.encrypt(wss4j.sign(MESSAGE, NOW), NOW, transport=transport, **fields)
    if transport == "rsa-1_5":
        assert sent(opening(pki), message).check == "encryption.algorithm"
    assert_opened(opening(pki, algorithms={"key_transport": [transport]}), message)


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_each_soap_version_is_opened(wss4j: Wss4j, pki: Pki, soap: str) -> None:
    original = envelope(None, soap=soap)
    message = wss4j.encrypt(wss4j.sign(original, NOW), NOW, parts=("Body",))
    assert_opened(opening(pki), message, original)


def test_an_embedded_key_opens_it(wss4j: Wss4j, pki: Pki) -> None:
    message = wss4j.encrypt(wss4j.sign(MESSAGE, NOW), NOW, embed="true")
    assert_opened(opening(pki), message)


@pytest.mark.parametrize("first", ["sign", "encrypt"])
def test_every_part_may_be_encrypted(wss4j: Wss4j, pki: Pki, first: str) -> None:
    user: dict[str, Any] = {"username": "alice", "secret": "secret"}
    demanded = ["Body", "UsernameToken", TO]
    if first == "sign":
        message = wss4j.sign(ADDRESSED, NOW, parts=("Body", "Timestamp", "UsernameToken", TO), **user)
        demanded.append("Signature")
        message = wss4j.encrypt(message, NOW, parts=tuple(demanded))
    else:
        demanded.remove("UsernameToken")
        message = wss4j.encrypt(ADDRESSED, NOW, parts=tuple(demanded))
        message = wss4j.sign(message, NOW)
    assert b"urn:here" not in message
    guard = opening(
        pki, encryption={"use": "required", "required_parts": demanded}, handoff={"unsigned_headers": "keep"}
    )
    assert_opened(guard, message, ADDRESSED)
    assert b"urn:here" in guard.handed


@pytest.mark.parametrize("seed", range(30))
def test_what_is_odd_and_legal_is_opened(wss4j: Wss4j, pki: Pki, seed: int) -> None:
    original = document(seed)
    message = wss4j.encrypt(wss4j.sign(original, NOW), NOW)
    assert_opened(opening(pki), message, original)


def test_one_of_several_keys_opens_it(wss4j: Wss4j, pki: Pki) -> None:
    message = wss4j.encrypt(wss4j.sign(MESSAGE, NOW), NOW)
    assert_opened(opening(pki, keys=("odd-server", "server")), message)
    assert sent(opening(pki, keys=("odd-server",)), message).check == "encryption.key"


def test_an_issuer_that_is_hard_to_spell_is_found(wss4j: Wss4j, pki: Pki) -> None:
    message = wss4j.encrypt(wss4j.sign(MESSAGE, NOW), NOW, recipient="odd-server")
    assert_opened(opening(pki, keys=("odd-server",)), message)


def test_what_is_not_encrypted_or_was_changed_is_refused(wss4j: Wss4j, pki: Pki) -> None:
    signed = wss4j.sign(MESSAGE, NOW)
    assert sent(opening(pki), signed).check == "encryption.missing"
    message = wss4j.encrypt(signed, NOW)
    start = message.index(b"CipherValue>", message.index(b"Body ")) + 40
    octet = b"B" if message[start : start + 1] == b"A" else b"A"
    assert sent(opening(pki), message[:start] + octet + message[start + 1 :]).check == "encryption.failed"
