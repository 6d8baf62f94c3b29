"""The documents are true: generated pages are up to date, and what they show can be run."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from wsguard.checks import CHECKS
from wsguard.cli.application import application
from wsguard.cli.starter import STARTER
from wsguard.config import load_policy
from wsguard.policy import Policy
from wsguard.policy.values import Section

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
USERS = '[users]\nurl = "toml:users.toml"\n'


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    number: int
    language: str
    text: str


def blocks(language: str) -> list[Block]:
    found = []
    for page in PAGES:
        for number, match in enumerate(FENCE.finditer(page.read_text(encoding="utf-8")), 1):
            if match[2] == language:
                found.append(Block(str(page.relative_to(ROOT)), number, match[2], textwrap.dedent(match[3])))
    return found


def named(block: Block) -> str:
    return f"{block.page}-{block.number}"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- Generated pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["configuration", "checks"])
def test_the_generated_pages_are_up_to_date(page: str) -> None:
    written = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert written == getattr(generator(), page)(), "run: python docs/generate.py"


def keys_of(model: type[Section], heading: str = "") -> Iterator[tuple[str, str]]:
    """Every key with the heading that it must stand under, found by another way than the generator's."""
    definitions = model.model_json_schema()["$defs"]

    def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
        for key, value in schema["properties"].items():
            targets = re.findall(r"'#/\$defs/(\w+)'", str(value))
            if not targets:
                yield path, key
            elif path or key != "services":
                yield from walk(definitions[targets[0]], f"{path}.{key}".lstrip("."))
            else:
                own = definitions["Service"]["properties"]
                yield from (("services.NAME", name) for name in own if name not in model.model_fields)

    yield from walk(model.model_json_schema(), heading)


def test_every_key_of_the_configuration_stands_under_its_section() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    by_path = {re.sub(r"[`\[\]]|:.*| \(per service\)", "", title): text for title, text in sections.items()}
    keys = list(keys_of(Policy))
    assert len(keys) > 90
    missing = [(path, key) for path, key in keys if f"\n| `{key}` | " not in by_path.get(path or "Top of the file", "")]
    assert missing == []


def test_every_key_has_a_meaning_and_every_section_too() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `.*$", page.partition("## Algorithm names")[0], re.MULTILINE)
    cells = [re.split(r"(?<!\\)\|", row) for row in rows]
    assert len(cells) > 90
    assert [row for row in cells if len(row) != 6 or not row[4].strip().endswith((".", "…"))] == []


def test_every_check_is_described() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert re.findall(r"^### `(.*)`$", page, re.MULTILINE) == list(CHECKS)


def test_the_configuration_to_start_from_names_every_section_and_can_be_uncommented() -> None:
    everything = tomllib.loads(re.sub(r"^#(?=\S)", "", STARTER, flags=re.MULTILINE))
    policy = Policy.model_validate(everything)
    assert set(everything) == set(Policy.model_fields)
    assert policy.exempt[0].owner == "marketing"


def test_the_configuration_to_start_from_shows_defaults_where_it_shows_no_example() -> None:
    everything = tomllib.loads(re.sub(r"^#(?=\S)", "", STARTER, flags=re.MULTILINE))
    fresh = Policy.model_validate({"users": everything["users"]})
    shown = Policy.model_validate(everything)
    sections = ("timestamp", "username_token", "signature", "encryption", "response", "handoff", "faults", "replay")
    for name in (*sections, "audit", "http", "limits", "unsafe_unauthenticated", "actor"):
        assert (name, getattr(shown, name)) == (name, getattr(fresh, name))


# --- What the pages show ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("toml"), ids=named)
def test_a_configuration_that_is_shown_loads(block: Block, tmp_path: Path) -> None:
    (tmp_path / "users.toml").write_text('"alice" = "secret"\n')
    text = block.text if "[users]" in block.text else block.text + "\n" + USERS
    (tmp_path / "wsguard.toml").write_text(text, encoding="utf-8")
    policy = load_policy(tmp_path / "wsguard.toml")
    assert policy.model_fields_set >= set(tomllib.loads(block.text))


CALLS = """
import io, tomllib
from pathlib import Path

import zeep
from lxml import etree
from werkzeug.test import Client

browser = Client(application)
wsdl = browser.get("/?wsdl")
assert wsdl.status_code == 200, wsdl.text
password = tomllib.loads(Path("guard/users.toml").read_text())["alice"]


def call(wsse):
    client = zeep.Client(io.BytesIO(wsdl.data), wsse=wsse)
    envelope = client.create_message(client.service, "get_member", name="Ada")
    return browser.post("/", data=etree.tostring(envelope), content_type="text/xml; charset=utf-8")


answer = call(secured("alice", password))
assert (answer.status_code, "This is Ada." in answer.text) == (200, True), answer.text
answer = call(secured("alice", password + "x"))
assert (answer.status_code, "FailedAuthentication" in answer.text) == (500, True), answer.text
assert call(None).status_code == 500
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="spyne 2.14 does not import on Python 3.12")
def test_the_code_of_the_readme_runs_and_the_client_it_shows_is_served(tmp_path: Path) -> None:
    shown = [block.text for block in blocks("python") if block.page == "README.md"]
    assert len(shown) == 3
    made = CliRunner().invoke(application, ["init", str(tmp_path / "guard")])
    assert made.exit_code == 0, made.output
    for file in ("wsguard.toml", "users.toml", "development-ca.pem"):
        (tmp_path / file).write_bytes((tmp_path / "guard" / file).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*shown, CALLS])],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    listed = CliRunner().invoke(application, ["audit", "list", str(tmp_path / "guard" / "wsguard.toml"), "--json"])
    checks = [entry["check"] for entry in json.loads(listed.stdout)]
    assert checks == ["security.missing", "username_token.authentication"]


def test_python_is_shown_only_where_it_is_run() -> None:
    run_here, run_by_test_howtos = (
        {"README.md"},
        {
            "docs/spyne.md",
            "docs/flask.md",
            "docs/deployment.md",
            "docs/rotation.md",
            "docs/signatures.md",
            "docs/encryption.md",
            "docs/answers.md",
        },
    )
    run_by_the_tests_of_the_client = {"docs/client.md"}
    shown = {block.page for block in blocks("python")}
    assert shown == run_here | run_by_test_howtos | run_by_the_tests_of_the_client


def commands() -> list[list[str]]:
    return [shlex.split(line) for block in blocks("console") for line in block.text.splitlines() if line.strip()]


@pytest.mark.parametrize("command", [words for words in commands() if words[0] == "wsguard"], ids=" ".join)
def test_a_command_that_is_shown_exists_with_its_options(command: list[str]) -> None:
    # --help ends the run before anything is done, and after unknown commands and options were refused.
    result = CliRunner().invoke(application, [*command[1:], "--help"])
    assert result.exit_code == 0, result.output


def test_an_option_that_does_not_exist_would_be_noticed() -> None:
    assert CliRunner().invoke(application, ["check", "wsguard.toml", "--no-such", "--help"]).exit_code == 2
    assert CliRunner().invoke(application, ["no-such", "--help"]).exit_code == 2


def test_the_make_targets_that_are_shown_exist() -> None:
    shown = {words[1] for words in commands() if words[0] == "make"}
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert shown >= {"demo", "test"}
    assert shown <= targets


def test_no_other_program_is_shown_than_those_that_are_checked_or_installed() -> None:
    known = {"wsguard", "make", "pip", "python3.11", ".venv/bin/pip", "gunicorn", "mv", "diff", "openssl", "cat"}
    assert {words[0] for words in commands()} == known


def test_every_block_is_of_a_language_that_is_checked() -> None:
    fences = [match for page in PAGES for match in re.findall(r"^ *```(.+)$", page.read_text("utf-8"), re.MULTILINE)]
    assert set(fences) == {"python", "toml", "console", "xml"}


# --- The pages lead to each other -------------------------------------------------------------------------------------


def links_of(page: Path) -> list[str]:
    """What a page links to, without what only looks like a link in code."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))


def anchors_of(page: Path) -> set[str]:
    """The fragments of a page's headings, as forges make them: lower case, without punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in links_of(page):
        target, _, fragment = link.partition("#")
        if link.startswith("https://"):
            continue
        found = page.parent / target if target else page
        assert found.exists(), link
        assert not fragment or fragment in anchors_of(found), link


def test_every_document_is_in_the_index_and_in_the_readme() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in links_of(index)}
    documents = set((ROOT / "docs").rglob("*.md"))
    assert documents - linked == {index}
    named = {(ROOT / link).resolve() for link in links_of(ROOT / "README.md")}
    assert {page for page in documents if page.parent.name == "docs"} - named == set()


def test_a_decision_has_its_number_and_the_shape_of_the_others() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    for number, page in enumerate(decisions, 1):
        headings = re.findall(r"^##? .*$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert (page.name[:4], headings[0].split(".")[0]) == (f"{number:04}", f"# {number}")
        shape = ["## The question", "## Considered options", "## Decision", "## Consequences"]
        assert [heading for heading in headings[1:] if heading != "## What is known"] == shape
