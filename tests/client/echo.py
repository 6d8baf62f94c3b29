"""A SOAP service that says back what it was told, and its WSDL for SOAP 1.1 and 1.2. Without spyne."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.sax.saxutils import escape

from lxml import etree

from tests.messages import SOAP11, SOAP12

ADDRESS = "http://localhost/soap"
FAILS = "please fail"
"""What it answers by a fault of its own."""

WSDL = f"""\
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:s11="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/"
    xmlns:e="urn:echo" targetNamespace="urn:echo">
  <wsdl:types>
    <xs:schema targetNamespace="urn:echo" elementFormDefault="qualified">
      <xs:element name="Echo">
        <xs:complexType><xs:sequence><xs:element name="text" type="xs:string"/></xs:sequence></xs:complexType>
      </xs:element>
      <xs:element name="EchoResponse">
        <xs:complexType><xs:sequence><xs:element name="text" type="xs:anyType"/></xs:sequence></xs:complexType>
      </xs:element>
    </xs:schema>
  </wsdl:types>
  <wsdl:message name="Echo"><wsdl:part name="parameters" element="e:Echo"/></wsdl:message>
  <wsdl:message name="EchoResponse"><wsdl:part name="parameters" element="e:EchoResponse"/></wsdl:message>
  <wsdl:portType name="Port">
    <wsdl:operation name="Echo"><wsdl:input message="e:Echo"/><wsdl:output message="e:EchoResponse"/></wsdl:operation>
  </wsdl:portType>
  {
    "".join(
        f'''
  <wsdl:binding name="Binding{number}" type="e:Port">
    <s{number}:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="Echo">
      <s{number}:operation soapAction="urn:echo:Echo" style="document"/>
      <wsdl:input><s{number}:body use="literal"/></wsdl:input>
      <wsdl:output><s{number}:body use="literal"/></wsdl:output>
    </wsdl:operation>
  </wsdl:binding>'''
        for number in (11, 12)
    )
}
  <wsdl:service name="Service">
    <wsdl:port name="Port11" binding="e:Binding11"><s11:address location="{ADDRESS}"/></wsdl:port>
    <wsdl:port name="Port12" binding="e:Binding12"><s12:address location="{ADDRESS}"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>
"""
PORTS = {"1.1": "Port11", "1.2": "Port12"}
NAMESPACES = {"1.1": SOAP11, "1.2": SOAP12}


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application."""
    root = etree.fromstring(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    soap = etree.QName(root).namespace or ""
    text = root[-1][0][0].text or ""
    status, body = ("500 Internal Server Error", fault(soap)) if text == FAILS else ("200 OK", answer(text))
    start_response(status, [("Content-Type", "text/xml" if soap == SOAP11 else "application/soap+xml")])
    return [enveloped(body, soap)]


def answer(text: str) -> str:
    """What is in the Body of an answer: typed by a prefix that is bound on the Envelope only."""
    return f'<e:EchoResponse xmlns:e="urn:echo"><e:text xsi:type="xs:string">{escape(text)}</e:text></e:EchoResponse>'


def fault(soap: str, text: str = "asked for") -> str:
    """A fault of the application's own."""
    if soap == SOAP11:
        return f"<S:Fault><faultcode>S:Server</faultcode><faultstring>{text}</faultstring></S:Fault>"
    return (
        "<S:Fault><S:Code><S:Value>S:Receiver</S:Value></S:Code>"
        f'<S:Reason><S:Text xml:lang="en">{text}</S:Text></S:Reason></S:Fault>'
    )


def enveloped(body: str, soap: str = SOAP11, header: str = "") -> bytes:
    """An envelope around ``body``."""
    return (
        f'<S:Envelope xmlns:S="{soap}" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{header}<S:Body>{body}</S:Body></S:Envelope>'
    ).encode()
