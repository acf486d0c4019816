"""From a deployment's spec to the container that will run it."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from localep.engine.base import ContainerRequest, Limits, Mount
from localep.errors import SpecError
from localep.operations import layout, names
from localep.operations.gpus.choice import GpuPlan, shown
from localep.operations.limits import LimitPlan
from localep.operations.liveness import health_check, liveness_program
from localep.operations.script_logging import LOG_LEVELS, LOGGING_FILE, logging_config
from localep.operations.snapshot import Addition, Snapshot, reading, take_snapshot
from localep.spec.model import LOG_LEVEL_VARIABLE, EnvironmentSpec

if TYPE_CHECKING:
    from pathlib import Path

    from localep.engine.gpu_request import GpuRequest
    from localep.operations.environments.plans import EnvironmentImage
    from localep.operations.workplace import Workplace
    from localep.spec.model import CodeSpec, DeploymentSpec, InferenceConfig

# Spark and others refuse to run as a user without a name.
_USERS = """\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
localep:x:{}:{}:localep:/tmp:/bin/sh
"""

# An address that no machine has (RFC 5737): older engines ask their own host's name server for
# containers that may not reach out, too. Nobody answers, which shall not take long.
_NOBODY = "192.0.2.1"
_IMPATIENT = ("timeout:1", "attempts:1")


@dataclass(frozen=True)
class ContainerPlan:
    """All that decides what a deployment's container is; a context that closes the snapshot.

    ``fingerprint`` is the same for plans that make the same container: the environment, the
    code's content, the models' files (by size and date, never by content), the variables.
    ``snapshot`` and ``user`` are None where a custom container has no code and its image's user.
    ``instances`` is how many such containers there shall be, each with all that ``limits`` allow.
    """

    spec: DeploymentSpec
    image: EnvironmentImage
    snapshot: Snapshot | None
    user: tuple[int, int] | None
    record: dict[str, Any]
    fingerprint: str
    copies_model: bool
    instances: int = 1
    limits: Limits = field(default_factory=Limits)
    gpus: GpuPlan = field(default_factory=GpuPlan)

    def __enter__(self) -> ContainerPlan:
        return self

    def __exit__(self, *_: object) -> None:
        if self.snapshot is not None:
            self.snapshot.archive.close()

    @property
    def routes(self) -> InferenceConfig:
        """Where the container answers."""
        return layout.routes(self.spec)


def plan_container(
    spec: DeploymentSpec,
    image: EnvironmentImage,
    *,
    copy_model: bool,
    instances: int = 1,
    limits: LimitPlan | None = None,
    gpus: GpuPlan | None = None,
) -> ContainerPlan:
    """Take the snapshot of the code and settle all the rest. Raises SpecError."""
    code = _code_of(spec)
    user = _user_for(code.path) if code is not None and spec.routes is None else None
    snapshot = None
    if code is not None:
        target, owner = layout.code_folder(code), user or (0, 0)
        with reading(code.path):
            additions = [] if _is_custom(spec, image) else _additions(spec, code, user)
        snapshot = take_snapshot(code.path, target, owner, additions)
    limits = limits or LimitPlan()
    gpus = gpus or GpuPlan()
    own = {"limits": limits.record, "gpus": gpus.asked}
    record = _record(spec, image, copies_model=copy_model) | own
    identity = {
        "image": image.identity,
        "code": snapshot.digest if snapshot is not None else None,
        "models": _model_identity(spec),
        "variables": layout.variables(spec),
        "command": _command(spec),
        "routes": asdict(layout.routes(spec)),
        "user": user,
        "copy_model": copy_model,
        "gpus": gpus.identity,
        "record": record,
    }
    text = json.dumps(identity, sort_keys=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    return ContainerPlan(
        spec, image, snapshot, user, record, fingerprint, copy_model, instances, limits.limits, gpus
    )


def served_by_its_image(spec: DeploymentSpec) -> DeploymentSpec:
    """A deployment whose image starts the inference server by itself, as a container of its own.

    It keeps the image's command and user, and answers where the cloud's images do.
    """
    environment = spec.environment or EnvironmentSpec()
    return replace(spec, environment=replace(environment, inference_config=layout.SERVER_ROUTES))


def _is_custom(spec: DeploymentSpec, image: EnvironmentImage) -> bool:
    """Whether nobody knows what runs in the container, so that it stays as its image is."""
    return spec.routes is not None and not image.has_own_server


def users_file(user: tuple[int, int]) -> str:
    """/etc/passwd of a container that runs as this user."""
    return _USERS.format(*user)


def check_code(spec: DeploymentSpec) -> None:
    """Raise SpecError where a deployment names no code and needs some."""
    if spec.code is None and spec.routes is None:
        raise SpecError(
            f"Deployment {spec.name} has no scoring script.",
            cause="It has no code_configuration (the cloud says MissingDriverProgram).",
            remedy="Add code_configuration with `code:` and `scoring_script:`.",
        )


def _code_of(spec: DeploymentSpec) -> CodeSpec | None:
    check_code(spec)
    return spec.code


def _command(spec: DeploymentSpec) -> list[str] | None:
    """The command of the container, None for a custom one: its image has its own."""
    if spec.code is None or spec.routes is not None:
        return None
    return layout.server_command(spec.code)


def _additions(
    spec: DeploymentSpec, code: CodeSpec, user: tuple[int, int] | None
) -> list[Addition]:
    """What the container gets beside the user's own files."""
    folder = posixpath.dirname(code.scoring_script)
    additions = [] if spec.routes is not None else [liveness_program()]
    if user is not None and user[0] != 0:
        additions.append(Addition("/etc/passwd", users_file(user).encode()))
    if spec.all_models and layout.looks_up_models(code):
        name = posixpath.join(folder, layout.MODELS_FOLDER)
        additions.append(Addition(name, link=layout.models_folder(spec)))
    level = spec.environment_variables.get(LOG_LEVEL_VARIABLE)
    if level in LOG_LEVELS:
        name = posixpath.join(folder, LOGGING_FILE)
        otherwise = f"The code has a {LOGGING_FILE} of its own; --log-level changes nothing."
        additions.append(Addition(name, logging_config(level).encode(), otherwise=otherwise))
    return additions


def container_request(
    place: Workplace,
    plan: ContainerPlan,
    revision: str,
    instance: int = 1,
    gpus: GpuRequest | None = None,
    groups: tuple[int, ...] = (),
) -> ContainerRequest:
    """What to ask of the engine for one instance of one revision of a deployment."""
    spec = plan.spec
    has = {"gpus": text} if (text := shown(gpus)) is not None else {}
    return ContainerRequest(
        name=place.names.deployment(spec.endpoint_name, spec.name, revision, instance),
        image=plan.image.reference,
        command=_command(spec),
        labels=place.labels(
            role=names.DEPLOYMENT_ROLE,
            endpoint=spec.endpoint_name,
            deployment=spec.name,
            revision=revision,
            instance=str(instance),
            fingerprint=plan.fingerprint,
            spec=json.dumps(plan.record),
            **has,
        ),
        network=network_of(place, spec),
        aliases=(names.network_alias(revision, instance),),
        environment=layout.variables(spec) | (dict(plan.gpus.blinds) if gpus is None else {}),
        user=f"{plan.user[0]}:{plan.user[1]}" if plan.user is not None else None,
        working_dir=layout.app_root(spec.code) if spec.code and not spec.routes else None,
        mounts=_mounts(place, plan, revision),
        unprivileged=spec.routes is None,
        platform=plan.image.platform,
        limits=plan.limits,
        gpus=gpus,
        groups=groups,
        health=health_check(spec) if spec.routes is None else None,
        dns=() if spec.has_egress else (_NOBODY,),
        dns_options=() if spec.has_egress else _IMPATIENT,
    )


def network_of(place: Workplace, spec: DeploymentSpec) -> str:
    """The network that a deployment's containers are in."""
    return place.names.network if spec.has_egress else place.names.internal_network


def _mounts(place: Workplace, plan: ContainerPlan, revision: str) -> tuple[Mount, ...]:
    """Each model on its own, never its parent; or a volume with copies of them all."""
    places = layout.model_places(plan.spec)
    if plan.copies_model and places:
        volume = place.names.model_volume(plan.spec.endpoint_name, revision)
        return (Mount(volume, layout.models_folder(plan.spec), is_volume=True),)
    return tuple(Mount(str(model.path), target) for target, model in places.items())


def _user_for(folder: Path) -> tuple[int, int]:
    """The invoking user; for root, the owner of the code, who may be somebody else."""
    if not hasattr(os, "getuid"):
        return (1000, 1000)
    if os.getuid() != 0:
        return (os.getuid(), os.getgid())
    status = folder.stat()
    return (status.st_uid, status.st_gid)


def _record(spec: DeploymentSpec, image: EnvironmentImage, *, copies_model: bool) -> dict[str, Any]:
    """What `show` tells of a deployment; no environment variables, as they may be secret."""
    return {
        "name": spec.name,
        "instance_type": spec.instance_type,
        "instance_count": spec.instance_count,
        "image": image.reference,
        "requested_image": spec.environment.image if spec.environment else None,
        "model": ", ".join(str(model.path) for model in spec.all_models) or None,
        "model_places": {
            target: str(model.path) for target, model in layout.model_places(spec).items()
        },
        "copies_model": copies_model,
        "code": str(spec.code.path) if spec.code and not spec.code.is_generated else None,
        "code_folder": layout.code_folder(spec.code) if spec.code else None,
        "scoring_script": spec.code.scoring_script if spec.code else None,
        "liveness_probe": asdict(spec.liveness_probe),
        "readiness_probe": asdict(spec.readiness_probe),
        # Of a container that nobody but `show` asks whether it lives.
        "liveness_route": asdict(layout.routes(spec).liveness_route) if spec.routes else None,
        "egress_public_network_access": "enabled" if spec.has_egress else "disabled",
    }


def _model_identity(spec: DeploymentSpec) -> list[tuple[str, int, int]]:
    identity = []
    for target, model in sorted(layout.model_places(spec).items()):
        path = cast("Path", model.path)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not os.path.exists(file):  # noqa: PTH110 - False, too, where permission is lacking
                continue  # a link to nothing
            status = file.stat()
            name = f"{target} {file}"
            identity.append((name, status.st_size, status.st_mtime_ns))
    return identity
