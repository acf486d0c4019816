"""The lock of a deployment's environment, where it lies and for which platforms it is."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from localep.conda.lock import find_lock_file, read_source

if TYPE_CHECKING:
    from localep.conda.lock_source import CondaSource
    from localep.spec.model import DeploymentSpec


def conda_source_of(deployment: DeploymentSpec) -> CondaSource | None:
    """What a deployment's lock is made from, None where nothing can be locked.

    A conda file; or a mapping in its place, or what an MLflow model brings: the deployment's own
    YAML stands for these, and the lock lies beside it. Raises SpecError.
    """
    spec, origin = deployment.environment, deployment.origin
    if spec is not None and spec.conda is not None and origin is not None:
        return read_source(origin.document.source, spec.conda)
    if spec is not None and spec.conda_file is not None:
        return read_source(spec.conda_file)
    return None


def platforms_of(deployment: DeploymentSpec) -> tuple[str, ...]:
    """The platforms that a deployment's lock is for, whether it fits or not; none without one."""
    source = conda_source_of(deployment)
    file = find_lock_file(source) if source is not None else None
    return file.platforms if file is not None else ()


def platform_here() -> str:
    """conda's name of this machine's platform."""
    systems = {"darwin": "osx", "win32": "win"}
    machines = {"x86_64": "64", "AMD64": "64"}
    machine = platform.machine()
    return f"{systems.get(sys.platform, 'linux')}-{machines.get(machine, machine)}"
