"""Attacks with UsernameTokens: who is nobody, who may no longer, and what was seen before under another spelling."""

import base64
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final

from lxml.etree import _Element

from wsguard.names import CREATED, NONCE, PASSWORD, USERNAME
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.letters import Change
from wsguard.proving.users import Person
from wsguard.securing.draft import Draft
from wsguard.securing.tokens import date_time
from wsguard.tokens.username import password_digest

_BEYOND: Final = timedelta(seconds=1)
_MOST_GUESSES: Final = 20
"""Wrong passwords that are sent to see whether they are counted."""
_DIGEST: Final = "PasswordDigest"
_TEXT: Final = "PasswordText"
_AUTHENTICATION: Final = ("username_token.authentication",)


def _token(draft: Draft) -> _Element:
    return draft.parts("UsernameToken")[0]


def _child(token: _Element, tag: str) -> _Element:
    found = token.find(tag)
    if found is None:
        raise ValueError(f"the token has no {tag}")
    return found


def _without(tag: str) -> Change:
    def change(draft: Draft) -> None:
        token = _token(draft)
        token.remove(_child(token, tag))

    return change


def _untyped(draft: Draft) -> None:
    del _child(_token(draft), PASSWORD).attrib["Type"]


def _twice(draft: Draft) -> None:
    another = deepcopy(_token(draft))
    another.attrib.clear()
    draft.security.append(another)


def _nobody(case: Case) -> Iterator[Attack]:
    yield Attack("of a user who does not exist", _AUTHENTICATION, case.sent(person=Person.make()))


def _wrong_password(case: Case) -> Iterator[Attack]:
    wrong = Person(case.honest.sender.person.name, Person.make().password)
    yield Attack("with a wrong password", _AUTHENTICATION, case.sent(person=wrong))


def _disabled(case: Case) -> Iterator[Attack]:
    yield Attack("of a disabled user", _AUTHENTICATION, case.sent(person=case.people.disabled))


def _confined(case: Case) -> Iterator[Attack]:
    how = "of a user who may call another service only"
    yield Attack(how, ("client.operation",), case.sent(person=case.people.confined))


def _guessed(case: Case) -> Iterator[Attack]:
    here, most = {"REMOTE_ADDR": "2001:db8:ffff::1"}, case.demands.username_token.max_failures
    name = case.people.guessed.name
    wrong = tuple(case.sent(person=Person(name, Person.make().password), environ=here) for _ in range(most))
    right = case.sent(person=case.people.guessed, environ=here)
    how = f"the right password after {most} wrong ones"
    yield Attack(how, _AUTHENTICATION, right, before=wrong, before_accepted=False)


def _password_types(case: Case) -> Iterator[Attack]:
    taken, demanded = case.demands.username_token.password_types, ("username_token.password_type",)
    if _TEXT not in taken:
        yield Attack("as PasswordText", demanded, case.sent(password_type=_TEXT))
        yield Attack("as Password without Type", demanded, case.sent(password_type=_TEXT, unsigned=_untyped))
    if _DIGEST not in taken:
        yield Attack("as PasswordDigest", demanded, case.sent(password_type=_DIGEST))


def _incomplete(case: Case) -> Iterator[Attack]:
    demands, digest = case.demands.username_token, when.with_a_digest(case)
    if digest or demands.require_nonce:
        yield Attack("without Nonce", ("username_token.nonce_missing",), case.sent(unsigned=_without(NONCE)))
    if digest or demands.require_created:
        yield Attack("without Created", ("username_token.created_missing",), case.sent(unsigned=_without(CREATED)))
    yield Attack("two tokens", ("username_token.malformed",), case.sent(unsigned=_twice))


def _window(case: Case) -> Iterator[Attack]:
    demands, now = case.demands.username_token, case.now
    for how, created, check in (
        ("expired", now - timedelta(seconds=demands.time_to_live) - _BEYOND, "username_token.expired"),
        ("of tomorrow", now + timedelta(seconds=demands.future_time_to_live) + _BEYOND, "username_token.not_yet_valid"),
    ):
        change = _dated(date_time(created), case)
        yield Attack(f"a token that is {how}, in a fresh message", (check,), case.sent(unsigned=change))


def _dated(created: str, case: Case) -> Change:
    """The token as its own sender would have made it at another time."""

    def change(draft: Draft) -> None:
        token = _token(draft)
        _child(token, CREATED).text = created
        if when.with_a_digest(case):
            nonce = base64.b64decode(_child(token, NONCE).text or "")
            digest = password_digest(nonce, created, case.honest.sender.person.password.encode())
            _child(token, PASSWORD).text = base64.b64encode(digest).decode()

    return change


def _missing(case: Case) -> Iterator[Attack]:
    parts = tuple(part for part in case.signed_parts if part != "UsernameToken")
    changes: dict[str, Any] = {"signed_parts": parts} if when.signed(case) else {}
    encrypted = tuple(part for part in case.encrypted_parts if part != "UsernameToken") or ("Body",)
    sent = case.sent(password_type="", encrypted_parts=encrypted, **changes)
    yield Attack("without UsernameToken", ("username_token.missing",), sent)


def _forbidden(case: Case) -> Iterator[Attack]:
    yield Attack("with a UsernameToken", ("username_token.forbidden",), case.sent(password_type=_DIGEST))


# --- What was seen before ---------------------------------------------------------------------------------------------


def _again(how: str, bend: Callable[[_Element, Case], None], *demanded: str) -> Callable[[Case], Iterator[Attack]]:
    """A token that was sent before, bent, in a message that is new and honest in everything else."""

    def attacks(case: Case) -> Iterator[Attack]:
        kept: list[_Element] = []

        def use(draft: Draft) -> None:
            token = deepcopy(kept[0])
            bend(token, case)
            draft.security.replace(_token(draft), token)

        first = case.sent(unsigned=lambda draft: kept.append(deepcopy(_token(draft))))
        yield Attack(how, demanded, case.sent(unsigned=use), before=(first,))

    return attacks


def _as_it_was(token: _Element, case: Case) -> None:
    """Not bent at all."""


def _with_spaces(token: _Element, case: Case) -> None:
    nonce = _child(token, NONCE)
    text = nonce.text or ""
    nonce.text = f" {text[:7]}\n{text[7:]} "


def _with_other_spare_bits(token: _Element, case: Case) -> None:
    """RFC 4648 §3.5: the last character before "==" has four bits that mean nothing."""
    nonce = _child(token, NONCE)
    text = nonce.text or ""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = text.rstrip("=")[-1]
    nonce.text = text.replace(f"{last}=", f"{alphabet[alphabet.index(last) ^ 1]}=")


def _of_the_namesake(token: _Element, case: Case) -> None:
    _child(token, USERNAME).text = case.people.namesake.name


def _with_a_longer_nonce(token: _Element, case: Case) -> None:
    """The digest has no borders: octets may move from Created into the Nonce."""
    nonce, created = _child(token, NONCE), _child(token, CREATED)
    text = created.text or ""
    nonce.text = base64.b64encode(base64.b64decode(nonce.text or "") + text[:1].encode()).decode()
    created.text = text[1:]


def _is_forbidden(case: Case) -> bool:
    return case.demands.username_token.use == "forbidden"


def _is_counted(case: Case) -> bool:
    return when.from_a_user(case) and case.demands.username_token.max_failures <= _MOST_GUESSES


def _has_a_namesake(case: Case) -> bool:
    return when.with_a_digest(case) and not case.scene.policy.client


_SPELLINGS: Final = ("replay.nonce", "username_token.malformed")
CONTROLS: Final = (
    Control("user.unknown", when.from_a_user, _nobody),
    Control("user.password", when.from_a_user, _wrong_password),
    Control("user.disabled", when.from_a_user, _disabled),
    Control("user.services", when.from_a_user, _confined),
    Control("user.guesses", _is_counted, _guessed, each="target"),
    Control("username_token.type", when.from_a_user, _password_types),
    Control("username_token.parts", when.from_a_user, _incomplete),
    Control("username_token.window", when.from_a_user, _window),
    Control("username_token.presence", when.user_demanded, _missing),
    Control("username_token.absence", _is_forbidden, _forbidden),
    Control("nonce.again", when.from_a_user, _again("its token in another message", _as_it_was, "replay.nonce")),
    Control("nonce.spaces", when.from_a_user, _again("the same Nonce with spaces", _with_spaces, *_SPELLINGS)),
    Control("nonce.bits", when.from_a_user, _again("with other spare bits", _with_other_spare_bits, *_SPELLINGS)),
    Control(
        "nonce.namesake",
        _has_a_namesake,
        _again("under another name with the same password", _of_the_namesake, "replay.nonce"),
    ),
    Control(
        "nonce.borders",
        when.with_a_digest,
        _again("octets of Created in the Nonce", _with_a_longer_nonce, "username_token.malformed"),
    ),
)
