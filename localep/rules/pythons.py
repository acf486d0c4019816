"""The Python that a list of packages asks for, beside the one that localep runs in."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from localep.environment.conda_file import admits_python

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localep.rules.package_lists import PackageList

_OURS = sys.version_info.minor
# More than there will be for long.
_LAST = _OURS + 20
_MINOR = re.compile(r"3\.(\d+)(\.\d+)?")


def takes_python(packages: PackageList, minors: Iterable[str]) -> bool:
    """Whether a list may get one of some releases of Python; so it is where it names none."""
    pythons = packages.entries("python")
    return not pythons or any(admits_python(pythons[0].constraint, minor) for minor in minors)


def is_for_newer_python(packages: PackageList | None) -> bool:
    """Whether a list gets a Python that may take what this one does not, and no other."""
    older = [f"3.{number}" for number in range(6, _OURS + 1)]
    return packages is not None and not takes_python(packages, older)


def is_for_no_newer_python(packages: PackageList | None) -> bool:
    """Whether a list gets this Python's minor version or an older one, for certain."""
    newer = [f"3.{number}" for number in range(_OURS + 1, _LAST)]
    return packages is not None and not takes_python(packages, newer)


def is_newer_than_ours(python: str) -> bool:
    """Whether a version that somebody names is above this Python's, or not known to be not."""
    match = _MINOR.fullmatch(python)
    return match is None or int(match[1]) > _OURS
