"""The mapping is about files that are there, every checking module is in it, and each exception has a reason."""

import ast
from configparser import ConfigParser
from pathlib import Path

import pytest

from mutation import workspace
from mutation.argued import Argued, argued
from mutation.subjects import SUBJECTS, Subject

ROOT = Path(__file__).parents[2]
MUTATED = {path for subject in SUBJECTS.values() for name in subject.files for path in ROOT.glob(f"wsguard/{name}")}
ARGUED = list(argued())


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_every_file_of_a_subject_is_there(subject: Subject) -> None:
    for name in subject.files:
        assert list(ROOT.glob(f"wsguard/{name}")), name
    for name in subject.tests:
        assert (ROOT / name.partition("::")[0]).exists() or not name.startswith("tests/"), name


@pytest.mark.parametrize("room", ["timestamp.py", "tokens", "signature", "encryption", "engine.py", "remembering.py"])
def test_every_module_that_checks_is_mutated(room: str) -> None:
    place = ROOT / "wsguard" / room
    files = set(place.rglob("*.py")) if place.is_dir() else {place}
    assert {path for path in files if "def " in path.read_text(encoding="utf-8")} <= MUTATED


def test_no_file_is_in_two_subjects() -> None:
    assert len(MUTATED) == sum(
        len(list(ROOT.glob(f"wsguard/{name}"))) for one in SUBJECTS.values() for name in one.files
    )


def functions(file: str) -> set[str]:
    """As mutmut calls them: ``name``, ``Class.name``."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} | {
        f"{one.name}.{node.name}" for one in classes for node in one.body if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("file", sorted({entry.file for entry in ARGUED}))
def test_every_reason_is_one_and_is_about_a_function_that_is_there(file: str) -> None:
    entries: list[Argued] = [entry for entry in ARGUED if entry.file == file]
    assert ROOT / file in MUTATED
    assert {entry.function for entry in entries} <= functions(file)
    for entry in entries:
        assert len(entry.reason) > 20, entry
        assert {line[:2] for line in entry.change.splitlines()} <= {"- ", "+ "}, entry
    assert len({(entry.function, entry.change) for entry in entries}) == len(entries), "twice"


def test_mutmut_is_told_what_to_change_and_what_to_run(tmp_path: Path) -> None:
    subject = Subject(files=("window.py", "stores/users_*.py"), tests=("tests/a.py", "tests/b", "-k", "not slow"))
    workspace.prepare(tmp_path / "copy", subject)
    settings = ConfigParser()
    settings.read(tmp_path / "copy" / "setup.cfg", encoding="utf-8")
    told = {name: [line for line in value.split("\n") if line] for name, value in settings["mutmut"].items()}
    assert told["only_mutate"] == ["wsguard/window.py", "wsguard/stores/users_*.py"]
    assert told["pytest_add_cli_args_test_selection"] == ["tests/a.py", "tests/b", "-k", "not slow"]
    assert set(told["also_copy"]) | {"wsguard"} == set(workspace.COPIED)
    assert (tmp_path / "copy" / "wsguard" / "window.py").read_bytes() == (ROOT / "wsguard" / "window.py").read_bytes()
    assert settings["tool:pytest"]["testpaths"] == "tests", "the rest of setup.cfg is as it was"


def test_what_an_older_run_left_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "COPIED", ("setup.cfg",))
    (tmp_path / "mutants").mkdir()
    workspace.prepare(tmp_path, Subject(files=("window.py",), tests=()))
    assert [path.name for path in tmp_path.iterdir()] == ["setup.cfg"]
