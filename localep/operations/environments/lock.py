"""The lock of a deployment's environment, where it lies and for which platforms it is."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from localep.conda.lock import differences, find_lock_file, lock_files, read_source
from localep.errors import LocalepError

if TYPE_CHECKING:
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


def misfit_of(deployment: DeploymentSpec) -> str | None:
    """What is wrong with the lock of a deployment, a sentence; None where nothing is."""
    beside = _file_of(deployment)
    if beside is None or not lock_files(beside):
        return None
    try:
        source = conda_source_of(deployment)
    except LocalepError:
        source = None  # a conda file that cannot be read is a finding of its own
    if source is None:
        return None
    try:
        file = find_lock_file(source)
        changed = _differences(file, source) if file is not None else []
    except LocalepError as error:
        return " ".join(filter(None, (error.message, error.cause)))
    if file is None or not changed:
        return None
    told = "; ".join(dict.fromkeys(changed))
    return f"{file.path} no longer fits {source.file.name}: {told}."


def platform_here() -> str:
    """conda's name of this machine's platform."""
    systems = {"darwin": "osx", "win32": "win"}
    machines = {"x86_64": "64", "AMD64": "64"}
    machine = platform.machine()
    return f"{systems.get(sys.platform, 'linux')}-{machines.get(machine, machine)}"


def _differences(file: LockFile, source: CondaSource) -> list[str]:
    return [text for name in file.platforms for text in differences(file, source, name)]


def _file_of(deployment: DeploymentSpec) -> Path | None:
    """The file that a lock lies beside."""
    spec, origin = deployment.environment, deployment.origin
    if spec is not None and spec.conda is not None and origin is not None:
        return origin.document.source
    return spec.conda_file if spec is not None else None
