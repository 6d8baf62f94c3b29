"""A UsernameToken beside ciphertext: the password is looked at once, whether the message opens or not.

A slow hash takes longer than all the rest of a message. Were it spent on what opens only, everybody could tell.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.guard_encryption.sealing import (
    NAMED,
    OPEN,
    Sealing,
    body_with,
    draft,
    encrypted_body,
    for_server,
    sealed,
)
from tests.messages import PAYLOAD, Token, stamp, timestamp
from tests.signature.signatures import SignedGuard
from wsguard.stores.users_memory import MemoryUserStore

HERE, THERE = "192.0.2.7", "192.0.2.8"
WRONG: Final = Token(password="guessed").xml()
OTHER_KEY: Final = bytes(16)


def closed(*more: str) -> bytes:
    """A message that our key does not open."""
    return encrypted_body(for_server(key_cipher=OTHER_KEY), *more)


def partly_closed(token: str) -> bytes:
    """A Body in the clear, and something in it that our key does not open."""
    return sealed(draft("@EK-1@", token, timestamp()), ("hello", for_server(key_cipher=OTHER_KEY)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that a user table is asked for."""
    names: list[str] = []
    find = MemoryUserStore.find

    def noting(self: MemoryUserStore, name: str) -> Any:
        names.append(name)
        return find(self, name)

    monkeypatch.setattr(MemoryUserStore, "find", noting)
    return names


@pytest.fixture
def named(guarded: Sealing) -> SignedGuard:
    """Demands a UsernameToken and an encrypted Body, and looks at two wrong passwords."""
    return guarded(**{**NAMED, "username_token": {"use": "required", "max_failures": 2}})


MESSAGES: Final[dict[str, tuple[str, Callable[[str], bytes]]]] = {
    "it opens": ("", lambda token: encrypted_body(None, token)),
    "it does not open": ("encryption.failed", closed),
    "what comes out is no XML": ("encryption.failed", lambda token: _saying("<", token)),
    "what comes out is two operations": ("envelope.structure", lambda token: _saying(PAYLOAD * 2, token)),
    "what comes out is for nobody": ("operation.unknown", lambda token: _saying("<Echo/>", token)),
    "its Timestamp is old": (
        "timestamp.expired",
        lambda token: encrypted_body(None, token).replace(timestamp().encode(), timestamp(stamp(-999)).encode()),
    ),
}


def _saying(plaintext: str, token: str) -> bytes:
    return body_with(plaintext).replace(b"</wsse:Security>", f"{token}</wsse:Security>".encode())


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("password", ["secret", "guessed"])
def test_the_user_is_looked_up_once_whatever_is_wrong_with_the_message(
    named: SignedGuard, asked: list[str], name: str, password: str
) -> None:
    check, make = MESSAGES[name]
    answer = named.post(make(Token(password=password).xml()))
    assert answer.check == (check or ("" if password == "secret" else "username_token.authentication"))
    assert asked == ["alice"]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_wrong_password_is_counted_whatever_is_wrong_with_the_message(named: SignedGuard, name: str) -> None:
    check, make = MESSAGES[name]
    for nonce in (b"one", b"two"):
        sent = make(Token(password="guessed", nonce=nonce).xml())
        assert named.refusal(sent) == (check or "username_token.authentication")
    right = encrypted_body(None, Token().xml())
    assert named.refusal(right) == "username_token.authentication", "it was not looked at"
    assert named.post(right, REMOTE_ADDR=THERE).status == "200 OK", "counted for the address that sent them"


def test_no_more_passwords_are_looked_at_than_the_service_looks_at(guarded: Sealing, asked: list[str]) -> None:
    guard = guarded(**{**NAMED, "username_token": {"use": "required", "max_failures": 1}})
    for _ in range(3):
        assert guard.refusal(closed(WRONG)) == "encryption.failed"
    assert asked == ["alice"]


def test_a_message_that_nothing_was_opened_of_asks_for_nobody(named: SignedGuard, asked: list[str]) -> None:
    assert named.refusal(draft(WRONG, timestamp()).encode()) == "username_token.authentication"
    assert named.refusal(encrypted_body(for_server(algorithm="urn:none", cipher=b"", session=OTHER_KEY), WRONG)) == (
        "encryption.algorithm"
    )
    assert asked == ["alice"], "in the first"


def test_a_message_without_token_asks_for_nobody(named: SignedGuard, asked: list[str]) -> None:
    assert named.refusal(closed()) == "encryption.failed"
    assert named.refusal(encrypted_body()) == "username_token.missing"
    assert asked == []


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(Token(created=stamp(-999)).xml(), id="an old one"),
        pytest.param(Token(parts={"Nonce": ""}).xml(), id="one without Nonce"),
        pytest.param(Token(kind="PasswordText").xml(), id="one of a type that is not taken"),
    ],
)
def test_a_token_that_cannot_be_read_changes_no_answer(named: SignedGuard, asked: list[str], token: str) -> None:
    assert named.refusal(closed(token)) == "encryption.failed"
    assert asked == []


@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
def test_a_password_that_one_service_takes_is_looked_at_where_none_can_be_seen(
    guarded: Sealing, asked: list[str], kind: str
) -> None:
    """The top takes digests alone."""
    both = {"use": "required", "password_types": ["PasswordDigest", "PasswordText"]}
    guard = guarded(services={"Echo": {"operations": ["{urn:echo}*"], "username_token": both}}, **NAMED)
    token = Token(kind=kind, password="guessed").xml()
    assert guard.refusal(encrypted_body(None, token)) == "username_token.authentication"
    assert guard.refusal(closed(token)) == "encryption.failed"
    assert asked == ["alice", "alice"]


def test_a_password_is_not_looked_at_for_another_service_than_the_one_that_can_be_seen(
    guarded: Sealing, asked: list[str]
) -> None:
    text_too = {"use": "required", "password_types": ["PasswordText"]}
    services = {
        "Echo": {"operations": ["{urn:echo}*"], "username_token": {"use": "required"}},
        "Text": {"operations": ["{urn:text}*"], "username_token": text_too},
    }
    guard = guarded(services=services, encryption={"use": "optional"}, **OPEN)
    token = Token(kind="PasswordText").xml()
    assert guard.refusal(partly_closed(token)) == "encryption.failed"
    assert asked == []


def test_a_token_is_held_against_what_is_demanded_where_the_service_can_be_seen(guarded: Sealing) -> None:
    services = {"Echo": {"operations": ["{urn:echo}*"], "username_token": {"use": "required", "max_failures": 1}}}
    guard = guarded(services=services, encryption={"use": "optional"}, **OPEN)
    assert guard.refusal(partly_closed(WRONG)) == "encryption.failed"
    assert guard.refusal(draft(Token().xml(), timestamp()).encode()) == "username_token.authentication"
