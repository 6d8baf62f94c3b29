"""HTTP, seen by somebody who does not keep to it: methods, lengths, encodings, paths, hand-off and answers."""

import gzip
import logging
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from io import BytesIO, RawIOBase
from types import TracebackType
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

import wsguard
from tests.guarding import USERS, Answer, Bare, Echo, Guarded
from tests.messages import NOW, OPERATION, SOAP11, SOAP12, envelope, message
from wsguard.audit.memory import MemoryAudit
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import AuditRecord, AuditSink, RequestOutcome, User
from wsguard.stores.users_memory import MemoryUserStore

OPEN = [{"operations": ["{urn:open}*"]}]
LEAD = envelope(None, '<o:Lead xmlns:o="urn:open"/>')


def with_parts(guarded: Guarded, application: WSGIApplication | None = None, **parts: Any) -> Guarded:
    """The same with stores, audit or clock of the test's own."""
    parts = {"clock": guarded.clock, "users": MemoryUserStore(USERS), **parts}
    guarded.guard = wsguard.guard(application or guarded.echo, guarded.policy, **parts)
    return guarded


def refused(answer: Answer, status: int, check: str) -> None:
    """A fault with this status, and a record that names this check."""
    assert (answer.status[:3], answer.check) == (str(status), check)
    envelope = etree.fromstring(answer.body)
    assert envelope.tag in (f"{{{SOAP11}}}Envelope", f"{{{SOAP12}}}Envelope")
    assert etree.QName(envelope[0][0]).localname == "Fault"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.record is not None
    assert answer.record.incident.encode() in answer.body


# --- Method -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "Post", "POST ", ""])
def test_only_post_in_capitals_is_a_call(method: str) -> None:
    guarded = Bare()
    answer = guarded.post(message(), REQUEST_METHOD=method)
    refused(answer, 405, "http.method")
    assert answer.headers["Allow"] == "POST"
    assert not guarded.echo.handed


def test_head_is_refused_without_a_body_in_the_answer() -> None:
    answer = Guarded().post(b"", REQUEST_METHOD="HEAD", CONTENT_TYPE=None)
    assert (answer.status[:3], answer.check, answer.body) == ("405", "http.method", b"")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "wsdl="])
def test_get_wsdl_passes_unjudged_and_unrecorded(query: str) -> None:
    guarded = Guarded()
    answer = guarded.post(b"", REQUEST_METHOD="GET", QUERY_STRING=query, CONTENT_TYPE=None, CONTENT_LENGTH=None)
    assert (answer.status, answer.record) == ("200 OK", None)
    environ, octets = guarded.echo.handed[-1]
    assert (environ["CONTENT_LENGTH"], octets, "wsguard.message" in environ) == ("0", b"", False)


def test_get_wsdl_hands_on_no_body_even_where_one_lies_in_wait() -> None:
    guarded = Bare()
    guarded.post(message(), REQUEST_METHOD="GET", QUERY_STRING="wsdl", CONTENT_LENGTH="")
    environ, _ = guarded.echo.handed[-1]
    assert environ["wsgi.input"].read() == b""


@pytest.mark.parametrize(
    "environ",
    [
        {"CONTENT_LENGTH": "7"},
        {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
        {"CONTENT_LENGTH": "-0"},
        {"REQUEST_METHOD": "get"},
        {"QUERY_STRING": "wsdl&x=1"},
        {"QUERY_STRING": "xwsdl"},
        {"QUERY_STRING": ""},
        {"QUERY_STRING": "", "PATH_INFO": "/x.wsdl"},
    ],
)
def test_get_with_a_body_or_for_anything_else_does_not_pass(environ: dict[str, Any]) -> None:
    guarded = Bare()
    answer = guarded.post(message(), **{"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", **environ})
    refused(answer, 405, "http.method")
    assert not guarded.echo.handed


def test_post_wsdl_is_judged_as_a_call() -> None:
    guarded = Guarded()
    refused(guarded.post(envelope(None), QUERY_STRING="wsdl"), 500, "security.missing")
    assert guarded.post(message(), QUERY_STRING="wsdl").status == "200 OK"


# --- Length -----------------------------------------------------------------------------------------------------------


def test_a_body_without_length_is_read_where_the_server_delimits_it() -> None:
    guarded = Guarded()
    chunked = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert guarded.post(message(), **chunked).status == "200 OK"
    environ, octets = guarded.echo.handed[-1]
    assert environ["CONTENT_LENGTH"] == str(len(octets)) != "0"
    assert "HTTP_TRANSFER_ENCODING" not in environ


@pytest.mark.parametrize("length", [None, ""])
@pytest.mark.parametrize("terminated", [None, False])
def test_a_body_without_length_is_refused_where_nothing_delimits_it(length: str | None, terminated: Any) -> None:
    answer = Bare().post(message(), **{"CONTENT_LENGTH": length, "wsgi.input_terminated": terminated})
    refused(answer, 411, "http.length")


ODD_LENGTHS = [
    "abc",
    "-1",
    "+5",
    " 5",
    "5 ",
    "5,5",
    "\uff11",
    "\u0665",
    "5.0",
    "1e3",
    "0x10",
    "5\n",
    str(10**30),
    "1_0",
]


@pytest.mark.parametrize("length", ODD_LENGTHS)
@pytest.mark.parametrize("terminated", [True, None])
def test_an_odd_length_is_refused(length: str, terminated: bool | None) -> None:
    guarded = Bare()
    answer = guarded.post(message(), **{"CONTENT_LENGTH": length, "wsgi.input_terminated": terminated})
    refused(answer, 400, "http.length")
    assert not guarded.echo.handed


@pytest.mark.parametrize("terminated", [True, None])
def test_a_length_longer_than_the_body_is_refused(terminated: bool | None) -> None:
    octets = message()
    answer = Guarded().post(octets, **{"CONTENT_LENGTH": str(len(octets) + 1), "wsgi.input_terminated": terminated})
    refused(answer, 400, "http.length")


def test_a_length_shorter_than_the_body_is_refused_where_the_server_delimits_it() -> None:
    octets = message() + b" "
    answer = Guarded().post(octets, **{"CONTENT_LENGTH": str(len(octets) - 1), "wsgi.input_terminated": True})
    refused(answer, 400, "http.length")


def test_no_byte_beyond_the_length_is_read() -> None:
    octets = message()
    stream = BytesIO(octets + b"GET / HTTP/1.1")
    assert Guarded().post(octets, **{"wsgi.input": stream}).status == "200 OK"
    assert stream.tell() == len(octets)


def test_no_byte_beyond_the_length_is_read_where_the_server_says_that_it_does_not_delimit() -> None:
    octets = message()
    stream = BytesIO(octets + b"GET / HTTP/1.1")
    answer = Guarded().post(octets, **{"wsgi.input": stream, "wsgi.input_terminated": False})
    assert answer.status == "200 OK"
    assert stream.tell() == len(octets)


@pytest.mark.parametrize("encoding", ["chunked", "identity", "gzip", ""])
def test_a_length_beside_transfer_encoding_is_refused(encoding: str) -> None:
    answer = Guarded().post(message(), **{"HTTP_TRANSFER_ENCODING": encoding, "wsgi.input_terminated": True})
    refused(answer, 400, "http.length")


class Stream(RawIOBase):
    """Gives what ``source`` makes for each size asked for, and counts."""

    def __init__(self, source: Callable[[int], bytes]) -> None:
        self._source = source
        self.given = 0
        self.largest = 0

    def read(self, size: int = -1, /) -> bytes:
        assert size >= 0, "read without a bound"
        self.largest = max(self.largest, size)
        data = self._source(size)
        self.given += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


CHUNKED = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


def test_an_announced_body_over_the_limit_is_refused_unread() -> None:
    stream = Stream(lambda size: b" " * size)
    answer = Bare().post(b"", **{"CONTENT_LENGTH": str(2_097_153), "wsgi.input": stream})
    refused(answer, 413, "limits.body_bytes")
    assert stream.given == 0


def test_an_endless_body_is_read_in_bounded_steps_and_no_further_than_the_limit() -> None:
    stream = Stream(lambda size: b" " * size)
    answer = Bare(limits={"body_bytes": 200_000}).post(b"", **{**CHUNKED, "wsgi.input": stream})
    refused(answer, 413, "limits.body_bytes")
    assert 200_000 <= stream.given <= 200_001
    assert stream.largest <= 65_536


@pytest.mark.parametrize("environ", [{}, {"wsgi.input_terminated": True}, CHUNKED], ids=["length", "both", "chunked"])
def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(environ: dict[str, Any]) -> None:
    octets = message()
    refused(Bare(limits={"body_bytes": len(octets) - 1}).post(octets, **environ), 413, "limits.body_bytes")
    assert Bare(limits={"body_bytes": len(octets)}).post(octets, **environ).status == "200 OK"


@pytest.mark.parametrize("error", [OSError("reset"), ConnectionResetError(), TimeoutError(), ValueError("closed")])
@pytest.mark.parametrize("environ", [{"CONTENT_LENGTH": "99"}, CHUNKED], ids=["length", "chunked"])
def test_a_stream_that_breaks_midway_is_a_refusal(error: Exception, environ: dict[str, Any]) -> None:
    def source(size: int) -> bytes:
        if stream.given:
            raise error
        return b"<"

    stream = Stream(source)
    refused(Bare().post(b"", **{**environ, "wsgi.input": stream}), 400, "http.length")


def test_a_stream_that_raises_anything_else_is_a_refusal_too() -> None:
    def source(size: int) -> bytes:
        raise RuntimeError("a server's own")

    refused(Bare().post(b"", **{"CONTENT_LENGTH": "9", "wsgi.input": Stream(source)}), 400, "http.length")


def test_a_stream_that_gives_one_byte_at_a_time_is_read_to_its_end() -> None:
    octets = message()
    rest = BytesIO(octets)
    for environ in ({}, {"wsgi.input_terminated": True}, CHUNKED):
        rest.seek(0)
        answer = Bare().post(octets, **{**environ, "wsgi.input": Stream(lambda size: rest.read(min(size, 1)))})
        assert answer.status == "200 OK"


# --- Content-Type and charset -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        ";",
        "text",
        "text/",
        "text/plain",
        "application/xml",
        "application/soap",
        "text/xml, text/xml",
        "text/xml+soap",
        'multipart/related; type="text/xml"; start="<a>"; boundary=b',
        'multipart/related; type="application/xop+xml"; start-info="text/xml"; boundary=b',
        "multipart/form-data; boundary=b",
        "application/xop+xml; type=text/xml",
        "application/x-www-form-urlencoded",
        "\ud800text/xml",
        "x" * 100_000,
    ],
)
def test_any_other_content_type_is_refused(content_type: str | None) -> None:
    guarded = Bare()
    refused(guarded.post(message(), CONTENT_TYPE=content_type), 415, "http.content_type")
    assert not guarded.echo.handed


@pytest.mark.parametrize(
    "content_type",
    ["text/xml", "text/xml;charset=UTF-8", ' text/xml ; charset="utf-8"; x=y', 'application/soap+xml; action="u"'],
)
def test_the_two_content_types_of_soap_are_taken(content_type: str) -> None:
    assert Guarded().post(message(), CONTENT_TYPE=content_type).status == "200 OK"


@pytest.mark.parametrize("content_type", ["TEXT/XML", "Text/Xml; Charset=utf-8", "Application/SOAP+XML"])
def test_content_types_know_no_case(content_type: str) -> None:
    """RFC 9110 §8.3.1."""
    assert Guarded().post(message(), CONTENT_TYPE=content_type).status == "200 OK"


@pytest.mark.parametrize(
    "charset", ["utf-7", "utf-32", "cp037", "x", "utf-8'", "\ufffd", "utf_8_sig", "", "idna", "hex"]
)
def test_an_unlisted_charset_is_refused_by_the_engine(charset: str) -> None:
    refused(Bare().post(message(), CONTENT_TYPE=f'text/xml; charset="{charset}"'), 500, "envelope.encoding")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml; charset=utf-7; charset=utf-8",
        "text/xml; charset=utf-8; CHARSET=utf-8",
        "text/xml; charset =utf-8",
        "text/xml; charset= utf-8",
        'text/xml; x="; charset=utf-8',
        "text/xml; charset*=utf-8''utf-8",
        "text/xml; charset=utf-8; charset*=utf-8''utf-7",
        "text/xml; charset",
    ],
)
def test_a_charset_that_can_be_read_in_two_ways_is_refused(content_type: str) -> None:
    refused(Bare().post(message(), CONTENT_TYPE=content_type), 500, "envelope.encoding")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml;CHARSET=UTF-8",
        "text/xml;; charset=utf-8 ",
        'text/xml; charset="utf-8"; x="charset=utf-7; \\" charset"',
        'application/soap+xml; action="urn:charset"',
    ],
)
def test_a_charset_that_is_named_once_is_taken(content_type: str) -> None:
    soap = SOAP12 if "soap+xml" in content_type else SOAP11
    answer = Bare().post(message(soap=soap), CONTENT_TYPE=content_type)
    assert (answer.status, answer.check) == ("200 OK", "")


@pytest.mark.parametrize(
    "content_type",
    ["text/xml; charset*=utf-7''utf-7", "text/xml; charset=utf-8; charset=utf-7", "text/xml; charset=utf-16"],
)
def test_a_charset_hidden_or_contradicted_is_refused(content_type: str) -> None:
    refused(Bare().post(message(), CONTENT_TYPE=content_type), 500, "envelope.encoding")


@pytest.mark.parametrize(("charset", "codec"), [("utf-16", "utf-16"), ("iso-8859-1", "latin-1"), ("us-ascii", "ascii")])
def test_a_listed_charset_arrives_as_utf8(charset: str, codec: str) -> None:
    guarded = Guarded()
    octets = message().decode().encode(codec)
    assert guarded.post(octets, CONTENT_TYPE=f"text/xml; charset={charset}").status == "200 OK"
    environ, handed = guarded.echo.handed[-1]
    assert environ["CONTENT_TYPE"] == "text/xml; charset=utf-8"
    assert handed.decode("utf-8").startswith("<")


# --- Content-Encoding -------------------------------------------------------------------------------------------------

ENCODINGS = {"content_encodings": ["gzip", "deflate"]}


def test_a_compressed_body_is_taken_only_where_its_encoding_is_listed() -> None:
    packed = {"gzip": gzip.compress(message()), "deflate": zlib.compress(message()), "x-gzip": gzip.compress(message())}
    for name, octets in packed.items():
        refused(Guarded().post(octets, HTTP_CONTENT_ENCODING=name), 415, "http.content_encoding")
        guarded = Guarded(http=ENCODINGS)
        assert guarded.post(octets, HTTP_CONTENT_ENCODING=name.upper()).status == "200 OK"
        assert b"hello" in guarded.handed
    only_gzip = Guarded(http={"content_encodings": ["gzip"]})
    refused(only_gzip.post(packed["deflate"], HTTP_CONTENT_ENCODING="deflate"), 415, "http.content_encoding")


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_no_encoding_needs_no_listing(encoding: str) -> None:
    assert Guarded().post(message(), HTTP_CONTENT_ENCODING=encoding).status == "200 OK"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, identity", "identity, gzip", "*"])
def test_other_encodings_and_layers_of_them_are_refused(encoding: str) -> None:
    octets = gzip.compress(gzip.compress(message()))
    answer = Guarded(http=ENCODINGS).post(octets, HTTP_CONTENT_ENCODING=encoding)
    refused(answer, 415, "http.content_encoding")


@pytest.mark.parametrize(
    ("encoding", "octets"),
    [
        ("gzip", gzip.compress(message())[:-1]),
        ("gzip", gzip.compress(message())[:40]),
        ("gzip", gzip.compress(message()) + b"\0"),
        ("gzip", gzip.compress(b"") + gzip.compress(message())),
        ("gzip", gzip.compress(message()) + gzip.compress(message())),
        ("gzip", gzip.compress(message())[:-8] + bytes(8)),
        ("gzip", zlib.compress(message())),
        ("gzip", message()),
        ("gzip", b""),
        ("deflate", zlib.compress(message())[:-1]),
        ("deflate", zlib.compress(message()) + b" "),
        ("deflate", gzip.compress(message())),
        ("deflate", message()),
        ("deflate", b""),
    ],
)
def test_what_does_not_inflate_cleanly_is_refused(encoding: str, octets: bytes) -> None:
    answer = Guarded(http=ENCODINGS).post(octets, HTTP_CONTENT_ENCODING=encoding)
    refused(answer, 400, "http.content_encoding")


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_bomb_is_inflated_no_further_than_the_limit(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(64 * 2**20))
    guarded = Bare(http=ENCODINGS, limits={"body_bytes": 128 * 1024})
    tracemalloc.start()
    try:
        answer = guarded.post(bomb, HTTP_CONTENT_ENCODING=encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    refused(answer, 413, "limits.body_bytes")
    assert peak < 2 * 2**20


def test_an_inflated_body_of_exactly_the_limit_is_taken() -> None:
    octets = message()
    for most, status in ((len(octets), "200"), (len(octets) - 1, "413")):
        guarded = Guarded(http=ENCODINGS, limits={"body_bytes": most})
        assert guarded.post(gzip.compress(octets), HTTP_CONTENT_ENCODING="gzip").status[:3] == status


# --- Path -------------------------------------------------------------------------------------------------------------

ODD_PATHS = [
    "/soap%2f", "/soap;jsession=1", "/soap\\x", "//soap", "/soap//x", "/./soap", "/soap/.", "/soap/..", "/a/../soap",
    "/soap\0", "/soap\r\nX: y", "/soap\x1f", "/soap\x7f", "/soap\x80", "/caf\xe9",
    "/\xc0\xaf", "/\xed\xa0\x80", "/\xef\xbf\xbd", "/soap?x", "/soap#x",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.parametrize("place", ["PATH_INFO", "SCRIPT_NAME"])
def test_odd_paths_are_refused_wherever_they_stand(path: str, place: str) -> None:
    guarded = Bare(exempt=OPEN)
    for octets in (message(), LEAD):
        refused(guarded.post(octets, **{"PATH_INFO": "", place: path}), 400, "http.path")
    refused(
        guarded.post(b"", **{"PATH_INFO": "", "REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", place: path}),
        400,
        "http.path",
    )
    assert not guarded.echo.handed


@pytest.mark.parametrize("path", ["/soap\xc2\x80", "/soap\xc2\x85", "/soap\xc2\x9f"])
def test_control_characters_beyond_ascii_are_control_characters(path: str) -> None:
    refused(Bare().post(message(), PATH_INFO=path), 400, "http.path")


def test_a_seam_between_script_name_and_path_info_is_looked_at() -> None:
    refused(Bare().post(message(), SCRIPT_NAME="/app/", PATH_INFO="/soap"), 400, "http.path")
    refused(Bare().post(message(), SCRIPT_NAME="/app/.", PATH_INFO="./soap"), 400, "http.path")


@pytest.mark.parametrize(
    "path", ["", "/", "/soap", "/soap/", "/soap.svc", "/.well-known", "/a..b", "/caf\xc3\xa9", "/a b"]
)
def test_plain_paths_pass(path: str) -> None:
    assert Guarded().post(message(), PATH_INFO=path).status == "200 OK"


# --- Hand-off ---------------------------------------------------------------------------------------------------------

FORGED = {
    "REMOTE_USER": "root",
    "AUTH_TYPE": "WS-Security",
    "HTTP_CONTENT_ENCODING": "identity",
    "wsguard.message": "forged",
    "wsguard.anything": "forged",
}


def test_nothing_that_claims_to_be_our_word_gets_through_on_any_way() -> None:
    guarded = Bare(exempt=OPEN)
    guarded.post(LEAD, **FORGED)
    guarded.post(b"", REQUEST_METHOD="GET", QUERY_STRING="wsdl", **FORGED)
    assert len(guarded.echo.handed) == 2
    for environ, _ in guarded.echo.handed:
        assert not {"REMOTE_USER", "AUTH_TYPE", "HTTP_CONTENT_ENCODING", "wsguard.anything"} & environ.keys()
        assert environ.get("wsguard.message") != "forged"
    guarded.post(message(), **FORGED)
    environ, _ = guarded.echo.handed[-1]
    assert environ["REMOTE_USER"] == "alice"
    assert not {"HTTP_CONTENT_ENCODING", "wsguard.anything"} & environ.keys()


def test_the_hand_off_is_exact() -> None:
    guarded = Guarded(validator(echo := Echo()), http=ENCODINGS)
    packed = gzip.compress(message(soap=SOAP12).decode().encode("utf-16"))
    content_type = 'application/soap+xml; charset=utf-16; action="urn:echo/Echo"'
    sent = {"CONTENT_TYPE": content_type, "HTTP_CONTENT_ENCODING": "gzip", "HTTP_X_OTHER": "kept", **CHUNKED}
    assert guarded.post(packed, **sent).status == "200 OK"
    environ, octets = echo.handed[-1]
    assert environ["CONTENT_LENGTH"] == str(len(octets))
    assert environ["CONTENT_TYPE"] == "application/soap+xml; charset=utf-8"
    assert environ["wsgi.input_terminated"] is True
    assert (environ["REMOTE_USER"], environ["AUTH_TYPE"]) == ("alice", "WS-Security")
    assert (environ["HTTP_X_OTHER"], environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("kept", "POST", "/soap")
    assert not {"HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING"} & environ.keys()
    verified = environ["wsguard.message"]
    assert isinstance(verified, wsguard.VerifiedMessage)
    assert (verified.octets, verified.operation, verified.exempt) == (octets, OPERATION, False)
    assert verified.principal == wsguard.Principal("alice", "username")
    assert b"Security" not in octets


def test_the_servers_own_environ_stays_as_it_was() -> None:
    guarded = Bare()
    environ = environ_of(guarded, message(), **FORGED)
    before = dict(environ)
    assert guarded.call(environ).status == "200 OK"
    assert environ == before
    assert environ["REMOTE_USER"] == "root"


def test_an_exempt_message_has_no_user_and_says_that_it_is_exempt() -> None:
    guarded = Guarded(exempt=OPEN)
    answer = guarded.post(LEAD)
    environ, _ = guarded.echo.handed[-1]
    assert environ["wsguard.message"].exempt is True
    assert environ["wsguard.message"].principal is None
    assert answer.record is not None
    assert (answer.record.outcome, answer.record.check) == ("exempt", "exemption")


def test_the_incident_in_the_message_is_the_one_in_the_record() -> None:
    guarded = Guarded(audit={"url": "memory://", "record": "all"})
    answer = guarded.post(message())
    assert answer.record is not None
    assert guarded.echo.handed[-1][0]["wsguard.message"].incident == answer.record.incident


# --- The application's answer -----------------------------------------------------------------------------------------


class Pieces:
    """An answer in pieces that knows whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.closed = 0
        self.given = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            self.given += 1
            yield piece

    def close(self) -> None:
        self.closed += 1


def answering(answer: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]) -> Any:
    """An application that starts its response and then goes on as told."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/xml")])
        return answer(environ, start_response)

    return application


def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
    """A server's start_response that does nothing."""
    return lambda data: None


def environ_of(guarded: Guarded, octets: bytes, **changes: Any) -> WSGIEnvironment:
    """The environ that ``guarded.post`` would send."""
    caught: list[WSGIEnvironment] = []
    catcher = Guarded.__new__(Guarded)
    catcher.call = caught.append  # type: ignore[method-assign, assignment]
    catcher.post(octets, **changes)
    return caught[0]


@pytest.mark.parametrize("octets", [message(), LEAD], ids=["guarded", "exempt"])
def test_the_applications_iterable_is_closed_when_all_was_read(octets: bytes) -> None:
    pieces = Pieces(b"<a>", b"</a>")
    answer = Guarded(answering(lambda e, s: pieces), exempt=OPEN).post(octets)
    assert (answer.body, pieces.closed) == (b"<a></a>", 1)


@pytest.mark.parametrize("read", [0, 1])
def test_the_applications_iterable_is_closed_when_the_client_stops_early(read: int) -> None:
    pieces = Pieces(b"a", b"b", b"c")
    guarded = Bare(answering(lambda e, s: pieces), audit={"url": "memory://", "record": "all"})
    iterable: Any = guarded.guard(environ_of(guarded, message()), start)
    iterator = iter(iterable)
    for _ in range(read):
        next(iterator)
    iterable.close()
    assert (pieces.closed, pieces.given) == (1, read)
    del iterator
    assert [record.outcome for record in guarded.records] == ["accepted"]


def test_the_iterable_of_a_wsdl_answer_is_closed_too() -> None:
    pieces = Pieces(b"<wsdl/>")
    guarded = Guarded(answering(lambda e, s: pieces))
    answer = guarded.post(b"", REQUEST_METHOD="GET", QUERY_STRING="wsdl")
    assert (answer.body, pieces.closed) == (b"<wsdl/>", 1)


def test_an_answer_is_streamed_piece_by_piece() -> None:
    made: list[int] = []

    def stream(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    guarded = Bare(answering(stream))
    iterator = iter(guarded.guard(environ_of(guarded, message()), start))
    assert made == []
    assert next(iterator) == b"0"
    assert made == [0]
    assert list(iterator) == [b"1", b"2"]


def test_a_generator_that_starts_its_response_late_is_served() -> None:
    def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("202 Accepted", [("Content-Type", "text/xml")])
        yield b"<late/>"

    answer = Guarded(late).post(message())
    assert (answer.status, answer.body) == ("202 Accepted", b"<late/>")


def test_what_the_application_writes_reaches_the_client() -> None:
    def writing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/xml")])
        write(b"<written>")
        return [b"</written>"]

    assert Bare(writing).post(message()).body == b"<written></written>"


def test_a_file_wrapper_is_read_and_closed() -> None:
    file = BytesIO(b"<file/>" * 3)
    guarded = Bare(answering(lambda environ, s: environ["wsgi.file_wrapper"](file, 4)))
    answer = guarded.post(message(), **{"wsgi.file_wrapper": FileWrapper})
    assert answer.body == b"<file/>" * 3
    assert file.closed


def test_status_and_headers_of_the_application_are_its_own() -> None:
    headers = [("Content-Type", "text/xml"), ("X-A", "1"), ("X-A", "2"), ("Content-Length", "2")]
    seen: list[Any] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("500 Oh", headers)
        return [b"ok"]

    guarded = Bare(application)
    list(guarded.guard(environ_of(guarded, message()), cast("StartResponse", lambda *args: seen.append(args))))
    assert seen == [("500 Oh", headers)]


# --- Exceptions of the application ------------------------------------------------------------------------------------


class Oops(Exception):
    """The application's own."""


def raising(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise Oops


def raising_started(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/xml")])
    raise Oops


def raising_generator(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    yield from Pieces(Oops())


RAISING = [raising, raising_started, raising_generator, answering(lambda e, s: Pieces(b"<a>", Oops()))]
IDS = ["at once", "after start_response", "generator", "midway"]


@pytest.mark.parametrize("application", RAISING, ids=IDS)
@pytest.mark.parametrize("record", ["rejected", "all"])
@pytest.mark.parametrize("octets", [message(), LEAD], ids=["guarded", "exempt"])
def test_an_exception_of_the_application_passes_through_and_is_recorded_as_an_error(
    application: Any, record: str, octets: bytes
) -> None:
    guarded = Bare(application, exempt=OPEN, audit={"url": "memory://", "record": record})
    with pytest.raises(Oops):
        guarded.post(octets)
    assert [record.outcome for record in guarded.records] == ["error"]


@pytest.mark.parametrize("application", RAISING, ids=IDS)
def test_an_exception_of_the_application_passes_through_on_the_wsdl_path_too(application: Any) -> None:
    guarded = Bare(application)
    with pytest.raises(Oops):
        guarded.post(b"", REQUEST_METHOD="GET", QUERY_STRING="wsdl")


@pytest.mark.parametrize("error", [StoreUnavailable("the application's own use of the word"), ValueError("x")])
def test_a_fault_that_the_application_raises_is_not_taken_for_the_guards(error: Exception) -> None:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    for sent in ({}, {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": "0"}):
        with pytest.raises(type(error)):
            Bare(application).post(message(), **sent)


def test_the_iterable_is_closed_after_it_raised() -> None:
    pieces = Pieces(b"<a>", Oops())
    with pytest.raises(Oops):
        Guarded(answering(lambda e, s: pieces)).post(message())
    assert pieces.closed == 1


@pytest.mark.parametrize("record", ["rejected", "all"])
def test_an_application_that_raises_again_where_it_is_closed_has_one_record(record: str) -> None:
    class ClosedBadly(Pieces):
        def close(self) -> None:
            raise Oops

    guarded = Bare(answering(lambda e, s: ClosedBadly(b"<a>", Oops())), audit={"url": "memory://", "record": record})
    iterable: Any = guarded.guard(environ_of(guarded, message()), start)
    for step in (lambda: list(iterable), iterable.close):
        with pytest.raises(Oops):
            step()
    (only,) = guarded.records
    assert only.outcome == "error"


def test_exc_info_of_the_application_reaches_the_server() -> None:
    seen: list[Any] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            raise Oops
        except Oops as error:
            start_response("500 Oops", [], (type(error), error, cast("TracebackType", error.__traceback__)))
        return [b""]

    guarded = Bare(application)
    list(guarded.guard(environ_of(guarded, message()), cast("StartResponse", lambda *args: seen.append(args))))
    assert [args[2][0] for args in seen] == [Oops]


# --- Everything of ours that may break --------------------------------------------------------------------------------


class BrokenReplay:
    """A replay store that raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        raise self._error

    def close(self) -> None:
        """Nothing is held."""


class BrokenUsers:
    """A user table that raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def find(self, name: str) -> User | None:
        raise self._error

    def close(self) -> None:
        """Nothing is held."""


class BrokenAudit(MemoryAudit):
    """An audit that raises."""

    def __init__(self, error: Exception, *, writes: bool = False) -> None:
        super().__init__()
        self._error = error
        self._writes = writes

    def write(self, record: AuditRecord) -> None:
        if not self._writes:
            raise self._error
        super().write(record)

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        raise self._error


ANYTHING = [
    ValueError("x"),
    OSError(2, "x"),
    RecursionError(),
    MemoryError(),
    KeyError("k"),
    StopIteration(),
    AssertionError(),
]


def test_a_replay_store_that_is_away_refuses_with_503_and_retry_after() -> None:
    guarded = with_parts(Guarded(), replay=BrokenReplay(StoreUnavailable("away")))
    answer = guarded.post(message())
    refused(answer, 503, "store.unavailable")
    assert answer.headers["Retry-After"].isdigit()
    assert answer.record is not None
    assert answer.record.outcome == "error"
    assert not guarded.echo.handed


def test_a_user_table_that_is_away_refuses_with_503_and_retry_after() -> None:
    guarded = with_parts(Guarded(), users=BrokenUsers(StoreUnavailable("away")))
    for soap, code in ((SOAP11, b"Server"), (SOAP12, b"Receiver")):
        answer = guarded.post(message(soap=soap))
        refused(answer, 503, "store.unavailable")
        assert answer.headers["Retry-After"].isdigit()
        assert code in answer.body


@pytest.mark.parametrize("error", ANYTHING, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("part", ["replay", "users"])
def test_a_store_that_raises_anything_is_a_refusal(part: str, error: Exception) -> None:
    broken: dict[str, Any] = {part: BrokenReplay(error) if part == "replay" else BrokenUsers(error)}
    guarded = with_parts(Guarded(), **broken)
    answer = guarded.post(message())
    refused(answer, 500, "internal.error")
    assert answer.record is not None
    assert answer.record.outcome == "error"
    assert not guarded.echo.handed


@pytest.mark.parametrize("error", ANYTHING, ids=lambda error: type(error).__name__)
def test_an_engine_that_raises_anything_is_a_refusal(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def process(*args: Any) -> wsguard.VerifiedMessage:
        raise error

    monkeypatch.setattr("wsguard.engine.SecurityEngine.process", process)
    guarded = Guarded(exempt=OPEN)
    for octets in (message(), LEAD):
        refused(guarded.post(octets), 500, "internal.error")
    assert not guarded.echo.handed


def broken_clock() -> datetime:
    raise OSError("no clock")


CLOCKS: list[Any] = [broken_clock, lambda: None, lambda: 5]


@pytest.mark.parametrize("clock", CLOCKS, ids=["raises", "None", "a number"])
@pytest.mark.parametrize("octets", [message(), LEAD], ids=["guarded", "exempt"])
def test_a_broken_clock_is_a_fault_and_no_exception(clock: Any, octets: bytes) -> None:
    guarded = with_parts(Bare(exempt=OPEN), clock=clock)
    answer = guarded.post(octets)
    assert answer.status[:3] == "500"
    assert etree.fromstring(answer.body).tag == f"{{{SOAP11}}}Envelope"
    assert not guarded.echo.handed


def test_a_clock_without_zone_is_a_refusal() -> None:
    guarded = with_parts(Bare(), clock=lambda: NOW.replace(tzinfo=None))
    refused(guarded.post(message()), 500, "internal.error")


BROKEN_AUDITS = [StoreUnavailable("disk full"), OSError("disk full"), ValueError("x"), KeyError("y")]


@pytest.mark.parametrize("error", BROKEN_AUDITS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("octets", [message(), LEAD], ids=["guarded", "exempt"])
def test_a_request_that_cannot_be_recorded_is_refused(error: Exception, octets: bytes) -> None:
    guarded = Bare(exempt=OPEN, audit={"url": "memory://", "record": "all"})
    answer = with_parts(guarded, audit=BrokenAudit(error)).post(octets)
    status = "503" if isinstance(error, StoreUnavailable) else "500"
    assert answer.status[:3] == status
    assert ("Retry-After" in answer.headers) == (status == "503")
    assert b"Server" in answer.body
    assert not guarded.echo.handed


@pytest.mark.parametrize("error", BROKEN_AUDITS, ids=lambda error: type(error).__name__)
def test_a_refusal_that_cannot_be_recorded_says_so_to_the_peer(error: Exception) -> None:
    answer = with_parts(Bare(), audit=BrokenAudit(error)).post(envelope(None))
    assert answer.status[:3] in ("500", "503")
    assert b"Server" in answer.body
    assert b"InvalidSecurity" not in answer.body


@pytest.mark.parametrize("error", BROKEN_AUDITS, ids=lambda error: type(error).__name__)
def test_unsafe_continue_serves_without_a_record(error: Exception) -> None:
    audit = {"url": "memory://", "record": "all", "on_failure": "unsafe_continue"}
    guarded = with_parts(Bare(exempt=OPEN, audit=audit), audit=BrokenAudit(error))
    assert guarded.post(message()).status == "200 OK"
    assert guarded.post(LEAD).status == "200 OK"
    answer = guarded.post(envelope(None))
    assert answer.status[:3] == "500"
    assert b"InvalidSecurity" in answer.body


@pytest.mark.parametrize("error", BROKEN_AUDITS, ids=lambda error: type(error).__name__)
def test_an_audit_that_cannot_be_amended_does_not_hide_the_applications_exception(error: Exception) -> None:
    guarded = Bare(raising, audit={"url": "memory://", "record": "all"})
    with_parts(guarded, raising, audit=BrokenAudit(error, writes=True))
    with pytest.raises(Oops):
        guarded.post(message())


@pytest.mark.parametrize("error", BROKEN_AUDITS, ids=lambda error: type(error).__name__)
def test_an_audit_that_cannot_be_written_does_not_hide_the_applications_exception(error: Exception) -> None:
    with pytest.raises(Oops):
        with_parts(Bare(raising), raising, audit=BrokenAudit(error)).post(message())


@pytest.mark.parametrize("octets", [message(), LEAD], ids=["guarded", "exempt"])
def test_with_record_all_the_record_is_durable_before_the_hand_off(octets: bytes) -> None:
    sink = MemoryAudit()
    seen: list[AuditRecord] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = sink.find(environ["wsguard.message"].incident)
        assert found is not None
        seen.append(found)
        return Echo()(environ, start_response)

    guarded = Bare(application, exempt=OPEN, audit={"url": "memory://", "record": "all"})
    assert with_parts(guarded, application, audit=sink).post(octets).status == "200 OK"
    assert [record.outcome for record in seen] == ["exempt" if octets == LEAD else "accepted"]


def test_an_accepted_request_is_not_recorded_unless_all_are() -> None:
    assert Guarded().post(message()).record is None
    record = Guarded(audit={"url": "memory://", "record": "all"}).post(message()).record
    assert record is not None
    assert (record.outcome, record.check, record.fault, record.username) == ("accepted", "", "", "alice")
    assert (record.path, record.remote_addr, record.time) == ("/soap", "192.0.2.7", NOW)


def test_a_custom_sink_is_told_of_the_amendment_of_its_own_record() -> None:
    sink = MemoryAudit()
    guarded = Bare(raising, audit={"url": "memory://", "record": "all"})
    with pytest.raises(Oops):
        with_parts(guarded, raising, audit=cast("AuditSink", sink)).post(message())
    assert [(record.outcome, record.operation) for record in sink.records] == [("error", OPERATION)]


def test_nothing_is_logged_that_could_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="wsguard"):
        Bare().post(message(), PATH_INFO="/soap\r\nCRITICAL forged", REQUEST_METHOD="X\r\nCRITICAL forged")
    assert caplog.messages
    assert not any("\n" in text or "\r" in text for text in caplog.messages)


KEYS = [
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH",
    "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_SOAPACTION", "REMOTE_ADDR", "REMOTE_USER",
]  # fmt: skip
VALUES = st.none() | st.text(max_size=30) | st.sampled_from(["POST", "text/xml; charset=", "gzip", "wsdl", "GET", "/a"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(environ=st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_no_environ_makes_the_guard_raise_or_serve_without_a_token(environ: dict[str, Any]) -> None:
    guarded = Bare(http=ENCODINGS)
    answer = guarded.post(envelope(None), **environ)
    wsdl = environ.get("REQUEST_METHOD") == "GET" and answer.record is None
    assert wsdl or (answer.status[0] in "45" and answer.check)
    assert not guarded.echo.handed or guarded.echo.handed[-1][1] == b""
