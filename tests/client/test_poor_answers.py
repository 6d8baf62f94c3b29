"""Answers that lack something, or say that something went wrong (FACTS, classes G, J and K the other way round)."""

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from lxml import etree

from tests.client.echo import answer, enveloped, fault
from tests.client.exchanging import Exchange, encrypted_for_us
from tests.client.serving import CLIENT, OTHER, SERVER, STRANGER, opening
from tests.messages import NOW, SOAP11, SOAP12, WSSE, timestamp
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, unsigned
from wsguard.client import Sent, UnverifiedFault, UsernameCredentials, verify_answer
from wsguard.names import BINARY_SECURITY_TOKEN, ENCRYPTED_HEADER
from wsguard.policy.demands import AlgorithmDemands, LegacyPermission, TimestampDemands


class TestWithLessThanDemanded:
    def test_it_is_not_signed(self) -> None:
        exchange = Exchange()
        assert exchange.refused(exchange.answer(by=None)).check == "signature.missing"

    def test_nothing_is_in_its_header(self) -> None:
        exchange = Exchange()
        assert exchange.refused(enveloped(answer("hello"))).check == "security.missing"

    @pytest.mark.parametrize("parts", [("Body",), ("Timestamp",)])
    def test_only_some_of_it_is_signed(self, parts: tuple[str, ...]) -> None:
        exchange = Exchange()
        assert exchange.refused(exchange.answer(signed_parts=parts)).check == "signature.coverage"

    def test_it_has_no_timestamp(self) -> None:
        exchange = Exchange()
        octets = exchange.answer(timestamp=None, signed_parts=("Body",))
        assert exchange.refused(octets).check == "timestamp.missing"

    def test_it_is_not_encrypted(self) -> None:
        exchange = Exchange(decrypt=(opening(CLIENT),), encrypted_parts=("Body",))
        assert exchange.refused(exchange.answer()).check == "encryption.missing"

    def test_something_else_is_encrypted(self) -> None:
        exchange = Exchange(decrypt=(opening(CLIENT),), encrypted_parts=("Body",))
        octets = exchange.answer(**encrypted_for_us(encrypted_parts=("Signature",)))
        assert exchange.refused(octets).check == "encryption.coverage"

    def test_it_is_encrypted_for_somebody_else(self) -> None:
        exchange = Exchange(decrypt=(opening(CLIENT),), encrypted_parts=("Body",))
        assert exchange.refused(exchange.answer(encrypt_for=OTHER.certificate)).check == "encryption.key"

    @pytest.mark.parametrize(
        ("changes", "check"),
        [
            ({"signature_algorithm": "rsa-sha1"}, "signature.algorithm"),
            ({"digest": "sha1"}, "signature.algorithm"),
            (encrypted_for_us(encryption="aes256-cbc"), "encryption.algorithm"),
            (encrypted_for_us(key_transport="rsa-1_5"), "encryption.algorithm"),
        ],
    )
    def test_its_algorithms_are_weaker(self, changes: dict[str, Any], check: str) -> None:
        exchange = Exchange(decrypt=(opening(CLIENT),))
        assert exchange.refused(exchange.answer(**changes)).check == check

    def test_it_carries_a_username_token(self) -> None:
        exchange = Exchange()
        octets = exchange.answer(username=UsernameCredentials("alice", "secret-of-hers"))
        assert exchange.refused(octets).check == "security.unknown_token"

    def test_only_other_clients_are_permitted_its_algorithms(self) -> None:
        def permitting(*clients: str) -> AlgorithmDemands:
            permission = LegacyPermission(algorithm="rsa-sha1", clients=clients, until=NOW.date())
            return AlgorithmDemands(legacy=(permission,))

        exchange = Exchange(algorithms=permitting("somebody"))
        assert exchange.refused(exchange.answer(signature_algorithm="rsa-sha1")).check == "signature.algorithm"
        exchange = Exchange(algorithms=permitting())
        exchange.verify(exchange.answer(signature_algorithm="rsa-sha1"))

    def test_a_header_block_stays_closed(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer())
        etree.SubElement(root[0], ENCRYPTED_HEADER)
        assert exchange.refused(etree.tostring(root)).check == "encryption.malformed"

    def test_a_token_that_nobody_needs_is_of_another_kind(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer())
        etree.SubElement(root[0][0], BINARY_SECURITY_TOKEN, ValueType="urn:kerberos")
        assert exchange.refused(etree.tostring(root)).check == "security.unknown_token"

    def test_there_is_text_in_its_body(self) -> None:
        exchange = Exchange()
        assert exchange.refused(exchange.answer(enveloped("hello"))).check == "envelope.structure"

    @pytest.mark.parametrize(
        "octets",
        [
            b'<!DOCTYPE a [<!ENTITY b "c">]>' + enveloped("<a>&b;</a>"),
            enveloped("<?php evil?>"),
            enveloped("<a/>").replace(b"envelope/", b"elsewhere/"),
            b"<html/>",
            enveloped("<a>" * 100 + "</a>" * 100),
        ],
        ids=["entity", "processing instruction", "other namespace", "page", "depth"],
    )
    def test_it_is_no_message(self, octets: bytes) -> None:
        exchange = Exchange()
        assert exchange.refused(octets).check.startswith(("envelope.", "limits.", "security."))


class TestWhatIsSigned:
    """Answers of a server that makes them otherwise than we do."""

    TYPED = (
        '<a:r xmlns:a="urn:a" xmlns:m="urn:m" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="m:t"/>'
    )

    def signed(self, header: str = "", body: str = TYPED, **signing: Any) -> bytes:
        envelope = unsigned(binary_token(SERVER.certificate), "@SIG-1@", timestamp(), header=header, body=body)
        return sign(envelope, Signing.by(SERVER, **signing))

    def test_has_a_meaning_where_it_stands(self) -> None:
        exchange = Exchange(signature_confirmation=False)
        header = '<w:Wrapper xmlns:w="urn:w"><w:inner wsu:Id="inner"/></w:Wrapper>'
        octets = self.signed(header, "<a/>", parts=(BODY, TIMESTAMP, Part("#inner")))
        assert exchange.refused(octets).check == "signature.coverage"

    def test_has_types_whose_prefix_nobody_could_have_bound_anew(self) -> None:
        exchange = Exchange(signature_confirmation=False)
        assert exchange.refused(self.signed()).check == "signature.coverage"

    def test_has_types_in_a_signed_prefix_list(self) -> None:
        exchange = Exchange(signature_confirmation=False)
        exchange.verify(self.signed(parts=(Part("#body", prefixes="m"), TIMESTAMP)))

    def test_has_types_in_namespaces_that_the_client_expects(self) -> None:
        exchange = Exchange(signature_confirmation=False, namespaces=("urn:m",))
        exchange.verify(self.signed())


class TestUnsigned:
    """What nobody signed, where that is said to be good enough."""

    DEMANDS: ClassVar[dict[str, Any]] = {
        "unsafe_unsigned": True, "signature_confirmation": False, "timestamp": TimestampDemands(use="optional"),
    }  # fmt: skip

    def test_it_is_handed_on_without_its_security_header(self) -> None:
        exchange = Exchange(**self.DEMANDS)
        root = etree.fromstring(
            enveloped(answer("hello"), header=f'<S:Header><w:Security xmlns:w="{WSSE}"/></S:Header>')
        )
        root.set("{urn:x}style", "kept")
        tree = exchange.verify(etree.tostring(root))
        assert (dict(tree.attrib), len(tree[0])) == ({"{urn:x}style": "kept"}, 0)

    def test_its_confirmation_confirms_nothing(self) -> None:
        exchange = Exchange(**self.DEMANDS)
        octets = exchange.answer(by=None, signature_confirmations=(b"x",))
        verified = verify_answer(octets, exchange.security.answers, Sent((b"x",)), NOW)
        assert (verified.confirmed, verified.signer) == (False, None)

    def test_what_is_wrong_with_it_is_wrong_nevertheless(self) -> None:
        exchange = Exchange(**self.DEMANDS)
        assert exchange.refused(exchange.answer().replace(b"hello", b"jello")).check == "signature.digest"
        exchange.ask()
        assert exchange.refused(exchange.answer(by=STRANGER)).check == "certificate.untrusted"
        exchange.ask()
        exchange.clock.now += timedelta(hours=1)
        assert exchange.refused(exchange.answer(by=None, timestamp=timedelta(hours=3))).check == "timestamp.expired"


class TestFaults:
    @pytest.mark.parametrize("soap", [SOAP11, SOAP12])
    def test_an_unsigned_one_is_only_a_claim(self, soap: str) -> None:
        exchange = Exchange()
        refused = exchange.refused(enveloped(fault(soap, "wrong  [incident]\x85x"), soap))
        assert isinstance(refused, UnverifiedFault)
        assert refused.check == "security.missing"
        code = "S:Server" if soap == SOAP11 else "S:Receiver"
        assert (refused.unverified_code, refused.unverified_text) == (code, r"wrong  [incident]\x85x")
        assert str(refused).endswith(
            rf"It is a fault, which nobody vouches for, and says: {code}: wrong  [incident]\x85x"
        )

    def test_an_old_signed_one_is_a_claim_too(self) -> None:
        exchange = Exchange()
        old = exchange.answer(enveloped(fault(SOAP11)))
        exchange.verify(old)
        exchange.ask()
        refused = exchange.refused(old)
        assert isinstance(refused, UnverifiedFault)
        assert refused.check == "confirmation.mismatch"

    def test_a_signed_one_needs_no_encryption(self) -> None:
        exchange = Exchange(decrypt=(opening(CLIENT),), encrypted_parts=("Body",))
        tree = exchange.verify(exchange.answer(enveloped(fault(SOAP11))))
        assert tree.findtext(".//faultstring") == "asked for"

    def test_what_is_no_fault_is_told_apart(self) -> None:
        exchange = Exchange()
        assert not isinstance(exchange.refused(enveloped(answer("hello"))), UnverifiedFault)
