"""Attacks on encryption: left out, in part, by weak algorithms, for somebody else, and changed on the way."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lxml import etree

from wsguard.names import ENCRYPTED_DATA, XENC
from wsguard.proving.authorities import Authority, named
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.recipients import Recipient
from wsguard.proving.ways import Way

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


CONTROLS: Final = (
    Control("encryption.presence", when.encryption_demanded, _clear),
    Control("encryption.absence", _is_forbidden, _forbidden),
    Control("encryption.algorithm", when.encrypted, _weak),
    Control("encryption.key", when.encrypted, _for_another),
    Control("encryption.integrity", when.encrypted, _changed),
)
