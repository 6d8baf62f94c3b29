"""Private keys in PEM, and which kinds of key are taken."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.keys.making import PASSWORD, Pki, certify, locked, pem, refusal, write
from wsguard.keys import KeyPair, load_key
from wsguard.policy.surroundings import KeyFile


def test_a_pem_key_comes_with_its_certificate_and_its_chain_nearest_first(pki: Pki, tmp_path: Path) -> None:
    file = write(tmp_path / "server.pem", pem(pki.root, pki.leaf) + pki.pem_key() + pem(pki.middle))
    pair = load_key(KeyFile(file=file))
    assert pair.private_key.private_numbers() == pki.key.private_numbers()
    assert (pair.certificate, pair.chain) == (pki.leaf, (pki.middle, pki.root))


def test_a_pem_key_without_certificate_has_none(pki: Pki, tmp_path: Path) -> None:
    pair = load_key(KeyFile(file=write(tmp_path / "key.pem", pki.pem_key())))
    assert (pair.certificate, pair.chain) == (None, ())


def test_certificates_that_stand_above_somebody_else_are_not_in_the_chain(pki: Pki, tmp_path: Path) -> None:
    stranger = certify(pki.root_key, "stranger", pki.root_key, "stranger")
    file = write(tmp_path / "server.pem", pki.pem_key() + pem(pki.leaf, stranger))
    assert load_key(KeyFile(file=file)).chain == ()


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_trailing_newline_of_a_password_file_is_not_part_of_the_password(
    pki: Pki, tmp_path: Path, ending: str
) -> None:
    file = write(tmp_path / "key.pem", pki.pem_key(locked()))
    secret = write(tmp_path / "password.txt", (PASSWORD + ending).encode())
    assert load_key(KeyFile(file=file, password_file=secret)).private_key.key_size == 2048


def test_a_second_trailing_newline_is_part_of_the_password(pki: Pki, tmp_path: Path) -> None:
    file = write(tmp_path / "key.pem", pki.pem_key(locked()))
    secret = write(tmp_path / "password.txt", f"{PASSWORD}\n\n".encode())
    assert "wrong password" in refusal(KeyFile(file=file, password_file=secret))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_ec_keys_on_the_three_nist_curves_are_taken(curve: ec.EllipticCurve, tmp_path: Path) -> None:
    key = ec.generate_private_key(curve)
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    loaded = load_key(KeyFile(file=write(tmp_path / "key.pem", octets))).private_key
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert loaded.curve.name == curve.name


def test_a_password_for_a_key_that_has_none_is_refused(pki: Pki, tmp_path: Path) -> None:
    secret = write(tmp_path / "password.txt", b"x")
    file = write(tmp_path / "key.pem", pki.pem_key())
    assert "but the key is not encrypted" in refusal(KeyFile(file=file, password_file=secret))


def test_a_damaged_key_or_certificate_is_called_damaged(pki: Pki, tmp_path: Path) -> None:
    body = base64.b64encode(b"nothing of the kind").decode()
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n".encode()
    assert "the private key is damaged" in refusal(KeyFile(file=write(tmp_path / "a.pem", key)))
    certificate = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()
    file = write(tmp_path / "b.pem", pki.pem_key() + certificate)
    assert "a certificate in it is damaged" in refusal(KeyFile(file=file))


def test_a_certificate_of_another_key_is_refused(pki: Pki, tmp_path: Path) -> None:
    file = write(tmp_path / "server.pem", pki.pem_key() + pem(pki.middle, pki.root))
    assert refusal(KeyFile(file=file)).endswith("none of its certificates belongs to its private key")


def test_a_weak_rsa_key_is_refused_unless_the_policy_allows_it(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 1024)
    file = write(tmp_path / "weak.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "the RSA key is weak: 1024 bits, at least 2048 needed" in refusal(KeyFile(file=file))
    assert load_key(KeyFile(file=file), min_rsa_bits=1024).private_key.key_size == 1024


def test_kinds_of_key_that_nothing_here_can_use_are_named(tmp_path: Path) -> None:
    kinds: dict[str, ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "Ed25519 keys are not supported": ed25519.Ed25519PrivateKey.generate(),
        "DSA keys are not supported": dsa.generate_private_key(2048),
        "EC keys on secp256k1 are not supported": ec.generate_private_key(ec.SECP256K1()),
    }
    for text, key in kinds.items():
        octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        assert text in refusal(KeyFile(file=write(tmp_path / "key.pem", octets)))


def test_a_key_pair_never_shows_its_key(pki: Pki) -> None:
    assert "private_key" not in repr(KeyPair(pki.key, pki.leaf))
