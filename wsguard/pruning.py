"""The envelope that the application gets: the parsed tree without what was not verified, serialised by us."""

from collections.abc import Collection
from io import BytesIO

from lxml import etree
from lxml.etree import _Element

from wsguard.message.envelope import Envelope


def without(envelope: Envelope, *, security: bool, unsigned: Collection[_Element] | None = None) -> bytes:
    """The octets to hand on, in UTF-8 without XML declaration.

    Nothing that stays is moved, so prefixes in content keep their bindings. Security headers for other actors never
    stay.

    Args:
        envelope: the message; it is changed.
        security: take our own Security header out too.
        unsigned: header blocks and tokens to take out; with them go the attributes of Envelope and Header, which no
            signature covers. None: no signature was demanded, and everything else stays.
    """
    dropped = [*envelope.foreign_security, *(unsigned or ())]
    if security and envelope.security is not None:
        dropped.append(envelope.security)
    if unsigned is not None:
        for element in (envelope.root, envelope.header):
            if element is not None:
                element.attrib.clear()
    for element in dropped:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    return _written(envelope.root)


def _written(root: _Element) -> bytes:
    # Not tostring(): that has the octets twice, libxml2's and ours, and room for as many again.
    octets = BytesIO()
    etree.ElementTree(root).write(octets, encoding="UTF-8", xml_declaration=False)
    return octets.getvalue()
