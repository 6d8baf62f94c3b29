"""SOAP over HTTP with nothing but the standard library: one POST, one bounded answer, no redirects.

SOAP 1.1 §6, SOAP 1.2 part 2 §7.
"""

import http.client
import urllib.error
import urllib.request
import urllib.response
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from wsguard.message.envelope import SOAP_1_1, SoapVersion

_SCHEMES: Final = ("http", "https")


class Unreachable(Exception):
    """There is no answer. The text says why, and nothing that was sent."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whatever its status."""

    status: int
    octets: bytes = field(repr=False)
    """At most one more than was asked for."""
    charset: str | None
    """``charset`` of Content-Type."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A request was secured for one service, and is for no other: nobody even looks at where to."""

    def http_error_302(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - whatever urllib gives
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


_opener: Final = urllib.request.build_opener(_NoRedirects)


def check_url(url: str) -> None:
    """Demand an address of HTTP without a password in it.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError("a URL of http or https is expected")
    if parts.password is not None:
        raise ValueError("a URL with a password in it is a secret, and everybody on this machine could read it")


def post(url: str, octets: bytes, *, version: SoapVersion, action: str, timeout: float, most: int) -> HttpAnswer:
    """Send one message.

    Args:
        url: of the service.
        octets: the envelope in UTF-8.
        version: its SOAP version.
        action: SOAPAction, or ``action`` of Content-Type in SOAP 1.2; empty: none.
        timeout: seconds that connecting, and each wait for more, may take.
        most: octets of the answer that are read, and one more.

    Raises:
        ValueError: as ``check_url``, or ``action`` cannot stand in a header.
        Unreachable: nothing answers, or not in HTTP.
    """
    check_url(url)
    # The scheme was checked.
    request = urllib.request.Request(url, octets, _headers(version, action), method="POST")  # noqa: S310
    try:
        with _opened(request, timeout) as response:
            return HttpAnswer(response.code or 0, response.read(most + 1), response.headers.get_content_charset())
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise Unreachable(f"{urlsplit(url).netloc}: {reason or type(reason).__name__}") from None


def _opened(request: urllib.request.Request, timeout: float) -> urllib.response.addinfourl:
    """The answer, also one whose status says that something went wrong."""
    try:
        opened: urllib.response.addinfourl = _opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        return error
    return opened


def _headers(version: SoapVersion, action: str) -> dict[str, str]:
    quoted = '"' + action.replace("\\", "\\\\").replace('"', '\\"') + '"'
    content_type = f"{version.content_type}; charset=utf-8"
    if version is SOAP_1_1:
        return {"Content-Type": content_type, "SOAPAction": quoted}
    return {"Content-Type": f"{content_type}; action={quoted}" if action else content_type}
