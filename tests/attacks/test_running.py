"""The catalogue at guards that listen somewhere: wsguard, one that believes everything, one nothing, and zeep's."""

import json
import shlex
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest

from tests.attacks.__main__ import main
from tests.attacks.cases import Case, Sent
from tests.attacks.catalogue import EVERYTHING
from tests.attacks.running import Result, moments, post, run, started, wait_for
from tests.attacks.sites import POLICIES, write_sites
from tests.attacks.tokens import user, with_token
from tests.test_docs import ROOT, blocks
from tests.test_gunicorn import free_port

PAGE: Final = "docs/attack-suite.md"
SERVED: Final = "{python} -W ignore -m tests.attacks.naive {kind} {site} {{material}} {port}"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started finds the tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def command(kind: str, site: str, port: int) -> str:
    return SERVED.format(python=shlex.quote(sys.executable), kind=kind, site=site, port=port)


def ran(kind: str, site: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    """The exit status and what was said of each case, of the whole program."""
    port = free_port()
    status = main(["--to", f"{site}=http://127.0.0.1:{port}/soap", "--start", command(kind, site, port), "--json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def verdicts(said: list[dict[str, Any]]) -> set[tuple[bool, str]]:
    """Whether it is legal, and what came of it."""
    return {(one["class"] == "legal", one["verdict"]) for one in said}


@pytest.mark.parametrize("site", ["answering", "sealed"])
def test_wsguard_is_right_every_time(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ran("wsguard", site, capsys)
    assert [one for one in said if one["wrong"]] == []
    assert verdicts(said) == {(False, "refused"), (True, "accepted")}
    assert status == 0
    assert len(said) == sum(case.site == site and case.elsewhere for case in EVERYTHING) > 30


def test_a_guard_that_lets_everything_through_accepts_every_attack(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ran("nobody", "answering", capsys)
    assert verdicts(said) == {(False, "accepted"), (True, "accepted")}
    assert {one["wrong"] for one in said if one["class"] != "legal"} == {True}
    assert status == 1


def test_a_guard_that_refuses_everything_is_as_broken(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ran("everybody", "sealed", capsys)
    assert verdicts(said) == {(False, "refused"), (True, "refused")}
    assert {one["wrong"] for one in said if one["class"] == "legal"} == {True}
    assert status == 1


def test_a_guard_that_asks_zeep_accepts_most_wrapped_messages(tmp_path: Path) -> None:
    """What is verified is not what is handed on: changed messages are refused, and wrapped ones are not."""
    write_sites(tmp_path)
    port = free_port()
    url = f"http://127.0.0.1:{port}/soap"
    named = [
        case for case in EVERYTHING if case.kind == "A" or case.name.startswith("in the security header: the cert")
    ]
    with started(command("zeep", "signed", port), tmp_path) as process:
        wait_for([url], 60, process)
        results = list(run("signed", url, named))
    came = Counter((result.case.kind, result.verdict) for result in results)
    assert came["legal", "accepted"] == 1
    assert came["A", "accepted"] > 100
    assert came["A", "refused"] > 20, "it does verify"


def test_the_table_says_what_was_accepted_in_capitals(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    arguments = ["--to", f"clients=http://127.0.0.1:{port}/soap", "--start", command("nobody", "clients", port)]
    assert main(arguments) == 1
    told = capsys.readouterr().out
    count = sum(case.site == "clients" and case.elsewhere for case in EVERYTHING)
    assert told.count("ACCEPTED") == count
    assert f"clients: 0 of {count} attacks refused, {count} accepted; 0 of 0 legal accepted" in told


# --- How it is asked --------------------------------------------------------------------------------------------------


def test_the_material_is_written_for_another_guard(tmp_path: Path) -> None:
    assert main(["--material", str(tmp_path / "new" / "material")]) == 0
    written = {path.name for path in (tmp_path / "new" / "material").iterdir()}
    assert written >= {"ca.pem", "alice.pem", "server.pem", "users.toml", *(f"{site}.toml" for site in POLICIES)}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["--start", "true"], id="no address"),
        pytest.param(["--to", "nowhere=http://127.0.0.1:1/"], id="no such site"),
        pytest.param(["--to", "token=ftp://127.0.0.1:1/"], id="no HTTP"),
        pytest.param(["--to", "token=http://127.0.0.1:1/", "--wait", "0"], id="nobody listens"),
        pytest.param(["--to", "token=http://127.0.0.1:1/", "--start", "false"], id="it ends at once"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_no_two_messages_are_made_at_one_time() -> None:
    times = list(islice(moments(), 1_000))
    assert times == sorted(set(times))
    assert {time.microsecond % 1_000 for time in times} == {0}


@pytest.mark.parametrize(
    ("check", "verdict", "wrong"),
    [
        ("replay.nonce", "refused", False), ("replay.nonce", "accepted", True), ("replay.nonce", "unanswered", False),
        ("replay.nonce", "unproven", False), ("replay.nonce", "read a file", True), ("", "accepted", False),
        ("", "refused", True), ("", "unanswered", True), ("", "read a file", True), ("", "unproven", False),
    ],
)  # fmt: skip
def test_what_is_wrong(check: str, verdict: Any, wrong: bool) -> None:
    case = Case(name="a", kind="F" if check else "legal", site="token", build=bytes, check=check)
    assert Result("token", case, verdict).wrong is wrong


# --- On the wire ------------------------------------------------------------------------------------------------------


class Asked(BaseHTTPRequestHandler):
    """Remembers what it was asked, and answers with nothing."""

    asked: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        octets = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.requestline, dict(self.headers), octets))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def asked() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """An address, and what was asked there."""
    Asked.asked = []
    with HTTPServer(("127.0.0.1", 0), Asked) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/services/echo?a=b", Asked.asked
        server.shutdown()
        thread.join()


def test_a_request_goes_to_the_address_unless_the_case_names_a_path(
    asked: tuple[str, list[tuple[str, dict[str, str], bytes]]],
) -> None:
    url, requests = asked
    post(url, Sent(octets=b"<a/>"))
    post(url, Sent(octets=b"", environ={"PATH_INFO": "/a%2F\xc3\xa4 b", "QUERY_STRING": "", "HTTP_SOAPACTION": '"x"'}))
    post(url, Sent(octets=b"", environ={"CONTENT_TYPE": None, "wsgi.input_terminated": True, "HTTP_SOAPACTION": None}))
    (first, headers, octets), (second, others, _), (_, third, _) = requests
    assert (first, octets) == ("POST /services/echo?a=b HTTP/1.1", b"<a/>")
    assert (headers["Content-Type"], headers["Content-Length"]) == ("text/xml; charset=utf-8", "4")
    assert (second, others["Soapaction"]) == ("POST /a%252F%C3%A4%20b HTTP/1.1", '"x"')
    assert {"Content-Type", "Soapaction"}.isdisjoint(third)


def test_nobody_and_nonsense_are_no_answer() -> None:
    case = Case(name="a", kind="F", site="token", build=lambda: with_token(user()), check="replay.nonce")
    assert [one.verdict for one in run("token", f"http://127.0.0.1:{free_port()}/", [case])] == ["unanswered"]
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

        def hang_up() -> None:
            server.accept()[0].close()

        thread = Thread(target=hang_up)
        thread.start()
        assert [one.verdict for one in run("token", f"http://127.0.0.1:{port}/", [case])] == ["unanswered"]
        thread.join()


# --- The page ---------------------------------------------------------------------------------------------------------


COMMANDS: Final = [
    line
    for block in blocks("console")
    if block.page == PAGE
    for line in block.text.splitlines()
    if line.startswith("python3.11 -m tests.attacks ")
]


@pytest.mark.parametrize(("number", "status"), [(0, 0), (1, 1), (2, 1)], ids=["wsguard", "another", "zeep"])
def test_the_page_shows_commands_that_run(
    number: int, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The small site stands for the one of a thousand messages, and a guard of ours for the reader's."""
    port = free_port()
    line = COMMANDS[number].replace("8080", str(port)).replace("signed", "clients")
    line = line.replace("--material material", f"--material {tmp_path}")
    words = shlex.split(line.replace('"python3.11 ', f'"{shlex.quote(sys.executable)} -W ignore '))
    assert words[:3] == ["python3.11", "-m", "tests.attacks"]
    if "--start" in words:
        assert main(words[3:]) == status
    else:
        with started(command("nobody", "clients", port), tmp_path):
            assert main(words[3:]) == status
    assert "attacks refused" in capsys.readouterr().out


def test_the_page_shows_no_other_commands() -> None:
    assert len(COMMANDS) == 3
