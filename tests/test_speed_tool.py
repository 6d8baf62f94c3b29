"""The tool that measures what the guard costs: it runs, and the page has what it measures. No time is looked at."""

import json
import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

from bench import floor
from bench.profiles import POLICIES
from bench.speed import BEGIN, END, main

PAGE = Path(__file__).parents[1] / "bench" / "README.md"
pytestmark = [
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:_SixMetaPathImporter:ImportWarning"),
]


def shape(page: str) -> set[str]:
    """Headings, and the first two cells of each row, without what depends on how far a run went."""
    part = page[page.index(BEGIN) : page.index(END)]
    return {re.sub(r"[\d,]{4,}", "", line) for line in re.findall(r"^(### .*|\| [^|]* \|)", part, re.MULTILINE)}


def test_it_measures_every_profile_and_the_page_shows_them_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n\n{BEGIN}old\n{END}\nafter\n")
    main(["--rounds", "2", "--largest", "20000", "--write", str(page)])
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before\n\n")
    assert written.endswith("\nafter\n")
    assert capsys.readouterr().out in written
    assert all(profile in written for profile in POLICIES)
    # Others are measured where they are installed.
    assert shape(written) <= shape(PAGE.read_text(encoding="utf-8")), "run: make bench WRITE=bench/README.md"


def test_it_prints_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rounds", "2", "--largest", "2000", "--json"])
    measured = json.loads(capsys.readouterr().out)
    assert {row["what"] for row in measured["calls"]} == {"bare spyne", *POLICIES}
    assert {row["what"] for row in measured["growth"]} == set(POLICIES)
    assert all(row["ratio"] > 0 for row in measured["engine"])


def test_the_floor_is_measured_in_parts_for_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    floor.main(["--rounds", "2"])
    printed = capsys.readouterr().out
    for profile in POLICIES:
        assert all(f"| {profile}, {size} KB | µs |" in printed for size in (2, 20))
    parts = re.findall(r"^\| ([a-z][^|]*) \| -?\d+ \|$", printed, re.MULTILINE)
    assert {part: parts.count(part) for part in parts} == {
        "parse what came": 6, "unwrap the key, RSA-2048": 2, "decrypt, AES-GCM": 2, "parse what was opened": 2,
        "canonical forms and digests": 4, "verify the value, RSA-2048": 4, "one statement of SQLite": 6,
        "write what is handed on": 6, "the engine": 6, "left, in Python": 6,
    }  # fmt: skip
