"""Damaged and hostile JKS keystores: ``KeyFileError``, and nothing else, whatever is in them."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.keys.keystores import TRUST, TWO
from tests.keys.making import Pki, key_file, refusal, write
from tests.keys.writing import encoded, keystore, private, protected, resealed, sealed, trusted
from wsguard.keys import KeyFileError, load_certificates, load_key

WRONG = "wrong password, or the file is damaged"
in_one_directory = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


def refused(directory: Path, octets: bytes, alias: str = "first") -> str:
    return refusal(key_file(directory, octets, "changeit", alias))


def certificates_refused(directory: Path, octets: bytes) -> str:
    with pytest.raises(KeyFileError) as caught:
        load_certificates(write(directory / "trust", octets))
    return str(caught.value)


# --- With its digest --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_no_octet_can_be_changed(tmp_path: Path, mask: int) -> None:
    source = key_file(tmp_path, TWO, "changeit", "first")
    for position in range(4, len(TWO)):
        write(source.file, TWO[:position] + bytes([TWO[position] ^ mask]) + TWO[position + 1 :])
        assert refusal(source).endswith(WRONG)


def test_no_octet_can_be_cut_off(tmp_path: Path) -> None:
    source = key_file(tmp_path, TWO, "changeit", "first")
    for length in range(4, len(TWO)):
        write(source.file, TWO[:length])
        assert refusal(source).endswith(WRONG)
    assert refused(tmp_path, TWO + b"\0").endswith(WRONG)


# --- By somebody who knows the password -------------------------------------------------------------------------------


def test_a_cut_content_with_a_digest_is_damaged(tmp_path: Path) -> None:
    source = key_file(tmp_path, TWO, "changeit", "first")
    for length in range(4, len(TWO) - 20):
        write(source.file, sealed(TWO[:length]))
        assert "a JKS keystore that is damaged: " in refusal(source)


@in_one_directory
@given(position=st.integers(0, len(TWO) - 1), mask=st.integers(1, 255), alias=st.sampled_from(["first", "second"]))
def test_a_changed_content_with_a_digest_is_refused_or_read(
    tmp_path: Path, position: int, mask: int, alias: str
) -> None:
    octets = resealed(TWO[:position] + bytes([TWO[position] ^ mask]) + TWO[position + 1 :])
    with suppress(KeyFileError):
        load_key(key_file(tmp_path, octets, "changeit", alias))


@in_one_directory
@given(st.binary(max_size=200), st.sampled_from([1, 2]))
def test_any_content_with_a_digest_is_refused_or_read(tmp_path: Path, content: bytes, version: int) -> None:
    octets = keystore(content, version=version)
    for use in (
        lambda: load_key(key_file(tmp_path, octets, "changeit")),
        lambda: load_certificates(tmp_path / "key.file"),
    ):
        with suppress(KeyFileError):
            use()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(keystore(version=0), "a version that is not known", id="version 0"),
        pytest.param(keystore(version=3), "a version that is not known", id="version 3"),
        pytest.param(keystore(b"\0"), "a count that there are too few octets for", id="half an entry"),
        pytest.param(keystore(bytes(16), entry_count=0), "octets after the last entry", id="no entry"),
        pytest.param(keystore(b"\0\0\0\3" + bytes(12)), "an entry of a kind that is not known", id="secret key"),
        pytest.param(keystore(trusted(b"a", b"", b"PGP")), "a certificate that is not X.509", id="PGP"),
        pytest.param(keystore(trusted(b"\xed\xa0\x80", b"")), "text that is not modified UTF-8", id="surrogate"),
        pytest.param(keystore(trusted(b"\xff", b"")), "text that is not modified UTF-8", id="alias"),
        pytest.param(keystore(private(b"a", b"", chain=5)), "a count that there are too few octets for", id="chain"),
    ],
)
def test_the_reason_is_said(tmp_path: Path, content: bytes, reason: str) -> None:
    assert refused(tmp_path, content).endswith(f"a JKS keystore that is damaged: {reason}")
    assert certificates_refused(tmp_path, content).endswith(f"a JKS keystore that is damaged: {reason}")


def test_huge_counts_and_lengths_cost_nothing(tmp_path: Path) -> None:
    huge = 0xFFFFFFFF
    begun = time.perf_counter()
    refused(tmp_path, keystore(bytes(100_000), entry_count=huge))
    refused(tmp_path, keystore(private(b"a", b"", chain=huge)))
    refused(tmp_path, keystore(b"\0\0\0\1\0\1a" + bytes(8) + b"\xff\xff\xff\xff" + bytes(100)))
    refused(tmp_path, keystore(b"\0\0\0\2\xff\xff" + bytes(100)))
    assert time.perf_counter() - begun < 2


def test_a_key_that_is_protected_in_another_way_is_refused(tmp_path: Path) -> None:
    sun = bytes.fromhex("060a2b060104012a02110101")
    other = resealed(TWO.replace(sun, sun[:-1] + b"\x02"))
    assert refused(tmp_path, other).endswith("its private key is protected in another way than Sun's JKS does it")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"0\0",
        b"0\x80",
        b"0\x02\x05\x00",
        b"\x1f\x01\x00",
        b"0\x85\xff\xff\xff\xff\xff",
        protected(b""),
        protected(b"no key at all"),
        protected(b"0\x03\x02\x01\x00"),
        protected(b"x" * 1000) + b"\0",
    ],
    ids=range(10),
)
def test_a_private_key_that_is_none_is_refused(tmp_path: Path, octets: bytes) -> None:
    message = refused(tmp_path, keystore(private(b"first", octets)))
    assert message.endswith("its private key is damaged, or of a kind that is not supported")


# --- Without a password -----------------------------------------------------------------------------------------------


@in_one_directory
@given(position=st.integers(0, len(TRUST) - 1), mask=st.integers(1, 255))
def test_changed_trusted_certificates_are_refused_or_read(tmp_path: Path, position: int, mask: int) -> None:
    octets = TRUST[:position] + bytes([TRUST[position] ^ mask]) + TRUST[position + 1 :]
    with suppress(KeyFileError):
        assert len(load_certificates(write(tmp_path / "trust", octets))) <= 2


def test_no_octet_of_trusted_certificates_can_be_cut_off(tmp_path: Path) -> None:
    for length in range(len(TRUST)):
        certificates_refused(tmp_path, TRUST[:length])
    certificates_refused(tmp_path, TRUST + b"\0")


def test_a_damaged_certificate_refuses_the_keystore(pki: Pki, tmp_path: Path) -> None:
    octets = keystore(trusted(b"a", encoded(pki.root)), trusted(b"b", b"0\0"))
    assert certificates_refused(tmp_path, octets).endswith("a certificate in it is damaged")
    octets = keystore(private(b"first", protected(b"x"), [b"0\0"]))
    assert "damaged" in refused(tmp_path, octets)
