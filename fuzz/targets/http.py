"""A whole request: lines of ``KEY=value`` that make a WSGI environ, an empty line, and the body.

Invariant: an answer always: a SOAP fault and an untouched application, or the application's own after one hand-off of
an environ that says nothing in our name; exactly one record; no exception; nothing on standard error.
"""

import gzip
import zlib
from datetime import date
from functools import cache
from io import BytesIO
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from lxml import etree

from fuzz import messages
from fuzz.guarded import Fuzzed, Outcome, environ_for
from fuzz.messages import TIMESTAMP, message, token
from fuzz.target import Target, demand
from tests.messages import SOAP12

_CGI: Final = frozenset(
    {"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "CONTENT_TYPE", "CONTENT_LENGTH"}
)
_OURS: Final = ("REMOTE_USER", "AUTH_TYPE")
_LIMIT: Final = 8192


@cache
def _guard() -> Fuzzed:
    return Fuzzed(
        limits={"body_bytes": _LIMIT, "elements": 300},
        http={"content_encodings": ["gzip", "deflate"]},
        services={"Other": {"operations": ["{urn:other}*"], "paths": ["/other"]}},
        exempt=[{"operations": ["{urn:open}Ping"], "reason": "open", "owner": "us", "review": date(2027, 6, 30)}],
    )


def _environ(octets: bytes) -> WSGIEnvironment:
    head, _, body = octets.partition(b"\n\n")
    changes: dict[str, Any] = {}
    for line in head.decode("latin-1").split("\n"):
        key, _, value = line.partition("=")
        if key == "terminated":
            changes["wsgi.input_terminated"] = True
        elif key == "torn":
            changes["wsgi.input"] = _Torn(body)
        elif key in (*_CGI, *_OURS) or key.startswith(("HTTP_", "wsguard.")):
            changes[key] = None if value == "-" else value
    return environ_for(body, **changes)


class _Torn(BytesIO):
    """A connection that ends badly."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise ConnectionResetError("torn")


def judge(octets: bytes) -> bool:
    """Hold one request against the invariants."""
    environ = _environ(octets)
    outcome = _guard().call(environ)
    if outcome.environ is not None:
        _demand_handoff(environ, outcome)
    return outcome.environ is not None


def _demand_handoff(environ: WSGIEnvironment, outcome: Outcome) -> None:
    inner = outcome.environ or {}
    demand(inner["CONTENT_LENGTH"] == str(len(outcome.handed)), "Content-Length is that of what is handed on")
    claims = {key for key in inner if key.startswith("wsguard.")} - {"wsguard.message"}
    demand(not claims, f"nobody else speaks in our name: {claims}")
    if outcome.message is None:
        demand((environ.get("REQUEST_METHOD"), inner.get("REMOTE_USER")) == ("GET", None), "only GET passes unjudged")
        return
    demand(environ.get("REQUEST_METHOD") == "POST", "only POST is judged")
    user = None if outcome.message.exempt else "alice"
    demand(inner.get("REMOTE_USER") == user, "the user is the one who was authenticated")
    demand(user or outcome.message.operation == "{urn:open}Ping", "only what is exempt passes without a user")
    demand(len(outcome.handed) <= 4 * _LIMIT, "what is handed on is bounded")
    root = etree.fromstring(outcome.handed)
    demand(root[-1][0].tag == outcome.message.operation, "the operation is the one that is handed on")


def seeds() -> list[bytes]:
    """Honest requests of several kinds, and refused ones."""
    honest = message(TIMESTAMP, token()).encode()
    soap12 = message(TIMESTAMP, token(), soap=SOAP12).encode()
    raw = zlib.compressobj(wbits=-15)
    lines = {
        b'CONTENT_TYPE=text/xml; charset=utf-8\nHTTP_SOAPACTION=""': honest,
        b'CONTENT_TYPE=application/soap+xml; charset="utf-8"; action="urn:echo:Echo"': soap12,
        b"HTTP_CONTENT_ENCODING=gzip": gzip.compress(honest, mtime=0),
        b"HTTP_CONTENT_ENCODING=x-gzip\nHTTP_TRANSFER_ENCODING=chunked\nCONTENT_LENGTH=-\nterminated": gzip.compress(
            honest, mtime=0
        ),
        b"HTTP_CONTENT_ENCODING=deflate": zlib.compress(honest),
        b"HTTP_CONTENT_ENCODING=DEFLATE": raw.compress(honest) + raw.flush(),
        b"REQUEST_METHOD=GET\nQUERY_STRING=wsdl\nCONTENT_LENGTH=": b"",
        b"REQUEST_METHOD=post": honest,
        b"PATH_INFO=/a/../b;c%2e//d\nSCRIPT_NAME=/x": honest,
        b"PATH_INFO=/other\nHTTP_SOAPACTION=urn:other/Do": message(
            TIMESTAMP, token(), body='<o:Do xmlns:o="urn:other"/>'
        ).encode(),
        b"PATH_INFO=/open": message(body='<o:Ping xmlns:o="urn:open"/>').encode(),
        b"CONTENT_LENGTH=7": honest,
        b"CONTENT_LENGTH=99999999": honest,
        b"CONTENT_LENGTH=+1": honest,
        b"torn": honest,
        b"CONTENT_TYPE=multipart/related; boundary=b": b"--b\r\n\r\n" + honest,
        b"REMOTE_USER=root\nAUTH_TYPE=x\nwsguard.message=evil\nwsguard.claim=evil\nREMOTE_ADDR=\x1b[2J": honest,
        b"CONTENT_TYPE=text/xml; charset=utf-16": messages.message(TIMESTAMP, token()).encode("utf-16"),
    }
    return [head + b"\n\n" + body for head, body in lines.items()]


TARGET: Final = Target(name="http", judge=judge, seeds=seeds, dictionary="http")
