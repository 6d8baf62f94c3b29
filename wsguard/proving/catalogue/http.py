"""Attacks by HTTP: with an honest message, that a server, a proxy or an application may take for something else."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control

_METHODS: Final = ("GET", "PUT", "DELETE", "post")
_TYPES: Final = (
    'multipart/related; type="text/xml"; boundary=proof',
    "application/xml",
    "text/plain",
    "application/x-www-form-urlencoded",
)
_DEFLATED: Final = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_UTF_8: Final = "text/xml; charset=utf-8"
_PATHS: Final = ("//", "/./", "/../", "/%2e%2e/", "/;a=b/", "/\\")
_LARGEST_BOMB: Final = 64 * 1024 * 1024
"""Octets that are deflated for a bomb: a limit above is not tried out."""


def _methods(case: Case) -> Iterator[Attack]:
    for method in _METHODS:
        sent = case.sent(environ={"REQUEST_METHOD": method})
        yield Attack(f"by {method}", ("http.method",), sent)
    asked = case.sent(environ={"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl"})
    yield Attack("by GET, as who asks for the WSDL", ("http.method",), asked)


def _types(case: Case) -> Iterator[Attack]:
    for kind in _TYPES:
        yield Attack(f"as {kind.partition(';')[0]}", ("http.content_type",), case.sent(environ={"CONTENT_TYPE": kind}))


def _lengths(case: Case) -> Iterator[Attack]:
    honest, name = case.sent(), ("http.length",)
    size = len(honest.octets)
    # Where nothing but UTF-16 is taken, messages are twice as long as they are in UTF-8.
    beyond = size + 8 if {*case.scene.policy.http.charsets} - {"utf-16"} else 2 * size + 8
    for how, environ in (
        ("with a length and chunks", {"HTTP_TRANSFER_ENCODING": "chunked"}),
        ("shorter than it says", {"CONTENT_LENGTH": str(beyond)}),
        ("with two lengths", {"CONTENT_LENGTH": f"{size}, {size}"}),
        ("with a negative length", {"CONTENT_LENGTH": "-1"}),
    ):
        yield Attack(how, name, replace(honest, environ=environ))


def _size(case: Case) -> Iterator[Attack]:
    most = case.scene.policy.limits.body_bytes
    sent = case.sent(environ={"CONTENT_LENGTH": str(most + 1)})
    yield Attack(f"of {most + 1} octets", ("limits.body_bytes",), sent)


def _encodings(case: Case) -> Iterator[Attack]:
    honest, taken = case.sent(), case.scene.policy.http.content_encodings
    most = case.scene.policy.limits.body_bytes
    for name, bits in _DEFLATED.items():
        if name not in taken:
            octets, how, demanded = _deflated(honest.octets, bits), f"by {name}", ("http.content_encoding",)
        elif most <= _LARGEST_BOMB:
            octets, how, demanded = _deflated(bytes(most + 1), bits), f"a {name} bomb", ("limits.body_bytes",)
        else:
            continue
        environ = {"HTTP_CONTENT_ENCODING": name, "CONTENT_LENGTH": str(len(octets))}
        yield Attack(how, demanded, replace(honest, octets=octets, environ=environ))


def _trailers(case: Case) -> Iterator[Attack]:
    honest = case.sent()
    for name, bits in _DEFLATED.items():
        if name in case.scene.policy.http.content_encodings:
            octets = _deflated(honest.octets, bits) + b"trailer"
            environ = {"HTTP_CONTENT_ENCODING": name, "CONTENT_LENGTH": str(len(octets)), "CONTENT_TYPE": _UTF_8}
            sent = replace(honest, octets=octets, environ=environ)
            yield Attack(f"by {name}, and something after it", ("http.content_encoding",), sent)


def _deflated(octets: bytes, bits: int) -> bytes:
    deflater = zlib.compressobj(wbits=bits)
    return deflater.compress(octets) + deflater.flush()


def _paths(case: Case) -> Iterator[Attack]:
    path = case.scene.path_of(case.target)
    for odd in _PATHS:
        yield Attack(f"on {path.rstrip('/')}{odd}", ("http.path",), case.sent(path=f"{path.rstrip('/')}{odd}"))


def _similar_paths(case: Case) -> Iterator[Attack]:
    """Routers may take these for the path of the service: without its security nobody gets there."""
    target = case.target
    demanded = ("operation.unknown",) if target.operations else ("http.path",)
    for path in (f"{target.paths[0]}/", target.paths[0].swapcase()):
        if path not in target.paths and path.strip("/"):
            yield Attack(f"unsecured on {path}", (*demanded, "security.missing"), case.bare(path=path))


def _inflates(case: Case) -> bool:
    http = case.scene.policy.http
    return bool(http.content_encodings) and "utf-8" in http.charsets


def _has_paths(case: Case) -> bool:
    return bool(case.target.paths)


CONTROLS: Final = (
    Control("http.method", when.always, _methods, each="target"),
    Control("http.content_type", when.always, _types, each="target"),
    Control("http.length", when.always, _lengths, each="target"),
    Control("http.size", when.always, _size, each="target"),
    Control("http.content_encoding", when.always, _encodings, each="target"),
    Control("http.trailer", _inflates, _trailers, each="target"),
    Control("http.path", when.always, _paths, each="target"),
    Control("http.similar_path", _has_paths, _similar_paths, each="target"),
)
