"""The wsse:Security header that is ours (WSS 1.1 §5): everything in it is understood, or the message is refused."""

from collections.abc import Mapping
from typing import Final

from lxml.etree import _Element

from wsguard.faults import InvalidSecurity, InvalidSecurityToken, SecurityFault, UnsupportedSecurityToken
from wsguard.message.envelope import Envelope
from wsguard.message.lexical import has_text, local_name, name_of
from wsguard.names import (
    BINARY_SECURITY_TOKEN,
    ENCRYPTED_DATA,
    ENCRYPTED_HEADER,
    ENCRYPTED_KEY,
    REFERENCE_LIST,
    SIGNATURE,
    TIMESTAMP,
)
from wsguard.policy import Demands


def read_security_header(
    envelope: Envelope, demands: Demands, understood: Mapping[str, str]
) -> dict[str, list[_Element]]:
    """The children of our Security header by tag, each of a kind that is understood and not forbidden.

    Args:
        envelope: the message.
        demands: what is demanded of it.
        understood: tag -> the section of ``demands`` that governs it.

    Raises:
        InvalidSecurity: ``security.missing``; ``.forbidden`` or ``.malformed`` of what is there.
        InvalidSecurityToken: the same of a token.
        UnsupportedSecurityToken: ``security.unknown_token``.
    """
    _refuse_encrypted_headers(envelope)
    if envelope.security is None:
        if _demands_anything(demands):
            raise InvalidSecurity("security.missing", expected="a Security header for us", seen="none")
        return {}
    found: dict[str, list[_Element]] = {}
    for child in envelope.security:
        found.setdefault(name_of(child), []).append(child)
    for tag, elements in found.items():
        family = understood.get(tag)
        if family is None:
            raise _unknown(tag, demands)
        fault = InvalidSecurity if tag in (TIMESTAMP, SIGNATURE) else InvalidSecurityToken
        if getattr(demands, family).use == "forbidden":
            setting = f"{family}.use"
            raise fault(f"{family}.forbidden", expected="none", seen=local_name(tag), setting=setting)
        if len(elements) > 1 and tag not in _SEVERAL:
            raise fault(f"{family}.malformed", expected=f"one {local_name(tag)}", seen=f"{len(elements)} of them")
    if has_text(envelope.security):
        raise not_understood("text")
    return found


def _demands_anything(demands: Demands) -> bool:
    return "required" in (
        demands.timestamp.use,
        demands.username_token.use,
        demands.signature.use,
        demands.encryption.use,
    )


_SEVERAL: Final = frozenset({SIGNATURE, BINARY_SECURITY_TOKEN})
"""What may stand in the header more than once."""

_FORBIDDEN: Final = {
    ENCRYPTED_KEY: "encryption",
    ENCRYPTED_DATA: "encryption",
    REFERENCE_LIST: "encryption",
}


def _unknown(tag: str, demands: Demands) -> SecurityFault:
    family = _FORBIDDEN.get(tag)
    if family is not None and getattr(demands, family).use == "forbidden":
        return InvalidSecurity(f"{family}.forbidden", expected="none", seen=local_name(tag), setting=f"{family}.use")
    return not_understood(tag)


def not_understood(what: str) -> SecurityFault:
    """The refusal of something that is in the message and that nobody here can judge."""
    return UnsupportedSecurityToken(
        "security.unknown_token", expected="elements that this version understands", seen=what
    )


def _refuse_encrypted_headers(envelope: Envelope) -> None:
    if envelope.header is None:
        return
    for block in envelope.header:
        if block.tag in (ENCRYPTED_HEADER, ENCRYPTED_DATA):
            raise not_understood(name_of(block))
