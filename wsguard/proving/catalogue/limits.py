"""Attacks with a little more of something than one message may have: only where that costs little to try."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Final

from lxml import etree

from wsguard.names import ENCRYPTED_KEY
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.letters import PROOF
from wsguard.securing.draft import Draft

_MOST: Final = 400_000
"""Octets that are added to a message."""
_MOST_REFERENCES: Final = 100
_MOST_KEYS: Final = 20
_MANY: Final = f"{{{PROOF}:many}}Many"


def _with(setting: str, how: str, content: Callable[[int], str]) -> Callable[[Case], Iterator[Attack]]:
    """As much ``content`` in the header block that nobody signed as is too much by ``limits.<setting>``."""

    def attacks(case: Case) -> Iterator[Attack]:
        most: int = getattr(case.scene.policy.limits, setting)
        sent = case.sent()
        added = content(most + 1)
        if len(sent.octets) + len(added) < min(_MOST, case.scene.policy.limits.body_bytes):
            octets = sent.octets.replace(b">unsigned<", f">{added}<".encode())
            yield Attack(f"{most + 1} {how}", (f"limits.{setting}",), replace(sent, octets=octets))

    return attacks


def _attributes(count: int) -> str:
    attributes = " ".join(f'a{number}=""' for number in range(count))
    return f"<a {attributes}/>"


def _namespaces(count: int) -> str:
    declarations = " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(count))
    return f"<a {declarations}/>"


def _references(case: Case) -> Iterator[Attack]:
    most = case.scene.policy.limits.references

    def add(draft: Draft) -> None:
        for _ in range(most + 1):
            etree.SubElement(draft.header, _MANY)

    if most <= _MOST_REFERENCES:
        sent = case.sent(drafted=add, signed_parts=(*case.signed_parts, _MANY))
        yield Attack(f"more than {most} references", ("limits.references",), sent)


def _keys(case: Case) -> Iterator[Attack]:
    most = case.scene.policy.limits.encrypted_keys
    sent = case.sent()
    root = etree.fromstring(sent.octets)
    key = next(root.iter(ENCRYPTED_KEY), None)
    if key is None or most > _MOST_KEYS:
        return
    for number in range(most):
        copy = deepcopy(key)
        copy.set("Id", f"EK-wsguard-proof-{number}")
        for element in copy[3:]:
            copy.remove(element)
        key.addprevious(copy)
    sent = replace(sent, octets=etree.tostring(root))
    yield Attack(f"{most + 1} encrypted keys", ("limits.encrypted_keys",), sent)


CONTROLS: Final = (
    Control("limits.elements", when.always, _with("elements", "elements", lambda count: "<a/>" * count), each="target"),
    Control(
        "limits.attributes",
        when.always,
        _with("attributes_per_element", "attributes at one element", _attributes),
        each="target",
    ),
    Control("limits.namespaces", when.always, _with("namespaces", "namespaces", _namespaces), each="target"),
    Control("limits.references", when.signed, _references, each="target"),
    Control("limits.encrypted_keys", when.encrypted, _keys, each="target"),
)
