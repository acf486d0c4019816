"""What the command line says of environments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.environment.solver import Solver
from localep.spec.instance_types import find_instance_type

if TYPE_CHECKING:
    from pathlib import Path

    from localep.spec.model import DeploymentSpec


@dataclass(frozen=True)
class EnvironmentOptions:
    """What the command line says of environments.

    ``platform`` is what images shall run on (``linux/arm64``), empty for the engine's own.
    ``has_gpus`` and ``document`` are the deployment's: whether its machines have GPUs, and the
    YAML that it stands in.
    """

    python: str | None = None
    strict_image: bool = False
    pull: bool = False
    no_cache: bool = False
    platform: str = ""
    solver: Solver = Solver.AUTO
    has_gpus: bool = False
    document: Path | None = None

    def of(self, deployment: DeploymentSpec) -> EnvironmentOptions:
        """These options for the environment of a deployment."""
        kind = find_instance_type(deployment.instance_type or "")
        origin = deployment.origin
        return replace(
            self,
            has_gpus=kind is not None and kind.gpus > 0,
            document=origin.document.source if origin is not None else None,
        )
