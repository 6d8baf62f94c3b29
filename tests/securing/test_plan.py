"""Plans that nobody can carry out are refused when they are made."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.pki import ec_key
from tests.securing.receiving import ALICE, CREDENTIALS, ELLEN, ROOT, SERVER, plan, signing
from wsguard.securing import Securing, SigningKey, UsernameCredentials

FOR_SERVER: dict[str, Any] = {"encrypt_for": SERVER.certificate}
SALTED = UsernameCredentials("alice", "secret", "DerivedKey")
BY_PASSWORD: dict[str, Any] = {"username": SALTED, "sign": None}
NOTHING: dict[str, Any] = {"timestamp": None, "sign": None}


@pytest.mark.parametrize(
    "changes, reason",
    [
        (NOTHING, "secures nothing"),
        ({"timestamp": timedelta(0)}, "longer than no time"),
        ({"actor": "urn:\0"}, "XML cannot carry"),
        ({"timestamp": None}, "signed_parts names Timestamp"),
        ({"signed_parts": ()}, "at least one part"),
        ({"signed_parts": ("Body", "Body")}, "each once"),
        ({"signed_parts": ("Boddy",)}, "'Boddy' is not one of Body"),
        ({"signed_parts": ("Signature",)}, "'Signature' is not one of"),
        ({"signed_parts": ("UsernameToken",)}, "signed_parts names UsernameToken"),
        ({"signed_parts": ("BinarySecurityToken",), "key_identifier": "Thumbprint"}, "names BinarySecurityToken"),
        ({"signature_algorithm": "rsa-md5"}, "'rsa-md5' is not one of"),
        ({"signature_algorithm": "hmac-sha256"}, "not for the key"),
        ({"signature_algorithm": "ecdsa-sha256"}, "not for the key"),
        ({"signature_algorithm": "rsa-sha256", "sign": signing(ELLEN)}, "not for the key"),
        ({"digest": "md5"}, "digest: 'md5'"),
        ({"canonicalization": "c15n"}, "canonicalization: 'c15n'"),
        ({"key_identifier": "KeyValue"}, "key_identifier: 'KeyValue'"),
        ({"send_chain": True, "key_identifier": "IssuerSerial"}, "send_chain needs"),
        ({"send_chain": True, "sign": replace(signing(ALICE), chain=())}, "send_chain needs a chain"),
        ({**FOR_SERVER, "encrypted_parts": ("Timestamp",)}, "'Timestamp' is not one of Body"),
        ({**FOR_SERVER, "encrypted_parts": ("UsernameToken",)}, "encrypted_parts names UsernameToken"),
        ({**FOR_SERVER, "encrypted_parts": ("Signature",), "sign": None}, "names Signature"),
        ({**FOR_SERVER, "encrypted_parts": ("Signature",), "sign_before_encrypting": False}, "names Signature"),
        ({**FOR_SERVER, "encryption": "aes256-ecb"}, "encryption: 'aes256-ecb'"),
        ({**FOR_SERVER, "key_transport": "ecdh-es"}, "key_transport: 'ecdh-es'"),
        ({**FOR_SERVER, "encryption_key_identifier": ""}, "encryption_key_identifier"),
        ({"encrypt_for": ELLEN.certificate}, "an RSA key"),
        ({**FOR_SERVER, "encrypted_parts": ("{urn:x}y z",)}, "is not one of"),
        ({"username": SALTED}, "either it or sign"),
        ({**BY_PASSWORD, "signature_algorithm": "rsa-sha256"}, "not for a password"),
        ({**BY_PASSWORD, "signature_algorithm": "hmac-md5"}, "'hmac-md5' is not one of"),
        ({**BY_PASSWORD, "signed_parts": ("BinarySecurityToken",)}, "no certificate signs"),
        ({**BY_PASSWORD, "signed_parts": ("Boddy",)}, "'Boddy' is not one of Body"),
        ({**BY_PASSWORD, "timestamp": None}, "signed_parts names Timestamp"),
        ({**BY_PASSWORD, "digest": "md5"}, "digest: 'md5'"),
        ({**BY_PASSWORD, **FOR_SERVER, "sign_before_encrypting": False}, "signs before"),
    ],
)
def test_an_impossible_plan_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        plan(**changes)


@pytest.mark.parametrize("setting", ["signed_parts", "encrypted_parts"])
def test_the_security_header_itself_is_no_part(setting: str) -> None:
    for name in ("Security", "UsernameToken"):
        tag = f"{{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}}{name}"
        made = {"encrypt_for": SERVER.certificate, setting: (tag,)}
        if name == "Security":
            with pytest.raises(ValueError, match="is not one of"):
                plan(**made)
        else:
            plan(**made)


@pytest.mark.parametrize(
    "one", [{"timestamp": timedelta(1)}, {"username": CREDENTIALS}, {"signature_confirmations": ()}]
)
def test_one_thing_is_enough(one: dict[str, Any]) -> None:
    assert plan(**{**NOTHING, **one}).signature_method == ""


def test_a_certificate_of_another_key_is_refused() -> None:
    with pytest.raises(ValueError, match="not that of the private key"):
        SigningKey(ALICE.key, SERVER.certificate)


def test_a_curve_without_a_method_is_refused() -> None:
    odd = ROOT.leaf("odd", key=ec_key(ec.SECP256K1()))
    with pytest.raises(ValueError, match="secp256k1 are not supported"):
        SigningKey(odd.key, odd.certificate)


def test_a_certificate_whose_key_cannot_be_read_is_refused() -> None:
    octets = ELLEN.der.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030109"))
    with pytest.raises(ValueError, match="cannot be read"):
        Securing(encrypt_for=x509.load_der_x509_certificate(octets))


@pytest.mark.parametrize(
    "given, reason",
    [
        (("", "secret"), "at least one character"),
        (("a\0", "secret"), "XML cannot carry"),
        (("alice", "\ud800"), "XML cannot carry"),
        (("alice", "secret", "PasswordHash"), "password_type"),
    ],
)
def test_odd_credentials_are_refused(given: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        UsernameCredentials(*given)


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(plan(username=CREDENTIALS))
    assert "private" not in repr(signing(ALICE)).lower()
