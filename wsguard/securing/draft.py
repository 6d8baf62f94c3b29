"""The message as it is while it is being secured: read within limits, and given a Security header of our own.

SOAP 1.1 §4, SOAP 1.2 part 1 §5. Comments are dropped as in every message; processing instructions and document types
are refused. Unlike requests, answers may hold a Fault, several elements, or nothing at all in their Body.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from lxml.etree import _Element

from wsguard.encryption.places import at, path_of
from wsguard.message.charset import to_utf8
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, SoapVersion
from wsguard.message.lexical import XML_WHITE_SPACE, local_name, name_of
from wsguard.message.parse import parse
from wsguard.names import (
    BINARY_SECURITY_TOKEN,
    SECURITY,
    SIGNATURE,
    SOAP12_NEXT,
    SOAP12_ULTIMATE_RECEIVER,
    SOAP_NEXT,
    TIMESTAMP,
    USERNAME_TOKEN,
    WSSE,
    WSU,
)
from wsguard.policy.surroundings import Limits
from wsguard.securing.plan import Securing
from wsguard.securing.refusals import NotSecurable, as_not_securable

Random = Callable[[int], bytes]
"""So many random octets."""

_CHARSETS: Final = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")
_VERSIONS: Final = {f"{{{version.namespace}}}Envelope": version for version in (SOAP_1_1, SOAP_1_2)}
_ULTIMATE: Final = frozenset({"", SOAP_NEXT, SOAP12_NEXT, SOAP12_ULTIMATE_RECEIVER})
"""Actors that are the same one for whoever receives the message: he plays all of them."""
_IN_SECURITY: Final = {
    "Timestamp": TIMESTAMP,
    "UsernameToken": USERNAME_TOKEN,
    "BinarySecurityToken": BINARY_SECURITY_TOKEN,
    "Signature": SIGNATURE,
}
_ID_OCTETS: Final = 16


@dataclass(frozen=True, slots=True)
class Draft:
    """A message with a Security header of ours. Its tree is changed in place."""

    version: SoapVersion
    root: _Element
    header: _Element
    body: _Element
    security: _Element
    limits: Limits
    random: Random
    taken: set[str] = field(repr=False)
    """Every Id of the message."""

    def new_id(self, kind: str) -> str:
        """An Id that nothing in the message has: an NCName that starts with ``kind``."""
        while (made := f"{kind}-{self.random(_ID_OCTETS).hex()}") in self.taken:
            pass
        self.taken.add(made)
        return made

    def parts(self, name: str) -> list[_Element]:
        """The elements that are the part ``name``: at least one.

        Raises:
            NotSecurable: there is no such header block.
        """
        if name == "Body":
            return [self.body]
        if name in _IN_SECURITY:
            return self.security.findall(_IN_SECURITY[name])
        if not (found := [block for block in self.header if block.tag == name]):
            raise NotSecurable(f"there is no header block {name} to sign or encrypt")
        return found

    def again(self, octets: bytes) -> "Draft":
        """The draft of ``octets``, which are this message after something in it was encrypted.

        Raises:
            NotSecurable: it is too large for libxml2 by now.
        """
        with as_not_securable():
            root = parse(octets, None, ("utf-8",), self.limits).root

        def same(element: _Element) -> _Element:
            return at(root, path_of(element))

        return replace(self, root=root, header=same(self.header), body=same(self.body), security=same(self.security))


def read_draft(octets: bytes, plan: Securing, limits: Limits, random: Random) -> Draft:
    """Parse a message and put an empty Security header first of its header blocks.

    Args:
        octets: an envelope without a Security header for the actor of the plan.
        plan: its ``actor`` and ``must_understand`` are what the header says.
        limits: ``response_bytes`` bounds the octets; ``elements`` is raised as far as it lies above ``body_bytes``.
        random: for Ids.

    Raises:
        NotSecurable: the message is too large or no envelope, or has such a header.
    """
    if len(octets) > limits.response_bytes:
        raise NotSecurable(f"limits.response_bytes: {len(octets)} bytes; expected at most {limits.response_bytes}")
    bounds = _bounds(limits)
    with as_not_securable():
        document = to_utf8(octets, None, _CHARSETS)
        document = _with_prefix(document) if plan.signature_method else document
        tree = parse(document, None, ("utf-8",), bounds)
    version = _VERSIONS.get(name_of(tree.root))
    if version is None:
        raise NotSecurable(f"a SOAP 1.1 or 1.2 Envelope was expected, not {name_of(tree.root)}")
    header, body = _parts(tree.root, version)
    _demand_no_other(header, version, plan.actor)
    return Draft(version, tree.root, header, body, _security(header, version, plan), bounds, random, set(tree.ids))


def _bounds(limits: Limits) -> Limits:
    """What one message may cost here: twice the octets, since other charsets become UTF-8 and octets base64."""
    more = max(1, limits.response_bytes // limits.body_bytes)
    return limits.model_copy(
        update={"body_bytes": 2 * limits.response_bytes + 65_536, "elements": more * limits.elements + 100}
    )


_START: Final = re.compile(
    rb"""\s*+<[^\s<>/='"!?]++(?P<attributes>(?:\s++[^\s<>/='"]++\s*+=\s*+(?:"[^"]*+"|'[^']*+'))*+)"""
)


def _with_prefix(document: bytes) -> bytes:
    """Bind wsu on the Envelope, unless it binds it or the namespace already: lxml would call it ns0 on each element."""
    start = _START.match(document)
    if start is None or b"xmlns:wsu" in start["attributes"] or WSU.encode() in start["attributes"]:
        return document
    place = start.start("attributes")
    return b'%b xmlns:wsu="%b"%b' % (document[:place], WSU.encode(), document[place:])


def _parts(root: _Element, version: SoapVersion) -> tuple[_Element, _Element]:
    """The Header, made where there was none, and the Body."""
    header, body = (f"{{{version.namespace}}}{name}" for name in ("Header", "Body"))
    names = [name_of(child) for child in root]
    if names == [body]:
        root.insert(0, root.makeelement(header))
    elif names != [header, body]:
        seen = ", ".join(local_name(name) for name in names[:4]) or "nothing"
        raise NotSecurable(f"a Header at most and one Body were expected in the Envelope, not {seen}")
    return root[0], root[1]


def _demand_no_other(header: _Element, version: SoapVersion, actor: str) -> None:
    """Two headers for one actor are an error (WSS 1.1 §5), and overwriting the application's would be a silent one."""
    for block in header:
        whose = block.get(version.actor, "").strip(XML_WHITE_SPACE)
        if block.tag == SECURITY and (whose == actor or {whose, actor} <= _ULTIMATE):
            raise NotSecurable("the message has a Security header for this actor already")


def _security(header: _Element, version: SoapVersion, plan: Securing) -> _Element:
    prefixes = {"wsse": WSSE, "wsu": WSU, header.prefix or "soap": version.namespace}
    security = header.makeelement(SECURITY, nsmap=prefixes)
    if plan.must_understand:
        security.set(f"{{{version.namespace}}}mustUnderstand", "1")
    if plan.actor:
        security.set(version.actor, plan.actor)
    header.insert(0, security)
    return security
