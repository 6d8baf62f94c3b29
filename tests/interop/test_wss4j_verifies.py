"""WSS4J can be asked what it makes of a message: of its own, of node-soap's, and of one that was changed."""

import pytest

from tests.interop.java import Refused, Wss4j
from tests.interop.judging import replaced
from tests.interop.node import NodeSoap
from tests.interop.pki import Pki
from tests.interop.serving import Wire, answering, serving
from tests.messages import NOW, SOAP11, WSU, envelope

SIGNED = [f"{{{SOAP11}}}Body", f"{{{WSU}}}Timestamp"]


@pytest.mark.parametrize(
    "identifier", ["DirectReference", "PKIPath", "X509KeyIdentifier", "IssuerSerial", "Thumbprint"]
)
def test_its_own_message_is_accepted_unless_it_was_changed(wss4j: Wss4j, identifier: str) -> None:
    message = wss4j.sign(envelope(None), NOW, identifier=identifier)
    assert wss4j.verify(message) == SIGNED
    with pytest.raises(Refused, match=r"^FailedCheck: "):
        wss4j.verify(replaced(message, b"hello", b"hullo"))


def test_a_message_of_node_soap_is_accepted_unless_it_was_changed(wss4j: Wss4j, nodesoap: NodeSoap, pki: Pki) -> None:
    wire = Wire(answering)
    with serving(wire) as url:
        nodesoap.call(url, "hello")
    (message,) = wire.sent
    assert wss4j.verify(message) == SIGNED
    with pytest.raises(Refused, match=r"^FailedCheck: "):
        wss4j.verify(replaced(message, b"hello", b"hullo"))


@pytest.mark.parametrize("signer", ["foreign", "expired"])
def test_a_certificate_that_is_no_good_is_refused(wss4j: Wss4j, signer: str) -> None:
    with pytest.raises(Refused):
        wss4j.verify(wss4j.sign(envelope(None), NOW, signer=signer))
