"""From a fault to what the peer gets: SOAP 1.1 §4.4 or SOAP 1.2 part 1 §5.4, in constant text and an incident."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, Literal

from lxml import etree
from lxml.builder import ElementMaker

from wsguard.faults import Fault, InvalidSecurity, SecurityFault, StoreUnavailable
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, SoapVersion
from wsguard.names import WSSE, XML

RETRY_AFTER: Final = 5
"""Seconds after which a peer may try again while a store is away."""

Detail = Literal["unified", "standard", "detailed"]
_SOAP12_CODES: Final = {"Client": "Sender", "Server": "Receiver"}


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """A fault ready for HTTP."""

    code: str
    """The fault code as the peer sees it, for the audit."""
    status: HTTPStatus
    headers: tuple[tuple[str, str], ...]
    octets: bytes

    def with_octets(self, octets: bytes) -> "FaultAnswer":
        """The same fault in other octets."""
        headers = tuple((n, str(len(octets)) if n == "Content-Length" else value) for n, value in self.headers)
        return replace(self, octets=octets, headers=headers)


def answer(fault: Fault, version: SoapVersion, incident: str, detail: Detail) -> FaultAnswer:
    """Render ``fault`` for the peer.

    Args:
        fault: why the request is refused.
        version: SOAP version of the request, or that of its Content-Type where no envelope was read.
        incident: identifier under which the audit has the truth.
        detail: ``unified`` gives one code and sentence for whatever the Security header did wrong; ``detailed`` names
            the check.
    """
    shown: type[Fault] = InvalidSecurity if detail == "unified" and isinstance(fault, SecurityFault) else type(fault)
    told = f" ({fault.check})" if detail == "detailed" else ""
    text = f"{shown.sentence}{told} [{incident}]"
    render = _soap11 if version is SOAP_1_1 else _soap12
    octets = etree.tostring(render(shown, text), encoding="UTF-8", xml_declaration=True)
    headers = [
        ("Content-Type", f"{version.content_type}; charset=utf-8"),
        ("Content-Length", str(len(octets))),
        ("Cache-Control", "no-store"),
    ]
    if isinstance(fault, StoreUnavailable):
        headers.append(("Retry-After", str(RETRY_AFTER)))
    code = f"wsse:{shown.code}" if shown.namespace == WSSE else f"soap:{shown.code}"
    return FaultAnswer(code, _status(fault, version), tuple(headers), octets)


def _status(fault: Fault, version: SoapVersion) -> HTTPStatus:
    """SOAP 1.1 §6.2 sends every fault with 500; SOAP 1.2 part 2 §7.4.2 a Sender's with 400."""
    if isinstance(fault, StoreUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if fault.status is not None:
        return fault.status
    senders = fault.code == "Client" or fault.namespace is not None
    return HTTPStatus.BAD_REQUEST if version is not SOAP_1_1 and senders else HTTPStatus.INTERNAL_SERVER_ERROR


def _soap11(shown: type[Fault], text: str) -> etree._Element:
    soap = ElementMaker(namespace=SOAP_1_1.namespace, nsmap={"soap": SOAP_1_1.namespace, "wsse": WSSE})
    plain = ElementMaker()
    code = f"{'wsse' if shown.namespace == WSSE else 'soap'}:{shown.code}"
    return soap.Envelope(soap.Body(soap.Fault(plain.faultcode(code), plain.faultstring(text))))


def _soap12(shown: type[Fault], text: str) -> etree._Element:
    soap = ElementMaker(namespace=SOAP_1_2.namespace, nsmap={"soap": SOAP_1_2.namespace, "wsse": WSSE})
    if shown.namespace == WSSE:
        code = soap.Code(soap.Value("soap:Sender"), soap.Subcode(soap.Value(f"wsse:{shown.code}")))
    else:
        code = soap.Code(soap.Value(f"soap:{_SOAP12_CODES.get(shown.code, shown.code)}"))
    reason = soap.Reason(soap.Text(text, {f"{{{XML}}}lang": "en"}))
    return soap.Envelope(soap.Body(soap.Fault(code, reason)))
