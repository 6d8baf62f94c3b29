"""Signature wrapping: what was signed is put aside, and what was not takes its place (McIntosh and Austel, 2005)."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.names import DS, WSU_ID
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.catalogue.signatures import signature_of
from wsguard.proving.letters import PROOF, SOAP, Change
from wsguard.securing.draft import Draft

_WRAPPER: Final = f"{{{PROOF}:wrapper}}Wrapper"
"""In a namespace of its own: lxml would give what is moved into it the prefix that it has there."""

Put = Callable[[Draft, _Element, _Element], None]
"""Puts the signed element, which was taken out, somewhere; given the draft and what took its place."""


def _evil(body: _Element, identifier: str | None) -> _Element:
    evil = deepcopy(body)
    evil.attrib.pop(WSU_ID, None)
    if identifier is not None:
        evil.set(WSU_ID, identifier)
    evil[0][0].text = "evil"
    return evil


def _wrapped(put: Put, *, identifier: str | None = "Id-evil", same: bool = False) -> Change:
    """Another Body where the signed one stood, which ``put`` puts aside."""

    def change(draft: Draft) -> None:
        signed = draft.body
        evil = _evil(signed, signed.get(WSU_ID) if same else identifier)
        draft.root.replace(signed, evil)
        put(draft, signed, evil)

    return change


def _in_a_block(draft: Draft, signed: _Element, evil: _Element) -> None:
    etree.SubElement(draft.header, _WRAPPER).append(signed)


def _in_an_envelope(draft: Draft, signed: _Element, evil: _Element) -> None:
    wrapper = etree.SubElement(draft.header, _WRAPPER)
    etree.SubElement(wrapper, f"{{{SOAP}}}Envelope").append(signed)


def _in_the_security_header(draft: Draft, signed: _Element, evil: _Element) -> None:
    draft.security.append(signed)


def _in_an_object(draft: Draft, signed: _Element, evil: _Element) -> None:
    etree.SubElement(signature_of(draft), f"{{{DS}}}Object").append(signed)


def _in_key_info(draft: Draft, signed: _Element, evil: _Element) -> None:
    signature_of(draft)[2].append(signed)


def _in_the_other(draft: Draft, signed: _Element, evil: _Element) -> None:
    evil[0].append(signed)


def _before_the_other(draft: Draft, signed: _Element, evil: _Element) -> None:
    evil.addprevious(signed)


def _after_the_other(draft: Draft, signed: _Element, evil: _Element) -> None:
    evil.addnext(signed)


_BODIES: Final[tuple[tuple[str, Change, tuple[str, ...]], ...]] = (
    ("the signed Body in a header block", _wrapped(_in_a_block), ("signature.coverage",)),
    ("the same, the other one without Id", _wrapped(_in_a_block, identifier=None), ("signature.coverage",)),
    ("the same, the other one with its Id", _wrapped(_in_a_block, same=True), ("envelope.duplicate_id",)),
    ("the signed Body in another Envelope", _wrapped(_in_an_envelope), ("signature.coverage",)),
    ("the signed Body in wsse:Security", _wrapped(_in_the_security_header), ("security.unknown_token",)),
    ("the signed Body in ds:Object", _wrapped(_in_an_object), ("signature.malformed",)),
    ("the signed Body in ds:KeyInfo", _wrapped(_in_key_info), ("signature.malformed", "security.unknown_token")),
    ("the signed Body in the other one", _wrapped(_in_the_other), ("signature.coverage",)),
    ("the signed Body before the other one", _wrapped(_before_the_other), ("envelope.structure",)),
    ("the signed Body after the other one", _wrapped(_after_the_other), ("envelope.structure",)),
)


def _demanded(case: Case, checks: tuple[str, ...]) -> tuple[str, ...]:
    """Inclusive canonicalization takes what surrounds an element into its digest (Canonical XML 1.0 §4.6)."""
    moved = "signature.coverage" in checks
    exclusive = case.letter().algorithms.canonicalization.startswith("exc-")
    return (*checks, "signature.digest") if moved and not exclusive else checks


def _body(case: Case) -> Iterator[Attack]:
    for how, change, demanded in _BODIES:
        yield Attack(how, _demanded(case, demanded), case.sent(signed=change))


def _timestamp(case: Case) -> Iterator[Attack]:
    def fresh(draft: Draft) -> None:
        signed = draft.parts("Timestamp")[0]
        unsigned = deepcopy(signed)
        unsigned.attrib.clear()
        draft.security.replace(signed, unsigned)
        etree.SubElement(draft.header, _WRAPPER).append(signed)

    how = "the signed Timestamp in a header block, and a fresh one"
    yield Attack(how, _demanded(case, ("signature.coverage",)), case.sent(signed=fresh))


CONTROLS: Final = (
    Control("wrapping.body", when.body_signature_demanded, _body),
    Control("wrapping.timestamp", when.dated_and_signature_demanded, _timestamp),
)
