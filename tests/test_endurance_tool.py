"""The tool that looks for what a process keeps: it runs, and the page has what it measures."""

import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

from bench.endurance import BEGIN, END, MOST, PARTS, STRANGERS, Endurance, main
from bench.profiles import POLICIES

PAGE = Path(__file__).parents[1] / "docs" / "load.md"
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by what Linux says of a process"),
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:_SixMetaPathImporter:ImportWarning"),
]


def test_it_measures_every_kind_and_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "load.md"
    page.write_text(f"before\n\n{BEGIN}old\n{END}\nafter\n")
    main(["--messages", str(2 * PARTS), "--write", str(page)])
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before\n\n")
    assert written.endswith("\nafter\n")
    assert capsys.readouterr().out in written
    assert all(f"| {kind} |" in written for kind in (*POLICIES, STRANGERS))


def test_the_page_has_what_it_measured_last() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert f"| {STRANGERS} |" in shown[shown.index(BEGIN) : shown.index(END)]


def test_growth_in_the_second_half_does_not_hold_and_growth_before_it_does() -> None:
    flat = [1, *(10 * MOST,) * (PARTS - 1)]
    assert Endurance("signed", PARTS, 0, flat).holds
    assert Endurance("signed", PARTS, 0, [*flat[:-1], 11 * MOST]).holds
    assert not Endurance("signed", PARTS, 0, [*flat[:-1], 11 * MOST + 1]).holds


def test_messages_that_are_judged_otherwise_do_not_hold() -> None:
    flat = [1] * PARTS
    assert not Endurance("signed", PARTS, 1, flat).holds
    assert not Endurance(STRANGERS, PARTS, PARTS - 1, flat).holds
    assert Endurance(STRANGERS, PARTS, PARTS, flat).holds


def test_fewer_messages_than_parts_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--messages", str(PARTS - 1)])
    assert f"at least {PARTS} messages" in capsys.readouterr().err
