"""A reference fits a certificate where everything that it gives does."""

import hashlib
from typing import Any

import pytest
from cryptography import x509

from tests.pki import authority, name, rsa_key
from wsguard.certificates import CertificateReference, fits

ROOT = authority(name("root", country_name="US"))
SERIAL = (1 << 159) - 1
LEAF = ROOT.leaf(name("leaf", organization_name="Example"), key=rsa_key(), serial=SERIAL)
SKI = x509.SubjectKeyIdentifier.from_public_key(LEAF.key.public_key()).digest

RIGHT: dict[str, Any] = {
    "issuer": "CN=ROOT, C=US",
    "serial": SERIAL,
    "subject": "O=Example,CN=leaf",
    "key_identifier": SKI,
    "thumbprint": hashlib.sha1(LEAF.der).digest(),
    "public_key": LEAF.public_key,
}
WRONG: dict[str, Any] = {
    "issuer": "CN=root,C=UK",
    "serial": SERIAL - 1,
    "subject": "CN=leaf",
    "key_identifier": SKI[:-1],
    "thumbprint": hashlib.sha256(LEAF.der).digest(),
    "public_key": ROOT.public_key,
}


def test_a_reference_fits_by_everything_at_once_and_by_each_alone() -> None:
    assert fits(CertificateReference(form="", **RIGHT), LEAF.certificate)
    assert fits(CertificateReference(form=""), LEAF.certificate)
    for key, value in RIGHT.items():
        assert fits(CertificateReference(form="", **{key: value}), LEAF.certificate), key


@pytest.mark.parametrize("key", list(WRONG))
def test_one_thing_that_does_not_fit_is_enough(key: str) -> None:
    assert not fits(CertificateReference(form="", **{**RIGHT, key: WRONG[key]}), LEAF.certificate)


@pytest.mark.parametrize("serial", [0, -1, 1 << 160, SERIAL + (1 << 160)])
def test_a_serial_is_compared_exactly(serial: int) -> None:
    assert not fits(CertificateReference(form="", serial=serial), LEAF.certificate)


def test_a_certificate_without_key_identifier_has_that_of_its_key() -> None:
    bare = ROOT.leaf(key=rsa_key(), ski=False)
    assert fits(CertificateReference(form="", key_identifier=SKI), bare.certificate)


def test_a_certificate_with_a_key_identifier_has_no_other() -> None:
    odd = ROOT.leaf(key=rsa_key(), ski=b"\x01\x02")
    assert fits(CertificateReference(form="", key_identifier=b"\x01\x02"), odd.certificate)
    assert not fits(CertificateReference(form="", key_identifier=SKI), odd.certificate)
