"""What a scoring script and the modules that it imports say, read from their syntax trees."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.spec.documents import Document, Position
from localep.spec.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    from localep.rules.code_folder import CodeFolder

# A script that reaches more modules than these brings a package of its own.
MAX_MODULES = 200

_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError"})
_ANY_ERROR = frozenset({"BaseException", "Exception"})


@dataclass(frozen=True)
class Import:
    """An import: the dotted name, with what is taken from the module behind it.

    ``level`` counts the dots in front of a relative one.
    """

    name: str
    file: Path
    line: int
    column: int
    level: int = 0

    @property
    def top(self) -> str:
        """The first part of the name, which is what has to be found."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Text:
    """A string constant that is no docstring."""

    value: str
    file: Path
    line: int
    column: int


def place_in(file: Path, line: int, column: int = 1) -> Document:
    """A document that stands for a place in a file that is no YAML, for findings to name."""
    return Document(file, {}, {(): Position(line, column)})


def named_from(code: CodeFolder, file: Path) -> str:
    """A file of the code as people name it: its path from the code folder."""
    return file.relative_to(code.path).as_posix()


def running_nodes(tree: ast.AST, caught: Container[str] = frozenset()) -> Iterator[ast.AST]:
    """The nodes of what may run in the server, in the order of the source.

    Blocks for ``__main__`` and for type checkers are left out, so are docstrings, and what
    stands in a `try` that handles one of the errors in ``caught``.
    """
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield node
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and _never_runs(node.test):
            children = list(node.orelse)
        elif isinstance(node, ast.Try) and caught and _handles(node, caught):
            children = [*node.handlers, *node.orelse, *node.finalbody]
        stack.extend(reversed(children))


def imports_of(file: Path, tree: ast.AST) -> list[Import]:
    """The imports of a module that have to succeed."""
    found: list[Import] = []
    for node in running_nodes(tree, _IMPORT_ERRORS):
        if isinstance(node, ast.Import):
            place = (file, node.lineno, node.col_offset + 1)
            found += [Import(alias.name, *place) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            place = (file, node.lineno, node.col_offset + 1)
            module = node.module or ""
            names = [f"{module}.{alias.name}".strip(".*") for alias in node.names]
            found += [Import(name, *place, node.level) for name in names]
    return found


def texts_of(file: Path, tree: ast.AST) -> list[Text]:
    """The string constants of a module."""
    return [
        Text(node.value, file, node.lineno, node.col_offset + 1)
        for node in running_nodes(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def called_name(call: ast.Call) -> str:
    """The last part of the name of what is called; empty where it has none."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def dotted_name(node: ast.AST) -> str:
    """``os.environ`` of a name or an attribute of names; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def reached_from(script: Path, code: CodeFolder) -> dict[Path, ast.Module]:
    """A scoring script, and every module of its code folder that it imports, by file.

    Empty where the script is not valid Python.
    """
    found: dict[Path, ast.Module] = {}
    waiting = [script]
    while waiting and len(found) < MAX_MODULES:
        file = waiting.pop(0)
        tree = None if file in found else code.tree(file)
        if tree is not None:
            found[file] = tree
            for item in imports_of(file, tree):
                waiting += files_of(item, script.parent)
    return found


def files_of(item: Import, folder: Path) -> list[Path]:
    """The files that an import makes Python read where modules are looked for in ``folder``."""
    if item.level:
        folder = item.file.parents[min(item.level, len(item.file.parents)) - 1]
    found: list[Path] = []
    for part in item.name.split("."):
        candidates = (folder / part / "__init__.py", folder / f"{part}.py")
        found += [file for file in candidates if is_there(file, "file")]
        folder /= part
    return found


def holds_module(folder: Path, name: str) -> bool:
    """Whether a folder has a module or a package of this name."""
    if is_there(folder / f"{name}.py", "file"):
        return True
    package = folder / name
    return is_there(package, "folder") and next(package.glob("*.py"), None) is not None


def _never_runs(test: ast.expr) -> bool:
    """Whether a condition is that of a program's own start, or of a type checker."""
    if isinstance(test, ast.Compare):
        sides = [test.left, *test.comparators]
        return any(dotted_name(side) == "__name__" for side in sides) and any(
            isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
        )
    return dotted_name(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _handles(node: ast.Try, errors: Container[str]) -> bool:
    for handler in node.handlers:
        if handler.type is None:
            return True
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = [dotted_name(kind).rpartition(".")[2] for kind in kinds]
        if any(name in errors or name in _ANY_ERROR for name in names):
            return True
    return False
