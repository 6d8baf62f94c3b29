"""What Apache WSS4J signs is accepted as it was signed; what was changed since, or may not be, is refused for it."""

from datetime import timedelta

import pytest

from tests.guarding import Guarded
from tests.interop.java import Wss4j
from tests.interop.judging import body, guarded, replaced, sent, signature_changed
from tests.interop.pki import Pki
from tests.messages import NOW, SOAP11, SOAP12, WSSE, envelope

MESSAGE = envelope(None)
NAMED = ("IssuerSerial", "SKIKeyIdentifier", "Thumbprint")
"""Identifiers that leave it to the receiver to have the certificate."""
CARRIED = ("DirectReference", "PKIPath", "X509KeyIdentifier")
RSA = ("rsa-sha256", "rsa-sha384", "rsa-sha512")
ECDSA = ("ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512")
TO = "{http://www.w3.org/2005/08/addressing}To"
ADDRESSED = '<a:To xmlns:a="http://www.w3.org/2005/08/addressing">urn:here</a:To>'


def assert_accepted(guard: Guarded, message: bytes) -> None:
    """The guard accepts it, and hands on the Body that was signed."""
    answer = sent(guard, message)
    assert (answer.status, answer.check) == ("200 OK", ""), answer.record
    assert body(guard.handed) == body(message)


@pytest.mark.parametrize("identifier", [*CARRIED, *NAMED])
@pytest.mark.parametrize("signer, signature", [*(("client", one) for one in RSA), *(("ec", one) for one in ECDSA)])
def test_a_signature_is_accepted_however_the_certificate_is_named(
    wss4j: Wss4j, pki: Pki, identifier: str, signer: str, signature: str
) -> None:
    message = wss4j.sign(MESSAGE, NOW, signer=signer, identifier=identifier, signature=signature)
    assert_accepted(guarded(pki), message)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_each_digest_is_accepted_in_each_soap_version(wss4j: Wss4j, pki: Pki, digest: str, soap: str) -> None:
    assert_accepted(guarded(pki), wss4j.sign(envelope(None, soap=soap), NOW, digest=digest))


@pytest.mark.parametrize(
    "settings",
    [{"signature": "rsa-sha1"}, {"digest": "sha1"}, {"c14n": "c14n"}, {"c14n": "exc-c14n-with-comments"}],
    ids=lambda settings: "".join(settings.values()),
)
def test_an_old_algorithm_is_accepted_where_it_is_configured_and_refused_elsewhere(
    wss4j: Wss4j, pki: Pki, settings: dict[str, str]
) -> None:
    message = wss4j.sign(MESSAGE, NOW, **settings)  # type: ignore[arg-type]  # short names only
    assert sent(guarded(pki), message).check == "signature.algorithm"
    everything = {"signature": ["rsa-sha256"], "digest": ["sha256"], "canonicalization": ["exc-c14n"]}
    (name, algorithm) = next(iter(settings.items()))
    everything["canonicalization" if name == "c14n" else name].append(algorithm)
    assert_accepted(guarded(pki, algorithms=everything), message)


def test_the_certificate_of_an_intermediate_authority_may_come_with_the_message(wss4j: Wss4j, pki: Pki) -> None:
    with_path = wss4j.sign(MESSAGE, NOW, signer="chained", identifier="PKIPath")
    assert_accepted(guarded(pki), with_path)
    alone = wss4j.sign(MESSAGE, NOW, signer="chained")
    assert sent(guarded(pki), alone).check == "certificate.untrusted"
    assert_accepted(guarded(pki, trust={"intermediate_files": [pki.file("between", "pem")]}), alone)


def test_an_issuer_whose_name_is_hard_to_spell_is_found(wss4j: Wss4j, pki: Pki) -> None:
    trust = {"ca_files": [pki.file("odd-ca", "pem")], "known_certificates": [pki.file("odd", "pem")]}
    assert_accepted(guarded(pki, trust=trust), wss4j.sign(MESSAGE, NOW, signer="odd", identifier="IssuerSerial"))


@pytest.mark.parametrize("identifier", NAMED)
def test_a_named_certificate_that_is_not_known_is_unavailable(wss4j: Wss4j, pki: Pki, identifier: str) -> None:
    message = wss4j.sign(MESSAGE, NOW, identifier=identifier)
    assert sent(guarded(pki, trust={"known_certificates": []}), message).check == "certificate.unavailable"


@pytest.mark.parametrize("identifier", ["DirectReference", "IssuerSerial", "X509KeyIdentifier"])
def test_a_token_that_is_signed_through_its_reference_is_accepted(wss4j: Wss4j, pki: Pki, identifier: str) -> None:
    message = wss4j.sign(MESSAGE, NOW, identifier=identifier, parts=("Body", "Timestamp", "STRTransform"))
    assert_accepted(guarded(pki), message)


def test_everything_that_can_be_signed_may_be_demanded(wss4j: Wss4j, pki: Pki) -> None:
    parts = ("Body", "Timestamp", "UsernameToken", "BinarySecurityToken", TO)
    demanded = guarded(pki, signature={"required_parts": parts}, username_token={"use": "required"})
    message = wss4j.sign(envelope(ADDRESSED), NOW, parts=parts, username="alice", secret="secret")
    assert_accepted(demanded, message)
    assert b"urn:here" in demanded.handed


@pytest.mark.parametrize("left_out", ["Body", "Timestamp", "UsernameToken", "BinarySecurityToken", TO])
def test_a_part_that_is_demanded_and_not_signed_is_missed(wss4j: Wss4j, pki: Pki, left_out: str) -> None:
    parts = ("Body", "Timestamp", "UsernameToken", "BinarySecurityToken", TO)
    signed = tuple(part for part in parts if part != left_out)
    message = wss4j.sign(envelope(ADDRESSED), NOW, parts=signed, username="alice", secret="secret")
    demanded = guarded(pki, signature={"required_parts": parts}, username_token={"use": "required"})
    assert sent(demanded, message).check == "signature.coverage"


def test_a_header_block_that_is_not_signed_is_not_handed_on(wss4j: Wss4j, pki: Pki) -> None:
    guard = guarded(pki)
    assert_accepted(guard, wss4j.sign(envelope(ADDRESSED), NOW))
    assert b"urn:here" not in guard.handed
    assert WSSE.encode() not in guard.handed


def test_a_changed_body_has_another_digest(wss4j: Wss4j, pki: Pki) -> None:
    message = replaced(wss4j.sign(MESSAGE, NOW), b"hello", b"hullo")
    assert sent(guarded(pki), message).check == "signature.digest"


def test_a_changed_timestamp_has_another_digest(wss4j: Wss4j, pki: Pki) -> None:
    message = replaced(wss4j.sign(MESSAGE, NOW), b"T12:05:00.000Z</wsu:Expires>", b"T12:05:01.000Z</wsu:Expires>")
    assert sent(guarded(pki), message).check == "signature.digest"


@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue"])
@pytest.mark.parametrize("signer, signature", [("client", "rsa-sha256"), ("ec", "ecdsa-sha256")])
def test_a_changed_signature_has_a_wrong_value(wss4j: Wss4j, pki: Pki, name: str, signer: str, signature: str) -> None:
    message = signature_changed(wss4j.sign(MESSAGE, NOW, signer=signer, signature=signature), name)
    assert sent(guarded(pki), message).check == "signature.value"


def test_the_certificate_of_another_client_does_not_fit(wss4j: Wss4j, pki: Pki) -> None:
    own, other = (wss4j.sign(MESSAGE, NOW, signer=signer) for signer in ("client", "revoked"))
    assert sent(guarded(pki), replaced(own, token_of(own), token_of(other))).check == "signature.value"


def token_of(message: bytes) -> bytes:
    """The text of the BinarySecurityToken."""
    return message.partition(b"</wsse:BinarySecurityToken>")[0].rpartition(b">")[2]


@pytest.mark.parametrize("identifier", ["DirectReference", "X509KeyIdentifier", "PKIPath"])
def test_another_authority_of_the_same_name_is_not_trusted(wss4j: Wss4j, pki: Pki, identifier: str) -> None:
    message = wss4j.sign(MESSAGE, NOW, signer="foreign", identifier=identifier)
    assert sent(guarded(pki), message).check == "certificate.untrusted"


def test_an_expired_certificate_is_refused(wss4j: Wss4j, pki: Pki) -> None:
    assert sent(guarded(pki), wss4j.sign(MESSAGE, NOW, signer="expired")).check == "certificate.expired"


def test_a_revoked_certificate_is_refused_where_there_is_a_list(wss4j: Wss4j, pki: Pki) -> None:
    message = wss4j.sign(MESSAGE, NOW, signer="revoked")
    assert_accepted(guarded(pki), message)
    listed = guarded(pki, trust={"crl_files": [pki.file("ca", "crl")]})
    assert sent(listed, message).check == "certificate.revoked"
    assert_accepted(listed, wss4j.sign(MESSAGE, NOW))


def test_a_stale_message_is_refused(wss4j: Wss4j, pki: Pki) -> None:
    guard, message = guarded(pki), wss4j.sign(MESSAGE, NOW)
    guard.clock.now = NOW + timedelta(seconds=301)
    assert sent(guard, message).check == "timestamp.expired"


@pytest.mark.parametrize("signer, signature", [("client", "rsa-sha256"), ("ec", "ecdsa-sha256")])
def test_a_message_is_accepted_once(wss4j: Wss4j, pki: Pki, signer: str, signature: str) -> None:
    guard, message = guarded(pki), wss4j.sign(MESSAGE, NOW, signer=signer, signature=signature)
    assert_accepted(guard, message)
    assert sent(guard, message).check == "replay.signature"


def test_a_message_without_a_signature_misses_one(pki: Pki, wss4j: Wss4j) -> None:
    signed = wss4j.sign(MESSAGE, NOW)
    start, end = signed.index(b"<ds:Signature "), signed.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    assert sent(guarded(pki), signed[:start] + signed[end:]).check == "signature.missing"


def test_a_bare_key_proves_nobody(wss4j: Wss4j, pki: Pki) -> None:
    message = wss4j.sign(MESSAGE, NOW, identifier="KeyValue")
    assert sent(guarded(pki), message).check == "certificate.unavailable"


def test_a_signature_for_another_actor_is_not_ours(wss4j: Wss4j, pki: Pki) -> None:
    message = wss4j.sign(MESSAGE, NOW, actor="urn:elsewhere")
    assert sent(guarded(pki), message).check == "security.missing"
    assert_accepted(guarded(pki, actor="urn:elsewhere"), message)
