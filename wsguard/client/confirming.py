"""wsse11:SignatureConfirmation (WSS 1.1 §8.5): an answer says which signatures of the request it was made for."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from lxml.etree import _Element

from wsguard.client.refusals import AnswerRefused
from wsguard.client.sending import Sent
from wsguard.faults import InvalidSecurity
from wsguard.message.lexical import LONGEST_BINARY, decode_base64, leaf_text, only_attributes
from wsguard.names import IDS

_malformed = partial(InvalidSecurity, "security.unknown_token")
_ATTRIBUTES: Final = IDS | {"Value"}


def check_confirmations(elements: Sequence[_Element], sent: Sent, *, demanded: bool) -> bool:
    """Demand that ``elements`` confirm exactly the signatures of the request.

    Those of a request without Signature are one element without Value. What is there is held against the request,
    whether it is demanded or not.

    Args:
        elements: the SignatureConfirmations of the answer, all covered by the signature that counts.
        sent: the request.
        demanded: none at all is not enough.

    Returns:
        whether there are any.

    Raises:
        AnswerRefused: ``confirmation.missing``, ``confirmation.mismatch``.
        InvalidSecurity: one has another shape.
    """
    if not elements:
        if demanded:
            raise AnswerRefused("confirmation.missing", expected="a SignatureConfirmation", seen="none")
        return False
    expected = _ours(sent)
    seen = [_value(element) for element in elements]
    if len(seen) != len(expected) or set(seen) != set(expected):
        raise AnswerRefused(
            "confirmation.mismatch",
            expected="the signature of this request confirmed" if sent.signature_values else "no signature confirmed",
            seen="none" if seen == [None] else "another one",
        )
    return True


def _ours(sent: Sent) -> Sequence[bytes | None]:
    if sent.signature_values is None:
        expected = "a request whose SignatureValue is not encrypted"
        raise AnswerRefused("confirmation.mismatch", expected=expected, seen="one whose value nobody here knows")
    return sent.signature_values or (None,)


def _value(element: _Element) -> bytes | None:
    only_attributes(element, _ATTRIBUTES, _malformed)
    if leaf_text(element, _malformed).strip():
        raise _malformed(expected="an empty SignatureConfirmation", seen="text")
    value = element.get("Value")
    if value is None:
        return None
    if len(value) > LONGEST_BINARY:
        raise _malformed(expected=f"at most {LONGEST_BINARY} characters in Value", seen=f"{len(value)}")
    return decode_base64(value, "Value", _malformed)
