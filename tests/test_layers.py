"""The house keeps its layers: a module imports only from layers above its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "wsguard"

LAYERS = (
    ("names", "version", "checks"),
    ("policy", "faults", "explanation", "verified", "incident", "window"),
    ("certificates", "algorithms"),
    ("interfaces",),
    ("message",),
    (
        "timestamp", "tokens", "signature", "encryption", "routing", "clients", "security_header", "sparing",
        "coverage", "content", "pruning",
    ),
    ("walking", "requirements", "remembering", "token_keys", "exchange", "securing"),
    ("case",),
    ("judging",),
    ("engine", "answers", "soapfault"),
    ("received", "handoff", "refusal_log"),
    ("middleware",),
)  # fmt: skip
"""The core, from the top down."""

BENEATH = frozenset({"databases"})
"""What several rooms around stand on: it knows the words, and nothing of what is kept in it."""

AROUND = frozenset({"stores", "audit", "keys", "trust", "config", "spyne", "lint", "instruments", "metrics", "tracing"})
"""Implementations: they know the words and the interfaces, never engine or shell."""

AND_ALSO = {"metrics": {"keys", "instruments"}, "trust": {"keys"}, "stores": {"databases"}, "audit": {"databases"}}
"""Rooms around that know others around, or beneath. Metrics say when the files expire that keys are read from, and time
a store."""

COMPOSITION = frozenset(
    {"__init__", "__main__", "composition", "opening", "reloading", "explaining", "proving", "cli", "client", "testing"}
)
"""The only rooms that may know all others."""

ONLY_IN = {
    "werkzeug": {"received", "middleware"},
    "xmlsec": {"signature", "encryption", "keys", "cli"},
    "sqlalchemy": {"databases", "stores", "audit"},
    "psycopg": {"databases"},
    "redis": {"databases", "stores"},
    "typer": {"cli"},
    "rich": {"cli"},
    "prometheus_client": {"metrics"},
    "opentelemetry": {"tracing"},
    "zeep": {"client"},
}
"""Libraries, and the only rooms that may import them. Nobody imports spyne."""


def modules() -> Iterator[tuple[str, Path]]:
    """Each room (top-level module or package) with one of its files."""
    for file in sorted(PACKAGE.rglob("*.py")):
        place = file.relative_to(PACKAGE)
        yield (place.parts[0] if len(place.parts) > 1 else place.stem), file


def imported(file: Path) -> Iterator[str]:
    """The full names of modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            yield node.module or ""


def rooms_imported(file: Path) -> set[str]:
    """The rooms of this package that a file imports."""
    names = (name.split(".") for name in imported(file))
    return {parts[1] if len(parts) > 1 else "__init__" for parts in names if parts[0] == "wsguard"}


def allowed_for(room: str) -> frozenset[str]:
    """The rooms that ``room`` may import, itself included."""
    if room in COMPOSITION:
        return frozenset(name for name, _ in modules())
    words = frozenset(name for layer in LAYERS[:3] for name in layer)
    if room in BENEATH:
        return words | {room}
    if room in AROUND:
        return words | {"interfaces", room} | AND_ALSO.get(room, set())
    depth = next(depth for depth, layer in enumerate(LAYERS) if room in layer)
    above = frozenset(name for layer in LAYERS[:depth] for name in layer)
    return above | {room}


@pytest.mark.parametrize(("room", "file"), [pytest.param(r, f, id=str(f.relative_to(PACKAGE))) for r, f in modules()])
def test_a_room_imports_only_from_the_layers_above_it(room: str, file: Path) -> None:
    assert rooms_imported(file) <= allowed_for(room)


@pytest.mark.parametrize(("room", "file"), [pytest.param(r, f, id=str(f.relative_to(PACKAGE))) for r, f in modules()])
def test_a_library_is_imported_in_its_own_rooms_only(room: str, file: Path) -> None:
    foreign = {name.split(".")[0] for name in imported(file)}
    assert "spyne" not in foreign
    assert [library for library in foreign & set(ONLY_IN) if room not in ONLY_IN[library]] == []


def test_checks_never_import_each_other() -> None:
    checks = set(LAYERS[5])
    for room, file in modules():
        if room in checks:
            assert rooms_imported(file) & checks <= {room}, file


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        ".".join(("wsguard", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): set(
            imported(file)
        )
        for _, file in modules()
    }
    finished: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in finished:
            for target in graph.get(name, ()):
                if target in graph:
                    visit(target, (*path, name))
            finished.add(name)

    for name in graph:
        visit(name, ())


def test_every_room_has_a_place_in_the_house() -> None:
    known = {name for layer in LAYERS for name in layer} | BENEATH | AROUND | COMPOSITION
    assert {room for room, _ in modules()} <= known
