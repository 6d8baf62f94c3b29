"""The wsse:Security header that is ours (WSS 1.1 §5): everything in it is understood, or the message is refused."""

from collections.abc import Mapping, Sequence
from typing import Final

from lxml.etree import _Element

from wsguard.faults import InvalidSecurity, InvalidSecurityToken, SecurityFault, UnsupportedSecurityToken
from wsguard.message.envelope import Outline
from wsguard.message.lexical import has_text, local_name, name_of
from wsguard.names import (
    BINARY_SECURITY_TOKEN,
    DERIVED_KEY_TOKENS,
    ENCRYPTED_DATA,
    ENCRYPTED_HEADER,
    ENCRYPTED_KEY,
    REFERENCE_LIST,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
)
from wsguard.policy import Demands

Children = Mapping[str, Sequence[_Element]]
"""The children of our Security header by tag."""

ENCRYPTION: Final = frozenset({ENCRYPTED_KEY, ENCRYPTED_DATA, REFERENCE_LIST})
"""Elements in it by which a message says that something is encrypted."""

_FAMILIES: Final = {
    TIMESTAMP: "timestamp",
    SIGNATURE: "signature",
    BINARY_SECURITY_TOKEN: "signature",
    **dict.fromkeys(ENCRYPTION, "encryption"),
    **dict.fromkeys(DERIVED_KEY_TOKENS, "encryption"),
}
"""What is understood beside tokens, and the section of ``Demands`` that governs it."""
_SEVERAL: Final = frozenset(_FAMILIES) - {TIMESTAMP}
"""What may stand in the header more than once."""


def read_security_header(outline: Outline, tokens: Mapping[str, str]) -> Children:
    """The children of our Security header, each of a kind that is understood; none where there is no header.

    Args:
        outline: the message.
        tokens: tag -> the section of ``Demands`` that governs it, of every token that is understood.

    Raises:
        InvalidSecurity, InvalidSecurityToken: ``.malformed`` of what is there more than once.
        UnsupportedSecurityToken: ``security.unknown_token``.
    """
    if outline.security is None:
        return {}
    found: dict[str, list[_Element]] = {}
    for child in outline.security:
        tag = name_of(child)
        if tag not in tokens and tag not in _FAMILIES:
            raise not_understood(tag)
        found.setdefault(tag, []).append(child)
    for tag, elements in found.items():
        family = tokens.get(tag) or _FAMILIES[tag]
        if len(elements) > 1 and tag not in _SEVERAL:
            expected = f"one {local_name(tag)}"
            raise _fault_of(tag)(f"{family}.malformed", expected=expected, seen=f"{len(elements)} of them")
    if has_text(outline.security):
        raise not_understood("text")
    return found


def check_presence(outline: Outline, found: Children, demands: Demands, tokens: Mapping[str, str]) -> None:
    """Demand a Security header where one is needed, and nothing in it that is forbidden.

    Raises:
        InvalidSecurity: ``security.missing``; ``.forbidden`` of what is there.
        InvalidSecurityToken: the same of a token.
    """
    if outline.security is None and _demands_anything(demands):
        raise InvalidSecurity("security.missing", expected="a Security header for us", seen="none")
    for tag in found:
        family = tokens.get(tag) or _FAMILIES[tag]
        if getattr(demands, family).use == "forbidden":
            seen, setting = local_name(tag), f"{family}.use"
            raise _fault_of(tag)(f"{family}.forbidden", expected="none", seen=seen, setting=setting)


def _fault_of(tag: str) -> type[SecurityFault]:
    return InvalidSecurity if tag in _FAMILIES and tag != BINARY_SECURITY_TOKEN else InvalidSecurityToken


def _demands_anything(demands: Demands) -> bool:
    return "required" in (
        demands.timestamp.use,
        demands.username_token.use,
        demands.signature.use,
        demands.encryption.use,
    )


def not_understood(what: str) -> SecurityFault:
    """The refusal of something that is in the message and that nobody here can judge."""
    return UnsupportedSecurityToken(
        "security.unknown_token", expected="elements that this version understands", seen=what
    )


def refuse_what_stayed_closed(outline: Outline, found: Children, *, anywhere: bool) -> None:
    """Demand that nothing is encrypted any more where somebody would have to look: in the headers, or as the Body.

    Args:
        outline: the message.
        found: the children of its Security header.
        anywhere: nor inside of the Body and of header blocks. What tells to open it is signed by nobody: who carries
            the message could take that away, and a signature over the ciphertext would fit.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
    """
    blocks = () if outline.header is None else [block for block in outline.header if block.tag != SECURITY]
    inside = (outline.body, *blocks) if anywhere else ()
    closed = {block.tag for block in blocks} | set(found)
    if outline.hides_its_operation or any(next(one.iter(ENCRYPTED_DATA), None) is not None for one in inside):
        closed.add(ENCRYPTED_DATA)
    for tag in (ENCRYPTED_HEADER, ENCRYPTED_DATA):
        if tag in closed:
            raise InvalidSecurity(
                "encryption.malformed",
                expected="an EncryptedKey or ReferenceList for everything that is encrypted",
                seen=f"{local_name(tag)} that nothing opens",
            )
