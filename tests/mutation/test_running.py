"""The whole of it over a small project: what a test notices is killed, what none notices survives and fails the run."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from mutation import __main__ as program
from mutation import argued, workspace
from mutation.subjects import Subject

pytestmark = [
    pytest.mark.skipif(find_spec("mutmut") is None, reason="mutmut is not there: pip install -e '.[mutants]'"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="mutmut forks"),
]

SEEING = "from wsguard.window import inside\n\n\ndef test_it() -> None:\n    assert inside(5) and not inside(6)\n"
BLIND = SEEING.replace(" and not inside(6)", "")
FAILING = SEEING.replace("not ", "")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One function, one test, and an empty list of reasons."""
    root = tmp_path / "project"
    for room in ("wsguard", "tests"):
        (root / room).mkdir(parents=True)
        (root / room / "__init__.py").touch()
    (root / "wsguard" / "window.py").write_text("def inside(age: int) -> bool:\n    return age <= 5\n")
    (root / "setup.cfg").write_text("[tool:pytest]\ntestpaths = tests\n")
    (root / "argued.toml").touch()
    monkeypatch.setattr(workspace, "ROOT", root)
    monkeypatch.setattr(workspace, "COPIED", ("wsguard", "tests", "setup.cfg"))
    monkeypatch.setattr(argued.argued, "__defaults__", (root / "argued.toml",))
    monkeypatch.setattr(program, "SUBJECTS", {"window": Subject(files=("window.py",), tests=("tests/test_it.py",))})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return root


def mutate(project: Path, test: str) -> int:
    (project / "tests" / "test_it.py").write_text(test)
    return program.main(["--cores", "1"])


def test_what_a_test_sees_is_killed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mutate(project, SEEING) == 0
    assert "| window | 2 | 2 | 0 | 0 | 0 | 100.0 % |" in capsys.readouterr().out


def test_what_no_test_sees_fails_the_run_until_there_is_a_reason(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mutate(project, BLIND) == 1
    told = capsys.readouterr().out
    assert "| window | 2 | 1 | 0 | 0 | 1 | 50.0 % |" in told
    assert told.endswith("mutants: FAILED: window\n")
    survivors = (project.parent / "build/mutants/window" / program.SURVIVORS).read_text(encoding="utf-8")
    assert "+ return age <= 6" in survivors
    (project / "argued.toml").write_text(survivors, encoding="utf-8")
    assert mutate(project, BLIND) == 0
    assert "| window | 2 | 1 | 0 | 1 | 0 | 100.0 % |" in capsys.readouterr().out


def test_a_project_whose_tests_fail_is_told_and_has_no_score(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mutate(project, FAILING) == 1
    assert "mutmut did not come to its end" in capsys.readouterr().out
