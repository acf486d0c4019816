"""The lock of a deployment's environment, where it lies and for which platforms it is."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from localep.conda.lock import differences, find_lock_file, lock_files, read_source
from localep.errors import LocalepError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localep.conda.lock_file import LockFile
    from localep.conda.lock_source import CondaSource
    from localep.spec.model import DeploymentSpec


def conda_source_of(deployment: DeploymentSpec) -> CondaSource | None:
    """What a deployment's lock is made from, None where nothing can be locked.

    A conda file; or a mapping in its place, or what an MLflow model brings: the deployment's own
    YAML stands for these, and the lock lies beside it. Raises SpecError.
    """
    spec, file = deployment.environment, _file_of(deployment)
    if spec is None or file is None:
        return None
    return read_source(file, spec.conda)


def platforms_of(deployment: DeploymentSpec) -> tuple[str, ...]:
    """The platforms that a deployment's lock is for, whether it fits or not; none without one."""
    source = conda_source_of(deployment)
    file = find_lock_file(source) if source is not None else None
    return file.platforms if file is not None else ()


def misfits(file: LockFile, source: CondaSource, platforms: Iterable[str]) -> list[str]:
    """What keeps a lock from fitting a conda file on these platforms; empty where it fits."""
    found: list[str] = []
    for name in platforms:
        if name in file.platforms:
            found += differences(file, source, name)
        else:
            found.append(f"it holds nothing for {name}")
    return list(dict.fromkeys(found))


def misfit_of(deployment: DeploymentSpec) -> str | None:
    """What is wrong with the lock of a deployment, a sentence; None where nothing is."""
    spec, beside = deployment.environment, _file_of(deployment)
    if spec is None or beside is None or not lock_files(beside):
        return None
    try:
        source = read_source(beside, spec.conda)
    except SpecError:
        return None  # a conda file that cannot be read is a finding of its own
    try:
        file = find_lock_file(source)
        found = misfits(file, source, file.platforms) if file is not None else []
    except LocalepError as error:
        return error.said
    if file is None or not found:
        return None
    return f"{file.path} no longer fits {source.file.name}: {'; '.join(found)}."


def platform_here() -> str:
    """conda's name of this machine's platform."""
    systems = {"darwin": "osx", "win32": "win"}
    machines = {"x86_64": "64", "AMD64": "64"}
    machine = platform.machine()
    return f"{systems.get(sys.platform, 'linux')}-{machines.get(machine, machine)}"


def _file_of(deployment: DeploymentSpec) -> Path | None:
    """The file that a lock lies beside."""
    spec, origin = deployment.environment, deployment.origin
    if spec is not None and spec.conda is not None and origin is not None:
        return origin.document.source
    return spec.conda_file if spec is not None else None
