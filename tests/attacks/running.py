"""The cases of a site, sent to whatever guard listens at an address, over HTTP and at the real time."""

import re
import shlex
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

from tests.attacks.canary import watched
from tests.attacks.cases import Case, Sent
from tests.messages import sent_at

Verdict = Literal["refused", "accepted", "unanswered", "unproven", "read a file"]
"""``unanswered``: no HTTP answer in time; ``unproven``: a message that must come before it was not taken as meant;
``read a file``: the guard, on this machine, opened what the message named."""

PATIENCE: Final = 10.0
"""Seconds for an answer."""
_FAULT: Final = re.compile(rb"<(?:[\w.-]+:)?Fault[\s/>]")
_EVERYWHERE: Final = "/-._~!$&'()*+,;=:@"
"""What stays as it is in the path of a request (RFC 3986 §3.3)."""


@dataclass(frozen=True)
class Result:
    """What came of a case at one guard."""

    site: str
    case: Case
    verdict: Verdict

    @property
    def wrong(self) -> bool:
        """An attack that was accepted or read a file, or a legal message that was not accepted."""
        if self.case.check:
            return self.verdict in ("accepted", "read a file")
        return self.verdict not in ("accepted", "unproven")

    @property
    def word(self) -> str:
        """The verdict, in capitals where it is wrong."""
        return self.verdict.upper() if self.wrong else self.verdict


def moments() -> Iterator[datetime]:
    """The real time, later by a millisecond at least whenever it is asked for: nothing is a replay of another."""
    last = datetime.min.replace(tzinfo=UTC)
    while True:
        now = datetime.now(UTC)
        last = max(now.replace(microsecond=now.microsecond // 1000 * 1000), last + timedelta(milliseconds=1))
        yield last


def run(site: str, url: str, cases: Iterable[Case]) -> Iterator[Result]:
    """Send each case that means something elsewhere.

    Args:
        site: the cases' own.
        url: of the guard.
        cases: of any site.
    """
    for case, moment in zip((one for one in cases if one.site == site and one.elsewhere), moments(), strict=False):
        with sent_at(moment):
            requests = case.requests
        yield Result(site, case, _verdict(url, requests))


def _verdict(url: str, requests: tuple[Sent, ...]) -> Verdict:
    *before, last = requests
    for one in before:
        if _ask(url, one) != ("refused" if one.refused else "accepted"):
            return "unproven"
    with watched() as canary:
        verdict = _ask(url, last)
    return "read a file" if canary.is_set() else verdict


def _ask(url: str, sent: Sent) -> Verdict:
    try:
        status, body = post(url, sent)
    except (OSError, HTTPException, ValueError):
        return "unanswered"
    return "refused" if status >= 400 or _FAULT.search(body) else "accepted"


def post(url: str, sent: Sent) -> tuple[int, bytes]:
    """The status and body of the answer.

    Raises:
        OSError: nobody answers in time.
        HTTPException: what is answered is no HTTP.
        ValueError: it cannot be sent over HTTP.
    """
    parts = urlsplit(url)
    environ: dict[str, Any] = {
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(sent.octets)),
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        **sent.environ,
    }
    path = quote((environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]).encode("latin-1"), safe=_EVERYWHERE) or "/"
    target = f"{path}?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else path
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.netloc, timeout=PATIENCE)) as connection:
        connection.putrequest(environ.get("REQUEST_METHOD", "POST"), target, skip_accept_encoding=True)
        for name, value in environ.items():
            if value is not None and (name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")):
                connection.putheader(name.removeprefix("HTTP_").replace("_", "-").title(), value)
        connection.endheaders(sent.octets)
        answer = connection.getresponse()
        return answer.status, answer.read()


# --- The guard's process ----------------------------------------------------------------------------------------------


def listens(url: str) -> bool:
    """Whether somebody takes connections there."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def wait_for(urls: Iterable[str], seconds: float, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Until all of them listen.

    Raises:
        TimeoutError: one does not, in time.
        ChildProcessError: the process that should serve them ended.
    """
    until = time.monotonic() + seconds
    for url in urls:
        while not listens(url):
            if process is not None and process.poll() is not None:
                raise ChildProcessError(f"the guard ended with status {process.returncode}")
            if time.monotonic() > until:
                raise TimeoutError(f"nobody listens at {url}")
            time.sleep(0.05)


@contextmanager
def started(command: str, material: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """A guard that runs meanwhile; ``{material}`` in its command is the directory of its keys."""
    process = subprocess.Popen(shlex.split(command.replace("{material}", shlex.quote(str(material)))))
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
