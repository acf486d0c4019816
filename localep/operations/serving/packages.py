"""Whether a Python has what a deployment asks for, and the command that installs the rest."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from localep.environment.conda_file import admits_python
from localep.environment.pypi_twins import find_twins
from localep.environment.requirements import INFERENCE_SERVER
from localep.rules.known_packages import known_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from localep.environment.conda_file import CondaFile
    from localep.server.interpreter import Installed

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([^']+)'")


def install_command(python: Path, installed: Installed | None, packages: Sequence[str]) -> str:
    """The command line that installs packages there, by pip where it is, else by uv."""
    words = ["-m", "pip", "install"]
    command = [str(python), *words]
    if installed is not None and "pip" not in installed.packages:
        command = ["uv", "pip", "install", "--python", str(python)]
    return shlex.join([*command, *packages])


def package_warnings(conda: CondaFile, python: Path, installed: Installed) -> list[str]:
    """How a Python differs from what a conda file asks for; nothing where it does not."""
    warnings = []
    minor = ".".join(installed.python.split(".")[:2])
    if not admits_python(conda.python, minor):
        warnings.append(
            f"The conda file asks for python{conda.python}; {python} is Python {installed.python}."
        )
    differing = dict(_differing(conda, installed))
    if differing:
        listed = ", ".join(f"{line} ({state})" for line, state in differing.items())
        command = install_command(python, installed, list(differing))
        warnings.append(f"Not as the conda file has it: {listed}. To install: {command}")
    return warnings


def missing_package(error: str) -> str | None:
    """The package whose module a script imports in vain, as far as its name tells."""
    match = _NO_MODULE.match(error)
    if match is None:
        return None
    module = match.group(1)
    return known_packages().to_install(module) or module.partition(".")[0]


def server_command(python: Path, installed: Installed | None) -> str:
    """The command line that installs the inference server."""
    return install_command(python, installed, [INFERENCE_SERVER])


def _differing(conda: CondaFile, installed: Installed) -> Iterator[tuple[str, str]]:
    """The lines of pip's list, and twins of conda's, that are not fulfilled, and what is there."""
    versions = {canonicalize_name(name): text for name, text in installed.packages.items()}
    environment = {
        "python_version": ".".join(installed.python.split(".")[:2]),
        "python_full_version": installed.python,
    }
    for line in (*find_twins(conda.packages, conda.pip).requirements, *conda.pip):
        try:
            requirement = Requirement(re.sub(r"(^|\s)#.*$", "", line).strip())
        except InvalidRequirement:
            continue  # an option, or something that only pip understands
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        version = versions.get(canonicalize_name(requirement.name))
        if version is None:
            yield str(requirement), "missing"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield str(requirement), f"{version} is there"
