"""Certificates and revocation lists, in PEM and DER; in keystores as far as they need no password."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.keys.keystores import JCEKS, OPEN_PKCS12, RSA, TRUST, TRUST_PKCS12, TWO
from tests.keys.making import Pki, pem, write
from wsguard.keys import KeyFileError, load_certificates, load_crls


def test_certificates_are_read_from_pem_with_several_and_from_der(pki: Pki, tmp_path: Path) -> None:
    assert load_certificates(write(tmp_path / "ca.pem", pem(pki.root, pki.middle))) == (pki.root, pki.middle)
    assert load_certificates(write(tmp_path / "ca.pem", pki.root.public_bytes(Encoding.DER))) == (pki.root,)


def test_a_file_without_certificate_is_refused(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no certificate in it"):
        load_certificates(write(tmp_path / "ca.pem", pki.pem_key()))
    with pytest.raises(KeyFileError, match="no certificate that can be read"):
        load_certificates(write(tmp_path / "ca.der", b"0\x00"))
    with pytest.raises(KeyFileError, match="a JKS keystore that is damaged: it ends too early"):
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


CUT = {
    "in the middle of the second": lambda first, second: first + second[:200],
    "before the end of the second": lambda first, second: first + second[:-20],
    "in the first mark of the second": lambda first, second: first + second[:18],
    "in the middle of the first": lambda first, second: first[:200] + b"\n" + second,
    "a dash of the second": lambda first, second: first + second.replace(b"-----\n", b"----\n", 1),
}
"""What somebody who writes a file, or edits it, may leave of two."""


@pytest.mark.parametrize("cut", CUT.values(), ids=CUT)
def test_a_file_that_was_cut_off_is_not_one_with_less_in_it(
    pki: Pki, tmp_path: Path, cut: Callable[[bytes, bytes], bytes]
) -> None:
    octets = pki.crl().public_bytes(Encoding.PEM)
    with pytest.raises(KeyFileError, match="it is damaged"):
        load_crls(write(tmp_path / "crls.pem", cut(octets, octets)))
    with pytest.raises(KeyFileError, match="damaged"):
        load_certificates(write(tmp_path / "ca.pem", cut(pem(pki.root), pem(pki.middle))))


def test_a_file_may_have_text_and_other_things_between(pki: Pki, tmp_path: Path) -> None:
    crl = pki.crl()
    octets = b"# ----- ours -----\n" + crl.public_bytes(Encoding.PEM) + pem(pki.root) + b"----------\n"
    assert load_crls(write(tmp_path / "all.pem", octets)) == (crl,)
    assert load_certificates(tmp_path / "all.pem") == (pki.root,)


def test_a_file_without_revocation_list_is_refused(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no revocation list in it"):
        load_crls(write(tmp_path / "a.pem", pem(pki.root)))
    with pytest.raises(KeyFileError, match="not a revocation list that can be read"):
        load_crls(write(tmp_path / "a.crl", b"junk"))


def subjects(octets: bytes, directory: Path) -> list[str]:
    return [entry.subject.rfc4514_string() for entry in load_certificates(write(directory / "trust", octets))]


def refused(octets: bytes, directory: Path) -> str:
    with pytest.raises(KeyFileError) as caught:
        load_certificates(write(directory / "trust", octets))
    return str(caught.value)


def test_only_the_trusted_certificates_of_a_jks_keystore_are_taken(tmp_path: Path) -> None:
    assert sorted(subjects(TRUST, tmp_path)) == ["CN=ca", "CN=first"]
    assert subjects(TWO, tmp_path) == ["CN=ca"]
    assert refused(RSA, tmp_path).endswith("no trusted certificate in it")


def test_a_certificate_of_a_version_that_there_is_not_is_damaged(pki: Pki, tmp_path: Path) -> None:
    """``cryptography`` has an error for it that is no ValueError."""
    strange = pki.root.public_bytes(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)
    assert refused(strange, tmp_path).endswith("no certificate that can be read, in PEM or DER")


def test_a_pkcs12_file_of_certificates_is_taken_where_it_has_no_password(tmp_path: Path) -> None:
    assert subjects(OPEN_PKCS12, tmp_path) == ["CN=ca"]


def test_a_pkcs12_file_of_certificates_with_a_password_is_refused_with_the_command_that_converts_it(
    tmp_path: Path,
) -> None:
    assert "a PKCS#12 file with a password" in refused(TRUST_PKCS12, tmp_path)
    assert refused(TRUST_PKCS12, tmp_path).endswith("openssl pkcs12 -in trust -nokeys -out new.pem")


def test_a_pkcs12_file_with_a_private_key_is_no_file_of_certificates(pki: Pki, tmp_path: Path) -> None:
    assert refused(pki.p12(None), tmp_path).endswith("a private key in it, where certificates alone belong")


def test_a_jceks_keystore_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    message = refused(JCEKS, tmp_path)
    assert "a JCEKS keystore; this version reads PEM, PKCS#12 and JKS" in message
    assert message.endswith(
        "keytool -importkeystore -srckeystore trust -srcstoretype JCEKS -destkeystore new.keystore -deststoretype JKS"
    )
