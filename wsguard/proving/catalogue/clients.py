"""Attacks by people who are who they say: with no entry, with an entry for other services, or with two half ones."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from wsguard.proving.case import Case
from wsguard.proving.cast import Sender
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.posting import Sent


def _from(case: Case, person: Sender, signer: Sender) -> Sent | None:
    """The message of these two; None where no signature of theirs can be made."""
    letter = case.letter(person=person.person)
    changes: dict[str, Any] = {"person": person.person}
    if letter.signer is not None and letter.secret is None:
        if signer.signer is None or not case.method_for(signer.signer):
            return None
        changes["signer"] = signer.signer
        changes["algorithms"] = replace(letter.algorithms, signature=case.method_for(signer.signer))
    return case.sent(**changes)


def _stranger(case: Case) -> Iterator[Attack]:
    stranger = case.people.stranger
    sent = _from(case, stranger, stranger)
    if sent is not None:
        yield Attack("by somebody with no [[client]] entry", ("client.mismatch",), sent)


def _elsewhere(case: Case) -> Iterator[Attack]:
    other = case.people.elsewhere
    if other is None or other.entry is None:
        return
    sent = _from(case, other, other)
    if sent is not None:
        how = f"by {other.label}, who may call other services"
        yield Attack(how, ("client.operation", "client.mismatch"), sent)


def _halves(case: Case) -> Iterator[Attack]:
    sender, stranger = case.honest.sender, case.people.stranger
    for how, person, signer in (
        ("its user, signed by somebody else", sender, stranger),
        ("its signature, with another user", stranger, sender),
    ):
        sent = _from(case, person, signer)
        if sent is not None:
            yield Attack(how, ("client.mismatch",), sent)
    for other in case.people.senders:
        entry = other.entry
        if entry is None or other is sender or case.letter().secret is not None:
            continue
        # Each half of an entry with what is all of another one: that one fits, and this one is belied.
        if entry.certificate is not None and not entry.username:
            sent = _from(case, sender, other)
            how = f"its user, signed by {other.label}"
        elif entry.username and not (entry.certificate or entry.shared_key):
            sent = _from(case, other, sender)
            how = f"its signature, with the user of {other.label}"
        else:
            continue
        if sent is not None:
            yield Attack(how, ("client.mismatch",), sent)


def _has_no_entry_by_its_key(case: Case) -> bool:
    """A message under a shared key is that of whoever has the key: nobody can be made up to have it."""
    way = case.honest
    return when.clients_are_named(case) and way.signed_by != "shared key"


def _names_both(case: Case) -> bool:
    way = case.honest
    entry = way.sender.entry
    both = entry is not None and bool(entry.username) and entry.certificate is not None
    return both and bool(way.password_type) and bool(way.signed_by)


CONTROLS: Final = (
    Control("client.entry", _has_no_entry_by_its_key, _stranger, each="way"),
    Control("client.services", _has_no_entry_by_its_key, _elsewhere, each="way"),
    Control("client.both", _names_both, _halves, each="way"),
)
