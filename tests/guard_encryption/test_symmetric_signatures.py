"""Signatures under an EncryptedKey: anybody can make one, so they must be right, and say nobody's name."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.encrypting import WSS11, Encryption, b64, transport
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import (
    KNOWN_USER,
    NAMED,
    NOTHING,
    OPEN,
    Sealing,
    content_of,
    draft,
    for_server,
    opened,
    sealed,
    stranger,
)
from tests.messages import BASE64, Token, timestamp
from tests.signature.signatures import ALICE, SignedGuard
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign
from wsguard.verified import Principal

HMACS: Final[dict[str, Any]] = {"algorithms": {"signature": ["hmac-sha256", "ecdsa-sha256", "rsa-sha256"]}}
TO_KEY: Final = '<wsse:SecurityTokenReference><wsse:Reference URI="#EK-1"/></wsse:SecurityTokenReference>'
TO_DERIVED: Final = TO_KEY.replace("EK-1", "DK-1")


def by_digest(cipher: bytes) -> str:
    """EncryptedKeySHA1."""
    value = b64(hashlib.sha1(cipher).digest())
    return (
        f'<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{WSS11}#EncryptedKeySHA1" '
        f'EncodingType="{BASE64}">{value}</wsse:KeyIdentifier></wsse:SecurityTokenReference>'
    )


def hmac_signed(
    key: bytes | None = None,
    key_info: str = TO_KEY,
    derived: str = "",
    encryption: Encryption | None = None,
    user: str = "",
    more: Callable[[str], str] = lambda text: text,
    parts: tuple[Part, ...] = (BODY, TIMESTAMP),
) -> bytes:
    """Body and Timestamp signed under the session key of an EncryptedKey, then the Body encrypted under it."""
    encryption = (encryption or for_server()).fixed()
    signing = Signing(key=key or encryption.session, method="hmac-sha256", key_info=key_info, parts=parts)
    text = more(sign(draft("@EK-1@", derived, "@SIG-1@", timestamp(), user), signing).decode())
    return sealed(text, (content_of(text), encryption))


@pytest.fixture
def demanding(guarded: Sealing) -> SignedGuard:
    """Demands a signature, and takes HMACs."""
    return guarded(**HMACS)


@pytest.fixture
def asking(guarded: Sealing) -> SignedGuard:
    """Takes signatures and users, and demands neither."""
    return guarded(**HMACS, **OPEN)


def test_it_is_no_signature_where_one_is_demanded(demanding: SignedGuard) -> None:
    assert demanding.refusal(hmac_signed()) == "signature.coverage"


def test_it_grants_nothing_where_none_is_demanded(asking: SignedGuard) -> None:
    message = opened(asking, hmac_signed())
    assert (message.principal, message.client, message.signed_parts, message.certificate) == (None, "", NOTHING, None)
    assert message.encrypted_parts == {"Body"}
    assert "REMOTE_USER" not in asking.echo.handed[-1][0]


def test_nobody_is_named_as_who_made_it(guarded: Sealing) -> None:
    guard = guarded(**HMACS, **OPEN, audit={"url": "memory://", "record": "all"})
    answer = guard.post(hmac_signed())
    assert answer.record is not None
    [told] = [one for one in answer.record.explanation if (one["check"], one["outcome"]) == ("signature", "passed")]
    assert told["seen"] == "hmac-sha256 by a key that anybody could make over Body, Timestamp"


def test_the_user_beside_it_is_who_counts(guarded: Sealing) -> None:
    guard = guarded(**HMACS, **NAMED)
    message = opened(guard, hmac_signed(user=Token().xml()))
    assert (message.principal, message.signed_parts) == (Principal("alice", "username"), NOTHING)


@pytest.mark.parametrize("which", ["demanding", "asking"])
@pytest.mark.parametrize(
    ("octets", "check"),
    [
        pytest.param(hmac_signed(key=b"x" * 16), "signature.value", id="under another key"),
        pytest.param(hmac_signed(key=bytes(16)), "signature.value", id="under zeros"),
        pytest.param(
            hmac_signed(encryption=for_server(key_cipher=bytes(256), references=())),
            "signature.value",
            id="a key that nothing unwraps",
        ),
        pytest.param(
            hmac_signed(encryption=Encryption.for_(stranger())), "encryption.key", id="a key for somebody else"
        ),
        pytest.param(
            hmac_signed(more=lambda text: text.replace("hello", "evil!")), "signature.digest", id="another body"
        ),
        pytest.param(hmac_signed(key_info=TO_KEY.replace("EK-1", "TS-1")), "encryption.key", id="to no key"),
        pytest.param(hmac_signed(key_info=TO_KEY.replace("EK-1", "EK-9")), "certificate.unavailable", id="to nothing"),
        pytest.param(
            hmac_signed(derived_octets(b"x" * 16), TO_DERIVED, derived_token()), "signature.value", id="derived"
        ),
    ],
)
def test_one_that_is_wrong_is_refused(request: pytest.FixtureRequest, which: str, octets: bytes, check: str) -> None:
    guard: SignedGuard = request.getfixturevalue(which)
    assert guard.refusal(octets) == check


def test_a_certificate_signature_over_a_symmetric_one_counts(demanding: SignedGuard) -> None:
    """As WSS4J endorses."""
    encryption = for_server()
    inner = Signing(key=encryption.session, method="hmac-sha256", key_info=TO_KEY, id="SIG-2")
    text = draft("@EK-1@", binary_token(ALICE.certificate), "@SIG-2@", "@SIG-1@", timestamp())
    text = sign(text, inner, Signing.by(ALICE)).decode()
    message = opened(demanding, sealed(text, (content_of(text), encryption)))
    assert message.principal == Principal("CN=Alice", "certificate")


def test_a_derived_key_signs(asking: SignedGuard, demanding: SignedGuard) -> None:
    encryption = for_server()
    octets = hmac_signed(derived_octets(encryption.session), TO_DERIVED, derived_token(), encryption)
    assert opened(asking, octets).principal is None
    assert demanding.refusal(octets) == "signature.coverage"


def test_the_digest_of_the_key_names_it(asking: SignedGuard) -> None:
    first = for_server()
    cipher = transport(first.method, first.key, first.session)
    octets = hmac_signed(key_info=by_digest(cipher), encryption=replace(first, key_cipher=cipher))
    assert opened(asking, octets).principal is None
    assert asking.refusal(hmac_signed(key_info=by_digest(b"another"))) == "encryption.key"


def test_hmac_is_refused_where_it_is_not_listed(guard: SignedGuard) -> None:
    assert guard.refusal(hmac_signed()) == "signature.algorithm"


def test_a_derived_key_of_itself_is_refused(asking: SignedGuard) -> None:
    octets = hmac_signed(b"x" * 32, TO_DERIVED, derived_token(key_id="DK-1"))
    assert asking.refusal(octets) == "encryption.key"


def test_what_was_signed_as_the_ciphertext_of_a_text_is_not_looked_for_later(guarded: Sealing) -> None:
    """Its place is empty once it was opened."""
    guard = guarded(encryption={"use": "optional"}, **HMACS, **NAMED)
    encryption = for_server()
    signing = Signing(key=encryption.session, method="hmac-sha256", key_info=TO_KEY, parts=(Part("#ED-1"), TIMESTAMP))
    text = draft("@SIG-1@", "@EK-1@", timestamp(), KNOWN_USER)
    message = opened(guard, sign(sealed(text, ("hello", encryption)).decode(), signing))
    assert (message.client, message.username, message.signed_parts) == ("", "alice", NOTHING)


INSTANT: Final = Part("#C-1")
"""Inside of the Timestamp."""


def hmac_over(*parts: Part) -> bytes:
    """Signed under the session key of an EncryptedKey: these parts, of which some may be inside of others."""
    encryption = for_server().fixed()
    signing = Signing(key=encryption.session, method="hmac-sha256", key_info=TO_KEY, parts=parts)
    stamp_element = timestamp().replace("<wsu:Created>", '<wsu:Created wsu:Id="C-1">')
    text = sign(draft("@EK-1@", "@SIG-1@", stamp_element), signing).decode()
    return sealed(text, (content_of(text), encryption))


@pytest.mark.parametrize("parts", [(TIMESTAMP, INSTANT), (INSTANT, TIMESTAMP), (BODY, INSTANT, TIMESTAMP)])
def test_whom_nobody_knows_has_nothing_digested_twice(asking: SignedGuard, parts: tuple[Part, ...]) -> None:
    assert asking.refusal(hmac_over(*parts)) == "signature.reference"


@pytest.mark.parametrize("parts", [(BODY, TIMESTAMP), (BODY, INSTANT), (INSTANT,)])
def test_but_several_things_apart_from_each_other(asking: SignedGuard, parts: tuple[Part, ...]) -> None:
    assert opened(asking, hmac_over(*parts)).signed_parts == NOTHING
