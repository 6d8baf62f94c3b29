"""F: an attacker without any password who wants honest messages refused, and one who guesses passwords."""

import base64
from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import nonce, user, with_token
from tests.messages import Token, envelope, security, stamp, timestamp
from tests.signature.signatures import honest, rewritten

GUESSING: Final = Chapter("F", "token")
POISONING: Final = Chapter("legal", "token")

ELSEWHERE: Final = {"REMOTE_ADDR": "198.51.100.66"}
"""Where the attacker sits."""
MANY: Final = 10
"""Wrong passwords after which nothing is looked at any more: ``username_token.max_failures``."""


def wrong(**changes: str) -> Sent:
    """A guess that must be refused."""
    return Sent(octets=with_token(user(password="wrong", **changes)), refused=True)


# --- Guessing ---------------------------------------------------------------------------------------------------------


@GUESSING.refused("username_token.authentication", source="password guessing, CWE-307", elsewhere=False)
def the_right_password_is_guessed_after_too_many_wrong_ones() -> Built:
    return *(wrong() for _ in range(MANY)), with_token(user())


@GUESSING.refused("username_token.authentication", source="password guessing, CWE-307", elsewhere=False)
def the_name_changes_its_spelling_from_guess_to_guess() -> Built:
    """None of these is Alice, so none of them may be told from her either."""
    return *(wrong(username="alice" + " " * count) for count in range(MANY)), with_token(user(username="ALICE"))


# --- Poisoning: the honest message that follows must be accepted ------------------------------------------------------


def again(token: Token, **changes: str) -> Token:
    """Another token with the same nonce and Created."""
    return user(nonce=token.nonce, created=token.created, **changes)


POISONS: Final[dict[str, Callable[[Token], bytes]]] = {
    "a wrong password": lambda token: with_token(again(token, password="wrong")),
    "no such user": lambda token: with_token(again(token, username="nobody")),
    "another user and a wrong password": lambda token: with_token(again(token, username="bob")),
    "a password as text": lambda token: with_token(again(token, kind="PasswordText")),
    "another spelling of the nonce": lambda token: with_token(
        Token(
            password="wrong",
            created=token.created,
            parts={"Nonce": nonce(base64.b64encode(token.nonce).decode() + "\n")},
        )
    ),
    "an old Created": lambda token: with_token(user(nonce=token.nonce, created=stamp(-400))),
    "a Created ahead": lambda token: with_token(user(nonce=token.nonce, created=stamp(400))),
    "an old Timestamp": lambda token: envelope(security(timestamp(stamp(-400)), token.xml())),
    "no Timestamp": lambda token: envelope(security(token.xml())),
    "two operations": lambda token: with_token(token, body='<e:a xmlns:e="urn:e"/><e:b xmlns:e="urn:e"/>'),
    "an operation without namespace": lambda token: with_token(token, body="<Echo/>"),
    "a second token": lambda token: with_token(token, user(username="bob", password="hunter2")),
    "something unknown beside it": lambda token: with_token(token, '<x:x xmlns:x="urn:x"/>'),
    "its end cut off": lambda token: with_token(token)[:-5],
    "a document type": lambda token: b"<!DOCTYPE a>" + with_token(token),
}  # fmt: skip


@POISONING.each_accepted(POISONS, source="replay store poisoning")
def an_honest_token_is_taken_after_somebody_sent_its_nonce_with(poison: Callable[[Token], bytes]) -> Built:
    token = user()
    return Sent(octets=poison(token), refused=True), with_token(token)


@POISONING.accepted(source="replay store poisoning")
def an_honest_token_is_taken_after_its_message_was_sent_to_a_place_that_refuses_it() -> Built:
    octets = with_token(user())
    return Sent(octets=octets, environ={"CONTENT_TYPE": "text/plain"}, refused=True), octets


@POISONING.accepted(source="replay store poisoning")
def an_honest_token_is_taken_after_another_user_used_the_same_nonce() -> Built:
    token = user()
    return with_token(again(token, username="bob", password="hunter2")), with_token(token)


@POISONING.accepted(source="account lockout, CWE-645", elsewhere=False)
def an_honest_user_is_let_in_while_somebody_elsewhere_guesses_the_password() -> Built:
    guesses = (Sent(octets=wrong().octets, environ=ELSEWHERE, refused=True) for _ in range(2 * MANY))
    return *guesses, with_token(user())


@POISONING.accepted(source="account lockout, CWE-645")
def an_honest_user_is_let_in_after_a_few_mistakes() -> Built:
    return *(wrong() for _ in range(3)), with_token(user())


@POISONING.accepted(source="account lockout, CWE-645", elsewhere=False)
def an_honest_user_is_let_in_while_another_ones_password_is_guessed_from_the_same_place() -> Built:
    return *(wrong(username="bob") for _ in range(2 * MANY)), with_token(user())


@POISONING.accepted(site="signed", source="replay store poisoning")
def an_honest_signature_is_taken_after_its_message_was_sent_with_a_wrong_value() -> Built:
    octets = honest().encode()
    return Sent(octets=rewritten(octets, lambda value: value[::-1]), refused=True), octets


@POISONING.accepted(site="signed", source="replay store poisoning")
def an_honest_signature_is_taken_after_its_message_was_sent_with_another_body() -> Built:
    octets = honest().encode()
    return Sent(octets=octets.replace(b"hello", b"evil!"), refused=True), octets


EVERY: Final = (*GUESSING,)
LEGAL: Final = (*POISONING,)
