"""Who imports whom: the house has floors, and imports go down."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "localep"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What each part may import beside itself, of localep's own.
EVERYBODYS = {"", "errors", "exit_codes", "resources", "interrupts"}
BELOW = {
    "cli": {"operations", "rules", "spec", "environment", "gateway", "engine", "server"},
    "operations": {
        "conda",
        "doctor",
        "engine",
        "environment",
        "gateway",
        "registry",
        "rules",
        "server",
        "spec",
    },
    "conda": {"environment"},
    "doctor": set(),
    "spec": set(),
    "environment": set(),
    "rules": {"spec", "environment"},
    "gateway": set(),
    "registry": set(),
    "engine": set(),
    "server": set(),
    # Single modules: the program, and what everybody may import.
    "__main__": {"cli"},
    "": set(),
    "errors": set(),
    "exit_codes": set(),
    "resources": set(),
    "interrupts": set(),
}


def name_of(path: Path) -> str:
    """``engine.builders.log``; empty for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def part_of(name: str) -> str:
    return name.partition(".")[0]


NAMES = {name_of(path) for path in MODULES}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a module imports anywhere in it, ``TYPE_CHECKING`` included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            assert node.module is not None
            found.update(_members(node.module, [alias.name for alias in node.names]))
    return frozenset(found)


def _members(module: str, names: list[str]) -> list[str]:
    """``from localep import errors`` imports a module, ``from localep.errors import X`` a name."""
    if part_of(module) != PACKAGE.name:
        return [module]
    return [
        f"{module}.{name}"
        if f"{module}.{name}".removeprefix(f"{PACKAGE.name}.") in NAMES
        else module
        for name in names
    ]


def own_parts(path: Path) -> set[str]:
    """The parts of localep that a module imports from, without its own."""
    own = {name for name in imports(path) if part_of(name) == PACKAGE.name}
    return {part_of(name.partition(".")[2]) for name in own} - {part_of(name_of(path))}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    assert own_parts(path) - EVERYBODYS - BELOW[part_of(name_of(path))] == set()


@pytest.mark.parametrize("part", sorted(part for part in BELOW if (PACKAGE / part).is_dir()))
def test_the_rooms_of_a_part_have_floors_too(part: str) -> None:
    """A room is a module of the part, or a folder in it; no two import each other in a circle."""
    rooms: dict[str, set[str]] = {}
    for path in (path for path in MODULES if name_of(path).startswith(f"{part}.")):
        room = name_of(path).split(".")[1]
        named = [name.split(".") for name in imports(path)]
        others = {name[2] for name in named if name[:2] == [PACKAGE.name, part] and name[2:]}
        rooms.setdefault(room, set()).update(others - {room})

    assert len(list(TopologicalSorter(rooms).static_order())) >= len(rooms)


def test_the_search_for_imports_finds_some() -> None:
    assert own_parts(PACKAGE / "operations" / "rollout.py") == {
        "engine",
        "errors",
        "gateway",
        "interrupts",
    }
    assert "docker" in imports(PACKAGE / "engine" / "client.py") or "docker.errors" in imports(
        PACKAGE / "engine" / "client.py"
    )
    assert own_parts(PACKAGE / "cli" / "app.py") == {"", "exit_codes"}


def test_the_engine_alone_knows_docker() -> None:
    knowing = {
        part_of(name_of(path))
        for path in MODULES
        if "docker" in {part_of(name) for name in imports(path)}
    }

    assert knowing == {"engine"}


def test_conda_alone_knows_rattler() -> None:
    knowing = {
        part_of(name_of(path))
        for path in MODULES
        if {"rattler", "conda_lock"} & {part_of(name) for name in imports(path)}
    }

    assert knowing == {"conda"}


def test_the_command_line_alone_knows_typer_and_rich() -> None:
    knowing = {
        part_of(name_of(path))
        for path in MODULES
        if {"typer", "rich"} & {part_of(name) for name in imports(path)}
    }

    assert knowing == {"cli"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_command_line_is_there_before_anything_heavy_is_imported() -> None:
    heavy = ["docker", "jinja2", "jmespath", "pathspec", "requests", "rich", "watchfiles", "yaml"]
    program = (
        f"import sys, localep.cli.app; print([name for name in {heavy!r} if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert result.stdout == "[]\n"
