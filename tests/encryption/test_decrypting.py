"""Data and keys, against libxmlsec; and every change to them, which looks like any other."""

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.encrypting import (
    DATA_METHODS,
    KEY_METHODS,
    MASKS,
    OAEP_DIGESTS,
    Encryption,
    concat_kdf,
    ec_key_value,
    encrypt,
    encrypt_blocks,
    encrypted,
    key_info,
    key_length,
    key_method,
    key_name,
    reference_list,
    transport,
)
from tests.encryption.messages import SHARED, old_server, opened, ours, server
from tests.message.refusing import check_of, refused
from tests.messages import PAYLOAD, XENC, envelope, security
from tests.pki import ec_key
from wsguard.encryption import DecryptionKey, unwrapping
from wsguard.encryption.agreement import Agreement, agreed_key
from wsguard.encryption.decrypting import decrypt
from wsguard.encryption.methods import KEY_LENGTHS
from wsguard.faults import Fault
from wsguard.names import ENCRYPTION_ALGORITHMS, MASK_GENERATION_ALGORITHMS

FOR_US = Encryption.for_(server()).fixed()
algorithms = st.sampled_from(sorted(DATA_METHODS))


def test_every_algorithm_of_the_policy_is_built() -> None:
    assert set(DATA_METHODS) == set(ENCRYPTION_ALGORITHMS) == {name for name in KEY_LENGTHS if name[:2] != "kw"}
    assert {f"mgf1{name}" for name in MASKS} == set(MASK_GENERATION_ALGORITHMS)


# --- Round trips ------------------------------------------------------------------------------------------------------


@given(algorithms, st.binary(max_size=200), st.data())
def test_what_was_encrypted_comes_back(algorithm: str, octets: bytes, data: st.DataObject) -> None:
    length = key_length(algorithm)
    key = data.draw(st.binary(min_size=length, max_size=length))
    assert decrypt(algorithm, key, encrypt(algorithm, key, octets)) == octets


@given(algorithms, st.sampled_from(sorted(KEY_METHODS)), st.binary(max_size=60))
def test_a_message_in_any_algorithms_comes_back(algorithm: str, method: str, label: bytes) -> None:
    if method.startswith("kw-"):
        key = bytes(key_length(method))
        encryption = Encryption(key=key, key_info=key_name("red"), method=method, algorithm=algorithm)
    else:
        label = label if "oaep" in method else b""
        encryption = Encryption.for_(server(), method=method, algorithm=algorithm, label=label)
    shared = {"red": bytes(key_length(method))} if method.startswith("kw-") else {}
    assert opened(encrypted(encryption), shared=shared).body_text() == PAYLOAD


@pytest.mark.parametrize("digest", [None, *OAEP_DIGESTS, f"{XENC}sha384"])
@pytest.mark.parametrize("mask", [None, *MASKS])
def test_every_digest_and_mask_of_oaep(digest: str | None, mask: str | None) -> None:
    short = "sha384" if digest and ":" in digest else digest
    encryption = Encryption.for_(server(), method="rsa-oaep", digest=digest, mask=mask, label=b"label").fixed()
    cipher = transport("rsa-oaep", server().key, encryption.session, short or "sha1", mask or "sha1", b"label")
    assert opened(encrypted(replace(encryption, key_cipher=cipher))).body_text() == PAYLOAD


def test_the_older_oaep_has_a_digest_of_its_own_and_a_mask_of_sha_1() -> None:
    assert opened(encrypted(Encryption.for_(server(), digest="sha256"))).body_text() == PAYLOAD


@pytest.mark.parametrize(
    "told",
    [key_method("rsa-oaep", "sha256"), key_method("rsa-oaep", mask="sha256"), key_method("rsa-oaep", label=b"x")],
)
def test_other_parameters_of_oaep_than_were_used_are_bad_data(told: str) -> None:
    encryption = Encryption.for_(server(), method="rsa-oaep")
    with refused("encryption.failed"):
        opened(encrypted(replace(encryption, replaced={key_method("rsa-oaep"): told})))


def test_every_key_that_may_be_meant_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def decrypt_rsa(key: DecryptionKey, cipher: bytes, scheme: Any) -> bytes | None:
        tried.append(key.name)
        return FOR_US.session if key.name == "key-1.pem" else None

    monkeypatch.setattr(unwrapping, "_decrypt_rsa", decrypt_rsa)
    keys = [*ours(server()), DecryptionKey("second", old_server().key), DecryptionKey("third", ec_key())]
    opened(encrypted(replace(FOR_US, key_info="")), *keys)
    assert tried == ["key-1.pem", "second", "third"]


# --- libxmlsec --------------------------------------------------------------------------------------------------------


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def by_xmlsec(algorithm: str, key_element: str, manager: xmlsec.KeysManager, kind: str = "Element") -> str:
    """PAYLOAD in an EncryptedData with an EncryptedKey inside, by libxmlsec."""
    template = etree.fromstring(
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Id="ED-1" Type="{XENC}{kind}">'
        f'<xenc:EncryptionMethod Algorithm="{DATA_METHODS[algorithm]}"/>{key_element}'
        "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"
    )
    context = xmlsec.EncryptionContext(manager)
    data_type = xmlsec.constants.KeyDataDes if algorithm == "tripledes-cbc" else xmlsec.constants.KeyDataAes
    context.key = xmlsec.Key.generate(data_type, 8 * key_length(algorithm), xmlsec.constants.KeyDataTypeSession)
    return etree.tostring(context.encrypt_binary(template, PAYLOAD.encode())).decode()


def wrapped_key(method: str, info: str) -> str:
    return key_info(
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}">{method}{info}'
        "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey>"
    )


def listed(data: str) -> bytes:
    return envelope(security(reference_list("ED-1")), data)


@pytest.mark.parametrize("algorithm", DATA_METHODS)
@pytest.mark.parametrize(
    "method",
    [
        key_method("rsa-oaep-mgf1p"),
        key_method("rsa-oaep-mgf1p", label=b"label"),
        key_method("rsa-oaep-mgf1p", "sha256"),
        key_method("rsa-oaep", "sha512", "sha1"),
        key_method("rsa-oaep", "sha256", "sha224"),
        key_method("rsa-oaep", "sha384", "sha512"),
        key_method("rsa-1_5"),
    ],
)
def test_libxmlsec_encrypts_and_we_open(algorithm: str, method: str) -> None:
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(pem(server().key), xmlsec.constants.KeyDataFormatPem))
    message = listed(by_xmlsec(algorithm, wrapped_key(method, ""), manager))
    assert opened(message).body_text() == PAYLOAD


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_libxmlsec_wraps_a_key_under_a_shared_one(bits: int) -> None:
    key = os.urandom(bits // 8)
    held = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataAes, key)
    held.name = "red"
    manager = xmlsec.KeysManager()
    manager.add_key(held)
    data = by_xmlsec("aes256-gcm", wrapped_key(key_method(f"kw-aes{bits}"), key_name("red")), manager)
    assert opened(listed(data), shared={"red": key}).body_text() == PAYLOAD


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_libxmlsec_agrees_on_a_key(curve: ec.EllipticCurve) -> None:
    us, them = ec_key(curve), ec_key(curve)
    manager = xmlsec.KeysManager()
    public = us.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for octets, name in ((pem(them), "them"), (public, "us")):
        key = xmlsec.Key.from_memory(octets, xmlsec.constants.KeyDataFormatPem)
        key.name = name
        manager.add_key(key)
    xenc11 = "http://www.w3.org/2009/xmlenc11#"
    agreement = key_info(
        f'<xenc:AgreementMethod Algorithm="{xenc11}ECDH-ES"><x:KeyDerivationMethod xmlns:x="{xenc11}" '
        f'Algorithm="{xenc11}ConcatKDF"><x:ConcatKDFParams AlgorithmID="0001" PartyUInfo="00c0ffee" PartyVInfo="">'
        f'<ds:DigestMethod Algorithm="{XENC}sha256"/></x:ConcatKDFParams></x:KeyDerivationMethod>'
        "<xenc:OriginatorKeyInfo><ds:KeyName>them</ds:KeyName></xenc:OriginatorKeyInfo>"
        "<xenc:RecipientKeyInfo><ds:KeyName>us</ds:KeyName></xenc:RecipientKeyInfo></xenc:AgreementMethod>"
    )
    data = by_xmlsec("aes256-gcm", wrapped_key(key_method("kw-aes192"), agreement), manager)
    # It names both keys; a message brings the originator's and leaves it to us to find our own.
    data = data.replace("<ds:KeyName>them</ds:KeyName>", ec_key_value(them.public_key()))
    data = data.replace("<xenc:RecipientKeyInfo><ds:KeyName>us</ds:KeyName></xenc:RecipientKeyInfo>", "")
    assert opened(listed(data), DecryptionKey("ec.pem", us)).body_text() == PAYLOAD


# --- Changes ----------------------------------------------------------------------------------------------------------


def refusal_of(message: bytes, **changes: Any) -> tuple[str, ...]:
    """All that a refusal says, here and outwardly."""
    with pytest.raises(Fault) as caught:
        opened(message, **changes)
    fault = caught.value
    return type(fault).__name__, fault.check, fault.expected, fault.seen, fault.setting, str(fault), str(fault.status)


BAD_DATA = refusal_of(encrypted(replace(FOR_US, cipher=bytes(60))))


@given(st.sampled_from(["aes128-gcm", "aes192-gcm", "aes256-gcm"]), st.data())
def test_any_octet_of_gcm_that_changes_is_bad_data(algorithm: str, data: st.DataObject) -> None:
    key = bytes(key_length(algorithm))
    cipher = bytearray(encrypt(algorithm, key, PAYLOAD.encode()))
    cipher[data.draw(st.integers(0, len(cipher) - 1))] ^= data.draw(st.integers(1, 255))
    assert check_of(lambda: decrypt(algorithm, key, bytes(cipher))) == "encryption.failed"


@given(algorithms, st.binary(max_size=80))
def test_octets_of_any_length_yield_octets_or_bad_data(algorithm: str, cipher: bytes) -> None:
    assert check_of(lambda: decrypt(algorithm, bytes(key_length(algorithm)), cipher)) in ("", "encryption.failed")


@given(algorithms, st.binary(max_size=40))
def test_a_key_of_any_length_yields_octets_or_bad_data(algorithm: str, key: bytes) -> None:
    cipher = encrypt(algorithm, bytes(key_length(algorithm)), b"<e/>")
    assert check_of(lambda: decrypt(algorithm, key, cipher)) in ("", "encryption.failed")


@given(st.binary(max_size=300))
def test_a_whole_message_with_any_cbc_data_is_opened_or_bad_data(cipher: bytes) -> None:
    shared = {"red": bytes(16)}
    data = Encryption(
        key=b"", session=b"-", algorithm="aes128-cbc", cipher=cipher, data_key_info=key_name("red")
    ).data_xml()
    assert check_of(lambda: opened(listed(data), shared=shared)) in ("", "encryption.failed")


@pytest.mark.parametrize("algorithm", ["aes128-gcm", "aes128-cbc"])
def test_a_longer_key_is_not_taken_where_it_would_fit_the_cipher(algorithm: str) -> None:
    cipher = encrypt(algorithm, bytes(32), b"<e/>")
    if algorithm == "aes128-gcm":
        with refused("encryption.failed"):
            decrypt(algorithm, bytes(32), cipher)
    else:
        # Under the random key in its place one padding in sixteen is right, and the text is noise.
        with suppress(Fault):
            assert decrypt(algorithm, bytes(32), cipher) != b"<e/>"


@pytest.mark.parametrize("last", [0, 17, 255])
def test_padding_of_another_length_than_a_block_is_bad_data(last: int) -> None:
    key = bytes(16)
    cipher = encrypt_blocks(AES(key), b"<e></e>" + bytes(8) + bytes([last]))
    with refused("encryption.failed"):
        decrypt("aes128-cbc", key, cipher)


@pytest.mark.parametrize("length", [0, 15, 16, 31, 33])
def test_cbc_data_without_whole_blocks_are_bad_data(length: int) -> None:
    with refused("encryption.failed"):
        decrypt("aes128-cbc", bytes(16), bytes(length))


def test_a_block_of_nothing_but_padding_is_empty() -> None:
    assert decrypt("aes128-cbc", bytes(16), encrypt_blocks(AES(bytes(16)), bytes(15) + b"\x10")) == b""


# --- No oracle --------------------------------------------------------------------------------------------------------

BLOCK = transport("rsa-1_5", server().key, bytes(16))

CAUSES = {
    "data that were changed": encrypted(replace(FOR_US, cipher=bytes(60))),
    "no data": encrypted(replace(FOR_US, cipher=b"")),
    "an OAEP block that was changed": encrypted(replace(FOR_US, key_cipher=bytes(255) + b"\1")),
    "an OAEP block of another length": encrypted(replace(FOR_US, key_cipher=bytes(100))),
    "no OAEP block": encrypted(replace(FOR_US, key_cipher=b"")),
    "a number beyond the modulus": encrypted(replace(FOR_US, key_cipher=b"\xff" * 256)),
    "a 1.5 block that was changed": encrypted(replace(FOR_US, method="rsa-1_5", key_cipher=bytes(255) + b"\1")),
    "a 1.5 block of another length": encrypted(replace(FOR_US, method="rsa-1_5", key_cipher=bytes(100))),
    "another key in a good 1.5 block": encrypted(replace(FOR_US, method="rsa-1_5", key_cipher=BLOCK)),
    "a key too short": encrypted(
        replace(FOR_US, key_cipher=transport("rsa-oaep-mgf1p", server().key, FOR_US.session[:8]))
    ),
    "a key too long": encrypted(
        replace(FOR_US, key_cipher=transport("rsa-oaep-mgf1p", server().key, FOR_US.session * 2))
    ),
    "an empty key": encrypted(replace(FOR_US, key_cipher=transport("rsa-oaep-mgf1p", server().key, b""))),
    "an empty key in a 1.5 block": encrypted(
        replace(FOR_US, method="rsa-1_5", key_cipher=transport("rsa-1_5", server().key, b""))
    ),
    "a wrapped key that was changed": encrypted(
        Encryption(key=SHARED["blue"], key_info=key_name("blue"), method="kw-aes128", key_cipher=bytes(24))
    ),
    "a wrapped key without whole blocks": encrypted(
        Encryption(key=SHARED["blue"], key_info=key_name("blue"), method="kw-aes128", key_cipher=bytes(7))
    ),
    "padding of CBC": encrypted(Encryption.for_(server(), algorithm="aes128-cbc", cipher=bytes(33))),
    "padding of 3DES": encrypted(Encryption.for_(server(), algorithm="tripledes-cbc", cipher=bytes(9))),
    "content that is not XML": encrypted(replace(FOR_US, plaintext=b"<")),
    "content that is not an element": encrypted(replace(FOR_US, kind="Element", plaintext=b"text")),
    "content that is too large": encrypted(replace(FOR_US, plaintext=b"<e/>" * 60_000)),
    "an Id that is there already": encrypted(replace(FOR_US, plaintext=b"<e Id='TS-1'/>")),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_every_failure_says_the_same(cause: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert refusal_of(CAUSES[cause]) == BAD_DATA
    assert capfd.readouterr() == ("", "")


def test_what_failed_says_nothing_of_the_plaintext() -> None:
    said = refusal_of(encrypted(replace(FOR_US, plaintext=b"<secretly></open>")))
    assert "secretly" not in str(said)


def test_our_derivation_of_an_agreed_key_is_that_of_the_standard() -> None:
    us, them = ec_key(), ec_key()
    agreement = Agreement(them.public_key(), None, "sha512", b"\x01\x02")
    expected = concat_kdf(us.exchange(ec.ECDH(), them.public_key()), 100, b"\x01\x02", "sha512")
    assert agreed_key(agreement, us, 100) == expected
    with pytest.raises(ValueError, match="shared key"):
        agreed_key(agreement, ec_key(ec.SECP384R1()), 16)
