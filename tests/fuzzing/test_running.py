"""``make fuzz``: its slices of time, what it prints, and the command that shows what broke."""

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from fuzz import replay
from fuzz.__main__ import main
from fuzz.corpus import kept
from fuzz.running import slice_of, summary
from fuzz.targets import target

LOG = Path("build/fuzz/http.log")
DONE = "#2 INITED cov: 5\n#9 NEW cov: 17 ft: 20\nDone 12345 runs in 60 second(s)\n"


@pytest.mark.parametrize(
    ("seconds", "targets", "cores", "each"), [(600, 12, 2, 100), (600, 12, 8, 300), (600, 1, 4, 600), (3, 12, 1, 1)]
)
def test_every_target_has_an_equal_slice(seconds: int, targets: int, cores: int, each: int) -> None:
    assert slice_of(seconds, targets, cores) == each


def test_a_target_that_nothing_breaks_has_one_line() -> None:
    assert summary("http", 0, DONE, [], LOG) == "http             12,345 inputs in 60 s, 17 edges\n"


def test_what_breaks_a_target_is_shown_by_a_command() -> None:
    said = summary("http", 77, DONE, [Path("crashes/http/crash-1")], LOG)
    assert "BROKEN" in said
    assert said.endswith("-m fuzz.replay http crashes/http/crash-1\n")


def test_a_target_that_does_not_run_says_where_it_is_written_why() -> None:
    assert f"FAILED with status 1: see {LOG}" in summary("http", 1, "ModuleNotFoundError", [], LOG)


def test_a_file_that_breaks_nothing_is_taken_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "good").write_bytes(b"<wsu:Created>2026-11-21T12:00:00Z</wsu:Created>")
    assert replay.main(["timestamp", str(tmp_path / "empty"), str(tmp_path / "good")]) == 0
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()] == ["refused", "taken"]


def test_a_file_that_breaks_something_is_shown_with_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crash").write_bytes(b"<wsu:Created>2026-11-21T11:00:00Z</wsu:Created>")
    monkeypatch.setattr("wsguard.timestamp._check_window", lambda *given: None)
    assert replay.main(["timestamp", str(tmp_path / "crash")]) == 1
    said = capsys.readouterr().out
    assert "BROKEN" in said
    assert "fuzz.target.Broken: Created is fresh" in said


@pytest.mark.parametrize(("status", "said"), [(0, "fuzz: passed"), (77, "fuzz: FAILED: timestamp")])
def test_a_run_fails_where_something_broke_and_goes_on_from_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    commands: list[list[str]] = []

    def fuzzed(command: list[str], **_: object) -> CompletedProcess[bytes]:
        commands.append(command)
        if status:
            (tmp_path / "crashes" / "timestamp" / "crash-1").write_bytes(b"")
        return CompletedProcess(command, status)

    monkeypatch.setattr("fuzz.running.subprocess.run", fuzzed)
    asked = ["--seconds", "7", "--target", "timestamp", "--cores", "1", "--directory", str(tmp_path)]
    assert main(asked) == bool(status)
    ((_, *options),) = commands
    corpus = tmp_path / "corpus" / "timestamp"
    assert options[:3] == ["-m", "fuzz.watched", "timestamp"]
    assert {"-max_total_time=7", str(corpus)} <= set(options)
    chosen = target("timestamp")
    assert {file.read_bytes() for file in corpus.iterdir()} == {*chosen.seeds(), *kept("timestamp")}
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == said
    assert ("crash-1" in told) == bool(status)
