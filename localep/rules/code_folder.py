"""A code folder as rules look at it: its files, and its modules as Python reads them."""

from __future__ import annotations

import ast
import os
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from localep.spec.ignore_files import ignored_in
from localep.spec.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Callable

# Beyond these a folder is looked at in part: a check before a build must take no time.
MAX_FILES = 5_000
MAX_SCRIPT_BYTES = 2 * 1024 * 1024

# Unlike Path's own method this answers False where the user may not look.
_is_link = os.path.islink

# What tools keep beside code and no script needs; a virtual environment is known by a file.
_OF_TOOLS = frozenset({".git", ".hg", ".mypy_cache", ".svn", ".tox", ".venv", "node_modules"})
_BYTE_CODE = "__pycache__"
_ENVIRONMENT = "pyvenv.cfg"


@dataclass
class FolderContent:
    """What lies below a folder, each kind in a stable order.

    ``files`` are MAX_FILES at most, ``is_cut`` tells that there are more; ``links`` may lead to
    files, which are among ``files`` then, to folders or nowhere; ``empty_folders`` hold nothing
    at all; ``of_tools`` are folders such as virtual environments, which are not looked into.
    """

    files: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    empty_folders: list[Path] = field(default_factory=list)
    of_tools: list[Path] = field(default_factory=list)
    is_cut: bool = False


def content_of(top: Path) -> FolderContent:
    """What lies below a folder."""
    content = FolderContent()
    for name, folders, files in os.walk(top):
        folder = Path(name)
        if not folders and not files and folder != top:
            content.empty_folders.append(folder)
        content.links += [folder / item for item in sorted(folders) if _is_link(folder / item)]
        of_tools = {item for item in folders if _is_of_tools(folder, item)}
        content.of_tools += [folder / item for item in sorted(of_tools)]
        folders[:] = sorted(set(folders) - of_tools - {_BYTE_CODE})
        for item in sorted(files):
            if len(content.files) == MAX_FILES:
                content.is_cut = True
                return content
            if _is_link(folder / item):
                content.links.append(folder / item)
            if is_there(folder / item, "file"):
                content.files.append(folder / item)
    return content


@dataclass
class CodeFolder:
    """The folder that goes to the cloud; none of its code is run."""

    path: Path
    _trees: dict[Path, ast.Module | None] = field(default_factory=dict, repr=False)

    @cached_property
    def content(self) -> FolderContent:
        """What lies below it."""
        return content_of(self.path)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file below it, MAX_FILES at most; those of tools are left out."""
        return tuple(self.content.files)

    @property
    def modules(self) -> tuple[Path, ...]:
        """Every Python file below it."""
        return tuple(file for file in self.files if file.suffix == ".py")

    def tree(self, file: Path) -> ast.Module | None:
        """A module as Python reads it, None where it cannot."""
        if file not in self._trees:
            self._trees[file] = _parse(file)
        return self._trees[file]

    def is_ignored(self, path: Path) -> bool:
        """Whether an ignore file keeps a file or folder below it out of the upload."""
        name = path.relative_to(self.path).as_posix()
        return self._ignored(f"{name}/" if is_there(path, "folder") else name)

    @cached_property
    def _ignored(self) -> Callable[[str], bool]:
        try:
            return ignored_in(self.path)
        except OSError:
            return lambda _: False


def size_of(file: Path) -> int:
    """The bytes of a file; none where it cannot be looked at."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _is_of_tools(folder: Path, name: str) -> bool:
    return name in _OF_TOOLS or is_there(folder / name / _ENVIRONMENT, "file")


def _parse(file: Path) -> ast.Module | None:
    try:
        if file.stat().st_size > MAX_SCRIPT_BYTES:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the user's code, such as a wrong escape
            return ast.parse(file.read_bytes(), str(file))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
