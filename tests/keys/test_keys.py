"""Keys are read by content, and what is wrong with their files is said clearly."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from tests.keys.keystores import TWO, UNICODE
from tests.keys.making import Pki, locked, pem, refusal, write
from wsguard.keys import load_certificates, load_crls, load_key
from wsguard.policy.surroundings import KeyFile

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "pki"


def test_a_file_that_is_not_there_is_named_with_the_reason(tmp_path: Path) -> None:
    assert refusal(KeyFile(file=tmp_path / "no.pem")).endswith("no.pem: cannot be read: No such file or directory")


def test_a_missing_environment_variable_is_named(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    file = write(tmp_path / "server.p12", pki.p12())
    expected = "there is no environment variable NO_SUCH_VARIABLE (password_env)"
    assert refusal(KeyFile(file=file, password_env="NO_SUCH_VARIABLE")) == expected


def test_a_password_that_is_needed_and_not_given_is_asked_for(pki: Pki, tmp_path: Path) -> None:
    for octets in (pki.p12(), pki.pem_key(locked()), UNICODE):
        message = refusal(KeyFile(file=write(tmp_path / "locked", octets)))
        assert message.endswith("no password was given, and the key needs one: set password_env or password_file")


def test_a_wrong_password_is_said_and_never_quoted(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PASSWORD", "battery staple")
    traditional = pki.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, locked())
    for octets in (pki.p12(), pki.pem_key(locked()), traditional, TWO, UNICODE):
        message = refusal(KeyFile(file=write(tmp_path / "locked", octets), password_env="KEY_PASSWORD"))
        assert message.endswith("locked: wrong password, or the file is damaged")
        assert "battery" not in message


def test_a_file_without_exactly_one_private_key_is_refused(pki: Pki, tmp_path: Path) -> None:
    assert "no private key in it" in refusal(KeyFile(file=write(tmp_path / "a.pem", pem(pki.leaf))))
    two = write(tmp_path / "b.pem", pki.pem_key() + pki.pem_key())
    assert "several private keys in it" in refusal(KeyFile(file=two))
    certificates = pkcs12.serialize_key_and_certificates(b"x", None, pki.leaf, None, NoEncryption())
    assert refusal(KeyFile(file=write(tmp_path / "c.p12", certificates))).endswith("no private key in it")


@pytest.mark.parametrize(
    "octets",
    [b"", b"0", b"0\x82", b"hello", b"\x00" * 100, b"0\x03\x02\x01\x03", b"-----BEGIN PRIVATE KEY-----\n", TWO[:3]],
)
def test_anything_else_is_a_key_file_error(octets: bytes, tmp_path: Path) -> None:
    assert refusal(KeyFile(file=write(tmp_path / "x", octets))).startswith(str(tmp_path))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of foreign messages is not beside the repository")
def test_the_corpus_keys_certificates_and_lists_can_be_read() -> None:
    pair = load_key(KeyFile(file=CORPUS / "server.p12", password_file=CORPUS / "password.txt"))
    assert (pair.certificate,) == load_certificates(CORPUS / "server.crt")
    assert len(load_crls(CORPUS / "ca.crl")) == 1
    assert all(len(load_certificates(path)) == 1 for path in CORPUS.glob("*.crt"))
