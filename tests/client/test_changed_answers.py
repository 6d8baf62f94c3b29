"""Answers that somebody on the way changed (FACTS, classes A, B and L the other way round). zeep gets nothing."""

import re

import pytest
from lxml import etree

from tests.client.echo import answer, enveloped, fault
from tests.client.exchanging import Exchange, encrypted_for_us, names, within
from tests.client.serving import CLIENT, opening
from tests.messages import DS, SOAP11, SOAP12, WSSE, WSU, XENC
from wsguard.names import XSD


def test_an_honest_answer_is_taken() -> None:
    exchange = Exchange()
    tree = exchange.verify(exchange.answer())
    assert tree.findtext(".//{urn:echo}text") == "hello"
    assert names(list(tree)) == ["Header", "Body"]
    assert len(tree[0]) == 0


class TestTheAnswerWasChanged:
    def test_its_body(self) -> None:
        exchange = Exchange()
        octets = exchange.answer()
        assert exchange.refused(octets.replace(b"hello", b"jello")).check == "signature.digest"

    @pytest.mark.parametrize("name", ["Created", "Expires"])
    def test_its_timestamp(self, name: str) -> None:
        exchange = Exchange()
        octets = re.sub(rb"(<wsu:%b>.*?)\.000Z" % name.encode(), rb"\1.001Z", exchange.answer())
        assert exchange.refused(octets).check == "signature.digest"

    def test_its_confirmation(self) -> None:
        exchange = Exchange()
        octets = re.sub(rb'Value="....', b'Value="AAAA', exchange.answer())
        assert exchange.refused(octets).check == "signature.digest"

    @pytest.mark.parametrize("place", ["EncryptedKey", "EncryptedData"])
    def test_what_is_encrypted(self, place: str) -> None:
        exchange = Exchange(decrypt=(opening(CLIENT),), encrypted_parts=("Body",))
        root = etree.fromstring(exchange.answer(**encrypted_for_us()))
        value = root.find(f".//{{{XENC}}}{place}/{{{XENC}}}CipherData/{{{XENC}}}CipherValue")
        assert value is not None
        assert value.text is not None
        value.text = value.text[:8] + ("A" if value.text[8] != "A" else "B") + value.text[9:]
        assert exchange.refused(etree.tostring(root)).check == "encryption.failed"

    @pytest.mark.parametrize(
        ("what", "check"),
        [
            ("Signature", "signature.missing"),
            ("Timestamp", "signature.reference"),
            ("SignatureConfirmation", "signature.reference"),
            ("BinarySecurityToken", "certificate.unavailable"),
        ],
    )
    def test_something_was_taken_out(self, what: str, check: str) -> None:
        exchange = Exchange()
        root, element = within(exchange.answer(), "Header", "Security", what)
        root[0][0].remove(element)
        assert exchange.refused(etree.tostring(root)).check == check

    def test_the_whole_security_header_was_taken_out(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer())
        root.remove(root[0])
        assert exchange.refused(etree.tostring(root)).check == "security.missing"

    def test_the_security_header_became_somebody_elses(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer())
        root[0][0].set(f"{{{SOAP11}}}actor", "urn:somebody")
        assert exchange.refused(etree.tostring(root)).check == "security.missing"

    def test_it_became_of_the_other_version_of_soap(self) -> None:
        exchange = Exchange()
        octets = exchange.answer().replace(SOAP11.encode(), SOAP12.encode())
        assert exchange.refused(octets).check == "signature.digest"

    def test_a_prefix_of_a_type_was_bound_anew(self) -> None:
        exchange = Exchange()
        octets = exchange.answer().replace(b'xmlns:xs="http://www.w3.org/2001/XMLSchema"', b'xmlns:xs="urn:evil"')
        assert exchange.refused(octets).check == "signature.digest"

    def test_a_prefix_of_a_type_was_bound_anew_above_where_it_is_bound_rightly(self) -> None:
        exchange = Exchange()
        right = f'xmlns:xs="{XSD}"'
        above = exchange.answer().replace(right.encode(), f'xmlns:other="{XSD}" xmlns:xs="urn:evil"'.encode(), 1)
        tree = exchange.verify(above.replace(b"<S:Body", f"<S:Body {right}".encode(), 1))
        assert tree.nsmap["xs"] == "urn:evil"
        (text,) = tree.iter("{urn:echo}text")
        assert text.nsmap["xs"] == XSD

    def test_unsigned_blocks_and_attributes_are_not_handed_on(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer())
        root.set("evil", "1")
        root[0].set("evil", "2")
        etree.SubElement(root[0], "{urn:evil}Session").text = "mine"
        tree = exchange.verify(etree.tostring(root))
        assert b"evil" not in re.sub(rb'xmlns:\w+="urn:evil"', b"", etree.tostring(tree))


class TestWrapping:
    """The signed Body, Timestamp and confirmation somewhere else, and others in their places."""

    @pytest.mark.parametrize("holder", ["Header", "Security", "Body", "Object"])
    @pytest.mark.parametrize("identifier", ["other", "none", "same"])
    def test_of_the_body(self, holder: str, identifier: str) -> None:
        exchange = Exchange()
        root, body = within(exchange.answer(), "Body")
        evil = etree.SubElement(root, f"{{{SOAP11}}}Body")
        evil.append(etree.fromstring(enveloped(answer("evil")))[0][0])
        if identifier != "none":
            evil.set(f"{{{WSU}}}Id", "evil" if identifier == "other" else body.get(f"{{{WSU}}}Id", ""))
        places = {"Header": root[0], "Security": root[0][0], "Body": evil, "Object": root[0][0][-1]}
        wrapper = etree.SubElement(places[holder], f"{{{DS}}}Object" if holder == "Object" else "{urn:evil}Wrapper")
        wrapper.append(body)
        assert exchange.refused(etree.tostring(root)).check in {
            "envelope.duplicate_id", "signature.coverage", "signature.malformed", "security.unknown_token",
        }  # fmt: skip

    @pytest.mark.parametrize("what", ["Timestamp", "SignatureConfirmation"])
    def test_of_what_is_in_the_security_header(self, what: str) -> None:
        exchange = Exchange()
        root, signed = within(exchange.answer(), "Header", "Security", what)
        evil = etree.fromstring(etree.tostring(signed))
        evil.set(f"{{{WSU}}}Id", "evil")
        root[0][0].insert(0, evil)
        etree.SubElement(root[0], "{urn:evil}Wrapper").append(signed)
        assert exchange.refused(etree.tostring(root)).check == "signature.coverage"

    def test_of_a_whole_envelope(self) -> None:
        exchange = Exchange()
        outer = etree.fromstring(enveloped(answer("evil"), header="<S:Header/>"))
        inner = etree.fromstring(exchange.answer())
        outer[0].append(inner[0][0])
        etree.SubElement(outer[0], "{urn:evil}Wrapper").append(inner)
        assert exchange.refused(etree.tostring(outer)).check == "signature.coverage"

    def test_two_bodies(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer())
        root.insert(1, etree.fromstring(enveloped(answer("evil")))[0])
        assert exchange.refused(etree.tostring(root)).check == "envelope.structure"

    def test_a_second_security_header(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer())
        root[0].append(etree.fromstring(f'<w:Security xmlns:w="{WSSE}"/>'))
        assert exchange.refused(etree.tostring(root)).check == "security.duplicate"

    def test_a_fault_beside_the_answer(self) -> None:
        exchange = Exchange()
        octets = exchange.answer(enveloped(answer("hello") + fault(SOAP11)))
        assert exchange.refused(octets).check == "envelope.structure"

    def test_references_into_what_is_not_there(self) -> None:
        exchange = Exchange()
        octets = exchange.answer(enveloped('<e:EchoResponse xmlns:e="urn:echo"><e:text href="#a"/></e:EchoResponse>'))
        assert exchange.refused(octets).check == "envelope.structure"


@pytest.mark.parametrize(
    "body",
    [
        "",
        ' \n <a xmlns="urn:a" b="1"> mixed <b xmlns=""/> tail </a>\n ',
        '<x:a xmlns:x="urn:x" x:t="xs:int"><y xmlns="urn:y" xsi:type="xs:int">1</y>&#13;&#x85;&lt;&amp;</x:a>',
        '<a xmlns="urn:a"><p:b xmlns:p="urn:a" xsi:type="p:c" p:d="1"><q:e xmlns:q="urn:a">q:f</q:e></p:b></a>',
        '<a xmlns="urn:a" id="i"/><b xmlns="urn:b"/>',
        '<a xmlns="urn:a"><r href="#i"/></a><m id="i" xmlns="urn:m">shared</m>',
        "<a xmlns='urn:a'><![CDATA[<x/>]]><b>" + "ż" * 2000 + "</b></a>",
    ],
)
@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_handed_on_is_what_was_answered(body: str, encrypted: bool) -> None:
    exchange = Exchange(decrypt=(opening(CLIENT),))
    sent = enveloped(body)
    tree = exchange.verify(exchange.answer(sent, **(encrypted_for_us() if encrypted else {})))
    body_of = etree.fromstring(sent)[-1]
    tree[-1].attrib.pop(f"{{{WSU}}}Id")
    assert etree.tostring(tree[-1], method="c14n", exclusive=True) == etree.tostring(
        body_of, method="c14n", exclusive=True
    )
    for ours, theirs in zip(tree[-1].iter(), body_of.iter(), strict=True):
        assert ours.nsmap.items() >= theirs.nsmap.items()
