"""Every shape in which honest stacks send encrypted messages is opened, and the application sees what was sent."""

from dataclasses import replace
from typing import Any, Final

import pytest

from tests.encrypting import (
    WSSE11,
    Encryption,
    key_info,
    reference_list,
    to_id,
)
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import (
    BODY_PART,
    ECHO,
    KNOWN_USER,
    NAMED,
    OPEN,
    Sealing,
    also,
    body_of,
    content_of,
    data_only,
    draft,
    element_of,
    encrypted_body,
    for_server,
    new_server,
    opened,
    sealed,
    server,
    signed_then_encrypted,
)
from tests.messages import SOAP12, Token, timestamp
from tests.signature.signatures import SignedGuard

BLOCK: Final = '<h:To xmlns:h="urn:h">here</h:To>'


# --- Where the key stands ---------------------------------------------------------------------------------------------


def test_an_encrypted_key_after_the_data_is_found(opener: SignedGuard) -> None:
    text = draft(timestamp(), "@EK-1@")
    opened(opener, sealed(text, (content_of(text), for_server())))


def test_a_reference_list_beside_the_key_is_followed(opener: SignedGuard) -> None:
    for order in (("@EK-1@", reference_list("ED-1")), (reference_list("ED-1"), "@EK-1@")):
        text = draft(*order, timestamp())
        opened(opener, sealed(text, (content_of(text), for_server(references=()))))


def test_data_that_nothing_lists_say_their_key_themselves(opener: SignedGuard) -> None:
    opened(opener, encrypted_body(for_server(references=())))


def test_data_without_key_info_are_opened_by_the_key_that_lists_them(opener: SignedGuard) -> None:
    opened(opener, encrypted_body(for_server(data_key_info="")))


def embedded(reference: str, id: str = "EK-1") -> bytes:
    """The key in the data's KeyInfo, and what stands in the header."""
    encryption = for_server(key_id=id, references=())
    text = draft(reference, timestamp())
    return data_only(text, replace(encryption, data_key_info=key_info(encryption.key_xml())))


@pytest.mark.parametrize("reference", [reference_list("ED-1"), ""], ids=["listed", "not listed"])
def test_a_key_inside_of_the_data_is_taken(opener: SignedGuard, reference: str) -> None:
    opened(opener, embedded(reference))


def test_the_same_key_twice_with_one_id_is_taken_as_wss4j_sends_it(opener: SignedGuard) -> None:
    encryption = for_server()
    inside = replace(encryption, references=(), data_key_info=key_info(replace(encryption, references=()).key_xml()))
    opened(opener, data_only(draft(encryption.key_xml(), timestamp()), inside))


# --- What is encrypted ------------------------------------------------------------------------------------------------


def test_the_body_itself_is_taken(opener: SignedGuard) -> None:
    text = draft("@EK-1@", timestamp())
    message = opened(opener, sealed(text, (body_of(text), for_server(kind="Element"))))
    assert (message.operation, message.encrypted_parts) == (ECHO, BODY_PART)


@pytest.mark.parametrize("kind", ["Element", "Content", None])
def test_all_that_is_in_the_body_counts_as_the_body(opener: SignedGuard, kind: str | None) -> None:
    assert opened(opener, encrypted_body(for_server(kind=kind))).encrypted_parts == {"Body"}


def test_a_username_token_is_opened_and_authenticated(guarded: Sealing) -> None:
    guard = guarded(
        encryption={"required_parts": ["UsernameToken"]},
        signature={"use": "optional"},
        username_token={"use": "required"},
    )
    text = draft("@EK-1@", timestamp(), Token().xml())
    target = element_of(text, "wsse:UsernameToken")
    message = guard.accepted(sealed(text, (target, for_server(kind="Element"))))
    assert (message.username, message.encrypted_parts) == ("alice", frozenset({"UsernameToken"}))


def wrapper(data: str, attributes: str = "") -> str:
    return f'<wsse11:EncryptedHeader xmlns:wsse11="{WSSE11}" {attributes}>{data}</wsse11:EncryptedHeader>'


@pytest.mark.parametrize(
    "around",
    [lambda data: data, wrapper, lambda data: wrapper(data, 'wsu:Id="EH-1" S:mustUnderstand="1"')],
    ids=["bare", "wrapped", "wrapped, with attributes"],
)
def test_a_header_block_is_opened(guarded: Sealing, around: Any) -> None:
    guard = guarded(encryption={"required_parts": ["{urn:h}To"]}, **NAMED)
    encryption = for_server(kind="Element")
    text = draft("@EK-1@", timestamp(), KNOWN_USER, header=around(BLOCK))
    message = guard.accepted(sealed(text, (BLOCK, encryption)))
    assert message.encrypted_parts == {"{urn:h}To"}
    assert BLOCK.encode() in guard.handed
    assert b"EncryptedHeader" not in guard.handed


def test_a_reference_may_name_the_wrapper_of_a_header_block(guarded: Sealing) -> None:
    guard = guarded(encryption={"required_parts": ["{urn:h}To"]}, **NAMED)
    text = draft("@EK-1@", timestamp(), KNOWN_USER, header=wrapper(BLOCK, 'wsu:Id="EH-1"'))
    encryption = for_server(kind="Element", references=("EH-1",))
    assert guard.accepted(sealed(text, (BLOCK, encryption))).encrypted_parts == {"{urn:h}To"}


def test_several_parts_under_one_key_are_opened(guarded: Sealing) -> None:
    guard = guarded(encryption={"required_parts": ["Body", "{urn:h}To"]}, **OPEN)
    first = for_server(references=("ED-1", "ED-2"))
    text = draft("@EK-1@", timestamp(), header=BLOCK)
    octets = sealed(text, (content_of(text), first), (BLOCK, also(first, "ED-2", kind="Element")))
    assert guard.accepted(octets).encrypted_parts == {"Body", "{urn:h}To"}


def test_parts_under_keys_of_their_own_are_opened(guarded: Sealing) -> None:
    guard = guarded(
        keys={"decrypt": [server(), new_server()]}, encryption={"required_parts": ["Body", "{urn:h}To"]}, **NAMED
    )
    other = Encryption.for_(new_server(), kind="Element", id="ED-2", key_id="EK-2").fixed()
    text = draft("@EK-2@", "@EK-1@", timestamp(), KNOWN_USER, header=BLOCK)
    octets = sealed(text, (content_of(text), for_server()), (BLOCK, other))
    assert guard.accepted(octets).encrypted_parts == {"Body", "{urn:h}To"}


def test_what_was_encrypted_twice_is_opened_twice(guarded: Sealing) -> None:
    inner, outer = for_server(), for_server(id="ED-2", key_id="EK-2", kind="Element")
    text = draft("@EK-2@", "@EK-1@", timestamp(), KNOWN_USER)
    once = sealed(text, (content_of(text), inner)).decode()
    opened(guarded(**NAMED), sealed(once, (content_of(once), outer)))


def test_one_key_may_list_what_is_inside_of_what_it_lists(opener: SignedGuard) -> None:
    inner = for_server(references=("ED-1", "ED-2"))
    text = draft("@EK-1@", timestamp())
    once = sealed(text, (content_of(text), inner)).decode()
    opened(opener, sealed(once, (content_of(once), also(inner, "ED-2", kind="Element"))))


def test_soap_1_2_is_taken(guard: SignedGuard) -> None:
    octets = signed_then_encrypted(soap=SOAP12)
    message = opened(guard, octets, CONTENT_TYPE="application/soap+xml; charset=utf-8")
    assert message.soap_version == "1.2"


@pytest.mark.parametrize("algorithm", ["aes128-gcm", "aes192-gcm", "aes256-gcm"])
@pytest.mark.parametrize("method", ["rsa-oaep-mgf1p", "rsa-oaep"])
def test_the_default_algorithms_are_taken(opener: SignedGuard, algorithm: str, method: str) -> None:
    mask = {"digest": "sha256", "mask": "sha256"} if method == "rsa-oaep" else {}
    opened(opener, encrypted_body(for_server(algorithm=algorithm, method=method, **mask)))


def test_white_space_and_comments_around_the_data_change_nothing(opener: SignedGuard) -> None:
    text = draft("\n  @EK-1@\n  ", timestamp(), "\n")
    content = content_of(text)
    octets = sealed(text.replace(content, f"\n  <!-- c -->{content}\n"), (content, for_server()))
    opened(opener, octets)


def test_a_prefix_that_is_declared_outside_is_bound_inside(opener: SignedGuard) -> None:
    body = "<e:Echo><e:text>hello</e:text></e:Echo>"
    octets = encrypted_body(body=body, envelope_attributes='xmlns:e="urn:echo"')
    assert opener.accepted(octets).operation == "{urn:echo}Echo"


def test_a_key_that_is_derived_from_the_encrypted_key_opens(opener: SignedGuard) -> None:
    key = for_server(references=())
    data = replace(key, session=derived_octets(key.session, 16), data_key_info=to_id("DK-1"))
    text = draft(key.key_xml(), derived_token(length=16), reference_list("ED-1"), timestamp())
    opened(opener, data_only(text, data))
