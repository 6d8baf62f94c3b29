"""Which key opens a message: every way to name it, and shared keys, agreed keys and those of a rotation."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.encrypting import (
    KEY_INFOS,
    KEY_METHODS,
    Agreement,
    Encryption,
    key_info,
    key_name,
    reference_list,
)
from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    content_of,
    data_only,
    draft,
    encrypted_body,
    for_server,
    new_server,
    opened,
    sealed,
    server,
)
from tests.messages import timestamp
from tests.pki import ec_key
from tests.signature.signatures import ROOT, SignedGuard
from tests.signing import binary_token


@pytest.mark.parametrize("form", KEY_INFOS)
def test_every_way_to_name_our_certificate_is_understood(opener: SignedGuard, form: str) -> None:
    token = binary_token(server().certificate) if form == "DirectReference" else ""
    assert opened(opener, encrypted_body(for_server(form), token)).encrypted_parts == {"Body"}


def test_a_token_after_the_key_that_names_it_is_found(opener: SignedGuard) -> None:
    text = draft("@EK-1@", timestamp(), binary_token(server().certificate))
    opened(opener, sealed(text, (content_of(text), for_server("DirectReference"))))


@pytest.mark.parametrize("form", ["IssuerSerial", "none"])
def test_the_old_and_the_new_key_open_during_a_rotation(guarded: Sealing, form: str) -> None:
    guard = guarded(keys={"decrypt": [new_server(), server()]}, **OPEN)
    for one in (server(), new_server()):
        opened(guard, encrypted_body(Encryption.for_(one, form).fixed()))


def test_an_agreed_key_opens_data_and_keys(guarded: Sealing) -> None:
    curve = ROOT.leaf("Curve", key=ec_key(), usage=("key_agreement",))
    guard = guarded(keys={"decrypt": [curve]}, algorithms={"key_transport": ["kw-aes256", "ecdh-es"]}, **OPEN)
    assert isinstance(curve.key, ec.EllipticCurvePrivateKey)
    agreement = Agreement(curve.key.public_key(), ec_key())
    wrapped = Encryption(key=agreement.key(32), method="kw-aes256", key_info=key_info(agreement.xml())).fixed()
    opened(guard, encrypted_body(wrapped))


@pytest.fixture
def sharing(guarded: Sealing, monkeypatch: pytest.MonkeyPatch) -> SignedGuard:
    """A guard with two shared keys, ``blue`` of 16 octets and ``green`` of 32."""
    monkeypatch.setenv("BLUE", "MDEyMzQ1Njc4OWFiY2RlZg==")
    monkeypatch.setenv("GREEN", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    shared = [{"name": "blue", "key_env": "BLUE"}, {"name": "green", "key_env": "GREEN"}]
    wraps = [name for name in KEY_METHODS if name.startswith("kw-")]
    return guarded(keys={"decrypt": [], "shared": shared}, algorithms={"key_transport": wraps}, **OPEN)


def test_a_shared_key_wraps_the_key(sharing: SignedGuard) -> None:
    wrapped = Encryption(key=b"0123456789abcdef" * 2, method="kw-aes256", key_info=key_name("green"))
    opened(sharing, encrypted_body(wrapped.fixed()))


def test_a_shared_key_encrypts_the_data(sharing: SignedGuard) -> None:
    plain = Encryption(key=b"", session=b"0123456789abcdef", data_key_info=key_name("blue"))
    text = draft(reference_list("ED-1"), timestamp())
    opened(sharing, data_only(text, plain))


def test_a_shared_key_of_another_length_is_refused_by_name(sharing: SignedGuard) -> None:
    plain = Encryption(key=b"", session=b"0123456789abcdef", data_key_info=key_name("green"))
    assert sharing.refusal(data_only(draft(reference_list("ED-1"), timestamp()), plain)) == "encryption.key"
