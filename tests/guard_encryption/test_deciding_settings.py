"""A refusal for what a message lacks, or has and must not have, names the setting that decided, or none."""

from datetime import date
from typing import Any, Final

import pytest

from tests.encrypting import to_id
from tests.guard_encryption.sealing import (
    KNOWN_USER,
    NAMED,
    OPEN,
    Sealing,
    also,
    content_of,
    draft,
    encrypted_body,
    for_server,
    sealed,
    signed_then_encrypted,
)
from tests.messages import Token, envelope, security, timestamp
from tests.signature.signatures import ALICE, BOB, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, signed

OPTIONAL: Final[dict[str, Any]] = {"encryption": {"use": "optional"}}
BOTH: Final[dict[str, Any]] = {**OPTIONAL, "username_token": {"use": "required"}}
BLOCK: Final = '<h:To xmlns:h="urn:h" wsu:Id="H">here</h:To>'


TWO: Final = [{"name": "B", "certificate": BOB}, {"name": "A", "certificate": ALICE, "services": ["X"]}]


def forbidding(family: str) -> dict[str, Any]:
    """Takes everything else, and demands a UsernameToken or a signature."""
    return {**OPTIONAL, **({} if family == "username_token" else NAMED), family: {"use": "forbidden"}}


def hidden_text(algorithm: str) -> bytes:
    """A text in the Body, encrypted and then signed."""
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp())
    return sign(sealed(text, ("hello", for_server(algorithm=algorithm))).decode(), Signing.by(ALICE))


def with_block() -> bytes:
    """A Body and a header block under keys of their own, by nobody."""
    text = draft("@EK-1@", "@EK-2@", timestamp(), header=BLOCK)
    other = for_server(id="ED-2", key_id="EK-2", kind="Element")
    return sealed(text, (content_of(text), for_server()), (BLOCK, other))


def only_block() -> bytes:
    """A header block that is encrypted, and a Body that is not, by nobody."""
    return sealed(draft("@EK-1@", timestamp(), header=BLOCK), (BLOCK, for_server(kind="Element")))


def block_not_signed() -> bytes:
    first = for_server(references=("ED-1", "ED-2"))
    text = sign(
        draft("@EK-1@", binary_token(ALICE.certificate), "@SIG-1@", timestamp(), header=BLOCK), Signing.by(ALICE)
    ).decode()
    return sealed(text, (content_of(text), first), (BLOCK, also(first, "ED-2", kind="Element")))


def aside() -> bytes:
    """A signed block that was put where nobody looks."""
    text = signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#H"))), header=BLOCK).decode()
    return text.replace(BLOCK, f'<w:W xmlns:w="urn:w">{BLOCK}</w:W>').encode()


REFUSED: Final[dict[str, tuple[dict[str, Any], bytes, str, str]]] = {
    "no Security header": (OPTIONAL, envelope(None), "security.missing", ""),
    "an unknown token": (OPTIONAL, envelope(security("<x/>")), "security.unknown_token", ""),
    "text": (OPTIONAL, envelope(security("text")), "security.unknown_token", ""),
    "two Timestamps": (
        OPTIONAL, draft(timestamp(), timestamp().replace("TS-1", "TS-2")).encode(), "timestamp.malformed", ""
    ),
    "two tokens": (OPTIONAL, draft(Token().xml(), Token().xml(), timestamp()).encode(), "username_token.malformed", ""),
    "no Timestamp": (NAMED, draft(KNOWN_USER).encode(), "timestamp.missing", "timestamp.use"),
    "no token": (NAMED, encrypted_body(), "username_token.missing", "username_token.use"),
    "no signature": (OPTIONAL, draft(timestamp()).encode(), "signature.missing", "signature.use"),
    "nothing encrypted": ({}, honest().encode(), "encryption.missing", "encryption.use"),
    "a forbidden Timestamp": (
        {**forbidding("timestamp"), "signature": {"use": "optional", "required_parts": ["Body"]}},
        *(draft(timestamp(), KNOWN_USER).encode(), "timestamp.forbidden", "timestamp.use"),
    ),
    "a forbidden token": (
        forbidding("username_token"),
        *(signed(Signing.by(ALICE), token=Token()), "username_token.forbidden", "username_token.use"),
    ),
    "a forbidden signature": (forbidding("signature"), honest().encode(), "signature.forbidden", "signature.use"),
    "a forbidden certificate": (
        forbidding("signature"),
        *(draft(binary_token(ALICE.certificate)).encode(), "signature.forbidden", "signature.use"),
    ),
    "a forbidden key": (forbidding("encryption"), encrypted_body(), "encryption.forbidden", "encryption.use"),
    "a Body that is not signed": (
        OPTIONAL, signed(Signing.by(ALICE, parts=(TIMESTAMP,))), "signature.coverage", "signature.required_parts"
    ),
    "a user beside the signer": (BOTH, signed(Signing.by(ALICE), token=Token()), "signature.coverage", "client"),
    "a signed block aside": (OPTIONAL, aside(), "signature.coverage", ""),
    "a Body that is not encrypted": (OPEN, only_block(), "encryption.coverage", "encryption.required_parts"),
    "several keys of nobody": (OPEN, with_block(), "encryption.coverage", ""),
    "a block of nobody": ({**OPTIONAL, **OPEN}, only_block(), "encryption.coverage", ""),
    "something encrypted and not signed": (
        {"encryption": {"require_signed_encrypted_data": True}},
        *(block_not_signed(), "signature.coverage", "encryption.require_signed_encrypted_data"),
    ),
    "a text that was signed as ciphertext of CBC": (
        {**OPTIONAL, "algorithms": {"encryption": ["aes128-cbc"]}},
        *(hidden_text("aes128-cbc"), "signature.coverage", "algorithms.encryption"),
    ),
    "a block that nothing opens": (
        OPEN,
        with_block().replace(to_id("EK-2").encode(), b"").replace(b'URI="#ED-2"', b'URI="#ED-9"'),
        *("encryption.malformed", ""),
    ),
    "somebody else": (
        {**OPTIONAL, "client": [{"name": "B", "certificate": BOB}]}, honest().encode(), "client.mismatch", "client"
    ),
    "another service": (
        {**OPTIONAL, "client": TWO, "services": {"X": {"operations": ["{urn:x}*"]}}},
        *(honest().encode(), "client.operation", "client[1].services"),
    ),
}  # fmt: skip
"""Name -> what the guard demands, the message, the check that refuses and the setting."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_the_setting_that_decided(guarded: Sealing, name: str) -> None:
    policy, octets, check, setting = REFUSED[name]
    answer = guarded(**policy).post(octets)
    assert answer.record is not None
    last = answer.record.explanation[-1]
    assert (last["check"], last["outcome"], last["setting"]) == (check, "refused", setting)


def test_what_a_client_in_report_mode_is_spared_names_the_setting_too(guarded: Sealing) -> None:
    client = {"name": "alice", "certificate": ALICE, "mode": "report", "report_until": date(2026, 12, 24)}
    answer = guarded(client=[client], timestamp={"use": "required"}).post(
        signed_then_encrypted(signing=Signing.by(ALICE, parts=(BODY,)))
    )
    assert answer.record is not None
    told = [(one["check"], one["setting"]) for one in answer.record.explanation if one["outcome"] == "reported"]
    assert told == [("signature.coverage", "signature.required_parts")]
