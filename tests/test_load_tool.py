"""The tool that measures what a guarded service serves: it runs, and the page has what it measures. No time is looked
at."""

import json
import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

from bench.load import BEGIN, END, RECORDS, TURNS, main
from bench.load_servers import COMMANDS, installed
from bench.profiles import POLICIES

PAGE = Path(__file__).parents[1] / "docs" / "load.md"
ONE = ["--server", "gunicorn gthread", "--profile", "0", "--record", "all"]
pytestmark = [
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:_SixMetaPathImporter:ImportWarning"),
]


def shape(page: str) -> set[str]:
    """Headings without their numbers, and the first three cells of each row of a table with so many."""
    part = page[page.index(BEGIN) : page.index(END)]
    found = re.findall(r"^(### .*|\| [^|]* \| [^|\d]* \| [^|\d]* \|)", part, re.MULTILINE)
    return {re.sub(r"[\d,]+", "", line) for line in found}


def test_it_measures_and_the_page_shows_what_it_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "load.md"
    page.write_text(f"before\n\n{BEGIN}old\n{END}\nafter\n")
    main(["--requests", str(TURNS), "--long", str(TURNS), "--json", "--write", str(page), *ONE])
    measured = json.loads(capsys.readouterr().out)
    (row,) = measured["rows"]
    for side in (row["bare"], row["guarded"], measured["long"]["bare"], measured["long"]["guarded"]):
        assert (side["errors"], side["requests"]) == ({}, TURNS)
        assert side["rate"] > 0
        assert side["p50"] <= side["p99"] <= side["p999"]
        assert all(octets > 2**20 for octets in side["memory"])
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before\n\n")
    assert written.endswith("\nafter\n")
    assert shape(written) <= shape(PAGE.read_text(encoding="utf-8")), "run: make load WRITE=docs/load.md"


def test_the_page_has_every_server_and_profile_and_no_request_that_failed() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [
        line.split(" | ") for line in page.splitlines() if line.startswith(tuple(f"| {name} |" for name in COMMANDS))
    ]
    expected = {(f"| {server}", profile, record) for server in COMMANDS for profile in POLICIES for record in RECORDS}
    assert {(row[0], row[1], row[2]) for row in rows} == expected
    assert {row[-1] for row in rows if len(row) == 7} == {"none |"}
    assert "### Memory of the workers over" in page


def test_what_is_asked_of_too_few_requests_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--requests", str(TURNS - 1)])
    assert f"at least {TURNS} requests" in capsys.readouterr().err


def test_gunicorn_is_one_of_the_servers() -> None:
    assert {"gunicorn sync", "gunicorn gthread"} <= set(installed())
