"""Attacks on encryption: left out, in part, by weak algorithms, for somebody else, and changed on the way."""

import base64
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Final

from lxml import etree

from wsguard.names import ENCRYPTED_DATA, XENC
from wsguard.proving.authorities import Authority, named
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.letters import UNSIGNED
from wsguard.proving.posting import Outcome
from wsguard.proving.recipients import Recipient
from wsguard.proving.ways import Way
from wsguard.securing.draft import Draft

_WEAK: Final = ("tripledes-cbc", "aes128-cbc", "aes256-cbc")
_WEAK_TRANSPORT: Final = "rsa-1_5"
_OF_NOISE: Final = (
    "encryption.failed", "encryption.malformed", "envelope.malformed", "envelope.structure", "signature.digest",
    "signature.value", "operation.unknown",
)  # fmt: skip
"""What unauthenticated ciphertext may become when it was changed."""


def _clear(case: Case) -> Iterator[Attack]:
    yield Attack("nothing encrypted", ("encryption.missing",), case.sent(recipient=None))
    for part in case.encrypted_parts:
        parts = tuple(one for one in case.encrypted_parts if one != part)
        if parts:
            sent = case.sent(encrypted_parts=parts)
            yield Attack(f"everything encrypted but {part}", ("encryption.coverage",), sent)


def _in_part(case: Case) -> Iterator[Attack]:
    sent = case.sent(encrypted_parts=("Body",), inside=True)
    yield Attack("what is in the operation encrypted, and nothing else", ("encryption.coverage",), sent)


def _not_signed(case: Case) -> Iterator[Attack]:
    sent = case.sent(encrypted_parts=(*case.encrypted_parts, UNSIGNED))
    yield Attack("a header block encrypted that nobody signed", ("signature.coverage",), sent)


def _left_closed(case: Case) -> Iterator[Attack]:
    sent = case.sent()
    root = etree.fromstring(sent.octets)
    copy = deepcopy(next(root.iter(ENCRYPTED_DATA)))
    copy.set("Id", "ED-wsguard-proof")
    root[0].append(copy)
    sent = replace(sent, octets=etree.tostring(root))
    yield Attack("a header block of ciphertext that nothing opens", ("encryption.malformed",), sent)


def _told(case: Case) -> Iterator[Attack]:
    """Whoever learns why ciphertext was refused learns of what is in it (Jager and Somorovsky, 2011)."""
    noise = next(attack.sent for attack in _changed(case))
    other = next(attack.sent for attack in _for_another(case))

    def twice(draft: Draft) -> None:
        draft.body.append(deepcopy(draft.body[0]))

    def look(outcome: Outcome, before: Sequence[Outcome]) -> Iterator[str]:
        if {outcome.told} != {one.told for one in before}:
            yield "a fault that tells it from ciphertext that cannot be opened"

    sent = case.sent(drafted=twice)
    how = "two operations, found when it is opened"
    yield Attack(how, ("envelope.structure",), sent, before=(noise, other), before_accepted=False, also=look)


def _weak(case: Case) -> Iterator[Attack]:
    letter, demanded = case.letter(), ("encryption.algorithm",)
    secret = letter.recipient is not None and letter.recipient.certificate is None
    for name in _WEAK:
        if not secret and name not in case.allowed("encryption"):
            yield Attack(f"by {name}", demanded, case.sent(algorithms=replace(letter.algorithms, encryption=name)))
    if not secret and _WEAK_TRANSPORT not in case.allowed("key_transport"):
        sent = case.sent(algorithms=replace(letter.algorithms, key_transport=_WEAK_TRANSPORT))
        yield Attack(f"the key by {_WEAK_TRANSPORT}", demanded, sent)


def _for_another(case: Case) -> Iterator[Attack]:
    recipient = case.honest.recipient
    if recipient is None:
        return
    if recipient.certificate is None:
        other = replace(recipient, name="wsguard proof")
    else:
        key = case.scene.casting.attackers_key.public_key()
        other = Recipient("another", Authority.make(named(), case.now).certify(named(), key))
    yield Attack("for somebody else's key", ("encryption.key",), case.sent(recipient=other))


def _changed(case: Case) -> Iterator[Attack]:
    sent = case.sent()
    root = etree.fromstring(sent.octets)
    value = next(root.iter(ENCRYPTED_DATA)).find(f".//{{{XENC}}}CipherValue")
    if value is None:
        return
    octets = bytearray(base64.b64decode(value.text or ""))
    octets[len(octets) // 2] ^= 0xFF
    value.text = base64.b64encode(octets).decode()
    authentic = case.letter().algorithms.encryption.endswith("-gcm")
    demanded = ("encryption.failed",) if authentic else _OF_NOISE
    yield Attack("other ciphertext", demanded, replace(sent, octets=etree.tostring(root)))


def _forbidden(case: Case) -> Iterator[Attack]:
    way = case.honest
    for recipient in case.scene.recipients[:1]:
        names = recipient.usable("encryption", case.allowed("encryption"))
        if names:
            other: Way = replace(way, recipient=recipient)
            sent = replace(case, way=other).sent(encrypted_parts=("Body",))
            # Before it is opened, what the top of the file takes may refuse it too.
            yield Attack("with an encrypted Body", ("encryption.forbidden", "encryption.algorithm"), sent)


def _is_forbidden(case: Case) -> bool:
    return case.demands.encryption.use == "forbidden" and bool(case.scene.recipients)


def _is_covered(case: Case) -> bool:
    demanded = case.demands.encryption.require_signed_encrypted_data
    return demanded and when.encrypted(case) and when.signature_demanded(case)


def _body_must_be(case: Case) -> bool:
    return when.encryption_demanded(case) and "Body" in case.demands.encryption.required_parts


def _is_unified(case: Case) -> bool:
    return when.encrypted(case) and "Body" in case.encrypted_parts and case.scene.detail == "unified"


CONTROLS: Final = (
    Control("encryption.presence", when.encryption_demanded, _clear),
    Control("encryption.whole_body", _body_must_be, _in_part),
    Control("encryption.signed", _is_covered, _not_signed),
    Control("encryption.opened", when.encrypted, _left_closed),
    Control("faults.alike", _is_unified, _told),
    Control("encryption.absence", _is_forbidden, _forbidden),
    Control("encryption.algorithm", when.encrypted, _weak),
    Control("encryption.key", when.encrypted, _for_another),
    Control("encryption.integrity", when.encrypted, _changed),
)
