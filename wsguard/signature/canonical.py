"""From an element to octets: Canonical XML 1.0 and 1.1, Exclusive XML Canonicalization 1.0, and what WSS makes of them.

Always without comments: ``#id`` drops them whatever the method says (XML Signature §4.4.3.3), and the tree has none.
"""

import base64
from collections.abc import Mapping
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.faults import FailedCheck
from wsguard.message.interning import knowing
from wsguard.message.lexical import name_of
from wsguard.message.parse import parsers
from wsguard.names import WSSE, X509_V3, XML, XML_ID
from wsguard.signature.reading import Canonicalization

_XML_PREFIX: Final = f"{{{XML}}}"
_XML_BASE: Final = f"{{{XML}}}base"


def canonical_octets(element: _Element, method: Canonicalization) -> bytes:
    """The canonical form of ``element`` and all that is in it, where it stands.

    Raises:
        FailedCheck: ``signature.reference``, there is none: a relative namespace name, or an ``xml:base`` above the
            element that Canonical XML 1.1 would have to join.
    """
    inherited = {} if method.exclusive else inherited_attributes(element, method.name)
    try:
        if method.exclusive:
            return _exclusive(element, method.prefixes)
        return _inclusive(element, inherited)
    except (etree.LxmlError, ValueError) as error:
        raise _without_form(name_of(element), type(error).__name__) from None


def _exclusive(element: _Element, prefixes: tuple[str, ...]) -> bytes:
    def octets() -> bytes:
        return etree.tostring(
            element, method="c14n", exclusive=True, inclusive_ns_prefixes=list(prefixes), with_comments=False
        )

    # lxml copies the element for it, and with the copy its names get into the dictionary of the thread.
    return knowing(prefixes, octets) if parsers.full else octets()


def _inclusive(element: _Element, inherited: Mapping[str, str]) -> bytes:
    """By a document of its own: of a part, lxml writes ``xmlns=""`` where a default namespace from above applies.

    That is another document's canonical form, whose signature would fit this one.
    """
    whole = parsers.parse(etree.tostring(element, encoding="utf-8", with_tail=False))
    for attribute, value in inherited.items():
        if whole.get(attribute) is None:
            whole.set(attribute, value)
    return etree.tostring(whole, method="c14n", with_comments=False)


def _without_form(element: str, seen: str) -> FailedCheck:
    return FailedCheck("signature.reference", expected=f"a canonical form of {element}", seen=seen)


def inherited_attributes(element: _Element, name: str) -> Mapping[str, str]:
    """What ``element`` inherits of ``xml:*`` (Canonical XML 1.0 and 1.1, §2.4): lxml leaves that out.

    Args:
        element: any.
        name: short name of an inclusive method.

    Raises:
        FailedCheck: ``signature.reference``, an ``xml:base`` that Canonical XML 1.1 would have to join.
    """
    found: dict[str, str] = {}
    for ancestor in element.iterancestors():
        for attribute in map(str, ancestor.keys()):
            if attribute.startswith(_XML_PREFIX):
                found.setdefault(attribute, ancestor.get(attribute, ""))
    if name == "c14n11":
        found.pop(XML_ID, None)
        if _XML_BASE in found:
            raise _without_form(name_of(element), "an xml:base above it")
    return found


def token_octets(token: _Element, method: Canonicalization) -> bytes:
    """The canonical form of a token that STR-Transform put in the place of its reference (WSS 1.1 §8.3).

    The default namespace is always written, also where there is none.
    """
    if not method.exclusive:
        return _with_default_namespace(canonical_octets(token, method))
    prefixes = tuple(dict.fromkeys((*method.prefixes, "")))
    return _with_default_namespace(canonical_octets(token, Canonicalization(method.name, prefixes)))


def _with_default_namespace(octets: bytes) -> bytes:
    tag_end = octets.index(b">")
    if b' xmlns="' in octets[:tag_end]:
        return octets
    name_end = min(at for at in (octets.find(b" "), tag_end) if at >= 0)
    return octets[:name_end] + b' xmlns=""' + octets[name_end:]


def certificate_octets(certificate: bytes, prefix: str | None) -> bytes:
    """The canonical form of the wsse:BinarySecurityToken that stands for a certificate outside of the message.

    WSS 1.1 §8.3: its prefix is that of the reference, its EncodingType is left out.

    Args:
        certificate: in DER.
        prefix: of the wsse:SecurityTokenReference; None where it has none.
    """
    name = f"{prefix}:BinarySecurityToken" if prefix else "BinarySecurityToken"
    spaces = f'xmlns="" xmlns:{prefix}="{WSSE}"' if prefix else f'xmlns="{WSSE}"'
    value = base64.b64encode(certificate).decode("ascii")
    return f'<{name} {spaces} ValueType="{X509_V3}">{value}</{name}>'.encode()
