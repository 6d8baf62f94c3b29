"""Keys, certificates and revocation lists are read by content, and what is wrong with them is said clearly."""

import base64
import datetime
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from wsguard.keys import KeyFileError, KeyPair, load_certificates, load_crls, load_key, load_shared_key
from wsguard.policy.surroundings import KeyFile, SharedKey

PASSWORD = "correct horse"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2036, 1, 1, tzinfo=datetime.UTC)
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "pki"

AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def certify(key: AnyKey, subject: str, issuer_key: AnyKey, issuer: str) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer_name=name(issuer),
        subject_name=name(subject),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=START,
        not_valid_after=END,
    )
    return builder.sign(issuer_key, hashes.SHA256())


class Pki:
    """A root, an intermediate authority and a server."""

    def __init__(self) -> None:
        self.root_key, self.middle_key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
        )
        self.key = rsa.generate_private_key(65537, 2048)
        self.root = certify(self.root_key, "root", self.root_key, "root")
        self.middle = certify(self.middle_key, "middle", self.root_key, "root")
        self.leaf = certify(self.key, "server", self.middle_key, "middle")

    def pem_key(self, encryption: KeySerializationEncryption | None = None) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())

    def p12(self, password: str | None = PASSWORD, friendly: bytes = b"server") -> bytes:
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return pkcs12.serialize_key_and_certificates(
            friendly, self.key, self.leaf, [self.root, self.middle], encryption
        )

    def crl(self) -> x509.CertificateRevocationList:
        builder = x509.CertificateRevocationListBuilder(name("root"), START, END)
        return builder.sign(self.root_key, hashes.SHA256())


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def write(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path


def locked() -> BestAvailableEncryption:
    return BestAvailableEncryption(PASSWORD.encode())


def refusal(source: KeyFile) -> str:
    with pytest.raises(KeyFileError) as caught:
        load_key(source)
    return str(caught.value)


# --- Keys that can be used --------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("filename", ["server.p12", "server.jks", "server.pem"])
def test_pkcs12_is_told_by_content_whatever_the_file_is_called(
    pki: Pki, tmp_path: Path, filename: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_PASSWORD", PASSWORD)
    pair = load_key(KeyFile(file=write(tmp_path / filename, pki.p12()), password_env="KEY_PASSWORD"))
    assert (pair.certificate, pair.chain) == (pki.leaf, (pki.middle, pki.root))


def test_pkcs12_without_a_password_needs_none(pki: Pki, tmp_path: Path) -> None:
    assert load_key(KeyFile(file=write(tmp_path / "server.p12", pki.p12(None)))).certificate == pki.leaf


def test_an_alias_ignores_case_as_keytool_does(pki: Pki, tmp_path: Path) -> None:
    file = write(tmp_path / "server.p12", pki.p12(None, b"Server"))
    assert load_key(KeyFile(file=file, alias="sERVER")).certificate == pki.leaf


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_ec_keys_on_the_three_nist_curves_are_taken(curve: ec.EllipticCurve, tmp_path: Path) -> None:
    key = ec.generate_private_key(curve)
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    loaded = load_key(KeyFile(file=write(tmp_path / "key.pem", octets))).private_key
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert loaded.curve.name == curve.name


# --- Keys that cannot -------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_named_with_the_reason(tmp_path: Path) -> None:
    assert refusal(KeyFile(file=tmp_path / "no.pem")).endswith("no.pem: cannot be read: No such file or directory")


def test_a_missing_environment_variable_is_named(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    file = write(tmp_path / "server.p12", pki.p12())
    expected = "there is no environment variable NO_SUCH_VARIABLE (password_env)"
    assert refusal(KeyFile(file=file, password_env="NO_SUCH_VARIABLE")) == expected


def test_a_password_that_is_needed_and_not_given_is_asked_for(pki: Pki, tmp_path: Path) -> None:
    for octets in (pki.p12(), pki.pem_key(locked())):
        message = refusal(KeyFile(file=write(tmp_path / "locked", octets)))
        assert message.endswith("no password was given, and the key needs one: set password_env or password_file")


def test_a_wrong_password_is_said_and_never_quoted(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PASSWORD", "battery staple")
    traditional = pki.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, locked())
    for octets in (pki.p12(), pki.pem_key(locked()), traditional):
        message = refusal(KeyFile(file=write(tmp_path / "locked", octets), password_env="KEY_PASSWORD"))
        assert message.endswith("locked: wrong password, or the file is damaged")
        assert "battery" not in message


def test_a_password_for_a_key_that_has_none_is_refused(pki: Pki, tmp_path: Path) -> None:
    secret = write(tmp_path / "password.txt", b"x")
    file = write(tmp_path / "key.pem", pki.pem_key())
    assert "but the key is not encrypted" in refusal(KeyFile(file=file, password_file=secret))


@pytest.mark.parametrize(("magic", "kind"), [(b"\xfe\xed\xfe\xed", "JKS"), (b"\xce\xce\xce\xce", "JCEKS")])
def test_a_java_keystore_is_refused_with_the_command_that_converts_it(magic: bytes, kind: str, tmp_path: Path) -> None:
    message = refusal(KeyFile(file=write(tmp_path / "old.p12", magic + bytes(40))))
    assert f"a {kind} keystore; this version reads PEM and PKCS#12" in message
    assert "keytool -importkeystore -srckeystore old.p12 -destkeystore new.p12 -deststoretype PKCS12" in message


def test_a_keystore_that_keytool_wrote_is_told_apart(tmp_path: Path) -> None:
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("keytool is not installed: no real JKS can be made here")
    for kind in ("JKS", "PKCS12"):
        file = tmp_path / f"{kind}.jks"
        made = subprocess.run(
            [
                *(keytool, "-genkeypair", "-alias", "Mine", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=x"),
                *("-keystore", str(file), "-storetype", kind, "-storepass", "changeit", "-keypass", "changeit"),
            ],
            capture_output=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
    secret = write(tmp_path / "password.txt", b"changeit\n")
    assert "a JKS keystore" in refusal(KeyFile(file=tmp_path / "JKS.jks", password_file=secret))
    pair = load_key(KeyFile(file=tmp_path / "PKCS12.jks", password_file=secret, alias="Mine"))
    assert pair.certificate is not None
    assert pair.certificate.subject.rfc4514_string() == "CN=x"


def test_another_alias_than_the_first_entrys_is_refused(pki: Pki, tmp_path: Path) -> None:
    file = write(tmp_path / "server.p12", pki.p12(None))
    assert "its first entry is not 'other'" in refusal(KeyFile(file=file, alias="other"))
    assert "alias is for PKCS#12" in refusal(KeyFile(file=write(tmp_path / "k.pem", pki.pem_key()), alias="other"))


def test_a_file_without_exactly_one_private_key_is_refused(pki: Pki, tmp_path: Path) -> None:
    assert "no private key in it" in refusal(KeyFile(file=write(tmp_path / "a.pem", pem(pki.leaf))))
    two = write(tmp_path / "b.pem", pki.pem_key() + pki.pem_key())
    assert "several private keys in it" in refusal(KeyFile(file=two))
    certificates = pkcs12.serialize_key_and_certificates(b"x", None, pki.leaf, None, NoEncryption())
    assert refusal(KeyFile(file=write(tmp_path / "c.p12", certificates))).endswith("no private key in it")


def test_a_certificate_of_another_key_is_refused(pki: Pki, tmp_path: Path) -> None:
    file = write(tmp_path / "server.pem", pki.pem_key() + pem(pki.middle, pki.root))
    assert refusal(KeyFile(file=file)).endswith("none of its certificates belongs to its private key")


@pytest.mark.parametrize(
    "octets", [b"", b"0", b"0\x82", b"hello", b"\x00" * 100, b"0\x03\x02\x01\x03", b"-----BEGIN PRIVATE KEY-----\n"]
)
def test_anything_else_is_a_key_file_error(octets: bytes, tmp_path: Path) -> None:
    assert refusal(KeyFile(file=write(tmp_path / "x", octets))).startswith(str(tmp_path))


def test_a_damaged_key_or_certificate_is_called_damaged(pki: Pki, tmp_path: Path) -> None:
    body = base64.b64encode(b"nothing of the kind").decode()
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n".encode()
    assert "the private key is damaged" in refusal(KeyFile(file=write(tmp_path / "a.pem", key)))
    certificate = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()
    file = write(tmp_path / "b.pem", pki.pem_key() + certificate)
    assert "a certificate in it is damaged" in refusal(KeyFile(file=file))


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


# --- Certificates, revocation lists, shared keys ----------------------------------------------------------------------


def test_certificates_are_read_from_pem_with_several_and_from_der(pki: Pki, tmp_path: Path) -> None:
    assert load_certificates(write(tmp_path / "ca.pem", pem(pki.root, pki.middle))) == (pki.root, pki.middle)
    assert load_certificates(write(tmp_path / "ca.pem", pki.root.public_bytes(Encoding.DER))) == (pki.root,)


def test_a_file_without_certificate_is_refused(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no certificate in it"):
        load_certificates(write(tmp_path / "ca.pem", pki.pem_key()))
    with pytest.raises(KeyFileError, match="no certificate that can be read"):
        load_certificates(write(tmp_path / "ca.der", b"0\x00"))
    with pytest.raises(KeyFileError, match="a JKS keystore"):
        load_certificates(write(tmp_path / "ca.jks", b"\xfe\xed\xfe\xed"))
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_certificates(tmp_path)


def test_one_damaged_certificate_among_several_refuses_the_file(pki: Pki, tmp_path: Path) -> None:
    damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(KeyFileError, match="a certificate in it is damaged"):
        load_certificates(write(tmp_path / "ca.pem", pem(pki.root) + damaged))


def test_revocation_lists_are_read_from_pem_with_several_and_from_der(pki: Pki, tmp_path: Path) -> None:
    crl = pki.crl()
    octets = crl.public_bytes(Encoding.PEM)
    assert load_crls(write(tmp_path / "two.pem", octets + octets)) == (crl, crl)
    assert load_crls(write(tmp_path / "one.crl", crl.public_bytes(Encoding.DER))) == (crl,)


def test_a_file_without_revocation_list_is_refused(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no revocation list in it"):
        load_crls(write(tmp_path / "a.pem", pem(pki.root)))
    with pytest.raises(KeyFileError, match="not a revocation list that can be read"):
        load_crls(write(tmp_path / "a.crl", b"junk"))


def test_a_shared_key_is_base64_from_a_variable_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = base64.b64encode(bytes(range(32)))
    monkeypatch.setenv("SHARED_KEY", text.decode())
    assert load_shared_key(SharedKey(name="k", key_env="SHARED_KEY")) == bytes(range(32))
    file = write(tmp_path / "key", text + b"\n")
    assert load_shared_key(SharedKey(name="k", key_file=file)) == bytes(range(32))


def test_a_shared_key_that_cannot_be_used_is_refused_and_never_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARED_KEY", "c2hvcnQ=")
    with pytest.raises(KeyFileError, match="is weak: 5 bytes, at least 16 needed"):
        load_shared_key(SharedKey(name="k", key_env="SHARED_KEY"))
    with pytest.raises(KeyFileError, match="is not base64") as caught:
        load_shared_key(SharedKey(name="k", key_file=write(tmp_path / "key", b"se cret!")))
    assert "cret" not in str(caught.value)
    assert caught.value.__suppress_context__


# --- Files that others made -------------------------------------------------------------------------------------------


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of foreign messages is not beside the repository")
def test_the_corpus_keys_certificates_and_lists_can_be_read() -> None:
    pair = load_key(KeyFile(file=CORPUS / "server.p12", password_file=CORPUS / "password.txt"))
    assert (pair.certificate,) == load_certificates(CORPUS / "server.crt")
    assert len(load_crls(CORPUS / "ca.crl")) == 1
    assert all(len(load_certificates(path)) == 1 for path in CORPUS.glob("*.crt"))
