"""What was decrypted stays in its place, and whatever it adds there is held against every rule."""

from typing import Final

import pytest

from tests.encrypting import WSSE11
from tests.guard_encryption.sealing import (
    OPEN,
    Sealing,
    body_of,
    body_with,
    content_of,
    draft,
    for_server,
    sealed,
)
from tests.messages import PAYLOAD, WSSE, WSU, Token, timestamp
from tests.signature.signatures import SignedGuard

SECOND: Final = (
    f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{timestamp().replace("TS-1", "TS-2")}</wsse:Security>'
)
STAMP: Final = timestamp().replace("TS-1", "TS-2")


@pytest.mark.parametrize(
    ("header", "security", "target", "check"),
    [
        pytest.param(SECOND, "", SECOND, "security.duplicate", id="a second Security header"),
        pytest.param("", STAMP, STAMP, "timestamp.malformed", id="a second Timestamp"),
        pytest.param("", "<x/>", "<x/>", "security.unknown_token", id="an unknown token"),
        pytest.param("", SECOND, SECOND, "security.unknown_token", id="a Security header in the Security header"),
        pytest.param(
            "", (user := Token(nonce=b"x" * 16).xml()), user, "username_token.malformed", id="a second UsernameToken"
        ),
        pytest.param(
            f"<S:Body>{PAYLOAD}</S:Body>", "", f"<S:Body>{PAYLOAD}</S:Body>", "", id="a Body as a header block"
        ),
    ],
)
@pytest.mark.parametrize("itself", [True, False], ids=["opened by itself", "listed"])
def test_plaintext_in_the_header_is_held_against_everything(
    guarded: Sealing, header: str, security: str, target: str, check: str, itself: bool
) -> None:
    guard = guarded(encryption={"use": "optional"}, **OPEN)
    references = () if itself and not header else None
    text = draft("@EK-1@", timestamp(), Token().xml(), security, header=header)
    octets = sealed(text, (target, for_server(kind="Element", references=references)))
    if check:
        assert guard.refusal(octets) == check
    else:
        assert guard.accepted(octets).operation == "{urn:echo}Echo"


def test_encrypted_content_of_the_security_header_is_refused(opener: SignedGuard) -> None:
    text = draft("@EK-1@", timestamp())
    assert opener.refusal(sealed(text, (timestamp(), for_server()))) == "encryption.malformed"


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(f"</S:Body><S:Body>{PAYLOAD}", id="a second Body"),
        pytest.param(f"{PAYLOAD}</S:Body></S:Envelope><!--", id="the end of the message"),
        pytest.param(f"{PAYLOAD}<!--", id="a comment that does not end"),
        pytest.param(f"{PAYLOAD}<![CDATA[", id="a section that does not end"),
        pytest.param(f'<?xml version="1.0"?>{PAYLOAD}', id="a declaration"),
        pytest.param(f"<!DOCTYPE e>{PAYLOAD}", id="a document type"),
        pytest.param(f"<?pi?>{PAYLOAD}", id="a processing instruction"),
        pytest.param(PAYLOAD.replace("hello", "&e;"), id="an entity"),
        pytest.param("\ufeff" + PAYLOAD, id="a byte order mark"),
        pytest.param(PAYLOAD.replace("hello", "\0"), id="a null"),
    ],
)
def test_plaintext_stays_in_its_place(opener: SignedGuard, plaintext: str) -> None:
    assert opener.refusal(body_with(plaintext)) == "encryption.failed"


def test_what_takes_the_place_of_the_body_is_a_body(opener: SignedGuard) -> None:
    text = draft("@EK-1@", timestamp())
    for other in (PAYLOAD, SECOND, f"<S:Header>{PAYLOAD}</S:Header>", f'<Body xmlns="urn:x">{PAYLOAD}</Body>'):
        body = body_of(text)
        octets = sealed(text.replace(body, other), (other, for_server(kind="Element")))
        assert opener.refusal(octets) == "envelope.structure"


# --- What nothing opens -----------------------------------------------------------------------------------------------


BLOCK: Final = '<h:To xmlns:h="urn:h">here</h:To>'


@pytest.mark.parametrize(
    "header", [BLOCK, f'<w:EncryptedHeader xmlns:w="{WSSE11}">{BLOCK}</w:EncryptedHeader>'], ids=["bare", "wrapped"]
)
def test_a_header_block_that_nothing_opens_is_refused(opener: SignedGuard, header: str) -> None:
    text = draft("@EK-1@", timestamp(), header=header)
    lost = for_server(id="ED-9", key_id="EK-9", kind="Element", data_key_info="")
    octets = sealed(text, (content_of(text), for_server()), (BLOCK, lost))
    assert opener.refusal(octets) == "encryption.malformed"


@pytest.mark.parametrize("kind", ["Content", "Element"])
def test_a_body_that_nothing_opens_is_refused(opener: SignedGuard, kind: str) -> None:
    text = draft(timestamp())
    target = content_of(text) if kind == "Content" else body_of(text)
    assert opener.refusal(sealed(text, (target, for_server(kind=kind, data_key_info="")))) == "encryption.key"
