"""The SOAP envelope: one Header at most, one Body, one operation, and the Security header that is ours.

SOAP 1.1 §4, SOAP 1.2 part 1 §5, WSS 1.1 §5. Everything is found by its place, never by searching.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final, Literal

from lxml.etree import _Element

from wsguard.faults import InvalidSecurity, MessageFault, VersionMismatch
from wsguard.message.lexical import XML_WHITE_SPACE, has_text, name_of
from wsguard.message.parse import Tree
from wsguard.names import (
    ENCRYPTED_DATA,
    SECURITY,
    SOAP11,
    SOAP12,
    SOAP12_NEXT,
    SOAP12_ULTIMATE_RECEIVER,
    SOAP_NEXT,
    WSA_ACTIONS,
)

_structure = partial(MessageFault, "envelope.structure")


@dataclass(frozen=True, slots=True)
class SoapVersion:
    """What differs between the two versions of SOAP."""

    number: Literal["1.1", "1.2"]
    namespace: str
    actor: str
    """Attribute that says whom a header block is for."""
    content_type: str


SOAP_1_1: Final = SoapVersion("1.1", SOAP11, f"{{{SOAP11}}}actor", "text/xml")
SOAP_1_2: Final = SoapVersion("1.2", SOAP12, f"{{{SOAP12}}}role", "application/soap+xml")
_VERSIONS: Final[Mapping[str, SoapVersion]] = MappingProxyType(
    {f"{{{version.namespace}}}Envelope": version for version in (SOAP_1_1, SOAP_1_2)}
)
_OUR_ACTORS: Final = frozenset({"", SOAP_NEXT, SOAP12_NEXT, SOAP12_ULTIMATE_RECEIVER})
_BOOLEANS: Final = frozenset({"0", "1", "true", "false"})


@dataclass(frozen=True, slots=True)
class Outline:
    """The parts of an envelope, each in its place; what is in the Body may still be encrypted, or the Body itself."""

    version: SoapVersion
    root: _Element
    header: _Element | None
    body: _Element
    """The Body, or the EncryptedData in its place."""
    security: _Element | None
    """The Security header that is for us."""
    foreign_security: tuple[_Element, ...]
    """Security headers for other actors."""

    @property
    def hides_its_operation(self) -> bool:
        """Whether nobody can tell what the message is for before it is decrypted."""
        return ENCRYPTED_DATA in (self.body.tag, *(child.tag for child in self.body[:1]))


@dataclass(frozen=True, slots=True)
class Envelope(Outline):
    """An envelope of the right shape. Nothing of it is verified yet."""

    @property
    def operation(self) -> str:
        """``{namespace}name`` of the Body's first child: what an application dispatches on."""
        return name_of(self.body[0])

    @property
    def other_operations(self) -> tuple[str, ...]:
        """The qualified names of the Body's further children, which some application might dispatch on."""
        return tuple(name for name in map(name_of, self.body[1:]) if name.startswith("{"))

    @property
    def addressed_actions(self) -> tuple[str, ...]:
        """The texts of WS-Addressing Action header blocks; what elements cut in two is two words."""
        if self.header is None:
            return ()
        return tuple(
            " ".join(("".join(block.itertext()), *block.itertext())) if len(block) else block.text or ""
            for tag in WSA_ACTIONS
            for block in self.header.iterchildren(tag)
        )


def read_envelope(tree: Tree, outline: Outline) -> Envelope:
    """Find the parts of an envelope, each in its place, with an operation in its Body.

    Args:
        tree: the parsed message.
        outline: of ``tree``.

    Raises:
        MessageFault: ``envelope.structure``, any other shape; ``operation.unknown``, an operation without namespace.
    """
    if outline.body.tag == ENCRYPTED_DATA:
        raise _structure(expected="a Header at most, then one Body", seen=ENCRYPTED_DATA)
    _check_body(
        outline.body, outline.version, referenced=frozenset(e.get("href", "").removeprefix("#") for e in tree.hrefs)
    )
    return Envelope(
        outline.version, outline.root, outline.header, outline.body, outline.security, outline.foreign_security
    )


def read_outline(tree: Tree, actor: str) -> Outline:
    """Find the parts of an envelope, each in its place, whatever is in its Body.

    Args:
        tree: the parsed message.
        actor: our own actor or role; ``next``, the ultimate receiver and none are ours too.

    Raises:
        VersionMismatch: ``envelope.structure``, an Envelope in another namespace.
        MessageFault: ``envelope.structure``, any other shape.
        InvalidSecurity: ``security.duplicate``, several Security headers for us.
    """
    root = tree.root
    version = _VERSIONS.get(name_of(root))
    if version is None:
        fault = VersionMismatch if name_of(root).endswith("}Envelope") else MessageFault
        raise fault("envelope.structure", expected="a SOAP 1.1 or 1.2 Envelope", seen=name_of(root))
    header, body = _parts(root, version)
    ours, foreign = _security_headers(header, version, actor)
    return Outline(version, root, header, body, ours, foreign)


def _parts(root: _Element, version: SoapVersion) -> tuple[_Element | None, _Element]:
    header_tag, body_tag = f"{{{version.namespace}}}Header", f"{{{version.namespace}}}Body"
    if len(root) > 2:
        raise _structure(expected="a Header at most, then one Body", seen=f"{len(root)} elements")
    names = [name_of(child) for child in root]
    # XML Encryption §4.3: of type Element, EncryptedData stands where the Body stood.
    if names not in ([body_tag], [header_tag, body_tag], [header_tag, ENCRYPTED_DATA]):
        raise _structure(expected="a Header at most, then one Body", seen=", ".join(names[:4]) or "nothing")
    if has_text(root):
        raise _structure(expected="no text in the Envelope", seen="text")
    return (root[0] if len(names) == 2 else None), root[-1]


def _security_headers(
    header: _Element | None, version: SoapVersion, actor: str
) -> tuple[_Element | None, tuple[_Element, ...]]:
    if header is None:
        return None, ()
    if has_text(header):
        raise _structure(expected="no text in the Header", seen="text")
    for block in header:
        must_understand = block.get(f"{{{version.namespace}}}mustUnderstand", "0").strip(XML_WHITE_SPACE)
        if must_understand not in _BOOLEANS:
            raise _structure(expected="mustUnderstand of 0, 1, true or false", seen=must_understand)
    ours: list[_Element] = []
    foreign: list[_Element] = []
    for block in header.iterchildren(SECURITY):
        whose = block.get(version.actor, "").strip(XML_WHITE_SPACE)
        (ours if whose in _OUR_ACTORS or whose == actor else foreign).append(block)
    if len(ours) > 1:
        raise InvalidSecurity(
            "security.duplicate", expected="one Security header for us", seen=f"{len(ours)} of them", setting="actor"
        )
    return (ours[0] if ours else None), tuple(foreign)


def _check_body(body: _Element, version: SoapVersion, referenced: frozenset[str]) -> None:
    if not len(body):
        raise _structure(expected="an operation in the Body", seen="nothing")
    if has_text(body):
        raise _structure(expected="no text in the Body", seen="text")
    operation = name_of(body[0])
    if operation == f"{{{version.namespace}}}Fault":
        raise _structure(expected="a request", seen="a Fault")
    if not operation.startswith("{"):
        raise MessageFault("operation.unknown", expected="an operation in a namespace", seen=operation)
    for further in body[1:]:
        # SOAP 1.1 §5.1 rule 8: values that are referred to stand beside the operation.
        if further.get("id") is None or further.get("id") not in referenced:
            raise _structure(expected="one operation in the Body", seen=name_of(further))
