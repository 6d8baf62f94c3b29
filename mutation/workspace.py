"""A copy of the project in which mutmut works: it wants its settings in setup.cfg, and a place of its own for each."""

import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

from mutation.subjects import Subject

ROOT: Final = Path(__file__).parents[1]

COPIED: Final = (
    *("wsguard", "tests", "docs", "sample_service", "bench", "fuzz", "mutation"),
    *("README.md", "CHANGELOG.md", "pyproject.toml", "setup.cfg"),
)
"""What the tests import or read."""


def run(directory: Path, subject: Subject, cores: int) -> bool:
    """Mutate this subject in ``directory``, from the start, and say whether mutmut came to its end.

    It does not where a test fails without any mutant.
    """
    prepare(directory, subject)
    mutmut = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", "run", "--max-children", str(cores)]
    with (directory / "mutmut.log").open("wb") as log:
        return subprocess.run(mutmut, cwd=directory, stdout=log, stderr=log, check=False).returncode == 0  # noqa: S603


def prepare(directory: Path, subject: Subject) -> None:
    """Make ``directory`` the project as it is now, set up to mutate this subject. What was there is gone."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, directory / name)
    settings = RawConfigParser()
    settings.read(directory / "setup.cfg", encoding="utf-8")
    settings["mutmut"] = {
        name: "".join(f"\n{value}" for value in values) for name, values in _settings(subject).items()
    }
    with (directory / "setup.cfg").open("w", encoding="utf-8") as file:
        settings.write(file)


def _settings(subject: Subject) -> dict[str, tuple[str, ...]]:
    return {
        "source_paths": ("wsguard",),
        "only_mutate": tuple(f"wsguard/{name}" for name in subject.files),
        "do_not_mutate_patterns": (r"^\s*(expected|seen)=",),
        "also_copy": tuple(name for name in COPIED if name != "wsguard"),
        "pytest_add_cli_args_test_selection": subject.tests,
        "pytest_add_cli_args": ("-p", "no:cacheprovider", "-p", "no:xdist"),
        "use_git_change_detection": ("false",),
    }
