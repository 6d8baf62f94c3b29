"""Signed and then encrypted, encrypted and then signed, and signatures that only decryption brings to light."""

from typing import Any, Final

import pytest

from tests.encrypting import reference_list
from tests.guard_encryption.sealing import (
    BODY_PART,
    Sealing,
    also,
    body_of,
    content_of,
    draft,
    element_of,
    encrypted_then_signed,
    for_server,
    opened,
    sealed,
    signed_text,
    signed_then_encrypted,
)
from tests.messages import timestamp
from tests.signature.signatures import ALICE, BOB, BOTH, STRANGER, SignedGuard, bent
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign

SIGNATURE: Final = "ds:Signature"


@pytest.mark.parametrize("make", [signed_then_encrypted, encrypted_then_signed])
@pytest.mark.parametrize("kind", ["Content", "Element"])
def test_both_orders_are_taken(guard: SignedGuard, make: Any, kind: str) -> None:
    message = opened(guard, make(for_server(kind=kind)))
    assert (message.signed_parts, message.encrypted_parts) == (BOTH, BODY_PART)
    assert message.principal is not None
    assert message.principal.name == "CN=Alice"


def test_a_body_that_was_signed_and_encrypted_itself_is_taken(guard: SignedGuard) -> None:
    text = signed_text()
    message = opened(guard, sealed(text, (body_of(text), for_server(kind="Element"))))
    assert (message.signed_parts, message.encrypted_parts) == (BOTH, BODY_PART)


def test_a_signature_over_the_data_in_place_of_the_body_covers_the_body(guard: SignedGuard) -> None:
    signing = Signing.by(ALICE, parts=(Part("#ED-1"), TIMESTAMP))
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp())
    octets = sign(sealed(text, (body_of(text), for_server(kind="Element"))).decode(), signing)
    assert opened(guard, octets).signed_parts == BOTH


def test_a_signature_over_the_encrypted_content_covers_nothing(guard: SignedGuard) -> None:
    signing = Signing.by(ALICE, parts=(Part("#ED-1"), TIMESTAMP))
    assert guard.refusal(encrypted_then_signed(signing=signing)) == "signature.coverage"


def test_a_signature_over_the_encrypted_text_of_an_element_covers_nothing(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"})
    signing = Signing.by(ALICE, parts=(Part("#ED-1"), TIMESTAMP))
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp())
    octets = sign(sealed(text, ("hello", for_server())).decode(), signing)
    assert guard.refusal(octets) == "signature.coverage"


# --- The wrong order --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "check"),
    [
        pytest.param(
            sealed(
                (
                    text := sign(
                        draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp()), Signing.by(ALICE)
                    ).decode()
                ),
                (content_of(text), for_server()),
            ),
            "signature.digest",
            id="signed first, and the key last",
        ),
        pytest.param(
            sign(
                sealed(
                    (text := draft("@EK-1@", binary_token(ALICE.certificate), "@SIG-1@", timestamp())),
                    (content_of(text), for_server()),
                ).decode(),
                Signing.by(ALICE),
            ),
            "signature.digest",
            id="encrypted first, and the key first",
        ),
    ],
)
def test_the_order_of_the_header_is_the_order_of_work(guard: SignedGuard, octets: bytes, check: str) -> None:
    assert guard.refusal(octets) == check


@pytest.mark.parametrize("make", [signed_then_encrypted, encrypted_then_signed])
def test_a_stranger_may_encrypt_but_not_sign(guard: SignedGuard, make: Any) -> None:
    assert guard.refusal(make(signing=Signing.by(STRANGER))) == "certificate.untrusted"


# --- An encrypted signature -------------------------------------------------------------------------------------------


def with_hidden_signature(text: str, key_first: bool) -> bytes:
    """The Signature and the content of the Body under one key."""
    first = for_server(references=("ED-1", "ED-2"))
    signature = element_of(text, SIGNATURE)
    octets = sealed(text, (content_of(text), first), (signature, also(first, "ED-2", kind="Element"))).decode()
    if key_first:
        return octets.encode()
    key = element_of(octets, "xenc:EncryptedKey")
    return octets.replace(key, "").replace("</wsse:Security>", f"{key}</wsse:Security>").encode()


@pytest.mark.parametrize("key_first", [True, False], ids=["revealed later", "revealed earlier"])
def test_an_encrypted_signature_is_verified(guarded: Sealing, key_first: bool) -> None:
    guard = guarded(encryption={"required_parts": ["Body", "Signature"]})
    message = opened(guard, with_hidden_signature(signed_text(), key_first))
    assert (message.signed_parts, message.encrypted_parts) == (BOTH, BODY_PART | {"Signature"})


@pytest.mark.parametrize("key_first", [True, False], ids=["revealed later", "revealed earlier"])
@pytest.mark.parametrize("use", ["required", "optional"])
@pytest.mark.parametrize(
    ("text", "check"),
    [
        pytest.param(bent(signed_text(), ("hello", "evil!")).decode(), "signature.digest", id="another body"),
        pytest.param(signed_text(Signing.by(STRANGER)), "certificate.untrusted", id="a stranger's"),
        pytest.param(signed_text(Signing.by(ALICE, key=BOB.key)), "signature.value", id="another key"),
        pytest.param(signed_text(Signing.by(ALICE, value="AAAA")), "signature.value", id="no value"),
    ],
)
def test_an_encrypted_signature_is_never_skipped(
    guarded: Sealing, use: str, key_first: bool, text: str, check: str
) -> None:
    guard = guarded(signature={"use": use}, unsafe_unauthenticated=use == "optional")
    assert guard.refusal(with_hidden_signature(text, key_first)) == check


def test_an_encrypted_signature_that_names_its_key_itself_is_verified(guarded: Sealing) -> None:
    guard = guarded(encryption={"required_parts": ["Signature"]})
    text = signed_text()
    bad = bent(text, ("hello", "evil!")).decode()
    for one, check in ((text, ""), (bad, "signature.digest")):
        hidden = for_server(kind="Element", references=())
        octets = sealed(one, (element_of(one, SIGNATURE), hidden))
        assert guard.post(octets).check == check


def test_a_key_that_was_encrypted_opens_what_it_lists(guard: SignedGuard) -> None:
    inner, outer = for_server(), for_server(id="ED-2", key_id="EK-2", kind="Element")
    text = signed_text().replace("@EK-1@", "@EK-2@@EK-1@")
    once = sealed(text, (content_of(text), inner)).decode()
    opened(guard, sealed(once, (element_of(once, "xenc:EncryptedKey"), outer)))


def test_two_signatures_around_one_encryption_are_both_verified(guard: SignedGuard) -> None:
    inner = Signing.by(ALICE)
    outer = Signing.by(BOB, id="SIG-2", parts=(BODY,), key_info=inner.key_info.replace("X509-1", "X509-2"))
    tokens = binary_token(ALICE.certificate), binary_token(BOB.certificate, id="X509-2")
    text = sign(draft(*tokens, "@SIG-2@", "@EK-1@", "@SIG-1@", timestamp()), inner).decode()
    octets = sealed(text, (content_of(text), for_server())).decode()
    message = opened(guard, sign(octets, outer))
    assert message.principal is not None
    assert message.principal.name == "CN=Alice", "Bob's covers the Body alone"
    bad = sign(octets, Signing.by(BOB, id="SIG-2", parts=(Part("#body", value="AAAA"),), key_info=outer.key_info))
    assert guard.refusal(bad) in ("signature.digest", "signature.malformed")


def test_a_reference_list_after_the_signature_is_work_after_it(guard: SignedGuard) -> None:
    text = draft(binary_token(ALICE.certificate), "@EK-1@", "@SIG-1@", reference_list("ED-1"), timestamp())
    octets = sealed(text, (content_of(text), for_server(references=())))
    assert opened(guard, sign(octets.decode(), Signing.by(ALICE))).signed_parts == BOTH
