"""What applications do under PEP 3333 while their answer is kept, and what of it reaches the client."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import pytest
from lxml import etree

from tests.answers.answering import (
    ANSWER,
    RESPONSE,
    SECRET,
    SERVICE,
    XML,
    Answering,
    Application,
    request,
)
from tests.messages import envelope
from tests.securing.receiving import received
from tests.signature.test_oracle import xmlsec_verifies

BOTH: Final = {"timestamp": True, "sign": True}
HALF: Final = len(ANSWER) // 2


class Doing(Application):
    """Does what a test says."""

    do: Callable[[Any], Iterable[bytes]]

    def reply(self, start_response: Any) -> Iterable[bytes]:
        return self.do(start_response)


def doing(do: Callable[[Any], Iterable[bytes]]) -> Doing:
    application = Doing()
    application.do = do
    return application


def chunks(start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [XML])
    yield ANSWER[:HALF]
    yield b""
    yield ANSWER[HALF:]


def written(start_response: Any) -> Iterable[bytes]:
    write = start_response("200 OK", [XML])
    write(ANSWER[:HALF])
    write(ANSWER[HALF:])
    return []


def written_and_returned(start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [XML])(ANSWER[:HALF])
    return [ANSWER[HALF:]]


def late(start_response: Any) -> Iterator[bytes]:
    yield from chunks(start_response)


def replaced(start_response: Any) -> Iterator[bytes]:
    """Begins one answer, fails, and answers with another."""
    start_response("200 OK", [XML])
    yield ANSWER[:HALF]
    try:
        raise ValueError(SECRET)
    except ValueError:
        start_response("500 Internal Server Error", [XML, ("X-Own", "2")], sys.exc_info())
    yield ANSWER


@pytest.mark.parametrize("do", [chunks, written, written_and_returned, late])
def test_however_it_is_answered_it_is_secured(guarded: Answering, do: Any) -> None:
    guard = guarded(doing(do), response=BOTH)
    answer = guard.post(request())
    assert (answer.status, answer.record) == ("200 OK", None)
    assert RESPONSE.encode() in answer.body
    assert xmlsec_verifies(answer.body, SERVICE)
    assert guard.application.closed == 1


def test_an_answer_that_was_begun_may_be_replaced(guarded: Answering) -> None:
    """Nothing of the first one was sent, so nothing of it stays."""
    answer = guarded(doing(replaced), response=BOTH).post(request())
    assert (answer.status, answer.headers["X-Own"]) == ("500 Internal Server Error", "2")
    assert answer.body.count(RESPONSE.encode()) == 1
    assert xmlsec_verifies(answer.body, SERVICE)


def raising(start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [XML])
    yield ANSWER[:HALF]
    raise ArithmeticError(SECRET)


def at_once(start_response: Any) -> Iterable[bytes]:
    raise ArithmeticError(SECRET)


def twice(start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [XML])
    start_response("200 OK", [XML])
    return [ANSWER]


def never(start_response: Any) -> Iterable[bytes]:
    return [ANSWER]


@pytest.mark.parametrize("record", ["rejected", "all"])
@pytest.mark.parametrize(
    ("do", "error"),
    [(raising, ArithmeticError), (at_once, ArithmeticError), (twice, RuntimeError), (never, RuntimeError)],
)
def test_an_application_that_fails_sends_nothing(
    guarded: Answering, do: Any, error: type[Exception], record: str
) -> None:
    guard = guarded(doing(do), response=BOTH, audit={"url": "memory://", "record": record})
    with pytest.raises(error):
        guard.post(request())
    (found,) = guard.records
    assert found.outcome == "error"
    assert SECRET not in repr(found)
    assert guard.application.closed == (do in (raising, never))


def test_an_application_that_fails_to_close_sends_nothing(guarded: Answering) -> None:
    class Sticking(Application):
        def reply(self, start_response: Any) -> Any:
            self.closed -= 1
            start_response("200 OK", [XML])
            return [ANSWER]

    class Failing(Sticking):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            made = super().__call__(environ, start_response)

            class Iterable:
                def __iter__(self) -> Any:
                    return iter(made)

                def close(self) -> None:
                    raise ArithmeticError(SECRET)

            return Iterable()

    guard = guarded(Failing(), response=BOTH)
    with pytest.raises(ArithmeticError):
        guard.post(request())
    assert [record.outcome for record in guard.records] == ["error"]


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "500 Internal Server Error"])
def test_an_answer_that_should_say_something_and_is_empty_is_withheld(guarded: Answering, status: str) -> None:
    """Whoever is on the way could cut an answer off, and its headers would be nobody's."""
    headers = [XML, ("Content-Length", "0"), ("Location", "http://evil.example/")]
    guard = guarded(Application(octets=b"", status=status, headers=headers), response=BOTH)
    answer = guard.post(request())
    assert (answer.status, answer.check) == ("500 Internal Server Error", "response.not_secured")
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("status", "headers"), [("202 Accepted", [XML, ("Content-Length", "0")]), ("204 No Content", [("X-A", "b")])]
)
def test_an_answer_that_says_nothing_is_sent_as_it_is(
    guarded: Answering, status: str, headers: list[tuple[str, str]]
) -> None:
    """There is nothing in it to secure."""
    application = Application(octets=b"", status=status, headers=headers)
    guard = guarded(application, response={**BOTH, "encrypt": "useReqSigCert"})
    answer = guard.post(request())
    assert (answer.status, answer.body, answer.headers) == (status, b"", dict(headers))
    assert guard.application.closed == 1


@pytest.mark.parametrize("record", ["rejected", "all"])
def test_an_answer_that_goes_is_recorded_as_the_policy_says(guarded: Answering, record: str) -> None:
    guard = guarded(response=BOTH, audit={"url": "memory://", "record": record})
    guard.post(request())
    assert [one.outcome for one in guard.records] == (["accepted"] if record == "all" else [])


def test_headers_of_the_body_are_the_new_bodys(guarded: Answering) -> None:
    headers = [
        ("content-type", "application/xml"),
        ("Content-Length", str(len(ANSWER))),
        ("ETag", '"x"'),
        ("Content-MD5", "x"),
        ("Digest", "x"),
        ("Set-Cookie", "a=b"),
        ("X-Own", "1"),
    ]
    answer = guarded(Application(headers=headers), response=BOTH).post(request())
    assert answer.headers == {
        "Set-Cookie": "a=b",
        "X-Own": "1",
        "Content-Type": "text/xml; charset=utf-8",
        "Content-Length": str(len(answer.body)),
    }


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "utf-8", "us-ascii"])
def test_answers_in_other_charsets_become_utf_8(guarded: Answering, charset: str) -> None:
    said = "hello" if charset == "us-ascii" else "é"
    text = f'<?xml version="1.0" encoding="{charset}"?>' + ANSWER.decode().replace(SECRET, said)
    application = Application(octets=text.encode(charset), headers=[("Content-Type", f"text/xml; charset={charset}")])
    answer = guarded(application, response=BOTH).post(request())
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert xmlsec_verifies(answer.body, SERVICE)
    assert etree.fromstring(answer.body).findtext(".//{urn:echo}text") == said


def test_what_the_answer_says_is_what_the_application_said(guarded: Answering) -> None:
    """Comments, sections, white space, prefixes in content, header blocks."""
    body = (
        '<e:EchoResponse xmlns:e="urn:echo" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema"><e:n xsi:type="xs:int">1</e:n>\n <![CDATA[<&]]>&#13;'
        "</e:EchoResponse>"
    )
    octets = envelope('<h:To xmlns:h="urn:h" a="&#10;">x</h:To>', body)
    guard = guarded(Application(octets=octets), response={**BOTH, "encrypt": "useReqSigCert"})
    seen = received(guard.post(request()).body)
    parser = etree.XMLParser(strip_cdata=True)
    assert etree.tostring(etree.fromstring(seen.envelope), method="c14n", exclusive=True) == etree.tostring(
        etree.fromstring(octets, parser), method="c14n", exclusive=True
    )


def test_a_security_header_for_another_stays(guarded: Answering) -> None:
    header = (
        '<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" '
        'S:actor="urn:next"/>'
    )
    answer = guarded(Application(octets=envelope(header, RESPONSE)), response=BOTH).post(request())
    assert answer.status == "200 OK"
    assert xmlsec_verifies(answer.body, SERVICE)
    assert b'"urn:next"' in answer.body


def test_the_application_is_not_run_for_what_is_refused(guarded: Answering) -> None:
    guard = guarded(response=BOTH)
    assert guard.refusal(request().replace(b"hello", b"evil!")) == "signature.digest"
    assert guard.application.closed == 0
