"""What must be encrypted is, altogether; what must not be is refused; what is encrypted is signed where it must be."""

from typing import Any, Final

import pytest

from tests.encrypting import reference_list
from tests.guard_encryption.sealing import (
    KNOWN_USER,
    NAMED,
    OPEN,
    Sealing,
    also,
    content_of,
    draft,
    element_of,
    encrypted_body,
    encrypted_then_signed,
    for_server,
    opened,
    sealed,
    signed_text,
    signed_then_encrypted,
)
from tests.messages import Token, timestamp
from tests.signature.signatures import ALICE, SignedGuard, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign

BLOCK: Final = '<h:To xmlns:h="urn:h">here</h:To>'
OTHER: Final = '<h:To xmlns:h="urn:h">there</h:To>'
USER: Final[dict[str, Any]] = {"signature": {"use": "optional"}, "username_token": {"use": "required"}}


def test_nothing_encrypted_is_refused(guard: SignedGuard) -> None:
    assert guard.refusal(honest().encode()) == "encryption.missing"


def test_nothing_encrypted_is_refused_whatever_else_there_is(opener: SignedGuard) -> None:
    assert opener.refusal(draft(for_server(references=()).key_xml(), timestamp()).encode()) == "encryption.missing"


def test_no_security_header_is_refused(opener: SignedGuard) -> None:
    text = draft(timestamp())
    header = text[text.index("<S:Header>") : text.index("<S:Body")]
    assert opener.refusal(text.replace(header, "").encode()) == "security.missing"


def test_an_encrypted_body_without_security_header_is_refused(opener: SignedGuard) -> None:
    text = draft(timestamp())
    header = text[text.index("<S:Header>") : text.index("<S:Body")]
    octets = sealed(text.replace(header, ""), (content_of(text), for_server()))
    assert opener.refusal(octets) == "encryption.malformed"


@pytest.mark.parametrize("kind", ["Content", "Element"])
def test_an_inner_element_is_not_the_body(opener: SignedGuard, kind: str) -> None:
    text = draft("@EK-1@", timestamp())
    target = "hello" if kind == "Content" else "<e:text>hello</e:text>"
    assert opener.refusal(sealed(text, (target, for_server(kind=kind)))) == "encryption.coverage"


def test_an_inner_element_may_be_encrypted_beside_what_must_be(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"}, **NAMED)
    text = draft("@EK-1@", timestamp(), KNOWN_USER)
    assert opened(guard, sealed(text, ("<e:text>hello</e:text>", for_server(kind="Element")))).encrypted_parts == set()


@pytest.mark.parametrize("part", ["Body", "UsernameToken", "Signature", "{urn:h}To"])
def test_each_part_must_be_encrypted(guarded: Sealing, part: str) -> None:
    guard = guarded(encryption={"required_parts": [part]}, username_token={"use": "required"})
    user = Token().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    signing = Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#UT-1")))
    text = signed_text(signing, user, header=BLOCK)
    find = {
        "Body": (content_of(text), "Content"),
        "UsernameToken": (element_of(text, "wsse:UsernameToken"), "Element"),
        "Signature": (element_of(text, "ds:Signature"), "Element"),
        "{urn:h}To": (BLOCK, "Element"),
    }
    for other, (target, kind) in find.items():
        if other != part:
            assert guard.refusal(sealed(text, (target, for_server(kind=kind)))) == "encryption.coverage", other
    target, kind = find[part]
    assert guard.accepted(sealed(text, (target, for_server(kind=kind)))).encrypted_parts == {part}


def test_a_part_that_is_not_there_is_not_encrypted(guarded: Sealing) -> None:
    guard = guarded(encryption={"required_parts": ["Body", "{urn:h}To"]}, **OPEN)
    assert guard.refusal(encrypted_body()) == "encryption.coverage"


@pytest.mark.parametrize("both", [True, False])
def test_each_of_two_header_blocks_must_be_encrypted(guarded: Sealing, both: bool) -> None:
    guard = guarded(encryption={"required_parts": ["{urn:h}To"]}, **NAMED)
    first = for_server(kind="Element", references=("ED-1", "ED-2") if both else None)
    text = draft("@EK-1@", timestamp(), KNOWN_USER, header=BLOCK + OTHER)
    targets = [(BLOCK, first), (OTHER, also(first, "ED-2"))]
    octets = sealed(text, *(targets if both else targets[:1]))
    if both:
        assert guard.accepted(octets).encrypted_parts == {"{urn:h}To"}
    else:
        assert guard.refusal(octets) == "encryption.coverage"


def test_of_two_signatures_both_must_be_encrypted(guarded: Sealing) -> None:
    guard = guarded(encryption={"required_parts": ["Signature"]})
    second = Signing.by(ALICE, id="SIG-2", parts=(TIMESTAMP,))
    token = binary_token(ALICE.certificate)
    text = sign(draft("@EK-1@", token, "@SIG-1@", "@SIG-2@", timestamp()), Signing.by(ALICE), second).decode()
    one = text[text.index('<ds:Signature Id="SIG-1"') : text.index('<ds:Signature Id="SIG-2"')]
    assert guard.refusal(sealed(text, (one, for_server(kind="Element")))) == "encryption.coverage"


def test_half_of_the_token_is_not_the_token(guarded: Sealing) -> None:
    guard = guarded(encryption={"required_parts": ["UsernameToken"]}, **USER)
    text = draft("@EK-1@", timestamp(), Token().xml())
    password = element_of(text, "wsse:Password")
    assert guard.refusal(sealed(text, (password, for_server(kind="Element")))) == "encryption.coverage"


# --- Forbidden --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(encrypted_body(), id="the Body"),
        pytest.param(sealed((t := draft("@EK-1@", timestamp())), ("hello", for_server())), id="an inner element"),
        pytest.param(draft(for_server(references=()).key_xml(), timestamp()).encode(), id="a key alone"),
        pytest.param(draft(reference_list("x"), timestamp()).encode(), id="a list alone"),
    ],
)
def test_encryption_is_refused_where_it_is_forbidden(guarded: Sealing, octets: bytes) -> None:
    assert guarded(encryption={"use": "forbidden"}, **OPEN).refusal(octets) == "encryption.forbidden"


def test_where_nobody_takes_encryption_nothing_is_opened(guarded: Sealing) -> None:
    octets = encrypted_body(for_server(key_cipher=bytes(16)))
    assert guarded(encryption={"use": "forbidden"}, **OPEN).refusal(octets) == "encryption.forbidden"
    services = {"Secret": {"operations": ["{urn:secret}*"], "encryption": {"use": "optional"}}}
    guard = guarded(encryption={"use": "forbidden"}, services=services, **OPEN)
    assert guard.refusal(octets) == "encryption.failed", "it may be for the one that does"


def test_encryption_is_refused_where_the_service_forbids_it(guarded: Sealing) -> None:
    services = {"Plain": {"operations": ["{urn:echo}*"], "encryption": {"use": "forbidden"}}}
    assert guarded(services=services, **OPEN).refusal(encrypted_body()) == "encryption.forbidden"


def test_a_service_may_demand_what_the_top_forbids(guarded: Sealing) -> None:
    services = {"Secret": {"operations": ["{urn:echo}*"], "encryption": {"use": "required"}}}
    opened(guarded(encryption={"use": "forbidden"}, services=services, **OPEN), encrypted_body())


# --- Signed where it must be ------------------------------------------------------------------------------------------


@pytest.fixture
def strict(guarded: Sealing) -> SignedGuard:
    """Demands that everything encrypted is signed."""
    return guarded(encryption={"require_signed_encrypted_data": True})


@pytest.mark.parametrize("make", [signed_then_encrypted, encrypted_then_signed])
def test_what_is_encrypted_and_signed_is_taken(strict: SignedGuard, make: Any) -> None:
    opened(strict, make())


def test_a_block_that_is_encrypted_and_not_signed_is_refused(strict: SignedGuard) -> None:
    first = for_server(references=("ED-1", "ED-2"))
    text = signed_text(header=BLOCK)
    octets = sealed(text, (content_of(text), first), (BLOCK, also(first, "ED-2", kind="Element")))
    assert strict.refusal(octets) == "signature.coverage"


def test_it_is_demanded_where_nothing_must_be_signed(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional", "require_signed_encrypted_data": True}, **OPEN)
    assert guard.refusal(encrypted_body()) == "signature.coverage"
    opened(guard, signed_then_encrypted())
    guard.accepted(draft(timestamp()).encode())


def test_a_signature_that_does_not_count_covers_nothing_encrypted(guarded: Sealing) -> None:
    guard = guarded(encryption={"require_signed_encrypted_data": True}, **OPEN)
    octets = signed_then_encrypted(signing=Signing.by(ALICE, parts=(BODY,)))
    assert guard.refusal(octets) == "signature.coverage"


# --- Somebody else's ciphertext ---------------------------------------------------------------------------------------

SECRET: Final = '<e:Echo xmlns:e="urn:echo"><e:text>account 4711</e:text></e:Echo>'
EXEMPT: Final[dict[str, Any]] = {"exempt": [{"operations": ["{urn:lead}*"]}]}


def around_captured(kind: str) -> bytes:
    """A message by nobody, with what he saw of another's: its EncryptedKey and EncryptedData."""
    seen = for_server(id="ED-V", key_id="EK-V", kind="Element", plaintext=SECRET.encode())
    lead = f'<l:lead xmlns:l="urn:lead">{"" if "header" in kind else seen.data_xml()}</l:lead>'
    header = seen.data_xml() if "header" in kind else ""
    text = draft("@EK-1@", seen.key_xml(), timestamp(), body=lead, header=header)
    if "clear" in kind:
        return text.replace("@EK-1@", "").encode()
    return sealed(text, (content_of(text), for_server()))


KINDS: Final = (
    "inside of what he encrypted",
    "in a header block, beside what he encrypted",
    "in the clear, in a header",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", [EXEMPT, OPEN], ids=["exempt", "unauthenticated"])
def test_nobody_has_opened_what_is_not_his(guarded: Sealing, policy: dict[str, Any], kind: str) -> None:
    guard = guarded(encryption={"use": "optional"}, **policy)
    answer = guard.post(around_captured(kind))
    if policy is EXEMPT and "clear" in kind:
        # Nothing was opened: an exempt operation that can be seen is handed on as it came.
        assert (answer.status, b"4711" in guard.handed) == ("200 OK", False)
    else:
        assert (answer.check, guard.echo.handed) == ("encryption.coverage", [])


def test_what_nobody_has_opened_in_the_clear_body_of_an_open_service_is_refused(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"}, **OPEN)
    seen = for_server(id="ED-V", key_id="EK-V", kind="Element", plaintext=SECRET.encode())
    octets = draft(seen.key_xml(), timestamp(), body=f'<l:lead xmlns:l="urn:lead">{seen.data_xml()}</l:lead>').encode()
    assert guard.refusal(octets) == "encryption.coverage"


@pytest.mark.parametrize("kind", ["Content", "Element"])
def test_an_exempt_message_may_be_encrypted_as_a_whole(guarded: Sealing, kind: str) -> None:
    guard = guarded(encryption={"use": "optional"}, **EXEMPT)
    text = draft("@EK-1@", timestamp(), header=BLOCK, body='<l:lead xmlns:l="urn:lead">me</l:lead>')
    first = for_server(kind=kind, references=("ED-1", "ED-2"))
    octets = sealed(text, (content_of(text), first), (BLOCK, also(first, "ED-2", kind="Element")))
    answer = guard.post(octets)
    assert (answer.status, b">me<" in guard.handed) == ("200 OK", True)
