"""Whose key it is: a signature counts under a certificate that is trusted, whatever a message says about keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.messages import DS, timestamp
from tests.pki import DAY, NOW, START, Issued, ec_key, name, rsa_key, self_signed
from tests.signature.key_infos import embedded, key_identifier, key_value, x509_data
from tests.signature.signatures import (
    ALICE,
    BOB,
    ROOT,
    STRANGER,
    Guarding,
    SignedGuard,
    bent,
    honest,
    refers_to,
    rsa_client,
)
from tests.signing import Signing, binary_token, sign, signed, unsigned


def by(one: Issued) -> bytes:
    """Signed by ``one``, with its certificate."""
    return signed(Signing.by(one))


# --- Keys that the sender vouches for himself -------------------------------------------------------------------------

ALONE = self_signed("Alice")


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(STRANGER, id="of an authority with the name of ours"),
        pytest.param(ALONE, id="self-signed"),
        pytest.param(self_signed(name("Root"), ca=True, usage=None), id="self-signed, with the name of our authority"),
        pytest.param(ALICE.leaf("Mallory"), id="issued by a client"),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda one: refers_to("X509-1"), id="BinarySecurityToken"),
        pytest.param(x509_data, id="X509Data"),
        pytest.param(key_identifier, id="KeyIdentifier"),
        pytest.param(embedded, id="Embedded"),
    ],
)
def test_a_certificate_of_ones_own_is_not_trusted(
    guard: SignedGuard, one: Issued, form: Callable[[Issued], str]
) -> None:
    assert guard.refusal(signed(Signing.by(one, key_info=form(one)))) == "certificate.untrusted"


def test_certificates_that_are_sent_along_vouch_for_nobody(guard: SignedGuard) -> None:
    """The attacker's whole chain is in the message."""
    assert STRANGER.issuer is not None
    chain = x509_data(STRANGER, STRANGER.issuer)
    assert guard.refusal(signed(Signing.by(STRANGER, key_info=chain))) == "certificate.untrusted"


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(STRANGER, id="a stranger's"),
        pytest.param(ALICE, id="a trusted client's"),
        pytest.param(rsa_client(), id="a trusted client's RSA key"),
    ],
)
def test_a_bare_key_is_nobodys(guarded: Guarding, one: Issued) -> None:
    """Also where its certificate is trusted: only pinned ones are found by their keys."""
    sent = signed(Signing.by(one, key_info=key_value(one)))
    assert guarded().refusal(sent) == "certificate.unavailable"
    assert guarded(trust={"known_certificates": [ALICE, rsa_client()]}).refusal(sent) == "certificate.unavailable"


@pytest.mark.parametrize("one", [pytest.param(ALONE, id="EC"), pytest.param(rsa_client(), id="RSA")])
def test_a_bare_key_of_a_pinned_certificate_is_its_owners(guarded: Guarding, one: Issued) -> None:
    guard = guarded(trust={"pinned_certificates": [one]})
    message = guard.accepted(signed(Signing.by(one, key_info=key_value(one))))
    assert message.certificate == one.der


def test_a_bare_key_beside_the_certificate_of_another_is_refused(guard: SignedGuard) -> None:
    """Who reads the one part verifies with the attacker's key, who reads the other trusts the victim's name."""
    both = key_value(STRANGER) + refers_to("X509-1")
    sent = signed(Signing(key=STRANGER.key, certificate=ALICE.certificate, method="ecdsa-sha256", key_info=both))
    assert guard.refusal(sent) == "certificate.malformed"


@pytest.mark.parametrize("uri", [pytest.param("#K", id="inside"), pytest.param("http://192.0.2.1/key", id="elsewhere")])
def test_nothing_is_retrieved(guard: SignedGuard, uri: str) -> None:
    retrieval = f'<ds:RetrievalMethod URI="{uri}" Type="{DS}RSAKeyValue"/>'
    assert guard.refusal(signed(Signing.by(STRANGER, key_info=retrieval))) == "signature.malformed"
    beside = signed(Signing.by(ALICE, key_info=refers_to("X509-1") + retrieval))
    assert guard.refusal(beside) == "signature.malformed"


@pytest.mark.parametrize("other", ["PGPData", "SPKIData", "MgmtData", "DEREncodedKeyValue"])
def test_other_kinds_of_keys_are_refused(guard: SignedGuard, other: str) -> None:
    assert guard.refusal(signed(Signing.by(ALICE, key_info=f"<ds:{other}>AAAA</ds:{other}>"))) == "signature.malformed"


# --- Several certificates ---------------------------------------------------------------------------------------------


def two_tokens(signer: Issued, meant: str) -> bytes:
    """Signed by ``signer``, with Alice's certificate (``X509-A``) and Bob's (``X509-B``); ``meant`` is referred to."""
    tokens = binary_token(ALICE.certificate, id="X509-A") + binary_token(BOB.certificate, id="X509-B")
    return sign(unsigned(tokens, "@SIG-1@", timestamp()), Signing.by(signer, key_info=refers_to(meant)))


def test_of_two_certificates_the_one_that_is_referred_to_counts(guard: SignedGuard) -> None:
    assert guard.accepted(two_tokens(BOB, "X509-B")).certificate == BOB.der
    assert guard.accepted(two_tokens(ALICE, "X509-A")).certificate == ALICE.der


@pytest.mark.parametrize(
    ("signer", "meant"),
    [pytest.param(BOB, "X509-A", id="Bob as Alice"), pytest.param(ALICE, "X509-B", id="Alice as Bob")],
)
def test_a_reference_to_the_certificate_of_another_does_not_make_it_his(
    guard: SignedGuard, signer: Issued, meant: str
) -> None:
    assert guard.refusal(two_tokens(signer, meant)) == "signature.value"


def test_a_stranger_beside_a_client_is_a_stranger(guard: SignedGuard) -> None:
    tokens = binary_token(ALICE.certificate, id="X509-A") + binary_token(STRANGER.certificate, id="X509-S")
    envelope = unsigned(tokens, "@SIG-1@", timestamp())
    as_alice = sign(envelope, Signing.by(STRANGER, key_info=refers_to("X509-A")))
    as_himself = sign(envelope, Signing.by(STRANGER, key_info=refers_to("X509-S")))
    assert guard.refusal(as_alice) == "signature.value"
    assert guard.refusal(as_himself) == "certificate.untrusted"


@pytest.mark.parametrize(
    ("other", "check"),
    [
        pytest.param(BOB, "signature.value", id="another client's"),
        pytest.param(STRANGER, "certificate.untrusted", id="a stranger's"),
    ],
)
def test_a_certificate_that_was_replaced_after_signing_is_not_the_signers(
    guard: SignedGuard, other: Issued, check: str
) -> None:
    replaced = bent(honest(), (binary_token(ALICE.certificate), binary_token(other.certificate)))
    assert guard.refusal(replaced) == check


# --- Certificates that are not good -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "check"),
    [
        pytest.param(ROOT.leaf("Alice", not_after=NOW - DAY), "certificate.expired", id="expired"),
        pytest.param(ROOT.leaf("Alice", not_before=NOW + DAY), "certificate.expired", id="not yet valid"),
        pytest.param(ROOT.leaf("Alice", key=rsa_key(1, 1024)), "certificate.key_size", id="weak"),
        pytest.param(ROOT.leaf("Alice", key=ec_key(ec.SECP256K1())), "certificate.key_size", id="another curve"),
        pytest.param(ROOT.leaf("Alice", usage=("key_encipherment",)), "certificate.key_usage", id="for encryption"),
        pytest.param(ROOT.leaf("Alice", usage=("key_agreement",)), "certificate.key_usage", id="for agreement"),
        pytest.param(ROOT.authority("Issuing"), "certificate.key_usage", id="an authority's"),
        pytest.param(ROOT, "certificate.untrusted", id="the root's own"),
    ],
)
def test_a_certificate_that_is_not_good_is_refused(guard: SignedGuard, one: Issued, check: str) -> None:
    assert guard.refusal(by(one)) == check


def test_a_revoked_certificate_is_refused(guarded: Guarding) -> None:
    guard = guarded(trust={"crl_files": [ROOT.crl(BOB)]})
    assert guard.refusal(by(BOB)) == "certificate.revoked"
    guard.accepted(by(ALICE))


def test_a_trusted_certificate_ends_with_its_day_also_where_it_was_seen_before(guarded: Guarding) -> None:
    guard = guarded()
    soon = ROOT.leaf("Alice", not_before=START, not_after=NOW + DAY)
    guard.accepted(by(soon))
    guard.clock.now = NOW + 2 * DAY
    assert guard.refusal(by(soon)) == "certificate.expired"


def test_another_subject_of_our_authority_is_refused_where_subjects_are_named(guarded: Guarding) -> None:
    guard = guarded(trust={"subject_cert_constraints": ["CN=Alice"]})
    guard.accepted(by(ALICE))
    assert guard.refusal(by(BOB)) == "certificate.constraint"


def test_our_own_certificate_is_nobody_elses(guarded: Guarding, tmp_path: Path) -> None:
    """Whoever sends it has our own signed answer, and sends it back."""
    server = ROOT.leaf("Server")
    (tmp_path / "server.pem").write_bytes(server.key_pem + server.pem)
    guard = guarded(keys={"sign": {"file": tmp_path / "server.pem"}})
    assert guard.refusal(by(server)) == "certificate.untrusted"
    assert guard.refusal(by(ROOT.leaf("Alice", key=server.key))) == "certificate.untrusted", "the key, not the name"
    guarded().accepted(by(server))


def test_whom_the_authority_calls_alike_is_not_the_same_client(guarded: Guarding) -> None:
    """An entry names a certificate, and not a subject."""
    guard = guarded(client=[{"name": "A", "certificate": ALICE}])
    assert guard.accepted(by(ALICE)).client == "A"
    assert guard.refusal(by(ROOT.leaf("Alice"))) == "client.mismatch"


def test_the_subject_is_told_as_the_certificate_has_it(guard: SignedGuard) -> None:
    odd = ROOT.leaf(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Alice, O=Root\r\nX: 1")]))
    message = guard.accepted(by(odd))
    assert message.principal is not None
    assert message.principal.name == odd.certificate.subject.rfc4514_string()
