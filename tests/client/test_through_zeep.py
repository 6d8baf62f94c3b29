"""What becomes of bad answers in zeep itself: it raises, and no plugin of it sees anything."""

import gzip
import io
import sys
from typing import Any

import pytest
import zeep.exceptions
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from tests.client.echo import ADDRESS, WSDL, answer, enveloped
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
        monkeypatch.setattr(transport, "post", lambda *_: made)
        client = zeep.Client(io.BytesIO(WSDL.encode()), wsse=service.security(), transport=transport)  # type: ignore[no-untyped-call]
        with pytest.raises(AnswerRefused) as caught:
            client.service.Echo(text="hello")
        assert caught.value.check == check
        transport.session.close()


class Counted(io.BytesIO):
    """Counts what was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        octets = super().read(size)
        self.taken += len(octets)
        return octets


class Elsewhere(HTTPAdapter):
    """A server that answers everything alike."""

    def __init__(self, status: int, headers: dict[str, str], octets: bytes = b"") -> None:
        super().__init__()
        self.status, self.headers, self.stream = status, headers, Counted(octets)
        self.asked: list[str | None] = []

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        self.asked.append(request.url)
        raw = HTTPResponse(self.stream, self.headers, self.status, preload_content=False)
        return self.build_response(request, raw)  # type: ignore[no-any-return, no-untyped-call, unused-ignore]


class TestBeforeThereIsAnAnswer:
    """What a server, or somebody on the way, can do to zeep."""

    @staticmethod
    def refused(service: Live, server: Elsewhere, **options: Any) -> AnswerRefused:
        """Why there is no answer of ``server``."""
        transport: Any = zeep_transport(**options)
        transport.session.mount("http://", server)
        client: Any = zeep.Client(io.BytesIO(WSDL.encode()), wsse=service.security(), transport=transport)  # type: ignore[no-untyped-call]
        with pytest.raises(AnswerRefused) as caught:
            client.service.Echo(text="hello")
        transport.session.close()
        return caught.value

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_request_is_sent_to_nobody_else(self, service: Live, status: int) -> None:
        server = Elsewhere(status, {"Location": "http://elsewhere.example/soap"}, b"<a/>")
        refused = self.refused(service, server)
        assert (refused.check, refused.seen) == ("envelope.malformed", f"HTTP {status} to somewhere else")
        assert server.asked == [ADDRESS]

    @pytest.mark.parametrize("coding", ["identity", "gzip"])
    def test_an_answer_is_read_up_to_its_bound(self, service: Live, coding: str) -> None:
        octets = b"<a>" + b" " * 1_000_000 + b"</a>"
        coded = gzip.compress(octets) if coding == "gzip" else octets
        server = Elsewhere(200, {"Content-Type": "text/xml", "Content-Encoding": coding}, coded)
        refused = self.refused(service, server, most=200_000)
        assert (refused.check, refused.seen) == ("limits.body_bytes", "more")
        assert server.stream.taken < 300_000

    @pytest.mark.parametrize("coding", ["identity", "gzip"])
    def test_a_whole_answer_is_judged(self, service: Live, coding: str) -> None:
        octets = enveloped(answer("hello"))
        coded = gzip.compress(octets) if coding == "gzip" else octets
        server = Elsewhere(200, {"Content-Type": "text/xml", "Content-Encoding": coding}, coded)
        assert self.refused(service, server, most=len(octets)).check == "security.missing"


def test_zeep_is_missed_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeep.transports", None)
    with pytest.raises(ImportError, match=r'pip install "wsguard\[client\]"'):
        zeep_transport()
