"""SignatureValue: of the method, the key and the length that belong together."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.message.refusing import refused
from tests.pki import Issued, ec_key
from tests.signature.signatures import ALICE, BOTH, ROOT, Guarding, SignedGuard, bent, honest, rewritten, rsa_client
from tests.signing import METHODS, Signing, signed
from wsguard.faults import FailedCheck
from wsguard.signature.value import verify_value

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

HMACS = ["hmac-sha256", "hmac-sha384", "hmac-sha512"]


# --- Methods and keys that do not belong together ---------------------------------------------------------------------


def public_octets(one: Issued, encoding: Encoding) -> bytes:
    return one.certificate.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def certificate_octets(one: Issued, encoding: Encoding) -> bytes:
    return one.certificate.public_bytes(encoding)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(lambda one: public_octets(one, Encoding.DER), id="the public key in DER"),
        pytest.param(lambda one: public_octets(one, Encoding.PEM), id="the public key in PEM"),
        pytest.param(lambda one: public_octets(one, Encoding.PEM).rstrip(), id="the same without line feed"),
        pytest.param(lambda one: certificate_octets(one, Encoding.DER), id="the certificate in DER"),
        pytest.param(lambda one: certificate_octets(one, Encoding.PEM), id="the certificate in PEM"),
    ],
)
@pytest.mark.parametrize("one", [pytest.param(ALICE, id="EC"), pytest.param(rsa_client(), id="RSA")])
def test_what_is_public_is_no_secret(guarded: Guarding, one: Issued, octets: Callable[[Issued], bytes]) -> None:
    """Where a verifier lets the message choose the method, everybody knows the key."""
    forged = signed(Signing(key=octets(one), certificate=one.certificate, method="hmac-sha256"))
    assert guarded().refusal(forged) == "signature.algorithm"
    assert guarded(algorithms={"signature": ["rsa-sha256", *HMACS]}).refusal(forged) == "certificate.unavailable"


@pytest.mark.parametrize(
    ("one", "method"),
    [
        pytest.param(ALICE, "rsa-sha256", id="an EC key for RSA"),
        pytest.param(ALICE, "rsa-pss-sha256", id="an EC key for PSS"),
        pytest.param(rsa_client(), "ecdsa-sha256", id="an RSA key for ECDSA"),
    ],
)
def test_a_key_of_another_kind_than_the_method_is_refused(guard: SignedGuard, one: Issued, method: str) -> None:
    assert guard.refusal(signed(Signing.by(one, method=method))) == "signature.value"


@pytest.mark.parametrize(
    ("made", "claimed"),
    [
        pytest.param("rsa-sha256", "rsa-sha512", id="another hash"),
        pytest.param("rsa-sha256", "rsa-pss-sha256", id="PKCS #1 as PSS"),
        pytest.param("rsa-pss-sha256", "rsa-sha256", id="PSS as PKCS #1"),
        pytest.param("rsa-pss-sha256", "rsa-pss-sha384", id="PSS with another hash"),
    ],
)
def test_a_value_of_another_method_is_wrong(guard: SignedGuard, made: str, claimed: str) -> None:
    sent = signed(Signing.by(rsa_client(), method=made)).decode()
    assert guard.refusal(bent(sent, (METHODS[made], METHODS[claimed]))) == "signature.value"


# --- Values of one signature ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda v: b"\0" + v[:32] + b"\0" + v[32:], id="padded"),
        pytest.param(lambda v: bytes(8) + v[:32] + bytes(8) + v[32:], id="padded further"),
        pytest.param(lambda v: v + b"\0", id="one octet behind it"),
        pytest.param(lambda v: v[:-1], id="one octet less"),
        pytest.param(lambda v: v[:32], id="r only"),
        pytest.param(lambda v: bytes(64), id="zeros"),
        pytest.param(lambda v: v[:32] + bytes(32), id="s of zero"),
        pytest.param(lambda v: bytes(32) + v[32:], id="r of zero"),
        pytest.param(lambda v: P256_ORDER.to_bytes(32, "big") * 2, id="the order of the group"),
        pytest.param(lambda v: v[32:] + v[:32], id="the halves exchanged"),
        pytest.param(
            lambda v: encode_dss_signature(int.from_bytes(v[:32], "big"), int.from_bytes(v[32:], "big")), id="in DER"
        ),
        pytest.param(lambda v: b"", id="nothing"),
    ],
)
def test_an_ecdsa_value_is_r_and_s_as_long_as_the_curve(guard: SignedGuard, write: Callable[[bytes], bytes]) -> None:
    assert guard.refusal(rewritten(honest().encode(), write)) == "signature.value"


def negated(value: bytes) -> bytes:
    """(r, n - s), which fits wherever (r, s) does."""
    return value[:32] + (P256_ORDER - int.from_bytes(value[32:], "big")).to_bytes(32, "big")


def test_the_twin_of_an_ecdsa_value_is_the_same_signature(guard: SignedGuard) -> None:
    """Anybody can make it."""
    sent = honest().encode()
    twin = rewritten(sent, negated)
    guard.accepted(sent)
    assert guard.refusal(twin) == "replay.signature"


def test_the_twin_alone_is_as_good_as_the_other(guard: SignedGuard) -> None:
    assert guard.accepted(rewritten(honest().encode(), negated)).signed_parts == BOTH


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda v: b"\0" + v, id="a zero before it"),
        pytest.param(lambda v: bytes(16) + v, id="zeros before it"),
        pytest.param(lambda v: v + b"\0", id="a zero behind it"),
        pytest.param(lambda v: v[:-1], id="one octet less"),
        pytest.param(lambda v: v[1:], id="without its first octet"),
        pytest.param(lambda v: bytes(256), id="zeros"),
        pytest.param(lambda v: b"\xff" * 256, id="more than the modulus"),
        pytest.param(lambda v: bytes(255) + b"\1", id="one"),
        pytest.param(lambda v: b"", id="nothing"),
    ],
)
@pytest.mark.parametrize("method", ["rsa-sha256", "rsa-pss-sha256"])
def test_an_rsa_value_is_as_long_as_the_modulus(
    guard: SignedGuard, write: Callable[[bytes], bytes], method: str
) -> None:
    sent = signed(Signing.by(rsa_client(), method=method))
    assert guard.refusal(rewritten(sent, write)) == "signature.value"
    guard.accepted(sent)


def test_an_rsa_value_plus_the_modulus_is_another_number(guard: SignedGuard) -> None:
    key = rsa_client().key.public_key().public_numbers()
    sent = signed(Signing.by(rsa_client()))
    added = rewritten(sent, lambda v: (int.from_bytes(v, "big") + key.n).to_bytes(257, "big"))  # type: ignore[union-attr]
    assert guard.refusal(added) == "signature.value"


def test_curves_have_values_of_their_own_length(guard: SignedGuard) -> None:
    """P-521: 66 octets for each half."""
    one = ROOT.leaf("Alice", key=ec_key(ec.SECP521R1()))
    sent = signed(Signing.by(one))
    assert guard.refusal(rewritten(sent, lambda v: v[1:66] + v[67:])) == "signature.value"
    guard.accepted(sent)


@pytest.mark.parametrize(
    "one, method, kind",
    [
        pytest.param(ALICE, "rsa-sha256", "EC", id="EC"),
        pytest.param(rsa_client(), "ecdsa-sha256", "RSA", id="RSA"),
    ],
)
def test_a_key_of_another_kind_is_told_by_its_kind(one: Issued, method: str, kind: str) -> None:
    with refused("signature.value", FailedCheck) as caught:
        verify_value(method, one.key.public_key(), b"", b"")
    assert (caught.value.expected, caught.value.seen) == (f"a key for {method}", f"an {kind} key")
