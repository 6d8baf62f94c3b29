"""Messages captured from other stacks get the verdict that they deserve, and the application what they said."""

import gzip
import json
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import wsguard
from tests.guarding import Answer, Clock, Echo

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
GZIP_MAGIC = b"\x1f\x8b"

if not CORPUS.is_dir():
    pytest.skip("the corpus of foreign messages is not beside the repository", allow_module_level=True)


def entries() -> list[Any]:
    """Every captured message that this version can judge, or must refuse."""
    listed = json.loads((CORPUS / "manifest.json").read_text("utf-8"))
    return [pytest.param(entry, id=entry["name"]) for entry in listed]


def octets_of(entry: dict[str, Any]) -> bytes:
    """The body as it was sent."""
    return (CORPUS / "messages" / f"{entry['name']}.xml").read_bytes()


def judge(entry: dict[str, Any]) -> tuple[Answer, Echo]:
    """Send one captured message, as it came, to a guard of its own."""
    echo = Echo()
    clock = Clock(datetime.fromisoformat(entry["received"]))
    guard = wsguard.guard(echo, CORPUS / f"{entry['profile']}.toml", clock=clock)
    octets = octets_of(entry)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": entry["method"],
        "PATH_INFO": "/",
        "wsgi.input": BytesIO(octets),
        "wsgi.input_terminated": True,
    }
    for name, value in entry["headers"]:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    started: list[Any] = []

    def start_response(*arguments: Any) -> Any:
        started.append(arguments)

    body = b"".join(guard(environ, start_response))
    records = guard.audit.records  # type: ignore[attr-defined]  # memory://
    guard.close()
    return Answer(started[-1][0], dict(started[-1][1]), body, records[0] if records else None), echo


@pytest.mark.parametrize("entry", entries())
def test_a_captured_message_gets_the_right_verdict(entry: dict[str, Any]) -> None:
    answer, echo = judge(entry)
    verdict = "accept" if echo.handed else "reject"
    assert (verdict == "accept") == answer.status.startswith("200")
    if verdict == "reject":
        assert answer.record is not None
        assert etree.QName(etree.fromstring(answer.body)).localname == "Envelope"
    assert entry["expect"] in (verdict, "either")
    if "check" in entry:
        assert answer.check == entry["check"]


@pytest.mark.parametrize("entry", entries())
def test_what_is_handed_off_of_a_captured_message_is_its_body(entry: dict[str, Any]) -> None:
    _, echo = judge(entry)
    if not echo.handed:
        return
    environ, handed = echo.handed[0]
    octets = octets_of(entry)
    if octets.startswith(GZIP_MAGIC):
        assert "HTTP_CONTENT_ENCODING" not in environ
        octets = gzip.decompress(octets)
    received = etree.fromstring(octets, etree.XMLParser(remove_comments=True))
    original, arrived = received[-1], etree.fromstring(handed)[-1]
    if b"EncryptedData" in octets:
        assert [(child.tag, child[0].text) for child in arrived] == [("{http://example.org/echo}Echo", "hello")]
        return
    assert etree.tostring(arrived, method="c14n", exclusive=True) == etree.tostring(
        original, method="c14n", exclusive=True
    )
    assert b"Security" not in handed
