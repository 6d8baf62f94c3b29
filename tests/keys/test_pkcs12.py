"""Private keys in PKCS#12."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from hypothesis import given
from hypothesis import strategies as st

from tests.keys.keystores import TWO_PKCS12
from tests.keys.making import PASSWORD, Pki, key_file, refusal, write
from tests.keys.writing import der
from wsguard.keys import load_key
from wsguard.keys.bags import key_bags
from wsguard.keys.octets import element
from wsguard.policy.surroundings import KeyFile


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


def test_another_alias_than_the_first_entrys_is_refused(pki: Pki, tmp_path: Path) -> None:
    file = write(tmp_path / "server.p12", pki.p12(None))
    message = refusal(KeyFile(file=file, alias="other"))
    assert message.endswith("no private key in it has the alias 'other'; there is 'server'")
    assert "alias is for PKCS#12" in refusal(KeyFile(file=write(tmp_path / "k.pem", pki.pem_key()), alias="other"))


def test_an_alias_chooses_one_of_several_private_keys(tmp_path: Path) -> None:
    for alias, chain in (("first", []), ("Second", ["CN=ca"])):
        pair = load_key(key_file(tmp_path, TWO_PKCS12, "changeit", alias))
        assert pair.certificate is not None
        assert pair.certificate.subject.rfc4514_string() == f"CN={alias.lower()}"
        assert pair.certificate.public_key() == pair.private_key.public_key()
        assert [above.subject.rfc4514_string() for above in pair.chain] == chain


def test_several_private_keys_need_an_alias(tmp_path: Path) -> None:
    message = refusal(key_file(tmp_path, TWO_PKCS12, "changeit"))
    assert message.endswith("several private keys in it, set alias to the one to use: 'second', 'first'")
    message = refusal(key_file(tmp_path, TWO_PKCS12, "changeit", "ca"))
    assert message.endswith("no private key in it has the alias 'ca'; there is 'second', 'first'")


def test_a_wrong_password_is_said_before_aliases_are(tmp_path: Path) -> None:
    assert refusal(key_file(tmp_path, TWO_PKCS12, "wrong")).endswith("wrong password, or the file is damaged")


def test_the_only_key_goes_by_its_own_name_and_by_that_of_its_certificate(pki: Pki, tmp_path: Path) -> None:
    parts = element(pki.p12(None)).inner()
    octets = der(0x30, parts[0].whole + parts[1].whole)
    name = "server".encode("utf-16-be")
    assert octets.count(name) == 2
    at = octets.rindex(name)
    renamed = octets[:at] + "tp-123".encode("utf-16-be") + octets[at + len(name) :]
    for alias in ("server", "TP-123", ""):
        assert load_key(key_file(tmp_path, renamed, alias=alias)).certificate == pki.leaf
    assert "no private key in it has the alias 'other'" in refusal(key_file(tmp_path, renamed, alias="other"))


@given(st.data())
def test_damaged_bags_are_no_bags_or_others(data: st.DataObject) -> None:
    octets = bytearray(TWO_PKCS12)
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    assert len(key_bags(bytes(octets[: data.draw(st.integers(0, len(octets)))]))) <= 2


def test_a_key_with_a_password_of_its_own_is_refused(tmp_path: Path) -> None:
    last = key_bags(TWO_PKCS12)[-1]
    damaged = TWO_PKCS12.replace(last.octets, last.octets[:-1] + bytes([last.octets[-1] ^ 1]))
    parts = element(damaged).inner()
    without_mac = der(0x30, parts[0].whole + parts[1].whole)
    assert last.alias == "first"
    assert refusal(key_file(tmp_path, without_mac, "changeit", "first")).endswith(
        "wrong password, or the file is damaged"
    )
    assert load_key(key_file(tmp_path, without_mac, "changeit", "second")).private_key.key_size == 256


def test_a_key_may_have_no_name(pki: Pki) -> None:
    octets = pkcs12.serialize_key_and_certificates(None, pki.key, pki.leaf, None, NoEncryption())
    assert [(bag.alias, bag.encrypted) for bag in key_bags(octets)] == [("", False)]
