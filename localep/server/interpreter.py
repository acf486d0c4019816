"""The Python that a server runs in, and what is installed in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASK = """
import importlib.metadata, json, platform
found = {}
for item in importlib.metadata.distributions():
    name = item.metadata["Name"]
    if name:
        found.setdefault(name, item.version)
print(json.dumps([platform.python_version(), found]))
"""
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")


@dataclass(frozen=True)
class Installed:
    """A Python's version ("3.11.7"), and the packages in it by name as they spell it."""

    python: str
    packages: Mapping[str, str]


def active_interpreter(environ: Mapping[str, str]) -> Path:
    """The Python of the environment that is active in the user's shell, else localep's own."""
    for variable in _ACTIVE:
        folder = environ.get(variable)
        if folder:
            python = python_of(Path(folder))
            if python.is_file():
                return python
    return Path(sys.executable)


def python_of(environment: Path) -> Path:
    """Where an environment has its Python."""
    if os.name == "nt":
        # conda has it in the folder itself
        own = environment / "python.exe"
        return own if own.is_file() else environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def installed_in(python: Path) -> Installed | None:
    """What is installed there, None where it cannot tell."""
    try:
        answer = subprocess.run(
            [str(python), "-c", _ASK],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
        )
        version, packages = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Installed(version, packages)
