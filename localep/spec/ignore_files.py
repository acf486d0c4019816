"""What an ignore file keeps out of a folder that is uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The cloud obeys the first of these that lies at the top of the folder, and no other.
IGNORE_FILES = (".amlignore", ".gitignore")


def ignore_file(folder: Path) -> Path | None:
    """The ignore file that counts for a folder, None where there is none."""
    return next((folder / name for name in IGNORE_FILES if (folder / name).is_file()), None)


def ignored_in(folder: Path) -> Callable[[str], bool]:
    """Whether a path, as seen from the folder, is ignored; that of a folder ends with a slash.

    Raises OSError where the ignore file cannot be read.
    """
    path = ignore_file(folder)
    if path is None:
        return lambda _: False
    import pathspec

    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return pathspec.GitIgnoreSpec.from_lines(lines).match_file
