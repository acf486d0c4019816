"""What a conda file asks for: a Python, conda packages, and pip's list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from localep.errors import SpecError

_NAME = re.compile(r"(?:\S+::)?([A-Za-z0-9_][A-Za-z0-9_.-]*)\s*(.*)")


@dataclass(frozen=True)
class CondaFile:
    """A conda file, taken apart.

    ``python`` is the constraint on Python as conda spells it ("=3.11", ">=3.9", "" where there
    is none); ``packages`` are the conda packages but Python and pip; ``pip`` is pip's list, one
    line an entry; ``channels`` are as the file names them, credentials included.
    """

    python: str
    packages: tuple[str, ...]
    pip: tuple[str, ...]
    channels: tuple[str, ...] = ()

    @property
    def python_minor(self) -> str | None:
        """The one minor version of Python that is asked for, None where it may be several."""
        match = re.match(r"={0,2}\s*(\d+\.\d+)(?![\d|,])", self.python)
        return match.group(1) if match and not re.search("[|,]", self.python) else None

    def specs(self, python: str | None = None) -> tuple[str, ...]:
        """What is asked of conda's channels; ``python`` is a version in the place of the file's."""
        constraint = f"={python}" if python is not None else self.python
        blank = " " if re.match(r"[\d*]", constraint) else ""
        return (f"python{blank}{constraint}", *self.packages)


def parse_conda_file(data: dict[str, Any], source: str) -> CondaFile:
    """Read the mapping of a conda file. Raises SpecError where it has another shape."""
    dependencies = data.get("dependencies") or []
    if not isinstance(dependencies, list):
        raise _malformed(source, "`dependencies` is not a list.")
    python = ""
    packages: list[str] = []
    pip: list[str] = []
    for entry in dependencies:
        if isinstance(entry, dict) and set(entry) == {"pip"}:
            pip += _pip_lines(entry["pip"], source)
        elif isinstance(entry, str):
            try:
                name, constraint = split_package(entry)
            except ValueError as error:
                raise _malformed(source, f"{error}.") from error
            if name == "python":
                python = constraint
            elif name != "pip":
                packages.append(entry.strip())
        else:
            raise _malformed(source, f"{entry!r} is neither a package nor pip's list.")
    return CondaFile(python, tuple(packages), tuple(pip), _channels(data, source))


def split_package(entry: str) -> tuple[str, str]:
    """The name of a conda package, and the constraint on its version and build.

    Raises ValueError where the entry is no package.
    """
    match = _NAME.fullmatch(entry.strip())
    if match is None:
        raise ValueError(f"{entry!r} is not a package")
    return match.group(1).lower(), match.group(2).strip()


def admits_python(constraint: str, minor: str) -> bool:
    """Whether a conda constraint on Python admits some release of ``minor`` ("3.11").

    ``=3.11`` and ``3.11.*`` mean any 3.11; the patch release is not looked at, as the base
    image has the one that Debian has.
    """
    if not constraint:
        return True
    return any(
        all(_fits(part.strip(), minor) for part in alternative.split(","))
        for alternative in constraint.split("|")
    )


def _fits(part: str, minor: str) -> bool:
    match = re.fullmatch(r"(=|==|)\s*(\d+(?:\.\d+)*)(?:\.\*|\*)?(?:[=\s].*)?", part)
    if match:
        wanted = match.group(2).split(".")
        return minor.split(".")[: len(wanted)] == wanted[:2]
    try:
        specifier = SpecifierSet(part)
    except InvalidSpecifier:
        return part.lstrip("= ") == "*"
    return any(specifier.contains(Version(f"{minor}.{patch}")) for patch in range(40))


def _channels(data: dict[str, Any], source: str) -> tuple[str, ...]:
    channels = data.get("channels") or []
    if not isinstance(channels, list) or not all(isinstance(name, str) for name in channels):
        raise SpecError(
            f"{source} is not a conda file.",
            cause="`channels` is not a list of names.",
            remedy="Write each channel as an entry of its own, such as `- conda-forge`.",
        )
    return tuple(name.strip() for name in channels)


def _pip_lines(entries: object, source: str) -> list[str]:
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise _malformed(source, "The list under `pip:` holds something else than packages.")
    return [entry.strip() for entry in entries if entry.strip()]


def _malformed(source: str, cause: str) -> SpecError:
    return SpecError(
        f"{source} is not a conda file.",
        cause=cause,
        remedy="Write `dependencies:` as a list of packages, with `- pip:` and a list in it.",
    )
