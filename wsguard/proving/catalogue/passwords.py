"""Attacks with passwords and names that are right in part: compared with less than everything, they would be right."""

import base64
from collections.abc import Iterator
from typing import Final

from wsguard.names import PASSWORD
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control, Look
from wsguard.proving.letters import Change
from wsguard.proving.posting import Outcome
from wsguard.proving.rows import ACCEPTED
from wsguard.proving.users import Person
from wsguard.securing.draft import Draft
from wsguard.verified import MESSAGE_KEY

_AUTHENTICATION: Final = ("username_token.authentication",)


def _passwords(case: Case) -> Iterator[Attack]:
    person = case.honest.sender.person
    word = person.password
    for how, other in (
        ("in the other case", word.swapcase()),
        ("without its last character", word[:-1]),
        ("and another character", f"{word}x"),
        ("to its eighth character", word[:8] + word[:7:-1]),
        ("left empty", ""),
    ):
        sent = case.sent(person=Person(person.name, other))
        yield Attack(f"with the password {how}", _AUTHENTICATION, sent)


def _names(case: Case) -> Iterator[Attack]:
    person = case.honest.sender.person
    for how, other in (("in upper case", person.name.upper()), ("and a space", f"{person.name} ")):
        sent = case.sent(person=Person(other, person.password))
        yield Attack(f"with the name {how}", _AUTHENTICATION, sent)


def _bent_at(index: int) -> Change:
    def change(draft: Draft) -> None:
        element = draft.parts("UsernameToken")[0].find(PASSWORD)
        if element is None:
            raise ValueError("the token has no Password")
        octets = bytearray(base64.b64decode(element.text or ""))
        octets[index] ^= 1
        element.text = base64.b64encode(octets).decode()

    return change


def _digests(case: Case) -> Iterator[Attack]:
    for how, index in (("first", 0), ("last", -1)):
        yield Attack(f"with another {how} octet in its digest", _AUTHENTICATION, case.sent(unsigned=_bent_at(index)))


def _unsigned(case: Case) -> Iterator[Attack]:
    """A user that the signature does not cover is not the signer's."""
    parts = tuple(part for part in case.signed_parts if part != "UsernameToken")
    sent, how = case.sent(signed_parts=parts), "a user whom the signer does not vouch for"
    if case.demands.username_token.use == "required":
        yield Attack(how, ("signature.coverage",), sent)
    else:
        yield Attack(how, (ACCEPTED, "client.mismatch"), sent, instead=_counts_not(case))


def _counts_not(case: Case) -> Look:
    name = case.honest.sender.person.name

    def look(outcome: Outcome, before: object) -> Iterator[str]:
        for environ, _ in outcome.handed:
            if environ[MESSAGE_KEY].username or environ.get("REMOTE_USER") == name:
                yield "taken for that user's"

    return look


def _has_nobody_to_vouch(case: Case) -> bool:
    entry = case.honest.sender.entry
    bound = entry is not None and bool(entry.username) and bool(entry.certificate or entry.shared_key)
    needed = "UsernameToken" in case.demands.signature.required_parts
    return when.signature_demanded(case) and when.from_a_user(case) and not bound and not needed


CONTROLS: Final = (
    Control("user.password_in_part", when.from_a_user, _passwords),
    Control("user.name", when.from_a_user, _names),
    Control("user.digest", when.with_a_digest, _digests),
    Control("user.unsigned", _has_nobody_to_vouch, _unsigned),
)
