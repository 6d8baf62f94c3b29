"""Private keys in JKS keystores that keytool made, and in some that are like them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.keys.keystores import JCEKS, OTHER_KEY_PASSWORD, RSA, TRUST, TWO, UNICODE
from tests.keys.making import Pki, key_file, refusal, write
from tests.keys.writing import encoded, keystore, private, protected, resealed, trusted
from wsguard.keys import KeyFileError, KeyPair, load_certificates, load_key
from wsguard.policy.surroundings import KeyFile


def pkcs8(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def loaded(directory: Path, octets: bytes, password: str = "changeit", alias: str = "") -> KeyPair:
    return load_key(key_file(directory, octets, password, alias))


def refused(directory: Path, octets: bytes, password: str | None = "changeit", alias: str = "") -> str:
    return refusal(key_file(directory, octets, password, alias))


def subject(pair: KeyPair) -> str:
    assert pair.certificate is not None
    return pair.certificate.subject.rfc4514_string()


def names(pair: KeyPair) -> list[str]:
    return [subject(pair), *(above.subject.rfc4514_string() for above in pair.chain)]


# --- As keytool writes them -------------------------------------------------------------------------------------------


def test_an_rsa_key_signs_what_its_certificate_verifies(tmp_path: Path) -> None:
    pair = loaded(tmp_path, RSA)
    assert isinstance(pair.private_key, rsa.RSAPrivateKey)
    assert pair.certificate is not None
    key = pair.certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(
        pair.private_key.sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x", padding.PKCS1v15(), hashes.SHA256()
    )
    assert names(pair) == ["CN=server"]


@pytest.mark.parametrize(("alias", "chain"), [("first", ["CN=first"]), ("SECOND", ["CN=second", "CN=ca"])])
def test_an_alias_chooses_a_key_and_its_chain(tmp_path: Path, alias: str, chain: list[str]) -> None:
    pair = loaded(tmp_path, TWO, alias=alias)
    assert names(pair) == chain
    assert isinstance(pair.private_key, ec.EllipticCurvePrivateKey)
    assert pair.certificate is not None
    key = pair.certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(pair.private_key.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x", ec.ECDSA(hashes.SHA256()))


def test_several_keys_need_an_alias_and_are_listed(tmp_path: Path) -> None:
    message = refused(tmp_path, TWO)
    assert message.endswith("several private keys in it, set alias to the one to use: 'second', 'first'")


@pytest.mark.parametrize("alias", ["third", "ca"])
def test_an_alias_that_no_private_key_has_is_refused_with_those_there_are(tmp_path: Path, alias: str) -> None:
    message = refused(tmp_path, TWO, alias=alias)
    assert message.endswith(f"no private key in it has the alias {alias!r}; there is 'second', 'first'")


def test_a_keystore_without_private_key_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, TRUST).endswith("no private key in it")


def test_password_and_alias_may_be_any_text(tmp_path: Path) -> None:
    assert names(loaded(tmp_path, UNICODE, "пароль-é🔑", "КЛЮЧ🔑")) == ["CN=unicode"]


def test_a_password_that_is_not_utf_8_is_said_and_never_quoted(tmp_path: Path) -> None:
    secret = write(tmp_path / "password.txt", b"s\xe9same")
    with pytest.raises(KeyFileError, match="the password is not UTF-8") as caught:
        load_key(KeyFile(file=write(tmp_path / "k", RSA), password_file=secret))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("password", ["Changeit", "another", "", "changeit "])
def test_a_wrong_password_is_said(tmp_path: Path, password: str) -> None:
    assert refused(tmp_path, TWO, password).endswith("wrong password, or the file is damaged")


def test_a_key_with_a_password_of_its_own_is_refused_with_the_command_that_changes_it(tmp_path: Path) -> None:
    message = refused(tmp_path, OTHER_KEY_PASSWORD)
    assert "opens the keystore, but not the private key in it" in message
    assert message.endswith("keytool -keypasswd -keystore key.file -alias 'mine'")
    assert refused(tmp_path, OTHER_KEY_PASSWORD, "another").endswith("wrong password, or the file is damaged")


def test_a_jceks_keystore_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    for octets in (JCEKS, b"\xce\xce\xce\xce"):
        message = refusal(KeyFile(file=write(tmp_path / "old.p12", octets)))
        assert "a JCEKS keystore; this version reads PEM, PKCS#12 and JKS" in message
        assert (
            "keytool -importkeystore -srckeystore old.p12 -srcstoretype JCEKS -destkeystore new.keystore "
            "-deststoretype PKCS12"
        ) in message


# --- Like them --------------------------------------------------------------------------------------------------------


def test_version_1_does_not_say_what_its_certificates_are(tmp_path: Path) -> None:
    octets = TWO.replace(b"\xfe\xed\xfe\xed\0\0\0\2", b"\xfe\xed\xfe\xed\0\0\0\1").replace(b"\0\5X.509", b"")
    assert names(loaded(tmp_path, resealed(octets), alias="second")) == ["CN=second", "CN=ca"]
    assert len(load_certificates(write(tmp_path / "v1.jks", resealed(octets)))) == 1


def test_a_key_without_certificate_has_none(pki: Pki, tmp_path: Path) -> None:
    pair = loaded(tmp_path, keystore(private(b"x", protected(pkcs8(pki.key)))))
    assert (pair.certificate, pair.chain) == (None, ())


def test_a_key_comes_with_the_chain_of_its_own_entry(pki: Pki, tmp_path: Path) -> None:
    chain = [encoded(certificate) for certificate in (pki.leaf, pki.middle, pki.root)]
    pair = loaded(tmp_path, keystore(private(b"x", protected(pkcs8(pki.key)), chain)))
    assert (pair.certificate, pair.chain) == (pki.leaf, (pki.middle, pki.root))


def test_the_certificate_of_another_key_is_refused(pki: Pki, tmp_path: Path) -> None:
    octets = keystore(private(b"x", protected(pkcs8(pki.key)), [encoded(pki.root)]))
    assert refused(tmp_path, octets).endswith("none of its certificates belongs to its private key")


def test_weak_keys_and_strange_kinds_are_refused_as_in_every_format(tmp_path: Path) -> None:
    weak = keystore(private(b"x", protected(pkcs8(rsa.generate_private_key(65537, 1024)))))
    assert refused(tmp_path, weak).endswith("the RSA key is weak: 1024 bits, at least 2048 needed")
    strange = keystore(private(b"x", protected(pkcs8(dsa.generate_private_key(2048)))))
    assert refused(tmp_path, strange).endswith("DSA keys are not supported; RSA and EC keys are")


def test_aliases_that_differ_in_case_only_are_told_apart(pki: Pki, tmp_path: Path) -> None:
    chains = {b"Key": pki.leaf, b"key": None}
    entries = [
        private(alias, protected(pkcs8(pki.key)), [encoded(certificate)] if certificate else [])
        for alias, certificate in chains.items()
    ]
    assert loaded(tmp_path, keystore(*entries), alias="Key").certificate == pki.leaf
    assert loaded(tmp_path, keystore(*entries), alias="key").certificate is None
    assert "several private keys in it" in refused(tmp_path, keystore(*entries), alias="KEY")


def test_nul_in_an_alias_is_modified_utf_8_and_is_shown_escaped(pki: Pki, tmp_path: Path) -> None:
    octets = keystore(private(b"a\xc0\x80\x1b[31m", protected(pkcs8(pki.key))))
    assert refused(tmp_path, octets, alias="x").endswith(r"there is 'a\x00\x1b[31m'")


def test_of_many_aliases_some_are_listed(pki: Pki, tmp_path: Path) -> None:
    octets = keystore(*(private(b"k%d" % number, b"") for number in range(200)))
    assert refused(tmp_path, octets).endswith("'k8', 'k9' and 190 more")


def test_two_times_the_same_trusted_certificate_is_two_times_one(pki: Pki, tmp_path: Path) -> None:
    octets = keystore(trusted(b"a", encoded(pki.root)), trusted(b"b", encoded(pki.root), b"X509"))
    assert load_certificates(write(tmp_path / "trust.jks", octets)) == (pki.root, pki.root)
