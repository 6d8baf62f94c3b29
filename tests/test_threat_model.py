"""THREAT-MODEL.md says nothing that is not there: its tests, pages, settings, numbers and checks."""

import re
from pathlib import Path

import pytest

from tests.attacks.cases import CLASSES
from wsguard.checks import CHECKS
from wsguard.policy import Policy
from wsguard.policy.surroundings import Limits

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "THREAT-MODEL.md").read_text("utf-8")
NAMED = re.findall(r"`((?:tests|wsguard|fuzz)/[\w./]+)`", PAGE)
BOUNDS = dict(re.findall(r"^\| `([\w.]+)` \| ([\d,]+) \|", PAGE, re.MULTILINE))


@pytest.mark.parametrize("path", sorted(set(NAMED)))
def test_what_shows_a_claim_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https?:)([^)#]+)", PAGE))))
def test_a_page_that_is_linked_is_there(link: str) -> None:
    assert (ROOT / link).exists()


def test_every_class_of_attack_has_a_row() -> None:
    rows = re.findall(r"^\| ([A-L]) ", PAGE, re.MULTILINE)
    assert rows == [kind for kind in CLASSES if kind != "legal"]


def test_every_limit_is_there_with_its_default() -> None:
    assert {name.removeprefix("limits.") for name in BOUNDS if name.startswith("limits.")} == set(Limits.model_fields)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_bound_has_the_number_that_the_page_says(name: str) -> None:
    section, _, key = name.partition(".")
    assert getattr(getattr(Policy(), section), key) == int(BOUNDS[name].replace(",", ""))


def test_a_check_that_is_named_exists() -> None:
    named = {name for name in re.findall(r"`(\w+\.\w+)`", PAGE) if name.partition(".")[0] in FAMILIES}
    assert {name for name in named if name not in CHECKS and not is_setting(name)} == set()


FAMILIES = {name.partition(".")[0] for name in CHECKS}


def is_setting(name: str) -> bool:
    section, _, key = name.partition(".")
    return hasattr(getattr(Policy(), section, None), key)
