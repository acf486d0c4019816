"""Conda packages that are on PyPI, too: the table beside this file, and how pip is asked.

A row without a name on PyPI is what wheels, or the image's own Python, bring along: CUDA's and
other libraries. What has no row has no twin.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from localep.environment.conda_file import split_package
from localep.environment.requirements import package_name

if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE = Path(__file__).with_name("pypi_twins.csv")

_FUZZY = re.compile(r"=?\s*(\d[\w.+!]*?)(\.?\*)?(?:[=\s]+[\w.*]+)?")
_EXACT = re.compile(r"==\s*(\d[\w.+!]*(?:\.\*)?)(?:[=\s]+[\w.*]+)?")
_RELEASE = re.compile(r"(\d+!)?\d+(\.\d+)*")


@dataclass(frozen=True)
class Twins:
    """What PyPI has in the place of conda packages.

    ``requirements`` are lines for pip, ``told`` the same with conda's name where it is another;
    ``left_out`` are packages that nothing has to be installed for, ``missing`` those that have
    no twin.
    """

    requirements: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def find_twins(packages: Iterable[str], pip: Iterable[str] = ()) -> Twins:
    """The twins of a conda file's packages; what ``pip`` lists itself is not asked for twice."""
    listed = {package_name(line) for line in pip}
    requirements: dict[str, str] = {}
    left_out, missing = [], []
    for entry in packages:
        name, constraint = split_package(entry)
        twin = _table().get(name)
        version = pip_constraint(constraint)
        if twin == "":
            left_out.append(name)
        elif twin is None or version is None:
            missing.append(entry)
        elif canonicalize_name(twin.partition("[")[0]) not in listed:
            requirement = f"{twin}{version}"
            is_same = canonicalize_name(twin) == canonicalize_name(name)
            requirements[requirement] = requirement if is_same else f"{requirement} ({name})"
    return Twins(tuple(requirements), tuple(requirements.values()), tuple(left_out), tuple(missing))


def pip_constraint(constraint: str) -> str | None:
    """A version as conda constrains it in pip's words, None where pip has none.

    conda's ``=1.2`` is pip's ``==1.2.*``; builds are conda's alone.
    """
    if constraint in {"", "*", "=*"}:
        return ""
    if exact := _EXACT.fullmatch(constraint):
        return f"=={exact.group(1)}"
    if fuzzy := _FUZZY.fullmatch(constraint):
        version = fuzzy.group(1).rstrip(".")
        return f"=={version}.*" if _RELEASE.fullmatch(version) else f"=={version}"
    try:
        parts = [re.sub(r"(?<=[\d])\.?\*$", "", part.strip()) for part in constraint.split(",")]
        specifier = SpecifierSet(",".join(_part(part) for part in parts))
    except InvalidSpecifier:
        return None
    return ",".join(sorted(str(part) for part in specifier))


def _part(part: str) -> str:
    """One part of a list: ``!=1.5`` may mean any 1.5, and a bare number means itself."""
    if re.match(r"\d", part):
        return f"=={part}.*"
    single = re.fullmatch(r"=\s*([\d.]+)", part)
    return f"=={single.group(1)}.*" if single else part


@cache
def _table() -> dict[str, str]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {row["conda"]: row["pypi"] for row in csv.DictReader(stream)}
