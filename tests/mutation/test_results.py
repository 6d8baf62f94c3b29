"""What mutmut leaves behind is read, held against the list of reasons, and counted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mutation.argued import Argued, argued, as_entry
from mutation.report import BEGIN, END, table, tally, write
from mutation.results import Mutant, mutants

WRITTEN = '''
def x_older__mutmut_orig(a, b):
    """Whether it is."""
    return a < b
def x_older__mutmut_1(a, b):
    """Whether it is."""
    return a <= b
class Store:
    def xǁStoreǁ_keep__mutmut_orig(self, key):
        raise _away("a store", key)
    def xǁStoreǁ_keep__mutmut_1(self, key):
        raise _away(None, key)
    def xǁStoreǁ_keep__mutmut_2(self, key):
        raise _away("a store", None)
def _away(expected, key):
    return Fault("store.unavailable", expected=expected, seen=key)
'''
OLDER = Mutant(file="wsguard/x.py", function="older", change="- return a < b\n+ return a <= b", fate="killed")
KEEP = Mutant(
    file="wsguard/x.py",
    function="Store._keep",
    change="- raise _away('a store', key)\n+ raise _away('a store', None)",
    fate="survived",
)
REASON = Argued(file=KEEP.file, function=KEEP.function, change=KEEP.change, reason="for a reason")


def left_behind(directory: Path, *exits: int | None) -> Path:
    """Mutants that ended with these statuses: of ``older``, of words alone, of ``Store._keep``."""
    names = ["wsguard.x.x_older__mutmut_1", "wsguard.x.xǁStoreǁ_keep__mutmut_1", "wsguard.x.xǁStoreǁ_keep__mutmut_2"]
    place = directory / "mutants" / "wsguard"
    place.mkdir(parents=True)
    (place / "x.py").write_text(WRITTEN, encoding="utf-8")
    meta = {"exit_code_by_key": dict(zip(names, exits, strict=True)), "durations_by_key": {}}
    (place / "x.py.meta").write_text(json.dumps(meta), encoding="utf-8")
    (place / "y.py").write_text("untouched = 1", encoding="utf-8")
    return directory


def test_each_mutant_has_its_place_its_change_and_its_fate_and_words_are_none(tmp_path: Path) -> None:
    assert list(mutants(left_behind(tmp_path, 1, 0, 0))) == [OLDER, KEEP]


@pytest.mark.parametrize(
    "status, fate",
    [
        *((1, "killed"), (3, "killed"), (0, "survived"), (33, "survived"), (-24, "timed out"), (36, "timed out")),
        *((None, "broken"), (-11, "broken"), (35, "broken"), (2, "broken")),
    ],
)
def test_every_status_has_a_fate_and_an_unknown_one_is_no_kill(tmp_path: Path, status: int | None, fate: str) -> None:
    assert [one.fate for one in mutants(left_behind(tmp_path, status, 0, status))] == [fate, fate]


def test_where_nothing_ran_there_are_none(tmp_path: Path) -> None:
    assert list(mutants(tmp_path)) == []


def test_the_score_is_what_was_noticed_of_all_that_a_test_could_notice() -> None:
    slow, broken = replace(OLDER, fate="timed out"), replace(OLDER, fate="broken")
    counted = tally([OLDER, OLDER, slow, KEEP, broken], [REASON])
    assert (counted.killed, counted.timed_out, counted.argued) == (2, 1, 1)
    assert (counted.survivors, counted.stale) == ([broken], [])
    assert counted.score == 75
    assert counted.cells == "5 | 2 | 1 | 1 | 1 | 75.0 %"


def test_a_reason_is_for_one_change_of_one_function_only() -> None:
    for other in (replace(KEEP, function="keep"), replace(KEEP, file="wsguard/z.py"), replace(KEEP, change="- a\n+ b")):
        assert tally([KEEP, other], [REASON]).survivors == [other]


def test_a_reason_for_a_change_that_nothing_makes_is_told() -> None:
    elsewhere = replace(REASON, file="wsguard/z.py")
    assert tally([OLDER], [REASON, elsewhere]).stale == [REASON], "of files that were mutated"


def test_what_is_killed_although_it_is_argued_is_killed() -> None:
    counted = tally([replace(KEEP, fate="killed")], [REASON])
    assert (counted.killed, counted.argued, counted.stale) == (1, 0, [])


def test_without_any_mutant_the_score_is_none() -> None:
    assert tally([], []).score == 0


def test_a_survivor_is_written_as_the_list_would_have_it(tmp_path: Path) -> None:
    path = tmp_path / "argued.toml"
    awkward = "- f'''\"ü\\\\\"'''\n+ None"
    changes = [KEEP, replace(KEEP, change="- 'a\\b'\n+ None"), replace(KEEP, change=awkward)]
    path.write_text(as_entry(changes), encoding="utf-8")
    first, second, third = argued(path)
    assert first == replace(REASON, reason="")
    assert second.change == "- 'a\\b'\n+ None"
    assert third.change == awkward


def test_the_table_stands_between_the_marks_of_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}old\n{END}after\n", encoding="utf-8")
    measured = table({"x": tally([OLDER, KEEP], [])})
    write(page, measured)
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}{measured}{END}after\n"
    assert measured.splitlines()[2:] == ["| x | 2 | 1 | 0 | 0 | 1 | 50.0 % |", "| all | 2 | 1 | 0 | 0 | 1 | 50.0 % |"]
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="substring not found"):
        write(page, measured)
