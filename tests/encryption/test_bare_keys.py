"""A key of ours without certificate is meant by a reference that says only what can be worked out from the key."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509

from tests.pki import authority, ec_key
from wsguard.certificates import CertificateReference
from wsguard.encryption.keys import keys_for
from wsguard.interfaces import DecryptionKey

ISSUED = authority("Root").leaf("Server", key=ec_key())
OTHER = authority("Root").leaf("Server", key=ec_key())
BARE = DecryptionKey("keys.decrypt[0]", ISSUED.key)
PUBLIC = ISSUED.key.public_key()
IDENTIFIER = x509.SubjectKeyIdentifier.from_public_key(PUBLIC).digest
EMPTY = CertificateReference(form="X509Data")


def means(reference: CertificateReference | None) -> bool:
    return keys_for(reference, [BARE]) == (BARE,)


def test_without_any_reference_and_with_one_that_says_nothing_it_may_be_meant() -> None:
    assert means(None)
    assert means(EMPTY)


@pytest.mark.parametrize(
    "says",
    [{"key_identifier": IDENTIFIER}, {"presented": (ISSUED.certificate,)}],
    ids=["its identifier", "a certificate for it"],
)
def test_what_the_key_itself_tells_fits(says: dict[str, Any]) -> None:
    assert means(replace(EMPTY, **says))


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "CN=Root", "serial": 1},
        {"issuer": "CN=Root"},
        {"serial": 1},
        {"serial": 0},
        {"subject": "CN=Server"},
        {"thumbprint": b"t" * 20},
        {"key_identifier": b"another"},
        {"public_key": b"another"},
        {"presented": (OTHER.certificate,)},
        {"key_identifier": IDENTIFIER, "presented": (OTHER.certificate,)},
        {"key_identifier": b"another", "presented": (ISSUED.certificate,)},
    ],
    ids=lambda says: " and ".join(says),
)
def test_anything_else_does_not(says: dict[str, Any]) -> None:
    assert not means(replace(EMPTY, **says))


def test_with_a_certificate_the_key_is_meant_by_that_very_certificate() -> None:
    key = DecryptionKey("keys.decrypt[0]", ISSUED.key, ISSUED.certificate)
    assert keys_for(replace(EMPTY, presented=(ISSUED.certificate,)), [key]) == (key,)
    assert keys_for(replace(EMPTY, presented=(OTHER.certificate,)), [key]) == ()
    assert keys_for(EMPTY, [key]) == (key,)
