"""Whether the answer that a peer gets is secured as ``[response]`` says: looked at with the eyes of who asked."""

import base64
from collections.abc import Iterator

from lxml import etree
from lxml.etree import _Element

from wsguard.client import AnswerRefused, Answers, DecryptionKey, verify_answer
from wsguard.client import Sent as Asked
from wsguard.names import (
    DIGEST_ALGORITHMS,
    DS,
    ENCRYPTED_DATA,
    ENCRYPTED_KEY,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SIGNATURE,
    SIGNATURE_ALGORITHMS,
)
from wsguard.policy.demands import AlgorithmDemands, TimestampDemands
from wsguard.proving.case import Case
from wsguard.proving.posting import DONE, Outcome, Sent

_SIGNER = "useReqSigCert"
_ANY = AlgorithmDemands(
    signature=tuple(SIGNATURE_ALGORITHMS),
    digest=tuple(DIGEST_ALGORITHMS),
    encryption=tuple(ENCRYPTION_ALGORITHMS),
    key_transport=tuple(KEY_TRANSPORT_ALGORITHMS),
    min_rsa_bits=1024,
)
"""Which algorithms answers are in is no matter here."""


def withheld(case: Case) -> bool:
    """Whether no answer may be sent: it must be encrypted for the signer, and there is none."""
    return case.target.kind != "exempt" and case.demands.response.encrypt == _SIGNER and not _is_signed(case)


def flaws(case: Case, sent: Sent, outcome: Outcome) -> Iterator[str]:
    """What is wrong with the answer to a message that was taken.

    Args:
        case: whose sender is who asked.
        sent: what was asked.
        outcome: with the answer.
    """
    if withheld(case):
        if outcome.status[:1] != "5" or DONE.partition("}")[2].encode() in outcome.octets:
            yield "answered, though there is nobody to encrypt it for"
        return
    if outcome.status[:1] != "2":
        yield f"answered with {outcome.status[:3]}"
        return
    response = case.demands.response
    if case.target.kind == "exempt" or not (response.timestamp or response.sign or response.encrypt):
        return
    yield from _of_the_recipient(case, outcome)
    if response.encrypt in ("", _SIGNER) and ("Body" in response.signed_parts or not response.sign):
        yield from _unverified(case, sent, outcome)


def _is_signed(case: Case) -> bool:
    return case.way is not None and case.way.signed_by == "certificate"


def _of_the_recipient(case: Case, outcome: Outcome) -> Iterator[str]:
    encrypt = case.demands.response.encrypt
    if not encrypt:
        return
    root = etree.fromstring(outcome.octets)
    if next(root.iter(DONE), None) is not None or next(root.iter(ENCRYPTED_DATA), None) is None:
        yield "an answer that is not encrypted"
        return
    signer = case.honest.sender.signer
    certificate = case.scene.configured.clients.get(encrypt)
    if encrypt == _SIGNER and signer is not None:
        certificate = signer.certificate
    serials = [one.text for key in root.iter(ENCRYPTED_KEY) for one in key.iter(f"{{{DS}}}X509SerialNumber")]
    if certificate is not None and serials != [str(certificate.serial_number)]:
        yield "an answer that is encrypted for somebody else"


def _unverified(case: Case, sent: Sent, outcome: Outcome) -> Iterator[str]:
    values = _values(etree.fromstring(sent.octets))
    try:
        verify_answer(outcome.octets, _expected(case, confirmed=values is not None), Asked(values or ()), case.now)
    except AnswerRefused as refused:
        yield f"an answer that its recipient refuses: {refused.check}"


def _values(root: _Element) -> tuple[bytes, ...] | None:
    """SignatureValues of a message; None where they are encrypted."""
    found = [one.text or "" for one in root.iterfind(f".//{SIGNATURE}/{{{DS}}}SignatureValue")]
    hidden = root[0].find(f"*/{ENCRYPTED_DATA}") is not None
    return None if hidden and not found else tuple(base64.b64decode(one) for one in found)


def _expected(case: Case, *, confirmed: bool) -> Answers:
    response, key = case.demands.response, case.scene.keyring.sign
    signer = case.honest.sender.signer if response.encrypt else None
    parts = tuple(part for part in response.signed_parts if part != "Timestamp" or response.timestamp)
    return Answers(
        server_certificate=key.certificate if key is not None and response.sign else None,
        timestamp=TimestampDemands(use="required" if response.timestamp else "optional"),
        signed_parts=parts if response.sign else (),
        encrypted_parts=("Body",) if signer is not None else (),
        signature_confirmation=response.signature_confirmation and response.sign and confirmed,
        unsafe_unsigned=not response.sign,
        decrypt=() if signer is None else (DecryptionKey("proof", signer.private_key, signer.certificate),),
        algorithms=_ANY,
    )
