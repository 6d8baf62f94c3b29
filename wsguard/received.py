"""The HTTP side of a request: method, path, type, length and encoding, each judged before a byte of it is parsed."""

import re
import zlib
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from wsguard.faults import MessageFault
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, SoapVersion
from wsguard.policy import Http

_length = partial(MessageFault, "http.length", status=HTTPStatus.BAD_REQUEST)

_ODD_PATH: Final = re.compile(r"[%;?#\\\x00-\x1f\x7f-\x9f\ufffd]|//|/\.\.?(?:/|$)")
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_CHUNK: Final = 65536


@dataclass(frozen=True, slots=True)
class Body:
    """A request body as it will be parsed, and what HTTP says of it."""

    octets: bytes = field(repr=False)
    charset: str | None
    action: str
    """The ``action`` parameter of Content-Type (SOAP 1.2)."""


def path_of(environ: WSGIEnvironment) -> str:
    """SCRIPT_NAME and PATH_INFO, decoded as UTF-8; U+FFFD stands for what is not."""
    raw = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    return raw.encode("latin-1", "replace").decode("utf-8", "replace")


def check_path(path: str) -> None:
    """Refuse paths that two programs might read as two different ones.

    Raises:
        MessageFault: ``http.path``.
    """
    odd = _ODD_PATH.search(path)
    if odd:
        raise MessageFault("http.path", expected="a plain path", seen=path, status=HTTPStatus.BAD_REQUEST)


def is_wsdl_request(environ: WSGIEnvironment) -> bool:
    """Whether this is ``GET …?wsdl`` without a body, which passes unjudged."""
    query = str(environ.get("QUERY_STRING", "")).lower()
    bodiless = environ.get("CONTENT_LENGTH", "") in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ
    return environ.get("REQUEST_METHOD") == "GET" and query in ("wsdl", "wsdl=") and bodiless


def check_method(environ: WSGIEnvironment) -> None:
    """Demand exactly POST.

    Raises:
        MessageFault: ``http.method``.
    """
    method = str(environ.get("REQUEST_METHOD", ""))
    if method != "POST":
        raise MessageFault("http.method", expected="POST", seen=method, status=HTTPStatus.METHOD_NOT_ALLOWED)


def version_of(environ: WSGIEnvironment) -> SoapVersion:
    """The SOAP version that Content-Type names; 1.1 where it names none."""
    media_type = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip()
    return SOAP_1_2 if media_type.lower() == SOAP_1_2.content_type else SOAP_1_1


def read_body(environ: WSGIEnvironment, http: Http, most: int) -> Body:
    """Read and inflate the body.

    Args:
        environ: of the request.
        http: what is taken.
        most: bytes, before and after inflating.

    Raises:
        MessageFault: ``http.content_type``, ``http.length``, ``http.content_encoding``, ``limits.body_bytes``.
    """
    charset, action = _content_type(environ)
    encoding = _content_encoding(environ, http)
    octets = _read(environ, most)
    return Body(_inflate(octets, encoding, most) if encoding else octets, charset, action)


def _content_type(environ: WSGIEnvironment) -> tuple[str | None, str]:
    header = str(environ.get("CONTENT_TYPE", ""))
    media_type, parameters = parse_options_header(header)
    # RFC 9110 §8.3.1: the case of a media type says nothing.
    if media_type.lower() not in (SOAP_1_1.content_type, SOAP_1_2.content_type):
        raise MessageFault(
            "http.content_type",
            expected=f"{SOAP_1_1.content_type} or {SOAP_1_2.content_type}",
            seen=header or "none",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    return _charset(header, parameters.get("charset")), parameters.get("action", "")


_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_CHARSET: Final = re.compile(r"charset\*?")


def _charset(header: str, parsed: str | None) -> str | None:
    """The charset of Content-Type, which everybody who reads the header must read alike (RFC 9110 §8.3, §5.6.6)."""
    bare = _QUOTED.sub("", header).lower()
    named = _CHARSET.findall(bare)
    if named == ([] if parsed is None else ["charset"]) and not (named and '"' in bare):
        return parsed
    expected = "one charset in Content-Type, which can be read in one way"
    raise MessageFault("envelope.encoding", expected=expected, seen=header)


def _content_encoding(environ: WSGIEnvironment, http: Http) -> str:
    encoding = str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if encoding in ("", "identity"):
        return ""
    name = "gzip" if encoding == "x-gzip" else encoding
    if name not in http.content_encodings:
        raise MessageFault(
            "http.content_encoding",
            expected=" or ".join(http.content_encodings) or "none",
            seen=encoding,
            setting="http.content_encodings",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    return name


def _too_large(most: int, seen: str) -> MessageFault:
    return MessageFault(
        "limits.body_bytes",
        expected=f"at most {most} bytes",
        seen=seen,
        setting="limits.body_bytes",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _read(environ: WSGIEnvironment, most: int) -> bytes:
    announced = _announced_length(environ)
    if announced is not None and announced > most:
        raise _too_large(most, f"{announced} bytes announced")
    try:
        return _read_stream(environ, announced, most)
    except RequestEntityTooLarge:
        raise _too_large(most, "more") from None
    except MessageFault:
        raise
    except Exception as error:  # noqa: BLE001 - PEP 3333 names none, so a server raises its own
        raise _length(expected="the whole body", seen=type(error).__name__) from None


def _announced_length(environ: WSGIEnvironment) -> int | None:
    """Content-Length, or None where the server delimits the body."""
    header = str(environ.get("CONTENT_LENGTH") or "")
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    if header and chunked:
        raise _length(expected="Content-Length or Transfer-Encoding", seen="both")
    if header:
        if not _DIGITS.fullmatch(header):
            raise _length(expected="a Content-Length of decimal digits", seen=header)
        return int(header)
    if not environ.get("wsgi.input_terminated"):
        expected = "a Content-Length, or a server that sets wsgi.input_terminated"
        raise _length(expected=expected, seen="neither", status=HTTPStatus.LENGTH_REQUIRED)
    return None


def _read_stream(environ: WSGIEnvironment, announced: int | None, most: int) -> bytes:
    """At most ``most`` bytes.

    Raises:
        RequestEntityTooLarge: there are more.
        MessageFault: ``http.length``, there are more or fewer than announced.
    """
    stream: Any = environ["wsgi.input"]
    # PEP 3333: only Content-Length says where a stream ends that does not end by itself.
    end = most + 1 if environ.get("wsgi.input_terminated") else announced or 0
    chunks, size = [], 0
    while size < end and (chunk := stream.read(min(_CHUNK, end - size))):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise RequestEntityTooLarge
    if announced is not None and size != announced:
        raise _length(expected=f"{announced} bytes", seen=f"{size} bytes")
    return b"".join(chunks)


def _inflate(octets: bytes, encoding: str, most: int) -> bytes:
    """The content of one gzip member or zlib stream (RFC 9110 §8.4.1); nothing may follow it."""
    refuse = partial(MessageFault, "http.content_encoding", status=HTTPStatus.BAD_REQUEST)
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    try:
        content = inflater.decompress(octets, most + 1)
    except zlib.error as error:
        raise refuse(expected=f"a {encoding} stream", seen=str(error)) from None
    if len(content) > most:
        raise _too_large(most, "more after inflating")
    if not inflater.eof or inflater.unused_data:
        raise refuse(expected=f"one whole {encoding} stream", seen="a part of one, or more than one")
    return content
