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
from tests.client.serving import STRANGER, Live, answers, opening, plan, signing
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
        status: str,
        headers: dict[str, str],
        octets: bytes,
        check: str,
    ) -> None:
        refused = TestBeforeThereIsAnAnswer.refused(service, Elsewhere(int(status[:3]), headers, octets))
        assert refused.check == check


PLAIN = (
    '<wsdl:service name="Service">',
    """
  <wsdl:message name="Text"><wsdl:part name="text" type="xs:string"/></wsdl:message>
  <wsdl:message name="Xml"><wsdl:part name="Body" element="e:EchoResponse"/></wsdl:message>
  <wsdl:portType name="PlainPort">
    <wsdl:operation name="Echo"><wsdl:input message="e:Text"/><wsdl:output message="e:Xml"/></wsdl:operation>
  </wsdl:portType>
  <wsdl:binding name="PlainBinding" type="e:PlainPort">
    <h:binding xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" verb="VERB"/>
    <wsdl:operation name="Echo">
      <h:operation xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" location="/Echo"/>
      <wsdl:input><h:urlEncoded xmlns:h="http://schemas.xmlsoap.org/wsdl/http/"/></wsdl:input>
      <wsdl:output><m:mimeXml xmlns:m="http://schemas.xmlsoap.org/wsdl/mime/" part="Body"/></wsdl:output>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="Service">
    <wsdl:port name="Plain" binding="e:PlainBinding">
      <h:address xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" location="http://localhost/plain"/>
    </wsdl:port>""",
)
"""What an operation is bound to without SOAP (WSDL 1.1 §4), and where it goes."""


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
    def client(service: Live, server: Elsewhere, wsdl: str = WSDL, **options: Any) -> Any:
        """A zeep client whose only server is ``server``."""
        transport: Any = zeep_transport(**options)
        transport.session.mount("http://", server)
        return zeep.Client(io.BytesIO(wsdl.encode()), wsse=service.security(), transport=transport)  # type: ignore[no-untyped-call]

    @classmethod
    def refused(cls, service: Live, server: Elsewhere, **options: Any) -> AnswerRefused:
        """Why there is no answer of ``server``."""
        client = cls.client(service, server, **options)
        with pytest.raises(AnswerRefused) as caught:
            client.service.Echo(text="hello")
        client.transport.session.close()
        return caught.value

    @pytest.mark.parametrize("verb", ["GET", "POST"])
    def test_a_wsdl_turns_no_security_off(self, service: Live, verb: str) -> None:
        server = Elsewhere(200, {"Content-Type": "text/xml"}, answer("forged").encode())
        client = self.client(service, server, WSDL.replace(*PLAIN).replace("VERB", verb))
        with pytest.raises(NotSecurable, match="plain HTTP"):
            client.bind("Service", "Plain").Echo(text="secret")
        assert server.asked == []
        client.transport.session.close()

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("where", ["http://elsewhere.example/soap", "http://["])
    def test_a_request_is_sent_to_nobody_else(self, service: Live, status: int, where: str) -> None:
        server = Elsewhere(status, {"Location": where}, b" " * 1_000_000)
        refused = self.refused(service, server)
        assert (refused.check, refused.seen) == ("envelope.malformed", f"HTTP {status} to somewhere else")
        assert server.asked == [ADDRESS]
        assert server.stream.taken == 0

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
