"""What must be signed and encrypted, and what of that is never there."""

import re
from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule
from wsguard.names import DS, SOAP11, SOAP12, WSSE, WSU, XENC

_NEVER_BLOCKS: Final = frozenset({SOAP11, SOAP12, WSSE, WSU, DS, XENC})
"""Namespaces of which no element is a header block that a part could name: the envelope's own, and those of what stands
in a Security header (WSS 1.1 §5 to §10)."""

_BLOCK: Final = re.compile(r"\{(.*)\}(.*)")
_NAME: Final = re.compile(r"[^\W\d][\w.\-\u00b7]*")
"""NCName (XML Names §3), as far as it is written in practice."""

_HEADERS_UNSIGNED: Final = Rule(
    name="lint.headers_unsigned",
    risk="medium",
    finds="header blocks that nobody signed reach the application beside a signed Body",
    cure='set handoff.unsigned_headers = "drop"',
)
_BODY_UNSIGNED: Final = Rule(
    name="lint.body_unsigned",
    risk="high",
    finds="a signature is required, and need not cover the Body",
    cure='add "Body" to signature.required_parts',
)
_TIMESTAMP_UNSIGNED: Final = Rule(
    name="lint.timestamp_unsigned",
    risk="high",
    finds="a signature is required, and need not cover the Timestamp",
    cure='add "Timestamp" to signature.required_parts, and set timestamp.use = "required"',
)
_PART_NEVER_THERE: Final = Rule(
    name="lint.part_never_there",
    risk="high",
    finds="a part is demanded that no message can have, so nobody can call",
    cure="write Body, Timestamp, UsernameToken, BinarySecurityToken or Signature without a namespace, and"
    ' "{namespace}name" only for one header block',
)
_PART_OPTIONAL: Final = Rule(
    name="lint.part_optional",
    risk="low",
    finds="a part must be signed or encrypted that is called optional elsewhere, and is not",
    cure='set its use = "required", or take the part out of required_parts',
)

SIGNATURE_CATALOGUE: Final = (
    _HEADERS_UNSIGNED, _BODY_UNSIGNED, _TIMESTAMP_UNSIGNED, _PART_NEVER_THERE, _PART_OPTIONAL,
)  # fmt: skip


def _somebody_must_sign(look: Look) -> bool:
    return look.demands.signature.use == "required" or look.demands.username_token.makes_keys


def _headers_pass_unsigned(look: Look) -> Iterator[Finding]:
    if _somebody_must_sign(look) and look.demands.handoff.unsigned_headers == "keep":
        text = "whoever is on the way can add header blocks to a signed message, and the application gets them"
        yield _HEADERS_UNSIGNED.at("handoff.unsigned_headers", text)


def _signatures_leave_parts_open(look: Look) -> Iterator[Finding]:
    signature = look.demands.signature
    if not _somebody_must_sign(look):
        return
    if "Body" not in signature.required_parts:
        text = "the Body need not be signed: anybody on the way can change it"
        yield _BODY_UNSIGNED.at("signature.required_parts", text)
    if "Timestamp" not in signature.required_parts:
        text = "the Timestamp need not be signed: a signed message never gets old, and is remembered for ten years"
        yield _TIMESTAMP_UNSIGNED.at("signature.required_parts", text)


def _parts_are_never_there(look: Look) -> Iterator[Finding]:
    for name, section in (("signature", look.demands.signature), ("encryption", look.demands.encryption)):
        lost = [part for part in section.required_parts if is_never_there(part)]
        if section.use == "required" and lost:
            text = f"every message is refused: no message has a header block {', '.join(lost)}"
            yield _PART_NEVER_THERE.at(f"{name}.required_parts", text)
    response = look.demands.response
    lost = [part for part in response.signed_parts if is_never_there(part)]
    if response.sign and lost:
        text = f"no answer can be signed as demanded: none has a header block {', '.join(lost)}"
        yield _PART_NEVER_THERE.at("response.signed_parts", text)


def is_never_there(part: str) -> bool:
    """Whether ``part`` names a header block that no message has. What stands without a namespace names something."""
    block = _BLOCK.fullmatch(part)
    return block is not None and (block[1] in _NEVER_BLOCKS or not _NAME.fullmatch(block[2]))


def _parts_are_called_optional(look: Look) -> Iterator[Finding]:
    demands = look.demands
    uses = {
        "Timestamp": ("timestamp", demands.timestamp.use),
        "UsernameToken": ("username_token", demands.username_token.use),
        "Signature": ("signature", demands.signature.use),
    }
    for name, section in (("signature", demands.signature), ("encryption", demands.encryption)):
        for part in section.required_parts if section.use == "required" else ():
            key, use = uses.get(part, ("", "required"))
            if use == "optional" and key != "timestamp":
                text = f"a message without {part} is refused, since {name}.required_parts names it"
                yield _PART_OPTIONAL.at(f"{key}.use", text)


SIGNATURE_RULES: Final[tuple[Looker, ...]] = (
    _headers_pass_unsigned,
    _signatures_leave_parts_open,
    _parts_are_never_there,
    _parts_are_called_optional,
)
