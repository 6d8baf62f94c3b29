"""Attacks on signatures by whoever has a key: right in all but a few octets, or under a key that anybody could make."""

import base64
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Final

from wsguard.names import DS, WSU_ID
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.catalogue.signatures import signature_of
from wsguard.proving.letters import Algorithms, Change
from wsguard.proving.symmetric import sign_again, sign_by_anybodys_key, sign_once_more
from wsguard.securing.draft import Draft


def _digest_bent_at(index: int, case: Case) -> Change:
    letter = case.letter()

    def change(draft: Draft) -> None:
        signature = signature_of(draft)
        value = signature[0].find(f"{{{DS}}}Reference/{{{DS}}}DigestValue")
        if value is None:
            raise ValueError("the Signature has no DigestValue")
        octets = bytearray(base64.b64decode(value.text or ""))
        octets[index] ^= 1
        value.text = base64.b64encode(octets).decode()
        if letter.secret is not None:
            sign_again(signature, letter.algorithms.signature, letter.secret.name, letter.secret.octets)
        elif letter.signer is not None:
            sign_once_more(signature, letter.algorithms.signature, letter.signer.private_key)

    return change


def _digests(case: Case) -> Iterator[Attack]:
    for how, index in (("first", 0), ("last", -1)):
        sent = case.sent(signed=_digest_bent_at(index, case))
        yield Attack(f"a digest with another {how} octet, signed", ("signature.digest",), sent)


def _one_of_several(case: Case) -> Iterator[Attack]:
    for part in _blocks(case):

        def another(draft: Draft, name: str = part) -> None:
            copy = deepcopy(draft.parts(name)[0])
            copy.attrib.pop(WSU_ID, None)
            draft.header.append(copy)

        how = f"another {part.rpartition('}')[2]} beside the signed one"
        yield Attack(how, ("signature.coverage",), case.sent(signed=another))


def _blocks(case: Case) -> list[str]:
    return [part for part in case.demands.signature.required_parts if part.startswith("{")]


def _by_anybody(case: Case) -> Iterator[Attack]:
    """Everybody has our certificate, so everybody can encrypt a key for it, and sign with that key."""
    method = next(name for name in case.allowed("signature") if name.startswith("hmac-"))
    recipient = next(one for one in case.scene.recipients if one.certificate is not None)
    transports = recipient.usable("key_transport", case.scene.finder.usable("key_transport", case.demands, ""))
    for transport in transports[:1]:

        def change(draft: Draft, by: str = transport) -> None:
            sign_by_anybodys_key(draft, method, recipient, by)

        # A signer whose certificate nobody looks at: the symmetric signature takes the place of theirs.
        sent = case.sent(signer=case.scene.casting.bystander, algorithms=_signable(case), signed=change)
        yield Attack("under a key that its sender encrypted for us", ("signature.coverage",), sent)


def _signable(case: Case) -> Algorithms:
    letter = case.letter()
    method = case.method_for(case.scene.casting.bystander) or letter.algorithms.signature
    return replace(letter.algorithms, signature=method)


def _may_be_symmetric(case: Case) -> bool:
    hmac = any(name.startswith("hmac-") for name in case.allowed("signature"))
    opens = case.demands.encryption.use != "forbidden" and any(one.certificate for one in case.scene.recipients)
    return when.signature_demanded(case) and when.signed_by_certificate(case) and hmac and opens


def _has_blocks(case: Case) -> bool:
    return when.signature_demanded(case) and bool(_blocks(case))


CONTROLS: Final = (
    Control("signature.whole_digest", when.signed, _digests),
    Control("signature.every_block", _has_blocks, _one_of_several),
    Control("signature.known_key", _may_be_symmetric, _by_anybody),
)
