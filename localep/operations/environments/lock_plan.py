"""What a lock is solved from: the conda packages, pip's list, and the Python that they are for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.environment.conda_file import parse_conda_file
from localep.environment.plan import EnvironmentPlan, without_old_server
from localep.operations.environments.conda_ways import CUDA
from localep.operations.environments.plans import plan_unbuilt
from localep.spec.model import EnvironmentSpec

if TYPE_CHECKING:
    from localep.conda.lock_source import CondaSource
    from localep.engine.base import Engine
    from localep.operations.environments.options import EnvironmentOptions
    from localep.spec.model import DeploymentSpec


@dataclass(frozen=True)
class LockPlan:
    """The plan of the image without a lock, and what is asked of conda's channels.

    ``specs`` and ``channels`` are empty where the image's own Python is used, whose minor
    version ("3.11") ``python`` is; None where channels bring one. ``cuda`` is the version that
    the target's driver offers, None where it has no GPU.
    """

    image: EnvironmentPlan
    python: str | None
    specs: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    cuda: str | None = None

    def without_old_server(self) -> LockPlan | None:
        """The same without what the old inference server brought, None where nothing is."""
        image = without_old_server(self.image)
        return None if image is None else replace(self, image=image)


def plan_lock(
    engine: Engine | None,
    deployment: DeploymentSpec,
    source: CondaSource,
    options: EnvironmentOptions,
) -> LockPlan:
    """Decide what is solved, as a build without a lock would. Raises EnvironmentFailure.

    A conda file that holds only python and pip needs no channel where the image has that
    Python: the lock names the version then, and pip's packages alone.
    """
    options = replace(options.of(deployment), document=None)  # without the lock that is there
    spec = deployment.environment or EnvironmentSpec()
    plan = plan_unbuilt(engine, replace(spec, conda_file=None, conda=dict(source.data)), options)
    if plan.conda is None:
        return LockPlan(plan, plan.base.python)
    conda = parse_conda_file(dict(source.data), str(source.file))
    cuda = CUDA if options.has_gpus else None
    return LockPlan(plan, None, conda.specs(options.python), conda.channels, cuda)
