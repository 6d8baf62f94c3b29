"""Derived keys, against OpenSSL; what WSS4J derived is in ``test_corpus.py`` beside this file."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.encrypting import Encryption, b64, reference_list, to_id
from tests.encryption.messages import SHARED, opened, server
from tests.message.refusing import refused
from tests.messages import PAYLOAD, WSSE, envelope, security
from wsguard.encryption.derivation import p_sha1

FOR_US = Encryption.for_(server(), references=()).fixed()
WSC = "http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512"
WSC_2005 = "http://schemas.xmlsoap.org/ws/2005/02/sc"
LABEL = b"WS-SecureConversationWS-SecureConversation"
NONCE = b"0123456789abcdef"
OPENSSL = (
    "5d55432bdfe9b93a813acc932adf0f297815d1c83166a983ea042d410665dfa19268d99774fd6f3f"
    "c5433f0465e765c49b8590d51e1e9988be2167fd"
)


def test_p_sha1_is_the_stream_that_openssl_makes() -> None:
    # openssl kdf -keylen 60 -kdfopt digest:SHA1 -kdfopt secret:secret -kdfopt seed:seed TLS1-PRF
    assert p_sha1(b"secret", b"seed", 0, 60).hex() == OPENSSL


@given(st.integers(0, 100), st.integers(1, 100))
def test_p_sha1_is_one_stream(offset: int, length: int) -> None:
    assert p_sha1(b"k", b"s", offset, length) == p_sha1(b"k", b"s", 0, 200)[offset : offset + length]


# --- wsc:DerivedKeyToken ----------------------------------------------------------------------------------------------


def derived(
    inner: str = "<c:Offset>0</c:Offset><c:Length>16</c:Length>",
    *,
    namespace: str = WSC,
    nonce: str | None = None,
    reference: str = '<wsse:Reference URI="#EK-1"/>',
    attributes: str = "",
) -> str:
    """A wsc:DerivedKeyToken."""
    nonce = f"<c:Nonce>{b64(NONCE)}</c:Nonce>" if nonce is None else nonce
    return (
        f'<c:DerivedKeyToken xmlns:c="{namespace}" xmlns:wsse="{WSSE}" Id="DK-1" {attributes}>'
        f"<wsse:SecurityTokenReference>{reference}</wsse:SecurityTokenReference>{inner}{nonce}</c:DerivedKeyToken>"
    )


def message(token: str, *, label: bytes = LABEL, offset: int = 0, secret: bytes = FOR_US.session) -> bytes:
    """A Body under a derived key of 16 octets."""
    session = p_sha1(secret, label + NONCE, offset, 16)
    data = replace(FOR_US, session=session, data_key_info=to_id("DK-1"))
    return envelope(security(FOR_US.key_xml(), token, reference_list("ED-1")), data.data_xml())


@pytest.mark.parametrize("namespace", [WSC, WSC_2005])
def test_data_under_a_derived_key(namespace: str) -> None:
    result = opened(message(derived(namespace=namespace)))
    assert result.body_text() == PAYLOAD
    secret = result.state.opened[0].secret
    assert (secret.key, secret.method, secret.shared) == ("key-1.pem", "rsa-oaep-mgf1p, derived", "")


def test_a_key_derived_from_a_shared_one_proves_who_has_it() -> None:
    token = derived(reference="<ds:KeyName xmlns:ds='http://www.w3.org/2000/09/xmldsig#'>green</ds:KeyName>")
    result = opened(message(token, secret=SHARED["green"]))
    assert result.state.opened[0].secret.shared == "green"


def test_offset_generation_label_and_algorithm() -> None:
    length = "<c:Length>16</c:Length>"
    assert opened(message(derived(f"<c:Offset>5</c:Offset>{length}"), offset=5)).body_text() == PAYLOAD
    assert opened(message(derived(f"<c:Generation>3</c:Generation>{length}"), offset=48)).body_text() == PAYLOAD
    assert opened(message(derived(f"{length}<c:Label>mine</c:Label>"), label=b"mine")).body_text() == PAYLOAD
    assert opened(message(derived(attributes=f'Algorithm="{WSC}/dk/p_sha1"'))).body_text() == PAYLOAD


@pytest.mark.parametrize("inner", ["", "<c:Length>24</c:Length>", "<c:Offset>1</c:Offset><c:Length>16</c:Length>"])
def test_another_derivation_is_bad_data(inner: str) -> None:
    with refused("encryption.failed"):
        opened(message(derived(inner)))


@pytest.mark.parametrize(
    "token",
    [
        derived("<c:Length>0</c:Length>"),
        derived("<c:Length>-1</c:Length>"),
        derived("<c:Length>1e3</c:Length>"),
        derived("<c:Length>9999999</c:Length>"),
        derived("<c:Length>5000</c:Length>"),
        derived("<c:Offset>4096</c:Offset>"),
        derived("<c:Generation>999999</c:Generation>"),
        derived("<c:Offset>0</c:Offset><c:Generation>0</c:Generation>"),
        derived("<c:Length>16</c:Length><c:Length>16</c:Length>"),
        derived("<c:Properties/>"),
        derived(f"<c:Label>{'l' * 2000}</c:Label>"),
        derived(nonce=""),
        derived(nonce="<c:Nonce/>"),
        derived(nonce="<c:Nonce>!</c:Nonce>"),
        derived(nonce=f"<c:Nonce>{b64(bytes(2000))}</c:Nonce>"),
        derived(attributes='Other="1"'),
    ],
)
def test_a_derived_key_of_another_shape_is_refused(token: str) -> None:
    with refused("encryption.malformed"):
        opened(message(token))


def test_another_way_to_derive_is_refused_by_name() -> None:
    with refused("encryption.algorithm"):
        opened(message(derived(attributes=f'Algorithm="{WSC}/dk/p_sha256"')))


def test_a_derived_key_is_not_derived_from_another_nor_from_itself() -> None:
    with refused("encryption.key"):
        opened(message(derived(reference='<wsse:Reference URI="#DK-1"/>')))


def test_a_derived_key_opens_what_a_key_lists() -> None:
    session = p_sha1(FOR_US.session, LABEL + NONCE, 0, 16)
    key = replace(FOR_US, references=("ED-1",))
    data = replace(FOR_US, session=session, data_key_info=to_id("DK-1"))
    octets = envelope(security(key.key_xml(), derived()), data.data_xml())
    assert opened(octets).body_text() == PAYLOAD
