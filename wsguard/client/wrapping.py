"""What a request is made of: an Envelope as it is, or what belongs into the Body of one."""

from typing import Final

from lxml import etree

from wsguard.faults import Fault
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, SoapVersion
from wsguard.message.lexical import name_of
from wsguard.message.parse import parse
from wsguard.policy.surroundings import Limits

_VERSIONS: Final = {f"{{{version.namespace}}}Envelope": version for version in (SOAP_1_1, SOAP_1_2)}
_CHARSETS: Final = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")


def enveloped(octets: bytes, version: SoapVersion, limits: Limits) -> tuple[bytes, SoapVersion]:
    """A SOAP message, and its version.

    Args:
        octets: an Envelope, or an element for the Body of one.
        version: of the Envelope that is made.
        limits: bounds on ``octets``.

    Raises:
        ValueError: it is no XML within the limits, or an Envelope of the other version.
    """
    try:
        root = parse(octets, None, _CHARSETS, limits).root
    except Fault as fault:
        raise ValueError(f"{fault.check}: {fault.seen}; expected {fault.expected}") from None
    written = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    own = _VERSIONS.get(name_of(root))
    if own is None:
        soap = version.namespace.encode()
        return b'<S:Envelope xmlns:S="%b"><S:Body>%b</S:Body></S:Envelope>' % (soap, written), version
    if own is SOAP_1_1 and version is SOAP_1_2:
        raise ValueError("this is an Envelope of SOAP 1.1")
    return written, own
