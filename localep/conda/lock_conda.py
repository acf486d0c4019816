"""Conda packages for a lock: by conda-lock and the user's own conda, else by rattler."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from localep.conda.lock_file import read_lock_file
from localep.conda.lock_source import bare
from localep.conda.solve import solve
from localep.environment.processes import run_lines
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localep.conda.packages import CondaPackage, SolveRequest

# In the order in which conda-lock looks for them.
PROGRAMS = ("mamba", "conda", "micromamba")
# What a target is taken to bring, as conda-lock takes it; a build follows `=`.
_TARGETS = {
    "linux-64": {"__unix": "0", "__linux": "5.10", "__glibc": "2.28", "__archspec": "1=x86_64"},
    "linux-aarch64": {
        "__unix": "0",
        "__linux": "5.10",
        "__glibc": "2.28",
        "__archspec": "1=aarch64",
    },
    "osx-64": {"__unix": "0", "__osx": "11.0", "__archspec": "1=x86_64"},
    "osx-arm64": {"__unix": "0", "__osx": "11.0", "__archspec": "1=arm64"},
    "win-64": {"__win": "0", "__archspec": "1=x86_64"},
}
_LAST_LINES = 30


def virtual_packages(platform: str, cuda: str | None) -> tuple[tuple[str, str], ...]:
    """What a platform brings of its own, with a GPU's CUDA where it has one."""
    found = dict(_TARGETS[platform])
    if cuda is not None and not platform.startswith("osx"):
        found["__cuda"] = cuda
    return tuple(found.items())


def find_program(environ: Mapping[str, str]) -> str | None:
    """The user's own solver: the path of mamba, conda or micromamba, None for none."""
    found = (shutil.which(name, path=environ.get("PATH", os.defpath)) for name in PROGRAMS)
    return next(filter(None, found), None)


def solve_for_lock(
    request: SolveRequest, program: str | None, on_line: Callable[[str], None]
) -> tuple[CondaPackage, ...]:
    """The packages to install, each after what it needs. Raises EnvironmentFailure.

    ``program`` is mamba, conda or micromamba, which conda-lock asks then; rattler solves
    without one.
    """
    return solve(request) if program is None else _ask(program, request, on_line)


def _ask(
    program: str, request: SolveRequest, on_line: Callable[[str], None]
) -> tuple[CondaPackage, ...]:
    """Have conda-lock lock the conda packages alone, by its command, and read what it wrote."""
    import yaml

    with tempfile.TemporaryDirectory(prefix="localep-lock-") as name:
        scratch = Path(name)
        wanted = {"channels": list(request.channels), "dependencies": list(request.specs)}
        target = {"subdirs": {request.platform: {"packages": _written(request)}}}
        for file, data in (("environment.yml", wanted), ("virtual-packages.yml", target)):
            (scratch / file).write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
        written = scratch / "conda-lock.yml"
        command = [sys.executable, "-W", "ignore", "-m", "conda_lock", "lock"]
        command += ["--conda", program, "--platform", request.platform]
        command += ["--file", str(scratch / "environment.yml"), "--lockfile", str(written)]
        command += ["--virtual-package-spec", str(scratch / "virtual-packages.yml")]
        told = _Told(on_line)
        # What it leaves behind where it is interrupted goes with the folder.
        environ = {**os.environ, "TMPDIR": name, "RUNNER_TEMP": name}
        status, _ = run_lines([*command, "--log-level", "ERROR"], told, environ)
        if status != 0 or not written.is_file():
            raise EnvironmentFailure(
                f"The conda packages cannot be locked for {request.platform}.",
                cause=f"conda-lock, with {program}, ended with exit code {status}.",
                details=told.reasons,
                remedy="Correct the conda file as the lines above say.",
            )
        return read_lock_file(written).conda[request.platform]


def _written(request: SolveRequest) -> dict[str, str]:
    """What the target brings, as conda-lock writes it: a build follows a space."""
    return {name: version.replace("=", " ", 1) for name, version in request.virtual_packages}


class _Told:
    """What conda-lock says, without credentials and without the traceback that it ends with."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.lines: list[str] = []
        self.last = ""
        self._on_line = on_line
        self._is_over = False

    def __call__(self, line: str) -> None:
        self.last = bare(line) if line.strip() else self.last
        self._is_over = self._is_over or line.startswith("Traceback")
        # Where it tells how to install what it wrote, that is a file of ours on its way.
        if line.strip() and not self._is_over and not line.startswith(" - Install lock"):
            self.lines.append(self.last)
            self._on_line(self.last)

    @property
    def reasons(self) -> list[str]:
        """Why it failed: the last lines, or what the traceback ends with where it is alone."""
        told = [line for line in self.lines if not line.startswith("Locking dependencies")]
        return told[-_LAST_LINES:] or [self.last]
