"""How often a file has its password digested is bounded: 2^31 times would take minutes, of which nobody is told."""

import base64
import re
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12

from tests.keys.making import PASSWORD, Pki, key_file, locked, refusal
from wsguard.keys import KeyFileError, load_certificates, load_key
from wsguard.keys.iterations import MOST_ITERATIONS

ROUNDS = 70_001
"""Three octets in DER, that stand nowhere else."""
MANY = 0x7F_FFFF
"""As many octets."""


def p12(pki: Pki) -> bytes:
    encryption = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(ROUNDS).hmac_hash(SHA256())
    encryption = encryption.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
    return pkcs12.serialize_key_and_certificates(b"a", pki.key, pki.leaf, None, encryption.build(PASSWORD.encode()))


def with_rounds(octets: bytes, old: int, new: int) -> bytes:
    old_octets, new_octets = (b"\x02\x03" + count.to_bytes(3, "big") for count in (old, new))
    assert old_octets in octets
    return octets.replace(old_octets, new_octets)


def with_mac_rounds(octets: bytes) -> bytes:
    """The count at the very end of a PFX, in as many octets as it had."""
    assert octets[-4:-2] == b"\x02\x02"
    return octets[:-2] + b"\x7f\xff"


def test_as_many_as_anybody_uses_are_taken(pki: Pki, tmp_path: Path) -> None:
    assert load_key(key_file(tmp_path, p12(pki), PASSWORD)).certificate == pki.leaf
    assert load_key(key_file(tmp_path, pki.pem_key(locked()), PASSWORD)).certificate is None


def test_a_pkcs12_key_that_would_take_minutes_is_refused_at_once(pki: Pki, tmp_path: Path) -> None:
    started = time.process_time()
    said = refusal(key_file(tmp_path, with_rounds(p12(pki), ROUNDS, MANY), PASSWORD))
    assert f"digested {MANY} times, at most {MOST_ITERATIONS}" in said
    assert time.process_time() - started < 0.5


def test_the_password_is_not_digested_for_the_mac_either(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wsguard.keys.iterations.MOST_ITERATIONS", 0x7FFE)
    octets = with_mac_rounds(pki.p12())
    assert f"digested {0x7FFF} times" in refusal(key_file(tmp_path, octets, PASSWORD))
    in_ber = b"\x30\x80" + octets[4:] + bytes(2)
    assert f"digested {0x7FFF} times" in refusal(key_file(tmp_path, in_ber, PASSWORD))
    file = tmp_path / "trust.p12"
    file.write_bytes(octets)
    with pytest.raises(KeyFileError, match="digested 32767 times"):
        load_certificates(file)


@pytest.mark.parametrize("header", [b"", b"X-Comment: abc\n\n"])
def test_a_pem_key_that_would_take_minutes_is_refused_at_once(pki: Pki, tmp_path: Path, header: bytes) -> None:
    der = pki.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, locked())
    rounds = b"\x02\x02\x08\x00"
    assert rounds in der
    # One octet more: so the lengths around it are wrong, which nobody gets to see.
    body = base64.encodebytes(der.replace(rounds, b"\x02\x04\x7f\xff\xff\xff"))
    octets = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + header + body + b"-----END ENCRYPTED PRIVATE KEY-----\n"
    assert f"digested {2**31 - 1} times" in refusal(key_file(tmp_path, octets, PASSWORD))


def test_a_count_that_cannot_be_read_is_refused(pki: Pki, tmp_path: Path) -> None:
    octets = re.sub(rb"(\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c\x30.)\x04", rb"\1$", p12(pki), flags=re.DOTALL)
    assert "cannot be read" in refusal(key_file(tmp_path, octets, PASSWORD))


def test_a_file_is_not_read_for_ever() -> None:
    with pytest.raises(KeyFileError, match="larger than"):
        load_certificates(Path("/dev/zero"))


def test_certificates_beside_a_key_are_counted_before_signatures_are_verified(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (pki.leaf, pki.middle, pki.root))
    source = key_file(tmp_path, pki.pem_key() + chain)
    monkeypatch.setattr("wsguard.keys.pair.LONGEST_CHAIN", 2)
    assert load_key(source).chain == (pki.middle, pki.root)
    monkeypatch.setattr("wsguard.keys.pair.LONGEST_CHAIN", 1)
    assert "more than 1 certificates above each other" in refusal(source)
    monkeypatch.setattr("wsguard.keys.pair.MOST_CERTIFICATES", 2)
    assert "3 certificates beside a private key" in refusal(source)
