"""Names that differ from those of files in their casing alone, which not every disk tells apart."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_LONGEST_NAME = 255


def spelled_otherwise(path: Path, base: Path) -> str | None:
    """How the folders spell what is meant by a path; None where it is there as written.

    None, too, where nothing of this name is there in any casing. Only the steps that lead from
    ``base`` to the path are looked at.
    """
    here, is_alike = base, True
    try:
        for step in Path(os.path.relpath(path, base)).parts:
            name = step if step == os.pardir else _alike(os.listdir(here), step)  # noqa: PTH208
            if name is None:
                return None
            is_alike = is_alike and name == step
            here = here.parent if name == os.pardir else here / name
    except (OSError, ValueError):
        return None
    return None if is_alike else Path(os.path.relpath(here, base)).as_posix()


def module_alike(folder: Path, module: str) -> str | None:
    """The module or package of a folder whose name differs from this one's in casing alone."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are wanted
    except OSError:
        return None
    found = _alike(names, f"{module}.py") or _alike(names, module)
    return found if found not in {module, f"{module}.py"} else None


def by_folded(names: Iterable[str]) -> dict[str, set[str]]:
    """Names by what they are without their casing."""
    result: dict[str, set[str]] = {}
    for name in names:
        result.setdefault(name.casefold(), set()).add(name)
    return result


def name_alike(folded: Mapping[str, set[str]], text: str) -> str | None:
    """The one of the file names that a text means, if no file has it in the text's own casing."""
    if len(text) > _LONGEST_NAME or "\n" in text:
        return None
    name = PurePosixPath(text.replace("\\", "/")).name
    if "." not in name.strip("."):
        return None
    found = folded.get(name.casefold(), set())
    return None if name in found else min(found, default=None)


def _alike(names: Collection[str], name: str) -> str | None:
    """The name itself if it is there, else the first that differs from it in casing alone."""
    if name in names:
        return name
    folded = name.casefold()
    return next((item for item in sorted(names) if item.casefold() == folded), None)
