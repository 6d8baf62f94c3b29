"""Answers to another request, or by somebody else (FACTS, classes D, E and L the other way round)."""

from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from tests.client.echo import answer, enveloped
from tests.client.exchanging import TRUSTED, Exchange
from tests.client.serving import CLIENT, OTHER, ROOT, SERVER, STRANGER, opening, plan
from tests.messages import NOW
from tests.pki import authority, rsa_key
from wsguard.client import AnswerRefused, Material, NotSecurable, secure_request, verify_answer
from wsguard.names import SIGNATURE_CONFIRMATION
from wsguard.policy.demands import TrustDemands
from wsguard.policy.surroundings import Limits
from wsguard.trust.revocation import read_list


class TestOfAnotherRequest:
    def test_an_old_answer_comes_again(self) -> None:
        exchange = Exchange()
        old = exchange.answer()
        exchange.verify(old)
        exchange.ask()
        refused = exchange.refused(old)
        assert (refused.check, refused.seen) == ("confirmation.mismatch", "another one")

    def test_without_confirmation_it_would_be_taken_within_the_window(self) -> None:
        exchange = Exchange(signature_confirmation=False)
        old = exchange.answer(signature_confirmations=None)
        exchange.verify(old)
        exchange.ask()
        exchange.verify(old)

    def test_a_confirmation_that_is_not_demanded_is_right_nevertheless(self) -> None:
        exchange = Exchange(signature_confirmation=False)
        assert exchange.refused(exchange.answer(signature_confirmations=(b"x",))).check == "confirmation.mismatch"

    @pytest.mark.parametrize(
        ("values", "check"), [(None, "confirmation.missing"), ((), "confirmation.mismatch")], ids=["missing", "empty"]
    )
    def test_it_confirms_nothing(self, values: tuple[bytes, ...] | None, check: str) -> None:
        exchange = Exchange()
        assert exchange.refused(exchange.answer(signature_confirmations=values)).check == check

    def test_an_unsigned_confirmation_is_put_in(self) -> None:
        exchange = Exchange()
        root = etree.fromstring(exchange.answer(signature_confirmations=None))
        right = etree.fromstring(exchange.answer()).find(f".//{SIGNATURE_CONFIRMATION}")
        assert right is not None
        root[0][0].append(right)
        assert exchange.refused(etree.tostring(root)).check == "signature.coverage"

    def test_a_request_without_signature_is_confirmed_by_none(self) -> None:
        exchange = Exchange(plan(sign=None, encrypt_for=None))
        assert exchange.refused(exchange.answer(signature_confirmations=(b"x",))).check == "confirmation.mismatch"
        exchange.ask()
        exchange.verify(exchange.answer(signature_confirmations=()))

    @pytest.mark.parametrize(
        ("later", "check"), [(301, "timestamp.expired"), (-61, "timestamp.not_yet_valid"), (299, "")]
    )
    def test_it_comes_too_late_or_too_early(self, later: int, check: str) -> None:
        exchange = Exchange()
        octets = exchange.answer(timestamp=timedelta(minutes=30))
        exchange.clock.now += timedelta(seconds=later)
        if check:
            assert exchange.refused(octets).check == check
        else:
            exchange.verify(octets)

    def test_no_request_waits_for_one(self) -> None:
        exchange = Exchange()
        octets = exchange.answer()
        exchange.verify(octets)
        refused = exchange.refused(octets)
        assert refused.seen == "no request that waits for one in this thread or task"

    def test_the_request_of_another_object_waits(self) -> None:
        one = Exchange()
        octets = one.answer()
        another = Exchange()
        assert one.refused(octets).seen == "no request that waits for one in this thread or task"
        assert another.refused(octets).seen == "no request that waits for one in this thread or task"

    def test_a_request_that_could_not_be_secured_waits_for_nothing(self) -> None:
        exchange = Exchange()
        octets = exchange.answer()
        with pytest.raises(NotSecurable):
            exchange.security.apply(etree.fromstring("<a/>"), {})
        assert exchange.refused(octets).seen == "no request that waits for one in this thread or task"

    def test_a_signature_that_was_sent_encrypted_cannot_be_confirmed(self) -> None:
        request = secure_request(enveloped(answer("x")), plan(encrypted_parts=("Body", "Signature")), NOW, Limits())
        assert request.sent.signature_values is None
        exchange = Exchange()
        with pytest.raises(AnswerRefused, match="whose value nobody here knows"):
            verify_answer(exchange.answer(), exchange.security.answers, request.sent, NOW)


class TestBySomebodyElse:
    @pytest.mark.parametrize("decrypt", [(), (opening(CLIENT),)], ids=["signs only", "opens too"])
    def test_our_own_request_comes_back(self, decrypt: tuple[Any, ...]) -> None:
        exchange = Exchange(plan(encrypt_for=None, username=None, signed_parts=("Body", "Timestamp")), decrypt=decrypt)
        refused = exchange.refused(etree.tostring(exchange.request))
        assert (refused.check, "our own" in refused.seen) == ("certificate.untrusted", True)

    def test_our_own_key_answers(self) -> None:
        exchange = Exchange()
        assert exchange.refused(exchange.answer(by=CLIENT)).check == "certificate.untrusted"

    def test_our_own_encrypted_request_comes_back(self) -> None:
        request = plan(username=None, signed_parts=("Body", "Timestamp"))
        exchange = Exchange(request, decrypt=(opening(CLIENT),), encrypted_parts=("Body",))
        assert exchange.refused(etree.tostring(exchange.request)).check == "encryption.key"

    def test_the_key_that_opens_answers_signs_one(self) -> None:
        exchange = Exchange(decrypt=(opening(OTHER),))
        refused = exchange.refused(exchange.answer(by=OTHER))
        assert (refused.check, refused.seen) == ("certificate.untrusted", "our own key reflected")

    def test_another_client_of_the_same_authority_answers(self) -> None:
        exchange = Exchange(server_certificate=SERVER.certificate)
        refused = exchange.refused(exchange.answer(by=OTHER))
        assert (refused.check, refused.seen) == ("certificate.untrusted", "that of CN=Other Client")
        exchange.ask()
        exchange.verify(exchange.answer())

    def test_or_one_whose_subject_is_not_the_servers(self) -> None:
        exchange = Exchange(trust=TrustDemands(subject_cert_constraints=("CN=Server",)))
        assert exchange.refused(exchange.answer(by=OTHER)).check == "certificate.constraint"
        exchange.ask()
        exchange.verify(exchange.answer())

    def test_a_stranger_answers(self) -> None:
        exchange = Exchange()
        assert exchange.refused(exchange.answer(by=STRANGER)).check == "certificate.untrusted"

    def test_a_pinned_server_needs_no_authority_and_nobody_else_is_taken(self) -> None:
        exchange = Exchange(trusted=Material(), server_certificate=STRANGER.certificate)
        exchange.verify(exchange.answer(by=STRANGER))
        exchange.ask()
        assert exchange.refused(exchange.answer()).check == "certificate.untrusted"

    def test_with_an_authority_the_one_certificate_needs_a_chain_too(self) -> None:
        exchange = Exchange(server_certificate=STRANGER.certificate)
        assert exchange.refused(exchange.answer(by=STRANGER)).check == "certificate.untrusted"

    def test_the_same_names_under_another_root(self) -> None:
        twin = authority("Root", key=rsa_key(8)).leaf("Server", key=rsa_key(7))
        exchange = Exchange()
        assert exchange.refused(exchange.answer(by=twin)).check == "certificate.untrusted"

    def test_a_revoked_server(self) -> None:
        revoked = read_list(ROOT.crl(SERVER), (ROOT.certificate,))
        exchange = Exchange(trusted=Material(anchors=TRUSTED.anchors, lists=(revoked,)))
        assert exchange.refused(exchange.answer()).check == "certificate.revoked"

    def test_two_signatures_of_which_one_is_anothers(self) -> None:
        exchange = Exchange(server_certificate=SERVER.certificate)
        root = etree.fromstring(exchange.answer())
        other = etree.fromstring(exchange.answer(enveloped(answer("other")), by=OTHER))
        for element in other[0][0]:
            if etree.QName(element).localname in ("BinarySecurityToken", "Signature"):
                root[0][0].append(element)
        assert exchange.refused(etree.tostring(root)).check in ("signature.reference", "certificate.untrusted")
