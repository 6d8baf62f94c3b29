"""What becomes of bad answers in zeep itself: it raises, and no plugin of it sees anything."""

import io
import sys
from typing import Any

import pytest
import zeep.exceptions

from tests.client.echo import WSDL
from tests.client.serving import STRANGER, Live, answers, opening, plan, respond, signing
from wsguard.client import AnswerRefused, NotSecurable, UnverifiedFault, zeep_transport


class TestThroughZeep:
    """A guard, a client, and somebody between."""

    @pytest.mark.parametrize("version", ["1.1", "1.2"])
    def test_a_guard_that_cannot_tell_whose_a_request_is(self, service: Live, version: str) -> None:
        stranger = plan(sign=signing(STRANGER))
        expected = answers(decrypt=(opening(STRANGER),))
        with pytest.raises(UnverifiedFault) as caught:
            service.client(service.security(stranger, expected)).echo("hello", version)
        (record,) = service.guarded.records
        assert record.check == "certificate.untrusted"
        assert caught.value.unverified_text.endswith(f"[{record.incident}]")
        assert caught.value.unverified_code == "wsse:InvalidSecurity"

    def test_nothing_of_a_changed_answer_reaches_zeep(self, service: Live) -> None:
        seen: list[Any] = []

        class Watching(zeep.Plugin):
            def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> None:
                seen.append(envelope)

        client = service.client(service.security(), lambda octets: octets.replace(b"SignatureValue>", b"SignatureX>"))
        client.zeep.plugins.append(Watching())
        with pytest.raises(Exception, match=r"the answer is refused \(signature\.malformed\)"):
            client.echo()
        assert seen == []
        client.wire.change = bytes
        assert client.echo("again") == "again"
        assert len(seen) == 1

    def test_the_answer_to_the_last_call_for_this_one(self, service: Live) -> None:
        client = service.client(service.security())
        assert client.echo("first") == "first"
        client.wire.change = lambda _: client.wire.received[0]
        with pytest.raises(Exception, match=r"confirmation\.mismatch"):
            client.echo("second")

    def test_nothing_was_sent_that_could_not_be_secured(self, service: Live) -> None:
        client = service.client(service.security(plan(signed_parts=("Body", "{urn:not}There"))))
        with pytest.raises(NotSecurable):
            client.echo()
        assert client.wire.sent == []

    @pytest.mark.parametrize(
        ("status", "headers", "octets", "check"),
        [
            ("202 Accepted", {"Content-Type": "text/xml"}, b"", "envelope.malformed"),
            (
                "200 OK",
                {"Content-Type": 'Multipart/Related; boundary="a"'},
                b"--a\r\n\r\nx\r\n--a--",
                "http.content_type",
            ),
        ],
        ids=["empty", "attachments"],
    )
    def test_what_zeep_asks_nobody_about(
        self,
        service: Live,
        monkeypatch: pytest.MonkeyPatch,
        status: str,
        headers: dict[str, str],
        octets: bytes,
        check: str,
    ) -> None:
        made = respond(int(status[:3]), headers, octets)
        transport: Any = zeep_transport()
        monkeypatch.setattr(type(transport).__mro__[1], "post", lambda *_: made)
        client = zeep.Client(io.BytesIO(WSDL.encode()), wsse=service.security(), transport=transport)  # type: ignore[no-untyped-call]
        with pytest.raises(AnswerRefused) as caught:
            client.service.Echo(text="hello")
        assert caught.value.check == check
        transport.session.close()


def test_zeep_is_missed_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeep.transports", None)
    with pytest.raises(ImportError, match=r'pip install "wsguard\[client\]"'):
        zeep_transport()
