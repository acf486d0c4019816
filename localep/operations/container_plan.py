"""From a deployment's spec to the container that will run it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from localep.engine.base import ContainerRequest, Mount
from localep.errors import SpecError
from localep.operations import layout, names
from localep.operations.snapshot import Snapshot, take_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from localep.operations.environments import EnvironmentImage
    from localep.operations.workplace import Workplace
    from localep.spec.model import CodeSpec, DeploymentSpec


@dataclass(frozen=True)
class ContainerPlan:
    """All that decides what a deployment's container is; a context that closes the snapshot.

    ``fingerprint`` is the same for plans that make the same container: the environment, the
    code's content, the model's files (by size and date, never by content), the variables.
    """

    spec: DeploymentSpec
    image: EnvironmentImage
    code: CodeSpec
    snapshot: Snapshot
    user: tuple[int, int]
    record: dict[str, Any]
    fingerprint: str
    copies_model: bool

    def __enter__(self) -> ContainerPlan:
        return self

    def __exit__(self, *_: object) -> None:
        self.snapshot.archive.close()


def plan_container(
    spec: DeploymentSpec, image: EnvironmentImage, *, copy_model: bool
) -> ContainerPlan:
    """Take the snapshot of the code and settle all the rest. Raises SpecError."""
    code = required_code(spec)
    user = _user_for(code.path)
    snapshot = take_snapshot(code.path, layout.code_folder(code), user)
    record = _record(spec, image)
    identity = {
        "image": image.identity,
        "code": snapshot.digest,
        "model": _model_identity(spec),
        "variables": layout.variables(spec),
        "command": layout.server_command(code),
        "user": user,
        "copy_model": copy_model,
        "record": record,
    }
    text = json.dumps(identity, sort_keys=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    return ContainerPlan(spec, image, code, snapshot, user, record, fingerprint, copy_model)


def required_code(spec: DeploymentSpec) -> CodeSpec:
    """The code of a deployment. Raises SpecError where it names none."""
    if spec.code is None:
        raise SpecError(
            f"Deployment {spec.name} has no scoring script.",
            cause="It has no code_configuration (the cloud says MissingDriverProgram).",
            remedy="Add code_configuration with `code:` and `scoring_script:`.",
        )
    return spec.code


def container_request(place: Workplace, plan: ContainerPlan, revision: str) -> ContainerRequest:
    """What to ask of the engine for one revision of a deployment."""
    spec = plan.spec
    return ContainerRequest(
        name=place.names.deployment(spec.endpoint_name, spec.name, revision),
        image=plan.image.reference,
        command=layout.server_command(plan.code),
        labels=place.labels(
            role=names.DEPLOYMENT_ROLE,
            endpoint=spec.endpoint_name,
            deployment=spec.name,
            revision=revision,
            fingerprint=plan.fingerprint,
            spec=json.dumps(plan.record),
        ),
        network=place.names.network,
        aliases=(names.network_alias(revision),),
        environment=layout.variables(spec),
        user=f"{plan.user[0]}:{plan.user[1]}",
        working_dir=layout.app_root(plan.code),
        mounts=_mounts(place, plan, revision),
    )


def _mounts(place: Workplace, plan: ContainerPlan, revision: str) -> tuple[Mount, ...]:
    model = plan.spec.model
    if model is None or model.path is None:
        return ()
    folder = layout.model_folder(model)
    if plan.copies_model:
        volume = place.names.model_volume(plan.spec.endpoint_name, revision)
        return (Mount(volume, folder, is_volume=True),)
    return (Mount(str(model.path), f"{folder}/{model.path.name}"),)


def _user_for(folder: Path) -> tuple[int, int]:
    """The invoking user; for root, the owner of the code, who may be somebody else."""
    if not hasattr(os, "getuid"):
        return (1000, 1000)
    if os.getuid() != 0:
        return (os.getuid(), os.getgid())
    status = folder.stat()
    return (status.st_uid, status.st_gid)


def _record(spec: DeploymentSpec, image: EnvironmentImage) -> dict[str, Any]:
    """What `show` tells of a deployment; no environment variables, as they may be secret."""
    return {
        "name": spec.name,
        "instance_type": spec.instance_type,
        "instance_count": spec.instance_count,
        "image": image.reference,
        "requested_image": spec.environment.image if spec.environment else None,
        "model": str(spec.model.path) if spec.model else None,
        "code": str(spec.code.path) if spec.code else None,
        "scoring_script": spec.code.scoring_script if spec.code else None,
        "liveness_probe": asdict(spec.liveness_probe),
        "readiness_probe": asdict(spec.readiness_probe),
    }


def _model_identity(spec: DeploymentSpec) -> list[tuple[str, int, int]]:
    if spec.model is None or spec.model.path is None:
        return []
    path = spec.model.path
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    identity = []
    for file in files:
        if not os.path.exists(file):  # noqa: PTH110 - False, too, where permission is lacking
            continue  # a link to nothing
        status = file.stat()
        identity.append((str(file), status.st_size, status.st_mtime_ns))
    return identity
