"""The tool that notices when the guard becomes dearer. What counts is real where it is here; no time is looked at."""

import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

from bench import figures, regression
from bench.calling import quiet
from bench.counting import PERF, VALGRIND, WAYS, Way, available, finished
from bench.profiles import POLICIES, Profile, profiles
from bench.regression import MARGINS, RECORD, Compared, compared, main
from tests.messages import NOW
from wsguard.incident import new_incident
from wsguard.middleware import Guard

pytestmark = [
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:_SixMetaPathImporter:ImportWarning"),
]
NAMES = tuple(POLICIES)
RECORDED = {"instructions": dict.fromkeys(NAMES, 2.0), "calls": dict.fromkeys(NAMES, 400.0)}
NOWHERE = replace(VALGRIND, name="abacus", missing=lambda: "it has lost its beads")


def counted_without_a_tool(program: Sequence[str], runs: Sequence[str]) -> dict[str, int]:
    """Has the program do every run, and makes figures up: a message takes 1000 instructions, 3000 with a guard."""
    finished([sys.executable, *program, *runs])
    return {
        run: 50_000 + _number(Path(run)) * (3000 if Path(run).with_name("wsguard.toml").exists() else 1000)
        for run in runs
    }


def _number(file: Path) -> int:
    return int(file.stem)


FINGERS = Way(name="fingers", few=1, many=3, missing=str, count=counted_without_a_tool)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Profile, ...]]:
    with quiet(), profiles(tmp_path) as found:
        yield found


@pytest.fixture
def few_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of three messages. Calls are not fewer: by chance all of three could have their names looked at."""
    monkeypatch.setattr(figures, "ROUNDS", 3)


# --- What is dearer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", NAMES)
@pytest.mark.parametrize("figure", MARGINS)
def test_what_is_dearer_by_more_than_its_margin_is_noticed_and_nothing_else(figure: str, profile: str) -> None:
    def by(part: float) -> tuple[bool, bool]:
        measured = 200 * (1 + part * MARGINS[figure][profile])
        row = Compared(figure=figure, profile=profile, recorded=200, measured=measured)
        return row.dearer, row.cheaper

    assert by(1.05) == (True, False)
    assert by(0.95) == (False, False)
    assert by(-0.95) == (False, False)
    assert by(-1.05) == (False, True)


def measuring(monkeypatch: pytest.MonkeyPatch, times: float) -> None:
    """What is measured of the second profile is so many times what is recorded."""
    found = {name: {**values, NAMES[1]: values[NAMES[1]] * times} for name, values in RECORDED.items()}
    monkeypatch.setattr(regression, "measure", lambda way: found)


@pytest.fixture
def record(tmp_path: Path) -> list[str]:
    """The option that names a record."""
    file = tmp_path / "instructions.toml"
    sections = "".join(
        f"[{figure}]\n" + "".join(f"'{profile}' = {value}\n" for profile, value in values.items())
        for figure, values in RECORDED.items()
    )
    file.write_text(f"made.lxml = '0.1'\n{sections}")
    return ["--record", str(file)]


def test_a_dearer_profile_fails_and_is_named_with_both_figures_the_margin_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, record: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    measuring(monkeypatch, 1.5)
    with pytest.raises(SystemExit, match="1"):
        main(record, ways=[FINGERS])
    printed = capsys.readouterr().out
    assert "instructions | signed Body and Timestamp |    2.000 |    3.000 |  +50.0% |     +5% | DEARER" in printed
    assert "calls        | signed Body and Timestamp |      400 |      600 |  +50.0% |     +5% | DEARER" in printed
    assert printed.count("DEARER") == printed.count("FAILED: signed Body and Timestamp: ") == 2
    assert "it was recorded with 0.1" in printed
    assert "record anew: make bench-check WRITE=bench/instructions.toml" in printed


def test_what_is_within_its_margin_passes(
    monkeypatch: pytest.MonkeyPatch, record: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    measuring(monkeypatch, 1.04)
    main(record, ways=[FINGERS])
    assert capsys.readouterr().out.endswith("bench-check: passed\n")


def test_what_is_much_cheaper_passes_and_asks_to_be_recorded(
    monkeypatch: pytest.MonkeyPatch, record: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    measuring(monkeypatch, 0.5)
    main(record, ways=[FINGERS])
    assert "passed. It is cheaper than recorded; record anew" in capsys.readouterr().out


def test_a_profile_that_is_not_recorded_fails() -> None:
    with pytest.raises(SystemExit, match="calls: other profiles are recorded than there are"):
        compared({"calls": {"a new one": 1.0}}, RECORDED)


def test_a_figure_that_is_not_recorded_fails() -> None:
    with pytest.raises(SystemExit, match="time: other profiles are recorded than there are"):
        compared({"time": dict.fromkeys(NAMES, 2.0)}, RECORDED)


# --- What is measured -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("few_messages")
def test_all_is_recorded_and_where_nothing_counts_times_are_compared_and_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "instructions.toml"
    main(["--write", str(file)], ways=[FINGERS])
    recorded = tomllib.loads(file.read_text())
    assert recorded["made"]["by"] == "fingers"
    assert recorded["instructions"] == dict.fromkeys(NAMES, 3.0)
    assert {name: set(recorded[name]) for name in MARGINS} == {name: set(NAMES) for name in MARGINS}
    assert "bench-check: by instructions, counted by fingers\n" in capsys.readouterr().out
    # No time is looked at.
    monkeypatch.setattr(regression, "MARGINS", {**MARGINS, "time": dict.fromkeys(NAMES, 1e6)})
    main(["--record", str(file)], ways=[NOWHERE])
    printed = capsys.readouterr().out
    assert "bench-check: not by abacus: it has lost its beads\n" in printed
    assert "bench-check: by processor times, which takes a wide margin\n" in printed
    assert printed.count("\ntime ") == printed.count("\ncalls ") == len(NAMES)
    assert "\ninstructions " not in printed
    assert printed.endswith("bench-check: passed\n")


def test_nothing_is_recorded_where_nothing_counts(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="install valgrind"):
        main(["--write", str(tmp_path / "instructions.toml")], ways=[NOWHERE])
    assert not list(tmp_path.iterdir())


def test_calls_are_the_same_each_time_and_more_of_a_guard_that_does_more(
    made: tuple[Profile, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = figures.calls(made)
    assert figures.calls(made) == before
    judge = Guard.__call__

    def slower(guard: Guard, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        for _ in range(100):
            new_incident(NOW)
        return judge(guard, environ, start)

    monkeypatch.setattr(Guard, "__call__", slower)
    after = figures.calls(made)
    assert all(after[name] >= before[name] + 100 for name in NAMES)
    assert all(row.dearer for row in compared({"calls": after}, {"calls": before}))


def test_a_message_that_is_refused_ends_the_run(made: tuple[Profile, ...], tmp_path: Path) -> None:
    def count(program: Sequence[str], runs: Sequence[str]) -> dict[str, int]:
        file = Path(runs[-1])
        file.write_bytes(b"\0".join([file.read_bytes()] * 2))
        return counted_without_a_tool(program, [str(file)])

    with pytest.raises(RuntimeError, match=r"ended with 1:\n.* replay\.signature: "):
        figures.instructions(replace(FINGERS, count=count), made, tmp_path)


def test_every_profile_is_recorded() -> None:
    recorded = tomllib.loads(RECORD.read_text(encoding="utf-8"))
    assert {name: set(recorded[name]) for name in MARGINS} == {name: set(NAMES) for name in MARGINS}, regression.WRITE


# --- What counts ------------------------------------------------------------------------------------------------------

WORK = """
from bench.counted import forked
def work(times):
    return lambda: [number * number for number in range(times)]
forked({name: work(int(name)) for name in ARGUMENTS})
"""


@pytest.mark.parametrize("way", [pytest.param(way, id=way.name) for way in WAYS])
def test_more_work_is_more_instructions_and_start_up_is_in_none(way: Way) -> None:
    if way.missing():
        pytest.skip(f"not counted by {way.name}: {way.missing()}")
    program = ("-S", "-c", "import sys\n" + WORK.replace("ARGUMENTS", "sys.argv[1:]"))
    counted = way.count(program, ["1000", "100000", "199000"])
    first, second = counted["100000"] - counted["1000"], counted["199000"] - counted["100000"]
    assert first > 10 * 99_000
    assert second == pytest.approx(first, rel=0.05)


@pytest.mark.parametrize("way", [pytest.param(way, id=way.name) for way in WAYS])
def test_a_tool_that_is_not_there_is_missed(way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert way.missing() == "it is not installed"


@pytest.fixture
def perf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A perf that runs what it is given, and writes what stands in a file: perf itself counts on few machines."""
    says = tmp_path / "says"
    tool = tmp_path / "perf"
    tool.write_text(f'#!/bin/sh\nshift 5\ncat {says} > "$2"\nshift 3\nexec "$@"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return says


def test_perf_tells_what_it_counted(perf: Path) -> None:
    perf.write_text("# started on …\n\n1234567,,instructions:u,100,100.00,,\n")
    assert PERF.missing() == ""
    assert PERF.count(["-c", ""], ["one"]) == {"one": 1234567}


def test_both_kinds_of_cores_count(perf: Path) -> None:
    perf.write_text(
        "12,,cpu_core/instructions:u/,100,90.00,,\n"
        "<not counted>,,cpu_none/instructions:u/,0,0.00,,\n"
        "3,,cpu_atom/instructions:u/,100,10.00,,\n"
    )
    assert PERF.count(["-c", ""], ["one"]) == {"one": 15}


@pytest.mark.parametrize(
    ("says", "why"), [("<not supported>,,instructions:u,0,100.00,,", "<not supported>"), ("", "nothing")]
)
def test_perf_is_missed_where_it_counts_nothing(perf: Path, says: str, why: str) -> None:
    perf.write_text(f"# started\n{says}\n")
    assert PERF.missing() == f"it counts nothing here: perf stat says {why} of instructions:u"


def test_a_program_that_fails_is_not_counted() -> None:
    with pytest.raises(RuntimeError, match="ended with 3:\nwhat went wrong"):
        finished([sys.executable, "-c", "import sys; sys.stderr.write('what went wrong'); sys.exit(3)"])


def test_a_program_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("it", timeout)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(RuntimeError, match="not done in 300 s: it"):
        finished(["it"])


def test_the_first_way_that_there_is_is_gone() -> None:
    assert available([NOWHERE, FINGERS, VALGRIND]) == (FINGERS, {"abacus": "it has lost its beads"})
    assert available([NOWHERE]) == (None, {"abacus": "it has lost its beads"})
