"""The tool that measures how long refusals take: it runs, and the page has what it measures. No time is looked at."""

import re
from pathlib import Path
from random import Random

import pytest

from bench import encrypted, users
from bench.causes import Cause, Group, echo
from bench.decryption_timing import BEGIN, END, main, parts
from bench.measuring import measure

PAGE = Path(__file__).parents[1] / "docs" / "timing.md"


def groups(directory: Path) -> tuple[Group, ...]:
    return (*encrypted.groups(directory), *users.groups(directory))


def shape(page: str) -> list[str]:
    """Headings, and the first cell of each row."""
    return re.findall(r"^(### .*|\| [^|]* \|)", page[page.index(BEGIN) : page.index(END)], re.MULTILINE)


def test_it_measures_every_cause_and_the_page_shows_them_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "timing.md"
    page.write_text(f"before\n\n{BEGIN}old\n{END}\nafter\n")
    main(["--messages", "3", "--write", str(page)])
    written = page.read_text(encoding="utf-8")
    assert parts(written) == ("before\n\n", "\nafter\n")
    assert capsys.readouterr().out in written
    assert all(cause.name in written for group in groups(tmp_path) for cause in group.causes)
    assert shape(PAGE.read_text(encoding="utf-8")) == shape(written), "run: make timing WRITE=docs/timing.md"


def test_the_rows_are_in_order_and_the_first_one_is_compared_with_itself(tmp_path: Path) -> None:
    group = groups(tmp_path)[0]
    rows = measure(group, 3, Random(1))
    assert [row.cause for row in rows] == list(group.causes)
    assert all(row.low <= row.median <= row.high for row in rows)
    assert all(row.interval[0] <= row.difference <= row.interval[1] for row in rows)
    assert (rows[0].difference, rows[0].interval, rows[0].longer) == (0, (0, 0), 0)


def test_a_cause_that_is_refused_by_something_else_ends_the_run(tmp_path: Path) -> None:
    group = groups(tmp_path)[0]
    wrong = Cause("another", "signature.digest", group.causes[0].make)
    with pytest.raises(RuntimeError, match=r"signature\.digest was to refuse it, and it was encryption\.failed"):
        measure(Group("", group.guard, group.audit, (wrong,)), 2, Random(1))


def test_answers_that_differ_end_the_run(tmp_path: Path) -> None:
    group = groups(tmp_path)[0]
    elsewhere = Cause("open", "envelope.malformed", lambda: b"<")
    with pytest.raises(RuntimeError, match="the answers tell the causes apart"):
        measure(Group("", group.guard, group.audit, (group.causes[0], elsewhere)), 2, Random(1))


def test_a_page_without_marks_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="no line <!-- measured"):
        main(["--write", str(page)])


def test_nothing_gets_through_to_the_application() -> None:
    assert b"".join(echo({}, lambda *_: lambda _: None)) == b"<ok/>"
